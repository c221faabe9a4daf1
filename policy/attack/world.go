package attack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
)

// Dictionary is that of every hospital.
var Dictionary = frame.Dictionary{
	{Name: "age", Type: frame.Integer, Min: 18, Max: 95, Required: true},
	{Name: "sex", Type: frame.Factor, Levels: []string{"F", "M"}, Required: true},
	{Name: "ward", Type: frame.Factor, Levels: []string{"north", "east", "south", "west"}, Required: true},
	{Name: "bmi", Type: frame.Real, Min: 10, Max: 60, Required: true},
	{Name: "smoke", Type: frame.Factor, Levels: []string{"no", "yes"}},
	{Name: "crp", Type: frame.Real, Min: 0, Max: 50},
	{Name: "hdl", Type: frame.Real, Min: 0.2, Max: 4, Required: true},
	{Name: "hiv", Type: frame.Integer, Min: 0, Max: 1, Levels: []string{"0", "1"}, Required: true},
	{Name: "time", Type: frame.Integer, Min: 1, Max: 400, Required: true},
	{Name: "event", Type: frame.Integer, Min: 0, Max: 1, Levels: []string{"0", "1"}, Required: true},
}

// The size of a world.
const (
	Hospitals = 4
	Persons   = 500
	home      = 2 // the target's hospital
	colluder  = 0 // whose rows the attacker has, where a site colludes
)

// A Person is one row.
type Person struct {
	Age       int
	Sex, Ward string
	BMI       float64 // one decimal
	Smoke     string  // "" where missing
	CRP       float64 // NaN where missing
	HDL       float64
	HIV       bool
	Time      int
	Event     bool
}

// A World is the rows of the hospitals, and who among them is the target.
type World struct {
	Rows   [Hospitals][]Person
	Target Person
}

// NewWorld makes the world of a seed; the target's hiv is the bit. Two that differ in the bit alone
// are the same but for it.
func NewWorld(seed uint64, hiv bool) World {
	rng := rand.New(rand.NewPCG(seed, 500))
	var w World
	w.Target = Person{Age: 67, Sex: "M", Ward: "south", BMI: 31.7, Smoke: "yes", CRP: 4.2, HDL: 0.9 + rng.Float64(), HIV: hiv, Time: 211, Event: true}
	for i := range Persons - 1 {
		p := draw(rng)
		for p.Age == w.Target.Age && (p.Ward == w.Target.Ward || p.BMI == w.Target.BMI) {
			p = draw(rng)
		}
		w.Rows[i%Hospitals] = append(w.Rows[i%Hospitals], p)
	}
	w.Rows[home] = slices.Insert(w.Rows[home], rng.IntN(len(w.Rows[home])), w.Target)
	return w
}

// draw makes a person of whom each column depends a little on others.
func draw(rng *rand.Rand) Person {
	pick := func(levels []string) string { return levels[rng.IntN(len(levels))] }
	p := Person{Age: min(max(int(math.Round(58+16*rng.NormFloat64())), 18), 95), Sex: pick(Dictionary[1].Levels), Ward: pick(Dictionary[2].Levels),
		Smoke: pick(Dictionary[4].Levels), CRP: math.NaN(), Time: 1 + rng.IntN(400), Event: rng.IntN(2) == 0}
	p.BMI = math.Round(10*min(max(26+4*rng.NormFloat64(), 15), 45)) / 10
	p.HDL = min(max(1.4+0.3*rng.NormFloat64()-0.01*(p.BMI-26), 0.4), 3)
	p.HIV = rng.Float64() < 0.4
	if rng.Float64() < 0.9 {
		p.CRP = min(8*rng.Float64()+p.BMI/10, 50)
	}
	if rng.Float64() < 0.1 {
		p.Smoke = ""
	}
	return p
}

// Without is the world without the target.
func (w World) Without() World {
	w.Rows[home] = slices.DeleteFunc(slices.Clone(w.Rows[home]), func(p Person) bool { return p == w.Target })
	return w
}

// All are the persons of all hospitals.
func (w World) All() []Person { return slices.Concat(w.Rows[:]...) }

// Tables are the rows of each hospital.
func (w World) Tables() ([]*table.Table, error) {
	var out []*table.Table
	for _, rows := range w.Rows {
		columns := make([]frame.Values, len(Dictionary))
		for _, p := range rows {
			for i, c := range Dictionary {
				if c.Type == frame.Factor {
					columns[i].Code = append(columns[i].Code, int32(slices.Index(c.Levels, p.text(c.Name))))
				} else {
					columns[i].Real = append(columns[i].Real, p.number(c.Name))
				}
			}
		}
		t, err := table.New(Dictionary, columns)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (p Person) text(column string) string {
	switch column {
	case "sex":
		return p.Sex
	case "ward":
		return p.Ward
	}
	return p.Smoke
}

func (p Person) number(column string) float64 {
	one := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	return map[string]float64{"age": float64(p.Age), "bmi": p.BMI, "crp": p.CRP, "hdl": p.HDL, "hiv": one(p.HIV), "time": float64(p.Time), "event": one(p.Event)}[column]
}

// A Quasi is what the attacker knows of somebody.
type Quasi struct {
	Age       int
	Sex, Ward string
	BMI       float64
}

func (p Person) quasi() Quasi { return Quasi{p.Age, p.Sex, p.Ward, p.BMI} }

// where is the filter for whoever has all of it.
func (q Quasi) where() string {
	return fmt.Sprintf("(age = %d and sex = '%s' and ward = '%s' and bmi = %v)", q.Age, q.Sex, q.Ward, q.BMI)
}

// Knowledge is what the attacker has before the first study.
type Knowledge struct {
	Target Quasi
	Policy policy.Policy // limits are public
	// Rows are those of a hospital that colludes.
	Rows []Person
}

// Knows gives the knowledge of the attacker.
func (w World) Knows(p policy.Policy) Knowledge {
	return Knowledge{Target: w.Target.quasi(), Policy: p, Rows: w.Rows[colluder]}
}
