package portal

import (
	"bytes"
	"html/template"
	"mime"
	"net/http"
	"path"
	"strconv"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/site/console"
	"wellspring/study"
	"wellspring/study/render"
)

// An outcome is the page of an answer.
type outcome struct {
	console.Study
	Run      ledger.RunID
	Document *study.Document
	Salt     string
	Parts    []part
	JSON     string // the name of the whole file
}

// A part answers one analysis.
type part struct {
	ID         string
	Method     ws.Text
	Figure     template.HTML // may be empty
	Tables     template.HTML
	CSV, SVG   string // names of files; SVG may be empty
	Suppressed []study.Suppressed
	Notes      []ws.Text
}

// answer is a kept answer with the study that it answers.
func (p *Portal) answer(r *http.Request, studies []console.Study) (*console.Answer, *console.Study, *study.Study, error) {
	a, err := p.cfg.Node.Result(r.Context(), ledger.RunID(r.PathValue("run")))
	if err != nil {
		return nil, nil, nil, err
	}
	for i, s := range studies {
		if "sha256:"+s.Study.String() == a.Document.StudyDigest && s.Here() {
			text, _, err := console.Read(s.Text)
			if err == nil && len(text.All()) != len(a.Document.All()) {
				err = ws.Errorf(ws.Diverged, "", ws.T("the answer does not fit the study", "结果与研究不符"))
			}
			return a, &studies[i], text, err
		}
	}
	return nil, nil, nil, ws.Errorf(ws.Invalid, "", ws.T("the text of the study is not here", "此处没有该研究的文本"))
}

func (p *Portal) result(at *visit) (string, *page, error) {
	a, s, text, err := p.answer(at.r, at.studies)
	if err != nil {
		return "", nil, err
	}
	salt, _ := a.Salt.MarshalText() // never fails
	v := &outcome{Study: *s, Run: a.Run, Document: a.Document, Salt: string(salt), JSON: s.Name + ".json"}
	names, err := render.Files(text, a.Document, at.lang, s.Name)
	if err != nil {
		return "", nil, err
	}
	for _, r := range a.Document.All() {
		made, err := partOf(&r, names, s.Name, at.lang)
		if err != nil {
			return "", nil, err
		}
		v.Parts = append(v.Parts, made)
	}
	return "result", &page{Title: ws.T("Answer", "结果"), Name: titleIn(*s, at.lang), Section: "studies", Body: v}, nil
}

// partOf draws one result. Tables and figures are markup of package render, which
// escapes all that it is given.
func partOf(r *study.Result, files map[string][]byte, base string, l ws.Lang) (part, error) {
	m, _ := study.MethodNamed(r.Method)
	v := part{ID: r.ID, Method: m.Title, Suppressed: r.Suppressed, Notes: r.Notes}
	if r.ID != "" {
		base += "-" + r.ID
	}
	if len(files[base+".csv"]) > 0 {
		v.CSV = base + ".csv"
	}
	if svg := files[base+".svg"]; len(svg) > 0 {
		v.SVG, v.Figure = base+".svg", template.HTML(svg)
	}
	var tables bytes.Buffer
	if err := render.HTML(&tables, r, l); err != nil {
		return v, err
	}
	v.Tables = template.HTML(tables.String())
	return v, nil
}

// download gives one file of an answer, the same bytes as "study run --out" writes.
func (p *Portal) download(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	b, err := p.file(r, name)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	kinds := map[string]string{".json": "application/json", ".csv": "text/csv; charset=utf-8", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", kinds[path.Ext(name)])
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // who hung up gets no file
}

func (p *Portal) file(r *http.Request, name string) ([]byte, error) {
	at, err := p.visit(r)
	if err != nil {
		return nil, err
	}
	a, s, text, err := p.answer(r, at.studies)
	if err != nil {
		return nil, err
	}
	if name == s.Name+".json" {
		b, err := study.MarshalCanonical(a.Document)
		return append(b, '\n'), err
	}
	all, err := render.Files(text, a.Document, at.lang, s.Name)
	if err == nil && all[name] == nil {
		err = ws.Errorf(ws.Invalid, "", ws.T("there is no such file", "没有该文件"))
	}
	return all[name], err
}
