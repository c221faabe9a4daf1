package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"

	ws "wellspring"
	"wellspring/mesh/broker"
	socket "wellspring/site/console"
)

// A roster is the hub's list of members at the broker. Everybody may write to
// everybody, so that any member can conduct.
type roster struct {
	dir     folder
	mu      sync.Mutex
	members []broker.Member
}

func openRoster(d folder) (*roster, error) {
	r := &roster{dir: d}
	if _, err := os.Stat(d.path(membersName)); errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	return r, readJSONFile(d.path(membersName), &r.members)
}

// add enters a member, or gives it another user, and saves the list. It
// returns the members whose rights change, the new one last.
func (r *roster) add(n socket.Newcomer) (changed []broker.Member, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	me := broker.Member{Site: n.Site, User: n.User, To: []ws.SiteID{broker.HubSite}, Wide: true}
	var all []broker.Member
	for _, m := range r.members {
		if m.Site == n.Site {
			continue
		}
		me.To = append(me.To, m.Site)
		if !slices.Contains(m.To, n.Site) {
			m.To = append(slices.Clone(m.To), n.Site)
			changed = append(changed, m)
		}
		all = append(all, m)
	}
	all = append(all, me)
	if err := r.dir.writeJSON(membersName, all); err != nil {
		return nil, err
	}
	r.members = all
	return append(changed, me), nil
}

// compact gives JSON without the spaces of an indented file.
func compact(b json.RawMessage) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}
