package study

import (
	"go.yaml.in/yaml/v3"

	ws "wellspring"
)

// Parse reads a study file, in YAML or JSON, of at most MaxFile bytes. It
// refuses whatever it does not know and says where; file names the file in
// errors. Defaults are not filled in: see [Study.WithDefaults].
func Parse(b []byte, file string) (*Study, error) {
	n, err := parseTree(b, file)
	if err != nil {
		return nil, ws.At("study file", err)
	}
	r := newReader(b, file)
	s, err := r.study(n)
	if err == nil {
		err = s.check(r)
	}
	if err != nil {
		return nil, ws.At("study file", err)
	}
	return s, nil
}

func (r *reader) study(n *yaml.Node) (*Study, error) {
	s := &Study{}
	entries, err := r.object(n, "", []string{"apiVersion", "kind", "metadata", "purpose", "data", "analysis", "analyses"})
	for _, e := range entries {
		if err != nil {
			break
		}
		switch path := e.key.Value; path {
		case "apiVersion":
			s.APIVersion, err = r.text(e.value, path, false)
		case "kind":
			s.Kind, err = r.text(e.value, path, false)
		case "metadata":
			s.Metadata, err = r.metadata(e.value)
		case "purpose":
			s.Purpose, err = r.purpose(e.value)
		case "data":
			s.Data, err = r.data(e.value)
		case "analysis":
			s.Analysis = &Analysis{}
			*s.Analysis, err = r.analysis(e.value, path)
		case "analyses":
			s.Analyses, err = r.analyses(e.value)
		}
	}
	return s, err
}

func (r *reader) metadata(n *yaml.Node) (m Metadata, err error) {
	entries, err := r.object(n, "metadata", []string{"name", "title"})
	for _, e := range entries {
		if err != nil {
			break
		}
		switch path := "metadata." + e.key.Value; e.key.Value {
		case "name":
			m.Name, err = r.text(e.value, path, false)
		case "title":
			m.Title, err = r.languages(e.value, path)
		}
	}
	return m, err
}

func (r *reader) purpose(n *yaml.Node) (p Purpose, err error) {
	entries, err := r.object(n, "purpose", []string{"duo"})
	if err != nil || len(entries) == 0 {
		return p, err
	}
	terms, err := r.texts(entries[0].value, "purpose.duo", false)
	for _, t := range terms {
		p.DUO = append(p.DUO, ws.Purpose(t))
	}
	return p, err
}

func (r *reader) data(n *yaml.Node) (d Data, err error) {
	entries, err := r.object(n, "data", []string{"dataset", "where", "complete_over"})
	for _, e := range entries {
		if err != nil {
			break
		}
		var s string
		path := "data." + e.key.Value
		if e.key.Value == "complete_over" {
			d.CompleteOver, err = r.texts(e.value, path, true)
			continue
		}
		s, err = r.text(e.value, path, false)
		if e.key.Value == "dataset" {
			d.Dataset = ws.Dataset(s)
			continue
		}
		d.Where = s
		if problem := checkText(s, maxFormula); err == nil && problem != nil {
			err = r.place(path, problem)
		}
	}
	return d, err
}

func (r *reader) analyses(n *yaml.Node) ([]Analysis, error) {
	items, err := r.list(n, "analyses")
	if err != nil {
		return nil, err
	}
	out := make([]Analysis, len(items))
	for i, item := range items {
		if out[i], err = r.analysis(item, indexed("analyses", i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// analysis reads one analysis: its method first, which says what else it takes.
func (r *reader) analysis(n *yaml.Node, path string) (a Analysis, err error) {
	known := []string{"id", "method"}
	for _, f := range fields {
		known = append(known, f.name)
	}
	entries, err := r.object(n, path, known)
	if err != nil {
		return a, err
	}
	for _, e := range entries {
		if e.key.Value == "method" {
			if a.Method, err = r.text(e.value, path+".method", false); err != nil {
				return a, err
			}
		}
	}
	m, problem := a.method()
	if problem != nil {
		return a, r.place(path+".method", problem)
	}
	for _, e := range entries {
		if problem := m.admits(e.key.Value); problem != nil {
			problem.Op = path
			return a, problem.Located(r.at(e.key))
		}
		if err := r.argument(&a, e, path+"."+e.key.Value); err != nil {
			return a, err
		}
	}
	return a, nil
}

// argument reads one key of an analysis into its field.
func (r *reader) argument(a *Analysis, e entry, path string) (err error) {
	switch e.key.Value {
	case "method":
		return nil
	case "id":
		a.ID, err = r.text(e.value, path, false)
		if err == nil && a.ID == "" {
			err = r.place(path, invalid(ws.T("it must not be empty", "不能为空")))
		}
		return err
	}
	f := fieldNamed(e.key.Value)
	value := f.of(a)
	if err := r.fill(f, value, e.value, path); err != nil {
		return err
	}
	if item, problem := f.check(value); problem != nil {
		if item >= 0 {
			path = indexed(path, item)
		}
		return r.place(path, problem)
	}
	return nil
}

func (r *reader) fill(f field, value any, n *yaml.Node, path string) (err error) {
	switch v := value.(type) {
	case *string:
		*v, err = r.text(n, path, false)
	case *float64:
		*v, err = r.number(n, path)
	case *int:
		*v, err = r.count(f, n, path)
	case **bool:
		var b bool
		b, err = r.flag(n, path)
		*v = &b
	case *[]string:
		*v, err = r.texts(n, path, false)
	case *[]float64:
		*v, err = r.numbers(n, path)
	}
	return err
}

// count checks before it converts: a large number would not fit an int.
func (r *reader) count(f field, n *yaml.Node, path string) (int, error) {
	x, err := r.number(n, path)
	if err != nil {
		return 0, err
	}
	if problem := f.checkNumber(x); problem != nil {
		return 0, r.place(path, problem)
	}
	return int(x), nil
}

func (r *reader) numbers(n *yaml.Node, path string) ([]float64, error) {
	items, err := r.list(n, path)
	out := make([]float64, len(items))
	for i, item := range items {
		if out[i], err = r.number(item, indexed(path, i)); err != nil {
			return nil, err
		}
	}
	return out, err
}
