package run

import (
	"encoding/binary"

	ws "wellspring"
	"wellspring/stat"
)

// A Step names a message of a run; see the package doc for their order.
type Step string

// From the conductor.
const (
	Open       Step = "open"
	Plan       Step = "plan"
	Coins      Step = "coins"
	Ask        Step = "ask"
	RosterStep Step = "roster"
	Propose    Step = "propose"
	Certify    Step = "certify"
	OpenSum    Step = "open-sum"
	Audited    Step = "audited"
	Resume     Step = "resume"
	End        Step = "end"
)

// From the sites.
const (
	FactsStep  Step = "facts"
	CoinStep   Step = "coin"
	Pairs      Step = "pairs"
	SharesStep Step = "shares"
	Contribute Step = "contribute"
	Vote       Step = "vote"
	Reveal     Step = "reveal"
	Audit      Step = "audit"
	At         Step = "at"
	Done       Step = "done"
	Refuse     Step = "refuse"
)

// A Message is one step from one party to another. Whatever in it is relayed
// to others is signed by its author; the mesh signs the message as a whole.
type Message struct {
	From, To ws.SiteID
	Run      string
	Epoch    int
	Round    int
	Step     Step
	Body     []byte // parts, see pack
}

// Bounds of what comes from outside, in bytes.
const (
	maxBody    = 2 << 30  // of any message
	maxOpening = 16 << 20 // study and members
	maxFacts   = 64 << 20 // of one site: dictionary, policy, and 2^20 times
	maxRefusal = 64 << 10
	maxLetter  = 16 << 10 // of one site's part in any message that holds no vector
)

// bodyBound is the longest body of a step in a run of so many sites, in a
// round whose vector has the given length.
func bodyBound(s Step, sites, length int) int {
	vector := 16*length + 256
	n := min(maxLetter*(sites+2), maxBody)
	switch s {
	case Open:
		n = maxOpening
	case FactsStep, At:
		n = maxFacts + maxLetter
	case Plan:
		n = sites * (maxFacts + maxLetter)
	case Propose:
		n += sites * vector
	case Contribute, Audited:
		n += vector
	case Refuse:
		n = maxRefusal
	}
	return min(n, maxBody)
}

// Bound is the longest body of a step in any run; 0 for what is no step.
func (s Step) Bound() int64 {
	switch s {
	case FactsStep, CoinStep, Pairs, SharesStep, Contribute, Vote, Reveal, Audit, At, Done, Refuse:
	default:
		if !s.FromConductor() {
			return 0
		}
	}
	return int64(bodyBound(s, MaxSites, stat.MaxLen))
}

// FromConductor reports whether a conductor sends s, to a site.
func (s Step) FromConductor() bool {
	switch s {
	case Open, Plan, Coins, Ask, RosterStep, Propose, Certify, OpenSum, Audited, Resume, End:
		return true
	}
	return false
}

// pack joins parts, each preceded by its length as a uvarint.
func pack(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + binary.MaxVarintLen64
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// unpack undoes pack; it refuses more than limit parts, parts that do not fill
// the body, and bytes that pack would not give. The parts alias it.
func unpack(b []byte, limit int) ([][]byte, error) {
	var parts [][]byte
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || k > 1 && b[k-1] == 0 || n > uint64(len(b)-k) || len(parts) == limit {
			return nil, malformed()
		}
		parts = append(parts, b[k:k+int(n)])
		b = b[k+int(n):]
	}
	return parts, nil
}

func malformed() error {
	return ws.Errorf(ws.Invalid, "message", ws.T("the message is not well formed", "消息格式不正确"))
}
