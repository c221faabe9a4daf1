package formula

import (
	"cmp"
	"math/bits"
	"slices"

	ws "wellspring"
)

const (
	maxVars  = 256     // variables of a formula
	maxTerms = 1000    // terms of a formula
	maxWork  = 1 << 20 // pairs of terms looked at while a formula is expanded
)

// A set of variables of a formula, a bit each in the order of appearance.
type set [maxVars / 64]uint64

func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

func (s set) with(i int) set { s[i/64] |= 1 << (i % 64); return s }

func (s set) without(i int) set { s[i/64] &^= 1 << (i % 64); return s }

func (s set) or(o set) set {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

func (s set) within(o set) bool { return s.or(o) == o }

func (s set) len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// A term is a product of variables.
type term struct {
	vars []int // ascending
	// full[i] says that vars[i], if a factor, is coded by all its levels,
	// because the term without it is not in the model (2 in R's "factors").
	full []bool
}

// An expansion is what R's terms.formula finds: the variables of a formula in
// order of appearance, the response first, and its terms by order.
type expansion struct {
	vars      []*node
	terms     []term
	intercept bool
	offsets   []int // variables
	strata    []int
}

// An expander follows EncodeVars of R's model.c: each operator maps the lists
// of terms of its operands to a list, without repeats and without the empty
// term; 0 and 1 switch the intercept; under a minus their meaning is reversed.
type expander struct {
	expansion
	index  map[string]int // a variable's place by its printed form
	minus  bool
	answer bool // there is a response, which is variable 0
	work   int
}

func expand(left, right *node) (expansion, error) {
	x := &expander{index: map[string]int{}}
	x.intercept = true
	if left != nil {
		x.answer = true
		x.vars = append(x.vars, left)
		x.index[left.String()] = 0
	}
	sets, err := x.encode(right)
	if err != nil {
		return expansion{}, err
	}
	if sets, err = x.setApart(sets, right); err != nil {
		return expansion{}, err
	}
	slices.SortStableFunc(sets, func(a, b set) int { return cmp.Compare(a.len(), b.len()) })
	for i, s := range sets {
		x.terms = append(x.terms, x.code(s, sets[:i]))
	}
	return x.expansion, nil
}

// setApart takes offsets and strata out of the terms, as glm and coxph do, and
// refuses the response among them.
func (x *expander) setApart(sets []set, right *node) ([]set, error) {
	for i, v := range x.vars {
		if v.kind == call && v.text == "offset" && !(x.answer && i == 0) {
			x.offsets = append(x.offsets, i)
			sets = slices.DeleteFunc(sets, func(s set) bool { return s.has(i) })
		}
	}
	var rest []set
	for _, s := range sets {
		i := slices.IndexFunc(x.vars, func(v *node) bool { return v.kind == call && v.text == "strata" && s.has(x.index[v.String()]) })
		switch {
		case x.answer && s.has(0):
			return nil, invalid(right.col, ws.T("the response %s is also a term", "响应变量 %s 同时出现在右侧", x.vars[0].String()),
				ws.T("take it out of the right side", "请从右侧删去"))
		case i < 0:
			rest = append(rest, s)
		case s.len() > 1:
			return nil, invalid(x.vars[i].col, ws.T("strata() in an interaction", "strata() 不能参与交互作用"),
				ws.T("multiply by factor() and keep strata() as a term of its own", "交互项请用 factor(),strata() 单独成项"))
		default:
			x.strata = append(x.strata, i)
		}
	}
	slices.Sort(x.strata)
	return rest, nil
}

// code finds how the factors of a term are coded, after TermCode of R's
// model.c: by contrasts if the term without the factor is empty or part of an
// earlier term, else by all levels.
func (x *expander) code(s set, before []set) term {
	var t term
	for i := range x.vars {
		if !s.has(i) {
			continue
		}
		margin := s.without(i)
		met := margin == set{} || slices.ContainsFunc(before, margin.within)
		t.vars = append(t.vars, i)
		t.full = append(t.full, !met)
	}
	return t
}

// encode returns the terms of a part of a formula.
func (x *expander) encode(n *node) ([]set, error) {
	switch n.kind {
	case number:
		if n.num != 0 && n.num != 1 {
			return nil, invalid(n.col, ws.T("a number other than 0 and 1 is no term", "除 0 和 1 以外的数字不能作为项"),
				ws.T("put arithmetic inside I(), such as I(age/10)", "算术运算请放在 I() 中，如 I(age/10)"))
		}
		x.intercept = (n.num == 1) != x.minus
		return nil, nil
	case name, call:
		return x.variable(n)
	case operator:
		return x.operator(n)
	}
	return nil, invalid(n.col, ws.T("text and TRUE or FALSE are no terms", "字符串和 TRUE、FALSE 不能作为项"),
		ws.T("write a column without quotes", "列名不加引号"))
}

func (x *expander) variable(n *node) ([]set, error) {
	if n.kind == call && (n.text == "Surv" || n.text == "c") {
		return nil, invalid(n.col, ws.T("%s() is no term", "%s() 不能作为项", n.text),
			ws.T("Surv() stands left of ~, c() inside ns()", "Surv() 写在 ~ 左侧，c() 只用于 ns() 的参数"))
	}
	printed := n.String()
	i, ok := x.index[printed]
	if !ok {
		if i = len(x.vars); i == maxVars {
			return nil, invalid(n.col, ws.T("more than %d variables", "变量超过 %d 个", maxVars), ws.T("name fewer", "请减少变量"))
		}
		x.index[printed] = i
		x.vars = append(x.vars, n)
	}
	return []set{set{}.with(i)}, nil
}

func (x *expander) operator(n *node) ([]set, error) {
	if len(n.args) == 1 && n.text != "-" { // parentheses and the prefix plus
		return x.encode(n.args[0].node)
	}
	if n.text == "-" {
		return x.remove(n)
	}
	if n.text == "^" {
		return x.power(n)
	}
	if precedence[n.text] == lowest {
		return nil, invalid(n.col, ws.T("a comparison is no term", "比较式不能作为项"),
			ws.T("comparisons belong to the event of Surv(), such as Surv(time, status == 2)", "比较式只用于 Surv() 的事件参数，如 Surv(time, status == 2)"))
	}
	left, err := x.encode(n.args[0].node)
	if err != nil {
		return nil, err
	}
	right, err := x.encode(n.args[1].node)
	if err != nil {
		return nil, err
	}
	if x.work += (len(left) + 1) * (len(right) + 1); x.work > maxWork {
		return nil, tooMany(n)
	}
	if len(left) == 0 && (n.text == "*" || n.text == "/") {
		return nil, nil // R loses the right side too, as in 1*a
	}
	switch n.text {
	case "+":
		return x.unique(n, left, right)
	case ":":
		return x.unique(n, products(left, right))
	case "*":
		return x.unique(n, left, right, products(left, right))
	case "/": // a + b %in% a
		return x.unique(n, left, products(right, []set{union(left)}))
	}
	return x.unique(n, products(left, []set{union(right)})) // %in%
}

// remove takes the terms of its last operand out of those of its first.
func (x *expander) remove(n *node) (left []set, err error) {
	last := len(n.args) - 1
	if last == 1 {
		if left, err = x.encode(n.args[0].node); err != nil {
			return nil, err
		}
	}
	x.minus = !x.minus
	right, err := x.encode(n.args[last].node)
	x.minus = !x.minus
	if err != nil {
		return nil, err
	}
	if x.work += len(left) * len(right); x.work > maxWork {
		return nil, tooMany(n)
	}
	return slices.DeleteFunc(left, func(s set) bool { return slices.Contains(right, s) }), nil
}

func (x *expander) power(n *node) ([]set, error) {
	p := n.args[1].node
	if p.kind != number || p.num < 1 || p.num > 100 || p.num != float64(int(p.num)) {
		return nil, invalid(p.col, ws.T("the power of terms is a whole number from 1 to 100", "项的幂须为 1 到 100 的整数"),
			ws.T("for the square of a column write I(x^2)", "列的平方请写 I(x^2)"))
	}
	left, err := x.encode(n.args[0].node)
	if err != nil {
		return nil, err
	}
	out := left
	for i := 1; i < int(p.num); i++ {
		if x.work += (len(left) + 1) * (len(out) + 1); x.work > maxWork {
			return nil, tooMany(n)
		}
		if out, err = x.unique(n, products(left, out)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func tooMany(n *node) error {
	return invalid(n.col, ws.T("too many terms: more than %d, or too many ways to them", "展开后的项过多（上限 %d 项）", maxTerms),
		ws.T("cross fewer variables", "请减少交叉的变量"))
}

// products returns every union of a set of a and a set of b; empty sets, such
// as the union over no term, leave the other alone.
func products(a, b []set) []set {
	out := make([]set, 0, len(a)*len(b))
	for _, s := range a {
		for _, t := range b {
			out = append(out, s.or(t))
		}
	}
	return out
}

func union(sets []set) (u set) {
	for _, s := range sets {
		u = u.or(s)
	}
	return u
}

// unique joins lists, keeping the first of equal sets and no empty one.
func (x *expander) unique(n *node, lists ...[]set) ([]set, error) {
	seen := map[set]bool{{}: true}
	var out []set
	for _, list := range lists {
		for _, s := range list {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	if x.work += len(out); len(out) > maxTerms || x.work > maxWork {
		return nil, tooMany(n)
	}
	return out, nil
}
