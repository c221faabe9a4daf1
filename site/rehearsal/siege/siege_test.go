package siege_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
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

// fuzz plays strategies against a network in each of four states of the target.
func fuzz(t *testing.T, p policy.Policy, guarded bool, strategies uint64) attack.Tally {
	t.Helper()
	var nets [2][2]attack.Target
	for there := range nets {
		for hiv := range nets[there] {
			w := attack.NewWorld(1, hiv == 1)
			if there == 0 {
				w = w.Without()
			}
			n, done, err := open(t)(w, p, guarded)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := done(); err != nil {
					t.Error(err)
				}
			}()
			nets[there][hiv] = &siege.Plain{Network: n.(*siege.Network)}
		}
	}
	out, err := attack.Fuzz(t.Context(), nets, attack.NewWorld(1, true), 0, strategies)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", out)
	return out
}

func TestFuzz(t *testing.T) {
	off := fuzz(t, policy.Public(), false, 100)
	if off.Values == 0 || off.Bits == 0 || off.Members == 0 || off.Wrong > 0 {
		t.Errorf("with the guard off: %+v", off)
	}
	on := fuzz(t, policy.Default(), true, 100)
	if on.Values+on.Bits+on.Members+on.Wrong > 0 {
		t.Errorf("with the guard on: %+v", on)
	}
}

// Without masks an asker is told the same, run by run.
func TestPlain(t *testing.T) {
	w := attack.NewWorld(3, true)
	a, closeA, err := open(t)(w, policy.Default(), true)
	if err != nil {
		t.Fatal(err)
	}
	b, closeB, err := open(t)(w, policy.Default(), true)
	if err != nil {
		t.Fatal(err)
	}
	plain := &siege.Plain{Network: b.(*siege.Network)}
	run := regexp.MustCompile("in run [a-z0-9-]+|a site: ")
	answered, refused := 0, 0
	for seed := range uint64(12) {
		for _, q := range attack.Draw(seed, w.Knows(policy.Default()).Target) {
			asker := ws.Institution(fmt.Sprint("u", seed))
			one, err1 := a.Ask(t.Context(), asker, q)
			two, err2 := plain.Ask(t.Context(), asker, q)
			if (err1 == nil) != (err2 == nil) || ws.KindOf(err1) != ws.KindOf(err2) {
				t.Fatalf("%s: %v, %v", q.Data.Where, err1, err2)
			}
			if err1 != nil {
				refused++
				if x, y := run.ReplaceAllString(err1.Error(), ""), run.ReplaceAllString(err2.Error(), ""); x != y {
					t.Errorf("%q, %q", x, y)
				}
				continue
			}
			answered++
			x, _ := json.Marshal(one.All())
			if y, _ := json.Marshal(two.All()); !bytes.Equal(x, y) || one.Rounds != two.Rounds {
				t.Errorf("%s: %s, %s", q.Data.Where, x, y)
			}
		}
	}
	if answered == 0 || refused == 0 {
		t.Errorf("%d answered, %d refused: the test compares nothing", answered, refused)
	}
	if err := errors.Join(closeA(), closeB()); err != nil {
		t.Error(err)
	}
}
