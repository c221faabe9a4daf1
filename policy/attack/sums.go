package attack

import (
	"fmt"
	"math/rand/v2"
	"strings"

	ws "wellspring"
)

// leaveOneOut: Σ over all, less Σ over all but the target.
func leaveOneOut(s *siege) (Finding, error) { return s.without("age >= 18") }

// without is the difference of the sums over a cohort and over it less the target.
func (s *siege) without(where string) (Finding, error) {
	all, err := s.sumOf(where, "hdl")
	if err != nil {
		return Finding{}, err
	}
	rest, err := s.sumOf(where+" and "+not(s.k.Target.where()), "hdl")
	if err != nil {
		return Finding{}, err
	}
	return value(all - rest)
}

// repeatedSubsets: the whole, less two wards, less the others but the target. No two
// of the four lie near.
func repeatedSubsets(s *siege) (Finding, error) {
	own := s.k.Target.Ward
	var others []string
	for _, ward := range Dictionary[2].Levels {
		if ward != own {
			others = append(others, ward)
		}
	}
	parts := []string{"age >= 18", fmt.Sprintf("ward = '%s'", others[0]), fmt.Sprintf("ward = '%s'", others[1]),
		fmt.Sprintf("ward in ('%s', '%s') and %s", others[2], own, not(s.k.Target.where()))}
	left := 0.0
	for i, where := range parts {
		x, err := s.sumOf(where, "hdl")
		if err != nil {
			return Finding{}, err
		}
		if i == 0 {
			left = x
		} else {
			left -= x
		}
	}
	return value(left)
}

// cellsAndWhole: two wards together, and then all wards one by one without the
// target: of the later study two cells make up the earlier one but for it.
func cellsAndWhole(s *siege) (Finding, error) {
	own, other := s.k.Target.Ward, Dictionary[2].Levels[0]
	whole, err := s.sumOf(fmt.Sprintf("ward in ('%s', '%s')", own, other), "hdl")
	if err != nil {
		return Finding{}, err
	}
	doc, err := s.must(not(s.k.Target.where()), describe("ward", "hdl"))
	if err != nil {
		return Finding{}, err
	}
	a, ok1 := sum(doc.All()[0], "hdl", own)
	b, ok2 := sum(doc.All()[0], "hdl", other)
	if !ok1 || !ok2 {
		return Finding{}, errGaveUp
	}
	return value(whole - a - b)
}

// linearSystem: cohorts that overlap, of which no two or three lie near, and whose sums give the
// target's value all the same: each three wards of the four, the last three without the target, are three times
// the whole less the target.
func linearSystem(s *siege) (Finding, error) {
	wards := Dictionary[2].Levels
	left, err := s.sumOf("age >= 18", "hdl")
	if err != nil {
		return Finding{}, err
	}
	left *= 3
	done := false
	for _, out := range wards {
		where := fmt.Sprintf("ward != '%s'", out)
		if !done && out != s.k.Target.Ward {
			where += " and " + not(s.k.Target.where())
			done = true
		}
		x, err := s.sumOf(where, "hdl")
		if err != nil {
			return Finding{}, err
		}
		left -= x
	}
	return value(left)
}

// reconstruction: small groups by age and sex, and the target; each study is of a random half of these. None lies near
// another, nor to what few others add up to; and as many studies as there are unknown sums give every one.
func reconstruction(s *siege) (Finding, error) {
	parts := []string{s.k.Target.where()}
	for age := 43; age < 75; age++ {
		for _, sex := range Dictionary[1].Levels {
			part := fmt.Sprintf("(age = %d and sex = '%s')", age, sex)
			if age == s.k.Target.Age && sex == s.k.Target.Sex {
				part = fmt.Sprintf("(age = %d and sex = '%s' and %s)", age, sex, not(s.k.Target.where()))
			}
			parts = append(parts, part)
		}
	}
	rng := rand.New(rand.NewPCG(3, 20))
	var left [][]float64
	var right []float64
	for len(left) < len(parts) {
		row, in := make([]float64, len(parts)), []string(nil)
		for i, part := range parts {
			if rng.IntN(2) == 1 {
				row[i], in = 1, append(in, part)
			}
		}
		doc, err := s.ask(strings.Join(in, " or "), describe("", "hdl"))
		if err != nil {
			return Finding{}, err
		}
		if doc == nil { // another half may do
			if s.refused > 4 {
				return Finding{}, errGaveUp
			}
			continue
		}
		x, ok := sum(doc.All()[0], "hdl", "")
		if !ok {
			return Finding{}, errGaveUp
		}
		left, right = append(left, row), append(right, x)
	}
	sums, err := linear(left, right)
	if err != nil {
		return Finding{}, err
	}
	return value(sums[0])
}

// countsBeside counts rows with the bit: all, those of two wards, those of the others but the
// target; each in a description of another column.
func countsBeside(s *siege) (Finding, error) {
	wards := "ward in ('north', 'east')"
	if s.k.Target.Ward == "north" || s.k.Target.Ward == "east" {
		wards = "ward in ('south', 'west')"
	}
	var n [3]float64
	for i, c := range [][2]string{{"hiv = 1", "age"}, {"hiv = 1 and " + wards, "bmi"}, {"hiv = 1 and not (" + wards + ") and " + not(s.k.Target.where()), "time"}} {
		var err error
		if n[i], err = s.count(c[0], c[1]); err != nil {
			return Finding{}, err
		}
	}
	return bit(n[0]-n[1]-n[2] > 0.5)
}

// tracker counts rows with the bit in a padding of a ward, with the target and
// without.
func tracker(s *siege) (Finding, error) {
	pad := fmt.Sprintf("ward != '%s'", s.k.Target.Ward)
	with, err := s.count(fmt.Sprintf("hiv = 1 and (%s or %s)", pad, s.k.Target.where()), "age")
	if err != nil {
		return Finding{}, err
	}
	without, err := s.count("hiv = 1 and "+pad, "age")
	if err != nil {
		return Finding{}, err
	}
	return bit(with-without > 0.5)
}

// colleagues ask for each other.
func colleagues(s *siege) (Finding, error) { return leaveOneOut(s) }

func twoInstitutions(s *siege) (Finding, error) {
	all, err := s.sumOf("age >= 18", "hdl")
	if err != nil {
		return Finding{}, err
	}
	s.asker = ws.Institution("clinic")
	rest, err := s.sumOf(not(s.k.Target.where()), "hdl")
	if err != nil {
		return Finding{}, err
	}
	return value(all - rest)
}

// colludingSite takes the target off together with many whose values the site
// gives.
func colludingSite(s *siege) (Finding, error) {
	var named []string
	known := 0.0
	for _, p := range s.k.Rows[:2*int(s.k.Policy.MinCell)+2] {
		named = append(named, p.quasi().where())
		known += p.HDL
	}
	all, err := s.sumOf("age >= 18", "hdl")
	if err != nil {
		return Finding{}, err
	}
	rest, err := s.sumOf(not("("+strings.Join(append(named, s.k.Target.where()), " or ")+")"), "hdl")
	if err != nil {
		return Finding{}, err
	}
	return value(all - rest - known)
}

// versions asks before the target is gone, and after.
func versions(s *siege) (Finding, error) {
	all, err := s.sumOf("age >= 18", "hdl")
	if err != nil {
		return Finding{}, err
	}
	if err := s.target.NextVersion(s.ctx); err != nil {
		return Finding{}, err
	}
	rest, err := s.sumOf("age >= 18", "hdl")
	if err != nil {
		return Finding{}, err
	}
	return value(all - rest)
}
