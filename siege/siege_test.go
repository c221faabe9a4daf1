package siege_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/analyze/survival"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/siege"
)

var catalog = analyze.Catalog{describe.Describe(), describe.Quantile(), compare.Crosstab(), glm.Method(), survival.KM()}

// Every attack succeeds with the guard off, and with it on none but those that say which limit lets them,
// or that they are open: whoever closes one says so there.
func TestAttacks(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred networks, for the race detector too many; TestPlain has two of each kind")
	}
	for _, a := range attack.All() {
		open := siege.Open(catalog)
		if a.Bit { // in many worlds
			open = siege.OpenPlain(catalog)
		}
		t.Run(a.ID, func(t *testing.T) {
			_, err := attack.Run(t.Context(), []attack.Attack{a}, open, func(l attack.Line) {
				t.Logf("off %+v, on %+v", l.Off, l.On)
				if !l.Off.Succeeds {
					t.Error("it fails with the guard off")
				}
				if l.On.Succeeds != (l.Limit != nil || l.Open) {
					t.Errorf("with the guard on: succeeds %v, known limit %v, open %v", l.On.Succeeds, l.Limit, l.Open)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// With the guard off random strategies find the target's value soon, with it on none finds anything.
func TestFuzz(t *testing.T) {
	if testing.Short() {
		t.Skip("two hundred strategies, for the race detector too many")
	}
	for _, guarded := range []bool{false, true} {
		p := policy.Public()
		if guarded {
			p = policy.Default()
		}
		got, err := siege.Fuzz(t.Context(), catalog, p, guarded, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", got)
		found, nothing := got.Values > 0 && got.Bits > 0 && got.Members > 0, got.Values+got.Bits+got.Members == 0
		if !guarded && !found || guarded && !nothing || got.Wrong > 0 {
			t.Errorf("guarded %v: %+v", guarded, got)
		}
	}
}

// Without masks an asker is told the same, run by run.
func TestPlain(t *testing.T) {
	w := attack.NewWorld(3, true)
	a, closeA, err := siege.Open(catalog)(w, policy.Default(), true)
	if err != nil {
		t.Fatal(err)
	}
	plain, closeB, err := siege.OpenPlain(catalog)(w, policy.Default(), true)
	if err != nil {
		t.Fatal(err)
	}
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
