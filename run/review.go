package run

import (
	"crypto/sha256"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/policy/review"
	"wellspring/study"
)

// An Answer is what a run has come to, as each of its parties has computed it.
type Answer struct {
	Document *study.Document
	// Salt is that of the commitment by which the ledger names an answer that waits
	// for reviewers.
	Salt [32]byte
	// Limit is the cell limit under which its numbers stand, by which it is marked.
	Limit int64
	// Reviewers are the sites at which a person must release it, in order.
	Reviewers []ws.SiteID
}

// answer puts an answer together. Every party binds the same facts and so comes to the
// same: whose policy asks for a person's word is among them. The salt follows from the
// epoch's public keys, which are fresh and sent to the parties alone, so that a
// reviewer's node can hold the commitment on the ledger to its own copy, and nobody
// who has only the ledger can try answers.
func answer(doc *study.Document, open [32]byte, adverts []sum.Advert, f analyze.Facts) (*Answer, error) {
	a := &Answer{Document: doc, Limit: f.Policy.MinCell}
	h := sha256.New()
	h.Write([]byte("wellspring/salt\n"))
	h.Write(open[:])
	for _, advert := range adverts {
		b, err := advert.MarshalBinary()
		if err != nil {
			return nil, err
		}
		h.Write(b)
	}
	h.Sum(a.Salt[:0])
	if len(f.Reviewers) == 0 {
		return a, nil
	}
	marked := len(review.Check(doc, a.Limit)) > 0
	for _, r := range f.Reviewers {
		if r.Of.Asks(marked) {
			a.Reviewers = append(a.Reviewers, r.Site)
		}
	}
	return a, nil
}

// Answer is the answer of a run that has ended with a document.
func (c *Conductor) Answer(doc *study.Document) (*Answer, error) {
	return answer(doc, c.params.Open, c.adverts, c.program.Facts())
}

// answered is the answer that this site has come to, whether or not the conductor has.
// One that came back after the end was in its journal has given it away before.
func (p *Participant) answered() (*Answer, error) {
	if p.program == nil || len(p.program.Facts().Reviewers) == 0 { // nobody has a use for it
		return nil, nil
	}
	doc, _, err := document(p.study, p.state, p.members, p.results)
	if err != nil {
		return nil, err
	}
	return answer(doc, p.params.Open, p.adverts, p.program.Facts())
}
