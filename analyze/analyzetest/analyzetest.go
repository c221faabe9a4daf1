package analyzetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// A Case is one study on one table.
type Case struct {
	Name     string
	Analysis study.Analysis
	Rows     *table.Table
	Where    string
	// Policy is policy.Public() where nil.
	Policy *policy.Policy
	// Tolerance is the largest |federated − pooled| / max(|pooled|, std_error);
	// 1e-9, the class of exactness, where 0.
	Tolerance float64
	// SitesMatter says that the answer depends on the partition, as one
	// stratified by site does: partitions are then compared among runs of the
	// same partition only, in another order and with other workers.
	SitesMatter bool
}

// Run holds a method to its promises on every case.
func Run(t *testing.T, m analyze.Method, cases ...Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.Tolerance == 0 {
				c.Tolerance = 1e-9
			}
			s := c.study()
			cat := analyze.Catalog{m}
			pooled, seeds := c.Pooled(t, m), uint64(6)
			if testing.Short() { // for the race detector, which sees the same code
				seeds = 2
			}
			for seed := uint64(1); seed <= seeds; seed++ {
				sites := 2 + int(seed)%6
				parts := Partition(c.Rows, sites, seed)
				got := play(t, cat, s, parts, c.policy(), 1+int(seed)%3, seed%2 == 0)
				if !c.SitesMatter {
					Same(t, fmt.Sprintf("seed %d, %d sites", seed, sites), got.results[0], pooled, c.Tolerance)
				}
				again := play(t, cat, s, parts, c.policy(), 2, true) // sites come in another order, that of a map
				if !bytes.Equal(got.bytes, again.bytes) {
					t.Errorf("seed %d: order of sites, workers or restarts changed the bytes", seed)
				}
			}
			institutions(t, m, c, pooled)
			golden(t, m, c, s)
		})
	}
}

// Pooled runs a case on one site that holds all rows.
func (c Case) Pooled(t testing.TB, m analyze.Method) study.Result {
	t.Helper()
	pol := c.policy()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	p := play(t, analyze.Catalog{m}, c.study(), c.pooledParts(), pol, 1, false)
	return p.results[0]
}

// Answer runs one analysis on rows that are public and on one site.
func Answer(t testing.TB, m analyze.Method, rows *table.Table, a study.Analysis) study.Result {
	t.Helper()
	return Case{Analysis: a, Rows: rows}.Pooled(t, m)
}

// Opened runs a case on one site that holds all rows and gives what each round opens, block by block.
func (c Case) Opened(t testing.TB, m analyze.Method) []map[string][]float64 {
	t.Helper()
	pol := c.policy()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	r := &runner{t: t, catalog: analyze.Catalog{m}, study: c.study(), parts: c.pooledParts(), policy: pol, workers: 1}
	p, err := r.bind()
	if err == nil {
		err = r.run()
	}
	if err != nil {
		t.Fatal(c.Name, err)
	}
	var out []map[string][]float64
	for _, rd := range r.rounds {
		shape, err := p.Ask(rd.state)
		if err != nil {
			t.Fatal(c.Name, err)
		}
		blocks, sum := map[string][]float64{}, stat.Sum{Shape: shape, Ring: rd.sum, Sites: 1}
		for _, b := range shape {
			blocks[b.Name] = sum.Reals(b.Name)
		}
		out = append(out, blocks)
	}
	return out
}

// Refusal runs one analysis on one public site and returns the error that it
// must end with.
func Refusal(t testing.TB, m analyze.Method, c Case) error {
	t.Helper()
	pol := c.policy()
	pol.FewInstitutions, pol.MinInstitutions = true, 1
	r := &runner{t: t, catalog: analyze.Catalog{m}, study: c.study(),
		parts: c.pooledParts(), policy: pol, workers: 1}
	if err := r.run(); err != nil {
		return err
	}
	t.Fatalf("%s: no error", c.Name)
	return nil
}

// pooledParts is the whole table at one site; it keeps a site column of its own.
func (c Case) pooledParts() map[ws.SiteID]frame.Source {
	if _, ok := c.Rows.Dictionary().Lookup(analyze.SiteColumn); ok {
		return map[ws.SiteID]frame.Source{"pooled": c.Rows}
	}
	return map[ws.SiteID]frame.Source{"pooled": withSite(c.Rows, 0, []ws.SiteID{"pooled"})}
}

// Play runs a study over sites, each with the same policy, and returns its
// results or the error that ended it.
func Play(t testing.TB, c analyze.Catalog, s *study.Study, parts map[ws.SiteID]frame.Source, pol policy.Policy) ([]study.Result, error) {
	results, _, err := PlayRounds(t, c, s, parts, pol)
	return results, err
}

// PlayRounds is Play that tells the number of sums, too.
func PlayRounds(t testing.TB, c analyze.Catalog, s *study.Study, parts map[ws.SiteID]frame.Source, pol policy.Policy) ([]study.Result, int, error) {
	r := &runner{t: t, catalog: c, study: s.WithDefaults(), parts: parts, policy: pol, workers: 2}
	err := r.run()
	return r.results, len(r.rounds), err
}

// PlayCast is Play with institutions that have several sites, or one that
// conducts.
func PlayCast(t testing.TB, c analyze.Catalog, s *study.Study, parts map[ws.SiteID]frame.Source, pol policy.Policy, cast Cast) ([]study.Result, error) {
	r := &runner{t: t, catalog: c, study: s.WithDefaults(), parts: parts, policy: pol, cast: cast, workers: 2}
	err := r.run()
	return r.results, err
}

func (c Case) policy() policy.Policy {
	if c.Policy != nil {
		return *c.Policy
	}
	return policy.Public()
}

func (c Case) study() *study.Study {
	a := c.Analysis
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "conformance"},
		Data: study.Data{Dataset: "rows", Where: c.Where}, Analysis: &a}
	return s.WithDefaults()
}

// Partition deals the rows of a table to the given number of sites by a seed:
// the first site gets none, the second one or two rows, the others the rest in
// unequal parts.
func Partition(rows *table.Table, sites int, seed uint64) map[ws.SiteID]frame.Source {
	r := rand.New(rand.NewPCG(seed, 1))
	deal := make([][]int, sites)
	for i := range rows.Rows() {
		k := 0
		switch {
		case sites == 2:
			k = r.IntN(2)
		case len(deal[1]) < 1 && i == rows.Rows()/2:
			k = 1
		default:
			k = 2 + int(float64(sites-2)*math.Pow(r.Float64(), 1.5))
		}
		deal[k] = append(deal[k], i)
	}
	names := make([]ws.SiteID, sites)
	for k := range names {
		names[k] = ws.SiteID(fmt.Sprintf("site%d", k))
	}
	out := make(map[ws.SiteID]frame.Source, sites)
	for k, part := range deal {
		out[names[k]] = withSite(rows.Select(part), k, names)
	}
	return out
}

// withSite gives a table the column that names its rows' site.
func withSite(rows *table.Table, k int, names []ws.SiteID) frame.Source {
	column := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor}
	for _, n := range names {
		column.Levels = append(column.Levels, string(n))
	}
	out, err := rows.With(column, frame.Values{Code: slices.Repeat([]int32{int32(k)}, rows.Rows())})
	if err != nil {
		panic(err) // a column that was just made fits its own table
	}
	return out
}

// Same fails unless two results agree: numbers to the tolerance, relative to
// the larger of the wanted value and its standard error; all else exactly.
func Same(t testing.TB, what string, got, want study.Result, tolerance float64) {
	t.Helper()
	for _, part := range []struct {
		name      string
		got, want []study.Row
	}{{"tidy", got.Tidy, want.Tidy}, {"summary", got.Summary, want.Summary}, {"glance", []study.Row{got.Glance}, []study.Row{want.Glance}}} {
		if len(part.got) != len(part.want) {
			t.Errorf("%s: %s has %d rows, want %d", what, part.name, len(part.got), len(part.want))
			continue
		}
		for i := range part.want {
			sameRow(t, fmt.Sprintf("%s: %s %d", what, part.name, i), part.got[i], part.want[i], tolerance)
		}
	}
}

func sameRow(t testing.TB, what string, got, want study.Row, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: fields differ: %v, want %v", what, got, want)
		return
	}
	scale := want.Float("std_error")
	for i, w := range want {
		g := got[i]
		a, isNumber := number(g.Value)
		b, wantsNumber := number(w.Value)
		switch {
		case g.Name != w.Name:
			t.Errorf("%s: field %s, want %s", what, g.Name, w.Name)
		case isNumber && wantsNumber:
			if !near(a, b, scale, tolerance) {
				t.Errorf("%s: %s = %v, want %v", what, g.Name, a, b)
			}
		case g.Value != w.Value:
			t.Errorf("%s: %s = %v, want %v", what, g.Name, g.Value, w.Value)
		}
	}
}

// number reads a numeric field; a whole float64 that went through JSON has come
// back as an int64.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	}
	return 0, false
}

func near(a, b, scale, tolerance float64) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	if !(scale > 0) {
		scale = 0
	}
	return math.Abs(a-b) <= tolerance*math.Max(math.Max(math.Abs(b), scale), 1e-12)
}

// A played run ended with results; bytes are their JSON, and rounds its record.
type played struct {
	results []study.Result
	bytes   []byte
	rounds  []round
}

// A round is the state that was asked, and the sum that was opened.
type round struct {
	state analyze.State
	sum   stat.Ring
}

func play(t testing.TB, c analyze.Catalog, s *study.Study, parts map[ws.SiteID]frame.Source, pol policy.Policy, workers int, restart bool) played {
	t.Helper()
	r := &runner{t: t, catalog: c, study: s, parts: parts, policy: pol, workers: workers, restart: restart}
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r.results)
	if err != nil {
		t.Fatal(err)
	}
	return played{r.results, b, r.rounds}
}
