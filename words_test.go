package wellspring_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	ws "wellspring"
)

func TestError_Chain(t *testing.T) {
	inner := ws.Errorf(ws.Withheld, "engine", ws.T("too few rows", "行数过少")).
		WithHint(ws.T("widen the filter", "请放宽筛选条件")).Located(ws.Position{File: "study.yaml", Line: 3})
	err := fmt.Errorf("round 2: %w", ws.At("site va", inner))
	if got := ws.KindOf(err); got != ws.Withheld {
		t.Errorf("kind = %v", got)
	}
	if got := ws.KindOf(err).ExitCode(); got != 4 {
		t.Errorf("exit code = %d", got)
	}
	if got := ws.HintOf(err).In(ws.Chinese); got != "请放宽筛选条件" {
		t.Errorf("hint = %q", got)
	}
	if got := ws.PositionOf(err).String(); got != "study.yaml:3" {
		t.Errorf("position = %q", got)
	}
	var e *ws.Error
	if !errors.As(err, &e) || e.In(ws.Chinese) != "site va: engine: study.yaml:3: 行数过少" {
		t.Errorf("chinese = %q", e.In(ws.Chinese))
	}
}

func TestKindNamed(t *testing.T) {
	for k := ws.Other; k <= ws.Stopped; k++ {
		if got := ws.KindNamed(k.String()); got != k {
			t.Errorf("KindNamed(%q) = %v", k, got)
		}
	}
	if ws.KindNamed("no such kind") != ws.Other || ws.Kind(200).ExitCode() != 1 {
		t.Error("an unknown kind is not Other")
	}
}

func TestText_JSON(t *testing.T) {
	for _, text := range []ws.Text{ws.T("5%% of %s", "%s 的 5%%", "it"), ws.T("level %q: %v", "水平 %q:%v", "男 生", ws.T("x", "甲"))} {
		if text.In(ws.English) == "" {
			t.Fatal("empty")
		}
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back ws.Text
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		for _, l := range []ws.Lang{ws.English, ws.Chinese} {
			if back.In(l) != text.In(l) {
				t.Errorf("%s: %q, want %q", l, back.In(l), text.In(l))
			}
		}
	}
}

func TestForms(t *testing.T) {
	for _, s := range []ws.SiteID{"cleveland", "市一院", "a.b-c_1"} {
		if err := s.Validate(); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []ws.SiteID{"", "-a", "a/b", "a b", "..", ws.SiteID(make([]byte, 70))} {
		if s.Validate() == nil {
			t.Errorf("%q is taken for a site", s)
		}
	}
	for _, i := range []ws.Institution{"cleveland", "市一院（东院）", "St. Vincent's, Sydney", "centre"} {
		if err := i.Validate(); err != nil {
			t.Errorf("%q: %v", i, err)
		}
	}
	for _, i := range []ws.Institution{"", " a", "a ", "a=b", "a\nb", "-a", "a\u202eb", ws.Institution(make([]byte, 200))} {
		if i.Validate() == nil {
			t.Errorf("%q is taken for an institution", i)
		}
	}
	if ws.Purpose("DUO:0000042").Validate() != nil || ws.Purpose("DUO:42").Validate() == nil {
		t.Error("DUO terms are told wrongly")
	}
}

// Names match by hand as the expressions do that schemas and documents give.
func TestNames(t *testing.T) {
	institution := regexp.MustCompile(`^[\p{L}\p{N}]([\p{L}\p{M}\p{N}\p{P} ]{0,126}[\p{L}\p{M}\p{N}\p{P}])?$`)
	name := regexp.MustCompile(ws.NameForm)
	check := func(s string) {
		if got, want := ws.IsName(s), name.MatchString(s); got != want {
			t.Errorf("IsName(%q) = %t", s, got)
		}
		if got, want := ws.Institution(s).Validate() == nil, institution.MatchString(s); got != want {
			t.Errorf("institution %q: %t", s, got)
		}
	}
	for _, s := range []string{"", " ", "a", "a ", "-a", "a-", "北京协和医院", "é", "e\u0301", "\u0301e", "a\xff", "\xff", "a\u200b", "a\n", "½", "a½", "a/b", "a·b"} {
		check(s)
		for _, n := range []int{63, 64, 65, 127, 128, 129} {
			check(strings.Repeat("x", max(0, n-len([]rune(s)))) + s)
			check(s + strings.Repeat("医", n))
		}
	}
	for r := rune(1); r < 0x3000; r++ {
		check(string(r))
		check("a" + string(r) + "b")
	}
}
