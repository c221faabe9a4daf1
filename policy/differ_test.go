package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/study"
)

// sumOf makes a sum over sites such as a1, whose institution is its first letter.
func sumOf(conductor string, sites ...string) Sum {
	s := Sum{Conductor: ws.Institution(conductor)}
	for _, site := range sites {
		s.Parts = append(s.Parts, Part{ws.SiteID(site), ws.Institution(site[:1])})
	}
	return s
}

func TestDifferences(t *testing.T) {
	over := func(conductor string, sets ...string) (sums []Sum) {
		for _, set := range sets {
			sums = append(sums, sumOf(conductor, strings.Fields(set)...))
		}
		return sums
	}
	for _, c := range []struct {
		what  string
		least int
		sums  []Sum
		part  string // whose is told; "" for nobody
	}{
		{"one sum", 3, over("hub", "a b c"), ""},
		{"the same sites", 3, over("hub", "a b c d", "d c b a"), ""},
		{"one less", 3, over("hub", "a b c d", "a b c"), "d"},
		{"two less", 3, over("hub", "a b c d e", "a b c"), "d, e"},
		{"three less", 3, over("hub", "a b c d e f", "a b c"), ""},
		{"one for another", 3, over("hub", "a b c d", "a b c e"), "d, e"},
		{"one for two others", 3, over("hub", "a b c d", "a b c e f"), ""},
		{"three less, of whom one conducts", 3, over("d", "a b c d e f", "a b c"), "e, f"},
		{"who conducts leaves itself out", 3, over("d", "a b c d", "a b c"), "d"},
		{"one of an institution's two sites", 3, over("hub", "a1 a2 b c", "a1 b c"), "a"},
		{"three, all pairs far apart", 3, over("hub", "a b c d e f g", "a b c d", "d e f g"), "d"},
		{"three that join", 3, over("hub", "a b c d e f", "a b c", "d e f"), ""},
		{"a network that grows", 3, over("hub", "a b c", "a b c d e f", "a b c d e f g h i"), ""},
		{"one less, without limit", 1, over("hub", "a b c d", "a b c"), ""},
		{"two less, of whom two are enough", 2, over("hub", "a b c d e", "a b c"), ""},
		{"four less, of whom five are wanted", 5, over("hub", "a b c d e f g h i", "a b c d e"), "f, g, h, i"},
	} {
		err := Differences("open", c.least, c.sums...)
		switch {
		case c.part == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.part != "" && (ws.KindOf(err) != ws.Denied || !strings.Contains(err.Error(), "the part of "+c.part) || ws.HintOf(err).IsZero()):
			t.Errorf("%s: %v, want the part of %s", c.what, err, c.part)
		}
	}
}

// Of random sequences of one question's runs, of which those are answered that are
// not refused: no two differ by one or two institutions, and nothing that they add
// up to, in small multiples, is of so few. What is refused would have told: some
// multiples say it.
func TestDifferences_Sequences(t *testing.T) {
	luck := rand.New(rand.NewPCG(5, 6))
	answered, refused := 0, 0
	for range 200 {
		conductor := []string{"hub", "a"}[luck.IntN(2)]
		var sums []Sum
		for try := 0; try < 12 && len(sums) < 4; try++ {
			var sites []string
			for i := range 7 + luck.IntN(4) {
				for k := range 1 + i%2*luck.IntN(2) {
					if luck.IntN(3) > 0 {
						sites = append(sites, fmt.Sprintf("%c%d", 'a'+i, k))
					}
				}
			}
			if len(sums) > 0 && luck.IntN(2) == 0 { // near one that was answered
				sites = near(luck, sums[luck.IntN(len(sums))])
			}
			now := append(slices.Clone(sums), sumOf(conductor, sites...))
			if counted(now[len(now)-1:], []int{1}) < 3 {
				continue // refused before it comes to differences
			}
			told := tells(now)
			if err := Differences("open", 3, now...); err == nil {
				answered++
				if told != nil {
					t.Fatalf("answered, and %v of %v tell", told, now)
				}
				sums = now
			} else {
				refused++
				if told == nil {
					t.Fatalf("refused, and nothing is told: %v: %v", now, err)
				}
			}
		}
		for i := range sums {
			for j := range i {
				if n := counted([]Sum{sums[i], sums[j]}, []int{1, -1}); n == 1 || n == 2 {
					t.Fatalf("%v and %v differ by %d institutions", sums[i], sums[j], n)
				}
			}
		}
	}
	if answered < 200 || refused < 200 {
		t.Errorf("%d answered, %d refused: the test tries nothing", answered, refused)
	}
}

// near leaves out a few sites of a sum.
func near(luck *rand.Rand, s Sum) (sites []string) {
	for _, p := range s.Parts {
		if luck.IntN(4) > 0 {
			sites = append(sites, string(p.Site))
		}
	}
	return sites
}

// tells looks for multiples of sums that are of fewer than three institutions.
func tells(sums []Sum) []int {
	const most = 3
	by := make([]int, len(sums))
	for n := 0; ; n++ {
		rest := n
		for i := range by {
			by[i] = rest%(2*most+1) - most
			rest /= 2*most + 1
		}
		if rest > 0 {
			return nil
		}
		if c := counted(sums, by); c >= 0 && c < 3 {
			return by
		}
	}
}

// counted is of how many institutions a combination of sums is, without whom it
// does not count; −1 if it is nothing.
func counted(sums []Sum, by []int) int {
	entries, of := map[ws.SiteID]int{}, map[ws.SiteID]ws.Institution{}
	for i, s := range sums {
		for _, p := range s.Parts {
			entries[p.Site] += by[i]
			of[p.Site] = p.Institution
		}
	}
	institutions, any := map[ws.Institution]bool{}, false
	for site, x := range entries {
		if any = any || x != 0; x != 0 && of[site] != sums[0].Conductor {
			institutions[of[site]] = true
		}
	}
	if !any {
		return -1
	}
	return len(institutions)
}

// What would take too long to judge is refused.
func TestDifferences_Many(t *testing.T) {
	var sums []Sum
	for i := range 3 * maxSums {
		s := Sum{Conductor: "hub"}
		for site := range 1000 {
			if site/3%(3*maxSums) != i {
				s.Parts = append(s.Parts, Part{ws.SiteID(fmt.Sprint("s", site)), ws.Institution(fmt.Sprint("i", site))})
			}
		}
		sums = append(sums, s)
	}
	if err := Differences("open", 3, sums[:3]...); err != nil {
		t.Errorf("three sums over a thousand: %v", err)
	}
	if err := Differences("open", 3, sums...); ws.KindOf(err) != ws.Denied || !strings.Contains(err.Error(), "too many sets") {
		t.Errorf("%d sums: %v", len(sums), err)
	}
}

func TestLeast(t *testing.T) {
	few := Policy{MinInstitutions: 1}
	for _, c := range []struct {
		p    Policy
		want int
	}{{Default(), 3}, {Public(), 1}, {few, 3}, {Policy{MinInstitutions: 5}, 5}, {Policy{MinInstitutions: 2, FewInstitutions: true}, 2}} {
		if got := c.p.Least(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.p, got, c.want)
		}
	}
}

func TestSame(t *testing.T) {
	ask := func(text string) *study.Study {
		s, err := study.Parse([]byte(`{apiVersion: wellspring/v1, kind: Study, `+text+`}`), "study")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	model := ask(`metadata: {name: one}, data: {dataset: heart}, analysis: {method: glm, family: binomial, formula: "ill ~ age + bmi"}`)
	for what, text := range map[string]string{
		"itself":               `metadata: {name: one}, data: {dataset: heart}, analysis: {method: glm, family: binomial, formula: "ill ~ age + bmi"}`,
		"another name":         `metadata: {name: two, title: {en: Two}}, purpose: {duo: ["DUO:0000042"]}, data: {dataset: heart}, analysis: {method: glm, family: binomial, formula: "ill ~ age + bmi"}`,
		"another order":        `metadata: {name: two}, data: {dataset: heart}, analysis: {method: glm, family: binomial, formula: "ill ~ bmi + age + I(age^2)"}`,
		"a filter always true": `metadata: {name: two}, data: {dataset: heart, where: "age >= 0"}, analysis: {method: glm, family: binomial, formula: "ill ~ age + bmi"}`,
		"another level":        `metadata: {name: two}, data: {dataset: heart}, analysis: {method: glm, family: binomial, formula: "ill ~ age + bmi", conf_level: 0.9}`,
		"another method":       `metadata: {name: two}, data: {dataset: heart}, analysis: {method: glm, formula: "bmi ~ age + ill"}`,
		"weights":              `metadata: {name: two}, data: {dataset: heart}, analysis: {method: glm, formula: "bmi ~ age + ill", weights: one}`,
		"strata of the site":   `metadata: {name: two}, data: {dataset: heart}, analysis: {method: cox, formula: "Surv(bmi, ill) ~ age + strata(site)"}`,
		"one of several":       `metadata: {name: two}, data: {dataset: heart}, analyses: [{id: a, method: describe, variables: [age]}, {id: b, method: glm, family: binomial, formula: "ill ~ log(age) + bmi"}]`,
	} {
		if !Same(model, ask(text)) || !Same(ask(text), model) {
			t.Errorf("%s: another question", what)
		}
	}
	for what, text := range map[string]string{
		"another dataset": `metadata: {name: one}, data: {dataset: lung}, analysis: {method: glm, family: binomial, formula: "ill ~ age + bmi"}`,
		"another column":  `metadata: {name: one}, data: {dataset: heart}, analysis: {method: glm, family: binomial, formula: "ill ~ age"}`,
		"a description":   `metadata: {name: one}, data: {dataset: heart}, analysis: {method: describe, variables: [ill, age, bmi]}`,
	} {
		if Same(model, ask(text)) {
			t.Errorf("%s: the same question", what)
		}
	}
	ages := ask(`metadata: {name: one}, data: {dataset: heart}, analysis: {method: describe, variables: [age, bmi]}`)
	if !Same(ages, ask(`metadata: {name: two}, data: {dataset: heart}, analysis: {method: quantile, variables: [age], by: sex}`)) {
		t.Error("a variable of several, in groups: another question")
	}
	if !Same(ask(`metadata: {name: one}, data: {dataset: heart}, analysis: {method: crosstab, rows: sex, columns: ill}`),
		ask(`metadata: {name: one}, data: {dataset: heart}, analysis: {method: chisq, rows: ill, columns: sex}`)) {
		t.Error("a table on its side: another question")
	}
	box := ask(`metadata: {name: one}, data: {dataset: heart}, analysis: {method: crosstab, rows: sex, columns: ill, layers: ward}`)
	for text, same := range map[string]bool{
		"rows: ill, columns: ward, layers: sex": true, "rows: ward, columns: sex": true,
		"rows: ward, columns: age": false, "rows: age, columns: ill, layers: smokes": false,
	} {
		if Same(box, ask("metadata: {name: two}, data: {dataset: heart}, analysis: {method: crosstab, "+text+"}")) != same {
			t.Errorf("a table with layers and %s: the same question is %v", text, !same)
		}
	}
}

// The hint names the sites of the sums before, as many as can be read.
func TestDifferences_Hint(t *testing.T) {
	of := func(sites ...ws.SiteID) (s Sum) {
		for _, id := range sites {
			s.Parts = append(s.Parts, Part{Site: id, Institution: ws.Institution("inst-" + id)})
		}
		return s
	}
	err := Differences("open", 3, of("a", "b", "c", "d"), of("e", "d", "c", "b", "a"), of("a", "b", "c", "d", "e"))
	for l, want := range map[ws.Lang]string{ws.English: "the same sites as before (a,b,c,d,e), or over", ws.Chinese: "此前的站点（a,b,c,d,e）"} {
		if got := ws.HintOf(err).In(l); !strings.Contains(got, want) {
			t.Errorf("%q", got)
		}
	}
	var many []ws.SiteID
	for i := range 30 {
		many = append(many, ws.SiteID(fmt.Sprintf("s%02d", i)))
	}
	err = Differences("open", 3, of(many[:29]...), of(many...))
	if got := ws.HintOf(err).In(ws.English); !strings.Contains(got, "s15,…)") {
		t.Errorf("%q", got)
	}
}
