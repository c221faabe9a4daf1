package study

import (
	"errors"

	ws "wellspring"
	"wellspring/formula"
)

// checkFormula refuses a formula that package formula cannot read, and turns
// the place in the formula into the place in the file.
func (a *Analysis) checkFormula(path string, r *reader) error {
	if a.Formula == "" {
		return nil
	}
	_, err := formula.Parse(a.Formula)
	var problem *ws.Error
	if err == nil || !errors.As(err, &problem) {
		return ws.At(path, err)
	}
	character := problem.At.Column
	at, exact := r.inside(path, character)
	at.File = r.file
	if exact || character < 1 {
		return ws.At(path, problem.Located(at))
	}
	return ws.Errorf(ws.Invalid, path, ws.T("character %d of the formula", "公式的第 %d 个字符", character)).
		Wrap(problem.Located(at))
}
