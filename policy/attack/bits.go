package attack

import (
	"fmt"
	"math"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// binarySearch halves the range of hdl by whether the target passes a filter.
func binarySearch(s *siege) (Finding, error) {
	base, err := s.count(not(s.k.Target.where()), "age")
	if err != nil {
		return Finding{}, err
	}
	lo, hi := Dictionary[6].Min, Dictionary[6].Max
	for range 40 {
		mid := (lo + hi) / 2
		n, err := s.count(fmt.Sprintf("%s or hdl >= %v", not(s.k.Target.where()), mid), "age")
		if err != nil {
			return Finding{}, err
		}
		if n > base {
			lo = mid
		} else {
			hi = mid
		}
	}
	return value((lo + hi) / 2)
}

// refusals asks for the target's rows with the bit. Where so few are never told, it looks for
// a cohort of just as many as may be told, among whom is the target, and asks for it with the
// target only if that has the bit: is it refused as too few, or as near to the former?
func refusals(s *siege) (Finding, error) {
	own := s.k.Target.where()
	doc, err := s.ask(own+" and hiv = 1", describe("", "age"))
	if err != nil {
		return Finding{}, err
	}
	with := said(s.last)
	if _, err := s.ask(own, describe("", "age")); err != nil {
		return Finding{}, err
	}
	if s.last == nil || with != said(s.last) {
		return bit(doc != nil)
	}
	where, err := s.exactly(s.k.Policy.MinCell)
	if err != nil || where == "" {
		return Finding{}, err
	}
	// As many, or one fewer; and surely one fewer.
	if _, err := s.ask(fmt.Sprintf("%s and (%s or hiv = 1)", where, not(own)), describe("", "age")); err != nil {
		return Finding{}, err
	}
	maybe := said(s.last)
	if _, err := s.ask(fmt.Sprintf("%s and %s", where, not(own)), describe("", "age")); err != nil {
		return Finding{}, err
	}
	return bit(maybe != said(s.last))
}

// exactly looks for a filter that leaves n persons of the target's sex, of whom the target is one, and has the
// network tell of them as a cell beside the other sex; "" where it finds none before the network has lost its
// patience. It adds the target to others, slice by slice, none of whom is in two.
func (s *siege) exactly(n int64) (string, error) {
	q := s.k.Target
	const slice = 19 // of 400 days, in which a dozen leave
	near := 0
	for from := 1; from+slice <= 400; from += slice {
		some := fmt.Sprintf("(%s or time >= %d and time < %d)", q.where(), from, from+slice)
		doc, err := s.ask(fmt.Sprintf("sex != '%s' or %s", q.Sex, some), describe("sex", "age"))
		if err != nil {
			return "", err
		}
		if doc == nil {
			if strings.Contains(s.last.Error(), "asked before") {
				if near++; near > 2 {
					return "", nil
				}
			}
			continue
		}
		if row, ok := cell(doc.All()[0], "by", q.Sex); ok && row.Float("n") == float64(n) {
			return fmt.Sprintf("sex = '%s' and %s", q.Sex, some), nil
		}
	}
	return "", nil
}

// rounds asks for all but the target, and the target only with the bit, and compares how many rounds it
// took, and what was hidden, with what it took without the target at all.
func rounds(s *siege) (Finding, error) {
	own := s.k.Target.where()
	tell := func(where string) (string, error) {
		doc, err := s.ask(where, describe("hiv", "age"))
		if doc == nil {
			return said(s.last), err
		}
		return fmt.Sprint(doc.Rounds, doc.All()[0].Suppressed, len(doc.All()[0].Tidy)), nil
	}
	maybe, err := tell(own + " and hiv = 1")
	if err != nil {
		return Finding{}, err
	}
	none, err := tell(own + " and age < 0")
	if err != nil {
		return Finding{}, err
	}
	if s.k.Policy.MinCell <= 1 {
		return bit(maybe != none)
	}
	pad := fmt.Sprintf("(ward != '%s' and age >= 50)", s.k.Target.Ward)
	if maybe, err = tell(fmt.Sprintf("%s or %s and hiv = 1", pad, own)); err != nil {
		return Finding{}, err
	}
	if none, err = tell(pad); err != nil {
		return Finding{}, err
	}
	if s.last != nil && s.k.Policy.MinCell > 1 { // refused, as near, in either case
		return Finding{}, errGaveUp
	}
	return bit(maybe != none)
}

// histograms cuts a column at two places, between which is nobody but the target, by
// two numbers of bins: 10 + 50·3/7 < 31.7 < 10 + 50·4/9. The target is among the rows if it has the bit.
func histograms(s *siege) (Finding, error) {
	const low, high = 31.4, 32.3 // about these two
	where := fmt.Sprintf("bmi > %v or hiv = 1 and (bmi < %v or %s)", high, low, s.k.Target.where())
	var below [2]float64
	for i, bins := range []int{7, 9} {
		a := describe("", "bmi")
		a.Bins = bins
		doc, err := s.must(where, a)
		if err != nil {
			return Finding{}, err
		}
		found := false
		for _, row := range doc.All()[0].Summary {
			if row.Float("bin_high") < high {
				below[i] += row.Float("count")
			}
			edge := row.Float("bin_high")
			found = found || edge > low && edge < high
		}
		if !found {
			return Finding{}, errGaveUp
		}
	}
	return bit(below[1]-below[0] > 0.5)
}

// rescaled has the number of those with the bit as the mean of twice the bit, and
// then those without it together with the target.
func rescaled(s *siege) (Finding, error) {
	doc, err := s.must("", gaussian("I(2 * hiv) ~ 1"))
	if err != nil {
		return Finding{}, err
	}
	r := doc.All()[0]
	none := r.Glance.Float("nobs") * (1 - r.Tidy[0].Float("estimate")/2)
	n, err := s.count("hiv = 0 or "+s.k.Target.where(), "age")
	if err != nil {
		return Finding{}, err
	}
	return bit(n-none > 0.5)
}

// knownSize has the number of rows from elsewhere, as from a paper or a catalogue, and asks
// once: all but the target, or all.
func knownSize(s *siege) (Finding, error) {
	n, err := s.count(fmt.Sprintf("%s or hiv = 1", not(s.k.Target.where())), "age")
	if err != nil {
		return Finding{}, err
	}
	return bit(n == Persons)
}

// said is what an asker can tell a refusal by: its kind and its words, without the run that it
// names.
func said(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	out := make([]rune, 0, len(text))
	for _, r := range text { // names of runs are of digits and letters a to f; what is left of them has none
		if r < '0' || r > '9' {
			out = append(out, r)
		}
	}
	return string(out)
}

// verdict describes the bit of those without it and the target: is a mean of nought told, and one of a
// single person not?
func verdict(s *siege) (Finding, error) {
	doc, err := s.ask("hiv = 0 or "+s.k.Target.where(), describe("", "hiv"))
	if err != nil {
		return Finding{}, err
	}
	if doc == nil {
		return bit(true)
	}
	row, ok := cell(doc.All()[0], "variable", "hiv")
	return bit(!ok || row.Float("mean") > 0)
}

// emptyOrOne asks for a model by the bit over the same rows: is a level that nobody has told as a mistake in the study,
// and one of a single person as a limit?
func emptyOrOne(s *siege) (Finding, error) {
	if _, err := s.ask("hiv = 0 or "+s.k.Target.where(), gaussian("hdl ~ factor(hiv)")); err != nil {
		return Finding{}, err
	}
	return bit(ws.KindOf(s.last) != ws.Invalid)
}

// curveGrids is [histograms] by two curves, of which bmi is the time and the bit the event: steps end at
// 10 + 50·(i/grid)², and between 31.125 and 32.22 is nobody but the target.
func curveGrids(s *siege) (Finding, error) {
	const low, high = 31.1, 32.3
	where := fmt.Sprintf("bmi < %v or bmi > %v or %s", low, high, s.k.Target.where())
	var events [2]float64
	for i, grid := range []int{20, 3} {
		doc, err := s.must(where, study.Analysis{Method: "km", Formula: "Surv(bmi, hiv) ~ 1", Grid: grid})
		if err != nil {
			return Finding{}, err
		}
		found := false
		for _, row := range doc.All()[0].Tidy {
			if at := row.Float("time"); at < high {
				events[i] += row.Float("n_event")
				found = found || at > low
			}
		}
		if !found && s.k.Policy.MinCell > 1 {
			return Finding{}, errGaveUp
		}
	}
	if s.k.Policy.MinCell > 1 {
		return bit(events[1]-events[0] > 0.5)
	}
	return s.curve(where)
}

// curve reads exact times: the event at the target's own.
func (s *siege) curve(where string) (Finding, error) {
	doc, err := s.must(where, study.Analysis{Method: "km", Formula: "Surv(bmi, hiv) ~ 1"})
	if err != nil {
		return Finding{}, err
	}
	for _, row := range doc.All()[0].Tidy {
		if math.Abs(row.Float("time")-s.k.Target.BMI) < 1e-9 {
			return bit(row.Float("n_event") > 0.5)
		}
	}
	return bit(false)
}
