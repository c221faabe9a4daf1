package portal

import (
	"bytes"
	"encoding/json"
	"slices"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/site/console"
	"wellspring/study"
)

// An inquiry is a study's page.
type inquiry struct {
	console.Study
	Titles   []titled // in both languages, as far as it has them
	Analyses []analysis
	Where    string
	Opens    []ws.Text
	Pretty   string // the canonical text, with line breaks
	Standing ledger.Verdict
	Latest   int // version of the dataset here
	May      []string
	Runs     []console.Run // the answers that came last first
	Current  *progression  // under way here
	Deciding *deciding
}

type titled struct {
	Tag  string
	Text string
}

// An analysis is one of a study as a person reads it.
type analysis struct {
	ID     string
	Method ws.Text
	Given  []study.Given
}

func (p *Portal) study(at *visit) (string, *page, error) {
	s, err := at.find()
	if err != nil {
		return "", nil, err
	}
	v := &inquiry{Study: *s, Runs: slices.Clone(s.Runs), Latest: at.about.Latest(s.Dataset)}
	if err := v.read(); err != nil {
		return "", nil, err
	}
	slices.SortStableFunc(v.Runs, func(a, b console.Run) int { return b.Kept.Compare(a.Kept) })
	if p.cfg.Steward != nil {
		v.Standing = s.Standing(at.about.Site)
		v.May = may(s, at.about)
		v.Deciding = p.decidingOn(studyPath(s.StudyRef))
	}
	if run := underWay(*s); run != nil {
		v.Current = newProgression(*run, p.usual(at, s))
	}
	busy := v.Current != nil || v.Deciding != nil && !v.Deciding.Done
	made := &page{Title: ws.T("Study", "研究"), Name: titleIn(*s, at.lang), Section: "studies", Body: v}
	if busy || open(s) { // else somebody reads
		made.Reload = pace(busy)
	}
	return "study", made, nil
}

// read takes what the text says, where it is here.
func (v *inquiry) read() error {
	if !v.Here() {
		return nil
	}
	text, h, err := console.Read(v.Text)
	if err != nil || h != v.Study.Study {
		return ws.Errorf(ws.Diverged, "", ws.T("the text that the node gave is not the one on the ledger", "节点给出的文本与账本所载不符")).Wrap(err)
	}
	for _, l := range []ws.Lang{ws.English, ws.Chinese} {
		if title := v.Title[l]; title != "" {
			tag := "en"
			if l == ws.Chinese {
				tag = "zh-Hans"
			}
			v.Titles = append(v.Titles, titled{tag, title})
		}
	}
	for _, a := range text.All() {
		m, _ := study.MethodNamed(a.Method)
		v.Analyses = append(v.Analyses, analysis{a.ID, m.Title, a.Given()})
	}
	v.Where, v.Opens = text.Data.Filter(), text.Opens()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, v.Text, "", "  "); err != nil {
		return err
	}
	v.Pretty = pretty.String()
	return nil
}

// may lists what the steward can do now: what console would sign, and the ledger take.
func may(s *console.Study, about console.About) (out []string) {
	var now ledger.Verdict // on the latest version
	for _, d := range s.Decisions {
		if d.Site == about.Site && d.Release == ws.Version && d.Version == about.Latest(s.Dataset) {
			now = d.Verdict
		}
	}
	for _, act := range []string{"approve", "refuse", "withdraw"} {
		if act == "approve" && now == ledger.Approve || act == "refuse" && now != "" {
			continue
		}
		if _, err := s.Questions(about, acts[act]); err == nil {
			out = append(out, act)
		}
	}
	return out
}
