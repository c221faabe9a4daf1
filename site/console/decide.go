package console

import (
	"context"
	"crypto"

	ws "wellspring"
	"wellspring/ledger"
)

// Questions are what a verdict of the node's site on a study is about: the latest
// version of its dataset or, for a withdrawal, all versions that are approved.
// Nobody approves a text that is not here, or not the one that is on the ledger.
func (s *Study) Questions(about About, v ledger.Verdict) (out []ledger.Question, err error) {
	ask := func(version int) ledger.Question {
		return ledger.Question{StudyRef: s.StudyRef, Release: ws.Version, Site: about.Site, Version: version}
	}
	if v == ledger.Withdraw {
		for _, d := range s.Decisions {
			if d.Site == about.Site && d.Release == ws.Version && d.Verdict == ledger.Approve {
				out = append(out, ask(d.Version))
			}
		}
		if len(out) == 0 {
			err = ws.Errorf(ws.Denied, "", ws.T("this site has not approved the study", "本站点未批准该研究"))
		}
		return out, err
	}
	if v == ledger.Approve && !s.shown() {
		return nil, ws.Errorf(ws.Unreachable, "", ws.T("the text of the study has not come yet, or does not say what the ledger says", "研究文本尚未送达，或与账本所载不符")).
			WithHint(ws.T("wait, or ask its requester to submit it again; nobody approves what was not shown", "请稍候，或请请求者重新提交；未见文本不得批准"))
	}
	if latest := about.Latest(s.Dataset); latest > 0 {
		return []ledger.Question{ask(latest)}, nil
	}
	return nil, ws.Errorf(ws.Denied, "", ws.T("this site has no frozen version of dataset %s", "本站点没有数据集 %s 的冻结版本", s.Dataset)).
		WithHint(ws.T("wellspring site load, then site dataset freeze", "请先执行 wellspring site load，再执行 site dataset freeze"))
}

// shown reports whether the text is here and has the digest that is signed.
func (s *Study) shown() bool {
	if !s.Here() {
		return false
	}
	_, h, err := Read(s.Text)
	return err == nil && h == s.Study
}

// Standing is the site's verdict on the study as it stands, of the newest
// version that it decided on; empty if it has not decided.
func (s *Study) Standing(site ws.SiteID) (v ledger.Verdict) {
	newest := 0
	for _, d := range s.Decisions {
		if d.Site == site && d.Release == ws.Version && d.Version >= newest {
			newest, v = d.Version, d.Verdict
		}
	}
	return v
}

// Decide signs a verdict on each question and puts it on the ledger.
func (c *Client) Decide(ctx context.Context, key crypto.Signer, questions []ledger.Question, v ledger.Verdict) error {
	for _, q := range questions {
		if err := c.Do(ctx, key, &ledger.Decide{Question: q, Verdict: v}); err != nil {
			return err
		}
	}
	return nil
}
