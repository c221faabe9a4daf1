package wellspring

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is all that a caller may branch on. Kinds cross the wire, so the list
// only grows at its end.
type Kind uint8

const (
	Other       Kind = iota // unclassified: a bug until shown otherwise
	Invalid                 // malformed request; never retry
	Denied                  // no grant, or a policy forbids it
	Withheld                // an answer exists and would disclose too much
	Unreachable             // a peer did not answer; retrying is safe
	Diverged                // parties disagree about state; stop, call a human
	Stopped                 // a person, or a signal, ended the work
)

// kinds gives each kind its name on the wire and its exit code.
var kinds = [...]struct {
	name string
	exit int
}{
	Other: {"other", 1}, Invalid: {"invalid", 2}, Denied: {"denied", 3}, Withheld: {"withheld", 4},
	Unreachable: {"unreachable", 5}, Diverged: {"diverged", 6}, Stopped: {"stopped", 130},
}

func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return kinds[Other].name
}

// ExitCode is the status with which a command ends that failed with k.
func (k Kind) ExitCode() int {
	if int(k) < len(kinds) {
		return kinds[k].exit
	}
	return kinds[Other].exit
}

// KindNamed is the inverse of Kind.String; an unknown name is Other.
func KindNamed(name string) Kind {
	for k := range kinds {
		if kinds[k].name == name {
			return Kind(k)
		}
	}
	return Other
}

// A Position says where in its input a mistake stands. The zero Position
// means nowhere in particular. Line and Column count from 1; Column counts
// characters.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func (p Position) String() string {
	var parts []string
	if p.File != "" {
		parts = append(parts, p.File)
	}
	if p.Line > 0 {
		parts = append(parts, fmt.Sprint(p.Line))
	}
	if p.Column > 0 {
		parts = append(parts, fmt.Sprint(p.Column))
	}
	return strings.Join(parts, ":")
}

// An Error is a failure that a person may have to act on. It never carries the
// value of a row, a count under the limit, or an identifier of a person.
type Error struct {
	Kind Kind
	Op   string   // the operation and its subject, such as "site va: facts"
	Msg  Text     // what went wrong
	Hint Text     // what to do about it; may be empty
	At   Position // where in the input; may be zero
	Err  error    // the cause, if another error
}

// Errorf makes an Error without hint or cause; see [Error.WithHint],
// [Error.Wrap] and [Error.Located].
func Errorf(kind Kind, op string, msg Text) *Error { return &Error{Kind: kind, Op: op, Msg: msg} }

// WithHint returns e with a line on what to do.
func (e *Error) WithHint(hint Text) *Error { c := *e; c.Hint = hint; return &c }

// Located returns e with a place in the input.
func (e *Error) Located(at Position) *Error { c := *e; c.At = at; return &c }

// Wrap returns e with a cause.
func (e *Error) Wrap(err error) *Error { c := *e; c.Err = err; return &c }

// Error gives the chain of operations, outermost first, then the kind, the
// place and the message, in English.
func (e *Error) Error() string { return e.In(English) }

// In gives the message in one language, without the hint.
func (e *Error) In(l Lang) string {
	var parts []string
	for _, s := range []string{e.Op, e.At.String(), e.Msg.In(l)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Err != nil {
		var inner *Error
		if errors.As(e.Err, &inner) {
			parts = append(parts, inner.In(l))
		} else {
			parts = append(parts, explain(e.Err).In(l))
		}
	}
	return strings.Join(parts, ": ")
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost classified [Error] in err's chain.
func KindOf(err error) Kind {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return Other
		}
		if e.Kind != Other {
			return e.Kind
		}
		err = e.Err
	}
	return Other
}

// Sentences are what the errors of err's chain say, outermost first; those that say
// nothing, and those that are none of ours, are left out.
func Sentences(err error) (all []Text) {
	var e *Error
	for errors.As(err, &e) {
		if !e.Msg.IsZero() {
			all = append(all, e.Msg)
		}
		err = e.Err
	}
	return all
}

// HintOf returns the innermost hint in err's chain, which knows most.
func HintOf(err error) Text {
	var hint Text
	var e *Error
	for errors.As(err, &e) {
		if !e.Hint.IsZero() {
			hint = e.Hint
		}
		err = e.Err
	}
	return hint
}

// PositionOf returns the innermost place in err's chain.
func PositionOf(err error) Position {
	var at Position
	var e *Error
	for errors.As(err, &e) {
		if e.At != (Position{}) {
			at = e.At
		}
		err = e.Err
	}
	return at
}

// At puts an operation in front of err and keeps its kind, hint and place.
// It returns nil for nil.
func At(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Op: op, Err: err}
}
