package console_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh"
	"wellspring/site/console"
	"wellspring/study"
)

const text = `{"apiVersion":"wellspring/v1","kind":"Study","metadata":{"name":"ages"},"purpose":{"duo":["DUO:0000037"]},"data":{"dataset":"heart"},"analysis":{"method":"describe","variables":["age"]}}`

// A desk is a hub's console over a real ledger; runs are marked there as a
// conductor would, and then do what the test says.
type desk struct {
	t      *testing.T
	dir    string
	net    ledgertest.Net
	server *console.Server
	client *console.Client
	texts  *console.Texts
	spread [][]byte
	tasks  []console.Task
	within func(context.Context, console.Task) error // in the middle of a run; may be nil
	away   bool                                      // nobody orders the ledger when a run ends
	review []ws.SiteID                               // whose word answers wait for
	words  *console.Words
	outbox *console.Results
	newest func() // what comes when whoever orders is asked; may be nil
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir, err := os.MkdirTemp("", "ws") // a short path, for the socket's sake
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := file.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &desk{t: t, dir: dir, net: ledgertest.On(t, l), client: console.Dial(dir)}
	d.net.Found()
	if d.texts, err = console.OpenTexts(filepath.Join(dir, "studies")); err != nil {
		t.Fatal(err)
	}
	results, err := console.OpenResults(filepath.Join(dir, "results"))
	if err != nil {
		t.Fatal(err)
	}
	if d.words, err = console.OpenWords(filepath.Join(dir, "words")); err != nil {
		t.Fatal(err)
	}
	if d.outbox, err = console.OpenResults(filepath.Join(dir, "outbox")); err != nil {
		t.Fatal(err)
	}
	d.server = console.New(console.Node{Words: d.words, Outbox: d.outbox, Self: "hub", Hub: "hub", Institution: "centre", Ledger: l, Texts: d.texts, Results: results, Conduct: d.conduct,
		Submit: func(_ context.Context, b ledger.Body) error { return d.net.Do("hub", b) },
		Spread: func(_ context.Context, b []byte) error { d.spread = append(d.spread, b); return nil },
		Newest: func(context.Context) error {
			if d.newest != nil {
				d.newest()
			}
			return nil
		},
		Admit: func(_ context.Context, n console.Newcomer) (mesh.Pass, error) {
			return mesh.Pass{Site: n.Site, JWT: n.User}, nil
		}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.server.Serve(ctx, dir) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for range 1000 {
		if _, err := d.client.About(t.Context()); err == nil {
			return d
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the console does not answer")
	return nil
}

func (d *desk) conduct(ctx context.Context, task console.Task) (*console.Answer, error) {
	d.tasks = append(d.tasks, task)
	id := ledger.RunID(fmt.Sprintf("%032x", len(d.tasks)))
	open := &ledger.OpenRun{StudyRef: task.Ref, Conductor: "hub", Epoch: 1, Members: task.Members, Opening: ledgertest.Hash("opening"), Release: ws.Version, Run: id}
	if err := d.net.Do("hub", open); err != nil {
		return nil, err
	}
	d.server.Tell(task.Ref, console.Progress{Run: id, Epoch: 1, Round: 3, Answered: 1, Sites: 3})
	if d.within != nil {
		if err := d.within(ctx, task); err != nil {
			return nil, err
		}
	}
	digest, err := task.Study.Digest()
	if err != nil {
		return nil, err
	}
	doc := &study.Document{Study: "ages", StudyDigest: digest, Sites: []ws.SiteID{"anzhen"}, Rounds: 2, Result: &study.Result{Method: "describe", Tidy: []study.Row{{{Name: "term", Value: "I(age >= 50)TRUE & more"}}}}}
	d.net.Must("hub", &ledger.MarkSum{Epoch: 1, Run: id})
	b, err := study.MarshalCanonical(doc)
	if err != nil {
		return nil, err
	}
	a := &console.Answer{Run: id, Document: doc, Salt: ledger.Salt{1}}
	closing := &ledger.CloseRun{Epoch: 1, Outcome: ledger.OK, Result: ledger.Commit(a.Salt, b), Rounds: ledgertest.Hash("rounds"), Run: id, Review: d.review}
	if d.away {
		a.Closing = closing
		return a, ws.Errorf(ws.Unreachable, "ledger", ws.T("away", "离线"))
	}
	d.net.Must("hub", closing)
	return a, nil
}

// submit registers the study, and lets every custodian approve it.
func (d *desk) submit() ledger.StudyRef {
	d.t.Helper()
	_, digest, err := console.Read([]byte(text))
	if err != nil {
		d.t.Fatal(err)
	}
	body := &ledger.AddStudy{Conductors: []ws.SiteID{"hub"}, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000037"}, Study: digest}
	if err := d.client.AddStudy(d.t.Context(), ledgertest.Key("account wang"), []byte(text), body); err != nil {
		d.t.Fatal(err)
	}
	ref := ledger.StudyRef{Requester: ledgertest.Account("wang"), Study: digest}
	for _, site := range ledgertest.Sites {
		decide := &ledger.Decide{Question: ledger.Question{StudyRef: ref, Release: ws.Version, Site: ws.SiteID(site), Version: 1}, Verdict: ledger.Approve}
		if err := d.client.Do(d.t.Context(), ledgertest.Key("inst-"+site), decide); err != nil {
			d.t.Fatal(err)
		}
	}
	return ref
}

func (d *desk) run(ctx context.Context, o console.Order) (*console.Answer, []console.Progress, error) {
	var told []console.Progress
	a, err := d.client.Run(ctx, o, ledgertest.Key("account wang"), func(p console.Progress) { told = append(told, p) })
	return a, told, err
}

func wants(t *testing.T, what string, err error, k ws.Kind) {
	t.Helper()
	if err == nil || ws.KindOf(err) != k {
		t.Errorf("%s: %v, want %s", what, err, k)
	}
}

// A study is submitted with its text, which must be the one that is signed, and
// is listed by name and by the beginning of its digest.
func TestConsole_Study(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	if len(d.spread) != 1 {
		t.Errorf("the text was spread %d times", len(d.spread))
	}
	for _, which := range []string{"ages", ref.Study.String()[:8], "sha256:" + ref.Study.String()} {
		all, err := d.client.Studies(t.Context(), which)
		if err != nil || len(all) != 1 || !all[0].Here() || all[0].StudyRef != ref || len(all[0].Decisions) != 3 {
			t.Errorf("%s: %+v, %v", which, all, err)
		}
	}
	_, digest, _ := console.Read([]byte(text))
	other := strings.Replace(text, "age", "bmi", 1)
	for what, body := range map[string]*ledger.AddStudy{
		"another text":     {Conductors: []ws.SiteID{}, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000037"}, Study: digest},
		"another dataset":  {Conductors: []ws.SiteID{}, Dataset: "lung", Purposes: []ws.Purpose{"DUO:0000037"}, Study: read(t, other)},
		"another purpose":  {Conductors: []ws.SiteID{}, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000042"}, Study: read(t, other)},
		"one purpose more": {Conductors: []ws.SiteID{}, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000037", "DUO:0000042"}, Study: read(t, other)},
	} {
		wants(t, what, d.client.AddStudy(t.Context(), ledgertest.Key("account wang"), []byte(other), body), ws.Invalid)
	}
}

// A study that the ledger here lacks is asked for at whoever orders, where it is named.
func TestConsole_StudyElsewhere(t *testing.T) {
	d := newDesk(t)
	asked := 0
	d.newest = func() {
		asked++
		d.submit()
	}
	if _, err := d.client.Studies(t.Context(), ""); err != nil || asked != 0 {
		t.Errorf("for the list of all asked %d times, %v", asked, err)
	}
	if all, err := d.client.Studies(t.Context(), "ages"); err != nil || len(all) != 1 || asked != 1 {
		t.Errorf("asked %d times for %v, %v", asked, all, err)
	}
	if all, err := d.client.Studies(t.Context(), "ages"); err != nil || len(all) != 1 || asked != 1 {
		t.Errorf("asked %d times for %v, %v", asked, all, err)
	}
}

func read(t *testing.T, text string) ledger.Hash {
	t.Helper()
	_, h, err := console.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A run goes to all that have the dataset, and its answer is on the ledger
// before the requester has it.
func TestConsole_Run(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	a, told, err := d.run(t.Context(), console.Order{StudyRef: ref})
	if err != nil {
		t.Fatal(err)
	}
	b, err := study.MarshalCanonical(a.Document)
	if err != nil {
		t.Fatal(err)
	}
	h, known := d.net.State().Handover(a.Run, "hub")
	if !known || h.Result != ledger.Commit(a.Salt, b) || h.Requester != ref.Requester {
		t.Errorf("handover %+v, %v", h, known)
	}
	if len(told) != 1 || told[0].Round != 3 || told[0].Run != a.Run {
		t.Errorf("told %+v", told)
	}
	if m := d.tasks[0].Members; len(m) != 3 || m[0].Site != "anzhen" || m[2].Site != "xiehe" {
		t.Errorf("members %+v", m)
	}
	all, err := d.client.Studies(t.Context(), "ages")
	if err != nil || len(all[0].Runs) != 1 || all[0].Runs[0].Outcome != ledger.OK {
		t.Errorf("%+v, %v", all, err)
	}
	if _, _, err = d.run(t.Context(), console.Order{StudyRef: ref, Sites: []ws.SiteID{"anzhen", "ruijin", "xiehe"}}); err != nil {
		t.Errorf("the same sites again: %v", err)
	}
	_, _, err = d.run(t.Context(), console.Order{StudyRef: ref, Sites: []ws.SiteID{"anzhen", "nowhere"}})
	wants(t, "a site without the dataset", err, ws.Denied)
}

// Sites may be named; whether a sum over others was opened the desk judges.
// An answer that was computed while nobody ordered the ledger is kept, given to nobody
// before it is on record, and then to all who ask, at one time too. Stopping the study
// meanwhile loses it no more than asking does.
func TestConsole_Unrecorded(t *testing.T) {
	for _, stop := range []bool{false, true} {
		d := newDesk(t)
		ref := d.submit()
		d.away = true
		if _, _, err := d.run(t.Context(), console.Order{StudyRef: ref}); ws.KindOf(err) != ws.Unreachable || !strings.Contains(ws.HintOf(err).En, "study result") {
			t.Fatalf("told: %v", err)
		}
		id := ledger.RunID(fmt.Sprintf("%032x", 1))
		if _, known := d.net.State().Closing(id, "hub"); known {
			t.Fatal("the run is closed")
		}
		if stop {
			if err := d.client.Stop(t.Context(), "ages"); err != nil {
				t.Fatal(err)
			}
		}
		asked := make(chan error, 4)
		for range cap(asked) {
			go func() {
				a, err := d.client.Result(t.Context(), id)
				if err == nil && a.Document.Tidy[0].Text("term") != "I(age >= 50)TRUE & more" {
					err = fmt.Errorf("another answer: %v", a.Document.Tidy)
				}
				asked <- err
			}()
		}
		for range cap(asked) {
			if err := <-asked; err != nil {
				t.Error(err)
			}
		}
		if _, known := d.net.State().Handover(id, "hub"); !known {
			t.Error("its release is not on record")
		}
	}
}

func TestConsole_Sites(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	few := console.Order{StudyRef: ref, Sites: []ws.SiteID{"xiehe", "anzhen"}}
	if _, _, err := d.run(t.Context(), few); err != nil || len(d.tasks[0].Members) != 2 || d.tasks[0].Members[0].Site != "anzhen" {
		t.Errorf("two sites: %v", err)
	}
	if _, _, err := d.run(t.Context(), few); err != nil {
		t.Error(err)
	}
}

// After a withdrawal no run is opened: nobody is left out in silence.
func TestConsole_Withdrawn(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	d.net.Must("inst-ruijin", &ledger.Decide{Question: ledger.Question{StudyRef: ref, Release: ws.Version, Site: "ruijin", Version: 1}, Verdict: ledger.Withdraw})
	_, _, err := d.run(t.Context(), console.Order{StudyRef: ref})
	wants(t, "withdrawn", err, ws.Denied)
	if !strings.Contains(err.Error(), "ruijin") || ws.HintOf(err).IsZero() {
		t.Errorf("it names no site, or has no hint: %v", err)
	}
}

// Only the requester orders a run, and each order counts once.
func TestConsole_Order(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	_, err := d.client.Run(t.Context(), console.Order{StudyRef: ref}, ledgertest.Key("inst-anzhen"), func(console.Progress) {})
	wants(t, "another's key", err, ws.Denied)

	given := map[string]string{}
	if d.post(t, "/v1/challenges", "{}", &given) != http.StatusOK {
		t.Fatal("no challenge")
	}
	o := console.Order{StudyRef: ref, Challenge: given["challenge"]}
	copy(o.Signature[:], ed25519.Sign(ledgertest.Key("account wang"), o.Message(d.net.Chain(), "hub")))
	forged := o
	forged.Sites = []ws.SiteID{"anzhen"}
	for i, c := range []struct {
		o      console.Order
		status int
	}{{o, http.StatusOK}, {o, http.StatusForbidden}, {forged, http.StatusForbidden}} {
		b, err := json.Marshal(c.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.post(t, "/v1/runs", string(b), nil); got != c.status {
			t.Errorf("order %d: status %d, want %d", i, got, c.status)
		}
	}
	_, err = d.client.StandIn(t.Context(), ledger.RunID(strings.Repeat("1", 32)), func(console.Progress) {})
	wants(t, "the hub stands in", err, ws.Denied)
}

// Whoever hangs up, or says stop, stops the run; a second one of the study is
// refused while the first goes on.
func TestConsole_Stop(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	began, ended := make(chan bool, 1), make(chan bool, 1)
	d.within = func(ctx context.Context, _ console.Task) error {
		began <- true
		<-ctx.Done()
		ended <- true
		return ws.Errorf(ws.Stopped, "", ws.T("stopped", "已停止")).Wrap(ctx.Err())
	}
	for _, how := range []string{"hang up", "stop"} {
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() { _, _, err := d.run(ctx, console.Order{StudyRef: ref}); answer <- err }()
		<-began
		_, _, err := d.run(t.Context(), console.Order{StudyRef: ref})
		wants(t, "a second run", err, ws.Denied)
		if how == "stop" {
			if err := d.client.Stop(t.Context(), "ages"); err != nil {
				t.Error(err)
			}
		} else {
			cancel()
		}
		<-ended
		wants(t, how, <-answer, ws.Stopped)
		cancel()
		for len(how) > 0 && d.client.Stop(t.Context(), "ages") == nil {
			time.Sleep(time.Millisecond) // until the run has left
		}
	}
	wants(t, "stop what does not run", d.client.Stop(t.Context(), "ages"), ws.Invalid)
	wants(t, "stop nothing", d.client.Stop(t.Context(), ""), ws.Invalid)
}

// The rounds of a run that another conducts are told while it is open. What comes
// late is passed over, and of what the ledger does not know nothing stays.
func TestConsole_Served(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	for i := range 1000 {
		d.server.Served(ledgertest.RunID(fmt.Sprint("unknown ", i)), 1, 0)
	}
	id := ledgertest.RunID("theirs")
	open := &ledger.OpenRun{StudyRef: ref, Conductor: "hub", Epoch: 1, Opening: ledgertest.Hash("opening"), Release: ws.Version, Run: id}
	for _, site := range ledgertest.Sites {
		open.Members = append(open.Members, ledger.Member{Key: ledgertest.Public(site), Site: ws.SiteID(site), Version: 1})
	}
	d.net.Must("hub", open)
	stages := func() (rounds []int) {
		all, err := d.client.Studies(t.Context(), "ages")
		if err != nil || len(all) != 1 || len(all[0].Runs) != 1 {
			t.Fatal(all, err)
		}
		for _, s := range all[0].Runs[0].Stages {
			if s.Sites != 0 || s.Run != id || s.Since.IsZero() {
				t.Errorf("stage %+v", s)
			}
			rounds = append(rounds, s.Round)
		}
		return rounds
	}
	for _, round := range []int{0, 1, 1, 0, 2, 1} {
		d.server.Served(id, 1, round)
	}
	if got := stages(); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("rounds %v", got)
	}
	d.net.Must("hub", &ledger.CloseRun{Epoch: 1, Outcome: ws.Stopped.String(), Rounds: ledgertest.Hash("opening"), Run: id})
	if got := stages(); got != nil {
		t.Errorf("of a run that is closed: %v", got)
	}
}

// What comes in is bounded, and only the folder's owner may come.
func TestConsole_Socket(t *testing.T) {
	d := newDesk(t)
	info, err := os.Stat(filepath.Join(d.dir, "console.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info, err)
	}
	for path, c := range map[string]struct {
		body   string
		status int
	}{
		"/v1/transactions": {strings.Repeat("x", 1<<20), http.StatusBadRequest},
		"/v1/studies":      {strings.Repeat("x", 21<<20), http.StatusBadRequest},
		"/v1/runs":         {`{"sites": 1}`, http.StatusBadRequest},
		"/v1/members":      {`{"site": "nowhere"}`, http.StatusForbidden},
		"/v1/nothing":      {``, http.StatusNotFound},
	} {
		if got := d.post(t, path, c.body, nil); got != c.status {
			t.Errorf("%s: status %d, want %d", path, got, c.status)
		}
	}
	if p, err := d.client.Admit(t.Context(), console.Newcomer{Site: "anzhen", User: "U1"}); err != nil || p.JWT != "U1" {
		t.Errorf("%+v, %v", p, err)
	}
	stranger := ed25519.NewKeyFromSeed(make([]byte, 32))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.client.Sign(ctx, stranger, d.net.Study("x")); err == nil {
		t.Error("a key that is not on the ledger has a sequence")
	}
	if err := console.Dial(t.TempDir()).Stop(t.Context(), "x"); !console.Absent(err) || ws.HintOf(err).IsZero() {
		t.Errorf("no node: %v", err)
	}
}

// post speaks to the socket without the client.
func (d *desk) post(t *testing.T, path, body string, out any) int {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(d.dir, "console.sock"))
	}}}
	defer c.CloseIdleConnections()
	resp, err := c.Post("http://node"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(b.Bytes(), out); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

// Texts that the ledger does not know are kept up to a bound; one that was
// altered on the disk is not read.
func TestTexts(t *testing.T) {
	dir := t.TempDir()
	texts, err := console.OpenTexts(dir)
	if err != nil {
		t.Fatal(err)
	}
	known := map[ledger.Hash]bool{}
	is := func(h ledger.Hash) bool { return known[h] }
	for i := range 64 {
		if _, _, err := texts.Put([]byte(strings.Replace(text, `"ages"`, fmt.Sprintf(`"s%d"`, i), 1)), is); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = texts.Put([]byte(text), is)
	wants(t, "one too many", err, ws.Denied)
	known[read(t, text)] = true
	h, _, err := texts.Put([]byte(text), is)
	if err != nil {
		t.Fatal(err)
	}
	var each int
	texts.Each(is, func([]byte) { each++ })
	if s, err := texts.Study(h); err != nil || s.Metadata.Name != "ages" || each != 1 {
		t.Errorf("%+v, %v, %d known", s, err, each)
	}
	if s, err := texts.Study(ledger.Hash{1}); s != nil || err != nil {
		t.Errorf("a text that is not here: %+v, %v", s, err)
	}
	path := filepath.Join(dir, h.String()+".json")
	b, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path, slices.Concat(bytes.Replace(b, []byte(`"age"`), []byte(`"bmi"`), 1)), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err = texts.Study(h)
	wants(t, "altered", err, ws.Diverged)
	random := make([]byte, 100)
	rand.Read(random)
	_, _, err = texts.Put(random, is)
	wants(t, "no study", err, ws.Invalid)
}
