package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/study"
)

// maxResults bounds the answers that a node keeps; past it the oldest goes. Each
// has at most [study.MaxDocument] bytes and a frame around them.
const (
	maxResults = 1000
	maxAnswer  = study.MaxDocument + 4096
)

var runForm = regexp.MustCompile(`^[0-9a-f]{32}$`) // safe in a file's name

// Results are the answers of runs that a node conducted or took over, with the salts
// of their commitments, a file each: what an asker lost is given to it again. A
// site's outbox is another such folder: of runs whose answers a person there must
// release, whoever conducted them. Methods may be called concurrently.
type Results struct {
	dir string
	mu  sync.Mutex
}

// OpenResults opens or makes the folder.
func OpenResults(dir string) (*Results, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, trouble(err)
	}
	return &Results{dir: dir}, nil
}

func (k *Results) path(id ledger.RunID) string { return filepath.Join(k.dir, string(id)+".json") }

// Put keeps an answer; it is on the disk when Put returns.
func (k *Results) Put(a *Answer) error {
	sealed, err := a.seal()
	if err != nil {
		return err
	}
	b, err := json.Marshal(sealed)
	if err != nil {
		return err
	}
	if !runForm.MatchString(string(a.Run)) || len(b) > maxAnswer {
		return invalid(ws.T("the answer cannot be kept: it is too long, or of no run", "结果无法保存：过长，或不属于任何计算"))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget()
	return trouble(disk.Write(k.path(a.Run), 0o600, b))
}

// Settle keeps an answer again, which is on record by now; it is as old as it was.
func (k *Results) Settle(a *Answer) error {
	since := k.Since(a.Run)
	if err := k.Put(a); err != nil {
		return err
	}
	return trouble(os.Chtimes(k.path(a.Run), since, since))
}

// forget makes room for one more; the caller holds mu.
func (k *Results) forget() {
	type kept struct {
		name string
		at   int64
	}
	var all []kept
	entries, _ := os.ReadDir(k.dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".json") {
			all = append(all, kept{e.Name(), info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(a.at, b.at) })
	for i := 0; i <= len(all)-maxResults; i++ {
		_ = os.Remove(filepath.Join(k.dir, all[i].name)) // it is tried again with the next one
	}
}

// Since is when the answer of a run was kept; zero if it is not here.
func (k *Results) Since(id ledger.RunID) (at time.Time) {
	if k == nil || !runForm.MatchString(string(id)) {
		return at
	}
	info, err := os.Stat(k.path(id))
	if err != nil {
		return at
	}
	return info.ModTime().UTC()
}

// Answer gives the answer of a run; nil if it is not here.
func (k *Results) Answer(id ledger.RunID) (*Answer, error) {
	if k.Since(id).IsZero() {
		return nil, nil
	}
	b, err := os.ReadFile(k.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, trouble(err)
	}
	var a answer
	if json.Unmarshal(b, &a) != nil || a.Run != id {
		return nil, altered()
	}
	return a.open()
}

func altered() error {
	return ws.Errorf(ws.Diverged, "results", ws.T("a kept answer was altered on this node's disk", "本节点磁盘上保存的结果被改动")).
		WithHint(ws.T("restore the folder from its backup, or run the study again", "请从备份恢复文件夹，或重新计算该研究"))
}

// result gives a kept answer, held to the commitment on the ledger.
func (s *Server) result(w http.ResponseWriter, r *http.Request) {
	id := ledger.RunID(r.PathValue("run"))
	a, err := s.node.Results.Answer(id)
	if err == nil && a == nil {
		err = invalid(ws.T("the answer of this run is not kept here", "此处未保存该计算的结果")).
			WithHint(ws.T("ask the node that conducted the run, or took it over", "请在主持或接替该计算的节点上查询"))
	}
	if err == nil {
		err = s.finish(r.Context(), a) // the hub may have been away when the run ended
	}
	if err == nil {
		err = s.committed(a)
	}
	var sent *answer
	if err == nil { // the node may have been cut off behind the close, or reviewers have spoken since
		rec, _ := s.node.Ledger.State().Run(id)
		if a, err = s.release(r.Context(), rec.StudyRef, a); err == nil {
			sent, err = a.seal()
		}
	}
	reply(w, sent, err)
}

// committed refuses an answer that is not the one to which the ledger holds this
// node's commitment.
func (s *Server) committed(a *Answer) error {
	sent, err := a.seal()
	if err != nil {
		return err
	}
	closing, known := s.node.Ledger.State().Closing(a.Run, s.node.Self)
	if !known || closing.Result != ledger.Commit(a.Salt, sent.Document) {
		return ws.Errorf(ws.Diverged, "results", ws.T("the kept answer is not the one on the ledger", "所保存的结果与账本不符")).
			WithHint(ws.T("restore the folder from its backup, or run the study again", "请从备份恢复文件夹，或重新计算该研究"))
	}
	return nil
}
