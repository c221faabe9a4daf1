package console

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/post"
)

// Words are what reviewers say of answers, in words that the ledger only commits to:
// a file for each run, with the newest of each site. Methods may be called
// concurrently.
type Words struct {
	dir string
	mu  sync.Mutex
}

// OpenWords opens or makes the folder.
func OpenWords(dir string) (*Words, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, trouble(err)
	}
	return &Words{dir: dir}, nil
}

func (k *Words) path(id ledger.RunID) string { return filepath.Join(k.dir, string(id)+".json") }

// Put keeps what a reviewer of a site says; reviewers are those whom the ledger names
// for the run. Others' words are dropped, since anybody could fill the disk.
func (k *Words) Put(site ws.SiteID, r post.Review, reviewers []ws.SiteID) error {
	if err := r.Check(); err != nil {
		return err
	}
	if !runForm.MatchString(string(r.Run)) || !slices.Contains(reviewers, site) {
		return denied(ws.T("no result of this run waits for site %s", "该计算没有等待站点 %s 审核的结果", site))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	all, err := k.read(r.Run)
	if err != nil {
		return err
	}
	all[site] = r
	b, err := json.Marshal(all)
	if err != nil {
		return trouble(err)
	}
	return trouble(disk.Write(k.path(r.Run), 0o600, b))
}

func (k *Words) read(id ledger.RunID) (map[ws.SiteID]post.Review, error) {
	all := map[ws.SiteID]post.Review{}
	b, err := os.ReadFile(k.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	return all, trouble(err)
}

// Of gives the words that a review on the ledger commits to; empty where it commits to
// none, or they are not here.
func (k *Words) Of(id ledger.RunID, site ws.SiteID, review ledger.Review) string {
	if k == nil || review.Reason.IsZero() || !runForm.MatchString(string(id)) {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	all, err := k.read(id)
	if err != nil || ledger.Commit(all[site].Salt, []byte(all[site].Text)) != review.Reason {
		return ""
	}
	return all[site].Text
}
