package main

import (
	"context"
	"errors"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
	"wellspring/site/events"
)

// hubDir parses the flags of a command that takes --dir and n words, and opens the hub's folder.
func hubDir(f *flagSet, args []string, n int) (folder, error) {
	var dir string
	f.text(&dir, "dir", "DIR", ws.T("the folder of the running hub", "运行中枢纽的文件夹"))
	if err := f.parseMixed(args); err != nil {
		return "", err
	}
	if dir == "" || f.NArg() != n {
		return "", ws.Errorf(ws.Invalid, "", ws.T("the command wants: wellspring %s", "该命令的用法：wellspring %s", f.synopsis)).
			WithHint(ws.T("see: wellspring %s --help", "参见：wellspring %s --help", f.name()))
	}
	d := folder(dir)
	_, err := d.hub()
	return d, err
}

// hubSuspend has nothing of an institution count any more.
func hubSuspend(ctx context.Context, args []string, c *console) error {
	i, err := hubStanding(ctx, "suspend", ledger.Suspend, args, c)
	if err == nil {
		c.say(ws.T("institution %s is suspended: nothing of it counts, and no run with its sites is answered", "机构 %s 已被暂停：其一切均不生效，与其站点的计算不再获应答", i))
	}
	return err
}

// hubReinstate ends a suspension.
func hubReinstate(ctx context.Context, args []string, c *console) error {
	i, err := hubStanding(ctx, "reinstate", ledger.Reinstate, args, c)
	if err == nil {
		c.say(ws.T("institution %s is reinstated", "机构 %s 已恢复", i))
	}
	return err
}

func hubStanding(ctx context.Context, name string, act ledger.Act, args []string, c *console) (ws.Institution, error) {
	f := flags("hub "+name+" INSTITUTION --dir DIR", c)
	d, err := hubDir(f, args, 1)
	if err != nil {
		return "", err
	}
	key, err := d.key(operatorKey)
	if err != nil {
		return "", err
	}
	i := ws.Institution(f.Arg(0))
	return i, socket.Dial(string(d)).Do(ctx, key, &ledger.SetInstitution{Act: act, Institution: i})
}

// siteEnd ends a site of the folder's institution for ever, as when its machine was stolen.
func siteEnd(ctx context.Context, args []string, c *console) error {
	f := flags("site end SITE --dir DIR", c)
	d, _, err := siteDir(f, args, 1)
	if err != nil {
		return err
	}
	key, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	site := ws.SiteID(f.Arg(0))
	if err := socket.Dial(string(d)).Do(ctx, key, &ledger.SetSite{Act: ledger.End, Site: site}); err != nil {
		return err
	}
	c.say(ws.T("site %s has ended, for ever; its node and its pass are of no use to anybody", "站点 %s 已永久终止；其节点与通行证对任何人均已无用", site))
	return nil
}

// expelAfter is how long an ended site may still hear that it has ended.
const expelAfter = 2 * time.Second

// expel shuts members out of the broker whose sites have ended: those that ended
// before the hub started, and then each that does.
func (n *hubNode) expel(ctx context.Context) error {
	state := n.ledger.State()
	drop := func(site ws.SiteID) {
		if err := errors.Join(n.broker.Remove(ctx, site), n.roster.drop(site)); err != nil {
			n.log.report(err)
			return
		}
		n.log.Write(events.SiteEnded(site))
	}
	for _, m := range n.roster.rights() {
		if s, _ := state.Site(m.Site); s.Ended {
			drop(m.Site)
		}
	}
	for b, err := range n.ledger.Watch(ctx, state.Height()) {
		if err != nil {
			return err
		}
		for _, tx := range b.Txs {
			if s, ok := tx.Body().(*ledger.SetSite); ok && s.Act == ledger.End {
				select {
				case <-time.After(expelAfter):
				case <-ctx.Done():
					return nil
				}
				drop(s.Site)
			}
		}
	}
	return nil
}
