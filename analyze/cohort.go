package analyze

import (
	"fmt"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/stat"
)

// Where a limit holds, a study is held to what its asker was answered before: its
// cohorts are the rows that the filter leaves, those of each row set, and those of each cell in
// it that a factor, a comparison or a number of two values makes, or a histogram's bins up to an edge. Sites remember which rows
// these were (see [Memory]); package near says which lie too near to each other. Where round 0 has counted
// cohorts whose sizes fit, a sum of how much they differ is opened before any moment is.

// A Memory is what one site remembers of the cohorts on which it answered a group of
// askers. It outlives the run.
type Memory interface {
	// Reserve remembers the cohorts of the run at hand, and which rows of the
	// site they are, before the site answers anything of them; of a cohort that has those of another too, the
	// rows beyond these.
	Reserve(now []near.Cohort, rows []*roaring.Bitmap) error
	// Distances compares cohorts of the run at hand, which were reserved, with earlier ones,
	// and gives for each ask how many rows of the site differ, up to most.
	Distances(asks []near.Ask, earlier []near.Cohort, most int64) ([]int64, error)
	// Overlaps counts the rows that the cohorts of a span have in common, in its order.
	Overlaps(span near.Span, earlier []near.Cohort) ([]int64, error)
	// Shares sums over the rows their shares in each rest, as [near.Rest.Share], and says of which of them a row's
	// leverage passes the limit.
	Shares(rests near.Rests, earlier []near.Cohort, k int64, leverage float64) (shares []float64, passed []bool, err error)
}

// A cohort is one of a program's, by where its rows are found.
type cohort struct {
	near.Definition
	part, frame int // −1: the rows that the filter leaves
	partition   int // of the frame's; −1 for all its rows
	cell        int
	cut         bool
	after       int // of a cut's: 1 + the cohort whose rows it has besides those of its cell; 0 for none
}

// A partition parts the rows of a frame by factors, or by the values of numbers, each of which has
// two, or by a cut.
type partition struct {
	factors []int
	truths  []formula.Truth
	cut     int // 1 + that of the frame's; 0 for none
}

// maxPartition bounds the cells of a partition that are remembered one by one.
const maxPartition = 2048

// partitions lists how the rows of g are parted by what is told of them.
func (g guarded) partitions() (out []partition) {
	for i := range g.frame.Factors() {
		out = append(out, partition{factors: []int{i}})
	}
	for _, set := range g.cross {
		out = append(out, partition{factors: set})
	}
	for _, t := range g.twos {
		out = append(out, partition{truths: []formula.Truth{t}})
	}
	for _, t := range g.truths {
		out = append(out, partition{truths: []formula.Truth{t}})
	}
	if len(g.truths) > 1 {
		out = append(out, partition{truths: g.truths})
	}
	for i := range g.cuts {
		out = append(out, partition{cut: i + 1})
	}
	return out
}

// twos are the columns of two values that f reads as numbers, alone or within arithmetic, and that are
// not counted with its comparisons, and other numbers that are 0 or 1, such as the product of two of them:
// what has a mean is then a count. of is as formula.Frame.WithTwos gives it.
func twos(f *formula.Frame, of []int, truths []formula.Truth) (out []formula.Truth) {
	for i, x := range f.Numeric() {
		product := x.Whole && x.Lo == 0 && x.Hi == 1 && i < len(of) && of[i] < 0
		if (x.Two() || product) && !compared(truths, i) {
			out = append(out, formula.Truth{Name: x.Name, Column: x.Column, Numeric: i, Factor: -1, One: x.Hi})
		}
	}
	return out
}

// partitionCells is how many cells p has.
func (g guarded) partitionCells(p partition) int {
	switch {
	case p.cut > 0:
		return g.cutCells(g.cuts[p.cut-1])
	case len(p.truths) > 0:
		return 1 << len(p.truths)
	}
	return g.cells(p.factors)
}

// cellOf is the cell of row r.
func (g guarded) cellOf(p partition, v formula.Values, r int) int {
	switch {
	case p.cut > 0:
		return g.cutCell(g.cuts[p.cut-1], v, r)
	case len(p.truths) > 0:
		return truthOf(p.truths, v, r)
	}
	return g.cell(p.factors, v, r)
}

// findCohorts lists the cohorts of the program, each once; none where no limit holds.
func (p *Program) findCohorts() error {
	if p.facts.Policy.MinCell <= 1 {
		return nil
	}
	b := binder{scope: p.scope, at: map[string]int{}}
	b.add(cohort{part: -1, frame: -1, partition: -1}, nil)
	for i, part := range p.parts {
		for j := range part.guarded {
			part.guarded[j].sets = part.guarded[j].partitions()
			g := part.guarded[j]
			complete := b.complete(g)
			rows := near.Definition{Reads: g.frame.Columns()}
			var err error
			if rows.Functions, err = p.weigh(b, i, j, complete); err != nil {
				return err
			}
			b.add(cohort{part: i, frame: j, partition: -1, Definition: rows}, complete)
			for k, set := range g.sets {
				cells := g.partitionCells(set)
				if cells > maxPartition {
					return ws.Errorf(ws.Withheld, part.analysis.Label(), ws.T("it parts the rows into more than %d cells, too many to be remembered", "划分出的单元超过 %d 个，无法逐一记录", maxPartition)).
						WithHint(ws.T("cross fewer factors, or ask for fewer bins", "请减少交叉的分类变量，或减少直方图的分组数"))
				}
				if set.cut > 0 {
					b.cut(cohort{part: i, frame: j, partition: k}, g, g.cuts[set.cut-1], complete)
					continue
				}
				for c := range cells {
					nodes, other := b.cell(g, set, c)
					b.add(cohort{part: i, frame: j, partition: k, cell: c, Definition: near.Definition{Else: other, Reads: g.frame.Columns()}}, append(slices.Clone(complete), nodes...))
				}
			}
		}
	}
	if len(b.list) > near.MaxCohorts {
		return ws.Errorf(ws.Withheld, "study", ws.T("it parts the rows into more than %d cells, too many to be remembered", "划分出的单元超过 %d 个，无法逐一记录", near.MaxCohorts)).
			WithHint(ws.T("ask for fewer analyses in one study", "请在一项研究中减少分析的数量"))
	}
	p.cohorts = b.list
	return nil
}

// A binder writes definitions.
type binder struct {
	scope
	list []cohort
	at   map[string]int // by what rows they are
}

func (b *binder) add(c cohort, nodes []frame.Node) {
	c.Where = b.where.String()
	c.Rows = b.text(nodes)
	c.Reads = slices.Clone(c.Reads)
	if !c.cut && !lacking(b.where.Root) && !slices.ContainsFunc(nodes, lacking) {
		c.Reads = append(c.Reads, near.Count)
	}
	slices.Sort(c.Reads)
	c.Reads = slices.Compact(c.Reads)
	key := c.Rows + "\x00" + c.Else
	if c.cut { // what is told of one cut may be joined in another
		key = fmt.Sprint(c.part, c.frame, c.partition, c.cell)
	}
	if i, known := b.at[key]; known {
		reads := append(slices.Clone(b.list[i].Reads), c.Reads...)
		slices.Sort(reads)
		b.list[i].Reads = slices.Compact(reads)
		b.list[i].Functions = near.Join(b.list[i].Functions, c.Functions...)
		return
	}
	b.at[key] = len(b.list)
	b.list = append(b.list, c)
}

// lacking reports whether rows are chosen by what they do not lack.
func lacking(n frame.Node) bool {
	switch n := n.(type) {
	case *frame.Missing:
		return n.Not
	case *frame.And:
		return slices.ContainsFunc(n.Nodes, lacking)
	}
	return false
}

// counted gives the cohorts with their sizes over all sites, once round 0 has
// counted them.
func (p *Program) counted(s progress) []near.Cohort {
	out := make([]near.Cohort, len(p.cohorts))
	for i, c := range p.cohorts {
		out[i] = near.Cohort{Index: i, Sites: p.facts.Sites, Definition: c.Definition, Part: c.part}
		if c.part < 0 {
			out[i].Persons = s.Parts[0].Totals[0].Rows
			continue
		}
		g, t := p.parts[c.part].guarded[c.frame], s.Parts[c.part].Totals[c.frame]
		if c.partition < 0 {
			out[i].Persons = t.Complete
			continue
		}
		out[i].Persons = g.cellPersons(g.sets[c.partition], c.cell, t, p.facts.Policy)
	}
	return out
}

// cellPersons is how many persons a cell of a partition has.
func (g guarded) cellPersons(p partition, cell int, t Totals, pol policy.Policy) int64 {
	if p.cut > 0 {
		return g.cuts[p.cut-1].upTo(t.Cuts[p.cut-1], cell, pol)
	}
	if len(p.truths) == 0 {
		n, _ := g.persons(p.factors, t)
		return n[cell]
	}
	if i := slices.Index(g.twos, p.truths[0]); i >= 0 {
		return []int64{t.Complete - t.Ones[i], t.Ones[i]}[cell]
	}
	if len(p.truths) > 1 {
		return t.Truths[cell]
	}
	i := slices.Index(g.truths, p.truths[0])
	n := int64(0)
	for c, persons := range t.Truths {
		if c>>i&1 == cell {
			n += persons
		}
	}
	return n
}

// A collector finds which rows of a site are in each cohort of a program, while round 0
// counts them.
type collector struct {
	mu     sync.Mutex
	rows   []*roaring.Bitmap // by cohort
	frames map[[2]int]*framed
}

// A framed is a frame with the cohorts that are found in it.
type framed struct {
	guarded
	into  *collector
	first bool    // its rows before any is missing are those that the filter leaves
	all   int     // the cohort of all its rows; −1 if an earlier frame has it
	cells [][]int // the cohort of each cell, by partition; −1 likewise
}

func (p *Program) collect() *collector {
	c := &collector{rows: make([]*roaring.Bitmap, len(p.cohorts)), frames: map[[2]int]*framed{}}
	for i := range c.rows {
		c.rows[i] = roaring.New()
	}
	for i, part := range p.parts {
		for j, g := range part.guarded {
			f := &framed{guarded: g, into: c, first: i+j == 0, all: -1}
			for _, set := range f.sets {
				f.cells = append(f.cells, slices.Repeat([]int{-1}, g.partitionCells(set)))
			}
			c.frames[[2]int{i, j}] = f
		}
	}
	for i, one := range p.cohorts {
		f := c.frames[[2]int{one.part, one.frame}]
		switch {
		case one.part < 0:
		case one.partition < 0:
			f.all = i
		default:
			f.cells[one.partition][one.cell] = i
		}
	}
	return c
}

// watch has the folds of round 0 show their rows.
func (c *collector) watch(ps []piece) {
	for i := range ps {
		seen := c.frames[ps[i].at]
		ps[i].fold = func() (Fold, error) {
			f := seen.countFold()
			f.seen = seen
			return f, nil
		}
	}
}

// take adds the rows of one batch, of which v holds the complete ones.
func (f *framed) take(b frame.Batch, v formula.Values) {
	places := b.Places
	if v.Kept != nil {
		places = make([]uint32, v.Rows)
		for r, k := range v.Kept {
			places[r] = b.Places[k]
		}
	}
	if f.first {
		f.into.add(0, b.Places)
	}
	f.into.add(f.all, places)
	for k, cells := range f.cells {
		if !slices.ContainsFunc(cells, func(c int) bool { return c >= 0 }) {
			continue
		}
		parts := make([][]uint32, len(cells))
		for r := range v.Rows {
			cell := f.cellOf(f.sets[k], v, r)
			parts[cell] = append(parts[cell], places[r])
		}
		for cell, own := range parts {
			f.into.add(cells[cell], own)
		}
	}
}

func (c *collector) add(cohort int, places []uint32) {
	if cohort < 0 || len(places) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows[cohort].AddMany(places)
}

// remember has a site's memory take in what was collected.
func (p *Program) remember(c *collector, m Memory) error {
	now := make([]near.Cohort, len(p.cohorts))
	for i, one := range p.cohorts {
		now[i] = near.Cohort{Index: i, Persons: near.Unknown, Sites: p.facts.Sites, Definition: one.Definition, After: one.after}
	}
	for _, rows := range c.rows {
		rows.RunOptimize()
	}
	return m.Reserve(now, c.rows)
}

// nearShape has for each comparison how many sites differ by one row, by two, up to the limit, and how many institutions
// do; an entry for each overlap of a span; or for the share of each rest, how many institutions have any, and how many sites a row of too large a leverage.
func (p *Program) nearShape(s progress) (out stat.Shape) {
	if n := len(s.Rests.List); n > 0 {
		now, basis := p.counted(s), make([]int64, n)
		for i, r := range s.Rests.List {
			basis[i] = now[r.New].Persons
		}
		return stat.Shape{{Name: "shares", Len: n, Frac: shareBits, Basis: basis}, {Name: "shares.sites", Len: n, Presence: true}, {Name: "known", Len: n, Flag: true}}
	}
	if n := len(s.Near); n > 0 {
		out = append(out, stat.Block{Name: "near", Len: n * int(p.facts.Policy.MinCell)}, stat.Block{Name: "near.sites", Len: n, Presence: true})
	}
	if n := s.Span.Len(); n > 0 {
		out = append(out, stat.Block{Name: "overlaps", Len: n})
	}
	return out
}

// shareBits are the fraction bits of a share.
const shareBits = 24

// distances are one site's part of the comparisons, ready to be masked.
func (p *Program) distances(s progress, shape stat.Shape, o FoldOptions) (stat.Ring, error) {
	if o.Memory == nil {
		return nil, ws.Errorf(ws.Other, "fold", ws.T("this site remembers no cohorts", "本站点未保存队列记录"))
	}
	v, err := p.nearness(s, o.Memory)
	if err != nil {
		return nil, err
	}
	ring := make(stat.Ring, shape.Len())
	if err := shape.Encode(ring, v, max(o.Sites, 1)); err != nil {
		return nil, err
	}
	shape.MarkPresence(ring, p.facts.Speaks(o.Site))
	return ring, nil
}

// nearness is the vector of nearShape.
func (p *Program) nearness(s progress, m Memory) (v stat.Vector, err error) {
	k, earlier := p.facts.Policy.MinCell, p.earlier(s)
	if n := len(s.Rests.List); n > 0 {
		shares, passed, err := m.Shares(s.Rests, earlier, k, p.facts.Policy.MaxLeverage)
		v = slices.Concat(shares, make([]float64, 2*n))
		for i, x := range shares {
			v[n+i] = near.WholeRows(x)
			if passed[i] {
				v[2*n+i] = 1
			}
		}
		return v, err
	}
	d, err := m.Distances(s.Near, earlier, k)
	if err != nil {
		return nil, err
	}
	overlaps, err := m.Overlaps(s.Span, earlier)
	v = make(stat.Vector, len(d)*int(k), len(d)*int(k+1)+len(overlaps))
	for i, n := range d {
		if n > 0 {
			v[i*int(k)+int(n)-1] = 1
		}
	}
	for _, n := range slices.Concat(d, overlaps) {
		v = append(v, float64(n))
	}
	return v, err
}

// gaps reads the sums of the comparisons.
func (p *Program) gaps(sum stat.Sum) []near.Gap {
	k, rows := int(p.facts.Policy.MinCell), sum.Counts("near")
	var out []near.Gap
	for i, n := range sum.Counts("near.sites") {
		out = append(out, near.Gap{Sites: rows[i*k : (i+1)*k], Institutions: n})
	}
	return out
}
