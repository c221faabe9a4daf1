package ledgertest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
)

// Key gives the key of a name; the same each time.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("ledgertest key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Public gives the public key of a name.
func Public(name string) ledger.PublicKey {
	return ledger.PublicKey(Key(name).Public().(ed25519.PublicKey))
}

// Hash gives a hash that stands for whatever name says.
func Hash(name string) ledger.Hash { return sha256.Sum256([]byte("ledgertest " + name)) }

// Account gives the account of a name.
func Account(name string) ledger.Account { return ledger.Account(random("account " + name)) }

// RunID gives the run of a name.
func RunID(name string) ledger.RunID { return ledger.RunID(random("run " + name)) }

func random(name string) string {
	h := Hash(name)
	return hex.EncodeToString(h[:16])
}

// A Net makes transactions against the newest state of a chain and submits them.
// Keys go by the names of their holders: "operator", an institution, a site, or
// "account " and the name of an account.
type Net struct {
	TB     testing.TB
	State  func() ledger.State
	Submit func(ledger.Tx) error
}

// On is a Net over a Ledger.
func On(tb testing.TB, l ledger.Ledger) Net {
	return Net{TB: tb, State: l.State, Submit: func(tx ledger.Tx) error {
		_, err := l.Submit(tb.Context(), tx)
		return err
	}}
}

// InMemory is a Net over a state in memory.
func InMemory(tb testing.TB) Net {
	var s ledger.State
	return Net{TB: tb, State: func() ledger.State { return s }, Submit: func(tx ledger.Tx) error {
		next, _, err := ledger.Apply(s, tx)
		if err == nil {
			s = next.AtHeight(s.Height() + 1)
		}
		return err
	}}
}

// Chain is the id of the net's chain, or its name before the genesis.
func (n Net) Chain() ledger.ChainID {
	if c, ok := n.State().Chain(); ok {
		return c.ID
	}
	return "test"
}

// Sign makes the next transaction of a signer.
func (n Net) Sign(signer string, body ledger.Body) ledger.Tx {
	n.TB.Helper()
	key := Key(signer)
	tx, err := ledger.Sign(n.Chain(), n.State().Seq(Public(signer).ID())+1, body, key)
	if err != nil {
		n.TB.Fatalf("sign %s by %s: %v", body.Kind(), signer, err)
	}
	return tx
}

// Do signs and submits, and returns what the chain says.
func (n Net) Do(signer string, body ledger.Body) error {
	n.TB.Helper()
	return n.Submit(n.Sign(signer, body))
}

// Must is Do, and fails the test where the chain refuses.
func (n Net) Must(signer string, body ledger.Body) {
	n.TB.Helper()
	if err := n.Do(signer, body); err != nil {
		n.TB.Fatalf("%s by %s: %v", body.Kind(), signer, err)
	}
}

// Possession is the signature by which the key of keyName says that it is held.
func (n Net) Possession(holder ledger.Holder, name, keyName string) ledger.Signature {
	n.TB.Helper()
	s, err := ledger.Possession(n.Chain(), holder, name, Key(keyName))
	if err != nil {
		n.TB.Fatal(err)
	}
	return s
}

// Genesis begins the chain.
func (n Net) Genesis() *ledger.Genesis {
	return &ledger.Genesis{Nonce: Hash("nonce"), Operator: Public("operator"), Suite: ledger.Intl}
}

// Institution admits an institution with the key of its name.
func (n Net) Institution(name string) *ledger.SetInstitution {
	return &ledger.SetInstitution{Act: ledger.Admit, Category: ledger.Hospital, Institution: ws.Institution(name), Jurisdiction: "CN",
		Key: Public(name), Possession: n.Possession(ledger.ByInstitution, name, name)}
}

// Site admits a site with the key of its name.
func (n Net) Site(name string) *ledger.SetSite {
	return &ledger.SetSite{Act: ledger.Admit, Key: Public(name), Possession: n.Possession(ledger.BySite, name, name), Site: ws.SiteID(name)}
}

// Requester admits an account with the key "account " and its name.
func (n Net) Requester(name string) *ledger.SetRequester {
	a := Account(name)
	return &ledger.SetRequester{Account: a, Act: ledger.Admit, Key: Public("account " + name),
		Possession: n.Possession(ledger.ByRequester, string(a), "account "+name)}
}

// Version freezes a version of the dataset "heart" at a site.
func (n Net) Version(site string, version int) *ledger.AddVersion {
	return &ledger.AddVersion{Commitment: Hash("version"), Dataset: "heart", Site: ws.SiteID(site), Version: version}
}

// Study registers the study of a name on "heart", which site "hub" may conduct.
func (n Net) Study(name string) *ledger.AddStudy {
	return &ledger.AddStudy{Conductors: []ws.SiteID{"hub"}, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000037"}, Study: Hash("study " + name)}
}

// Question asks a site about a study of the account "wang".
func Question(study, site string, version int) ledger.Question {
	return ledger.Question{StudyRef: ledger.StudyRef{Requester: Account("wang"), Study: Hash("study " + study)},
		Release: ws.Version, Site: ws.SiteID(site), Version: version}
}

// Decide is a verdict on a question.
func Decide(q ledger.Question, v ledger.Verdict) *ledger.Decide {
	return &ledger.Decide{Question: q, Verdict: v}
}

// Open opens an epoch of a run of a study of "wang", conducted by "hub", over
// version 1 at the sites, which must stand in order.
func Open(study, run string, epoch int, sites ...string) *ledger.OpenRun {
	o := &ledger.OpenRun{StudyRef: Question(study, "", 1).StudyRef, Conductor: "hub", Epoch: epoch, Opening: Hash("opening"), Release: ws.Version, Run: RunID(run)}
	for _, s := range sites {
		o.Members = append(o.Members, ledger.Member{Key: Public(s), Site: ws.SiteID(s), Version: 1})
	}
	return o
}

// Sites are the members that [Net.Found] puts on the chain, beside "hub"; site
// "anzhen" belongs to institution "inst-anzhen", and so on.
var Sites = []string{"anzhen", "ruijin", "xiehe"}

// Found brings up a chain: the institution "centre" with site "hub", three
// hospitals with a site and version 1 of "heart" each, the account "wang" at the
// centre, its study "s", and all approvals.
func (n Net) Found() {
	n.TB.Helper()
	n.Must("operator", n.Genesis())
	n.Must("operator", n.Institution("centre"))
	n.Must("centre", n.Site("hub"))
	n.Must("centre", n.Requester("wang"))
	for _, s := range Sites {
		n.Must("operator", n.Institution("inst-"+s))
		n.Must("inst-"+s, n.Site(s))
		n.Must("inst-"+s, n.Version(s, 1))
	}
	n.Must("account wang", n.Study("s"))
	for _, s := range Sites {
		n.Must("inst-"+s, Decide(Question("s", s, 1), ledger.Approve))
	}
}
