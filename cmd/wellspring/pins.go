package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/ledger"
)

// Pins are the fingerprints of peers that people here have compared out of
// band. The file may change while the node runs.
type pins struct {
	path string
	mu   sync.Mutex
	read time.Time // the file's time when it was read
	size int64
	by   map[ws.SiteID]ledger.KeyID
}

func (d folder) pins() *pins { return &pins{path: d.path(pinsName)} }

// Pinned gives a peer's fingerprint; false where none was compared, or the file cannot be read.
func (p *pins) Pinned(id ws.SiteID) (ledger.KeyID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.load() != nil {
		return ledger.KeyID{}, false
	}
	k, ok := p.by[id]
	return k, ok
}

// load reads the file where it changed; the caller holds mu.
func (p *pins) load() error {
	info, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		p.by, p.read = map[ws.SiteID]ledger.KeyID{}, time.Time{}
		return nil
	}
	if err != nil {
		return folderTrouble(err)
	}
	if p.by != nil && info.ModTime().Equal(p.read) && info.Size() == p.size {
		return nil
	}
	by := map[ws.SiteID]ledger.KeyID{}
	if err := readJSONFile(p.path, &by); err != nil {
		return err
	}
	p.by, p.read, p.size = by, info.ModTime(), info.Size()
	return nil
}

// sitePeers lists the other sites, with their fingerprints.
func sitePeers(_ context.Context, args []string, c *console) error {
	f := flags("site peers --dir DIR", c)
	d, s, err := siteDir(f, args, 0)
	if err != nil {
		return err
	}
	state, err := d.state()
	if err != nil {
		return err
	}
	own := d.pins()
	for id, rec := range state.Sites() {
		if id == s.Site || rec.Ended || rec.Institution == hubInstitution {
			continue
		}
		pin, pinned := own.Pinned(id)
		mark := ws.T("not compared", "未核对")
		switch {
		case pinned && pin == rec.Key.ID():
			mark = ws.T("pinned", "已固定")
		case pinned:
			mark = ws.T("ANOTHER KEY than was pinned", "密钥与所固定的不同")
		}
		fmt.Fprintf(c.out, "%s  %s  %s\n  %s\n", id, rec.Institution, mark.In(c.lang), fingerprint(rec.Key.ID()))
	}
	return nil
}

// sitePin says that a peer's fingerprint was compared.
func sitePin(_ context.Context, args []string, c *console) error {
	f := flags("site pin PEER FINGERPRINT --dir DIR", c)
	d, _, err := siteDir(f, args, 2)
	if err != nil {
		return err
	}
	peer := ws.SiteID(f.Arg(0))
	h, err := parseFingerprint(f.Arg(1))
	if err != nil {
		return err
	}
	state, err := d.state()
	if err != nil {
		return err
	}
	rec, known := state.Site(peer)
	switch {
	case !known:
		return ws.Errorf(ws.Invalid, "", ws.T("the ledger here knows no such site", "此处账本中没有该站点")).
			WithHint(ws.T("see: wellspring site peers --dir %s; the site must have run once", "参见：wellspring site peers --dir %s；站点须至少运行过一次", string(d)))
	case rec.Key.ID() != h:
		return ws.Errorf(ws.Diverged, "", ws.T("the ledger gives site %s another key than this fingerprint's", "账本中站点 %s 的密钥与该指纹不符", peer)).
			WithHint(ws.T("do not pin it; ask its people again, and then the operator", "请勿固定；请再次询问对方，然后询问运营方"))
	}
	p := d.pins()
	if err := p.load(); err != nil {
		return err
	}
	p.by[peer] = h
	if err := d.writeJSON(pinsName, p.by); err != nil {
		return err
	}
	c.say(ws.T("the key of site %s is pinned", "站点 %s 的密钥已固定", peer))
	return nil
}
