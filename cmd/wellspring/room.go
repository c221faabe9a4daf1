package main

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/post/conduct"
	socket "wellspring/site/console"
	"wellspring/site/events"
	"wellspring/site/vitals"
)

// A room is the disk of a node's folder, and how much of it must be free for a new run: what
// is under way is brought to its end while there is still something left.
type room struct {
	dir   string
	least uint64 // bytes
}

// defaultLeast is what must be free where nobody says.
const defaultLeast = 256 << 20

var sizeUnits = map[string]uint64{"MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// roomFlag is how much of the disk must be free for a new run.
func roomFlag(f *flagSet) *uint64 {
	least := new(uint64)
	*least = defaultLeast
	f.Func("min-free", "", func(v string) error {
		n, err := uint64(0), strconv.ErrSyntax
		if len(v) > 3 {
			n, err = strconv.ParseUint(v[:len(v)-3], 10, 64)
		}
		unit := sizeUnits[strings.TrimLeft(v, "0123456789")]
		if err != nil || unit == 0 || n > math.MaxUint64/unit {
			f.wrong = usage(ws.T("--min-free wants a size such as 256MiB, 4GiB or 1TiB", "--min-free 须为大小，如 256MiB、4GiB 或 1TiB"))
			return nil
		}
		*least = n * unit
		return nil
	})
	f.about = append(f.about, flagHelp{"--min-free SIZE", ws.T("how much of the disk must be free for a new run; default 256MiB", "开始新的计算所需的磁盘剩余空间；默认 256MiB")})
	return least
}

// check refuses a new run where too little is free; a disk of which nothing is known refuses none.
func (r room) check() error {
	free, _, err := disk.Free(r.dir)
	if err != nil || free >= r.least {
		return nil
	}
	return ws.Errorf(ws.Unreachable, "disk", ws.T("the disk of this node is nearly full: it begins no new run", "本节点磁盘将满：不再开始新的计算")).
		WithHint(ws.T("make room on the disk of the node's folder; what is under way goes on", "请为节点文件夹所在磁盘腾出空间；进行中的计算照常继续"))
}

// watch tells when the room comes to an end, and when there is enough again.
func (r room) watch(log *eventLog) func(context.Context) error {
	return func(ctx context.Context) error {
		clock := time.NewTicker(5 * time.Second)
		defer clock.Stop()
		for low := false; ; {
			if now := r.check() != nil; now != low {
				if low = now; low {
					log.Write(events.DiskLow())
				} else {
					log.Write(events.DiskEnough())
				}
			}
			select {
			case <-clock.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// vitals is what every node shows.
func (r room) vitals(role string, link *mesh.Link, l ledger.Ledger, pass mesh.Pass, desk func() *conduct.Desk) vitals.Node {
	return vitals.Node{Role: role, Letters: link.Counts, Height: func() ledger.Height { return l.State().Height() },
		Disk:   func() (uint64, uint64, error) { return disk.Free(r.dir) },
		Runs:   map[string]func() int{"conducting": func() int { return desk().Conducting() }},
		Expiry: map[string]func() time.Time{"authority": pass.Expiry}}
}

// conduct conducts runs while there is room.
func (r room) conduct(next func(context.Context, socket.Task) (*socket.Answer, error)) func(context.Context, socket.Task) (*socket.Answer, error) {
	return func(ctx context.Context, t socket.Task) (*socket.Answer, error) {
		if err := r.check(); err != nil {
			return nil, err
		}
		return next(ctx, t)
	}
}
