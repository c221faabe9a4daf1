package main

import (
	"context"
	"embed"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	ws "wellspring"
	"wellspring/collect/csv"
	"wellspring/policy"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

//go:embed testdata/bmt/bmt.csv testdata/bmt/*.yaml
var bmt embed.FS

// hospitals are the levels of the column z9; see testdata/bmt/README.md.
var hospitals = []struct {
	site    ws.SiteID
	level   string
	country string
}{{"alfred", "2", "AU"}, {"hahnemann", "4", "US"}, {"ohio-state", "1", "US"}, {"st-vincent", "3", "AU"}}

var demoStudies = []string{"survival", "curves", "patients"}

// A demo holds the patients' file and what is made of it.
type demo struct {
	c      *console
	inputs []input
}

// runDemo plays three studies over four real hospitals: on a network of five
// nodes until Ctrl-C, or once, in a rehearsal, with what each party saw.
func runDemo(ctx context.Context, args []string, c *console) error {
	var once bool
	var out, keep string
	f := flags("demo [--once [--out DIR] | --dir DIR]", c)
	f.bool(&once, "once", ws.T("rehearse the studies, print the answers, and end", "排练各项研究，给出结果后结束"))
	f.text(&out, "out", "DIR", ws.T("with --once: folder for JSON, CSV and SVG", "与 --once 同用：存放 JSON、CSV 与 SVG 的文件夹"))
	f.text(&keep, "dir", "DIR", ws.T("keep the network there, and go on with it the next time", "将网络保存在此，下次继续"))
	if err := f.parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return usage(ws.T("demo takes no arguments", "demo 不带参数"))
	case once && keep != "" || !once && out != "":
		return usage(ws.T("--out goes with --once, and --dir without it", "--out 须与 --once 同用，--dir 则不与其同用"))
	}
	dir, err := os.MkdirTemp("", "wellspring-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demo{c: c}
	if err := d.prepare(ctx, dir); err != nil {
		return err
	}
	d.greet()
	if !once {
		return d.serve(ctx, or(keep, filepath.Join(dir, "net")))
	}
	return d.rehearse(ctx, out)
}

func (d *demo) greet() {
	d.c.say(ws.T("137 patients after bone-marrow transplantation, at four hospitals that keep their records:\nOhio State (76), Alfred, Melbourne (17), St. Vincent's, Sydney (23), Hahnemann, Philadelphia (21).\n",
		"137 例骨髓移植患者，分属四家各自保存病历的医院：\n俄亥俄州立（76）、墨尔本 Alfred（17）、悉尼 St. Vincent（23）、费城 Hahnemann（21）。\n"))
}

// rehearse plays the studies with all parties in this process, and shows what the hub saw.
func (d *demo) rehearse(ctx context.Context, out string) (err error) {
	answers := map[string]*rehearsal.Outcome{}
	for _, name := range demoStudies {
		if answers[name], err = d.answer(ctx, name, out); err != nil {
			return err
		}
	}
	d.showSeen(answers["survival"].Seen)
	if err := d.compare(ctx, answers["survival"].Document); err != nil {
		return err
	}
	d.next()
	return nil
}

// prepare writes the patients' file where the sites can read it.
func (d *demo) prepare(ctx context.Context, dir string) error {
	b, err := bmt.ReadFile("testdata/bmt/bmt.csv")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "bmt.csv")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	for _, h := range hospitals {
		d.inputs = append(d.inputs, input{site: h.site, path: path, opt: csv.Options{Public: true, Only: csv.Only{Column: "z9", Value: h.level}}})
	}
	return dictionaries(ctx, nil, d.inputs)
}

func (d *demo) study(name string) (*study.Study, error) {
	file := "testdata/bmt/" + name + ".yaml"
	b, err := bmt.ReadFile(file)
	if err != nil {
		return nil, err
	}
	st, err := study.Parse(b, file)
	if err != nil {
		return nil, err
	}
	return st.WithDefaults(), nil
}

// answer plays one study over the four hospitals and prints its tables.
func (d *demo) answer(ctx context.Context, name, out string) (*rehearsal.Outcome, error) {
	st, err := d.study(name)
	if err != nil {
		return nil, err
	}
	o, err := d.play(ctx, st, d.inputs, false)
	if err != nil {
		return nil, err
	}
	var to target
	if out != "" {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return nil, ws.Errorf(ws.Invalid, "", ws.T("the folder %s cannot be made", "无法建立文件夹 %s", out)).Wrap(err)
		}
		to.path = filepath.Join(out, name+".json")
	}
	return o, deliver(d.c, st, o.Document, to)
}

func (d *demo) play(ctx context.Context, st *study.Study, inputs []input, pooled bool) (*rehearsal.Outcome, error) {
	cl, err := openClinic()
	if err != nil {
		return nil, err
	}
	defer cl.close()
	if pooled {
		err = cl.pool(ctx, inputs, policy.Public())
	} else {
		err = cl.admit(ctx, inputs, policy.Public())
	}
	if err != nil {
		return nil, err
	}
	return rehearsal.Run(ctx, st, cl.sites, rehearsal.Options{Catalog: catalog})
}

// showSeen prints what the hub held of one hospital in one round.
func (d *demo) showSeen(s rehearsal.Seen) {
	d.c.say(ws.T("What the hub saw of %s in round %d: a masked vector of %d numbers, of which the first are",
		"枢纽在第 %[2]d 轮看到的 %[1]s 的数据：一个加掩向量，共 %[3]d 项，前几项为", s.Site, s.Round, s.Len))
	for _, v := range s.Vector[:min(4, len(s.Vector))] {
		fmt.Fprintf(d.c.out, "    %016x%016x\n", v.Hi, v.Lo)
	}
	d.c.say(ws.T("Without the other hospitals' vectors these are random bits. Each hospital added all four itself.\n",
		"没有其他医院的向量，这些只是随机比特。每家医院都自行完成了四个向量的相加。\n"))
}

// compare prints the first model of the survival study as each hospital alone
// would have it, as the pooled table has it, and as the four gave it together.
func (d *demo) compare(ctx context.Context, together *study.Document) error {
	st, err := d.study("survival")
	if err != nil {
		return err
	}
	st.Analysis, st.Analyses = &st.Analyses[0], nil
	pooled, err := d.play(ctx, st, d.inputs, true)
	if err != nil {
		return err
	}
	alone := make([][]study.Row, len(d.inputs))
	for i, in := range d.inputs {
		if o, err := d.play(ctx, st, []input{in}, true); err == nil {
			alone[i] = o.Document.Tidy
		} else if ctx.Err() != nil {
			return err
		}
	}
	d.c.say(ws.T("The same Cox model (log hazard ratios) from each hospital alone, from the pooled table, and from the four together:",
		"同一 Cox 模型（对数风险比）：各医院单独、合并表以及四家联合所得："))
	d.header()
	rows := together.Results[0].Tidy
	worst := 0.0
	for i, r := range rows {
		fmt.Fprintf(d.c.out, "  %-16s", r.Text("term"))
		for _, t := range alone {
			fmt.Fprint(d.c.out, estimate(t, r.Text("term")))
		}
		p := pooled.Document.Tidy[i]
		fmt.Fprintf(d.c.out, "%14.9f%14.9f\n", p.Float("estimate"), r.Float("estimate"))
		worst = math.Max(worst, math.Abs(r.Float("estimate")-p.Float("estimate"))/math.Max(math.Abs(p.Float("estimate")), p.Float("std_error")))
	}
	d.c.say(ws.T("  – too few patients for this model. Largest difference between pooled and together: %.1e.\n",
		"  – 表示患者过少，无法拟合。合并与联合之间的最大差异：%.1e。\n", worst))
	return nil
}

func (d *demo) header() {
	fmt.Fprintf(d.c.out, "  %-16s", "")
	for _, in := range d.inputs {
		fmt.Fprintf(d.c.out, "%12s", in.site)
	}
	fmt.Fprintf(d.c.out, "%14s%14s\n", "pooled", "together")
}

func estimate(rows []study.Row, term string) string {
	i := slices.IndexFunc(rows, func(r study.Row) bool { return r.Text("term") == term })
	if i < 0 {
		return fmt.Sprintf("%12s", "–")
	}
	return fmt.Sprintf("%12.4f", rows[i].Float("estimate"))
}

func (d *demo) next() {
	d.c.say(ws.T("Try next:", "接下来可以尝试："))
	for _, line := range []string{
		"wellspring demo                               # the same on a network, until Ctrl-C",
		"wellspring demo --once --out answers          # JSON, CSV, SVG",
		"wellspring study new yours.csv > study.yaml",
		"wellspring simulate --study study.yaml --split COLUMN=yours.csv --out result.json",
	} {
		fmt.Fprintln(d.c.out, "  "+line)
	}
}
