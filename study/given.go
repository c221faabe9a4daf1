package study

import (
	"fmt"
	"strings"

	ws "wellspring"
)

// A Given is one argument of an analysis as a person reads it.
type Given struct {
	Name  string
	Title ws.Text
	Value string
}

// Given lists the arguments of a that are set, in the order of the study file's
// schema.
func (a *Analysis) Given() (out []Given) {
	for _, f := range fields {
		value := f.of(a)
		if f.isZero(value) {
			continue
		}
		g := Given{Name: f.name, Title: f.title}
		switch v := value.(type) {
		case *string:
			g.Value = *v
		case *float64:
			g.Value = fmt.Sprint(*v)
		case *int:
			g.Value = fmt.Sprint(*v)
		case **bool:
			g.Value = fmt.Sprint(**v)
		case *[]string:
			g.Value = strings.Join(*v, ", ")
		case *[]float64:
			g.Value = strings.Trim(strings.ReplaceAll(fmt.Sprint(*v), " ", ", "), "[]")
		}
		out = append(out, g)
	}
	return out
}
