// Package disk writes files that are there whole or not at all.
//
// [Write] is for what a node acknowledges: when it returns, the file and its name
// survive a loss of power. A reader sees the former file or the new one, never a part of
// either. Whoever may be cut off in the middle leaves a file whose name ends in ~ and
// digits beside it, which nobody reads.
//
// # Not promised
//
// Which of two that write one path at the same time comes last.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write writes a file anew, in place of a former one, of all parts in order.
func Write(path string, mode fs.FileMode, parts ...[]byte) error {
	return write(path, mode, true, all(parts))
}

// WriteWith is Write of what give writes; if give fails nothing has happened.
func WriteWith(path string, mode fs.FileMode, give func(io.Writer) error) error {
	return write(path, mode, true, give)
}

// WriteLoose is Write for what may be lost with the power: a crash of the process alone loses nothing.
func WriteLoose(path string, mode fs.FileMode, parts ...[]byte) error {
	return write(path, mode, false, all(parts))
}

func all(parts [][]byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, p := range parts {
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
		return nil
	}
}

func write(path string, mode fs.FileMode, durable bool, give func(io.Writer) error) error {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, name+"~")
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(mode), give(f))
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if durable {
		err = SyncDir(dir)
	}
	return err
}

// SyncDir makes the names in a folder durable: of files that were made, renamed or removed there.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
