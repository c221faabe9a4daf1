// Package archive keeps a node's folder in one encrypted file.
//
// [Write] makes one of [Entry]s, [Extract] unpacks one into a folder that appears whole or
// not at all. What a node's folder consists of is the caller's knowledge: Extract asks
// it of every name.
//
// # Format
//
// A file of age (age-encryption.org/v1), for X25519 or hybrid recipients or a
// passphrase, not armoured; in it a tar archive (USTAR or PAX) of regular files
// in one order, the last of which is MANIFEST.json: the form's name, what the caller says
// of the whole, and of each file its name, its length and its SHA-256.
//
// # Checks
//
// age tells a file that was cut, altered, or made for somebody else. Beyond it Extract
// refuses names that the caller does not know, a name twice, links, folders and devices, a file
// that differs from the manifest, one that the manifest lacks or has more, and
// whatever stands behind the end. Since nothing in it is compressed, what is unpacked is no longer
// than the archive.
//
// # Not promised
//
// Whoever knows a recipient's public key can make an archive for it: that it
// was opened does not say who made it. The caller shows whose keys it holds.
package archive
