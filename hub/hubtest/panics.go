package hubtest

import (
	"fmt"
	"testing"
)

// panics lets ledgertest sign outside a test: what it would fail there is a
// broken invariant of our own.
type panics struct{ testing.TB }

func (panics) Helper() {}

func (panics) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (panics) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
