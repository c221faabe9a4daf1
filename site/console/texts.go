package console

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/study"
)

// maxStrangers bounds the texts that are kept of studies that the ledger does
// not know, or not yet: text and transaction come on ways of their own.
const maxStrangers = 64

// Texts are the studies that a node has, in canonical form, a file each.
type Texts struct {
	dir string
	mu  sync.Mutex
}

// OpenTexts opens or makes the folder.
func OpenTexts(dir string) (*Texts, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, trouble(err)
	}
	return &Texts{dir: dir}, nil
}

// Read parses the text of a study and gives its digest.
func Read(text []byte) (*study.Study, ledger.Hash, error) {
	s, err := study.Parse(text, "study")
	if err != nil {
		return nil, ledger.Hash{}, err
	}
	s = s.WithDefaults()
	d, err := s.Digest()
	if err != nil {
		return nil, ledger.Hash{}, err
	}
	h, err := ledger.ParseHash(d)
	return s, h, err
}

// Put keeps a text, and tells whether it is new here; known tells which studies are
// on the ledger.
func (t *Texts) Put(text []byte, known func(ledger.Hash) bool) (h ledger.Hash, fresh bool, err error) {
	s, h, err := Read(text)
	if err != nil {
		return h, false, err
	}
	b, err := s.Canonical()
	if err != nil {
		return h, false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !known(h) && t.strangers(known) >= maxStrangers {
		return h, false, ws.Errorf(ws.Denied, "studies", ws.T("too many texts of studies that the ledger does not know", "账本未登记的研究文本过多"))
	}
	path := t.path(h)
	if _, err := os.Stat(path); err == nil {
		return h, false, nil
	}
	err = trouble(disk.Write(path, 0o600, b))
	return h, err == nil, err
}

func (t *Texts) path(h ledger.Hash) string { return filepath.Join(t.dir, h.String()+".json") }

func (t *Texts) strangers(known func(ledger.Hash) bool) (n int) {
	for _, h := range t.list() {
		if !known(h) {
			n++
		}
	}
	return n
}

func (t *Texts) list() (out []ledger.Hash) {
	entries, _ := os.ReadDir(t.dir)
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			if h, err := ledger.ParseHash(name); err == nil {
				out = append(out, h)
			}
		}
	}
	return out
}

// Text gives the canonical text of a study; nil if it is not here.
func (t *Texts) Text(h ledger.Hash) ([]byte, error) {
	b, err := os.ReadFile(t.path(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, trouble(err)
}

// Study gives a study; nil if its text is not here. A text that is not its
// digest's is Diverged.
func (t *Texts) Study(h ledger.Hash) (*study.Study, error) {
	b, err := t.Text(h)
	if b == nil || err != nil {
		return nil, err
	}
	s, got, err := Read(b)
	if err == nil && got != h {
		err = ws.Errorf(ws.Diverged, "studies", ws.T("the text of a study was altered on this node's disk", "本节点磁盘上的研究文本被改动"))
	}
	return s, err
}

// Each calls f with every text that the ledger knows.
func (t *Texts) Each(known func(ledger.Hash) bool, f func([]byte)) {
	for _, h := range t.list() {
		if known(h) {
			if b, err := t.Text(h); err == nil && b != nil {
				f(b)
			}
		}
	}
}
