package main

import (
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/analyze/survival"
	collect "wellspring/collect/csv"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/site"
	"wellspring/site/book"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

//go:embed year.yaml
var yearText []byte

// A project is what one institution asks of one dataset.
type project struct {
	Project      string         `yaml:"project"`
	Asker        ws.Institution `yaml:"asker"`
	Dataset      ws.Dataset     `yaml:"dataset"`
	Where        string         `yaml:"where"`
	CompleteOver []string       `yaml:"complete_over"`
	Plans        []plan         `yaml:"plans"`
}

// A plan is a question, or one for each row set and formula.
type plan struct {
	Over     []string         `yaml:"over"`
	Formulas []string         `yaml:"formulas"`
	Analysis *study.Analysis  `yaml:"analysis"`
	Analyses []study.Analysis `yaml:"analyses"`
}

// An inquiry is one question of the year.
type inquiry struct {
	project string
	asker   ws.Institution
	study   *study.Study
}

// proveYear asks the studies of docs/examples, and those of year.yaml, of four hospitals each that
// hold to the default policy and remember what they answered. The claim is of the guard over earlier questions;
// what the limits of one study refuse, with or without a memory, is told beside it.
func proveYear(ctx context.Context, scale float64, r *Report) error {
	dir, err := os.MkdirTemp("", "wellspring-year-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	y := year{dir: dir, sites: map[ws.Dataset][]rehearsal.Site{}, books: map[ws.SiteID]*book.Book{}}
	defer y.close()
	asked, err := y.questions(scale)
	if err != nil {
		return err
	}
	var refused, asGood, shown int
	for _, q := range asked {
		switch err := y.ask(ctx, q); ws.KindOf(err) {
		case ws.Withheld, ws.Denied:
			refused++
			if q.asker == guide {
				shown++
			}
			if near.Replied(err) {
				asGood++
			}
			fmt.Printf("  refused: %s %s: %v\n", q.project, wording(q.study), err)
		default:
			if err != nil {
				return fmt.Errorf("%s %s: %w", q.project, wording(q.study), err)
			}
		}
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(len(asked)) }
	r.Peer = "none: the bound is the claim's own; each refusal is printed with its reason"
	r.add("questions", float64(len(asked)), "")
	r.Holds = r.atMost("refused as good as asked before", share(asGood), 2, "%")
	r.add("refused by limits of one study", share(refused-asGood), "%")
	r.add("of all that were refused, examples of the docs", float64(shown), "")
	r.add("all that were refused", float64(refused), "")
	return nil
}

// wording says which question of a project it is.
func wording(s *study.Study) string {
	var parts []string
	for _, a := range s.All() {
		what := a.Formula
		if what == "" {
			what = strings.TrimSpace(strings.Join(a.Variables, ", ") + " " + a.Rows + " " + a.Columns + " " + a.By)
		}
		parts = append(parts, a.Method+" "+what)
	}
	out := strings.Join(parts, "; ")
	if s.Data.Where != "" {
		out += " where " + s.Data.Where
	}
	return out
}

// A year is hospitals with their books.
type year struct {
	dir   string
	sites map[ws.Dataset][]rehearsal.Site
	books map[ws.SiteID]*book.Book
}

func (y *year) close() {
	for _, b := range y.books {
		b.Close() // nothing more is read
	}
}

// questions loads the tables, and lists what is asked: where the published tables are not at hand, of a
// small proof the examples alone.
func (y *year) questions(scale float64) ([]inquiry, error) {
	if err := y.admit("bmt", filepath.Join("cmd", "wellspring", "testdata", "bmt", "bmt.csv"), "z9", each("1", "2", "3", "4")); err != nil {
		return nil, err
	}
	asked, err := examples()
	if err != nil {
		return nil, err
	}
	shared := os.Getenv("WELLSPRING_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
	}
	if _, err := os.Stat(shared); errors.Is(err, fs.ErrNotExist) && scale < 1 {
		return asked, nil
	}
	if err := y.published(filepath.Join(shared, "data")); err != nil {
		return nil, err
	}
	var projects []project
	if err := yaml.Unmarshal(yearText, &projects); err != nil {
		return nil, err
	}
	for _, p := range projects {
		asked = append(asked, p.inquiries()...)
	}
	if scale == 1 {
		return asked, nil
	}
	some := asked[:0]
	n := scaled(len(asked), scale, 12)
	for i := range n {
		some = append(some, asked[i*len(asked)/n])
	}
	return some, nil
}

// guide asks the studies of docs/examples. They are made for the rows of the demo, which anyone may
// read.
const guide ws.Institution = "guide"

// examples are the studies of docs/examples, all of one asker.
func examples() (out []inquiry, err error) {
	files, err := filepath.Glob(filepath.Join("docs", "examples", "*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := study.Parse(b, name)
		if err != nil {
			return nil, err
		}
		out = append(out, inquiry{filepath.Base(name), guide, s.WithDefaults()})
	}
	return out, nil
}

// inquiries are the questions of a project, in their order.
func (p project) inquiries() (out []inquiry) {
	for _, plan := range p.Plans {
		over, formulas := plan.Over, plan.Formulas
		if len(over) == 0 {
			over = []string{""}
		}
		if len(formulas) == 0 {
			formulas = []string{""}
		}
		for _, where := range over {
			for _, formula := range formulas {
				out = append(out, inquiry{p.Project, p.Asker, p.question(plan, where, formula)})
			}
		}
	}
	return out
}

func (p project) question(plan plan, where, formula string) *study.Study {
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "question"}, Purpose: study.Purpose{DUO: []ws.Purpose{"DUO:0000042"}},
		Data: study.Data{Dataset: p.Dataset, Where: both(p.Where, where), CompleteOver: p.CompleteOver}, Analyses: plan.Analyses}
	if plan.Analysis != nil {
		a := *plan.Analysis
		if formula != "" {
			a.Formula = formula
		}
		s.Analysis = &a
	}
	return s.WithDefaults()
}

// both joins two filters, of which either may be empty.
func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return "(" + a + ") and (" + b + ")"
}

// ask plays a question over the hospitals of its dataset.
func (y *year) ask(ctx context.Context, q inquiry) error {
	sites := slices.Clone(y.sites[q.study.Data.Dataset])
	for i, s := range sites {
		sites[i].Memory = func(run string) site.Memory {
			return y.books[s.ID].Run(run, s.ID, book.Group{Asker: q.asker, Dataset: q.study.Data.Dataset}, 1)
		}
	}
	_, err := rehearsal.Run(ctx, q.study, sites, rehearsal.Options{Catalog: methods})
	return err
}

var methods = analyze.Catalog{describe.Describe(), describe.Quantile(), compare.Crosstab(), compare.ChiSquared(), compare.TTest(),
	glm.Method(), survival.Cox(), survival.KM(), survival.LogRank()}

// published admits lung, by groups of the institutions that enrolled, the four hospitals of heart, and the
// CNSIM tables, of which the third, the largest, is two hospitals'.
func (y *year) published(data string) error {
	if err := y.admit("lung", filepath.Join(data, "survival-r", "lung.csv"), "inst",
		[][]string{{"1", "2", "3"}, {"4", "5", "6", "7", "10", "11"}, {"12", "13", "15"}, {"16", "21", "22", "26", "32", "33"}}); err != nil {
		return err
	}
	if err := y.admit("heart", filepath.Join(data, "uci-heart", "heart_4sites.csv"), "site", each("cleveland", "hungarian", "switzerland", "va")); err != nil {
		return err
	}
	var parts [][][]string
	for k := range 3 {
		rows, err := records(filepath.Join(data, "datashield-dslite", "CNSIM", fmt.Sprintf("CNSIM%d.csv", k+1)))
		if err != nil {
			return err
		}
		for i := range rows {
			rows[i] = rows[i][1:] // R's row names
		}
		parts = append(parts, rows)
	}
	third, half := parts[2], len(parts[2])/2
	return y.found("cnsim", [][][]string{parts[0], parts[1], third[:half], append([][]string{third[0]}, third[half:]...)})
}

func each(values ...string) (out [][]string) {
	for _, v := range values {
		out = append(out, []string{v})
	}
	return out
}

func records(path string) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	return csv.NewReader(f).ReadAll()
}

// admit parts a table among hospitals by a column. One called site they then do not have: every dataset has
// it.
func (y *year) admit(d ws.Dataset, path, column string, hospitals [][]string) error {
	rows, err := records(path)
	if err != nil {
		return err
	}
	at := slices.Index(rows[0], column)
	parts := make([][][]string, len(hospitals))
	for i, row := range rows {
		value, rest := row[at], row
		if column == "site" {
			rest = slices.Delete(slices.Clone(row), at, at+1)
		}
		for h, values := range hospitals {
			if i == 0 || slices.Contains(values, value) {
				parts[h] = append(parts[h], rest)
			}
		}
	}
	return y.found(d, parts)
}

// found gives each hospital its rows, under the dictionary that the program drafts of all, and a book.
func (y *year) found(d ws.Dataset, parts [][][]string) error {
	var paths []string
	for h, rows := range parts {
		path := filepath.Join(y.dir, fmt.Sprintf("%s-%d.csv", d, h+1))
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close()); err != nil {
			return err
		}
		paths = append(paths, path)
	}
	dict, err := collect.Infer(paths, collect.Options{})
	if err != nil {
		return err
	}
	hospital := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor, Required: true}
	for h := range paths {
		hospital.Levels = append(hospital.Levels, fmt.Sprintf("%s-%d", d, h+1))
	}
	for h, path := range paths {
		rows, err := collect.ReadTable(path, dict, collect.Options{})
		if err != nil {
			return err
		}
		id := ws.SiteID(hospital.Levels[h])
		if rows, err = rows.With(hospital, frame.Values{Code: slices.Repeat([]int32{int32(h)}, rows.Rows())}); err != nil {
			return err
		}
		if y.books[id], err = book.Open(filepath.Join(y.dir, string(id)+".db")); err != nil {
			return err
		}
		y.sites[d] = append(y.sites[d], rehearsal.Site{ID: id, Rows: rows, Policy: policy.Default()})
	}
	return nil
}
