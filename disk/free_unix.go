//go:build linux || darwin || freebsd

package disk

import "syscall"

// Free tells how many bytes the disk of a folder has, and how many of them are free
// to whoever asks.
func Free(dir string) (free, size uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize), nil
}
