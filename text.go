package wellspring

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Text is what a person reads, in both languages. En and Zh are constant
// formats in the manner of package fmt that take the same arguments; a test
// reads the source and refuses a [T] of which one side is missing.
type Text struct {
	En, Zh string
	args   []any
	ours   bool // T made it: En and Zh stand in the source of this program
}

// T makes a Text. Give names and positions as args, never values of rows.
func T(en, zh string, args ...any) Text { return Text{En: en, Zh: zh, args: args, ours: true} }

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

// Public is t as a log may hold it: of what is filled in only names of sites and
// institutions, kinds, releases and spans of time, and "…" for all else. Of a text that
// was read from elsewhere it is the zero Text.
func (t Text) Public() Text {
	if !t.ours {
		return Text{}
	}
	args := make([]any, len(t.args))
	for i, a := range t.args {
		switch a := a.(type) {
		case SiteID, Institution, Kind, Release, time.Duration:
			args[i] = a
		case Text:
			args[i] = withheld{}
			if a.ours {
				args[i] = a.Public()
			}
		default:
			args[i] = withheld{}
		}
	}
	t.args = args
	return t
}

// withheld stands for what a text does not say, whatever the verb.
type withheld struct{}

// Format implements [fmt.Formatter].
func (withheld) Format(f fmt.State, _ rune) { fmt.Fprint(f, "…") }
