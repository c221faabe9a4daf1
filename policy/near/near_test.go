package near_test

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
)

var people = frame.Dictionary{
	{Name: "age", Type: frame.Integer, Min: 18, Max: 99, Required: true},
	{Name: "bmi", Type: frame.Real, Min: 10, Max: 60},
	{Name: "sex", Type: frame.Factor, Levels: []string{"F", "M"}, Required: true},
	{Name: "smoke", Type: frame.Factor, Levels: []string{"never", "now", "once"}, Other: true},
}

func rows(filter string) near.Definition { return near.Definition{Where: filter, Rows: filter} }

func TestImplied(t *testing.T) {
	for _, c := range []struct {
		one, other string
		want       bool
	}{
		{"", "", true},
		{"age > 65", "age >= 66", true}, // whole numbers
		{"bmi > 65", "bmi >= 66", true}, // none has so much
		{"bmi > 25", "bmi >= 25", false},
		{"age > 65", "age >= 65", false},
		{"not (age > 65)", "age <= 65", true},
		{"bmi > 25 or bmi <= 25", "", false}, // some lack it
		{"bmi > 25 or bmi <= 25", "bmi is not missing", true},
		{"age >= 18", "", true}, // all have one
		{"sex = 'F' or sex = 'M'", "", true},
		{"smoke in ('never', 'now', 'once')", "smoke is not missing", false}, // there are others
		{"sex = 'F' and age > 50 and bmi is not missing", "bmi >= 10 and sex != 'M' and age >= 51", true},
		{"bmi > age and bmi is not missing and smoke is not missing and smoke != 'now'", "bmi is not missing and smoke is not missing and not (smoke = 'now') and age < bmi", true},
		{"bmi > age", "bmi > age", true},
		{"bmi > age and sex = 'F'", "bmi > age and sex != 'M'", true},   // what both have need not be tried
		{"bmi > age", "age < bmi", true},                                // the parser's own spelling
		{"bmi > age or sex = 'F'", "bmi > age or not sex = 'M'", false}, // two columns against each other are not tried
		{"age > 20 and nobody = 1", "age > 20 and nobody = 1", false},
	} {
		if got := near.Implied(people, rows(c.one), near.Term{Definition: rows(c.other), Sign: 1}); got != c.want {
			t.Errorf("%q and %q: %v", c.one, c.other, got)
		}
	}
	other := near.Definition{Rows: "age > 20", Else: "I(age + bmi > 90): true"}
	if near.Implied(people, rows("age > 20"), near.Term{Definition: other, Sign: 1}) {
		t.Error("what no filter says is passed over")
	}
	if !near.Implied(people, other, near.Term{Definition: other, Sign: 1}) {
		t.Error("a cohort is not itself")
	}
}

func TestImplied_sums(t *testing.T) {
	all, men, women := rows(""), rows("sex = 'M'"), rows("sex = 'F'")
	if !near.Implied(people, women, near.Term{Definition: all, Sign: 1}, near.Term{Definition: men, Sign: -1}) {
		t.Error("who is no man is a woman here")
	}
	if !near.Implied(people, all, near.Term{Definition: men, Sign: 1}, near.Term{Definition: women, Sign: 1}) {
		t.Error("all are men and women")
	}
	if near.Implied(people, rows("smoke = 'never'"), near.Term{Definition: all, Sign: 1}, near.Term{Definition: rows("smoke != 'never'"), Sign: -1}) {
		t.Error("whether somebody smokes may be unknown")
	}
}

// Implied says no more than a trial of random rows.
func TestImplied_trial(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	parts := []string{"age > 40", "age <= 40", "age >= 41", "bmi > 25", "bmi <= 25", "bmi is missing", "sex = 'F'", "sex != 'F'", "smoke = 'now'", "smoke in ('now', 'once')", "smoke is not missing", "age between 30 and 40"}
	batch := randomRows(rng, 5000)
	names := []string{"age", "bmi", "sex", "smoke"}
	yes := 0
	for range 4000 {
		one, other := randomFilter(rng, parts), randomFilter(rng, parts)
		implied := near.Implied(people, rows(one), near.Term{Definition: rows(other), Sign: 1})
		f, _ := frame.ParseFilter(one, people)
		g, _ := frame.ParseFilter(other, people)
		a, b := f.Matcher(names), g.Matcher(names)
		same := true
		for r := range batch.Rows {
			same = same && a(batch, r) == b(batch, r)
		}
		if implied && !same {
			t.Fatalf("%q and %q differ in some row", one, other)
		}
		if implied {
			yes++
		}
		if same && !implied {
			t.Fatalf("%q and %q differ in none of %d rows", one, other, batch.Rows)
		}
	}
	if yes < 50 {
		t.Errorf("only %d pairs were the same", yes)
	}
}

func randomFilter(rng *rand.Rand, parts []string) string {
	out := parts[rng.IntN(len(parts))]
	for range rng.IntN(3) {
		out = "(" + out + ") " + []string{"and", "or"}[rng.IntN(2)] + " (" + parts[rng.IntN(len(parts))] + ")"
	}
	if rng.IntN(4) == 0 {
		return "not (" + out + ")"
	}
	return out
}

func randomRows(rng *rand.Rand, n int) frame.Batch {
	b := frame.Batch{Rows: n, Columns: make([]frame.Values, 4)}
	for range n {
		b.Columns[0].Real = append(b.Columns[0].Real, float64(18+rng.IntN(82)))
		bmi := 10 + 50*rng.Float64()
		if rng.IntN(5) == 0 {
			var zero float64
			bmi = zero / zero
		}
		b.Columns[1].Real = append(b.Columns[1].Real, bmi)
		b.Columns[2].Code = append(b.Columns[2].Code, int32(rng.IntN(2)))
		b.Columns[3].Code = append(b.Columns[3].Code, int32(rng.IntN(5)-1))
	}
	return b
}

// Distance is Σ|c − a ∓ b|, row by row.
func TestDistance(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var in [3][64]int
		var sets [3]*roaring.Bitmap
		for s := range sets {
			sets[s] = roaring.New()
			for r := range in[s] {
				if in[s][r] = rng.IntN(2); in[s][r] == 1 {
					sets[s].Add(uint32(r))
				}
			}
		}
		for sign := -1; sign <= 1; sign++ {
			want, least := 0, 0
			for r := range 64 {
				d := in[0][r] - in[1][r] - sign*in[2][r]
				least += d
				want += max(d, -d)
			}
			if got := near.Distance(sets[0], sets[1], sets[2], sign); got != uint64(want) {
				t.Fatalf("sign %d: %d, want %d", sign, got, want)
			}
			n := func(s int) uint64 { return sets[s].GetCardinality() }
			if got := near.Least(n(0), n(1), n(2), sign); got != uint64(max(least, -least)) || got > uint64(want) {
				t.Fatalf("least %d, want %d", got, least)
			}
		}
	}
}

var three = []ws.SiteID{"a", "b", "c"}

func cohort(run string, persons int64, filter string, reads ...string) near.Cohort {
	c := near.Cohort{Run: run, Persons: persons, Sites: three, Definition: rows(filter)}
	c.Reads = reads
	return c
}

func TestCandidates(t *testing.T) {
	p := policy.Default()
	earlier := []near.Cohort{
		cohort("all", 1000, "", "age", "bmi"),
		cohort("men", 480, "sex = 'M'", "age"),
		cohort("near", 995, "age < 97", "bmi"),
		cohort("other", 300, "age < 40", "smoke"),
	}
	moved := cohort("moved", 1003, "", "age")
	moved.Moved = true
	unknown := cohort("unknown", near.Unknown, "age < 98", "age")
	smokers, both := cohort("smokers", 995, "age < 97", "smoke"), cohort("both", 995, "age < 97", "age", "bmi")
	half, rest := cohort("half", 1000, "", "age"), cohort("rest", 1000, "", "bmi")
	for _, c := range []struct {
		what    string
		now     near.Cohort
		earlier []near.Cohort
		want    []near.Ask
	}{
		{"the same", cohort("", 1000, "", "age"), earlier[:2], nil},
		{"the same, of one column more", cohort("", 1000, "", "age", "bmi", "smoke"), earlier[:3], nil},
		{"the same, of a column more that few fewer have told", cohort("", 1000, "", "age", "bmi", "smoke"), []near.Cohort{earlier[0], smokers}, []near.Ask{{First: 1, Second: -1}}},
		{"the same, of columns that were told apart", cohort("", 1000, "", "age", "bmi", "smoke"), []near.Cohort{half, rest, both}, []near.Ask{{First: 2, Second: -1}}},
		{"few fewer", cohort("", 992, "age < 98", "bmi"), earlier, []near.Ask{{First: 0, Second: -1}, {First: 2, Second: -1}}},
		{"few fewer, of no column in common, but chosen", cohort("", 992, "age < 98", "smoke"), earlier[:1], []near.Ask{{First: 0, Second: -1}}},
		{"ten fewer", cohort("", 990, "age < 98", "bmi"), earlier[:1], []near.Ask{{First: 0, Second: -1, Far: true}}},
		{"ten fewer, of no column in common", cohort("", 990, "age < 98", "smoke"), earlier[:1], nil},
		{"ten fewer, counted", cohort("", 990, "age < 98", "smoke", near.Count), []near.Cohort{cohort("all", 1000, "", "age", near.Count)}, []near.Ask{{First: 0, Second: -1, Far: true}}},
		{"far, and none in common", cohort("", 500, "sex = 'F'", "age"), earlier[1:2], nil},
		{"who are no men", cohort("", 520, "sex = 'F'", "age"), earlier, []near.Ask{{First: 0, Second: -1, Far: true}}},
		{"all but men, and one, of another version", cohort("", 519, "sex = 'F' and age < 98", "age"), []near.Cohort{moved, earlier[1]}, []near.Ask{{First: 0, Second: 1, Sign: -1}}},
		{"as many, of whom none can be the same", cohort("", 480, "sex = 'F'", "age"), earlier[1:2], nil},
		{"another version", cohort("", 1000, "", "age"), []near.Cohort{moved}, []near.Ask{{First: 0, Second: -1}}},
		{"of unknown size", cohort("", 100, "age < 20", "age"), []near.Cohort{unknown}, []near.Ask{{First: 0, Second: -1}}},
	} {
		got, _, err := near.Candidates(p, people, three, []near.Cohort{c.now}, c.earlier)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%s: %v, %v", c.what, got, err)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.what, got, c.want)
			}
		}
	}
}

// gap is that of sites by how many of their rows differ.
func gap(institutions int64, rows ...int64) near.Gap {
	g := near.Gap{Sites: make([]int64, policy.Default().MinCell), Institutions: institutions}
	for _, n := range rows {
		if n = min(n, int64(len(g.Sites))); n > 0 {
			g.Sites[n-1]++
		}
	}
	return g
}

// From nobody to k−1 there is one reply, and it holds no digit.
func TestJudge(t *testing.T) {
	p := policy.Default()
	asks, now, earlier := []near.Ask{{Second: -1}}, []near.Cohort{cohort("", 100, "")}, []near.Cohort{cohort("once", 100, "")}
	var first string
	for n := int64(0); n <= 12; n++ {
		err := near.Judge(p, asks, []near.Gap{gap(3, n)}, now, earlier)
		if (err != nil) != (n < 10) || err != nil && !near.Replied(err) {
			t.Fatalf("%d persons: %v", n, err)
		}
		if n == 0 {
			first = err.Error()
		}
		if err != nil && err.Error() != first {
			t.Errorf("%d persons get another reply", n)
		}
	}
	if err := near.Judge(p, asks, []near.Gap{gap(2, 100)}, now, earlier); err == nil {
		t.Error("two institutions alone differ")
	}
}

// What a site's own rows leave of a difference is never between 1 and half of the limit.
func TestJudge_Lone(t *testing.T) {
	p := policy.Default()
	now, earlier := []near.Cohort{cohort("", 100, "")}, []near.Cohort{cohort("once", 80, "")}
	for _, c := range []struct {
		rows    []int64
		refused bool
	}{
		{[]int64{20}, false}, // that site knows it anyhow
		{[]int64{20, 1}, true},
		{[]int64{20, 2, 2}, true},
		{[]int64{20, 5}, false},
		{[]int64{20, 3, 2}, false},
		{[]int64{40, 30}, false},
	} {
		for _, far := range []bool{true, false} {
			err := near.Judge(p, []near.Ask{{Second: -1, Far: far}}, []near.Gap{gap(3, c.rows...)}, now, earlier)
			if near.Replied(err) != c.refused || (err != nil) != c.refused {
				t.Errorf("%v, far %v: %v", c.rows, far, err)
			}
		}
	}
	earlier[0].Moved = true // then the numbers of rows bound how many differ, and do not say whose
	if err := near.Judge(p, []near.Ask{{Second: -1}}, []near.Gap{gap(3, 20, 1)}, now, earlier); err != nil {
		t.Error(err)
	}
}

// Of a cohort that may be one of k−1 persons the reply does not say whether it is.
func TestJudge_Few(t *testing.T) {
	p := policy.Default()
	for persons, few := range map[int64]bool{10: true, 19: true, 20: false} {
		err := near.Judge(p, []near.Ask{{Second: -1}}, []near.Gap{gap(3, 1)}, []near.Cohort{cohort("", persons, "")}, []near.Cohort{cohort("once", 25, "")})
		if !near.Replied(err) || (err.Error() == near.Few().Error()) != few {
			t.Errorf("%d persons: %v", persons, err)
		}
	}
}
