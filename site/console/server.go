package console

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/post"
	"wellspring/post/roll"
)

// A Node is what a console serves. Fields that say so may be nil.
type Node struct {
	Self, Hub   ws.SiteID
	Institution ws.Institution
	Ledger      ledger.Ledger
	// Submit signs a transaction with the node's own key and waits until it is final.
	Submit func(context.Context, ledger.Body) error
	Texts  *Texts
	// Results keeps the answers of the runs that this node conducts.
	Results *Results
	// Outbox keeps the answers that a person of this site must release; nil at a hub.
	Outbox *Results
	// Words keeps what reviewers say of answers, and Reply hands those of this site to
	// whoever conducted; nil where no answer waits for anybody.
	Words *Words
	Reply func(context.Context, ws.SiteID, post.Review) error
	// Spread hands the text of a study to the other nodes.
	Spread func(context.Context, []byte) error
	// Conduct runs a study from this node.
	Conduct func(context.Context, Task) (*Answer, error)
	// StandIn takes a run over; nil at a hub.
	StandIn func(context.Context, ledger.RunID) (*Answer, error)
	// Admit gives a member its way to the broker; nil at a site.
	Admit func(context.Context, Newcomer) (mesh.Pass, error)
	// Fresh is when the ledger here was last known to be the newest; nil at a hub.
	Fresh func() time.Time
	// Newest waits until the ledger here is as new as that of whoever orders was at the
	// call; nil at a hub, and where that takes longer than moments.
	Newest func(context.Context) error
	// Roll is what is known of the members' nodes, and since when; may be nil.
	Roll func(context.Context) (map[ws.SiteID]roll.Member, time.Time)
	// Askers tells how the groups of requesters stand whom the site remembers, and Let
	// lets one ask on; nil at a hub.
	Askers func() ([]Asker, error)
	Let    func(Asker) error
	// Copy copies what the site remembers into a new file of the node's folder, and gives
	// its name; nil at a hub.
	Copy func() (string, error)
	// Delay is what a letter to the hub and its answer may take beyond the
	// moments of a wire; 0 for a node that has one.
	Delay time.Duration
}

// A Newcomer is a site that the ledger knows, with the key of its user at the
// broker, and when it asked, in milliseconds of Unix's clock: a later user takes the place of an earlier one.
type Newcomer struct {
	Site ws.SiteID `json:"site"`
	User string    `json:"user"`
	Made int64     `json:"made"`
}

// Bounds of bodies, in bytes, and of requests at one time.
const (
	maxSmall   = 64 << 10
	maxTx      = 512 << 10
	maxStudy   = 20 << 20
	maxRequest = 64
)

// Times that a request waits for the ledger here to catch up.
const (
	catchUp    = 10 * time.Second
	submitTime = 30 * time.Second
	arrival    = 5 * time.Second // of a study that is named
)

// A Server answers for a node. Its methods may be called concurrently.
type Server struct {
	node Node
	busy chan struct{}

	names     sync.Map   // of studies whose texts were read, by digest
	recording sync.Mutex // of answers, one at a time

	mu         sync.Mutex
	runs       map[ledger.StudyRef]*running
	served     map[ledger.RunID]*running // runs that others conduct
	challenges map[string]time.Time      // until when each is good
}

// New makes a server; Serve runs it.
func New(n Node) *Server {
	return &Server{node: n, busy: make(chan struct{}, maxRequest), runs: map[ledger.StudyRef]*running{}, served: map[ledger.RunID]*running{}, challenges: map[string]time.Time{}}
}

// handler bounds how many requests are answered at one time.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/node", s.about)
	mux.HandleFunc("GET /v1/sequence", s.sequence)
	mux.HandleFunc("POST /v1/transactions", s.transaction)
	mux.HandleFunc("GET /v1/studies", s.studies)
	mux.HandleFunc("POST /v1/studies", s.addStudy)
	mux.HandleFunc("POST /v1/challenges", s.challenge)
	mux.HandleFunc("POST /v1/runs", s.run)
	mux.HandleFunc("GET /v1/results/{run}", s.result)
	mux.HandleFunc("GET /v1/outbox", s.outbox)
	mux.HandleFunc("GET /v1/outbox/{run}", s.held)
	mux.HandleFunc("POST /v1/outbox/words", s.words)
	mux.HandleFunc("POST /v1/standins", s.standIn)
	mux.HandleFunc("POST /v1/stops", s.stop)
	mux.HandleFunc("POST /v1/members", s.member)
	mux.HandleFunc("GET /v1/askers", s.askers)
	mux.HandleFunc("POST /v1/askers", s.let)
	mux.HandleFunc("POST /v1/copies", s.copy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.busy <- struct{}{}:
			defer func() { <-s.busy }()
			mux.ServeHTTP(w, r)
		default:
			reply(w, nil, ws.Errorf(ws.Unreachable, "console", ws.T("more than %d requests at one time", "同时的请求超过 %d 个", maxRequest)))
		}
	})
}

// read takes a bounded body.
func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, invalid(ws.T("the request is too long, or was cut", "请求过长或被截断"))
	}
	return b, nil
}

// readJSON takes a bounded body of one known form.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	b, err := read(w, r, limit)
	if err == nil && json.Unmarshal(b, v) != nil {
		err = invalid(ws.T("the request is not well formed", "请求格式不正确"))
	}
	return err
}

// await waits a while until the ledger here is as wanted; at the hub it is the newest.
func (s *Server) await(ctx context.Context, wanted func(ledger.State) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, catchUp+s.node.Delay)
	defer cancel()
	now := s.node.Ledger.State()
	if wanted(now) || s.node.Fresh == nil {
		return wanted(now)
	}
	for _, err := range s.node.Ledger.Watch(ctx, now.Height()) {
		if err != nil {
			return false
		}
		if wanted(s.node.Ledger.State()) {
			return true
		}
	}
	return false
}

// About says what a node is and whom it knows.
type About struct {
	Site        ws.SiteID      `json:"site"`
	Hub         ws.SiteID      `json:"hub"`
	Institution ws.Institution `json:"institution"`
	Chain       ledger.ChainID `json:"chain"`
	Height      ledger.Height  `json:"height"`
	Fresh       time.Time      `json:"fresh,omitzero"`
	Told        time.Time      `json:"told,omitzero"` // when the hub last said whom it hears; at the hub, now
	Peers       []Peer         `json:"peers"`
	// Held are the commitments of the newest versions of the node's own datasets.
	Held map[ws.Dataset]ledger.Hash `json:"held,omitempty"`
}

// Latest is the newest frozen version of a dataset at the node's site; 0 for none.
func (a *About) Latest(d ws.Dataset) int {
	for _, p := range a.Peers {
		if p.Site == a.Site {
			return p.Latest[d]
		}
	}
	return 0
}

// A Peer is a site on the ledger. Fingerprint names its key.
type Peer struct {
	Site        ws.SiteID          `json:"site"`
	Institution ws.Institution     `json:"institution"`
	Fingerprint ledger.KeyID       `json:"fingerprint"`
	Ended       bool               `json:"ended,omitempty"`
	Latest      map[ws.Dataset]int `json:"latest,omitempty"`    // versions of its datasets
	Suspended   bool               `json:"suspended,omitempty"` // its institution is
	Seen        time.Time          `json:"seen,omitzero"`       // when it was last heard here, or by the hub
	Release     ws.Release         `json:"release,omitempty"`   // that its node says it runs
}

func (s *Server) about(w http.ResponseWriter, r *http.Request) {
	state := s.node.Ledger.State()
	var known map[ws.SiteID]roll.Member
	var told time.Time
	if s.node.Roll != nil {
		known, told = s.node.Roll(r.Context())
	}
	chain, _ := state.Chain()
	a := About{Site: s.node.Self, Hub: s.node.Hub, Institution: s.node.Institution, Chain: chain.ID, Height: state.Height(), Told: told, Peers: []Peer{}, Held: map[ws.Dataset]ledger.Hash{}}
	if s.node.Fresh != nil {
		a.Fresh = s.node.Fresh()
	}
	for id, rec := range state.Sites() {
		institution, _ := state.Institution(rec.Institution)
		p := Peer{Site: id, Institution: rec.Institution, Fingerprint: rec.Key.ID(), Ended: rec.Ended, Suspended: institution.Suspended,
			Latest: map[ws.Dataset]int{}, Seen: known[id].Seen, Release: known[id].Release}
		for d, v := range state.Datasets(id) {
			p.Latest[d] = v.Latest
			if newest, known := state.Version(id, d, v.Latest); known && id == s.node.Self {
				a.Held[d] = newest.Commitment
			}
		}
		a.Peers = append(a.Peers, p)
	}
	reply(w, a, nil)
}

// A Sequence is what a signer needs to know.
type Sequence struct {
	Chain ledger.ChainID `json:"chain"`
	Next  uint64         `json:"next"`
}

func (s *Server) sequence(w http.ResponseWriter, r *http.Request) {
	id, err := ledger.ParseHash(r.URL.Query().Get("key"))
	if err != nil {
		reply(w, nil, err)
		return
	}
	if !s.await(r.Context(), func(st ledger.State) bool { _, known := st.Key(id); return known }) {
		reply(w, nil, denied(ws.T("the ledger here does not know this key", "此处账本不认识该密钥")).
			WithHint(ws.T("ask whoever admits it, and whether this node has a connection", "请询问负责接纳者，并检查本节点的网络连接")))
		return
	}
	state := s.node.Ledger.State()
	chain, _ := state.Chain()
	reply(w, Sequence{chain.ID, state.Seq(id) + 1}, nil)
}

func (s *Server) transaction(w http.ResponseWriter, r *http.Request) {
	b, err := read(w, r, maxTx)
	if err != nil {
		reply(w, nil, err)
		return
	}
	tx, err := ledger.DecodeTx(b)
	if err != nil {
		reply(w, nil, err)
		return
	}
	receipt, err := s.put(r.Context(), tx)
	reply(w, receipt, err)
}

func (s *Server) put(ctx context.Context, tx ledger.Tx) (ledger.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, submitTime+s.node.Delay)
	defer cancel()
	return s.node.Ledger.Submit(ctx, tx)
}

func (s *Server) member(w http.ResponseWriter, r *http.Request) {
	var n Newcomer
	err := readJSON(w, r, maxSmall, &n)
	if err == nil && s.node.Admit == nil {
		err = denied(ws.T("only the hub admits members", "只有枢纽可接纳成员"))
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	if _, known := s.node.Ledger.State().Site(n.Site); !known {
		reply(w, nil, denied(ws.T("the ledger does not know site %s", "账本中没有站点 %s", n.Site)))
		return
	}
	pass, err := s.node.Admit(r.Context(), n)
	reply(w, pass, err)
}
