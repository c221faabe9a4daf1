// Package portal is the pages of a network, in Chinese and English: members,
// studies, what a site's steward has to decide, how far a run is, and its answer
// with tables and figures.
//
// Start from [New]; [Listen] finds it a place, and [Portal.URL] is the way in. It
// speaks to a running node through [Node], which a console.Client is, and holds no
// rule: what may be decided says package console, what is shown of an answer says
// package render. What is signed is signed by [Steward.Decide], after a page that
// says exactly what.
//
// # Who may come
//
// One person, at the machine itself: pages are served on a loopback address, to
// whoever has the random key of the way in, which a cookie holds from then on. A
// name that is not the address's is refused, as are forms of other sites. No page
// has a script, and none may be kept by the browser or shown in another.
//
// # Not promised
//
// Whoever can read the memory or the terminal of the process can come in, and a
// browser that is itself hostile can sign what its user may sign.
package portal
