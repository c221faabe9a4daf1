package survival_test

import (
	"testing"

	"wellspring/analyze/analyzetest"
	"wellspring/policy"
	"wellspring/study"
)

// grouped is the policy of a dataset that grants no exact times.
func grouped() *policy.Policy {
	p := policy.Public()
	p.Leaves = nil
	return &p
}

// strict is grouped with a limit of k persons.
func strict(k int64) *policy.Policy {
	p := grouped()
	p.MinCell = k
	return p
}

// exactly grants exact times under a limit of k persons.
func exactly(k int64) *policy.Policy {
	p := policy.Public()
	p.MinCell = k
	return &p
}

func analysis(method, formula string) study.Analysis {
	return study.Analysis{Method: method, Formula: formula}
}

func TestCox_Loop(t *testing.T) {
	rows := made(t)
	breslow := analysis("cox", "Surv(months, died) ~ age + arm + strata(hospital)")
	breslow.Ties = "breslow"
	analyzetest.Run(t, method("cox"),
		analyzetest.Case{Name: "efron", Rows: rows, Analysis: analysis("cox", "Surv(months, died) ~ age * arm + log(marker + 1)")},
		analyzetest.Case{Name: "breslow", Rows: rows, Analysis: breslow},
		analyzetest.Case{Name: "entry", Rows: rows, Analysis: analysis("cox", "Surv(entry, months, died) ~ age + arm + offset(logexposure)")},
		analyzetest.Case{Name: "filter", Rows: rows, Where: "age > 50", Analysis: analysis("cox", "Surv(days, died) ~ sex + arm")},
		analyzetest.Case{Name: "site", Rows: rows, SitesMatter: true, Analysis: analysis("cox", "Surv(months, died) ~ age + strata(site)")},
		analyzetest.Case{Name: "grid", Rows: rows, Policy: grouped(), Analysis: analysis("cox", "Surv(months, died) ~ age + arm")},
		analyzetest.Case{Name: "limit", Rows: rows, Policy: strict(10), Analysis: analysis("cox", "Surv(entry, days, died) ~ age + sex")},
		analyzetest.Case{Name: "joined", Rows: rows, Policy: strict(10), Analysis: analysis("cox", "Surv(days, died) ~ age + strata(hospital)")},
		analyzetest.Case{Name: "exact-limit", Rows: rows, Policy: exactly(5), Analysis: analysis("cox", "Surv(months, died) ~ age + arm + strata(sex)")},
		analyzetest.Case{Name: "units-comparisons", Rows: rows, Policy: exactly(5), Analysis: analysis("cox", "Surv(months/12, died == 1) ~ age + I(arm == 'high')")})
}

func TestKM_Loop(t *testing.T) {
	rows := made(t)
	analyzetest.Run(t, method("km"),
		analyzetest.Case{Name: "all", Rows: rows, Analysis: analysis("km", "Surv(days, died) ~ 1")},
		analyzetest.Case{Name: "groups", Rows: rows, Analysis: analysis("km", "Surv(entry, months, died) ~ arm + sex")},
		analyzetest.Case{Name: "grid", Rows: rows, Policy: grouped(), Analysis: analysis("km", "Surv(days, died) ~ arm")},
		analyzetest.Case{Name: "limit", Rows: rows, Policy: strict(10), Analysis: analysis("km", "Surv(days, died) ~ arm")},
		analyzetest.Case{Name: "exact-limit", Rows: rows, Policy: exactly(10), Analysis: analysis("km", "Surv(days, died) ~ arm")})
}

func TestLogRank_Loop(t *testing.T) {
	rows := made(t)
	rho := analysis("logrank", "Surv(months, died) ~ arm + strata(sex)")
	rho.Rho = 1
	analyzetest.Run(t, method("logrank"),
		analyzetest.Case{Name: "plain", Rows: rows, Analysis: analysis("logrank", "Surv(days, died) ~ hospital")},
		analyzetest.Case{Name: "rho", Rows: rows, Analysis: rho},
		analyzetest.Case{Name: "site", Rows: rows, SitesMatter: true, Analysis: analysis("logrank", "Surv(days, died) ~ sex + strata(site)")},
		analyzetest.Case{Name: "grid", Rows: rows, Policy: grouped(), Analysis: analysis("logrank", "Surv(days, died) ~ arm")},
		analyzetest.Case{Name: "limit", Rows: rows, Policy: strict(10), Analysis: analysis("logrank", "Surv(days, died) ~ arm")},
		analyzetest.Case{Name: "joined", Rows: rows, Policy: strict(10), Analysis: analysis("logrank", "Surv(days, died) ~ sex + strata(hospital)")},
		analyzetest.Case{Name: "exact-limit", Rows: rows, Policy: exactly(10), Analysis: analysis("logrank", "Surv(days, died) ~ arm")})
}
