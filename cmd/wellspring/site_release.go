package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/policy/review"
	socket "wellspring/site/console"
	"wellspring/study"
	"wellspring/study/render"
)

// siteOutbox is "wellspring site outbox": the answers that a person of this site must
// release or, of one run, what would leave, with what to look at.
func siteOutbox(ctx context.Context, args []string, c *console) error {
	f := flags("site outbox [RUN] --dir DIR", c)
	d, own, err := siteDir(f, args, -1)
	if err != nil {
		return err
	}
	if f.NArg() > 1 {
		return usage(ws.T("site outbox takes one run, or none", "site outbox 至多给出一个计算"))
	}
	desk := socket.Dial(string(d))
	if f.NArg() == 1 {
		draft, err := heldRun(ctx, desk, f.Arg(0))
		if err != nil {
			return err
		}
		return showDraft(c, draft, own.Site)
	}
	all, err := desk.Outbox(ctx)
	if err != nil {
		return err
	}
	for _, h := range all {
		if c.json {
			if err := json.NewEncoder(c.out).Encode(h); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(c.out, "%s  %-20s %-12s %s  %s\n", h.Run, h.Name, h.Dataset, ws.T("%d marks", "%d 处标记", h.Marks).In(c.lang), h.Standing(own.Site).In(c.lang))
	}
	return nil
}

// heldRun gives the answer of the outbox that which names: a run, its first eight
// digits or more, or a study of which one answer waits.
func heldRun(ctx context.Context, desk *socket.Client, which string) (*socket.Draft, error) {
	all, err := desk.Outbox(ctx)
	if err != nil {
		return nil, err
	}
	var found []ledger.RunID
	for _, h := range all {
		if len(which) >= 8 && strings.HasPrefix(string(h.Run), which) || h.Name == which {
			found = append(found, h.Run)
		}
	}
	if len(found) != 1 {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("%d answers in the outbox are meant", "所指的待审核结果有 %d 个", len(found))).
			WithHint(ws.T("name a run of the list: wellspring site outbox --dir DIR", "请指明列表中的计算：wellspring site outbox --dir DIR"))
	}
	return desk.Draft(ctx, found[0])
}

// showDraft shows what would leave as the requester would see it, then the marks.
func showDraft(c *console, d *socket.Draft, own ws.SiteID) error {
	if c.json {
		doc, err := study.MarshalReadable(d.Document)
		if err != nil {
			return err
		}
		return json.NewEncoder(c.out).Encode(struct {
			socket.Held
			Document json.RawMessage `json:"document"`
			Noted    []review.Mark   `json:"noted"`
		}{d.Held, doc, d.Noted})
	}
	if err := render.Table(c.out, d.Document, c.lang); err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	c.say(ws.T("marks of the automatic checks: %d", "自动检查的标记：%d 处", len(d.Noted)))
	for _, m := range d.Noted {
		where := m.ID
		if m.Row > 0 {
			where = strings.TrimSpace(fmt.Sprintf("%s %s %d %s", m.ID, m.Table, m.Row, m.Field))
		}
		if place := m.Place(d.Document); place != "" {
			where += " (" + place + ")"
		}
		fmt.Fprintf(c.out, "  %-16s %s: %s\n", m.Code, where, m.Why.In(c.lang))
	}
	for _, r := range d.Reviewers {
		c.say(ws.T("site %s: %s", "站点 %s：%s", r.Site, r.Describe()))
		if r.Words != "" {
			fmt.Fprintf(c.out, "  “%s”\n", r.Words)
		}
	}
	c.say(d.Standing(own))
	return nil
}

// rulings are what a reviewer may say.
var rulings = map[string]ledger.Verdict{"approve": ledger.Approve, "suppress": ledger.Suppress, "refuse": ledger.Refuse, "ask": ledger.Ask}

// siteRelease is "wellspring site release": a reviewer's word on an answer, signed with
// the institution's key.
func siteRelease(ctx context.Context, args []string, c *console) error {
	var parts []string
	var reason string
	f := flags("site release approve|suppress|refuse|ask RUN --dir DIR [--part ID] [--reason TEXT]", c)
	f.list(&parts, "part", "ID", ws.T("with suppress: an analysis that is left out, by its id or its place; may be given again", "与 suppress 合用：要隐去的分析，以编号或序位指明；可重复给出"))
	f.text(&reason, "reason", "TEXT", ws.T("words for whoever asked; the ledger gets a commitment to them alone", "给请求者的说明；账本只登记其承诺"))
	d, own, err := siteDir(f, args, 2)
	if err != nil {
		return err
	}
	verdict, known := rulings[f.Arg(0)]
	if !known || (verdict == ledger.Suppress) != (len(parts) > 0) || verdict == ledger.Ask && reason == "" {
		return usage(ws.T("site release wants approve, suppress with --part, refuse, or ask with --reason; and a run", "site release 须给出 approve、suppress（含 --part）、refuse 或 ask（含 --reason），以及计算"))
	}
	desk := socket.Dial(string(d))
	draft, err := heldRun(ctx, desk, f.Arg(1))
	if err != nil {
		return err
	}
	r := socket.Ruling{Verdict: verdict, Reason: reason}
	if r.Parts, err = placesOf(draft.Document, parts); err != nil {
		return err
	}
	if err := d.review(ctx, desk, own.Site, draft, r); err != nil {
		return err
	}
	c.say(ws.T("the answer of run %s, %s: %s", "计算 %s（%s）的结果：%s", string(draft.Run[:8]), draft.Name, socket.Reviewer{Verdict: verdict, Parts: r.Parts}.Describe()))
	return nil
}

// review signs a ruling with the institution's key, which is read for each.
func (d folder) review(ctx context.Context, desk *socket.Client, site ws.SiteID, draft *socket.Draft, r socket.Ruling) error {
	body, said, err := draft.Body(site, r)
	if err != nil {
		return err
	}
	key, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	return desk.Review(ctx, key, body, said)
}

// placesOf are the places of analyses that are named by their ids or their places.
func placesOf(doc *study.Document, names []string) ([]int, error) {
	var out []int
	for _, name := range names {
		place := slices.IndexFunc(doc.All(), func(r study.Result) bool { return r.ID == name }) + 1
		if n, err := strconv.Atoi(name); place == 0 && err == nil && n >= 1 && n <= len(doc.All()) {
			place = n
		}
		if place == 0 {
			return nil, ws.Errorf(ws.Invalid, "", ws.T("the answer has no analysis %q", "结果中没有分析 %q", name)).
				WithHint(ws.T("see: wellspring site outbox RUN --dir DIR", "参见：wellspring site outbox RUN --dir DIR"))
		}
		out = append(out, place)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
