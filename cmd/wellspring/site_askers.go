package main

import (
	"context"
	"encoding/json"
	"fmt"

	ws "wellspring"
	socket "wellspring/site/console"
)

// siteAskers is "wellspring site askers": whom the site remembers, and whom it lets ask on.
func siteAskers(ctx context.Context, args []string, c *console) error {
	var let, dataset string
	f := flags("site askers --dir DIR [--let INSTITUTION --dataset NAME]", c)
	f.text(&let, "let", "INSTITUTION", ws.T("let its requesters ask on, whose questions were as good as asked before", "放行该机构的请求者：其问题曾与此前相当"))
	f.text(&dataset, "dataset", "NAME", ws.T("of this dataset", "所涉数据集"))
	d, _, err := siteDir(f, args, 0)
	if err != nil {
		return err
	}
	if (let == "") != (dataset == "") {
		return usage(ws.T("--let and --dataset belong together", "--let 与 --dataset 须同时给出"))
	}
	node := socket.Dial(string(d))
	all, err := node.Askers(ctx)
	if err != nil {
		return err
	}
	if let != "" {
		return letAsk(ctx, node, all, ws.Institution(let), ws.Dataset(dataset), c)
	}
	for _, a := range all {
		if c.json {
			if err := json.NewEncoder(c.out).Encode(a); err != nil {
				return err
			}
			continue
		}
		held := ""
		if a.Held {
			held = ws.T("waits for a person", "待人工放行").In(c.lang)
		}
		fmt.Fprintf(c.out, "%-20s %-12s %s  %s  %s\n", a.Institution, a.Dataset, ws.T("%d cohorts", "%d 个队列", a.Cohorts).In(c.lang),
			ws.T("%d as good as asked before", "%d 个与此前相当", a.Replies).In(c.lang), held)
	}
	return nil
}

func letAsk(ctx context.Context, node *socket.Client, all []socket.Asker, of ws.Institution, d ws.Dataset, c *console) error {
	for _, a := range all {
		if a.Institution != of || a.Dataset != d {
			continue
		}
		if err := node.Let(ctx, a); err != nil {
			return err
		}
		c.say(ws.T("the requesters of %s may ask %s on; what they were answered stays remembered", "已放行 %s 的请求者继续就 %s 提问；其已获答复的内容仍会记住", of, d))
		return nil
	}
	return ws.Errorf(ws.Invalid, "", ws.T("this site remembers no requester of %s for %s", "本站点没有 %s 就 %s 提问的记录", of, d)).
		WithHint(ws.T("see: wellspring site askers --dir DIR", "参见：wellspring site askers --dir DIR"))
}
