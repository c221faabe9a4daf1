package run

import (
	"encoding/json"

	ws "wellspring"
)

// transient are the records that are of no use once the run has ended at this
// site, in the order in which they are erased.
var transient = []string{"masked", "plan", "facts"}

// A tombstone is what a site keeps of a run whose answer it has computed: no
// secret, no result, but what it takes never to answer the run again. Whoever
// could make a site forget that could ask it the same round for other sites,
// and subtract.
type tombstone struct {
	Chain   string `json:"chain"`
	Run     string `json:"run"`
	Epoch   int    `json:"epoch"`
	Opening []byte `json:"opening"` // its digest
	Rounds  int    `json:"rounds"`  // all answered
	Last    []byte `json:"last"`    // digest of the last sum
	Result  []byte `json:"result"`  // digest of the document
}

// over ends the run for good: what the journal holds of it is replaced by the
// tombstone, secrets first.
func (p *Participant) over(result [32]byte) (Record, error) {
	t := &tombstone{Chain: p.opening.Chain, Run: p.opening.Run, Epoch: p.opening.Epoch, Opening: p.digest[:],
		Rounds: p.round, Last: p.last[:], Result: result[:]}
	b, err := json.Marshal(struct {
		Over *tombstone `json:"over"`
	}{t})
	return Record{"state", b}, err
}

// Lost is what a site's journal holds of a run of which the site cannot know any
// more what it answered, since it came back from a backup: with it the site takes
// part in the run no more, whatever is asked. Another answer to what was answered
// before, under other secrets, is what an attacker would ask for.
func Lost(run string) (Record, error) {
	b, err := json.Marshal(memo{Lost: run})
	return Record{"state", b}, err
}

// forgotten answers a message of a run that is lost here: with a refusal, by which its
// conductor ends it at once.
func (p *Participant) forgotten(m *Message) (Output, error) {
	if m == nil {
		return Output{}, nil
	}
	if m.Run != p.lost {
		return Output{}, ws.Errorf(ws.Diverged, "run", ws.T("the message is of another run", "消息属于另一计算"))
	}
	if m.Step == End {
		return Output{Erase: transient}, nil
	}
	err := ws.Errorf(ws.Denied, "run", ws.T("this site was restored from a backup, and answers no run that was opened before", "本站点由备份恢复，不再应答恢复之前开启的计算")).
		WithHint(ws.T("run the study again", "请重新运行该研究"))
	return Output{Send: []Message{Refusal(p.cfg.Site, *m, err)}}, err
}

func (t *tombstone) valid() bool {
	return t.Run != "" && len(t.Opening) == 32 && len(t.Last) == 32 && len(t.Result) == 32
}

// after answers events of a run that is over: nothing but refusals of openings
// other than its own. The end, if it comes again, erases what a crash left.
func (t *tombstone) after(m *Message) (Output, error) {
	switch {
	case m == nil:
		return Output{}, nil
	case m.Step == Open:
		return t.reopened(m)
	case m.Run != t.Run:
		return Output{}, ws.Errorf(ws.Diverged, "run", ws.T("the message is of another run", "消息属于另一计算"))
	case m.Step == End:
		return Output{Erase: transient}, nil
	}
	return Output{}, nil // late
}

// reopened refuses every opening, but is silent to the run's own, which comes
// again from a conductor that repeats itself.
func (t *tombstone) reopened(m *Message) (Output, error) {
	o, err := readOpening(m.Body)
	if err != nil {
		return Output{}, err
	}
	digest, err := o.Digest()
	if err != nil {
		return Output{}, err
	}
	if string(digest[:]) == string(t.Opening) {
		return Output{}, nil
	}
	return Output{}, ws.Errorf(ws.Denied, "open", ws.T("this site has answered the run to its end, and answers it no more", "本站点已将该计算应答至结束，不再应答")).
		WithHint(ws.T("ask in a run of its own", "请另开一次计算"))
}
