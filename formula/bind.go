package formula

import (
	"fmt"
	"maps"
	"slices"

	ws "wellspring"
	"wellspring/frame"
)

// A Frame is a formula bound to a dictionary: what to read of a row, and which
// variables come of it. It is immutable and may be used concurrently.
type Frame struct {
	model   *Model
	columns []string
	numeric []Numeric
	factors []Factored
	roles   Roles
	vars    []variable // of the model; the response's is empty
	sources []source
	coders  []coder // one a factor
	// compared are the factor columns of which a level is read as a number.
	compared []string
	truths   []Truth
	nested   string // a comparison that is part of a variable; "" if there is none
	kinked   string // a function with a kink where its writer likes; "" if there is none
}

// A source computes one number a row, and from it the numeric variables from
// first on.
type source struct {
	*expr
	basis basis // nil if the number is the variable
	first int
	width int
}

// A variable of a formula is a factor, one numeric variable, or several.
type variable struct {
	name   string
	factor int // −1 if it is none
	first  int // numeric variables first ... first+width−1
	width  int
	degree int // of an orthogonal polynomial, whose variables are powers; else 0
}

type binder struct {
	Frame
	dictionary frame.Dictionary
	groups     bool // bare numeric columns with levels are factors
	refs       map[string]*reference
	index      map[string]int // variables by their printed form and use
}

func bind(m *Model, d frame.Dictionary, weights string) (*Frame, error) {
	return (&binder{dictionary: d}).bind(m, weights)
}

// BindGroups ties m to a dictionary as [Bind] does, but reads each numeric
// column that stands bare on the right side as a factor, as R's survfit and
// survdiff do: Surv(time, status) ~ sex, where sex is 1 or 2. The column needs
// levels.
func BindGroups(m *Model, d frame.Dictionary) (*Frame, error) {
	return (&binder{dictionary: d, groups: true}).bind(m, "")
}

func (b *binder) bind(m *Model, weights string) (*Frame, error) {
	b.refs, b.index = map[string]*reference{}, map[string]int{}
	b.model = m
	b.roles = Roles{Response: -1, ResponseFactor: -1, Time: -1, Event: -1, Start: -1, Weights: -1}
	b.vars = make([]variable, len(m.vars))
	for i, n := range m.vars {
		var err error
		if i == 0 && m.left != nil {
			err = b.response(n.bare())
		} else {
			b.vars[i], err = b.variable(n)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := b.setRoles(m, weights); err != nil {
		return nil, err
	}
	b.columns = slices.Sorted(maps.Keys(b.refs))
	for i, c := range b.columns {
		b.refs[c].at = i
	}
	f := b.Frame
	return &f, nil
}

func (b *binder) setRoles(m *Model, weights string) error {
	for _, i := range m.offsets {
		b.roles.Offset = append(b.roles.Offset, b.vars[i].first)
	}
	for _, i := range m.strata {
		for _, a := range m.vars[i].args {
			spec, _, err := b.levels(a.node)
			if err != nil {
				return err
			}
			if f := b.addFactor(a.String(), spec); !slices.Contains(b.roles.Strata, f) {
				b.roles.Strata = append(b.roles.Strata, f)
			}
		}
	}
	if weights == "" {
		return nil
	}
	e, err := b.numericColumn(&node{kind: name, text: weights})
	if err != nil {
		return err
	}
	if e.bound.lo < 0 {
		return invalid(0, ws.T("weights %s may be negative by the dictionary", "按数据字典，权重列 %s 可能为负", weights),
			ws.T("give the column a min of at least 0", "请将该列的 min 设为不小于 0"))
	}
	b.roles.Weights, err = b.addNumeric(&node{kind: name, text: weights}, e, "")
	return err
}

// column finds what a name refers to.
func (b *binder) column(n *node) (*reference, error) {
	if r, ok := b.refs[n.text]; ok {
		return r, nil
	}
	c, ok := b.dictionary.Lookup(n.text)
	switch {
	case !ok:
		return nil, invalid(n.col, ws.T("no column %s", "没有列 %s", printName(n.text)),
			ws.T("check the spelling against the dictionary; capitals matter", "请对照数据字典检查拼写，注意大小写"))
	case c.Type == frame.Identifier:
		return nil, ws.Errorf(ws.Denied, "formula", ws.T("column %s identifies persons or records", "列 %s 为标识符，可识别个人或记录", printName(n.text))).
			WithHint(ws.T("take it out; if it should hold numbers, name the texts that mean missing (--na) or declare it in a dictionary; dates are not read yet, so write days as numbers", "请删去该列；若应为数值，请用 --na 指明表示缺失的文本，或在字典中声明；目前尚不读取日期，请换算成天数")).Located(ws.Position{Column: n.col})
	}
	b.refs[n.text] = &reference{Column: c}
	return b.refs[n.text], nil
}

// variable binds a variable of the right side.
func (b *binder) variable(n *node) (variable, error) {
	if n.kind == call {
		switch n.text {
		case "poly":
			return b.poly(n)
		case "ns":
			return b.spline(n)
		case "offset":
			args, err := n.match(1, "object")
			if err != nil {
				return variable{}, err
			}
			return b.scalar(n, args[0])
		case "strata":
			return variable{factor: -1}, b.checkStrata(n)
		}
	}
	spec, ok, err := b.factor(n)
	if err != nil {
		return variable{}, err
	}
	if !ok && b.groups && n.kind == name {
		spec, ok, err = b.levels(n)
	}
	if ok {
		return variable{name: n.String(), factor: b.addFactor(n.String(), spec)}, err
	}
	if err != nil {
		return variable{}, err
	}
	return b.scalar(n, n)
}

// scalar binds the number inner as the variable that prints as outer.
func (b *binder) scalar(outer, inner *node) (variable, error) {
	if outer == inner && inner.bare().comparison() {
		return variable{}, invalid(inner.col, ws.T("a comparison is no term by itself", "比较式不能单独成项"),
			ws.T("write I(%s)", "请写 I(%s)", inner.bare().String()))
	}
	e, err := b.expr(inner)
	if err != nil {
		return variable{}, err
	}
	i, err := b.addNumeric(outer, e, "")
	return variable{name: outer.String(), factor: -1, first: i, width: 1}, err
}

func (b *binder) checkStrata(n *node) error {
	for _, a := range n.args {
		if a.name != "" {
			return invalid(a.col, ws.T("strata() takes columns only", "strata() 的参数只能是列"),
				ws.T("leave the named argument out", "请省略带名称的参数"))
		}
		spec, ok, err := b.levels(a.node)
		if err != nil {
			return err
		}
		if !ok {
			return invalid(a.col, ws.T("strata() takes columns only", "strata() 的参数只能是列"),
				ws.T("name columns with levels", "请写有水平的列"))
		}
		b.addFactor(a.String(), spec)
	}
	return nil
}

// addNumeric adds the variable e, printed as n, unless it is there already.
// Variables of the same print and another use differ in use.
func (b *binder) addNumeric(n *node, e *expr, use string) (int, error) {
	if err := check(n, e); err != nil {
		return 0, err
	}
	printed := n.String()
	key := "number" + use + ":" + printed
	if i, ok := b.index[key]; ok {
		return i, nil
	}
	i := len(b.numeric)
	b.index[key] = i
	b.sources = append(b.sources, source{expr: e, first: i, width: 1})
	b.numeric = append(b.numeric, e.numeric(printed))
	return i, nil
}

func check(n *node, e *expr) error {
	if e.constant() {
		return invalid(n.col, ws.T("%s reads no column", "%s 没有用到任何列", n.String()),
			ws.T("name a column in it", "请在其中写出列名"))
	}
	if e.bound.empty() {
		return invalid(n.col, ws.T("%s has no value anywhere in the dictionary's range", "在数据字典的取值范围内，%s 处处无定义", n.String()),
			ws.T("a logarithm or root of negative numbers is missing", "负数的对数或平方根为缺失值"))
	}
	return nil
}

// basis adds the variables that a basis makes of e.
func (b *binder) basis(n *node, e *expr, s basis, infix string) (variable, error) {
	if err := check(n, e); err != nil {
		return variable{}, err
	}
	v := variable{name: n.String(), factor: -1, first: len(b.numeric)}
	bounds := s.bounds()
	v.width = len(bounds)
	b.sources = append(b.sources, source{expr: e, basis: s, first: v.first, width: v.width})
	for k, bound := range bounds {
		printed := v.name
		if infix != "" || len(bounds) > 1 {
			printed = fmt.Sprint(v.name, infix, k+1)
		}
		b.numeric = append(b.numeric, Numeric{Name: printed, Lo: bound.lo, Hi: bound.hi})
	}
	return v, nil
}

func (b *binder) addFactor(printed string, s *spec) int {
	key := "factor:" + printed
	if i, ok := b.index[key]; ok {
		return i
	}
	i := len(b.factors)
	b.index[key] = i
	column := s.ref.Name
	if s.expr != nil {
		column = ""
		b.truths = append(b.truths, Truth{Name: printed, Numeric: -1, Factor: i})
	}
	b.factors = append(b.factors, Factored{Name: printed, Levels: s.levels, Column: column})
	b.coders = append(b.coders, s.coder())
	return i
}

// response binds the left side.
func (b *binder) response(n *node) error {
	if n.kind == call && n.text == "Surv" {
		return b.surv(n)
	}
	spec, ok, err := b.factor(n)
	if err != nil {
		return err
	}
	if ok {
		b.roles.ResponseFactor = b.addFactor(n.String(), spec)
		return nil
	}
	e, err := b.condition(n)
	if err != nil {
		return err
	}
	if b.roles.Response, err = b.addNumeric(n, e, ""); err == nil {
		b.truth(n, b.roles.Response)
	}
	return err
}

// surv binds Surv(time, event) and Surv(start, stop, event).
func (b *binder) surv(n *node) error {
	args, err := n.match(1, "time", "time2", "event")
	if err != nil {
		return err
	}
	if args[2] == nil {
		args[1], args[2] = nil, args[1]
	}
	if args[2] == nil {
		return invalid(n.col, ws.T("Surv() lacks its event", "Surv() 缺少事件参数"),
			ws.T("write Surv(time, event) or Surv(start, stop, event)", "请写 Surv(time, event) 或 Surv(start, stop, event)"))
	}
	stop := args[0]
	if args[1] != nil {
		stop = args[1]
		e, err := b.expr(args[0])
		if err != nil {
			return err
		}
		if b.roles.Start, err = b.addNumeric(args[0], e, ""); err != nil {
			return err
		}
	}
	e, err := b.expr(stop)
	if err != nil {
		return err
	}
	if b.roles.Time, err = b.addNumeric(stop, e, ""); err != nil {
		return err
	}
	if e, err = b.event(args[2]); err != nil {
		return err
	}
	if b.roles.Event, err = b.addNumeric(args[2], e, " event"); err == nil {
		b.truth(args[2], b.roles.Event)
	}
	return err
}

// event binds an event to a number that is 1 where it happened and 0 elsewhere.
func (b *binder) event(n *node) (*expr, error) {
	spec, ok, err := b.factor(n)
	if err != nil {
		return nil, err
	}
	if ok && spec.expr != nil {
		return spec.expr, nil
	}
	if ok {
		if !slices.Equal(spec.levels, []string{"FALSE", "TRUE"}) || spec.values != nil {
			return nil, invalid(n.col, ws.T("the event %s is a factor", "事件 %s 是分类变量", n.String()),
				ws.T(`say which level is the event, such as %s == "dead"`, `请指明哪个水平为事件，如 %s == "dead"`, n.String()))
		}
		b.compared = append(b.compared, spec.ref.Name)
		return &expr{op: "level", ref: spec.ref, bound: interval{0, 1}}, nil
	}
	e, err := b.condition(n)
	switch {
	case err != nil:
		return nil, err
	case e.bound.within(0, 1):
		return e, nil
	case e.bound.within(1, 2):
		return &expr{op: "-", a: e, b: constant(1), bound: interval{0, 1}}, nil
	}
	return nil, invalid(n.col, ws.T("the event %s is coded neither 0/1 nor 1/2 by the dictionary", "按数据字典，事件 %s 的编码既非 0/1 也非 1/2", n.String()),
		ws.T("say which code is the event, such as %s == 2", "请指明哪个编码为事件，如 %s == 2", n.String()))
}
