package formula

import (
	"slices"
	"strings"

	ws "wellspring"
)

// match assigns the arguments of a call to formal parameters, named ones
// first and then by position, as R does. The first need of them are required;
// the others may be nil. Names are not abbreviated.
func (n *node) match(need int, formals ...string) ([]*node, error) {
	out := make([]*node, len(formals))
	for _, a := range n.args {
		if a.name == "" {
			continue
		}
		i := slices.Index(formals, a.name)
		if i < 0 || out[i] != nil {
			return nil, invalid(a.col, ws.T("%s() takes no argument %s here", "%s() 在此没有参数 %s", n.text, printName(a.name)),
				ws.T("its arguments are %s", "可用的参数为 %s", strings.Join(formals, ", ")))
		}
		out[i] = a.node
	}
	for _, a := range n.args {
		if a.name != "" {
			continue
		}
		i := slices.Index(out, nil)
		if i < 0 {
			return nil, invalid(a.col, ws.T("too many arguments for %s()", "%s() 的参数过多", n.text),
				ws.T("its arguments are %s", "可用的参数为 %s", strings.Join(formals, ", ")))
		}
		out[i] = a.node
	}
	if i := slices.Index(out[:need], nil); i >= 0 {
		return nil, invalid(n.col, ws.T("%s() lacks its argument %s", "%s() 缺少参数 %s", n.text, formals[i]),
			ws.T("its arguments are %s", "可用的参数为 %s", strings.Join(formals, ", ")))
	}
	return out, nil
}

// numbers reads c(40, 60), or a single number, as constants.
func (b *binder) numbers(n *node) ([]float64, error) {
	n = n.bare()
	list := []argument{{node: n}}
	if n.kind == call && n.text == "c" {
		list = n.args
	}
	out := make([]float64, len(list))
	for i, a := range list {
		var err error
		if out[i], err = b.number(a.node); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// truth reads TRUE or FALSE; nil is FALSE.
func (n *node) truth() (bool, error) {
	if n == nil {
		return false, nil
	}
	if n.kind != boolean {
		return false, invalid(n.col, ws.T("TRUE or FALSE is wanted here", "此处应为 TRUE 或 FALSE"),
			ws.T("write the whole word", "请写完整的单词"))
	}
	return n.text == "TRUE", nil
}
