package attack

import (
	"context"
	"math"

	ws "wellspring"
	"wellspring/policy"
)

// Replicas is in how many worlds an attack on a bit is played.
const Replicas = 16

// Tolerance is how near a number must be guessed, relatively.
const Tolerance = 1e-6

// Chance is under which probability of guessing as well by luck guesses count.
const Chance = 0.01

// Open makes a network of a world, guarded or not; close ends it.
type Open func(w World, p policy.Policy, guarded bool) (t Target, done func() error, err error)

// An Outcome is what became of an attack.
type Outcome struct {
	Succeeds bool `json:"succeeds"`
	// Guesses is in how many worlds it guessed, Right how often rightly, of Worlds.
	Guesses int `json:"guesses"`
	Right   int `json:"right"`
	Worlds  int `json:"worlds"`
	Asked   int `json:"asked"` // studies, over all worlds
	Refused int `json:"refused"`
}

// A Line is one attack with the guard off and on.
type Line struct {
	ID     string  `json:"id"`
	Title  ws.Text `json:"title"`
	Source string  `json:"source,omitempty"`
	Off    Outcome `json:"off"`
	On     Outcome `json:"on"`
	// Limit says why an attack may succeed with the guard on.
	Limit *ws.Text `json:"limit,omitempty"`
	// Open says that it does succeed, as far as is known, and should not.
	Open bool `json:"open,omitempty"`
}

// Holds reports whether the line is as it should be.
func (l Line) Holds() bool { return l.Off.Succeeds && (!l.On.Succeeds || l.Limit != nil) }

// Run plays attacks, each with the guard off and on, and shows each line as it comes.
func Run(ctx context.Context, attacks []Attack, open Open, show func(Line)) ([]Line, error) {
	var out []Line
	for _, a := range attacks {
		l := Line{ID: a.ID, Title: a.Title, Source: a.Source, Open: a.Open}
		if !a.Limit.IsZero() {
			l.Limit = &a.Limit
		}
		var err error
		if l.Off, err = a.Play(ctx, open, policy.Public(), false); err != nil {
			return out, err
		}
		if l.On, err = a.Play(ctx, open, policy.Default(), true); err != nil {
			return out, err
		}
		out = append(out, l)
		if show != nil {
			show(l)
		}
	}
	return out, nil
}

// Play plays an attack in as many worlds as it takes to tell success from luck.
func (a Attack) Play(ctx context.Context, open Open, p policy.Policy, guarded bool) (Outcome, error) {
	o := Outcome{Worlds: 1}
	if a.Bit {
		o.Worlds = Replicas
	}
	for i := range o.Worlds {
		w := NewWorld(uint64(i), coins>>i&1 == 1)
		f, err := a.once(ctx, open, w, p, guarded)
		if err != nil {
			return o, err
		}
		o.Asked, o.Refused = o.Asked+f.Asked, o.Refused+f.Refused
		if f.Of != Nothing {
			o.Guesses++
		}
		if f.Of == Value && math.Abs(f.Value-w.Target.HDL) <= Tolerance*w.Target.HDL || f.Of == Bit && f.Bit == w.Target.HIV {
			o.Right++
		}
	}
	o.Succeeds = o.Right > 0
	if a.Bit {
		o.Succeeds = Luck(o.Right, o.Guesses) < Chance
	}
	return o, nil
}

// coins are the targets' bits, thrown once for all: eight of the sixteen are 1.
const coins = 0b0110_1001_1100_0101

func (a Attack) once(ctx context.Context, open Open, w World, p policy.Policy, guarded bool) (Finding, error) {
	t, done, err := open(w, p, guarded)
	if err != nil {
		return Finding{}, err
	}
	f, err := a.Run(ctx, t, w.Knows(p))
	if closed := done(); err == nil {
		err = closed
	}
	return f, err
}

// Luck is the probability of so many right guesses of n, or more, by fair coins.
func Luck(right, n int) float64 {
	p, c := 0.0, 1.0 // c = n over k
	for k := 0; k <= n; k++ {
		if k >= right {
			p += c
		}
		c = c * float64(n-k) / float64(k+1)
	}
	return p / math.Pow(2, float64(n))
}
