package ledger_test

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/ledger"
	. "wellspring/ledger/ledgertest"
)

// randomAct draws what is done and by whom: mostly by whom it should be, so that
// chains get somewhere; it may well be refused.
func randomAct(t *rapid.T, n Net) (string, ledger.Body) {
	site := rapid.SampledFrom(append(slices.Clone(Sites), "hub", "nowhere")).Draw(t, "site")
	version := rapid.IntRange(1, 2).Draw(t, "version")
	run := rapid.SampledFrom([]string{"r", "q"}).Draw(t, "run")
	now, _ := n.State().Run(RunID(run))
	epoch, next := max(1, now.Epoch), now.Epoch+1
	if rapid.IntRange(0, 4).Draw(t, "wrong epoch") == 4 {
		epoch = rapid.IntRange(1, 3).Draw(t, "epoch")
		next = epoch
	}
	study := rapid.SampledFrom([]string{"s", "t"}).Draw(t, "study")
	fresh := fmt.Sprint("k", rapid.IntRange(0, 5).Draw(t, "key"))
	verdict := rapid.SampledFrom([]ledger.Verdict{ledger.Withdraw, ledger.Approve, ledger.Refuse}).Draw(t, "verdict")
	outcome := rapid.SampledFrom([]string{ledger.OK, "denied"}).Draw(t, "outcome")
	act := rapid.SampledFrom([]ledger.Act{ledger.Suspend, ledger.Reinstate}).Draw(t, "act")
	held := rapid.SampledFrom([]string{"w", "w", "w", run}).Draw(t, "held")
	reviewer := rapid.SampledFrom([]string{Sites[0], Sites[1], site}).Draw(t, "reviewer")
	word := rapid.SampledFrom([]*ledger.ReviewResult{review(held, reviewer, ledger.Approve), review(held, reviewer, ledger.Approve), review(held, reviewer, ledger.Refuse),
		review(held, reviewer, ledger.Ask), review(held, reviewer, ledger.Suppress, 1), review(held, reviewer, ledger.Suppress, 1, 2)}).Draw(t, "word")
	waiting := reviewed(run, ws.SiteID(Sites[0])) // of whom it surely is a member
	waiting.Epoch = epoch
	type deed struct {
		signer string
		body   ledger.Body
	}
	open := deed{"hub", Open(study, run, next, subset(t)...)}
	decide := deed{"inst-" + site, Decide(Question(study, site, version), verdict)}
	deeds := []deed{
		open, open, open, open, decide, decide, decide, {"hub", mark(run, epoch)}, {"hub", mark(run, epoch)}, {"hub", mark(run, epoch)},
		{"hub", closing(run, epoch, outcome)}, {"hub", closing(run, epoch, outcome)}, {"hub", release(run)}, {"hub", release(run)},
		{"hub", waiting}, {"hub", waiting}, {"inst-" + reviewer, word}, {"inst-" + reviewer, word}, {"inst-" + reviewer, word}, {"hub", released(held)}, {"hub", released(held)}, {"hub", release(held)},
		{"account wang", n.Study(study)}, {"inst-" + site, n.Version(site, version)}, {"operator", n.Institution(fresh)}, {"centre", n.Site(fresh)},
		{"centre", n.Requester(fresh)}, {"operator", n.Genesis()}, {"operator", &ledger.SetInstitution{Act: act, Institution: ws.Institution("inst-" + site)}},
		{"inst-" + site, &ledger.SetSite{Act: ledger.Rotate, Key: Public(fresh), Possession: n.Possession(ledger.BySite, site, fresh), Site: ws.SiteID(site)}},
		{"inst-" + site, &ledger.SetSite{Act: ledger.End, Site: ws.SiteID(site)}},
		{"operator", &ledger.SetRule{Key: Public(fresh), Possession: n.Possession(ledger.ByOperator, "", fresh), Rule: "operator"}},
	}
	d := deeds[rapid.IntRange(0, 1<<20).Draw(t, "deed")%len(deeds)] // modulo: rapid prefers small numbers
	if rapid.IntRange(0, 4).Draw(t, "wrong signer") == 4 {
		d.signer = rapid.SampledFrom([]string{"operator", "centre", "hub", "account wang", "inst-" + site, site, fresh}).Draw(t, "signer")
	}
	return d.signer, d.body
}

func subset(t *rapid.T) (out []string) {
	for i, in := range rapid.SliceOfN(rapid.Bool(), len(Sites), len(Sites)).Draw(t, "sites") {
		if in || i == 0 {
			out = append(out, Sites[i])
		}
	}
	return out
}

// [LEDGER-STATE.1], [LEDGER-STATE.3]: replicas that are fed the same transactions have the same
// root, however these are cut into blocks and whatever else was refused on the
// way; and so has a replay from the bytes. What holds of every reachable state
// is checked after each step.
//
// [LEDGER-RULE.3]
func TestReplicas(t *testing.T) {
	kinds := map[ledger.Kind]int{}
	for range 10 { // a few dozen histories may lack a kind by chance
		replicas(t, kinds)
		if missing(kinds) == "" || t.Failed() {
			break
		}
	}
	t.Logf("accepted: %v", kinds)
	if k := missing(kinds); k != "" {
		t.Errorf("no %s was ever accepted: the test does not get far enough", k)
	}
}

// replicas plays random histories, and counts what was accepted by its kind.
func replicas(t *testing.T, kinds map[ledger.Kind]int) {
	rapid.Check(t, func(rt *rapid.T) {
		a := InMemory(t)
		a.Found()
		a.Must("hub", Open("s", "w", 1, Sites...)) // a run whose result waits for two reviewers
		a.Must("hub", mark("w", 1))
		reviewers := Sites[:rapid.IntRange(1, 2).Draw(rt, "reviewers")]
		a.Must("hub", reviewed("w", ids(reviewers)...))
		for _, site := range reviewers {
			if rapid.Bool().Draw(rt, "reviewed") {
				a.Must("inst-"+site, review("w", site, ledger.Approve))
			}
		}
		state := a.State() // the second replica, in blocks of another size
		var history []ledger.Tx
		submit := a.Submit
		a.Submit = func(tx ledger.Tx) error {
			err := submit(tx)
			next, _, again := ledger.Apply(state, tx)
			if (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
				rt.Fatalf("the replicas judge apart: %v; %v", err, again)
			}
			if err == nil {
				history, state = append(history, tx), next
			}
			return err
		}
		start := state
		act := func(signer string, body ledger.Body) {
			before := a.State()
			if a.Do(signer, body) == nil {
				kinds[body.Kind()]++
			} else if a.State().Root() != before.Root() {
				rt.Fatal("a refusal changed the state")
			}
			holds(rt, before, a.State())
		}
		for range rapid.IntRange(10, 40).Draw(rt, "steps") {
			act(randomAct(rt, a))
		}
		for _, name := range []string{"r", "q"} { // what is still open may end by its conductor's word
			if r, is := a.State().Run(RunID(name)); is && !r.Closed {
				act("hub", closing(name, r.Epoch, "stopped"))
			}
		}
		for _, tx := range history {
			read, err := ledger.DecodeTx(tx.Bytes())
			if err != nil {
				rt.Fatal(err)
			}
			if start, _, err = ledger.Apply(start, read); err != nil {
				rt.Fatal(err)
			}
		}
		restored, err := ledger.Restore(a.State().Values(""), a.State().Height(), a.State().Root())
		if err != nil {
			rt.Fatal(err)
		}
		tx := a.Sign("centre", a.Requester("last"))
		one, _, oneErr := ledger.Apply(a.State(), tx)
		two, _, twoErr := ledger.Apply(restored, tx)
		if (oneErr == nil) != (twoErr == nil) || one.Root() != two.Root() || one.Height() != two.Height() {
			rt.Fatal("a restored state goes another way")
		}
		if start.Root() != a.State().Root() || state.Root() != a.State().Root() {
			rt.Fatal("the roots differ")
		}
	})
}

// missing is a kind of which nothing was accepted; "" if there is none.
func missing(kinds map[ledger.Kind]int) ledger.Kind {
	for _, k := range []ledger.Kind{"open", "sum", "close", "decision", "institution", "site", "dataset", "review", "release"} {
		if kinds[k] == 0 {
			return k
		}
	}
	return ""
}

// holds checks what must be so after any transaction.
func holds(t *rapid.T, before, after ledger.State) {
	for _, name := range []string{"r", "q"} {
		id := RunID(name)
		old, was := before.Run(id)
		now, is := after.Run(id)
		if was && (!is || old.Summed && !now.Summed || old.Closed && !now.Closed || now.StudyRef != old.StudyRef) {
			t.Fatal("a run forgets")
		}
		if was && now.Epoch != old.Epoch && (old.Summed || old.Closed || now.Epoch != old.Epoch+1) {
			t.Fatal("an epoch follows where none may")
		}
		if !is || was && now.Epoch == old.Epoch {
			continue
		}
		e, _ := after.Epoch(id, now.Epoch)
		for _, m := range e.Members {
			if err := after.Approved(ledger.Question{StudyRef: now.StudyRef, Release: now.Release, Site: m.Site, Version: m.Version}); err != nil {
				t.Fatalf("opened without approval: %v", err)
			}
			if prev, _ := before.Epoch(id, now.Epoch-1); now.Epoch > 1 {
				if _, member := prev.Member(m.Site); !member {
					t.Fatal("a later epoch has a new site")
				}
			}
		}
	}
	for _, name := range []string{"r", "q", "w"} {
		id := RunID(name)
		for site, h := range after.Handovers(id) {
			if _, was := before.Handover(id, site); was {
				continue
			}
			closing, _ := after.Closing(id, site)
			for _, reviewer := range after.Reviewers(id) {
				if r, _ := after.Review(id, reviewer); !r.Releases(closing.Result) {
					t.Fatalf("released, and %s says %+v", reviewer, r)
				}
			}
			if whole := h.Result == closing.Result; len(after.Reviewers(id)) > 0 && whole != (len(after.LeftOut(id)) == 0) {
				t.Fatalf("released whole: %v, without %v", whole, after.LeftOut(id))
			}
		}
	}
	for k, v := range before.Values("") {
		if released := len(slices.Collect(keysOf(before.Values("release/")))) > 0; released && strings.HasPrefix(string(k), "review/") {
			run := strings.Split(string(k), "/")[1]
			if now, _ := after.Value(k); string(now) != string(v) && len(slices.Collect(keysOf(before.Values(ledger.Key("release/"+run+"/"))))) > 0 {
				t.Fatalf("%s changed after the release", k)
			}
		}
		if strings.HasPrefix(string(k), "version/") || strings.HasPrefix(string(k), "epoch/") || strings.HasPrefix(string(k), "close/") {
			if now, _ := after.Value(k); string(now) != string(v) {
				t.Fatalf("%s changed", k)
			}
		}
	}
}

func ids(sites []string) (out []ws.SiteID) {
	for _, s := range sites {
		out = append(out, ws.SiteID(s))
	}
	return out
}

func keysOf(values iter.Seq2[ledger.Key, []byte]) iter.Seq[ledger.Key] {
	return func(yield func(ledger.Key) bool) { values(func(k ledger.Key, _ []byte) bool { return yield(k) }) }
}

// [LEDGER-STATE.3]: a snapshot that was altered is refused, even by who can compute
// roots, where a record is none.
func TestRestore(t *testing.T) {
	n := InMemory(t)
	n.Found()
	whole := map[ledger.Key][]byte{}
	for k, v := range n.State().Values("") {
		whole[k] = v
	}
	for name, change := range map[string]func(map[ledger.Key][]byte){
		"a value left out": func(m map[ledger.Key][]byte) { delete(m, "chain") },
		"a value added":    func(m map[ledger.Key][]byte) { m["site/x"] = m["site/hub"] },
		"another value":    func(m map[ledger.Key][]byte) { m["site/hub"] = m["site/anzhen"] },
		"no record":        func(m map[ledger.Key][]byte) { m["site/hub"] = []byte("{}") },
		"no key":           func(m map[ledger.Key][]byte) { m["x/y"] = []byte("{}") },
		"a space":          func(m map[ledger.Key][]byte) { m["site/hub"] = append([]byte(" "), m["site/hub"]...) },
	} {
		m := maps.Clone(whole)
		change(m)
		if _, err := ledger.Restore(maps.All(m), 1, n.State().Root()); ws.KindOf(err) != ws.Diverged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := ledger.Restore(maps.All(whole), 7, n.State().Root()); err != nil || s.Height() != 7 || s.Approved(Question("s", "anzhen", 1)) != nil {
		t.Errorf("the whole: %v", err)
	}
}

// The bytes of transactions and state never change by accident: replicas of
// other releases would part. A change on purpose needs a new release and new
// rules at a height. WELLSPRING_UPDATE_GOLDEN=1 writes the file.
//
// [LEDGER-STATE.2]
func TestGolden(t *testing.T) {
	var b strings.Builder
	n := InMemory(t)
	for _, tx := range everyKind(t) {
		fmt.Fprintf(&b, "%s %s\n%s\n", tx.Body().Kind(), tx.Digest(), tx.Bytes())
	}
	n.Found()
	fmt.Fprintf(&b, "root %s\n", n.State().Root())
	for k, v := range n.State().Values("") {
		fmt.Fprintf(&b, "%s %s\n", k, v)
	}
	proof, err := n.State().Prove(ledger.DecisionKey(Question("s", "anzhen", 1))).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "proof %x\n", proof)
	const path = "testdata/golden.txt"
	if os.Getenv("WELLSPRING_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(b.String(), "\n")
	for i, line := range strings.Split(string(want), "\n") {
		if i >= len(got) || got[i] != line {
			t.Fatalf("%s:%d: differs; now\n%s", path, i+1, got[min(i, len(got)-1)])
		}
	}
}

// [LEDGER-PRIVACY.1]: no field of any transaction can hold a free text or a
// count of persons. Names belong to institutions, sites and datasets; what
// stands for a person is random; numbers count versions, epochs and
// transactions.
func TestPrivacy(t *testing.T) {
	allowed := map[string]string{
		"ledger.Hash": "a hash", "ledger.PublicKey": "a key", "ledger.Signature": "a signature",
		"ledger.Account": "random", "ledger.RunID": "random",
		"ledger.Act": "one of a list", "ledger.Verdict": "one of a list", "ledger.Category": "one of a list", "ledger.Jurisdiction": "two capitals",
		"wellspring.Institution": "a name of a body", "wellspring.SiteID": "a name of a node", "wellspring.Dataset": "a name of data",
		"wellspring.Purpose": "a DUO term", "wellspring.Release": "a version",
	}
	numbers := map[string]bool{"version": true, "epoch": true, "parts": true} // parts are places in the study's list of analyses
	closed := map[string]bool{"suite": true, "rule": true, "outcome": true}   // one of a list, by check
	var walk func(path string, f reflect.Type)
	walk = func(path string, f reflect.Type) {
		switch {
		case allowed[f.String()] != "":
		case f.Kind() == reflect.Struct:
			for i := range f.NumField() {
				walk(path+"."+f.Field(i).Tag.Get("json"), f.Field(i).Type)
			}
		case f.Kind() == reflect.Slice:
			walk(path, f.Elem())
		case f.Kind() == reflect.Int && numbers[path[strings.LastIndex(path, ".")+1:]]:
		case f.Kind() == reflect.String && closed[path[strings.LastIndex(path, ".")+1:]]:
		default:
			t.Errorf("%s is a %s: what may it hold?", path, f)
		}
	}
	for _, tx := range everyKind(t) {
		walk(string(tx.Body().Kind()), reflect.TypeOf(tx.Body()).Elem())
	}
}
