package run

import (
	"crypto/sha256"
	"sync"

	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/study"
)

// Shared is what the parties of a run that one process plays know together, since
// it is the same at each: signatures that were found good, and the newest plan that
// was read. A site that plays itself alone has none: under the nil Shared each epoch
// remembers its own. The zero value is empty and ready; it may be used concurrently.
type Shared struct {
	signatures sum.Signatures

	mu   sync.Mutex
	name [sha256.Size]byte // of the plan
	plan *plan
}

func (s *Shared) known() *sum.Signatures {
	if s == nil {
		return new(sum.Signatures) // each vote is met with twice, and more
	}
	return &s.signatures
}

// read is [readPlan] of the body that holds the parts. Who shares a plan does not
// change it.
func (s *Shared) read(o *Opening, p sum.Params, st *study.Study, c analyze.Catalog, body []byte, parts [][]byte) (*plan, error) {
	if s == nil {
		return readPlan(o, p, st, c, parts)
	}
	h := sha256.New()
	h.Write(p.Open[:])
	h.Write(body)
	name := [sha256.Size]byte(h.Sum(nil))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plan != nil && s.name == name {
		return s.plan, nil
	}
	pl, err := readPlan(o, p, st, c, parts)
	if err == nil {
		s.name, s.plan = name, pl
	}
	return pl, err
}
