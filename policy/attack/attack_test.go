package attack

import (
	"math"
	"slices"
	"testing"

	"wellspring/frame"
)

// Nobody but the target is as it is known to be, worlds follow from their seeds, and the two bits make
// the same world but for the bit.
func TestWorld(t *testing.T) {
	for seed := range uint64(50) {
		w, other := NewWorld(seed, true), NewWorld(seed, false)
		all, others := w.All(), other.All()
		same, near, differ := 0, 0, 0
		for i, p := range all {
			if p.quasi() == w.Target.quasi() {
				same++
			}
			if p.Age == w.Target.Age && p.BMI == w.Target.BMI {
				near++
			}
			q := others[i]
			if p.HIV != q.HIV {
				differ++
			}
			p.HIV, p.CRP, q.HIV, q.CRP = false, 0, false, 0
			if p != q {
				t.Errorf("seed %d: row %d hangs on the target's bit", seed, i)
			}
		}
		if len(all) != Persons || same != 1 || near != 1 || differ != 1 {
			t.Errorf("seed %d: %d persons, %d as the target, %d of its age and bmi, %d differ", seed, len(all), same, near, differ)
		}
		if gone := w.Without().All(); len(gone) != Persons-1 || len(w.All()) != Persons {
			t.Errorf("seed %d: %d persons without the target", seed, len(gone))
		}
		if _, err := w.Tables(); err != nil {
			t.Error(err)
		}
	}
}

// Half of the coins show the bit, and few right guesses are luck.
func TestLuck(t *testing.T) {
	ones := 0
	for i := range Replicas {
		ones += coins >> i & 1
	}
	if ones != Replicas/2 {
		t.Errorf("%d of %d coins show 1", ones, Replicas)
	}
	for _, c := range []struct {
		right, n int
		want     float64
	}{{0, 0, 1}, {8, 8, 1. / 256}, {15, 16, 17. / 65536}, {8, 16, 0.598190307617188}} {
		if got := Luck(c.right, c.n); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("Luck(%d, %d) = %v, want %v", c.right, c.n, got, c.want)
		}
	}
	if got := wilson(5, 50, 1.959964); math.Abs((got.Low+1)/2-0.0434749) > 1e-6 || math.Abs((got.High+1)/2-0.2136022) > 1e-6 { // R: prop.test(5, 50, correct = FALSE)
		t.Errorf("Wilson's interval %+v", got)
	}
}

// A person's value is found just where its unit vector is a combination.
func TestOwn(t *testing.T) {
	y := []float64{3, 1, 4, 1.5, 9}
	tell := func(w ...float64) told { return told{w, dot(w, y)} }
	all, wards := tell(1, 1, 1, 1, 1), []told{tell(1, 1, 0, 0, 0), tell(0, 0, 1, 0, 0), tell(0, 0, 0, 1, 0)}
	if x, ok := own(append(wards, all), 4); !ok || math.Abs(x-9) > 1e-12 {
		t.Errorf("%v, %v", x, ok)
	}
	if x, ok := own(append(wards[1:], all), 4); ok {
		t.Errorf("found %v in what does not tell it", x)
	}
	if _, ok := own(nil, 4); ok {
		t.Error("found in nothing")
	}
}

// Every filter that strategies draw is one, and they tell apart what the solver thinks they do.
func TestDraw(t *testing.T) {
	q := NewWorld(1, true).Target.quasi()
	methods := map[string]int{}
	c, target := ways(q)
	for seed := range uint64(2000) {
		s := Draw(seed, q)
		if len(s) < 2 || len(s) > 6 {
			t.Fatalf("%d studies", len(s))
		}
		for i, one := range s {
			methods[one.Analysis.Method]++
			if _, err := frame.ParseFilter(one.Data.Where, Dictionary); err != nil {
				t.Errorf("%q: %v", one.Data.Where, err)
			}
			if again := Draw(seed, q)[i]; again.Data.Where != one.Data.Where {
				t.Error("strategies hang on more than the seed")
			}
		}
	}
	if len(methods) != 4 {
		t.Errorf("methods %v", methods)
	}
	if c.people[target].quasi() != q || slices.IndexFunc(c.people, func(p Person) bool { return p.quasi() == q }) != target {
		t.Error("the target is not among the ways to be, once")
	}
}
