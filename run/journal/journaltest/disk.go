package journaltest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// A disk is what a power cut leaves of a folder: of each file what was synced,
// and of the rest nothing, everything, or any part. Names are synced with
// their folder.
type disk struct {
	files map[int]*file // by number
	names map[string]int
	sure  map[string]int // the names that are synced
	next  int
}

type file struct {
	now     []byte
	durable []byte
	pending []change // since the last sync
}

// A change is a write, or a cut to a length.
type change struct {
	at   int
	data []byte
	cut  bool
}

func newDisk() *disk {
	return &disk{files: map[int]*file{}, names: map[string]int{}, sure: map[string]int{}}
}

// open finds a file, or makes it.
func (d *disk) open(path string, truncate bool) {
	id, ok := d.names[path]
	if !ok {
		id = d.next
		d.next++
		d.files[id] = &file{}
		d.names[path] = id
	}
	if truncate {
		d.change(path, change{cut: true})
	}
}

func (d *disk) change(path string, c change) {
	id, ok := d.names[path]
	if !ok {
		return
	}
	f := d.files[id]
	f.pending = append(f.pending, c)
	f.now = c.apply(f.now)
}

func (c change) apply(b []byte) []byte {
	if c.cut {
		if c.at <= len(b) {
			return b[:c.at:c.at]
		}
		return append(slices.Clone(b), make([]byte, c.at-len(b))...)
	}
	if end := c.at + len(c.data); end > len(b) {
		b = append(slices.Clone(b), make([]byte, end-len(b))...)
	} else {
		b = slices.Clone(b)
	}
	copy(b[c.at:], c.data)
	return b
}

// sync makes a file durable, or the names in a folder.
func (d *disk) sync(path string) {
	if id, ok := d.names[path]; ok {
		f := d.files[id]
		f.durable, f.pending = f.now, nil
		return
	}
	inside := func(m map[string]int) (out []string) {
		for p := range m {
			if filepath.Dir(p) == path {
				out = append(out, p)
			}
		}
		return out
	}
	for _, p := range inside(d.sure) {
		delete(d.sure, p)
	}
	for _, p := range inside(d.names) {
		d.sure[p] = d.names[p]
	}
}

func (d *disk) rename(from, to string) {
	if id, ok := d.names[from]; ok {
		delete(d.names, from)
		d.names[to] = id
	}
}

func (d *disk) unlink(path string) { delete(d.names, path) }

// cut writes what the power cut leaves into the folder to, for the files under
// the folder from. luck nil drops all that was not synced.
func (d *disk) cut(from, to string, luck *rand.Rand) error {
	names := d.sure
	if luck != nil && luck.IntN(2) == 0 {
		names = d.names
	}
	for path, id := range names {
		rel, err := filepath.Rel(from, path)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, rel), d.files[id].left(luck), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// left is what is left of a file: unsynced writes reach the disk in any order,
// sector by sector.
func (f *file) left(luck *rand.Rand) []byte {
	const sector = 512
	b := slices.Clone(f.durable)
	if luck == nil {
		return b
	}
	for _, c := range f.pending {
		switch {
		case luck.IntN(3) == 0: // lost
		case c.cut:
			b = c.apply(b)
		default:
			for at := 0; at < len(c.data); at += sector {
				if luck.IntN(4) > 0 {
					b = change{at: c.at + at, data: c.data[at:min(at+sector, len(c.data))]}.apply(b)
				}
			}
		}
	}
	return b
}
