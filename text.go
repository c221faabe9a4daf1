package wellspring

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Text is what a person reads, in both languages. En and Zh are constant
// formats in the manner of package fmt that take the same arguments; a test
// reads the source and refuses a [T] of which one side is missing.
type Text struct {
	En, Zh string
	args   []any
}

// T makes a Text. Give names and positions as args, never values of rows.
func T(en, zh string, args ...any) Text { return Text{En: en, Zh: zh, args: args} }

// A Lang is a language that a person reads.
type Lang string

const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// LangOf chooses a language by a POSIX locale such as "zh_CN.UTF-8"; the
// default is English.
func LangOf(locale string) Lang {
	if strings.HasPrefix(locale, "zh") {
		return Chinese
	}
	return English
}

// In returns the text in one language.
func (t Text) In(l Lang) string {
	format := t.En
	if l == Chinese && t.Zh != "" {
		format = t.Zh
	}
	if len(t.args) == 0 {
		return format
	}
	args := make([]any, len(t.args))
	for i, a := range t.args {
		if inner, ok := a.(Text); ok {
			a = inner.In(l)
		}
		args[i] = a
	}
	return fmt.Sprintf(format, args...)
}

// IsZero reports whether there is nothing to read.
func (t Text) IsZero() bool { return t.En == "" && t.Zh == "" }

// MarshalJSON gives {"en": ..., "zh": ...}.
func (t Text) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		En string `json:"en"`
		Zh string `json:"zh"`
	}{t.In(English), t.In(Chinese)})
}

// UnmarshalJSON reads what MarshalJSON wrote. Percent signs are doubled, so
// that the text is not taken for a format again.
func (t *Text) UnmarshalJSON(b []byte) error {
	var w struct {
		En string `json:"en"`
		Zh string `json:"zh"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*t = Text{En: w.En, Zh: w.Zh}
	return nil
}
