package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh/broker"
)

var (
	aRun   = ledger.RunID("0123456789abcdef0123456789abcdef")
	aStudy = ledger.Hash{0xab, 0xcd}
	// telling is an error that tells what no log may hold, in every way that an error has.
	telling = ws.At("site north: column hb_a1c", ws.Errorf(ws.Diverged, "hb_a1c", ws.T("site %s has %d persons in column %s of %s, since %v", "站点 %s 的 %[4]s 列 %[3]s 有 %[2]d 人，自 %[5]v 起",
		ws.SiteID("north"), 3, "hb_a1c", ws.T("the table %q", "表 %q", "/var/lib/secret"), time.Minute)).
		WithHint(ws.T("look at %s", "请查看 %s", "/var/lib/secret")).Located(ws.Position{File: "/var/lib/secret", Line: 71}).
		Wrap(ws.Errorf(ws.Other, "", ws.Text{En: "row 71: Zhang San", Zh: "第 71 行：张三"}).Wrap(errors.New("open /var/lib/secret"))))
)

// all holds every event that there is, by the function that makes it.
var all = map[string]Event{
	"HubServes": HubServes(4, "tls://127.0.0.1:7422"), "SiteServes": SiteServes("north"), "RelayServes": RelayServes("north"),
	"MetricsServed": MetricsServed("127.0.0.1:9464"), "Stopped": Stopped(), "Failed": Failed(telling), "Trouble": Trouble(telling), "Unwritten": Unwritten(7),
	"Connected": Connected(), "Unconnected": Unconnected(), "RunRound": RunRound(aRun, 2), "RunAnswered": RunAnswered(aRun),
	"RunEnded": RunEnded(aRun, ws.Withheld), "StudyArrived": StudyArrived(aStudy), "AnswerWaits": AnswerWaits(aRun), "SiteAdmitted": SiteAdmitted("north"), "SiteEnded": SiteEnded("north"), "BrokerTrouble": BrokerTrouble(broker.Login),
	"Recovering": Recovering(3), "DiskLow": DiskLow(), "DiskEnough": DiskEnough(), "Restored": Restored(12),
}

// fields are all that an event may have, with the form of what they hold.
var fields = map[string]string{
	"site": `^[a-z]+$`, "run": `^[0-9a-f]{32}$`, "study": `^[0-9a-f]{64}$`, "round": `^[0-9]+$`, "kind": `^(other|invalid|denied|withheld|unreachable|diverged|stopped)$`,
	"members": `^[0-9]+$`, "count": `^[0-9]+$`, "height": `^[0-9]+$`, "address": `^[a-z0-9:/.]+$`, "about": `^[a-z]+$`, "message": `.`, "hint": `.`,
}

// The list is closed: whatever makes an event stands in all, takes nothing but what
// a log may hold, and gives an event of a name of its own.
func TestList(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "list.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	takes := []string{"int", "string", "error", "ws.SiteID", "ws.Kind", "ledger.RunID", "ledger.Hash", "ledger.Height", "broker.Part"}
	made := 0
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !fn.Name.IsExported() {
			continue
		}
		made++
		if _, ok := all[fn.Name.Name]; !ok {
			t.Errorf("%s is not tested", fn.Name.Name)
		}
		for _, p := range fn.Type.Params.List {
			if typ := typeName(p.Type); !slices.Contains(takes, typ) {
				t.Errorf("%s takes a %s", fn.Name.Name, typ)
			} else if typ == "string" && p.Names[0].Name != "at" {
				t.Errorf("%s takes a text that is no address", fn.Name.Name)
			}
		}
	}
	if made != len(all) {
		t.Errorf("%d events are made, and %d are tested", made, len(all))
	}
	names := map[string]bool{}
	for fn, e := range all {
		if names[e.name] || !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(e.name) {
			t.Errorf("%s: name %q", fn, e.name)
		}
		names[e.name] = true
	}
}

func typeName(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		return fmt.Sprint(s.X, ".", s.Sel)
	}
	return fmt.Sprint(e)
}

// An object a line, of the fields that are promised and no other.
func TestJSON(t *testing.T) {
	for fn, e := range all {
		var out bytes.Buffer
		New(&out, JSON, ws.Chinese).Write(e)
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
			t.Fatalf("%s: %q, %v", fn, out.String(), err)
		}
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(got["time"])); err != nil || !strings.HasSuffix(got["time"].(string), "Z") || got["event"] != e.name || got["level"] != e.level.String() {
			t.Errorf("%s: %s", fn, out.String())
		}
		for k, v := range got {
			if k == "time" || k == "event" || k == "level" {
				continue
			}
			if form, ok := fields[k]; !ok || !regexp.MustCompile(form).MatchString(fmt.Sprint(v)) {
				t.Errorf("%s: field %s: %v", fn, k, v)
			}
		}
		silent(t, fn, strings.Replace(out.String(), fmt.Sprint(got["time"]), "", 1)) // a clock may show any two digits
	}
}

// Whoever brings about troubles without end fills no disk: of those past the bound
// the number is written, once there is room again.
func TestTrouble_Bounded(t *testing.T) {
	var q quota
	now := time.Unix(1e9, 0)
	written, told := 0, 0
	for i := range 100_000 { // ten thousand seconds
		if may, unwritten := q.take(now.Add(time.Duration(i) * 100 * time.Millisecond)); may {
			written++
			told += unwritten
		}
	}
	if written < troubles || written > troubles+1100 {
		t.Errorf("%d written", written)
	}
	if left := 100_000 - written - told; left < 0 || left > 100 {
		t.Errorf("%d are told of nowhere", left)
	}
	var out bytes.Buffer
	l := New(&out, JSON, ws.English)
	for range 2 * troubles {
		l.Trouble(telling)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != troubles {
		t.Errorf("%d lines", n)
	}
}

// A line in the reader's language.
func TestText(t *testing.T) {
	for fn, e := range all {
		for _, lang := range []ws.Lang{ws.English, ws.Chinese} {
			var out bytes.Buffer
			New(&out, Text, lang).Write(e)
			line := out.String()
			if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [^\n]+\n$`).MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Han, r) }) != (lang == ws.Chinese) {
				t.Errorf("%s, %s: %q", fn, lang, line)
			}
			silent(t, fn, line)
		}
	}
	var out bytes.Buffer
	New(&out, Text, ws.English).Write(Trouble(telling))
	if !strings.HasSuffix(out.String(), "Z diverged: site north has … persons in column … of the table …, since 1m0s\n") {
		t.Errorf("%q", out.String())
	}
}

// silent wants nothing of what telling tells, and no text of which a part is missing.
func silent(t *testing.T, fn, line string) {
	t.Helper()
	for _, bad := range []string{"hb_a1c", "3 persons", "3 人", "secret", "71", "Zhang", "张", "%!"} {
		if strings.Contains(line, bad) {
			t.Errorf("%s tells %q: %s", fn, bad, line)
		}
	}
}

// What parties disagree about is an error, what is tried again a warning.
func TestLevels(t *testing.T) {
	for want, err := range map[slog.Level]error{slog.LevelError: telling, slog.LevelWarn: ws.Errorf(ws.Unreachable, "", ws.T("gone", "不在"))} {
		if got := Trouble(err).level; got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
	var out bytes.Buffer
	New(&out, JSON, ws.English).Write(Trouble(errors.New("row 71")))
	if !strings.Contains(out.String(), `"kind":"other","message":"an error without words of this program"`) {
		t.Error(out.String())
	}
}
