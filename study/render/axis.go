package render

import (
	"math"
	"strconv"
)

// A scale takes numbers to pixels.
type scale struct {
	lo, hi   float64
	from, to float64 // pixels
	log      bool
}

// at returns where x stands; what lies beyond an end stands at that end.
func (s scale) at(x float64) float64 {
	lo, hi := s.lo, s.hi
	if s.log {
		lo, hi, x = math.Log(lo), math.Log(hi), math.Log(x)
	}
	part := (x/2 - lo/2) / (hi/2 - lo/2) // halves, so that no difference overflows
	if math.IsNaN(part) {
		part = 0
	}
	return s.from + min(max(part, 0), 1)*(s.to-s.from)
}

// linearTicks returns about n round numbers within [lo, hi], steps of 1, 2 or
// 5 times a power of ten.
func linearTicks(lo, hi float64, n int) []float64 {
	if !(hi > lo) || !finite(hi-lo) {
		return []float64{lo}
	}
	raw := (hi - lo) / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*0.999 {
			step = m * power
			break
		}
	}
	var ticks []float64
	for k := math.Ceil(lo/step - 1e-9); k <= math.Floor(hi/step+1e-9) && len(ticks) <= 4*n; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks
}

// logTicks returns round numbers within [lo, hi], as many as can be read.
func logTicks(lo, hi float64) []float64 {
	decades := math.Log10(hi / lo)
	marks := []float64{1, 2, 5}
	switch {
	case decades < 0.5:
		return linearTicks(lo, hi, 5)
	case decades < 0.9:
		marks = []float64{1, 1.5, 2, 3, 4, 5, 7}
	case decades > 3:
		marks = []float64{1}
	}
	every := max(1, math.Ceil(decades/8))
	var ticks []float64
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		if math.Mod(e, every) != 0 {
			continue
		}
		for _, m := range marks {
			if x := m * math.Pow(10, e); x >= lo*0.999 && x <= hi*1.001 {
				ticks = append(ticks, x)
			}
		}
	}
	return ticks
}

// tickLabel writes a tick with no more digits than it has.
func tickLabel(x float64) string {
	a := math.Abs(x)
	if a != 0 && (a >= 1e7 || a < 1e-4) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	return short(x, 6)
}
