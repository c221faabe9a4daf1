package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
)

// studySubmit registers a study on the ledger, by the node behind a folder.
func studySubmit(ctx context.Context, args []string, c *console) error {
	var dir, key string
	f := flags("study submit FILE --key me.key --dir DIR", c)
	f.text(&key, "key", "FILE", ws.T("the requester's key", "请求者的密钥"))
	f.text(&dir, "dir", "DIR", ws.T("the folder of a running site, or of the hub", "正在运行的站点或枢纽的文件夹"))
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if dir == "" || key == "" || f.NArg() != 1 {
		return usage(ws.T("study submit wants a study file, --key and --dir", "study submit 须给出研究文件、--key 和 --dir"))
	}
	k, signer, err := readKey(key)
	if err != nil {
		return err
	}
	st, err := readStudy(f.Arg(0))
	if err != nil {
		return err
	}
	text, err := st.Canonical()
	if err != nil {
		return err
	}
	_, digest, err := socket.Read(text)
	if err != nil {
		return err
	}
	purposes := socket.Purposes(st)
	if len(purposes) == 0 {
		return ws.Errorf(ws.Invalid, "", ws.T("the study says no purpose", "研究未说明用途")).Located(ws.Position{File: f.Arg(0)}).
			WithHint(ws.T("add to the file, for instance: purpose: {duo: [\"DUO:0000042\"]}", "请在文件中加入，例如：purpose: {duo: [\"DUO:0000042\"]}"))
	}
	desk := socket.Dial(dir)
	about, err := desk.About(ctx)
	if err != nil {
		return err
	}
	body := &ledger.AddStudy{Conductors: []ws.SiteID{about.Hub}, Dataset: st.Data.Dataset, Purposes: purposes, Study: digest}
	if err := desk.AddStudy(ctx, signer, text, body); err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(submitted{named{st.Metadata.Name, "sha256:" + digest.String()}, k.Account, st.Data.Dataset})
	}
	c.say(ws.T("study %s is submitted for account %s, on dataset %s", "研究 %s 已由账户 %s 提交，数据集为 %s", st.Metadata.Name, string(k.Account[:min(8, len(k.Account))]), st.Data.Dataset))
	fmt.Fprintf(c.out, "sha256:%s\n", digest)
	return nil
}

// A submitted study, for programs.
type submitted struct {
	named
	Requester ledger.Account `json:"requester"`
	Dataset   ws.Dataset     `json:"dataset"`
}

// An order is what the flags of "study run" say.
type order struct {
	dir, key, sites, conductor, standIn string
	out                                 target
	few                                 bool
}

// studyRun has a study conducted by the node behind a folder.
func studyRun(ctx context.Context, args []string, c *console) error {
	var o order
	f := flags("study run STUDY --key me.key --dir DIR", c)
	f.text(&o.key, "key", "FILE", ws.T("the requester's key", "请求者的密钥"))
	f.text(&o.dir, "dir", "DIR", ws.T("the folder of the running node that conducts: the hub's or a site's", "主持计算的运行中节点（枢纽或站点）的文件夹"))
	f.text(&o.conductor, "conductor", "SITE", ws.T("refuse unless the node of --dir is this one", "若 --dir 的节点不是此站点则拒绝"))
	f.text(&o.sites, "sites", "A,B,C", ws.T("the sites that take part; all that have the dataset otherwise", "参与的站点；默认为拥有该数据集的全部站点"))
	f.bool(&o.few, "few-institutions", ws.T("every site's policy allows fewer than three institutions", "所有站点的策略均允许少于三家机构"))
	o.out.flags(f)
	f.text(&o.standIn, "stand-in", "RUN", ws.T("take over this run, whose conductor is gone, by the site of --dir; without STUDY and --key", "由 --dir 的站点接替主持方已失联的计算；无须 STUDY 与 --key"))
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if o.dir == "" || (o.standIn == "") == (f.NArg() == 0) || o.standIn == "" && o.key == "" || f.NArg() > 1 {
		return usage(ws.T("study run wants a study, --key and --dir; or --stand-in RUN and --dir", "study run 须给出研究、--key 和 --dir；或 --stand-in RUN 和 --dir"))
	}
	desk := socket.Dial(o.dir)
	err := o.at(ctx, desk)
	if err == nil {
		err = o.out.ready(nil)
	}
	if err != nil {
		return err
	}
	bar := newRounds(c)
	defer bar.clear()
	answer, err := o.play(ctx, desk, f.Arg(0), bar.show)
	if err != nil {
		return err
	}
	bar.clear()
	return o.deliver(ctx, c, desk, answer)
}

// at holds the node of the folder to --conductor.
func (o *order) at(ctx context.Context, desk *socket.Client) error {
	if o.conductor == "" {
		return nil
	}
	about, err := desk.About(ctx)
	if err == nil && string(about.Site) != o.conductor {
		err = usage(ws.T("the node of --dir is %s, and a node conducts for itself: give the folder of %s", "--dir 的节点是 %s，而节点只能自行主持：请给出 %s 的文件夹", about.Site, o.conductor))
	}
	return err
}

func (o *order) play(ctx context.Context, desk *socket.Client, which string, show func(socket.Progress)) (*socket.Answer, error) {
	if o.standIn != "" {
		return desk.StandIn(ctx, ledger.RunID(o.standIn), show)
	}
	k, signer, err := readKey(o.key)
	if err != nil {
		return nil, err
	}
	s, err := oneStudy(ctx, desk, which, k.Account)
	if err != nil {
		return nil, err
	}
	ask := socket.Order{StudyRef: s.StudyRef, Few: o.few}
	if o.sites != "" {
		for _, name := range strings.Split(o.sites, ",") {
			ask.Sites = append(ask.Sites, ws.SiteID(name))
		}
	}
	return desk.Run(ctx, ask, signer, show)
}

// deliver writes the answer as simulate does; the figures want the study's text.
func (o *order) deliver(ctx context.Context, c *console, desk *socket.Client, a *socket.Answer) error {
	s, err := desk.Studies(ctx, a.Document.StudyDigest)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s, func(s socket.Study) bool { return s.Here() })
	if i < 0 {
		return ws.Errorf(ws.Other, "", ws.T("the text of the study is not at the node", "节点上没有研究文本"))
	}
	st, _, err := socket.Read(s[i].Text)
	if err != nil {
		return err
	}
	salt, _ := a.Salt.MarshalText() // never fails
	for _, s := range s {
		for _, run := range s.Runs {
			if run.Run == a.Run {
				computedOn(c, s.Dataset, run)
			}
		}
	}
	if c.json {
		c.event("receipt", map[string]string{"run": string(a.Run), "salt": string(salt)})
	} else {
		fmt.Fprintln(c.err, ws.T("run %s; salt of its commitments on the ledger: %s", "计算 %s；账本承诺所用的盐：%s", string(a.Run), string(salt)).In(c.lang))
	}
	return deliver(c, st, a.Document, o.out)
}

// computed is, for programs, what a run computed on: the version of the dataset at each site.
type computed struct {
	Dataset  ws.Dataset        `json:"dataset"`
	Versions map[ws.SiteID]int `json:"versions"`
}

// computedOn tells on what a run computed, as the ledger fixed it.
func computedOn(c *console, on ws.Dataset, run socket.Run) {
	v := computed{on, map[ws.SiteID]int{}}
	var sites []string
	for i, site := range run.Sites {
		v.Versions[site] = run.Versions[i]
		sites = append(sites, fmt.Sprintf("%s v%d", site, run.Versions[i]))
	}
	if c.json {
		c.event("computed", v)
	} else {
		fmt.Fprintln(c.err, ws.T("computed on dataset %s: %s", "计算所用数据集 %s：%s", on, strings.Join(sites, ", ")).In(c.lang))
	}
}

// studyResult delivers the kept answer of a run again, as "study run" did: of the
// run that is named, or of the newest one of a study.
func studyResult(ctx context.Context, args []string, c *console) error {
	var o order
	f := flags("study result STUDY|RUN --dir DIR", c)
	f.text(&o.dir, "dir", "DIR", ws.T("the folder of the running node that conducted, or stood in", "主持或接替计算的运行中节点的文件夹"))
	o.out.flags(f)
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if o.dir == "" || f.NArg() != 1 {
		return usage(ws.T("study result wants a study or a run, and --dir", "study result 须给出研究或计算，以及 --dir"))
	}
	if err := o.out.ready(nil); err != nil {
		return err
	}
	desk := socket.Dial(o.dir)
	id, err := keptRun(ctx, desk, f.Arg(0))
	if err != nil {
		return err
	}
	answer, err := desk.Result(ctx, id)
	if err != nil {
		return err
	}
	return o.deliver(ctx, c, desk, answer)
}

// keptRun is the run that which names or, of a study, the newest one whose answer is kept.
func keptRun(ctx context.Context, desk *socket.Client, which string) (ledger.RunID, error) {
	if b, err := hex.DecodeString(which); err == nil && len(b) == 16 {
		return ledger.RunID(which), nil
	}
	s, err := oneStudy(ctx, desk, which, "")
	if err != nil {
		return "", err
	}
	if run := s.Newest(); run != nil {
		return run.Run, nil
	}
	return "", ws.Errorf(ws.Invalid, "", ws.T("no answer of the study is kept at this node", "本节点未保存该研究的结果")).
		WithHint(ws.T("ask the node that conducted it; see: wellspring study show %s --dir DIR", "请在主持计算的节点上查询；参见：wellspring study show %s --dir DIR", which))
}

// rounds shows how far a run is: on a terminal in place, to a program each step,
// elsewhere a line each round.
type rounds struct {
	bar
	told int
	run  ledger.RunID
}

func newRounds(c *console) *rounds { return &rounds{bar: bar{c: c}, told: -1} }

func (r *rounds) show(p socket.Progress) {
	if r.c.json {
		r.c.event("progress", progressEvent(p))
		return
	}
	if r.run == "" {
		r.run = p.Run
		fmt.Fprintln(r.c.err, ws.T("run %s", "计算 %s", string(p.Run)).In(r.c.lang))
	}
	text := ws.T("round %d, %d of %d sites have answered", "第 %d 轮，%d/%d 个站点已回答", p.Round, p.Answered, p.Sites).In(r.c.lang)
	switch {
	case terminal(r.c.err):
		r.shown = true
		fmt.Fprintf(r.c.err, "\r\x1b[K%s", text)
	case p.Round != r.told:
		fmt.Fprintln(r.c.err, ws.T("round %d, over %d sites", "第 %d 轮，%d 个站点", p.Round, p.Sites).In(r.c.lang))
	}
	r.told = p.Round
}

// studyShow tells what the node behind a folder knows of a study.
func studyShow(ctx context.Context, args []string, c *console) error {
	desk, which, err := studyAt("show", args, c)
	if err != nil {
		return err
	}
	s, err := oneStudy(ctx, desk, which, "")
	if err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(s)
	}
	fmt.Fprintf(c.out, "%s\nsha256:%s\n", s.Name, s.Study)
	if title := s.Title[c.lang]; title != "" {
		fmt.Fprintln(c.out, title)
	}
	c.say(ws.T("dataset %s, for %v; asked by account %s", "数据集 %s，用途 %v；请求账户 %s", s.Dataset, s.Purposes, string(s.Requester)))
	if s.Here() {
		var text bytes.Buffer
		if err := json.Indent(&text, s.Text, "", "  "); err != nil {
			return err
		}
		fmt.Fprintln(c.out, text.String())
	} else {
		c.say(ws.T("its text is not here", "此处没有其文本"))
	}
	for _, d := range s.Decisions {
		c.say(ws.T("site %s, version %d, release %s: %s", "站点 %s，版本 %d，程序版本 %s：%s", d.Site, d.Version, d.Release, d.Verdict.Describe()))
	}
	for _, r := range s.Runs {
		state := ws.T("under way", "进行中")
		if r.Closed {
			state = ws.T("ended: %s", "已结束：%s", r.Outcome)
		}
		c.say(ws.T("run %s, conducted by %s over %d sites: %s", "计算 %s，由 %s 主持，%d 个站点：%s", string(r.Run), r.Conductor, len(r.Sites), state))
		for _, reviewer := range r.Reviewers {
			c.say(ws.T("  its answer, at site %s: %s", "  其结果在站点 %s：%s", reviewer.Site, reviewer.Describe()))
		}
	}
	return nil
}

// studyStop ends the runs of a study that the node behind a folder conducts.
func studyStop(ctx context.Context, args []string, c *console) error {
	desk, which, err := studyAt("stop", args, c)
	if err == nil {
		err = desk.Stop(ctx, which)
	}
	if err == nil {
		c.say(ws.T("the run is being stopped", "正在终止计算"))
	}
	return err
}

// studyAt parses STUDY --dir DIR.
func studyAt(name string, args []string, c *console) (*socket.Client, string, error) {
	var dir string
	f := flags("study "+name+" STUDY --dir DIR", c)
	f.text(&dir, "dir", "DIR", ws.T("the folder of a running site, or of the hub", "正在运行的站点或枢纽的文件夹"))
	if err := f.parseMixed(args); err != nil {
		return nil, "", err
	}
	if dir == "" || f.NArg() != 1 {
		return nil, "", usage(ws.T("study %s wants a study and --dir", "study %s 须给出研究和 --dir", name))
	}
	return socket.Dial(dir), f.Arg(0), nil
}
