package ledger

import (
	"iter"
	"strconv"
	"strings"

	ws "wellspring"
)

// A Height counts blocks, from 1; 0 is before the genesis.
type Height uint64

// A State is what all transactions up to a height amount to. It never changes:
// a later one shares with it what stayed the same, so a snapshot costs nothing.
// The zero State is that before the genesis.
type State struct {
	height Height
	tree   *node
}

// Height is that of the last block in the state. It is no part of the root.
func (s State) Height() Height { return s.height }

// AtHeight gives the same state under another height: a store calls it when a
// block ends.
func (s State) AtHeight(h Height) State { s.height = h; return s }

// Root is the root of the Merkle tree over all keys: the app hash. It does not
// hang on the height, so that a chain on which nothing happens needs no blocks.
func (s State) Root() Hash { return s.tree.root() }

// Prove makes the proof of what stands under k, or that nothing does.
func (s State) Prove(k Key) Proof { return s.tree.prove(k) }

// Value gives the canonical bytes under k; the caller must not write to them.
func (s State) Value(k Key) ([]byte, bool) {
	if l := s.tree.get(k); l != nil {
		return l.value, true
	}
	return nil, false
}

// Values lists the keys that begin with prefix, in byte order, with their
// values, which the caller must not write to.
func (s State) Values(prefix Key) iter.Seq2[Key, []byte] {
	return func(yield func(Key, []byte) bool) {
		s.tree.under(prefix)(func(l *node) bool { return yield(l.key, l.value) })
	}
}

// get reads a record; nil if there is none.
func get[T any](n *node, k Key) *T {
	l := n.get(k)
	if l == nil {
		return nil
	}
	rec, _ := l.rec.(*T)
	return rec
}

func find[T any](s State, k Key) (T, bool) {
	if rec := get[T](s.tree, k); rec != nil {
		return *rec, true
	}
	var none T
	return none, false
}

// Chain gives the chain's own record; false before the genesis.
func (s State) Chain() (Chain, bool) { return find[Chain](s, chainKey) }

// Key gives the record of a key.
func (s State) Key(id KeyID) (Registered, bool) { return find[Registered](s, KeyKey(id)) }

// Seq gives how many transactions a key has signed; the next has one more.
func (s State) Seq(id KeyID) uint64 {
	rec, _ := s.Key(id)
	return rec.Seq
}

// Institution gives an institution.
func (s State) Institution(i ws.Institution) (Institution, bool) {
	return find[Institution](s, InstitutionKey(i))
}

// Site gives a site.
func (s State) Site(id ws.SiteID) (Site, bool) { return find[Site](s, SiteKey(id)) }

// Requester gives a requester.
func (s State) Requester(a Account) (Requester, bool) { return find[Requester](s, RequesterKey(a)) }

// Latest gives the newest version of a site's dataset; 0 if there is none.
func (s State) Latest(site ws.SiteID, d ws.Dataset) int {
	rec, _ := find[Dataset](s, DatasetKey(site, d))
	return rec.Latest
}

// Version gives the commitment of a version of a dataset.
func (s State) Version(site ws.SiteID, d ws.Dataset, v int) (Version, bool) {
	return find[Version](s, VersionKey(site, d, v))
}

// Study gives a study; its lists must not be written to.
func (s State) Study(r StudyRef) (Study, bool) { return find[Study](s, StudyKey(r)) }

// Decision gives the standing decision on a question.
func (s State) Decision(q Question) (Decision, bool) { return find[Decision](s, DecisionKey(q)) }

// Run gives where a run stands.
func (s State) Run(r RunID) (Run, bool) { return find[Run](s, RunKey(r)) }

// Epoch gives an epoch of a run; its list must not be written to.
func (s State) Epoch(r RunID, epoch int) (Epoch, bool) { return find[Epoch](s, EpochKey(r, epoch)) }

// Closing gives how a site saw the end of a run.
func (s State) Closing(r RunID, site ws.SiteID) (Closing, bool) {
	return find[Closing](s, ClosingKey(r, site))
}

// Review gives what a site's reviewer says of the result of a run.
func (s State) Review(r RunID, site ws.SiteID) (Review, bool) {
	return find[Review](s, ReviewKey(r, site))
}

// Handovers lists the releases of a run's result.
func (s State) Handovers(r RunID) iter.Seq2[ws.SiteID, Handover] {
	return named[ws.SiteID](list[Handover](s, Key("release/"+r+"/")))
}

// Handover gives the release of a run's result by a site.
func (s State) Handover(r RunID, site ws.SiteID) (Handover, bool) {
	return find[Handover](s, HandoverKey(r, site))
}

// list yields the records under prefix with the last part of their keys.
func list[T any](s State, prefix Key) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		s.tree.under(prefix)(func(l *node) bool {
			rec, ok := l.rec.(*T)
			return !ok || yield(strings.TrimPrefix(string(l.key), string(prefix)), *rec)
		})
	}
}

// Institutions lists all institutions by name.
func (s State) Institutions() iter.Seq2[ws.Institution, Institution] {
	return named[ws.Institution](list[Institution](s, "institution/"))
}

// Sites lists all sites by name.
func (s State) Sites() iter.Seq2[ws.SiteID, Site] { return named[ws.SiteID](list[Site](s, "site/")) }

// Datasets lists a site's datasets by name.
func (s State) Datasets(site ws.SiteID) iter.Seq2[ws.Dataset, Dataset] {
	return named[ws.Dataset](list[Dataset](s, Key("dataset/"+site+"/")))
}

// Runs lists all runs over a dataset of that name, for a guard that must know
// which sets of sites were asked before. Its order says nothing.
func (s State) Runs(d ws.Dataset) iter.Seq2[RunID, Asked] {
	return named[RunID](list[Asked](s, Key("asked/"+d+"/")))
}

// Closings lists how each site saw the end of a run.
func (s State) Closings(r RunID) iter.Seq2[ws.SiteID, Closing] {
	return named[ws.SiteID](list[Closing](s, Key("close/"+r+"/")))
}

// Requesters lists all accounts.
func (s State) Requesters() iter.Seq2[Account, Requester] {
	return named[Account](list[Requester](s, "requester/"))
}

// Studies lists all studies.
func (s State) Studies() iter.Seq2[StudyRef, Study] {
	return func(yield func(StudyRef, Study) bool) {
		for name, rec := range list[Study](s, "study/") {
			digest, account, _ := strings.Cut(name, "/")
			h, err := ParseHash(digest)
			if err != nil || !yield(StudyRef{Requester: Account(account), Study: h}, rec) {
				return
			}
		}
	}
}

// Decisions lists the standing decisions of a site.
func (s State) Decisions(site ws.SiteID) iter.Seq2[Question, Decision] {
	return func(yield func(Question, Decision) bool) {
		for name, rec := range list[Decision](s, Key("decision/"+site+"/")) {
			part := strings.Split(name, "/")
			if len(part) != 4 {
				return
			}
			study, err := ParseHash(part[0])
			version, numErr := strconv.Atoi(part[2])
			q := Question{StudyRef: StudyRef{Requester: Account(part[1]), Study: study}, Release: ws.Release(part[3]), Site: site, Version: version}
			if err != nil || numErr != nil || !yield(q, rec) {
				return
			}
		}
	}
}

func named[K ~string, T any](seq iter.Seq2[string, T]) iter.Seq2[K, T] {
	return func(yield func(K, T) bool) {
		seq(func(name string, rec T) bool { return yield(K(name), rec) })
	}
}
