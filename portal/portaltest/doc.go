// Package portaltest looks at pages as their users do: in a real Chromium, whose
// pages run no script.
//
// Start from [Open]. [Browser.Check] holds the page that is shown to axe-core,
// in light, in dark and on a phone, and to a phone's width.
//
// # What it takes
//
// Chromium (Debian's package of that name) and npm, by which axe-core comes once
// into the user's cache, checked against a digest. Where one is missing a test
// says so and is skipped, but fails where WELLSPRING_SHARED is set, as it is where
// everything is to be tried. With WELLSPRING_PICTURES set to a folder, each page
// that was checked leaves pictures there.
package portaltest
