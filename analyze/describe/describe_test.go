package describe_test

import (
	"math"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/describe"
	"wellspring/collect/csv"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

const patients = "../../cmd/wellspring/testdata/bmt/bmt.csv"

func rows(t testing.TB) *table.Table {
	t.Helper()
	d, err := csv.Infer([]string{patients}, csv.Options{Public: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range d {
		if d[i].Name == "z1" {
			d[i].Min, d[i].Max = 0, 100 // what R's hist was given
		}
	}
	out, err := csv.ReadTable(patients, d, csv.Options{Public: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// answers are R's; see testdata/answers.R.
type answers struct {
	Variables  []string      `json:"variables"`
	Probs      []float64     `json:"probs"`
	Mean       []float64     `json:"mean"`
	SD         []float64     `json:"sd"`
	MeanBy     [][]float64   `json:"mean_by"`
	SDBy       [][]float64   `json:"sd_by"`
	Quantile   [][]float64   `json:"quantile"`
	QuantileBy [][][]float64 `json:"quantile_by"`
	Hist       []int64       `json:"hist"`
}

func load(t *testing.T) (a answers) {
	t.Helper()
	csvtest.JSON(t, "testdata/answers.json", &a)
	return a
}

func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12*math.Max(math.Abs(want), 1) {
		t.Errorf("%s = %v, R says %v", what, got, want)
	}
}

func TestDescribe_R(t *testing.T) {
	a, data := load(t), rows(t)
	plain := analyzetest.Answer(t, describe.Describe(), data, study.Analysis{Method: "describe", Variables: a.Variables})
	by := analyzetest.Answer(t, describe.Describe(), data, study.Analysis{Method: "describe", Variables: a.Variables, By: "group"})
	for i, v := range a.Variables {
		same(t, v+" mean", plain.Tidy[i].Float("mean"), a.Mean[i])
		same(t, v+" sd", plain.Tidy[i].Float("sd"), a.SD[i])
		for g := range 3 {
			same(t, v+" mean by group", by.Tidy[3*i+g].Float("mean"), a.MeanBy[i][g])
			same(t, v+" sd by group", by.Tidy[3*i+g].Float("sd"), a.SDBy[i][g])
		}
	}
}

func TestQuantile_R(t *testing.T) {
	a, data := load(t), rows(t)
	plain := analyzetest.Answer(t, describe.Quantile(), data, study.Analysis{Method: "quantile", Variables: a.Variables, Probs: a.Probs})
	by := analyzetest.Answer(t, describe.Quantile(), data, study.Analysis{Method: "quantile", Variables: a.Variables, Probs: a.Probs, By: "group"})
	n := len(a.Probs)
	for i, v := range a.Variables {
		for j := range a.Probs {
			same(t, v+" quantile", plain.Tidy[n*i+j].Float("quantile"), a.Quantile[i][j])
			for g := range 3 {
				same(t, v+" quantile by group", by.Tidy[n*(3*i+g)+j].Float("quantile"), a.QuantileBy[i][g][j])
			}
		}
	}
}

func TestHistogram_R(t *testing.T) {
	a := load(t)
	got := analyzetest.Answer(t, describe.Describe(), rows(t), study.Analysis{Method: "describe", Variables: []string{"z1"}, Bins: len(a.Hist)})
	var all, want int64
	for _, r := range got.Summary {
		all += r.Get("count").(int64)
	}
	for i, c := range a.Hist {
		want += c
		if g := got.Summary[i].Get("count").(int64); g != c {
			t.Errorf("bin %d = %d, R says %d", i, g, c)
		}
	}
	if all != want {
		t.Errorf("bins hold %d, want %d", all, want)
	}
}

// A bin holds what lies above its lower edge and up to its upper one, as these are told: whoever filters by the edges has
// the same rows.
func TestHistogram_Edges(t *testing.T) {
	d := frame.Dictionary{{Name: "x", Type: frame.Real, Min: -0.3, Max: 0.8}, {Name: "n", Type: frame.Integer, Min: 0, Max: 30}}
	var x, n []float64
	for i := range 12 {
		x, n = append(x, -0.3+0.1*float64(i), float64(-3+i)/10), append(n, float64(2*i), float64(3*i-2))
	}
	n[1], n[len(n)-1] = 0, 30
	for i := range x {
		x[i] = math.Min(x[i], 0.8)
	}
	in, err := table.New(d, []frame.Values{{Real: x}, {Real: n}})
	if err != nil {
		t.Fatal(err)
	}
	for column, values := range map[string][]float64{"x": x, "n": n} {
		for bins := 1; bins < 40; bins++ {
			got := analyzetest.Answer(t, describe.Describe(), in, study.Analysis{Method: "describe", Variables: []string{column}, Bins: bins})
			if len(got.Summary) != bins {
				t.Fatalf("%d bins of %d", len(got.Summary), bins)
			}
			for i, r := range got.Summary {
				want := int64(0)
				for _, v := range values {
					if v <= r.Float("bin_high") && (i == 0 || v > r.Float("bin_low")) {
						want++
					}
				}
				if c := r.Get("count").(int64); c != want {
					t.Errorf("%s: bin %d of %d holds %d, by its edges %d", column, i, bins, c, want)
				}
			}
		}
	}
}

func TestConformance(t *testing.T) {
	data := rows(t)
	limited := policy.Default()
	limited.MinInstitutions, limited.FewInstitutions = 1, true
	analyzetest.Run(t, describe.Describe(),
		analyzetest.Case{Name: "plain", Rows: data, Analysis: study.Analysis{Method: "describe", Variables: []string{"z1", "z2", "t2"}}},
		analyzetest.Case{Name: "by", Rows: data, Analysis: study.Analysis{Method: "describe", Variables: []string{"z1", "t2"}, By: "group", Bins: 7}},
		analyzetest.Case{Name: "limited", Rows: data, Policy: &limited, Analysis: study.Analysis{Method: "describe", Variables: []string{"z1", "z2"}, By: "z3", Bins: 7}})
	analyzetest.Run(t, describe.Quantile(),
		analyzetest.Case{Name: "exact", Rows: data, Analysis: study.Analysis{Method: "quantile", Variables: []string{"z1", "t2"}, Probs: []float64{0, 0.1, 0.5, 1}}},
		analyzetest.Case{Name: "by", Rows: data, Analysis: study.Analysis{Method: "quantile", Variables: []string{"z7"}, By: "group", Probs: []float64{0.5}}},
		analyzetest.Case{Name: "limited", Rows: data, Policy: &limited, Analysis: study.Analysis{Method: "quantile", Variables: []string{"z1"}, Probs: []float64{0.5}}})
}

// Without the leaf, no quantile may be a patient's own value's bracket: each
// answer is the middle of a bracket with k patients at least.
func TestQuantile_Limited(t *testing.T) {
	data := rows(t)
	limited := policy.Default()
	got := analyzetest.Case{Name: "limited", Rows: data, Policy: &limited,
		Analysis: study.Analysis{Method: "quantile", Variables: []string{"z1"}, Probs: []float64{0.5}}}.Pooled(t, describe.Quantile())
	want := load(t).Quantile[0][4]
	if q := got.Tidy[0].Float("quantile"); q == want || math.Abs(q-want) > 5 {
		t.Errorf("limited median = %v, exact %v: want it near, not equal", q, want)
	}
	if len(got.Notes) == 0 {
		t.Error("no note says that the quantile is coarse")
	}
}

// Under limits the ends of a variable are not told: the quantiles of 0 and 1 are
// those that have k patients outside, whatever the outermost value is, and are
// no patient's own.
func TestQuantile_Ends(t *testing.T) {
	limited := policy.Default()
	limited.MaxScalars = 1e300
	n, k := 400, float64(limited.MinCell)
	ends := func(lowest, highest float64) (out []float64) {
		x := make([]float64, n)
		for i := range x {
			x[i] = 300 + float64(i)
		}
		x[0], x[n-1] = lowest, highest
		rows, err := table.New(frame.Dictionary{{Name: "x", Type: frame.Real, Min: 0, Max: 1000}}, []frame.Values{{Real: x}})
		if err != nil {
			t.Fatal(err)
		}
		got := analyzetest.Case{Rows: rows, Policy: &limited, Analysis: study.Analysis{Method: "quantile", Variables: []string{"x"},
			Probs: []float64{0, k / float64(n), 1 - k/float64(n), 1}}}.Pooled(t, describe.Quantile())
		for _, r := range got.Tidy {
			out = append(out, r.Float("quantile"))
		}
		return out
	}
	first := ends(300, 699)
	for _, c := range [][2]float64{{0, 1000}, {1, 700}, {300, 699}} {
		got := ends(c[0], c[1])
		if got[0] != got[1] || got[3] != got[2] {
			t.Errorf("ends %v: quantiles %v", c, got)
		}
		if !slices.Equal(got, first) || got[0] <= 302 || got[3] >= 697 {
			t.Errorf("ends %v: quantiles %v, with others %v", c, got, first)
		}
	}
}

func TestRefusals(t *testing.T) {
	data := rows(t)
	for name, c := range map[string]struct {
		m analyze.Method
		a study.Analysis
	}{
		"unknown column":     {describe.Describe(), study.Analysis{Method: "describe", Variables: []string{"z99"}}},
		"too many bins":      {describe.Describe(), study.Analysis{Method: "describe", Variables: []string{"z1"}, Bins: 1 << 20}},
		"by without levels":  {describe.Describe(), study.Analysis{Method: "describe", Variables: []string{"z1"}, By: "t2"}},
		"quantile, no level": {describe.Quantile(), study.Analysis{Method: "quantile", Variables: []string{"z99"}, Probs: []float64{0.5}}},
	} {
		if err := analyzetest.Refusal(t, c.m, analyzetest.Case{Name: name, Rows: data, Analysis: c.a}); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v, want an error of kind invalid", name, err)
		}
	}
}
