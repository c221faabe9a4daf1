package ledger

import (
	"fmt"

	ws "wellspring"
)

// The records below are the values of the state, in canonical JSON. None holds
// a height or a time: the state is a function of the transactions alone, however
// they were put into blocks [LEDGER-STATE.1].

// A Chain is the record under "chain".
type Chain struct {
	Genesis Hash    `json:"genesis"` // digest of the genesis
	ID      ChainID `json:"id"`
	Rule    string  `json:"rule"`
	RuleKey KeyID   `json:"rule_key"` // whose signature the rule "operator" wants
	Suite   string  `json:"suite"`
}

// A Registered is the record of a key: who holds it, and how many transactions
// it has signed. A retired key signs nothing more, and never comes back.
type Registered struct {
	Holder  Holder    `json:"holder"`
	Key     PublicKey `json:"key"`
	Name    string    `json:"name"` // of the holder; empty for the operator
	Retired bool      `json:"retired"`
	Seq     uint64    `json:"seq"`
}

// An Institution is a member of the network.
type Institution struct {
	Category     Category     `json:"category"`
	Jurisdiction Jurisdiction `json:"jurisdiction"`
	Key          KeyID        `json:"key"`
	Suspended    bool         `json:"suspended"`
}

// A Site is a node of an institution.
type Site struct {
	Ended       bool           `json:"ended"`
	Institution ws.Institution `json:"institution"`
	Key         PublicKey      `json:"key"`
}

// A Requester is a researcher at a home institution.
type Requester struct {
	Ended       bool           `json:"ended"`
	Institution ws.Institution `json:"institution"`
	Key         KeyID          `json:"key"`
}

// A Dataset counts the versions of a site's dataset.
type Dataset struct {
	Latest int `json:"latest"`
}

// A Version is one frozen version of a dataset.
type Version struct {
	Commitment Hash `json:"commitment"`
}

// A Study is a question that was registered.
type Study struct {
	Conductors []ws.SiteID  `json:"conductors"`
	Dataset    ws.Dataset   `json:"dataset"`
	Purposes   []ws.Purpose `json:"purposes"`
}

// A Decision is the standing verdict on a [Question], and how many there were.
type Decision struct {
	Number  int     `json:"number"`
	Verdict Verdict `json:"verdict"`
}

// A Run is where a run stands.
type Run struct {
	StudyRef
	Closed  bool       `json:"closed"`
	Epoch   int        `json:"epoch"` // the present one
	Release ws.Release `json:"release"`
	Summed  bool       `json:"summed"` // its first sum was opened: no epoch may follow
}

// An Epoch is what one epoch of a run was opened with.
type Epoch struct {
	Conductor ws.SiteID `json:"conductor"`
	Members   []Member  `json:"members"`
	Opening   Hash      `json:"opening"`
}

// Member gives a member of the epoch.
func (e *Epoch) Member(site ws.SiteID) (Member, bool) {
	for _, m := range e.Members {
		if m.Site == site {
			return m, true
		}
	}
	return Member{}, false
}

// A Closing is how one site saw the end of a run.
type Closing struct {
	Epoch   int    `json:"epoch"`
	Outcome string `json:"outcome"`
	Result  Hash   `json:"result"`
	// Review names the sites at which a person must release the result; nobody may
	// write to it.
	Review []ws.SiteID `json:"review,omitempty"`
	Rounds Hash        `json:"rounds"`
}

// A Review is what a site's reviewer says of the result of a run, and how often
// one has said so. Nobody may write to its list.
type Review struct {
	Number  int     `json:"number"`
	Parts   []int   `json:"parts"`
	Reason  Hash    `json:"reason"`
	Result  Hash    `json:"result"`
	Verdict Verdict `json:"verdict"`
}

// Releases reports whether it lets the result of a commitment go, or what is left of it.
func (r Review) Releases(result Hash) bool {
	return r.Result == result && (r.Verdict == Approve || r.Verdict == Suppress)
}

// A Handover is a result that a site handed to a requester's key.
type Handover struct {
	Key       KeyID   `json:"key"`
	Requester Account `json:"requester"`
	Result    Hash    `json:"result"`
}

// An Asked says under a dataset's name that a run was opened over it, so that a
// site finds all earlier runs over the rows that it is asked for.
type Asked struct {
	StudyRef
}

// chainKey is where the chain's own record stands.
const chainKey Key = "chain"

// The keys of the state [LEDGER-STATE.2]. No part holds a '/', but for the last
// of a release, which holds none either.

// KeyKey is the key of a public key's record.
func KeyKey(id KeyID) Key { return Key("key/" + id.String()) }

// InstitutionKey is the key of an institution.
func InstitutionKey(i ws.Institution) Key { return Key("institution/" + i) }

// SiteKey is the key of a site.
func SiteKey(s ws.SiteID) Key { return Key("site/" + s) }

// RequesterKey is the key of a requester.
func RequesterKey(a Account) Key { return Key("requester/" + a) }

// DatasetKey is the key of a site's dataset.
func DatasetKey(s ws.SiteID, d ws.Dataset) Key { return Key("dataset/" + string(s) + "/" + string(d)) }

// VersionKey is the key of a version of a dataset.
func VersionKey(s ws.SiteID, d ws.Dataset, v int) Key {
	return Key(fmt.Sprintf("version/%s/%s/%010d", s, d, v))
}

// StudyKey is the key of a study.
func StudyKey(r StudyRef) Key { return Key("study/" + r.Study.String() + "/" + string(r.Requester)) }

// DecisionKey is the key of the standing decision on a question.
func DecisionKey(q Question) Key {
	return Key(fmt.Sprintf("decision/%s/%s/%s/%010d/%s", q.Site, q.Study, q.Requester, q.Version, q.Release))
}

// RunKey is the key of a run.
func RunKey(r RunID) Key { return Key("run/" + r) }

// EpochKey is the key of an epoch of a run.
func EpochKey(r RunID, epoch int) Key { return Key(fmt.Sprintf("epoch/%s/%05d", r, epoch)) }

// ClosingKey is the key of a site's word on the end of a run.
func ClosingKey(r RunID, s ws.SiteID) Key { return Key("close/" + string(r) + "/" + string(s)) }

// ReviewKey is the key of a site's review of the result of a run.
func ReviewKey(r RunID, s ws.SiteID) Key { return Key("review/" + string(r) + "/" + string(s)) }

// HandoverKey is the key of the release of a run's result by a site.
func HandoverKey(r RunID, s ws.SiteID) Key { return Key("release/" + string(r) + "/" + string(s)) }

// AskedKey is the key under which a run stands in the list of its dataset.
func AskedKey(d ws.Dataset, r RunID) Key { return Key("asked/" + string(d) + "/" + string(r)) }
