package roll_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh"
	"wellspring/post"
	"wellspring/post/roll"
)

// A book is a ledger of which a roll reads the state.
type book struct {
	ledger.Ledger
	net ledgertest.Net
}

func (b book) State() ledger.State { return b.net.State() }

// A town is a hub and three sites whose letters arrive at once.
type town struct {
	t     *testing.T
	book  book
	rolls map[ws.SiteID]*roll.Roll
	heard map[ws.SiteID]time.Time // by the hub
	jam   map[ws.SiteID]int       // letters to a node that are not acknowledged

	mu   sync.Mutex
	sent []mesh.Letter
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, book: book{net: ledgertest.InMemory(t)}, rolls: map[ws.SiteID]*roll.Roll{}, heard: map[ws.SiteID]time.Time{}, jam: map[ws.SiteID]int{}}
	w.book.net.Found()
	for _, id := range append([]string{"hub"}, ledgertest.Sites...) {
		self := ws.SiteID(id)
		w.rolls[self] = roll.New(roll.Config{Self: self, Hub: "hub", Ledger: w.book, Send: w.send, Waiting: func() map[ws.SiteID]int { return w.jam },
			Seen: func(id ws.SiteID) time.Time {
				if self == "hub" {
					return w.heard[id]
				}
				return time.Time{}
			}, Report: func(err error) { t.Errorf("reported: %v", err) }})
	}
	return w
}

func (w *town) send(ctx context.Context, l mesh.Letter) error {
	w.mu.Lock()
	w.sent = append(w.sent, l)
	w.mu.Unlock()
	if post.Limit(l.Label) < int64(len(l.Body)) {
		w.t.Errorf("a letter of %d bytes", len(l.Body))
	}
	return w.rolls[l.To].Take(ctx, &mesh.Delivery{Letter: l})
}

// letters are what was sent since, by whom to whom.
func (w *town) letters() (out []string) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.sent {
		out = append(out, string(l.From+">"+l.To))
	}
	w.sent = nil
	return out
}

// A site that looks learns of all members from the hub, which learns from the
// sites; who looks again at once causes no letter.
func TestRoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		time.Sleep(time.Hour)
		w.heard["ruijin"] = time.Now().Add(-3 * time.Minute)
		site := w.rolls["anzhen"]
		if m, since := site.Call(t.Context()); !since.IsZero() || len(m) != 4 || m["anzhen"].Release != ws.Version || m["ruijin"] != (roll.Member{}) {
			t.Errorf("before it heard of anybody: %+v", m)
		}
		if n := len(w.letters()); n != 6 { // to the hub, from it to the other two, and the answers
			t.Errorf("%d letters", n)
		}
		m, since := site.Call(t.Context())
		if since.IsZero() {
			t.Error("the hub has told, and the site knows of no time")
		}
		if ago := time.Since(m["ruijin"].Seen); ago < 3*time.Minute || ago > 4*time.Minute || !m["xiehe"].Seen.IsZero() || m["hub"].Release != ws.Version {
			t.Errorf("%+v", m)
		}
		if sent := w.letters(); len(sent) != 0 {
			t.Errorf("asked again at once: %v", sent)
		}
		time.Sleep(time.Minute)
		site.Call(t.Context())
		if sent := w.letters(); len(sent) != 2 { // the hub knows what the sites run
			t.Errorf("a minute later: %v", sent)
		}
		if m, _ := site.Call(t.Context()); m["xiehe"].Release != ws.Version {
			t.Errorf("the release of a site that never spoke to this one: %+v", m)
		}
		if m, _ := w.rolls["hub"].Call(t.Context()); m["xiehe"].Release != ws.Version || m["ruijin"].Seen != w.heard["ruijin"] {
			t.Errorf("at the hub: %+v", m)
		}
	})
}

// Who has not taken the last letter gets no further one, and who has ended none.
func TestRoll_Away(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		time.Sleep(time.Hour)
		w.jam["xiehe"] = 1
		w.book.net.Must("inst-ruijin", &ledger.SetSite{Act: ledger.End, Site: "ruijin"})
		w.rolls["hub"].Call(t.Context())
		if sent := strings.Join(w.letters(), " "); sent != "hub>anzhen anzhen>hub" {
			t.Errorf("letters: %s", sent)
		}
		w.jam["hub"] = 1
		w.rolls["anzhen"].Call(t.Context())
		if sent := w.letters(); len(sent) != 0 {
			t.Errorf("letters: %v", sent)
		}
	})
}

// Nobody but the hub is believed of others, and the hub no nonsense; whoever asks
// without end is answered now and then.
func TestRoll_Hostile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		time.Sleep(time.Hour)
		take := func(from, to ws.SiteID, body string) error {
			return w.rolls[to].Take(t.Context(), &mesh.Delivery{Letter: mesh.Letter{From: from, To: to, Run: post.Ledger, Label: post.Roll, Body: []byte(body)}})
		}
		for _, body := range []string{"", "null", "{}", `{"release":"<b>"}`, `{"release":"` + strings.Repeat("1", 65) + `"}`, `{"release":"1\n2"}`, `{"release":"1","members":3}`} {
			if err := take("hub", "anzhen", body); ws.KindOf(err) != ws.Invalid {
				t.Errorf("%q: %v", body, err)
			}
		}
		lie := `{"release":"9","members":{"xiehe":{"ago":1,"release":"9"},"hub":{"release":"9"},"anzhen":{"release":"9"},"nobody":{"release":"9"}}}`
		for _, id := range []ws.SiteID{"hub", "anzhen"} {
			w.rolls[id].Call(t.Context()) // so that neither asks again while it is lied to
		}
		synctest.Wait()
		if err := take("ruijin", "anzhen", strings.ReplaceAll(lie, `"9"`, `"8"`)); err != nil {
			t.Error(err)
		}
		for _, from := range []ws.SiteID{"stranger", "xiehe"} {
			if err := take(from, "hub", lie); err != nil {
				t.Error(err)
			}
		}
		m, _ := w.rolls["anzhen"].Call(t.Context())
		for _, of := range m {
			if of.Release == "8" || of.Release == "9" {
				t.Errorf("a site is believed by a site: %+v", m)
			}
		}
		if m, _ := w.rolls["hub"].Call(t.Context()); m["xiehe"].Release != "9" || m["anzhen"].Release == "9" || !m["xiehe"].Seen.IsZero() || len(m) != 4 {
			t.Errorf("at the hub: %+v", m)
		}
		for _, seat := range []string{`{"ago":-5}`, `{"ago":9223372036854775807}`, `{"ago":5,"release":"<i>"}`} {
			if err := take("hub", "anzhen", `{"release":"1","members":{"ruijin":`+seat+`,"nobody":{"ago":1}}}`); err != nil {
				t.Error(err)
			}
		}
		if m, _ := w.rolls["anzhen"].Call(t.Context()); !m["ruijin"].Seen.IsZero() || m["ruijin"].Release != "" || len(m) != 4 {
			t.Errorf("from the hub: %+v", m)
		}
		time.Sleep(time.Hour)
		w.letters()
		for range 100 {
			if err := take("xiehe", "hub", `{"ask":true,"release":"1"}`); err != nil {
				t.Error(err)
			}
		}
		answers := 0
		for _, l := range w.letters() {
			if l == "hub>xiehe" {
				answers++
			}
		}
		if answers > 2 { // one answer, and a question of its own
			t.Errorf("%d answers at one time", answers)
		}
	})
}
