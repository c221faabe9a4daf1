package main

import (
	"context"
	"encoding/json"
	"fmt"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
)

// siteStudies lists the studies on the ledger with what this site decided.
func siteStudies(ctx context.Context, args []string, c *console) error {
	f := flags("site studies --dir DIR", c)
	d, own, err := siteDir(f, args, 0)
	if err != nil {
		return err
	}
	all, err := socket.Dial(string(d)).Studies(ctx, "")
	if err != nil {
		return err
	}
	for _, s := range all {
		if c.json {
			if err := json.NewEncoder(c.out).Encode(s); err != nil {
				return err
			}
			continue
		}
		var verdict ledger.Verdict
		for _, v := range s.Decisions {
			if v.Site == own.Site {
				verdict = v.Verdict
			}
		}
		fmt.Fprintf(c.out, "%s  %-20s %-12s %s\n", s.Study.String()[:12], s.Name, s.Dataset, verdict.Describe().In(c.lang))
	}
	return nil
}

func siteApprove(ctx context.Context, args []string, c *console) error {
	return siteVerdict(ctx, "approve", ledger.Approve, args, c)
}

func siteRefuse(ctx context.Context, args []string, c *console) error {
	return siteVerdict(ctx, "refuse", ledger.Refuse, args, c)
}

func siteWithdraw(ctx context.Context, args []string, c *console) error {
	return siteVerdict(ctx, "withdraw", ledger.Withdraw, args, c)
}

// siteVerdict signs a decision with the institution's key.
func siteVerdict(ctx context.Context, name string, v ledger.Verdict, args []string, c *console) error {
	f := flags("site "+name+" STUDY --dir DIR", c)
	d, _, err := siteDir(f, args, 1)
	if err != nil {
		return err
	}
	desk := socket.Dial(string(d))
	s, err := oneStudy(ctx, desk, f.Arg(0), "")
	if err != nil {
		return err
	}
	about, err := desk.About(ctx)
	if err != nil {
		return err
	}
	questions, err := s.Questions(about, v)
	if err != nil {
		return err
	}
	if err := d.decide(ctx, desk, questions, v); err != nil {
		return err
	}
	c.say(ws.T("study %s %s, %s, for %v: %s", "研究 %s %s，数据集 %s，用途 %v：%s", s.Study.String()[:12], s.Name, s.Dataset, s.Purposes, v.Describe()))
	return nil
}

// decide signs a verdict with the institution's key, and approves nothing that this folder cannot answer.
func (d folder) decide(ctx context.Context, desk *socket.Client, questions []ledger.Question, v ledger.Verdict) error {
	if v == ledger.Approve {
		about, err := desk.About(ctx)
		if err != nil {
			return err
		}
		for _, q := range questions {
			if err := d.answerable(ctx, desk, about, q); err != nil {
				return err
			}
		}
	}
	key, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	return desk.Decide(ctx, key, questions, v)
}

// answerable reports whether the folder holds the newest version of the rows that q is
// about. The node tells what the ledger has of it: to read the ledger here would take the
// longer the more is on it.
func (d folder) answerable(ctx context.Context, desk *socket.Client, about socket.About, q ledger.Question) error {
	studies, err := desk.Studies(ctx, q.Study.String())
	if err != nil {
		return err
	}
	for _, s := range studies {
		if s.StudyRef == q.StudyRef && about.Latest(s.Dataset) == q.Version {
			_, err := d.held(about.Held[s.Dataset], q.Site, s.Dataset, q.Version)
			return err
		}
	}
	return ws.Errorf(ws.Invalid, "", ws.T("the ledger has a newer version of the dataset, or no such study", "账本上已有该数据集的更新版本，或没有该研究")).
		WithHint(ws.T("decide again", "请重新决定"))
}

// oneStudy finds the one study that which names, of one requester where account is given.
func oneStudy(ctx context.Context, desk *socket.Client, which string, account ledger.Account) (*socket.Study, error) {
	all, err := desk.Studies(ctx, which)
	if err != nil {
		return nil, err
	}
	var found []socket.Study
	for _, s := range all {
		if account == "" || s.Requester == account {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 1:
		return &found[0], nil
	case 0:
		return nil, ws.Errorf(ws.Invalid, "", ws.T("the ledger here knows no such study", "此处账本中没有该研究")).
			WithHint(ws.T("name it by its name, or the first eight digits of its digest or more", "请用研究名称，或摘要的前八位以上来指明"))
	}
	return nil, ws.Errorf(ws.Invalid, "", ws.T("more than one study is meant", "所指研究不止一项")).
		WithHint(ws.T("give more digits of its digest", "请给出更多位摘要"))
}
