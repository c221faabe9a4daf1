package book_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/site"
	"wellspring/site/book"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

var catalog = analyze.Catalog{describe.Describe(), compare.Crosstab(), glm.Method()}

var dictionary = frame.Dictionary{
	{Name: "age", Type: frame.Integer, Min: 18, Max: 99, Required: true},
	{Name: "bmi", Type: frame.Real, Min: 10, Max: 60, Required: true},
	{Name: "sex", Type: frame.Factor, Levels: []string{"F", "M"}, Required: true},
	{Name: "crp", Type: frame.Real, Min: 0, Max: 500},
	{Name: "high", Type: frame.Integer, Min: 0, Max: 1, Levels: []string{"0", "1"}, Required: true},
}

// A world is three hospitals with books, and askers.
type world struct {
	t       *testing.T
	dir     string
	books   map[ws.SiteID]*book.Book
	rows    map[ws.SiteID]*table.Table
	version map[ws.SiteID]int
}

// newWorld has 100 persons a site, one of age 99 in all; 8 a site lack crp, which is below 100 at the first, and above 200 at
// the last.
func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), books: map[ws.SiteID]*book.Book{}, rows: map[ws.SiteID]*table.Table{}, version: map[ws.SiteID]int{}}
	rng := rand.New(rand.NewPCG(7, 7))
	for i, id := range []ws.SiteID{"a", "b", "c"} {
		columns := make([]frame.Values, 5)
		for r := range 100 {
			age, crp := float64(20+rng.IntN(70)), 100*(float64(i)+rng.Float64())
			if i == 1 && r == 50 {
				age = 99
			}
			if r < 8 {
				var zero float64
				crp = zero / zero
			}
			columns[0].Real = append(columns[0].Real, age)
			columns[1].Real = append(columns[1].Real, 20+10*rng.Float64())
			columns[2].Code = append(columns[2].Code, int32(r%2))
			columns[3].Real = append(columns[3].Real, crp)
			columns[4].Real = append(columns[4].Real, float64(rng.IntN(2)))
		}
		tb, err := table.New(dictionary, columns)
		if err != nil {
			t.Fatal(err)
		}
		w.rows[id], w.version[id] = tb, 1
	}
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) path(id ws.SiteID) string { return filepath.Join(w.dir, string(id), "cohorts.db") }

func (w *world) open() {
	w.t.Helper()
	for id := range w.rows {
		b, err := book.Open(w.path(id))
		if err != nil {
			w.t.Fatal(err)
		}
		w.books[id] = b
	}
}

func (w *world) close() {
	for _, b := range w.books {
		if err := b.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

// ask has somebody of an institution ask a study of one analysis.
func (w *world) ask(asker ws.Institution, where string, a study.Analysis) (*study.Document, error) {
	return w.study(asker, &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "question"},
		Data: study.Data{Dataset: "people", Where: where}, Analysis: &a})
}

func (w *world) study(asker ws.Institution, s *study.Study) (*study.Document, error) {
	var sites []rehearsal.Site
	for _, id := range []ws.SiteID{"a", "b", "c"} {
		sites = append(sites, rehearsal.Site{ID: id, Rows: w.rows[id], Policy: policy.Default(), Memory: func(run string) site.Memory {
			return w.books[id].Run(run, id, book.Group{Asker: asker, Dataset: "people"}, w.version[id])
		}})
	}
	out, err := rehearsal.Run(context.Background(), s.WithDefaults(), sites, rehearsal.Options{Catalog: catalog})
	if err != nil {
		return nil, err
	}
	return out.Document, nil
}

func (w *world) answered(asker ws.Institution, where string, a study.Analysis) {
	w.t.Helper()
	if _, err := w.ask(asker, where, a); err != nil {
		w.t.Errorf("%s asks %q: %v", asker, where, err)
	}
}

func (w *world) refused(asker ws.Institution, where string, a study.Analysis) {
	w.t.Helper()
	_, err := w.ask(asker, where, a)
	if err == nil || ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "as good as asked before") {
		w.t.Errorf("%s asks %q: %v", asker, where, err)
	}
}

func describes(columns ...string) study.Analysis {
	return study.Analysis{Method: "describe", Variables: columns}
}

func model(formula string) study.Analysis {
	return study.Analysis{Method: "glm", Formula: formula, Family: "gaussian"}
}

// All but one person, by a filter, by a missing value, by a cell, by two answers: none is told; and
// what was told is told again.
func TestBook_One(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	w.answered("uni", "", describes("bmi"))
	w.answered("uni", "age <= 99", describes("bmi", "age")) // all, by its words
	w.refused("uni", "age < 99", describes("bmi"))
	w.refused("uni", "age < 99", model("bmi ~ sex"))
	w.answered("uni", "age < 80", describes("bmi"))
	w.answered("clinic", "age < 99", describes("bmi")) // nobody there has asked
}

// The same question has the same answer, whatever was asked before.
func TestBook_Again(t *testing.T) {
	w := newWorld(t)
	for _, a := range []study.Analysis{describes("bmi", "crp"), model("bmi ~ sex + crp"), model("high ~ age + sex"), {Method: "describe", Variables: []string{"bmi"}, By: "sex"},
		{Method: "crosstab", Rows: "sex", Columns: "high"}, model("bmi ~ I(age >= 50) + sex")} {
		first, err := w.ask("uni", "", a)
		if err != nil {
			t.Fatal(a.Formula, err)
		}
		second, err := w.ask("uni", "", a)
		if err != nil || first.Rounds != second.Rounds {
			t.Errorf("%s %s: %d rounds, then %d, %v", a.Method, a.Formula, first.Rounds, second.Rounds, err)
		}
	}
}

func TestBook_Cells(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", study.Analysis{Method: "describe", Variables: []string{"bmi"}, By: "sex"})
	w.answered("uni", "sex = 'F'", describes("bmi"))
	// All rows differ by many, and one cell by few.
	w.refused("uni", "sex = 'M' and age < 50 or sex = 'F' and age < 99", study.Analysis{Method: "describe", Variables: []string{"bmi"}, By: "sex"})
}

func TestBook_Difference(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	w.answered("uni", "age < 50", describes("bmi"))
	w.answered("uni", "age >= 50", describes("bmi")) // all but those before
	w.refused("uni", "age >= 50 and age < 99", describes("bmi"))
	w = newWorld(t)
	w.answered("uni", "", describes("bmi"))
	w.answered("uni", "age < 50", describes("bmi"))
	w.refused("uni", "age >= 50 and age < 99", describes("bmi"))
}

// Analyses of one study are held against each other as studies are.
func TestBook_Within(t *testing.T) {
	for _, c := range []struct {
		formulas []string
		far      bool
	}{
		{[]string{"bmi ~ I(age >= 30)", "bmi ~ I(age >= 50)"}, true},
		{[]string{"bmi ~ I(age > 50)", "bmi ~ I(age > 51)"}, false},
		{[]string{"bmi ~ I(age > 50)", "bmi ~ I(age >= 51)"}, true}, // one cohort, by its words
		{[]string{"bmi ~ sex", "bmi ~ sex + I(age >= 50)"}, true},
	} {
		w := newWorld(t)
		s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "two"}, Data: study.Data{Dataset: "people"}}
		for i, f := range c.formulas {
			a := model(f)
			a.ID = fmt.Sprint("a", i)
			s.Analyses = append(s.Analyses, a)
		}
		_, err := w.study("uni", s)
		if c.far && err != nil || !c.far && !near.Replied(err) {
			t.Errorf("%v: %v", c.formulas, err)
		}
	}
}

// A study that opens no moment is compared like any other.
func TestBook_Counts(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi", "age"))
	w.answered("uni", "age < 50", study.Analysis{Method: "crosstab", Rows: "sex", Columns: "high"})
	w.answered("uni", "", study.Analysis{Method: "crosstab", Rows: "sex", Columns: "high"})
	w.refused("uni", "age < 99", study.Analysis{Method: "crosstab", Rows: "sex", Columns: "high"})
}

// Counts of persons add up, whatever else is told of them.
func TestBook_Counted(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "high = 1", describes("age"))
	w.answered("uni", "high = 1 and sex = 'F'", describes("bmi"))
	w.refused("uni", "high = 1 and sex = 'M' and age < 99 or high = 1 and sex = 'M' and bmi < 20.2", study.Analysis{Method: "crosstab", Rows: "sex", Columns: "high"})
	w.answered("uni", "high = 1 and sex = 'M'", study.Analysis{Method: "crosstab", Rows: "sex", Columns: "high"}) // who is not F
}

// Rows of which nearly all are one hospital's tell that hospital of the others'.
func TestBook_Lone(t *testing.T) {
	for where, refused := range map[string]bool{
		"(crp >= 50 or crp is missing)":                            false, // that hospital's alone
		"(crp >= 50 or crp is missing) and age < 99":               true,
		"(crp >= 50 or crp is missing) and age < 99 and age >= 22": false, // and many others'
	} {
		w := newWorld(t)
		w.answered("uni", "", describes("bmi"))
		if _, err := w.ask("uni", where, describes("bmi")); near.Replied(err) != refused || (err != nil) != refused {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// Too few, and as near as few to what was asked: one reply, after as many sums, and counted alike.
func TestBook_Few(t *testing.T) {
	w := newWorld(t)
	if _, err := w.ask("uni", "age >= 89", describes("bmi")); ws.KindOf(err) != ws.Withheld || near.Replied(err) {
		t.Errorf("too few, with nothing asked before: %v", err)
	}
	w.ask("uni", "age >= 87", describes("bmi")) // more than it may be told, but it was let ask
	for _, where := range []string{"age >= 89", "age >= 88"} {
		if _, err := w.ask("uni", where, describes("bmi")); err == nil || err.Error() != near.Few().Error() {
			t.Errorf("%s: %v", where, err)
		}
	}
	standings, err := w.books["a"].Standings()
	if err != nil || len(standings) != 1 || standings[0].Replies != 2 {
		t.Errorf("%v, %v", standings, err)
	}
}

// Of four answers each is far from every other, and from the sum and the difference of any two; together they
// are one person's.
func TestBook_Span(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	w.answered("uni", "age < 40", describes("bmi"))
	w.answered("uni", "age >= 40 and age < 60", describes("bmi"))
	w.answered("uni", "age >= 60", describes("bmi")) // by its words what is left
	w.refused("uni", "age >= 60 and age < 99", describes("bmi"))
	w.answered("uni", "age >= 60 and age < 80", describes("bmi"))

	// Twice the person: by three pairs of halves.
	w = newWorld(t)
	w.answered("uni", "age < 40 or age = 99", describes("bmi"))
	w.answered("uni", "age >= 40", describes("bmi"))
	w.refused("uni", "", describes("bmi")) // the one and the other, but for her
	w.answered("uni", "age < 40 and sex = 'F' or age >= 60", describes("bmi"))
}

// Who lacks a value is found by two models, and not by two descriptions.
func TestBook_Missing(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi", "crp"))
	w.answered("uni", "", model("bmi ~ sex"))
	w.answered("uni", "", model("bmi ~ sex + crp")) // two dozen lack it
	for id, tb := range w.rows {                    // eight are left
		if id == "a" {
			continue
		}
		all := make([]int, tb.Rows())
		for i := range all {
			all[i] = max(i, 7)
		}
		w.rows[id] = tb.Select(all)
	}
	few := newWorld(t)
	few.rows = w.rows
	few.answered("uni", "", model("bmi ~ sex"))
	few.refused("uni", "", model("bmi ~ sex + crp"))
	few.answered("uni", "", describes("crp"))
}

// The book outlives the node and the dataset's version; what is lost counts as the same.
func TestBook_Restart(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	w.close()
	w.open()
	w.refused("uni", "age < 99", describes("bmi"))
	w.version["b"] = 2 // of nobody else
	w.refused("uni", "", describes("bmi"))
	w.answered("uni", "age < 80", describes("bmi"))
	w.close()
	other := newWorld(t)
	w.books, other.books = other.books, nil
	w.version["b"] = 1
	w.answered("uni", "age < 99", describes("bmi")) // all three have lost theirs
}

// One site without its book does not open the door.
func TestBook_Lost(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	fresh := newWorld(t)
	w.books["b"], fresh.books["b"] = fresh.books["b"], w.books["b"]
	w.refused("uni", "age < 99", describes("bmi"))
}

// A copy that was made while questions were answered knows them.
func TestBook_Copy(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	copies := t.TempDir()
	for id, b := range w.books {
		path := filepath.Join(copies, string(id))
		if err := b.Copy(path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if err := b.Copy(path); err == nil {
			t.Error("it takes the place of a file")
		}
	}
	w.answered("clinic", "", describes("bmi")) // after the copies
	w.close()
	for id := range w.books {
		b, err := book.Open(filepath.Join(copies, string(id)))
		if err != nil {
			t.Fatal(err)
		}
		w.books[id] = b
	}
	w.refused("uni", "age < 99", describes("bmi"))
	w.answered("clinic", "age < 99", describes("bmi"))
}

func TestBook_Patience(t *testing.T) {
	w := newWorld(t)
	w.answered("uni", "", describes("bmi"))
	for range book.Patience {
		w.refused("uni", "age < 99", describes("bmi"))
	}
	if _, err := w.ask("uni", "age < 70", describes("bmi")); ws.KindOf(err) != ws.Denied {
		t.Errorf("after %d replies: %v", book.Patience, err)
	}
	all, err := w.books["a"].Standings()
	if err != nil || len(all) != 1 || !all[0].Held || all[0].Replies != book.Patience {
		t.Errorf("%v, %v", all, err)
	}
	for _, b := range w.books {
		if err := b.Let(all[0].Group); err != nil {
			t.Fatal(err)
		}
	}
	w.answered("uni", "age < 70", describes("bmi"))
	w.refused("uni", "age < 99", describes("bmi"))
}

// Two questions at one time: the second is not answered before it is compared.
func TestRun_Reserve(t *testing.T) {
	b, err := book.Open(filepath.Join(t.TempDir(), "cohorts.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g := book.Group{Asker: "uni", Dataset: "people"}
	one, two := b.Run("one", "a", g, 1), b.Run("two", "a", g, 1)
	for _, r := range []*book.Run{one, two} {
		if got, err := r.Earlier(); err != nil || len(got) != 0 {
			t.Fatal(got, err)
		}
	}
	if err := one.Reserve(nil, nil); err != nil {
		t.Fatal(err)
	}
	c := []near.Cohort{{Persons: 12}}
	if err := two.Reserve(c, bitmaps(12)); err != nil {
		t.Fatal(err)
	}
	if err := one.Reserve(c, bitmaps(11)); ws.KindOf(err) != ws.Unreachable {
		t.Errorf("%v", err)
	}
	if err := two.Forget(); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Run("three", "a", g, 1).Earlier(); err != nil || len(got) != 0 {
		t.Error(fmt.Sprint(got), err)
	}
}
