package render

import (
	"bytes"

	ws "wellspring"
	"wellspring/study"
)

// Files are the table and, where there is something to draw, the figure of every
// result, by the names that they have beside BASE.json: BASE.csv and BASE.svg,
// with -ID before the dot where a study asks several things. A result that a reviewer
// left out has neither.
func Files(st *study.Study, doc *study.Document, lang ws.Lang, base string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for i, r := range doc.All() {
		name := base
		if r.ID != "" {
			name += "-" + r.ID
		}
		if len(r.Tidy) == 0 && len(r.Summary) == 0 && len(r.Glance) == 0 {
			continue
		}
		var table, plot bytes.Buffer
		if err := CSV(&table, &r); err != nil {
			return nil, err
		}
		files[name+".csv"] = table.Bytes()
		if !Drawable(&r) {
			continue
		}
		if err := SVG(&plot, &r, Options{Lang: lang, Analysis: st.All()[i]}); err != nil {
			return nil, err
		}
		files[name+".svg"] = plot.Bytes()
	}
	return files, nil
}
