package siege_test

import (
	"errors"
	"path/filepath"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/site"
	"wellspring/site/book"
	"wellspring/site/rehearsal/siege"
)

var catalog = analyze.Catalog{describe.Describe(), describe.Quantile(), compare.Crosstab(), glm.Method()}

// open makes a network whose sites, where they are guarded, have books.
func open(t *testing.T) attack.Open {
	return func(w attack.World, p policy.Policy, guarded bool) (attack.Target, func() error, error) {
		if !guarded {
			n, err := siege.New(w, p, catalog, nil)
			return n, func() error { return nil }, err
		}
		dir, books := t.TempDir(), map[ws.SiteID]*book.Book{}
		for _, name := range siege.Names {
			b, err := book.Open(filepath.Join(dir, string(name)+".db"))
			if err != nil {
				return nil, nil, err
			}
			books[name] = b
		}
		n, err := siege.New(w, p, catalog, func(at ws.SiteID, asker ws.Institution, run string, version int) site.Memory {
			return books[at].Run(run, at, book.Group{Asker: asker, Dataset: attack.Dataset}, version)
		})
		return n, func() (err error) {
			for _, b := range books {
				err = errors.Join(err, b.Close())
			}
			return err
		}, err
	}
}

// Every attack succeeds with the guard off, and with it on none but those that say which limit lets them.
func TestAttacks(t *testing.T) {
	for _, a := range attack.All() {
		t.Run(a.ID, func(t *testing.T) {
			_, err := attack.Run(t.Context(), []attack.Attack{a}, open(t), func(l attack.Line) {
				t.Logf("off %+v, on %+v", l.Off, l.On)
				if !l.Off.Succeeds {
					t.Error("it fails with the guard off")
				}
				if l.On.Succeeds != (l.Limit != nil) {
					t.Errorf("with the guard on: succeeds %v, known limit %v", l.On.Succeeds, l.Limit)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
