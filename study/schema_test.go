package study_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"wellspring/study"
)

func compile(t testing.TB, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:s", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:s")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func loose(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchema_Examples(t *testing.T) {
	s := compile(t, study.Schema())
	for name, b := range examples(t) {
		if err := s.Validate(loose(t, string(b))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// What Canonical writes, defaults and all, is a study file too.
		c, err := parse(t, string(b)).Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(loose(t, string(c))); err != nil {
			t.Errorf("%s, canonical: %v", name, err)
		}
	}
}

// What the schema refuses, Parse refuses.
func TestSchema_Refused(t *testing.T) {
	s := compile(t, study.Schema())
	for _, text := range []string{
		head, head + "analysis: {}", head + "analysis: {method: mean}", head + "analysis: {method: km}",
		head + "analysis: {method: km, formula: y ~ x, ties: efron}", head + "analysis: {method: km, formula: y ~ x, conf_level: 1}",
		head + "analysis: {method: cox, formula: y ~ x, ties: exact}", head + "analysis: {method: cox, formula: y ~ x, grid: 0.5}",
		head + "analysis: {method: ttest, formula: y ~ g, variables: [y]}", head + "analysis: {method: ttest}",
		head + "analysis: {method: describe, variables: [a, a]}", head + "analysis: {method: describe, variables: []}",
		head + "analysis: {method: quantile, variables: [a], probs: [2]}", head + "analysis: {method: km, formula: 3}",
		head + "analyses: [{method: km, formula: y ~ x}]", head + "analyses: []", head + "extra: 1\nanalysis: {method: km, formula: y ~ x}",
		head + "analysis: {method: km, formula: y ~ x}\nanalyses: [{id: a, method: km, formula: y ~ x}]",
		head + "purpose: {duo: [GRU]}\nanalysis: {method: km, formula: y ~ x}",
		strings.Replace(head, "v1", "v2", 1) + "analysis: {method: km, formula: y ~ x}",
		strings.Replace(head, "{name: s}", "{name: a b}", 1) + "analysis: {method: km, formula: y ~ x}",
		strings.Replace(head, "{dataset: bmt}", "{}", 1) + "analysis: {method: km, formula: y ~ x}",
	} {
		if s.Validate(loose(t, text)) == nil {
			t.Errorf("the schema accepts\n%s", text)
		}
		if _, err := study.Parse([]byte(text), ""); err == nil {
			t.Errorf("Parse accepts\n%s", text)
		}
	}
}

func TestResultSchema(t *testing.T) {
	s := compile(t, study.ResultSchema())
	for name, d := range documents() {
		b, err := study.MarshalCanonical(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(loose(t, string(b))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range badDocuments {
		if s.Validate(loose(t, text)) == nil {
			t.Errorf("the schema accepts\n%s", text)
		}
	}
}

// The enumeration of methods in the embedded schema is the table's.
func TestResultSchema_Methods(t *testing.T) {
	s := compile(t, study.ResultSchema())
	for _, m := range study.Methods {
		text := `{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":0,"method":"` + m.Name + `","tidy":[],"glance":{},"suppressed":[],"notes":[]}`
		if err := s.Validate(loose(t, text)); err != nil {
			t.Error(err)
		}
	}
}
