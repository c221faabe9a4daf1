// Package siege is a network of four hospitals in one process, under the attacks of package attack.
//
// Start from [Open], which rehearses every step of the protocol, or from [OpenPlain], which leaves the masks out for
// the sake of many strategies; [Fuzz] plays these.
package siege

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/site"
	"wellspring/site/book"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

// hospitals are those of a world.
var hospitals = [attack.Hospitals]ws.SiteID{"alder", "birch", "cedar", "dogwood"}

// A Network is four hospitals that have a world's rows, under one policy.
type Network struct {
	catalog analyze.Catalog
	policy  policy.Policy
	world   attack.World
	tables  []*table.Table
	version [attack.Hospitals]int
	dir     string
	books   []*book.Book // none where nobody is held to earlier answers
}

var _ attack.Target = (*Network)(nil)

// Open gives an [attack.Open] of networks whose methods are those of a catalog; where they are guarded their sites remember.
func Open(c analyze.Catalog) attack.Open {
	return func(w attack.World, p policy.Policy, guarded bool) (attack.Target, func() error, error) {
		n, err := newNetwork(w, p, c, guarded)
		if err != nil {
			return nil, nil, err
		}
		return n, n.close, nil
	}
}

func newNetwork(w attack.World, p policy.Policy, c analyze.Catalog, guarded bool) (*Network, error) {
	tables, err := w.Tables()
	if err != nil {
		return nil, err
	}
	n := &Network{catalog: c, policy: p, world: w, tables: tables, version: [attack.Hospitals]int{1, 1, 1, 1}}
	if !guarded {
		return n, nil
	}
	if n.dir, err = os.MkdirTemp("", "wellspring-attack-"); err != nil {
		return nil, ws.Errorf(ws.Other, "attack", ws.T("no temporary folder can be made", "无法创建临时文件夹")).Wrap(err)
	}
	for _, name := range hospitals {
		b, err := book.Open(filepath.Join(n.dir, string(name)+".db"))
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		n.books = append(n.books, b)
	}
	return n, nil
}

func (n *Network) close() (err error) {
	for _, b := range n.books {
		err = errors.Join(err, b.Close())
	}
	if n.dir != "" {
		err = errors.Join(err, os.RemoveAll(n.dir))
	}
	return err
}

// Ask implements [attack.Target].
func (n *Network) Ask(ctx context.Context, asker ws.Institution, s *study.Study) (*study.Document, error) {
	out, err := rehearsal.Run(ctx, s, n.sites(asker), rehearsal.Options{Catalog: n.catalog})
	if err != nil {
		return nil, err
	}
	return out.Document, nil
}

func (n *Network) sites(asker ws.Institution) (out []rehearsal.Site) {
	for i, t := range n.tables {
		s := rehearsal.Site{ID: hospitals[i], Rows: t, Policy: n.policy}
		if version := n.version[i]; n.books != nil {
			s.Memory = func(run string) site.Memory {
				return n.books[i].Run(run, s.ID, book.Group{Asker: asker, Dataset: attack.Dataset}, version)
			}
		}
		out = append(out, s)
	}
	return out
}

// NextVersion implements [attack.Target].
func (n *Network) NextVersion(context.Context) error {
	n.world = n.world.Without()
	tables, err := n.world.Tables()
	if err != nil {
		return err
	}
	for i := range tables {
		if tables[i].Rows() != n.tables[i].Rows() {
			n.version[i]++
		}
	}
	n.tables = tables
	return nil
}
