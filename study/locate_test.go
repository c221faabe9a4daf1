package study

import (
	"strings"
	"testing"

	ws "wellspring"
)

// An error that tells a character of a formula or filter is given line and column of the
// file, whichever analysis it is of; what tells none stays as it is.
func TestLocate(t *testing.T) {
	const one = "apiVersion: wellspring/v1\nkind: Study\nmetadata: {name: t}\ndata:\n  dataset: rows\n  where: \"age > 3\"\nanalysis:\n  method: glm\n  formula: ill ~ age\n"
	const two = "apiVersion: wellspring/v1\nkind: Study\nmetadata: {name: t}\ndata: {dataset: rows}\nanalyses:\n  - {id: a, method: glm, formula: ill ~ age}\n  - {id: b, method: km, formula: 'y ~ x'}\n"
	formula := func(op string, column int) error {
		return ws.At("site a", ws.At(op, ws.Errorf(ws.Invalid, "formula", ws.T("no", "不")).Located(ws.Position{Column: column})))
	}
	for _, c := range []struct {
		text string
		err  error
		want string
	}{
		{one, formula("glm", 7), "s.yaml:9:18"},
		{one, formula("data.where", 5), "s.yaml:6:15"},
		{two, formula("analysis a", 1), "s.yaml:6:35"},
		{two, formula("analysis b", 5), "s.yaml:7:39"},
		{one, formula("elsewhere", 5), "5"},
		{one, ws.At("glm", ws.Errorf(ws.Invalid, "", ws.T("no", "不")).Located(ws.Position{File: "a.csv", Line: 7})), "a.csv:7"},
		{"not a study", formula("glm", 7), "7"},
	} {
		got := Locate([]byte(c.text), "s.yaml", c.err)
		if at := ws.PositionOf(got).String(); at != c.want || !strings.Contains(got.Error(), c.want+": no") || ws.KindOf(got) != ws.Invalid {
			t.Errorf("%v: at %s, want %s", got, at, c.want)
		}
	}
	if Locate([]byte(one), "s.yaml", nil) != nil {
		t.Error("no error became one")
	}
}
