package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"filippo.io/age"
	duck "github.com/duckdb/duckdb-go-bindings"
	"github.com/rogpeppe/go-internal/testscript"
)

// What stands in the rows of the script canary, and nowhere but there. Columns are declared
// in its dictionary: score and time have a range, spread has one that is far too wide, vast
// has none of use, dx takes what it does not declare as other; note is not declared at all.
const (
	canaryCard  = "11010119491231002X" // an identity card's number, as all of them begin
	canaryCards = "110101194912"
	canaryName  = "欧阳隐泉"
	canaryNote  = "asked not to be named: 电话 13900731948"
	canaryLevel = "Morbus Aquifontis"
	canaryWord  = "隐泉氏综合征"

	canaryScore  = 731.948261
	canaryTime   = 613.377219
	canarySpread = 97316.482655
	canaryVast   = 7.3194826118e30
)

// rare is how many persons of each site are of the rare level: seven together, under the limit of ten.
var rare = map[string]int{"north": 4, "east": 2, "south": 1}

// A sick is a row of the script canary.
type sick struct {
	score, time, spread float64
	fields              []string
}

// ward makes the rows of one site, the same each time. The canaries are those of its first persons.
func ward(site string) (all []sick) {
	r := rand.New(rand.NewPCG(uint64(len(site)), uint64(site[0])))
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', 6, 64) }
	for i := range 160 {
		p := sick{score: 200 + 600*r.Float64(), time: 1 + 900*r.Float64(), spread: 10 + 3*r.NormFloat64()}
		ill, status, vast := r.IntN(2), min(1, r.IntN(3)), number(5*r.Float64())
		dx, few := []string{"I21", "I50"}[r.IntN(2)], "no"
		if i < 10 {
			dx = "Morbus " + site + strconv.Itoa(i)
		}
		if i >= 20 && i < 20+rare[site] {
			few = "yes"
		}
		if i == 3 {
			p.score, p.time = canaryScore, canaryTime
		}
		if i == 4 && site == "south" {
			p.spread, vast = canarySpread, strconv.FormatFloat(canaryVast, 'g', -1, 64)
		}
		card, name, note := fmt.Sprintf("%s%02d%04d", canaryCards, 1+i%28, 1000*len(site)+i), "患者"+site+strconv.Itoa(i), ""
		if i < 3 && site == "north" { // a text that ten persons share may be drafted as a level
			card, name, note, dx = canaryCard, canaryName, canaryNote, []string{canaryLevel, canaryWord, canaryLevel}[i]
		}
		p.fields = []string{card, name, strconv.Itoa(30 + r.IntN(50)), []string{"F", "M"}[r.IntN(2)], number(p.score), number(p.spread), vast,
			dx, few, strconv.Itoa(ill), number(p.time), strconv.Itoa(status), note}
		p.score, _ = strconv.ParseFloat(p.fields[4], 64) // as a reader has them
		p.spread, _ = strconv.ParseFloat(p.fields[5], 64)
		p.time, _ = strconv.ParseFloat(p.fields[10], 64)
		all = append(all, p)
	}
	return all
}

const wardHeader = "card,name,age,sex,score,spread,vast,dx,rare,ill,time,status,note"

// wards SITE...: in/SITE.csv, with the canaries in it; and files of the first site that no
// site takes, each for a reason of its own.
func wards(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("wards SITE...")
	}
	put := func(name string, lines ...string) {
		ts.Check(os.WriteFile(ts.MkAbs(filepath.Join("in", name+".csv")), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	}
	ts.Check(os.MkdirAll(ts.MkAbs("in"), 0o700))
	for _, site := range args {
		lines := []string{wardHeader}
		for _, p := range ward(site) {
			lines = append(lines, strings.Join(p.fields, ","))
		}
		put(site, lines...)
		if site != args[0] {
			continue
		}
		first := ward(site)[0].fields
		bad := func(column int, value string) string {
			f := slices.Clone(first)
			f[column] = value
			return strings.Join(f, ",")
		}
		put("headless", lines[1:]...)
		put("word", wardHeader, bad(4, canaryLevel))
		put("fraction", wardHeader, bad(2, strconv.FormatFloat(canaryScore, 'f', -1, 64)))
		put("outside", wardHeader, bad(4, strconv.FormatFloat(canarySpread, 'f', -1, 64)))
		put("level", wardHeader, bad(3, canaryLevel))
		put("ragged", wardHeader, bad(4, "1")+",1")
		put("quote", wardHeader, bad(12, `"`+canaryNote))
		put("inside", wardHeader, bad(12, canaryNote+`"x`))
		put("nul", wardHeader, bad(12, canaryNote+"\x00"))
		put("stray", append(slices.Clone(lines), bad(4, canaryLevel))...)
	}
}

// canaries are all that the script looks for: what was planted, and of each site the sums
// that it has of its rows, which leave it under masks alone.
func canaries(sites []string) (all []canary) {
	for name, text := range map[string]string{"an identifier": canaryCard, "any identifier": canaryCards, "a name": canaryName, "a note": canaryNote,
		"an undeclared level": canaryLevel, "a Chinese level": canaryWord} {
		all = append(all, textCanary(name, text))
	}
	for name, x := range map[string]float64{"a score": canaryScore, "a time": canaryTime, "a spread": canarySpread, "a vast number": canaryVast} {
		all = append(all, numberCanary(name, x))
	}
	for _, site := range sites {
		var sum, squares, times float64
		for _, p := range ward(site) {
			sum += p.score
			squares += float64(p.score * p.score)
			times += p.time
		}
		all = append(all, numberCanary("the scores' sum of "+site, sum), numberCanary("their sum of squares at "+site, squares), numberCanary("the times' sum of "+site, times))
	}
	return all
}

// dataStore matches the files of a site's folder that are its data: DuckDB's, of drafts and of frozen
// versions. Descriptions, salts and policies beside them, the journal and all else are searched.
var dataStore = regexp.MustCompile(`(^|/)(draft|data)/([^/]+\.(duckdb|loading)(\.wal)?|\.spill/.*)$`)

// spared are the files in which canaries may be: data stores, and what the script loads from.
func spared(name string) bool { return strings.HasPrefix(name, "in/") || dataStore.MatchString(name) }

// search SITE...: in all that is in the script's folder, but for data stores and the files that were
// loaded, there is no canary; what commands printed is there too, see seen.
func search(ts *testscript.TestScript, neg bool, args []string) {
	s := newSearcher(canaries(args), spared, identities(ts)...)
	ts.Check(s.tree(ts.MkAbs(".")))
	switch {
	case len(s.found) > 0:
		ts.Fatalf("canaries are where none may be:\n%s", strings.Join(s.found[:min(len(s.found), 40)], "\n"))
	case s.looked < 1<<20:
		ts.Fatalf("only %d bytes were searched", s.looked)
	}
	ts.Logf("%d bytes searched, for %d canaries", s.looked, len(canaries(args)))
}

func identities(ts *testscript.TestScript) (all []age.Identity) {
	if text, err := os.ReadFile(ts.MkAbs("me.age")); err == nil {
		all, err = age.ParseIdentities(bytes.NewReader(text))
		ts.Check(err)
	}
	return all
}

// taint SITE...: once all is over every file that search looks at gets a canary, and search
// must name each; one that it passes over could hold anything. Backups, which cannot be
// appended to, TestSearcher has.
func taint(ts *testscript.TestScript, neg bool, args []string) {
	all := canaries(args)
	s := newSearcher(all, spared, identities(ts)...)
	var planted []form
	for _, c := range all {
		for what, b := range c.forms {
			planted = append(planted, form{c.name + ": " + what, b})
		}
	}
	slices.SortFunc(planted, func(a, b form) int { return strings.Compare(a.what, b.what) })
	want := map[string]form{}
	root := ts.MkAbs(".")
	ts.Check(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err != nil || !e.Type().IsRegular() || spared(name) || strings.HasSuffix(name, ".backup") {
			return err
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		want[name] = planted[7919*len(want)%len(planted)]
		_, err = f.Write(want[name].bytes)
		return errors.Join(err, f.Close())
	}))
	ts.Check(s.tree(root))
	for name, f := range want {
		if !slices.ContainsFunc(s.found, func(line string) bool {
			return strings.HasPrefix(line, name+" at byte ") && strings.HasSuffix(line, f.what)
		}) {
			ts.Fatalf("%s was not found in %s", f.what, name)
		}
	}
	ts.Logf("a canary was found in each of %d files", len(want))
}

// inrows FILE: the numbers that were planted are in a data store, so that they could have
// leaked; identifiers, notes and undeclared levels never enter it.
func inRows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("inrows FILE")
	}
	var db duck.Database
	var conn duck.Connection
	var res duck.Result
	if duck.Open(ts.MkAbs(args[0]), &db) != duck.StateSuccess || duck.Connect(db, &conn) != duck.StateSuccess {
		ts.Fatalf("%s cannot be opened", args[0])
	}
	defer duck.Close(&db)
	defer duck.Disconnect(&conn)
	defer duck.DestroyResult(&res)
	dump := ts.MkAbs("in/dump")
	if duck.Query(conn, "EXPORT DATABASE '"+dump+"' (FORMAT csv)", &res) != duck.StateSuccess {
		ts.Fatalf("%s: %s", args[0], duck.ResultError(&res))
	}
	tables, err := os.ReadDir(dump)
	ts.Check(err)
	held := ""
	for _, table := range tables {
		held += ts.ReadFile(filepath.Join(dump, table.Name()))
	}
	for _, x := range []float64{canaryScore, canaryTime} {
		if !strings.Contains(held, strconv.FormatFloat(x, 'f', -1, 64)) {
			ts.Fatalf("%s does not hold %v", args[0], x)
		}
	}
	for _, text := range []string{canaryCards, canaryName, canaryNote, canaryLevel, canaryWord} {
		if strings.Contains(held, text) {
			ts.Fatalf("%s holds %q", args[0], text)
		}
	}
}

// seen leaves what a process printed, or a page that it served, for search.
func seen(ts *testscript.TestScript, what, text string) {
	f, err := os.OpenFile(ts.MkAbs("seen.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = fmt.Fprintf(f, "=== %s\n%s\n", what, text)
	ts.Check(errors.Join(err, f.Close()))
}

// heard leaves what a command said for search, and for counts if it did not succeed.
func heard(ts *testscript.TestScript, code string, args []string, said string) {
	seen(ts, strings.Join(args, " "), said)
	if code == "0" {
		return
	}
	f, err := os.OpenFile(ts.MkAbs("refusals.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	ts.Check(errors.Join(json.NewEncoder(f).Encode(refusal{args, said}), f.Close()))
}

// A refusal is what a command said that did not succeed.
type refusal struct {
	Args []string
	Said string
}

// innocent are the digits that a refusal may have: places in files and formulas, digests, ids of runs, fingerprints,
// versions, and what progress tells of rounds and of sites that have answered.
var innocent = regexp.MustCompile(strings.Join([]string{
	`[^\s"]+\.(csv|parquet|yaml)(:\d+)*`, `\b(sha256:)?[0-9a-f]{8,64}\b`, `\bversions? \d+`, `(filter|formula): \d+:`, `0\.\d+\.\d+`, `(?m)^(round|第) \d+.*$`, `(?m)^\{"progress":.*$`, `DUO:\d+`, `UTF-\d+`, `log\(0\)`, `I\(x / 1e6\)`, `I\(age \* 1\)`, `GB\d+`,
}, "|"))

// counts NUMBER...: no command that was refused, and no trouble in a log, has told a number but these,
// which are limits, or tell of a file's columns.
func counts(ts *testscript.TestScript, neg bool, args []string) {
	all := troubles(ts)
	for line := range strings.Lines(ts.ReadFile("refusals.jsonl")) {
		var r refusal
		ts.Check(json.Unmarshal([]byte(line), &r))
		all = append(all, r)
	}
	number, words := regexp.MustCompile(`\b[0-9]+([.,][0-9]+)*`), regexp.MustCompile(`(?i)\bseven\b|七`)
	for _, r := range all {
		for _, found := range append(number.FindAllString(innocent.ReplaceAllString(r.Said, ""), -1), words.FindAllString(r.Said, -1)...) {
			if !slices.Contains(args, found) {
				ts.Fatalf("%s tells %s: %s", strings.Join(r.Args, " "), found, r.Said)
			}
		}
	}
	if len(all) < 30 {
		ts.Fatalf("only %d refusals", len(all))
	}
	ts.Logf("%d refusals", len(all))
}

// troubles are the messages of the logs that are objects.
func troubles(ts *testscript.TestScript) (all []refusal) {
	logs, err := filepath.Glob(ts.MkAbs("*.log"))
	ts.Check(err)
	for _, name := range logs {
		for line := range strings.Lines(ts.ReadFile(name)) {
			var e struct{ Event, Message, Hint string }
			if json.Unmarshal([]byte(line), &e) == nil && e.Message != "" {
				all = append(all, refusal{[]string{filepath.Base(name), e.Event}, e.Message + "\n" + e.Hint})
			}
		}
	}
	return all
}

// crawl NAME WHO: all pages of a console that can be reached by links are read.
func crawl(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("crawl NAME WHO")
	}
	p := enterPages(ts, args[0], args[1])
	link := regexp.MustCompile(`(?:href|src|action)="(/[^"#]*)`)
	todo, known := []string{"/studies"}, map[string]bool{"/studies": true}
	for ; len(todo) > 0; todo = todo[1:] {
		page, status := p.read(p.http.Get(p.base + todo[0]))
		seen(ts, args[0]+" "+todo[0]+" "+http.StatusText(status), page)
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if at := strings.ReplaceAll(m[1], "&amp;", "&"); !known[at] && len(known) < 300 {
				known[at] = true
				todo = append(todo, at)
			}
		}
	}
	if len(known) < 10 {
		ts.Fatalf("only %d pages", len(known))
	}
	ts.Logf("%d pages", len(known))
}

// asked STUDY...: studies are submitted at the hub, from files of their names, and approved by all $SITES.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	for _, study := range args {
		ends(ts, false, []string{"0", "study", "submit", study + ".yaml", "--key", "me.key", "--dir", "hub"})
		decide(ts, false, append([]string{"approve", study}, strings.Fields(ts.Getenv("SITES"))...))
	}
}
