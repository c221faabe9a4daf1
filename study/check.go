package study

import (
	"slices"

	ws "wellspring"
)

// Check judges a study that was not read by [Parse], by the same rules.
func (s *Study) Check() error {
	return ws.At("study", s.check(newReader(nil, "")))
}

// check takes from r the places in the file, where s was read from one.
func (s *Study) check(r *reader) error {
	if err := s.checkHead(r); err != nil {
		return err
	}
	switch {
	case s.Analysis != nil && s.Analyses != nil:
		return r.place("analyses", invalid(ws.T("analysis and analyses exclude each other", "analysis 与 analyses 不能同时给出")))
	case s.Analysis != nil:
		return s.Analysis.check("analysis", r)
	case s.Analyses == nil:
		return r.place("", invalid(ws.T("the study asks nothing: analysis or analyses is missing", "研究没有提出问题：缺少 analysis 或 analyses")))
	}
	return s.checkAnalyses(r)
}

func (s *Study) checkHead(r *reader) error {
	switch {
	case s.APIVersion == "" || s.Kind == "":
		return r.place("", invalid(ws.T("apiVersion and kind are required", "必须给出 apiVersion 与 kind")).
			WithHint(ws.T("begin the file with apiVersion: %s and kind: %s", "请在文件开头写 apiVersion: %s 与 kind: %s", APIVersion, Kind)))
	case s.APIVersion != APIVersion:
		return r.place("apiVersion", invalid(ws.T("this release reads %s only", "本版本只读取 %s", APIVersion)))
	case s.Kind != Kind:
		return r.place("kind", invalid(ws.T("the kind of a study file is %s", "研究文件的 kind 应为 %s", Kind)))
	case s.Metadata.Name == "":
		return r.place("metadata", invalid(ws.T("metadata.name is required", "必须给出 metadata.name")))
	case s.Data.Dataset == "":
		return r.place("data", invalid(ws.T("data.dataset is required", "必须给出 data.dataset")))
	}
	if e := checkName(s.Metadata.Name); e != nil {
		return r.place("metadata.name", e)
	}
	if e := checkName(string(s.Data.Dataset)); e != nil {
		return r.place("data.dataset", e)
	}
	if e := checkText(s.Data.Where, maxFormula); e != nil && s.Data.Where != "" {
		return r.place("data.where", e)
	}
	for i, column := range s.Data.CompleteOver {
		path := indexed("data.complete_over", i)
		switch e := checkLine(column, maxName); {
		case e != nil:
			return r.place(path, e)
		case slices.Contains(s.Data.CompleteOver[:i], column):
			return r.place(path, invalid(ws.T("the column %q is listed twice", "列 %q 重复", column)))
		}
	}
	return s.checkWords(r)
}

// checkWords judges the title and the purpose.
func (s *Study) checkWords(r *reader) error {
	for _, l := range []ws.Lang{ws.English, ws.Chinese} {
		if t, ok := s.Metadata.Title[l]; ok {
			if e := checkText(t, maxName); e != nil {
				return r.place("metadata.title."+string(l), e)
			}
		}
	}
	seen := map[ws.Purpose]bool{}
	for i, p := range s.Purpose.DUO {
		path := indexed("purpose.duo", i)
		if p.Validate() != nil {
			return r.place(path, invalid(ws.T("a purpose is a DUO term such as DUO:0000037", "用途须为 DUO 术语，例如 DUO:0000037")))
		}
		if p.Label().IsZero() {
			return r.place(path, invalid(ws.T("DUO has no term %s", "DUO 中没有术语 %s", p)).
				WithHint(ws.T("for example DUO:0000042, general research use, or DUO:0000037, biomedical research; DUO lists its terms", "例如 DUO:0000042（一般研究用途）或 DUO:0000037（生物医学研究）；参见 DUO 的术语表")))
		}
		if seen[p] {
			return r.place(path, invalid(ws.T("the list has this item twice", "列表中此项重复")))
		}
		seen[p] = true
	}
	return nil
}

func checkName(s string) *ws.Error {
	if ws.IsName(s) {
		return nil
	}
	return invalid(ws.T("a name has 1 to 64 letters, digits, '.', '_' or '-', and begins with a letter or digit",
		"名称由 1 到 64 个字母、数字、“.”、“_”或“-”组成，并以字母或数字开头"))
}

func (s *Study) checkAnalyses(r *reader) error {
	if n := len(s.Analyses); n == 0 || n > maxAnalyses {
		return r.place("analyses", invalid(ws.T("a list of 1 to %d items is wanted", "应为含 1 到 %d 项的列表", maxAnalyses)))
	}
	seen := map[string]bool{}
	for i, a := range s.Analyses {
		path := indexed("analyses", i)
		switch {
		case a.ID == "":
			return r.place(path, invalid(ws.T("one analysis among several needs an id", "多个分析中的每一个都须有 id")))
		case seen[a.ID]:
			return r.place(path+".id", invalid(ws.T("the id %q is given twice", "id %q 重复", clip(a.ID))))
		}
		seen[a.ID] = true
		if err := a.check(path, r); err != nil {
			return err
		}
	}
	return nil
}

// method finds the method of a.
func (a *Analysis) method() (Method, *ws.Error) {
	m, ok := MethodNamed(a.Method)
	switch {
	case a.Method == "":
		return m, invalid(ws.T("method is required", "必须给出 method"))
	case !ok:
		return m, checkChoice(a.Method, methodNames())
	}
	return m, nil
}

// admits refuses a field that m does not take.
func (m Method) admits(name string) *ws.Error {
	if m.Takes(name) {
		return nil
	}
	return didYouMean(invalid(ws.T("the method %s takes no %q", "方法 %s 不接受 %q", m.Name, name)), name, m.Fields())
}

func (a *Analysis) check(path string, r *reader) error {
	if e := checkName(a.ID); e != nil && a.ID != "" {
		return r.place(path+".id", e)
	}
	m, problem := a.method()
	if problem != nil {
		return r.place(path+".method", problem)
	}
	given := map[string]bool{}
	for _, f := range fields {
		value := f.of(a)
		if f.isZero(value) {
			continue
		}
		given[f.name] = true
		if e := m.admits(f.name); e != nil {
			return r.place(path, e)
		}
		if item, e := f.check(value); e != nil {
			if item >= 0 {
				return r.place(indexed(path+"."+f.name, item), e)
			}
			return r.place(path+"."+f.name, e)
		}
	}
	if e := m.complete(given); e != nil {
		return r.place(path, e)
	}
	if name, e := a.consistent(); e != nil {
		return r.place(path+"."+name, e)
	}
	return a.checkFormula(path+".formula", r)
}

// complete refuses an analysis that lacks a field which m requires.
func (m Method) complete(given map[string]bool) *ws.Error {
	for _, name := range m.Required {
		if !given[name] {
			return invalid(ws.T("the method %s needs %q", "方法 %s 需要 %q", m.Name, name))
		}
	}
	found := 0
	for _, name := range m.OneOf {
		if given[name] {
			found++
		}
	}
	if len(m.OneOf) > 0 && found != 1 {
		return invalid(ws.T("the method %s needs either %q or %q", "方法 %s 需要 %q 与 %q 二者之一", m.Name, m.OneOf[0], m.OneOf[1]))
	}
	return nil
}

// consistent judges fields that bind each other, and names the one at fault.
func (a *Analysis) consistent() (string, *ws.Error) {
	d := a.WithDefaults()
	switch {
	case a.Method == "glm":
		if e := checkChoice(d.Link, linksOf(d.Family)); e != nil {
			return "link", e.WithHint(ws.T("the link must belong to the family %s", "连接函数须与分布族 %s 相配", d.Family))
		}
	case a.Method == "ttest" && len(a.Variables) > 1:
		return "variables", invalid(ws.T("a one-sample t test takes one variable", "单样本 t 检验只取一个变量"))
	case (a.Method == "crosstab" || a.Method == "chisq") && a.Rows == a.Columns:
		return "columns", invalid(ws.T("rows and columns must differ", "行与列不能是同一列"))
	case a.Layers != "" && (a.Layers == a.Rows || a.Layers == a.Columns):
		return "layers", invalid(ws.T("layers must differ from rows and columns", "层不能与行或列是同一列"))
	}
	return "", nil
}
