// Package folder carries the mesh's frames through two folders, one each way,
// for hospitals behind a one-way gate (网闸) or without any route.
//
// [Open] gives a [mesh.Carrier] that writes each frame as a file into OUT and
// reads those for its node from IN. Whatever carries the files, a gate or a
// person with a disk, moves or copies them from one part's OUT to the other
// part's IN, in any order and as late as it likes. Files that
// come twice, cut, renamed or not at all are no harm: the frames in them are
// signed, and package mesh sends again what does not arrive.
//
// # Files
//
// A file is named TO~FROM~NUMBER~HASH.frame: receiver and sender as [mesh.Token]s,
// the sender's running number in 16 hexadecimal digits, and the first 16 of
// SHA-256 of the frame that it holds. It is written beside as a name that ends in ".part", synced and
// renamed; a name that ends otherwise, or whose hash does not fit its bytes yet, is left for later.
//
// # Bounds
//
// OUT holds at most [Options.Limit] bytes; past it, the oldest files older than [Options.Stay] go (a
// gate that copies leaves them) and, where none is so old, Put refuses.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/mesh"
)

// Options set the rhythm and bounds of an exchange. The zero Options are for
// an exchange every ten minutes.
type Options struct {
	// Every is how often the files are carried; 0 is ten minutes.
	Every time.Duration
	// Look is how often IN is read; 0 is a 600th of Every, at least 10 ms.
	Look time.Duration
	// Limit bounds what OUT holds, in bytes; 0 is 8 GiB.
	Limit int64
	// Stay is how long a file stays in OUT at least; 0 is ten times Every.
	Stay time.Duration
}

func (o Options) filled() Options {
	if o.Every <= 0 {
		o.Every = 10 * time.Minute
	}
	if o.Look <= 0 {
		o.Look = max(o.Every/600, 10*time.Millisecond)
	}
	if o.Limit <= 0 {
		o.Limit = 8 << 30
	}
	if o.Stay <= 0 {
		o.Stay = 10 * o.Every
	}
	return o
}

// A Carrier is one node's pair of folders.
type Carrier struct {
	self    ws.SiteID
	in, out string
	o       Options
	outward bool // of a [Relay]: frames for all but self are read

	mu     sync.Mutex
	number uint64
	held   int64 // bytes in OUT, as last counted, and written since
	counts time.Time

	queue []string             // files in IN that are to be read, in order
	taken map[string]time.Time // files that were read and may still lie there
	done  chan struct{}
	once  sync.Once
}

// Open begins to carry a node's frames. The folders must be there.
func Open(self ws.SiteID, in, out string, o Options) (*Carrier, error) {
	if err := self.Validate(); err != nil {
		return nil, err
	}
	for _, dir := range []string{in, out} {
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			return nil, trouble(fmt.Errorf("%s: %w", dir, errors.Join(err, os.ErrInvalid)))
		}
	}
	// The clock keeps numbers rising over restarts; they only put files in order.
	return &Carrier{self: self, in: in, out: out, o: o.filled(), number: uint64(time.Now().UnixNano()), taken: map[string]time.Time{}, done: make(chan struct{})}, nil
}

// name gives a frame's file name but for the ending.
func name(to, from ws.SiteID, number uint64, frame []byte) string {
	sum := sha256.Sum256(frame)
	return fmt.Sprintf("%s~%s~%016x~%s", mesh.Token(to), mesh.Token(from), number, hex.EncodeToString(sum[:8]))
}

// Put implements [mesh.Carrier]. With or without keep the file is synced: who
// carries it comes later.
func (c *Carrier) Put(_ context.Context, to ws.SiteID, frame []byte, _ bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.room(int64(len(frame))); err != nil {
		return err
	}
	c.number++
	path := filepath.Join(c.out, name(to, c.self, c.number, frame))
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return trouble(err)
	}
	_, err = f.Write(frame)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".part", path+".frame")
	}
	if err != nil {
		return trouble(errors.Join(err, os.Remove(path+".part")))
	}
	return nil
}

// room sees to it that OUT may take n more bytes.
func (c *Carrier) room(n int64) error {
	if c.held+n <= c.o.Limit && time.Since(c.counts) < c.o.Every {
		c.held += n
		return nil
	}
	c.held, c.counts = 0, time.Now()
	entries, err := os.ReadDir(c.out)
	if err != nil {
		return trouble(err)
	}
	for _, e := range entries { // names of one receiver are in order of age
		st, err := e.Info()
		switch {
		case err != nil || !st.Mode().IsRegular():
		case ours.MatchString(e.Name()) && time.Since(st.ModTime()) > c.o.Stay:
			_ = os.Remove(filepath.Join(c.out, e.Name()))
		default:
			c.held += st.Size()
		}
	}
	if c.held+n > c.o.Limit {
		return ws.Errorf(ws.Unreachable, "mesh/folder", ws.T("the OUT folder is full: nobody carries the files away", "OUT 文件夹已满：文件未被取走")).
			WithHint(ws.T("check the gate, or whoever carries the files", "请检查网闸或负责搬运文件的人员"))
	}
	c.held += n
	return nil
}

var (
	ours  = regexp.MustCompile(`^[a-z0-9_-]+~[a-z0-9_-]+~[0-9a-f]{16}~[0-9a-f]{16}\.(frame|part)$`)
	frame = regexp.MustCompile(`^([a-z0-9_-]+)~[a-z0-9_-]+~[0-9a-f]{16}~([0-9a-f]{16})\.frame$`)
)

// maxTaken bounds the names remembered of files that cannot be removed.
const maxTaken = 1 << 16

// Take implements [mesh.Carrier]. A file that was read is removed when the
// link has done with it; if it cannot be (IN may be read-only), it is read once
// in this process.
func (c *Carrier) Take(ctx context.Context) (mesh.Parcel, error) {
	for rest := false; ; rest = true { // a file that is still being written is not looked at in a spin
		for len(c.queue) > 0 {
			file := c.queue[0]
			c.queue = c.queue[1:]
			if b, ok := c.read(file); ok {
				return mesh.Parcel{Frame: b, Done: func() { _ = os.Remove(filepath.Join(c.in, file)) }}, nil
			}
		}
		if err := c.look(); err != nil {
			return mesh.Parcel{}, err
		}
		if len(c.queue) > 0 && !rest {
			continue
		}
		select {
		case <-time.After(c.o.Look):
		case <-ctx.Done():
			return mesh.Parcel{}, ctx.Err()
		case <-c.done:
			return mesh.Parcel{}, io.EOF
		}
	}
}

// read gives a file's frame if the file is whole.
func (c *Carrier) read(file string) ([]byte, bool) {
	f, err := os.Open(filepath.Join(c.in, file))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mesh.MaxFrame+1))
	want := frame.FindStringSubmatch(file)
	sum := sha256.Sum256(b)
	if err != nil || len(b) > mesh.MaxFrame || want == nil || hex.EncodeToString(sum[:8]) != want[2] {
		return nil, false // cut, or still being written: looked at again
	}
	c.taken[file] = time.Now()
	return b, true
}

// lookBatch bounds the files of one look.
const lookBatch = 4096

// look lists, by number, the files for this node that were not read yet.
func (c *Carrier) look() error {
	entries, err := os.ReadDir(c.in)
	if err != nil {
		return trouble(err)
	}
	there := map[string]bool{}
	for _, e := range entries {
		m := frame.FindStringSubmatch(e.Name())
		if m == nil || (m[1] == mesh.Token(c.self)) == c.outward || !e.Type().IsRegular() {
			continue
		}
		there[e.Name()] = true
		if _, known := c.taken[e.Name()]; !known && len(c.queue) < lookBatch {
			c.queue = append(c.queue, e.Name())
		}
	}
	for n := range c.taken {
		if !there[n] || len(c.taken) > maxTaken {
			delete(c.taken, n)
		}
	}
	slices.Sort(c.queue)
	return nil
}

// Pace implements [mesh.Carrier]: a letter and its acknowledgement take two
// exchanges, so it is sent again after three, and what fits goes at once.
func (c *Carrier) Pace() mesh.Pace {
	e := c.o.Every
	return mesh.Pace{Tick: max(e/100, 10*time.Millisecond), Note: max(e/100, time.Millisecond), Resend: 3 * e, Slowest: 12 * e, Patience: 30 * e, Ahead: 8}
}

// Close implements [mesh.Carrier].
func (c *Carrier) Close() error {
	c.once.Do(func() { close(c.done) })
	return nil
}

func trouble(err error) error {
	return ws.Errorf(ws.Other, "mesh/folder", ws.T("an exchange folder cannot be read or written", "无法读写交换文件夹")).
		WithHint(ws.T("check that both folders are there and belong to the node", "请确认两个文件夹均存在且属于该节点")).Wrap(err)
}
