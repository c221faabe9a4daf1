package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/mesh/broker"
	socket "wellspring/site/console"
)

// A roster is the hub's list of members at the broker. Everybody may write to
// everybody, so that any member can conduct.
type roster struct {
	dir     folder
	mu      sync.Mutex
	members []enrolled
}

// An enrolled member is one at the broker, by its newest user.
type enrolled struct {
	socket.Newcomer
	// Since voids the passes that were made at or before it, in seconds of Unix's
	// clock: those of the users before this one. 0 where there were none.
	Since int64 `json:"since,omitempty"`
}

func openRoster(d folder) (*roster, error) {
	r := &roster{dir: d}
	if _, err := os.Stat(d.path(membersName)); errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	return r, readJSONFile(d.path(membersName), &r.members)
}

// add enters a member, or gives it another user in place of its former one, and
// saves the list. A request that is not newer than the one that stands here brings
// back no former user. On return passes can be made that are younger than Since.
func (r *roster) add(n socket.Newcomer) (broker.Member, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := enrolled{Newcomer: n}
	i := slices.IndexFunc(r.members, func(m enrolled) bool { return m.Site == n.Site })
	if i >= 0 {
		old := r.members[i]
		m.Since = old.Since
		if n.User != old.User {
			if n.Made <= old.Made {
				return broker.Member{}, ws.Errorf(ws.Denied, "", ws.T("a newer request of site %s was taken before", "此前已接受站点 %s 更新的申请", n.Site)).
					WithHint(ws.T("have the hospital make it anew: wellspring site renew pass --dir DIR", "请该医院重新生成：wellspring site renew pass --dir DIR"))
			}
			m.Since = time.Now().Unix()
		}
	}
	all := append(slices.DeleteFunc(slices.Clone(r.members), func(m enrolled) bool { return m.Site == n.Site }), m)
	if err := r.dir.writeJSON(membersName, all); err != nil {
		return broker.Member{}, err
	}
	r.members = all
	for time.Now().Unix() <= m.Since { // a pass says the second in which it was made
		time.Sleep(10 * time.Millisecond)
	}
	return right(m), nil
}

// drop strikes a member out.
func (r *roster) drop(site ws.SiteID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(r.members), func(m enrolled) bool { return m.Site == site })
	if len(all) == len(r.members) {
		return nil
	}
	if err := r.dir.writeJSON(membersName, all); err != nil {
		return err
	}
	r.members = all
	return nil
}

// right is what a member may do at the broker.
func right(m enrolled) broker.Member {
	return broker.Member{Site: m.Site, User: m.User, All: true, Since: m.Since}
}

// rights are those of all members.
func (r *roster) rights() []broker.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []broker.Member
	for _, m := range r.members {
		all = append(all, right(m))
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
