//go:build !(linux || darwin || freebsd)

package disk

import "errors"

// Free tells how many bytes the disk of a folder has, and how many of them are free
// to whoever asks; it is not known here.
func Free(string) (free, size uint64, err error) { return 0, 0, errors.ErrUnsupported }
