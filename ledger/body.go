package ledger

import (
	"slices"

	ws "wellspring"
)

// Intl is the suite of ciphers of this release: X25519, HKDF-SHA256, AES-CTR, Ed25519.
const Intl = "intl"

// Genesis begins a chain. It is signed by the operator's key, which then admits
// institutions, until [SetRule] replaces it.
type Genesis struct {
	Nonce    Hash      `json:"nonce"` // 32 random bytes: two chains of one name differ
	Operator PublicKey `json:"operator"`
	Suite    string    `json:"suite"`
}

// SetRule replaces who admits and suspends institutions. Signed by whoever the
// present rule names. This release knows the rule "operator" only; a rule of
// votes is a new value here, and [step.governs] its judge.
type SetRule struct {
	Key        PublicKey `json:"key"` // the new operator's
	Possession Signature `json:"possession"`
	Rule       string    `json:"rule"`
}

// An Act says what is done to an institution, a site or an account.
type Act string

// The acts. Not every body takes every one.
const (
	Admit     Act = "admit"     // it begins
	Rotate    Act = "rotate"    // a new key in place of the old one
	Suspend   Act = "suspend"   // of an institution: nothing of it counts, until it is reinstated
	Reinstate Act = "reinstate" // of an institution
	End       Act = "end"       // of a site or an account: for ever
)

// SetInstitution admits, suspends or reinstates an institution (signed by whom
// the rule names; an institution may also suspend itself), or rotates its key
// (signed by its old key, and by nobody else: whoever could replace an
// institution's key could approve in its name).
type SetInstitution struct {
	Act          Act            `json:"act"`
	Category     Category       `json:"category"` // when admitted; empty otherwise
	Institution  ws.Institution `json:"institution"`
	Jurisdiction Jurisdiction   `json:"jurisdiction"` // when admitted; empty otherwise
	Key          PublicKey      `json:"key"`          // when admitted or rotated; zero otherwise
	Possession   Signature      `json:"possession"`
}

// SetSite admits a site of the institution that signs, rotates its key or ends
// it. The key signs masks, messages and the marks of runs.
type SetSite struct {
	Act        Act       `json:"act"`
	Key        PublicKey `json:"key"`
	Possession Signature `json:"possession"`
	Site       ws.SiteID `json:"site"`
}

// SetRequester puts a researcher's key on the chain, rotates it or ends it.
// Signed by the home institution.
type SetRequester struct {
	Account    Account   `json:"account"`
	Act        Act       `json:"act"`
	Key        PublicKey `json:"key"`
	Possession Signature `json:"possession"`
}

// AddVersion freezes a dataset of a site into its next version. Signed by the
// site's institution. The commitment is to dictionary, policy and watermark.
type AddVersion struct {
	Commitment Hash       `json:"commitment"`
	Dataset    ws.Dataset `json:"dataset"`
	Site       ws.SiteID  `json:"site"`
	Version    int        `json:"version"` // one more than the last, from 1
}

// AddStudy registers a question. Signed by the requester who asks it. The study
// itself stays off the chain, so whoever gets its text compares digest, dataset
// and purposes with these before anybody decides; and a steward is shown the
// conductors.
type AddStudy struct {
	// Conductors are sites that may conduct without being members, such as the
	// hub's: they would see opened sums, so custodians approve them with the rest.
	Conductors []ws.SiteID  `json:"conductors"` // in order; may be empty
	Dataset    ws.Dataset   `json:"dataset"`
	Purposes   []ws.Purpose `json:"purposes"` // DUO terms, in order
	Study      Hash         `json:"study"`    // digest of its canonical form
}

// A Verdict is what a custodian decides.
type Verdict string

// The verdicts. After a refusal or a withdrawal only a new approval counts.
const (
	Approve  Verdict = "approve"
	Refuse   Verdict = "refuse"
	Withdraw Verdict = "withdraw" // takes an approval back, effective at the next round

	// Of a review alone, beside Approve and Refuse:
	Suppress Verdict = "suppress" // approves what is left without some parts
	Ask      Verdict = "ask"      // neither yet: the requester is asked something
)

// Decide is a custodian's decision on a [Question]. Signed by the institution of
// the site.
type Decide struct {
	Question
	Verdict Verdict `json:"verdict"`
}

// A StudyRef names a study as one requester asked it. Two requesters may ask the
// same question, and neither can take it from the other.
type StudyRef struct {
	Requester Account `json:"requester"`
	Study     Hash    `json:"study"`
}

// A Question is what an approval is for: a study, on one version of a site's
// dataset, answered by one release of the program. Study and release fix the
// protocol's digest.
type Question struct {
	StudyRef
	Release ws.Release `json:"release"`
	Site    ws.SiteID  `json:"site"`
	Version int        `json:"version"`
}

// A Member is a site of a run with the key by which it signs and the version of
// the dataset that it reads.
type Member struct {
	Key     PublicKey `json:"key"`
	Site    ws.SiteID `json:"site"`
	Version int       `json:"version"`
}

// OpenRun fixes an epoch of a run before any row is read. Signed by the
// conductor's site key. Opening is the digest of the opening that the members
// will be shown, so that it binds what the chain does not hold.
type OpenRun struct {
	StudyRef
	Conductor ws.SiteID  `json:"conductor"` // a member, or one that the study names
	Epoch     int        `json:"epoch"`     // from 1 without gaps; later ones over the same sites or fewer
	Members   []Member   `json:"members"`   // in code-point order of sites
	Opening   Hash       `json:"opening"`
	Release   ws.Release `json:"release"`
	Run       RunID      `json:"run"`
}

// MarkSum says that the first sum of a run is about to be opened: from here on
// no epoch may follow, since two sums over unlike sites tell the difference.
// Signed by the conductor or a member. A site reveals nothing of a first sum
// before this stands.
type MarkSum struct {
	Epoch int   `json:"epoch"`
	Run   RunID `json:"run"`
}

// CloseRun says how a run ended, as the signing site (conductor or member) saw
// it: each may say so once. Rounds is the Merkle root of the rounds' hashes,
// Result a salted commitment to the result.
type CloseRun struct {
	Epoch   int    `json:"epoch"`
	Outcome string `json:"outcome"` // "ok", or the name of an error's kind
	Result  Hash   `json:"result"`  // zero unless ok
	// Review names the members by whose policies the result waits for a person of
	// theirs, in code-point order; only with ok. A ledger of an earlier release
	// names none.
	Review []ws.SiteID `json:"review,omitempty"`
	Rounds Hash        `json:"rounds"`
	Run    RunID       `json:"run"`
}

// ReviewResult is what a person at a member, whom the closing of a run names,
// says of its result. Signed by the institution of the site. It may be said
// anew until the result is released.
type ReviewResult struct {
	// Parts are the analyses of the study, counted from 1, that are left out of
	// what is released; in order, and only with [Suppress].
	Parts []int `json:"parts"`
	// Reason is a salted commitment to the reviewer's words, which stay off the
	// chain; zero for none.
	Reason  Hash      `json:"reason"`
	Result  Hash      `json:"result"` // of the closing: what was reviewed, whole
	Run     RunID     `json:"run"`
	Site    ws.SiteID `json:"site"`
	Verdict Verdict   `json:"verdict"` // approve, suppress, refuse or ask
}

// ReleaseResult says that a result was handed to a requester's key. Signed by a
// site that closed the run as ok.
type ReleaseResult struct {
	Key       KeyID   `json:"key"`
	Requester Account `json:"requester"`
	Result    Hash    `json:"result"` // salted commitment to the bytes of result.json
	Run       RunID   `json:"run"`
}

// Kind is "genesis".
func (*Genesis) Kind() Kind { return "genesis" }

// Kind is "rule".
func (*SetRule) Kind() Kind { return "rule" }

// Kind is "institution".
func (*SetInstitution) Kind() Kind { return "institution" }

// Kind is "site".
func (*SetSite) Kind() Kind { return "site" }

// Kind is "requester".
func (*SetRequester) Kind() Kind { return "requester" }

// Kind is "dataset".
func (*AddVersion) Kind() Kind { return "dataset" }

// Kind is "study".
func (*AddStudy) Kind() Kind { return "study" }

// Kind is "decision".
func (*Decide) Kind() Kind { return "decision" }

// Kind is "open".
func (*OpenRun) Kind() Kind { return "open" }

// Kind is "sum".
func (*MarkSum) Kind() Kind { return "sum" }

// Kind is "close".
func (*CloseRun) Kind() Kind { return "close" }

// Kind is "review".
func (*ReviewResult) Kind() Kind { return "review" }

// Kind is "release".
func (*ReleaseResult) Kind() Kind { return "release" }

// outcomes are the ends that a run may have.
func goodOutcome(s string) bool {
	return s == OK || ws.KindNamed(s).String() == s
}

// OK is the outcome of a run that has its result.
const OK = "ok"

// ordered reports whether list stands in strict order, so that none is there twice.
func ordered[T ~string](list []T) bool {
	for i := range list {
		if i > 0 && list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

// given reports whether a is one of acts.
func given(a Act, acts ...Act) bool { return slices.Contains(acts, a) }
