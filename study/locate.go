package study

import (
	"errors"

	ws "wellspring"
)

// Label names an analysis in errors: by its id among several, by its method alone.
func (a Analysis) Label() string {
	if a.ID != "" {
		return "analysis " + a.ID
	}
	return a.Method
}

// whereOp stands in errors of the row filter.
const whereOp = "data.where"

// Locate gives an error, which tells a place within a formula or the row filter as
// whoever binds them to columns sees it, the place in the study's file. Other errors are given back as
// they are.
func Locate(b []byte, file string, err error) error {
	var top *ws.Error
	if !errors.As(err, &top) {
		return err
	}
	n, bad := parseTree(b, file)
	if bad != nil {
		return err
	}
	r := newReader(b, file)
	s, bad := r.study(n)
	if bad != nil {
		return err
	}
	if path := s.pathOf(err); path != "" {
		return r.relocate(path, top)
	}
	return err
}

// pathOf finds the formula or filter that an error is of; "" for none.
func (s *Study) pathOf(err error) string {
	ops := map[string]bool{}
	var e *ws.Error
	for errors.As(err, &e) {
		ops[e.Op] = true
		err = e.Err
	}
	if ops[whereOp] {
		return whereOp
	}
	if s.Analysis != nil && ops[s.Analysis.Label()] {
		return "analysis.formula"
	}
	for i, a := range s.Analyses {
		if ops[a.Label()] {
			return indexed("analyses", i) + ".formula"
		}
	}
	return ""
}

// relocate gives every error of a chain that tells a character its place in the file.
func (r *reader) relocate(path string, e *ws.Error) *ws.Error {
	c := *e
	if at := e.At; at.File == "" && at.Line == 0 && at.Column > 0 {
		c.At, _ = r.inside(path, at.Column)
	}
	var inner *ws.Error
	if errors.As(e.Err, &inner) {
		c.Err = r.relocate(path, inner)
	}
	return &c
}
