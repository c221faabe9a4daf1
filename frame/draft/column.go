package draft

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	ws "wellspring"
	"wellspring/frame"
)

// Bounds of what is kept of a column.
const (
	maxLevels       = 40   // DataSHIELD's levels.max
	maxPublicLevels = 1000 // of a text column in public data
)

// A Column gathers, in bounded memory, what a dictionary may say of it.
type Column struct {
	name    string
	minCell int64

	rows     int64   // with a value
	lacks    bool    // some row has none
	text     bool    // some value is no number
	named    bool    // the file says that values identify
	fraction bool    // some number is not whole
	short    bool    // some number has fewer than 10 digits before its mark
	min, max float64 // of the numbers
	public   bool

	last    float64 // number of the file
	uneven  bool    // some number is not above the one before it in its file
	sum, sq float64 // Σx and Σx² of the numbers

	odd     int64       // values that are no number, as far as they were looked for
	firstly ws.Position // of the first of them

	texts    map[string]*int64 // rows of each text; nil once there are too many
	maxTexts int
	unfit    int64             // rows whose text could not name a level
	numbers  map[float64]int64 // rows of each number; nil once there are too many
}

func newColumn(name string, opt Options) *Column {
	c := &Column{name: name, minCell: int64(opt.MinCell), min: math.Inf(1), max: math.Inf(-1), public: opt.Public, last: math.Inf(-1),
		texts: map[string]*int64{}, maxTexts: maxLevels, numbers: map[float64]int64{}}
	if opt.Public {
		c.maxTexts = maxPublicLevels
	}
	return c
}

// Name is the column's name.
func (c *Column) Name() string { return c.name }

// Textual reports whether the column is known to hold texts, so that whether
// the next one reads as a number does not matter.
func (c *Column) Textual() bool { return c.text }

// maxOdd is how many values that are no number a column may have that seems to be meant as numbers.
const maxOdd = 5

// Doubtful reports whether it still matters of the next value, in a column that holds texts, whether
// it is a number.
func (c *Column) Doubtful() bool { return c.odd <= maxOdd }

// Odd says that the next value is no number, and where it stands.
func (c *Column) Odd(at ws.Position) {
	if c.odd++; c.odd == 1 {
		c.firstly = at
	}
}

// fewLevels is how many values a column of codes may have, of which some are words.
const fewLevels = 10

// stray reports whether the column was taken for text for the sake of a few values that
// are no numbers among many that are.
func (c *Column) stray() bool {
	return c.odd > 0 && c.odd <= maxOdd && c.rows >= 20*c.odd && !c.named && (c.texts == nil || len(c.texts)+int(c.unfit) > fewLevels)
}

// Identify says that the values cannot be used in a study, whatever they are.
func (c *Column) Identify() { c.named = true }

// Missing says that a row has no value.
func (c *Column) Missing() { c.lacks = true }

// Text takes a value that is no number into account, as it stands.
func (c *Column) Text(text []byte) {
	c.rows++
	c.text = true
	c.seeText(text)
}

// Number takes a number into account, and the text that it stands in.
func (c *Column) Number(x float64, text []byte) {
	c.rows++
	c.seeText(text)
	c.see(x)
}

// Value is Number of a file that stores numbers as such: the text is that of
// [frame.LevelOf]. NaN is no value.
func (c *Column) Value(x float64) {
	if x != x {
		c.Missing()
		return
	}
	c.rows++
	if c.texts != nil {
		c.seeText([]byte(frame.LevelOf(x)))
	}
	c.see(x)
}

func (c *Column) see(x float64) {
	c.fraction = c.fraction || x != math.Trunc(x)
	c.short = c.short || math.Abs(x) < 1e9
	c.uneven = c.uneven || x <= c.last
	c.last, c.sum, c.sq = x, c.sum+x, c.sq+float64(x*x)
	c.min, c.max = min(c.min, x), max(c.max, x)
	if c.numbers != nil {
		if c.numbers[x]++; len(c.numbers) > maxLevels {
			c.numbers = nil
		}
	}
}

func (c *Column) seeText(field []byte) {
	if c.texts == nil {
		return
	}
	if rows, known := c.texts[string(field)]; known {
		*rows++
		return
	}
	if text := string(field); Fits(text) {
		one := int64(1)
		c.texts[text] = &one
	} else {
		c.unfit++
	}
	if len(c.texts)+int(c.unfit) > c.maxTexts {
		c.texts = nil
	}
}

// MaxName bounds the characters of a column's or level's name.
const MaxName = 200

// Fits reports whether a text can name a column or a level: one line without
// control characters, not too long.
func Fits(s string) bool {
	return utf8.RuneCountInString(s) <= MaxName && strings.TrimSpace(s) != "" && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' })
}

// draft says what the column seems to be.
func (c *Column) draft() frame.Column {
	d := frame.Column{Name: c.name}
	switch {
	case c.named:
		d.Type = frame.Identifier
	case c.rows == 0:
		d.Type = frame.Real
	case c.text:
		c.draftText(&d)
	case !c.fraction && c.numbersIdentify():
		d.Type = frame.Identifier
	default:
		c.draftNumeric(&d)
	}
	d.Required = d.Type != frame.Identifier && c.rows > 0 && !c.lacks
	return d
}

// nearlyAll reports whether so many values that differ are 95 % of the rows.
func (c *Column) nearlyAll(distinct int) bool { return float64(distinct) >= 0.95*float64(c.rows) }

func (c *Column) numbersIdentify() bool {
	if max(-c.min, c.max) >= 1e14 {
		return true // 15 digits
	}
	return !c.short && (c.numbers == nil || c.nearlyAll(len(c.numbers))) || c.numbers == nil && !c.public && c.running()
}

// running reports whether whole numbers count the records: they rise from row to
// row of every file, or are those from min to max, each once in any order, as
// their number, sum and sum of squares say.
func (c *Column) running() bool {
	n := float64(c.rows)
	mean := (c.min + c.max) / 2
	return !c.uneven || c.max-c.min == n-1 && c.sum == n*mean && c.sq == n*(mean*mean+(n*n-1)/12)
}

func (c *Column) draftText(d *frame.Column) {
	d.Type = frame.Factor
	for text, rows := range c.texts {
		if *rows >= c.minCell {
			d.Levels = append(d.Levels, text)
		}
	}
	distinct := len(c.texts) + int(c.unfit)
	if c.texts == nil || c.nearlyAll(distinct) && (distinct > maxLevels || len(d.Levels) == 0) {
		*d = frame.Column{Name: c.name, Type: frame.Identifier}
		return
	}
	if len(d.Levels) < distinct {
		d.Other = true
		d.Levels = slices.DeleteFunc(d.Levels, func(l string) bool { return l == frame.OtherLevel })
	}
	slices.Sort(d.Levels)
}

func (c *Column) draftNumeric(d *frame.Column) {
	d.Type = frame.Real
	if !c.fraction {
		d.Type = frame.Integer
	}
	d.Min, d.Max = outward(c.min, c.max, !c.fraction)
	if c.fraction || c.numbers == nil {
		return
	}
	switch {
	case c.min >= 0 && c.max <= 1:
		d.Min, d.Max = 0, 1
	case c.min >= 1 && c.max <= 2:
		d.Min, d.Max = 1, 2
	default:
		if c.numbers[c.min] >= c.minCell {
			d.Min = c.min
		}
		if c.numbers[c.max] >= c.minCell {
			d.Max = c.max
		}
	}
	for _, x := range slices.Sorted(maps.Keys(c.numbers)) {
		if c.numbers[x] >= c.minCell {
			d.Levels = append(d.Levels, frame.LevelOf(x))
		}
	}
}

// outward returns the bounds next to [lo, hi], on the outside, of the grid
// whose step is the least of 1, 2 or 5 times a power of ten that is no less
// than (hi − lo)/20; of whole numbers, no less than 1.
func outward(lo, hi float64, whole bool) (float64, float64) {
	step := hi/20 - lo/20
	if step == 0 {
		step = math.Abs(lo) / 20
	}
	if step < 1e-300 { // also 0, of a column of zeros
		return lo, hi
	}
	power := int(math.Floor(math.Log10(step)))
	digit := 10.0
	for _, m := range []float64{5, 2, 1} {
		if m >= step/math.Pow10(power) {
			digit = m
		}
	}
	if whole && power < 0 {
		digit, power = 1, 0
	}
	step = digit * math.Pow10(power)
	return min(lo, grid(math.Floor(lo/step)*digit, power)), max(hi, grid(math.Ceil(hi/step)*digit, power))
}

// grid returns x·10^power, rounded once, so that it prints as short as it is;
// the largest float64 in place of infinity.
func grid(x float64, power int) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 0, 64)+"e"+strconv.Itoa(power), 64)
	return max(-math.MaxFloat64, min(math.MaxFloat64, y+0))
}
