package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/collect/csv"
	"wellspring/ledger"
	"wellspring/policy"
	"wellspring/site/rehearsal"
	"wellspring/study"
	"wellspring/study/render"
)

// A simulation is what the flags of simulate say.
type simulation struct {
	study, policy, split string
	out                  target
	sites, dictionaries  []string
	institutions         []string
	missing, conductor   string
	pooled, public       bool
	beside               bool
}

func (s *simulation) define(f *flagSet) {
	f.text(&s.study, "study", "FILE", ws.T("the study file", "研究文件"))
	f.list(&s.sites, "site", "NAME=FILE", ws.T("a site and its CSV or Parquet file; once a site", "站点及其 CSV 或 Parquet 文件；每个站点一次"))
	f.text(&s.split, "split", "COLUMN=FILE", ws.T("one file whose column names the sites", "单个文件，由某列区分站点"))
	f.list(&s.institutions, "institution", "NAME=A,B", ws.T("sites A and B belong to one institution, which limits count once; each site is one of its own otherwise", "站点 A、B 同属一家机构，限制中只计一次；默认每个站点各为一家机构"))
	f.text(&s.conductor, "conductor", "SITE", ws.T("a site that conducts, whose institution limits then do not count; otherwise a hub does, for an institution called centre", "由某站点主持，其机构不计入限制；默认由枢纽主持，其机构名为 centre"))
	f.bool(&s.pooled, "pooled", ws.T("put all rows into one table first, for comparison", "先合并为一张表，以作比较"))
	f.text(&s.policy, "policy", "FILE", ws.T("policy of every site; the product's default otherwise", "各站点的策略文件；默认采用产品的默认策略"))
	f.bool(&s.public, "public", ws.T("anyone may read the rows: no cell limit, all leaves granted", "数据公开：无单元限制，许可全部细节"))
	f.bool(&s.beside, "beside", ws.T("play the study twice, under the policy and with the rows public, and print each number that differs or is not shown beside the exact one", "将研究排练两次：按策略一次，按数据公开一次，并将每个不同或未显示的数字与精确值并列显示"))
	f.text(&s.missing, "na", "TEXTS", ws.T("more texts that mean missing, separated by commas", "表示缺失的其他文本，以逗号分隔"))
	f.list(&s.dictionaries, "dictionary", "FILE|NAME=FILE", ws.T("dictionary that binds all sites, or the one named; inferred from the rows otherwise", "约束所有站点（或所指站点）的字典；默认由数据推断"))
	s.out.flags(f)
}

func runSimulate(ctx context.Context, args []string, c *console) error {
	var s simulation
	f := flags("simulate --study FILE --site NAME=FILE... | --split COLUMN=FILE", c)
	s.define(f)
	if err := f.parse(args); err != nil {
		return err
	}
	if s.study == "" || f.NArg() > 0 {
		return usage(ws.T("simulate wants --study FILE and --site NAME=PATH or --split COLUMN=FILE", "simulate 需要 --study FILE，以及 --site NAME=PATH 或 --split COLUMN=FILE"))
	}
	st, err := readStudy(s.study)
	if err == nil {
		err = s.out.ready(st)
	}
	if err != nil {
		return err
	}
	p, err := s.limits()
	if err != nil {
		return err
	}
	doc, err := s.rehearse(ctx, c, st, p)
	if s.beside && (err == nil || ws.KindOf(err) == ws.Withheld) {
		return s.both(ctx, c, st, doc, err)
	}
	if err != nil {
		return err
	}
	return deliver(c, st, doc, s.out)
}

// rehearse plays the study once, on rows whose dictionary is as the policy has it.
func (s *simulation) rehearse(ctx context.Context, c *console, st *study.Study, p policy.Policy) (*study.Document, error) {
	inputs, err := s.inputs(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := s.enough(inputs, p); err != nil {
		return nil, err
	}
	if err := dictionaries(ctx, s.dictionaries, inputs); err != nil {
		return nil, err
	}
	if err := strayed(st, inputs); err != nil {
		return nil, err
	}
	out, err := s.play(ctx, c, st, inputs, p)
	if err != nil {
		if b, unread := readFile(s.study); unread == nil {
			err = study.Locate(b, s.study, err)
		}
		return nil, s.explain(err)
	}
	return out.Document, nil
}

// A comparison is what --beside tells a program; Protected is missing where the policy refused.
type comparison struct {
	Protected *study.Document `json:"protected,omitempty"`
	Exact     *study.Document `json:"exact"`
	Beside    []study.Pair    `json:"beside"`
}

// both prints what the limits cost an answer, or all of it where they refused; then the refusal is the
// command's own.
func (s *simulation) both(ctx context.Context, c *console, st *study.Study, protected *study.Document, refused error) error {
	exact, err := s.rehearse(ctx, c, st, policy.Public())
	if err != nil {
		return err
	}
	pairs := study.Beside(protected, exact)
	if c.json {
		b, err := json.Marshal(comparison{protected, exact, append([]study.Pair{}, pairs...)})
		if err == nil {
			_, err = c.out.Write(append(b, '\n'))
		}
		if err != nil {
			return err
		}
	} else {
		if protected != nil {
			if err := printAnswer(c, protected); err != nil {
				return err
			}
		}
		if err := render.Beside(c.out, pairs, c.lang); err != nil {
			return err
		}
	}
	if refused != nil {
		return refused
	}
	return s.out.write(st, protected, c.lang)
}

// enough judges the number of institutions before any row is loaded.
func (s *simulation) enough(inputs []input, p policy.Policy) error {
	if s.pooled {
		return nil
	}
	var sites []rehearsal.Site
	for _, in := range inputs {
		sites = append(sites, rehearsal.Site{ID: in.site, Institution: in.institution, Policy: p})
	}
	err := rehearsal.Enough(sites, ws.SiteID(s.conductor))
	if ws.KindOf(err) == ws.Denied {
		return hinted(err, ws.T("add a site of another institution; or give --public if anyone may read the rows; or a --policy file with few_institutions: true", "请增加另一机构的站点；若数据本就公开，可加 --public；或用 --policy 给出含 few_institutions: true 的策略文件"))
	}
	return err
}

// hinted replaces an error's hint by one that knows the command line.
func hinted(err error, hint ws.Text) error {
	var e *ws.Error
	if errors.As(err, &e) {
		return e.WithHint(hint)
	}
	return err
}

// explain adds to the hint of a limit how a rehearsal on rows that anyone may
// read gets past it.
func (s *simulation) explain(err error) error {
	if s.public || s.policy != "" || ws.KindOf(err) != ws.Withheld {
		return err
	}
	var e, next *ws.Error
	for errors.As(err, &next) {
		e, err = next, next.Err
	}
	public := ws.T("this is the default policy; if anyone may read the rows, give --public", "此为默认策略；若数据本就公开，请加 --public")
	if e.Hint.IsZero() {
		return e.WithHint(public)
	}
	return e.WithHint(ws.T("%s; %s", "%s；%s", e.Hint, public))
}

// play plays a study on files, each a site, or all of them one table, which is
// nobody's in particular.
func (s *simulation) play(ctx context.Context, c *console, st *study.Study, inputs []input, p policy.Policy) (*rehearsal.Outcome, error) {
	cl, err := openClinic()
	if err != nil {
		return nil, err
	}
	defer cl.close()
	bar := newBar(c)
	defer bar.clear()
	o := rehearsal.Options{Catalog: catalog, Progress: bar.show}
	if s.pooled {
		err = cl.pool(ctx, inputs, p)
	} else {
		o.Conductor = ws.SiteID(s.conductor)
		err = cl.admit(ctx, inputs, p)
	}
	if err != nil {
		return nil, err
	}
	return rehearsal.Run(ctx, st, cl.sites, o)
}

func readStudy(path string) (*study.Study, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	st, err := study.Parse(b, path)
	if err != nil {
		return nil, err
	}
	return st.WithDefaults(), nil
}

// readFile reads a small file that the user named.
func readFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("the file cannot be read", "无法读取文件")).
			Located(ws.Position{File: path}).WithHint(ws.T("check the name and the permissions", "请检查文件名与权限")).Wrap(err)
	}
	return b, nil
}

func (s *simulation) limits() (policy.Policy, error) {
	switch {
	case s.public && s.beside:
		return policy.Policy{}, usage(ws.T("--public has no limits that --beside could show the cost of", "--public 没有限制，--beside 无从比较"))
	case s.public && s.policy != "":
		return policy.Policy{}, usage(ws.T("--public and --policy exclude each other", "--public 与 --policy 不能同时使用"))
	case s.public:
		return policy.Public(), nil
	case s.policy == "":
		return policy.Default(), nil
	}
	b, err := readFile(s.policy)
	if err != nil {
		return policy.Policy{}, err
	}
	return policy.Parse(b, s.policy)
}

// inputs lists the sites in code-point order, each with its institution where
// one was named.
func (s *simulation) inputs(ctx context.Context, p policy.Policy) ([]input, error) {
	out, err := s.files(ctx, p)
	if err != nil {
		return nil, err
	}
	return out, affiliate(out, s.institutions)
}

// affiliate gives inputs the institutions of NAME=SITE,SITE.
func affiliate(inputs []input, institutions []string) error {
	for _, v := range institutions {
		name, list, ok := strings.Cut(v, "=")
		if !ok {
			return usage(ws.T("--institution wants NAME=SITE,SITE", "--institution 的格式为 NAME=SITE,SITE"))
		}
		if err := ws.Institution(name).Validate(); err != nil {
			return err
		}
		for _, s := range strings.Split(list, ",") {
			i := slices.IndexFunc(inputs, func(in input) bool { return in.site == ws.SiteID(s) })
			if i < 0 {
				return usage(ws.T("--institution names %q, which is none of the sites", "--institution 所列的 %q 不是任何站点", s))
			}
			if inputs[i].institution != "" {
				return usage(ws.T("site %s belongs to one institution", "站点 %s 只能属于一家机构", s))
			}
			inputs[i].institution = ws.Institution(name)
		}
	}
	return nil
}

// files lists the sites with their files.
func (s *simulation) files(ctx context.Context, p policy.Policy) ([]input, error) {
	opt := csv.Options{Public: p.MinCell <= 1, MinCell: int(p.MinCell)}
	if s.missing != "" {
		opt.Missing = strings.Split(s.missing, ",")
	}
	if (s.split == "") == (len(s.sites) == 0) {
		return nil, usage(ws.T("give either --site NAME=PATH, once a site, or --split COLUMN=FILE", "请给出 --site NAME=PATH(每个站点一次）或 --split COLUMN=FILE 之一"))
	}
	if s.split != "" {
		return splitInputs(ctx, s.split, opt)
	}
	var out []input
	for _, v := range s.sites {
		name, path, ok := strings.Cut(v, "=")
		if !ok {
			return nil, usage(ws.T("--site wants NAME=PATH", "--site 的格式为 NAME=PATH"))
		}
		id := ws.SiteID(name)
		if err := id.Validate(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(in input) bool { return in.site == id }) {
			return nil, usage(ws.T("site %s is named twice", "站点 %s 重复", id))
		}
		out = append(out, input{site: id, path: path, opt: opt})
	}
	slices.SortFunc(out, func(a, b input) int { return strings.Compare(string(a.site), string(b.site)) })
	return out, nil
}

func splitInputs(ctx context.Context, split string, opt csv.Options) ([]input, error) {
	column, path, ok := strings.Cut(split, "=")
	if !ok {
		return nil, usage(ws.T("--split wants COLUMN=FILE", "--split 的格式为 COLUMN=FILE"))
	}
	if (input{path: path}).parquet() {
		return nil, usage(ws.T("--split takes a CSV file; of Parquet give a file a site, by --site NAME=FILE", "--split 只接受 CSV 文件；Parquet 请按站点分文件，用 --site NAME=FILE 给出"))
	}
	names, err := csv.Split(ctx, path, column, opt)
	if err != nil {
		return nil, err
	}
	var out []input
	for _, n := range names {
		own := opt
		own.Only = csv.Only{Column: column, Value: string(n)}
		out = append(out, input{site: n, path: path, opt: own})
	}
	return out, nil
}

// deliver prints the answer as tables, or for a program as JSON, and writes it to its
// target, if there is one.
func deliver(c *console, st *study.Study, doc *study.Document, out target) error {
	if err := printAnswer(c, doc); err != nil {
		return err
	}
	return out.write(st, doc, c.lang)
}

func printAnswer(c *console, doc *study.Document) error {
	if !c.json {
		return render.Table(c.out, doc, c.lang)
	}
	b, err := study.MarshalReadable(doc)
	if err == nil {
		_, err = c.out.Write(append(b, '\n'))
	}
	return err
}

// A progressEvent says how far a study has come; a rehearsal has no run and no epoch.
type progressEvent struct {
	Run      ledger.RunID `json:"run,omitempty"`
	Epoch    int          `json:"epoch,omitempty"`
	Round    int          `json:"round"`
	Answered int          `json:"answered"`
	Sites    int          `json:"sites"`
}

// A bar shows on a terminal, or tells a program, how far a study has come.
type bar struct {
	c     *console
	shown bool
}

func newBar(c *console) *bar { return &bar{c: c} }

func (b *bar) show(p rehearsal.Progress) {
	if b.c.json {
		b.c.event("progress", progressEvent{Round: p.Round, Answered: p.Answered, Sites: p.Sites})
		return
	}
	if !terminal(b.c.err) {
		return
	}
	b.shown = true
	fmt.Fprintf(b.c.err, "\r\x1b[K%s", ws.T("round %d, %d of %d sites have answered", "第 %d 轮，%d/%d 个站点已回答", p.Round, p.Answered, p.Sites).In(b.c.lang))
}

func (b *bar) clear() {
	if b.shown {
		fmt.Fprint(b.c.err, "\r\x1b[K")
	}
}

func terminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
