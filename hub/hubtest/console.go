package hubtest

import (
	"context"
	"path/filepath"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/post"
	"wellspring/run"
	"wellspring/site/console"
)

// A desk is a node's console on a socket of its own.
type desk struct {
	server *console.Server
	texts  *console.Texts
	outbox *console.Results
	words  *console.Words
	stop   context.CancelFunc
	done   chan error
}

// Console serves the console of a running node, the hub's or a site's, on a
// socket in dir, and gives a client of it. Studies come to it from then on.
func (w *Network) Console(id ws.SiteID, dir string) (*console.Client, error) {
	texts, err := console.OpenTexts(filepath.Join(dir, "studies"))
	if err != nil {
		return nil, err
	}
	results, err := console.OpenResults(filepath.Join(dir, "results"))
	if err != nil {
		return nil, err
	}
	outbox, err := console.OpenResults(filepath.Join(dir, "outbox"))
	if err != nil {
		return nil, err
	}
	words, err := console.OpenWords(filepath.Join(dir, "words"))
	if err != nil {
		return nil, err
	}
	n := console.Node{Self: id, Hub: broker.HubSite, Texts: texts, Results: results, Outbox: outbox, Words: words}
	if id == broker.HubSite {
		w.hubParts(&n)
	} else {
		w.siteParts(&n)
	}
	d := &desk{server: console.New(n), texts: texts, outbox: outbox, words: words, done: make(chan error, 1)}
	var ctx context.Context
	ctx, d.stop = context.WithCancel(context.Background())
	go func() { d.done <- d.server.Serve(ctx, dir) }()
	w.mu.Lock()
	w.desks[id] = d
	w.mu.Unlock()
	client := console.Dial(dir)
	for {
		if _, err = client.About(ctx); !console.Absent(err) {
			return client, err
		}
		select {
		case err := <-d.done:
			d.done <- err
			return nil, err
		case <-time.After(time.Millisecond):
		}
	}
}

func (w *Network) hubParts(n *console.Node) {
	service := w.center.service
	n.Institution, n.Ledger, n.Roll = "centre", w.File, w.center.roll.Call
	n.Submit, n.Conduct = service.Desk().Submit, console.ConductAt(service.Desk())
	n.Spread = func(_ context.Context, text []byte) error {
		service.Spread(text, broker.HubSite)
		return nil
	}
}

func (w *Network) siteParts(n *console.Node) {
	node := w.nodes[n.Self]
	n.Institution, n.Ledger, n.Roll, n.Fresh = ws.Institution("inst-"+n.Self), node.replica, node.roll.Call, node.replica.Fresh
	n.Submit, n.Conduct = node.service.Desk().Submit, console.ConductAt(node.service.Desk())
	from := n.Self
	n.Reply = func(ctx context.Context, to ws.SiteID, r post.Review) error {
		return node.link.Send(ctx, mesh.Letter{From: from, To: to, Run: post.Ledger, Label: post.Words, Body: post.JSON(r), Keep: true})
	}
	n.StandIn = console.StandInBy(node.service.StandIn)
	self := n.Self
	n.Spread = func(ctx context.Context, text []byte) error {
		return node.link.Send(ctx, mesh.Letter{From: self, To: broker.HubSite, Run: post.Ledger, Label: post.Study, Body: text, Keep: true})
	}
}

// at is a node's console; nil where it has none.
func (w *Network) at(id ws.SiteID) *desk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.desks[id]
}

// hold keeps an answer that a person at a site must release, where it has a console.
func (w *Network) hold(id ws.SiteID) func(ledger.RunID, *run.Answer) error {
	return func(of ledger.RunID, a *run.Answer) error {
		if d := w.at(id); d != nil {
			return d.outbox.Keep(&console.Answer{Run: of, Document: a.Document, Salt: a.Salt, Limit: a.Limit})
		}
		return nil
	}
}

// hear keeps what a reviewer says of an answer that a node conducted.
func (w *Network) hear(id ws.SiteID) func(ws.SiteID, post.Review) error {
	return func(from ws.SiteID, r post.Review) error {
		if d := w.at(id); d != nil {
			return d.words.Put(from, r, w.File.State().Reviewers(r.Run))
		}
		return nil
	}
}

// keep takes the text of a study that came to a node, where it has a console, and
// reports whether the ledger knows the study.
func (w *Network) keep(id ws.SiteID, text []byte) bool {
	d := w.at(id)
	if d == nil {
		return false
	}
	known := console.Known(w.File)
	h, _, err := d.texts.Put(text, known)
	if err != nil {
		w.report(err)
	}
	return err == nil && known(h)
}
