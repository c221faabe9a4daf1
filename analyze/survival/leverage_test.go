package survival_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// twins adds two columns that nearly agree but in one person, and returns the
// largest leverage in the two, about their means.
func twins(t *testing.T, rows *table.Table) (*table.Table, float64) {
	t.Helper()
	n := rows.Rows()
	x, z := make([]float64, n), make([]float64, n)
	for i := range n {
		x[i] = float64(i * 37 % 101)
		z[i] = x[i] + float64(i*53%97)/40
	}
	x[77], z[77] = 30, 60
	for name, v := range map[string][]float64{"x": x, "z": z} {
		var err error
		if rows, err = rows.With(frame.Column{Name: name, Type: frame.Real, Min: 0, Max: 200}, frame.Values{Real: v}); err != nil {
			t.Fatal(err)
		}
	}
	mx, mz := mean(x), mean(z)
	var xx, xz, zz float64
	for i := range n {
		xx, xz, zz = xx+(x[i]-mx)*(x[i]-mx), xz+(x[i]-mx)*(z[i]-mz), zz+(z[i]-mz)*(z[i]-mz)
	}
	most := 0.0
	for i := range n {
		dx, dz := x[i]-mx, z[i]-mz
		most = math.Max(most, (zz*dx*dx-2*xz*dx*dz+xx*dz*dz)/(xx*zz-xz*xz))
	}
	return rows, most
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// dealt fits a Cox model over rows dealt to four sites.
func dealt(t *testing.T, rows *table.Table, formula string, pol policy.Policy) error {
	t.Helper()
	site := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor, Levels: []string{"s0", "s1", "s2", "s3"}}
	parts := map[ws.SiteID]frame.Source{}
	for i, name := range site.Levels {
		var deal []int
		for r := i; r < rows.Rows(); r += len(site.Levels) {
			deal = append(deal, r)
		}
		part, err := rows.Select(deal).With(site, frame.Values{Code: slices.Repeat([]int32{int32(i)}, len(deal))})
		if err != nil {
			t.Fatal(err)
		}
		parts[ws.SiteID(name)] = part
	}
	a := analysis("cox", formula)
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "leverage"},
		Data: study.Data{Dataset: "rows"}, Analysis: &a}
	_, err := analyzetest.Play(t, analyze.Catalog{method("cox")}, s, parts, pol)
	return err
}

// On every axis and within sites a model is refused whose columns together set
// one person apart, at just the limit; so it is by default.
func TestCox_Leverage(t *testing.T) {
	rows, most := twins(t, made(t))
	if !(most > 0.6 && most < 1) {
		t.Fatalf("the largest leverage is %v: the test tests little", most)
	}
	seldom := make([]float64, rows.Rows())
	for i := range seldom {
		seldom[i] = float64(i%7) / 10
	}
	seldom[78] = 100
	rows, err := rows.With(frame.Column{Name: "seldom", Type: frame.Real, Min: -1, Max: 200}, frame.Values{Real: seldom})
	if err != nil {
		t.Fatal(err)
	}
	lax := policy.Public()
	if err := dealt(t, rows, "Surv(months, died) ~ seldom", lax); err != nil {
		t.Error(err)
	}
	lax.MaxLeverage = 0.5
	if err := dealt(t, rows, "Surv(months, died) ~ seldom", lax); ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "max_leverage") {
		t.Errorf("one column: %v", err)
	}
	exact, grid := policy.Public(), policy.Public()
	grid.Leaves = nil
	ordinary := policy.Default()
	wide := policy.Default()
	wide.Leaves, wide.MaxScalars = []policy.Leaf{policy.ExactTimes}, 1e300
	for name, pol := range map[string]policy.Policy{"exact": exact, "grid": grid, "default": ordinary, "exact, default": wide} {
		for _, strata := range []string{"", " + strata(site)", " + strata(sex)"} {
			for _, formula := range []string{"Surv(months, died) ~ x + z", "Surv(months, died) ~ x + offset(z / 100) + z"} {
				where := fmt.Sprintf("%s, %s%s", name, formula, strata)
				pol.MaxLeverage = most
				if err := dealt(t, rows, formula+strata, pol); err != nil {
					t.Errorf("%s: a limit of the largest leverage: %v", where, err)
				}
				for _, limit := range []float64{most / 1.00001, policy.Default().MaxLeverage} {
					pol.MaxLeverage = limit
					err := dealt(t, rows, formula+strata, pol)
					if ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "max_leverage") {
						t.Errorf("%s: a limit of %v: %v", where, limit, err)
					}
				}
				pol.MaxLeverage = 0.1 // of one column it is judged where no other limit does it
				if err := dealt(t, rows, strings.Replace(formula, " + z", "", 1)+strata, pol); err != nil {
					t.Errorf("%s: without z: %v", where, err)
				}
			}
		}
	}
}
