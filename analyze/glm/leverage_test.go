package glm_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// scans counts how often rows are read: once a round.
type scans struct {
	frame.Source
	n atomic.Int64
}

func (s *scans) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	s.n.Add(1)
	return s.Source.Scan(ctx, q)
}

// fitted fits a model over rows dealt to some sites, and gives the rounds.
func fitted(t *testing.T, rows *table.Table, a study.Analysis, sites int, pol policy.Policy) (rounds int64, err error) {
	t.Helper()
	a.ID = "fit"
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "leverage"},
		Data: study.Data{Dataset: "rows"}, Analyses: []study.Analysis{a}}
	parts := map[ws.SiteID]frame.Source{}
	first := &scans{}
	for i := range sites {
		var deal []int
		for r := i; r < rows.Rows(); r += sites {
			deal = append(deal, r)
		}
		parts[ws.SiteID(fmt.Sprintf("s%d", i))] = rows.Select(deal)
	}
	first.Source = parts["s0"]
	parts["s0"] = first
	_, err = analyzetest.Play(t, analyze.Catalog{glm.Method()}, s, parts, pol)
	return first.n.Load(), err
}

// The largest leverage of a fit is R's: a limit below it refuses the fit, one at
// it does not, and neither takes a round more than none.
func TestGLM_Leverage(t *testing.T) {
	for _, a := range answers(t) {
		t.Run(a.Name, func(t *testing.T) {
			analysis := a.analysis()
			analysis.Method = "glm"
			rows := rowsOf(t, a)
			free, err := fitted(t, rows, analysis, 1, policy.Public())
			if err != nil {
				t.Fatal(err)
			}
			for _, sites := range []int{1, 3} {
				pol := policy.Public()
				pol.MaxLeverage = a.Leverage
				rounds, err := fitted(t, rows, analysis, sites, pol)
				if err != nil {
					t.Errorf("%d sites: a limit of just the largest leverage: %v", sites, err)
				}
				want := free
				if a.Name == "poisson-identity" {
					want++ // its last step but one is none, and that before moves the weights: see nearly
				}
				if rounds != want {
					t.Errorf("%d sites: %d rounds, without a limit %d", sites, rounds, free)
				}
				pol.MaxLeverage = a.Leverage / 1.002
				if _, err := fitted(t, rows, analysis, sites, pol); ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "max_leverage") {
					t.Errorf("%d sites: a limit of less than the largest leverage: %v", sites, err)
				}
			}
		})
	}
}

// Of two columns that nearly agree, one person's difference is all that their
// coefficients tell, though it stands out in neither.
func TestGLM_Isolates(t *testing.T) {
	rows := made(t, "x,z,y,ill,n", 240, func(i int) string {
		x := 100 * noise(i, 1)
		z := x + noise(i, 2)
		if i == 77 {
			x, z = 30, 60
		}
		return fmt.Sprintf("%.4f,%.4f,%.4f,%d,%d", x, z, x+10*noise(i, 3), i%2, i%4)
	})
	for _, a := range []study.Analysis{
		{Method: "glm", Formula: "y ~ x + z", Family: "gaussian"},
		{Method: "glm", Formula: "ill ~ x + z", Family: "binomial"},
		{Method: "glm", Formula: "ill ~ x + z", Family: "binomial", Link: "probit"},
		{Method: "glm", Formula: "n ~ x + z", Family: "poisson"},
	} {
		for _, sites := range []int{3, 5} {
			_, err := fitted(t, rows, a, sites, policy.Default())
			if ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "max_leverage") || strings.ContainsAny(err.Error(), "0123456789") {
				t.Errorf("%s %s, %d sites: %v", a.Formula, a.Link, sites, err)
			}
			lax := policy.Default()
			lax.MaxLeverage = 1
			for _, pol := range []policy.Policy{lax, policy.Public()} {
				if _, err := fitted(t, rows, a, sites, pol); err != nil {
					t.Errorf("%s %s, %d sites, no limit of leverage: %v", a.Formula, a.Link, sites, err)
				}
			}
			a.Formula = strings.Replace(a.Formula, "x + z", "x", 1)
			if _, err := fitted(t, rows, a, sites, policy.Default()); err != nil {
				t.Errorf("%s %s, %d sites: %v", a.Formula, a.Link, sites, err)
			}
			a.Formula = strings.Replace(a.Formula, "x", "x + z", 1)
		}
	}
}

// Ordinary models of real rows are within the default limit.
func TestGLM_LeverageReal(t *testing.T) {
	lung := csvtest.Read(t, csvtest.Shared(t, "data/survival-r/lung.csv"), analyze.SiteColumn)
	bmt := csvtest.Read(t, "../../cmd/wellspring/testdata/bmt/bmt.csv", analyze.SiteColumn)
	for _, c := range []struct {
		name string
		rows *table.Table
		a    study.Analysis
	}{
		{"heart", heart(t), study.Analysis{Formula: modelA, Family: "binomial"}},
		{"heart", heart(t), study.Analysis{Formula: modelB, Family: "binomial"}},
		{"heart", heart(t), study.Analysis{Formula: "thalach ~ age * sex + factor(cp) + oldpeak + exang"}},
		{"heart", heart(t), study.Analysis{Formula: "num ~ age * factor(sex)", Family: "poisson"}},
		{"cnsim", cnsim(t), study.Analysis{Formula: "LAB_HDL ~ LAB_TSC + factor(GENDER) + PM_BMI_CONTINUOUS"}},
		{"cnsim", cnsim(t), study.Analysis{Formula: "DIS_DIAB ~ factor(GENDER) + PM_BMI_CONTINUOUS + LAB_TSC + LAB_HDL", Family: "binomial"}},
		{"lung", lung, study.Analysis{Formula: "ph.karno ~ age * factor(sex) + ph.ecog"}},
		{"lung", lung, study.Analysis{Formula: "I(status - 1) ~ age + sex + ph.karno", Family: "binomial"}},
		{"bmt", bmt, study.Analysis{Formula: "d3 ~ factor(group) + z1 + z2", Family: "binomial"}},
		{"bmt", bmt, study.Analysis{Formula: "z1 ~ z2 + factor(group)"}},
	} {
		c.a.Method = "glm"
		if _, err := fitted(t, c.rows, c.a, 4, policy.Default()); err != nil {
			t.Errorf("%s: %s: %v", c.name, c.a.Formula, err)
		}
	}
}
