package attack

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// A Strategy is studies that one asker asks one after the other, drawn from a grammar that
// knows the rules and the target.
type Strategy []*study.Study

// Draw makes a strategy of 2 to 6 studies, which depends on the seed alone.
//
//	study    = filter, method
//	filter   = part, and perhaps the target added to it or taken out of it
//	part     = all, a test, a test and another, one or another, or the former one again, or its complement
//	test     = age or bmi against a bound near the target's, one ward or more, a sex
//	method   = describe of hdl and hiv, plain or by sex or ward; crosstab of hiv with sex or ward;
//	           glm of hdl or hiv on terms of sex, ward, age, bmi and comparisons; quantiles of hdl
func Draw(seed uint64, q Quasi) Strategy {
	g := grammar{rng: rand.New(rand.NewPCG(seed, 6)), q: q}
	var out Strategy
	for range 2 + g.rng.IntN(5) {
		where := g.filter()
		out = append(out, Question(where, g.method()))
	}
	return out
}

type grammar struct {
	rng    *rand.Rand
	q      Quasi
	former []string
}

// one picks one of several.
func (g *grammar) one(of ...string) string { return of[g.rng.IntN(len(of))] }

func (g *grammar) filter() string {
	part := g.part()
	g.former = append(g.former, part)
	switch g.rng.IntN(4) {
	case 0:
		return g.join(part, "and", not(g.q.where()))
	case 1:
		return g.join(part, "or", g.q.where())
	}
	return part
}

func (g *grammar) join(a, op, b string) string {
	switch {
	case a == "" && op == "and":
		return b
	case a == "":
		return ""
	}
	return fmt.Sprintf("(%s) %s %s", a, op, b)
}

func (g *grammar) part() string {
	if n := len(g.former); n > 0 && g.rng.IntN(2) == 0 {
		before := g.former[g.rng.IntN(n)]
		if before != "" && g.rng.IntN(3) == 0 {
			return "not (" + before + ")"
		}
		return before
	}
	switch g.rng.IntN(5) {
	case 0:
		return ""
	case 1:
		return g.join(g.test(), "and", g.test())
	case 2:
		return g.join(g.test(), "or", g.test())
	}
	return g.test()
}

func (g *grammar) test() string {
	switch g.rng.IntN(4) {
	case 0:
		return fmt.Sprintf("age %s %d", g.one("<", "<=", ">", ">="), g.q.Age-2+g.rng.IntN(5))
	case 1:
		return fmt.Sprintf("bmi %s %.1f", g.one("<", "<=", ">", ">="), g.q.BMI+0.1*float64(g.rng.IntN(5)-2))
	case 2:
		return fmt.Sprintf("sex = '%s'", g.one(Dictionary[1].Levels...))
	}
	wards := []string{g.one(Dictionary[2].Levels...)}
	for _, w := range Dictionary[2].Levels {
		if w != wards[0] && g.rng.IntN(3) == 0 {
			wards = append(wards, w)
		}
	}
	return "ward in ('" + strings.Join(wards, "', '") + "')"
}

func (g *grammar) method() study.Analysis {
	switch g.rng.IntN(6) {
	case 0:
		return crosstab("hiv", g.one("sex", "ward"))
	case 1:
		return study.Analysis{Method: "quantile", Variables: []string{"hdl"}, Probs: []float64{0.25, 0.5, 0.75}}
	case 2:
		terms := []string{"sex", "ward", "age", "bmi", fmt.Sprintf("I(age >= %d)", g.q.Age+g.rng.IntN(2)), fmt.Sprintf("I(bmi > %.1f)", g.q.BMI-0.1*float64(g.rng.IntN(2)))}
		g.rng.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
		return gaussian(g.one("hdl", "hiv") + " ~ " + strings.Join(terms[:1+g.rng.IntN(3)], " + "))
	}
	return describe(g.one("", "", "sex", "ward"), "hdl", "hiv")
}

// A Guess is what the solver makes of a strategy's answers; nil where it finds nothing.
type Guess struct {
	HDL *float64
	HIV *bool
	// There says whether somebody is in the table who is as the target is known to be.
	There *bool
}

// Tally counts what came of strategies.
type Tally struct {
	Strategies int `json:"strategies"`
	Studies    int `json:"studies"`
	Answered   int `json:"answered"`
	// Values, Bits and Members are how many strategies found the value, the bit, and whether the target is there.
	Values  int `json:"values"`
	Bits    int `json:"bits"`
	Members int `json:"members"`
	// Wrong are findings that were not so: a mistake of the solver.
	Wrong int `json:"wrong"`
	// First is the first strategy, from 1, that found the value; 0 where none did.
	First int `json:"first"`
	// Near counts replies that a question is as good as asked before: the one bit that the
	// guard tells.
	Near int `json:"near"`
	// Told compares whether the target was there with each thing that a transcript shows.
	Told [signs]Sign `json:"told"`
	// Seeds are of strategies that found anything, at most ten.
	Seeds []uint64 `json:"seeds"`
}

// A Sign is how often a transcript showed something, with the target there and without.
type Sign struct {
	With    int `json:"with"` // strategies with the target there
	Without int `json:"without"`
	Shown   int `json:"shown"` // of With, with the sign
	Away    int `json:"away"`  // of Without, with the sign
}

// signs of a transcript: any refusal, a refusal of the last, an even number of refusals, any of "asked before", and whether
// anything was left out of an answer.
const signs = 5

// Fuzz plays strategies from to to − 1. Each asker is another, so that a network may be one for all.
// Networks are with hiv 0 and 1, and with the target there and not, for fair coins: at [there][hiv].
func Fuzz(ctx context.Context, nets [2][2]Target, w World, from, to uint64) (Tally, error) {
	var t Tally
	s := newSolver(w)
	for seed := from; seed < to; seed++ {
		coin := rand.New(rand.NewPCG(seed, 2))
		there, hiv := coin.IntN(2), coin.IntN(2)
		answers, err := s.play(ctx, nets[there][hiv], ws.Institution(fmt.Sprintf("u%d", seed)), Draw(seed, w.Target.quasi()))
		if err != nil {
			return t, err
		}
		t.add(seed, answers, s.solve(answers, there == 1), w.Target, there == 1, hiv == 1)
	}
	return t, nil
}

// An answer is what an asker has of one study.
type answer struct {
	study   *study.Study
	doc     *study.Document
	refused error
}

func (s *solver) play(ctx context.Context, net Target, asker ws.Institution, all Strategy) (out []answer, err error) {
	for _, q := range all {
		doc, err := net.Ask(ctx, asker, q)
		switch ws.KindOf(err) {
		case ws.Invalid, ws.Denied, ws.Withheld:
			out = append(out, answer{q, nil, err})
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, answer{q, doc, nil})
	}
	return out, nil
}

func (t *Tally) add(seed uint64, all []answer, g Guess, target Person, there, hiv bool) {
	t.Strategies++
	t.Studies += len(all)
	var shows [signs]bool
	refused := 0
	for i, a := range all {
		switch {
		case a.doc != nil:
			t.Answered++
			for _, r := range a.doc.All() {
				shows[4] = shows[4] || len(r.Suppressed) > 0
			}
			continue
		case strings.Contains(a.refused.Error(), "asked before"):
			t.Near++
			shows[3] = true
		}
		refused++
		shows[1] = shows[1] || i == len(all)-1
	}
	shows[0], shows[2] = refused > 0, refused%2 == 0
	for i, shown := range shows {
		t.Told[i].add(shown, there)
	}
	found := false
	count := func(into *int, given, right bool) {
		if given && right {
			*into++
			found = true
		} else if given {
			t.Wrong++
		}
	}
	if there {
		count(&t.Values, g.HDL != nil, g.HDL != nil && math.Abs(*g.HDL-target.HDL) <= Tolerance*target.HDL)
		count(&t.Bits, g.HIV != nil, g.HIV != nil && *g.HIV == hiv)
	}
	if t.Values > 0 && t.First == 0 {
		t.First = t.Strategies
	}
	count(&t.Members, g.There != nil, g.There != nil && *g.There == there)
	if found && len(t.Seeds) < 10 {
		t.Seeds = append(t.Seeds, seed)
	}
}

func (s *Sign) add(shown, there bool) {
	if there {
		s.With++
	} else {
		s.Without++
	}
	if shown && there {
		s.Shown++
	} else if shown {
		s.Away++
	}
}

// Join adds the tallies of more strategies.
func (t *Tally) Join(o Tally) {
	if t.First == 0 && o.First > 0 {
		t.First = t.Strategies + o.First
	}
	t.Strategies, t.Studies, t.Answered = t.Strategies+o.Strategies, t.Studies+o.Studies, t.Answered+o.Answered
	t.Values, t.Bits, t.Members, t.Wrong, t.Near = t.Values+o.Values, t.Bits+o.Bits, t.Members+o.Members, t.Wrong+o.Wrong, t.Near+o.Near
	for i, s := range o.Told {
		a := &t.Told[i]
		a.With, a.Without, a.Shown, a.Away = a.With+s.With, a.Without+s.Without, a.Shown+s.Shown, a.Away+s.Away
	}
	t.Seeds = append(t.Seeds, o.Seeds...)
	t.Seeds = t.Seeds[:min(len(t.Seeds), 10)]
}

// An Advantage is how much more often than a coin somebody is right about whether the target is in the table, from 0 to 1,
// with an interval of 95 % over all that were tried at one time (Bonferroni).
type Advantage struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// Best is the best attacker's advantage on membership: of the solver that guesses by coin where it finds nothing, and of
// those who guess by one sign alone, either way.
func (t Tally) Best() Advantage {
	const z = 2.8376 // two-sided 0.05/11: the solver, and five signs either way
	n := float64(t.Strategies)
	best := wilson((n+float64(t.Members))/2, n, z)
	for _, s := range t.Told {
		right := float64(s.Shown + s.Without - s.Away)
		for _, r := range []float64{right, n - right} {
			if a := wilson(r, n, z); a.Estimate > best.Estimate {
				best = a
			}
		}
	}
	return best
}

// Rate is a share of strategies with an interval of 95 %.
func (t Tally) Rate(found int) Advantage {
	a := wilson(float64(found), float64(t.Strategies), 1.959964)
	return Advantage{(a.Estimate + 1) / 2, (a.Low + 1) / 2, (a.High + 1) / 2}
}

// wilson gives 2p − 1 with the interval of E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
// Inference", JASA 22, 1927, doi:10.1080/01621459.1927.10502953, for p.
func wilson(right, n, z float64) Advantage {
	p := right / n
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Advantage{2*p - 1, 2*(mid-half) - 1, 2*(mid+half) - 1}
}
