package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"

	"wellspring/mesh/broker"
	socket "wellspring/site/console"
)

// A roster is the hub's list of members at the broker. Everybody may write to
// everybody, so that any member can conduct.
type roster struct {
	dir     folder
	mu      sync.Mutex
	members []socket.Newcomer
}

func openRoster(d folder) (*roster, error) {
	r := &roster{dir: d}
	if _, err := os.Stat(d.path(membersName)); errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	return r, readJSONFile(d.path(membersName), &r.members)
}

// add enters a member, or gives it another user, and saves the list.
func (r *roster) add(n socket.Newcomer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(r.members), func(m socket.Newcomer) bool { return m.Site == n.Site })
	all = append(all, n)
	if err := r.dir.writeJSON(membersName, all); err != nil {
		return err
	}
	r.members = all
	return nil
}

// right is what a member may do at the broker.
func right(n socket.Newcomer) broker.Member {
	return broker.Member{Site: n.Site, User: n.User, All: true}
}

// rights are those of all members.
func (r *roster) rights() []broker.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []broker.Member
	for _, n := range r.members {
		all = append(all, right(n))
	}
	return all
}

// compact gives JSON without the spaces of an indented file.
func compact(b json.RawMessage) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}
