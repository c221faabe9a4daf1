package policy

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
)

func TestStrictest(t *testing.T) {
	a, b := Default(), Public()
	b.MinCell = 20
	got := Strictest(a, b)
	if got.MinCell != 20 || got.MinInstitutions != 3 || got.FewInstitutions || got.SiteResults != RefuseSite || len(got.Leaves) != 0 {
		t.Errorf("Strictest = %+v", got)
	}
	c := Public()
	c.SiteResults = CodedSite
	if got := Strictest(Public(), c).SiteResults; got != CodedSite {
		t.Errorf("coded and named give %s, want coded", got)
	}
	if got := Strictest(c, Default()).SiteResults; got != RefuseSite {
		t.Errorf("coded and refuse give %s, want refuse", got)
	}
	marked := Public()
	marked.Review = MarkedOnly
	all := Public()
	all.Review = ReviewAll
	for _, got := range []Review{Strictest(marked, all).Review, Strictest(all, marked, Public()).Review} {
		if got != ReviewAll {
			t.Errorf("marked and all give %s, want all", got)
		}
	}
	if got := Strictest(marked, Default()).Review; got != MarkedOnly {
		t.Errorf("marked and none give %s, want marked", got)
	}
}

// Of two policies that differ in one key the stricter holds, in either order;
// public rows have no limit, and the defaults no less than one.
// Of review the default is no limit either, so it is taken from a policy that asks for it.
func TestStrictest_EveryKey(t *testing.T) {
	strict := Default()
	strict.Review = ReviewAll
	for i := range reflect.TypeFor[Policy]().NumField() {
		one := Public()
		reflect.ValueOf(&one).Elem().Field(i).Set(reflect.ValueOf(strict).Field(i))
		name := reflect.TypeFor[Policy]().Field(i).Name
		if reflect.DeepEqual(one, Public()) {
			t.Errorf("%s is no stricter than for public rows", name)
		}
		for _, got := range []Policy{Strictest(Public(), one), Strictest(one, Public())} {
			if !reflect.DeepEqual(got, one) {
				t.Errorf("%s: the strictest is %+v, want %+v", name, got, one)
			}
		}
	}
	for _, p := range []Policy{Default(), Public()} {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// A policy that was kept before a limit existed has that limit's default, and
// one that is whole comes back as it was.
func TestPolicy_JSON(t *testing.T) {
	want := Default()
	want.MinCell, want.Leaves, want.SiteResults = 1, []Leaf{ExactTimes}, NamedSite
	want.MaxInfluence = 1
	old := `{"min_cell":1,"min_institutions":3,"max_parameters":0.3333333333333333,"max_scalars":0.3333333333333333,
		"max_influence":1,"leaves":["exact_times"],"site_results":"named","few_institutions":false}`
	var got Policy
	if err := json.Unmarshal([]byte(old), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("an old policy = %+v, %v, want %+v", got, err, want)
	}
	for _, p := range []Policy{Default(), Public()} {
		b, err := json.Marshal(p)
		var got Policy
		if err := errors.Join(err, json.Unmarshal(b, &got)); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s = %+v, %v", b, got, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"min_cell":"ten"}`), &got); err == nil {
		t.Error("a word was read as a number")
	}
}

func TestParse(t *testing.T) {
	p, err := Parse([]byte("min_cell: 5\nleaves: [exact_times]\n"), "policy.yaml")
	if err != nil || p.MinCell != 5 || !p.Grants(ExactTimes) || p.MinInstitutions != 3 {
		t.Errorf("Parse = %+v, %v", p, err)
	}
	for _, bad := range []string{"min_cel: 5", "min_sites: 3", "min_cell: 0", "leaves: [rows]", "site_results: maybe", "max_parameters: 2", "max_influence: .nan",
		"max_share: 0", "max_share: 1.1", "max_leverage: 0", "max_leverage: 2", "max_levels: 0", "zero_cells: maybe", "max_level_density: 0", "max_level_density: 1.5", "max_string: 0", "review: maybe"} {
		if _, err := Parse([]byte(bad), "policy.yaml"); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v, want an error of kind invalid", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("min_cell: 5\nleaves: [exact_times]\n"))
	f.Add([]byte("&a [*a, *a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Parse(b, "f"); err == nil && p.Validate() != nil {
			t.Errorf("%q was read as a policy that is not valid", b)
		}
	})
}

func TestJudgements(t *testing.T) {
	d, p := Default(), Public()
	for _, c := range []struct {
		name string
		err  error
		want ws.Kind
	}{
		{"nobody", d.Rows("x", 0, 0), ws.Withheld},
		{"nobody, in public", p.Rows("x", 0, 0), ws.Invalid},
		{"nine", d.Rows("x", 9, 3), ws.Withheld},
		{"two institutions", d.Rows("x", 100, 2), ws.Withheld},
		{"34 parameters of 100 rows", d.Parameters("x", 34, 100), ws.Withheld},
		{"a third and one of the cells", d.Scalars("x", 34, 10, 10), ws.Withheld},
		{"exact times", d.Granted("x", ExactTimes), ws.Denied},
		{"a sum over two institutions", d.Institutions("x", 2), ws.Denied},
	} {
		if got := ws.KindOf(c.err); c.err == nil || got != c.want {
			t.Errorf("%s: %v, want kind %v", c.name, c.err, c.want)
		}
	}
	for name, err := range map[string]error{
		"ten at three": d.Rows("x", 10, 3), "33 of 100": d.Parameters("x", 33, 100), "33 of 100 cells": d.Scalars("x", 33, 10, 10),
		"public one": p.Rows("x", 1, 1), "public times": p.Granted("x", ExactTimes), "public institution": p.Institutions("x", 1),
		"public, and only the conductor's own institution": p.Rows("x", 1, 0),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContributors(t *testing.T) {
	for _, c := range []struct {
		conductor string
		of        string
		want      int
	}{{"centre", "a b c", 3}, {"centre", "a b b", 2}, {"b", "a b c", 2}, {"b", "a b b c", 2}, {"a", "a a", 0}, {"centre", "", 0}} {
		var of []ws.Institution
		for _, i := range strings.Fields(c.of) {
			of = append(of, ws.Institution(i))
		}
		if got := Contributors(ws.Institution(c.conductor), of); got != c.want {
			t.Errorf("%s conducts %q: %d contributors, want %d", c.conductor, c.of, got, c.want)
		}
	}
}

// Whoever knows the total and all shown cells must be left with at least k
// persons in those that are hidden, if any are.
func TestHiddenCells(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := Default()
	for range 20000 {
		n, sites := cells(r)
		hidden := p.HiddenCells(n, sites, nil)
		var rest, total int64
		some := 0
		for i := range n {
			total += n[i]
			if !hidden[i] && p.Hidden(n[i], sites[i]) {
				t.Fatalf("cell %d of %v from %v sites is shown", i, n, sites)
			}
			if hidden[i] {
				some++
				rest += n[i]
			}
		}
		if some > 0 && total >= 2*p.MinCell && rest < p.MinCell && slices.ContainsFunc(n, func(x int64) bool { return x >= p.MinCell }) {
			t.Fatalf("%v: only %d persons are hidden", n, rest)
		}
	}
}

// Nobody is like one where a limit holds and empty cells are hidden, but where nobody can be; a cell alone that is
// hidden, with whoever or nobody in it, takes another with it.
func TestFew(t *testing.T) {
	show, free := Default(), Public()
	show.ZeroCells, free.ZeroCells = ShowZeros, HideZeros
	for _, c := range []struct {
		p    Policy
		n    int64
		void bool
		want bool
	}{{Default(), 0, false, true}, {Default(), 1, false, true}, {Default(), 9, false, true}, {Default(), 10, false, false},
		{Default(), 0, true, false}, {show, 0, false, false}, {show, 1, false, true}, {free, 0, false, false}, {Public(), 0, false, false}} {
		if got := c.p.Few(c.n, c.p.MinInstitutions, c.void); got != c.want {
			t.Errorf("%d, void %v: %v", c.n, c.void, got)
		}
	}
	sites := []int64{3, 3, 3}
	for n := range int64(10) {
		if got := Default().HiddenCells([]int64{n, 40, 50}, sites, nil); !slices.Equal(got, []bool{true, true, false}) {
			t.Errorf("%d persons: hidden %v", n, got)
		}
	}
	if got := Default().HiddenCells([]int64{0, 40, 50}, sites, []bool{true, false, false}); slices.Contains(got, true) {
		t.Errorf("where nobody can be: hidden %v", got)
	}
}

func TestMergeCells(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := Default()
	for range 20000 {
		n, sites := cells(r)
		for i := range sites {
			sites[i] = 3
		}
		var total, merged int64
		for _, x := range n {
			total += x
		}
		at := 0
		for _, m := range p.MergeCells(n, sites) {
			if m.From != at || m.To <= m.From {
				t.Fatalf("%v: cells are not in order: %+v", n, m)
			}
			at = m.To
			merged += m.Count
			if p.Hidden(m.Count, 3) && total >= p.MinCell {
				t.Fatalf("%v: a cell of %d is shown", n, m.Count)
			}
		}
		if at != len(n) || merged != total {
			t.Fatalf("%v: %d of %d persons, %d of %d cells", n, merged, total, at, len(n))
		}
	}
}

func cells(r *rand.Rand) (n, sites []int64) {
	for range 1 + r.IntN(8) {
		n = append(n, r.Int64N(25)*r.Int64N(2))
		sites = append(sites, 2+r.Int64N(3))
	}
	return n, sites
}

// The documented file lists every key with its default.
func TestParse_Documented(t *testing.T) {
	b, err := os.ReadFile("../docs/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(b, "policy.yaml")
	if err != nil || !reflect.DeepEqual(p, Default()) {
		t.Errorf("docs/policy.yaml = %+v, %v; want the defaults", p, err)
	}
	for i := range reflect.TypeFor[Policy]().NumField() {
		if key := reflect.TypeFor[Policy]().Field(i).Tag.Get("json"); !strings.Contains(string(b), "\n"+key+": ") {
			t.Errorf("docs/policy.yaml lacks %s", key)
		}
	}
	few, err := Parse([]byte("few_institutions: true"), "policy.yaml")
	if err != nil || few.MinInstitutions != 1 {
		t.Errorf("few_institutions alone = %+v, %v; want min_institutions 1", few, err)
	}
}
