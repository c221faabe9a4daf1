package hubtest

import (
	"context"
	"errors"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/study"
)

// A Mouth is what a node says otherwise than it should. It gives the letters that the
// node signs and sends in place of one: none, another, more, to others.
type Mouth func(from ws.SiteID, m mesh.Letter) []mesh.Letter

// Lie has nodes say something else from now on; nil for the truth.
func (w *Network) Lie(m Mouth) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mouth = m
}

// Hear gives the hub's letters of a run to somebody who conducts in its place, until
// the end that is returned is called.
func (w *Network) Hear(run string, take func(*mesh.Delivery)) (end func()) {
	set := func(f func(*mesh.Delivery)) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ears[run] = f
	}
	set(take)
	return func() { set(nil) }
}

// Careless has the hub's desk forget what earlier studies asked, so that it opens runs
// that it should not.
func (w *Network) Careless() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.careless = true
}

// Pass is a site's way to the broker, for who would use it otherwise.
func (w *Network) Pass(id ws.SiteID) mesh.Pass { return w.nodes[id].pass }

// Send sends a letter in a node's name, signed by its key.
func (w *Network) Send(ctx context.Context, from ws.SiteID, m mesh.Letter) error {
	w.mu.Lock()
	link := w.center.link
	if from != broker.HubSite {
		link = w.nodes[from].link
	}
	w.mu.Unlock()
	return link.Send(ctx, m)
}

// A tongue is a node's link, between whose words and signature a lie may come.
type tongue struct {
	*mesh.Link
	w    *Network
	self ws.SiteID
}

func (t tongue) Send(ctx context.Context, m mesh.Letter) (err error) {
	m.From = t.self
	t.w.mu.Lock()
	mouth := t.w.mouth
	t.w.mu.Unlock()
	if mouth == nil {
		return t.Link.Send(ctx, m)
	}
	for _, x := range mouth(t.self, m) {
		err = errors.Join(err, t.Link.Send(ctx, x))
	}
	return err
}

func (t tongue) Each(ctx context.Context, take func(*mesh.Delivery), report func(error)) error {
	return t.Link.Each(ctx, func(d *mesh.Delivery) {
		t.w.mu.Lock()
		ear := t.w.ears[d.Run]
		t.w.mu.Unlock()
		if t.self == broker.HubSite && ear != nil {
			ear(d)
			report(d.Ack())
			return
		}
		take(d)
	}, func(err error) {
		if err != nil {
			report(err)
		}
	})
}

// hubText is what the hub believes that was asked.
func (w *Network) hubText(h ledger.Hash) (*study.Study, error) {
	w.mu.Lock()
	careless := w.careless
	w.mu.Unlock()
	if careless {
		return &study.Study{}, nil // of no dataset
	}
	return w.text(h)
}
