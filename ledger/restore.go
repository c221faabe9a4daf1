package ledger

import (
	"bytes"
	"iter"
	"strings"

	ws "wellspring"
)

// newRecord makes an empty record for a key; nil where no record has such a key.
func newRecord(k Key) any {
	if k == chainKey {
		return new(Chain)
	}
	first, _, _ := strings.Cut(string(k), "/")
	switch first {
	case "key":
		return new(Registered)
	case "institution":
		return new(Institution)
	case "site":
		return new(Site)
	case "requester":
		return new(Requester)
	case "dataset":
		return new(Dataset)
	case "version":
		return new(Version)
	case "study":
		return new(Study)
	case "decision":
		return new(Decision)
	case "run":
		return new(Run)
	case "epoch":
		return new(Epoch)
	case "close":
		return new(Closing)
	case "review":
		return new(Review)
	case "release":
		return new(Handover)
	case "asked":
		return new(Asked)
	}
	return nil
}

// Restore makes a state at a height from all its values, as [State.Values] lists
// them: for a replica that takes over a snapshot in place of the transactions.
// The caller gives the root that the values must have, from a source that it
// believes [LEDGER-STATE.3].
func Restore(values iter.Seq2[Key, []byte], h Height, root Hash) (State, error) {
	var s State
	bad := ws.Errorf(ws.Diverged, "ledger: restore", ws.T("the snapshot is not of this state", "快照与该状态不符"))
	for k, v := range values {
		rec := newRecord(k)
		if rec == nil || len(k) > maxKey || strings.Contains(string(k), "\x00") || len(v) > MaxTx || strict(v, rec) != nil {
			return State{}, bad
		}
		again, err := canonical(rec)
		if err != nil || !bytes.Equal(again, v) {
			return State{}, bad
		}
		s.tree = s.tree.put(newLeaf(k, again, rec))
	}
	if s.Root() != root {
		return State{}, bad
	}
	return s.AtHeight(h), nil
}
