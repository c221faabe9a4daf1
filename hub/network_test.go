package hub_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/policy"
	"wellspring/post/conduct"
	"wellspring/study"
)

// patients are those of one site, by a seed.
func patients(t testing.TB, seed uint64, n int) *table.Table {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	age, sick, arm := make([]float64, n), make([]float64, n), make([]int32, n)
	for i := range n {
		age[i], arm[i] = math.Round(20+60*r.Float64()), int32(r.IntN(2))
		if 0.04*age[i]-2+0.5*float64(arm[i])+r.NormFloat64() > 0 {
			sick[i] = 1
		}
	}
	out, err := table.New(frame.Dictionary{{Name: "age", Type: frame.Real, Max: 100, Required: true}, {Name: "arm", Type: frame.Factor, Levels: []string{"a", "b"}, Required: true},
		{Name: "sick", Type: frame.Integer, Max: 1, Required: true}}, []frame.Values{{Real: age}, {Code: arm}, {Real: sick}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// network is one of n hospitals that ends with the test; others change what it is made of.
func network(t testing.TB, n int, others ...func(*hubtest.Config)) *hubtest.Network {
	t.Helper()
	cfg := hubtest.Config{Catalog: analyze.Catalog{describe.Describe(), glm.Method()}, Rows: map[ws.SiteID]frame.Source{}, Policy: policy.Default(), Patience: time.Minute}
	for i := range n {
		cfg.Rows[ws.SiteID(fmt.Sprintf("site%d", i))] = patients(t, uint64(i), 60+10*i)
	}
	for _, change := range others {
		change(&cfg)
	}
	return hubtest.Play(t, cfg)
}

// over has sites reach the broker by another carrier.
func over(carrier func(mesh.Pass) (mesh.Carrier, error)) func(*hubtest.Config) {
	return func(cfg *hubtest.Config) { cfg.Carrier = carrier }
}

// patient has whoever conducts wait so long and no longer.
func patient(d time.Duration) func(*hubtest.Config) {
	return func(cfg *hubtest.Config) { cfg.Patience = d }
}

// forgetful has sites remember no cohorts.
func forgetful(cfg *hubtest.Config) { cfg.Forgetful = true }

func logistic(name string) *study.Study {
	a := study.Analysis{Method: "glm", Family: "binomial", Formula: "sick ~ age + arm"}
	return &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: name}, Data: study.Data{Dataset: hubtest.Dataset}, Analysis: &a}
}

// A question is a study that was asked and approved.
type question struct {
	ref     ledger.StudyRef
	study   *study.Study
	members []conduct.Member
}

func ask(t testing.TB, w *hubtest.Network, s *study.Study) question {
	t.Helper()
	ref, s, members, err := w.Ask(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return question{ref, s, members}
}

// run has the hub conduct it; an error ends the test.
func (q question) run(t testing.TB, w *hubtest.Network) *conduct.Outcome {
	t.Helper()
	out, err := q.try(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (q question) try(ctx context.Context, w *hubtest.Network) (*conduct.Outcome, error) {
	return w.Hub().Open(ctx, q.ref, q.study, q.members, false)
}

// within is a try that must end by itself, long before so much time is over.
func (q question) within(t testing.TB, w *hubtest.Network, long time.Duration) (*conduct.Outcome, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	out, err := q.try(ctx, w)
	if ctx.Err() != nil {
		t.Errorf("it did not end by itself: %v", err)
	}
	return out, err
}

func bytesOf(t testing.TB, d *study.Document) string {
	t.Helper()
	b, err := study.MarshalCanonical(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Four hospitals and a hub answer a study over real TLS, and the ledger tells
// how it went.
func TestNetwork(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, logistic("first"))
	begin := time.Now()
	out := q.run(t, w)
	t.Logf("%d rounds in %v", out.Document.Rounds, time.Since(begin))
	rec, ok := w.File.State().Run(out.Run)
	if !ok || !rec.Summed || len(out.Document.Sites) != 4 {
		t.Errorf("run %+v, sites %v", rec, out.Document.Sites)
	}
	closing, ok := w.File.State().Closing(out.Run, broker.HubSite)
	if !ok || closing.Outcome != ledger.OK || closing.Result != ledger.Commit(out.Salt, []byte(bytesOf(t, out.Document))) {
		t.Errorf("closing %+v", closing)
	}
	again := q.run(t, w)
	if again.Run == out.Run || bytesOf(t, again.Document) != bytesOf(t, out.Document) {
		t.Error("a second run of the study has other bytes")
	}
}

// Any member conducts; what the hub has answered it does not, in these words or
// others, since its own institution would not count.
func TestNetwork_MemberConducts(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, logistic("hub"))
	want := *q.run(t, w).Document
	for _, q := range []question{q, ask(t, w, logistic("reworded"))} {
		if _, err := w.Site("site2").Desk().Open(t.Context(), q.ref, q.study, q.members, false); ws.KindOf(err) != ws.Denied {
			t.Errorf("a question that the hub has answered, as %s: %v", q.study.Metadata.Name, err)
		}
	}
	w = network(t, 4)
	q = ask(t, w, logistic("member"))
	if err := w.Reach(t.Context(), "site2"); err != nil {
		t.Fatal(err)
	}
	out, err := w.Site("site2").Desk().Open(t.Context(), q.ref, q.study, q.members, false)
	if err != nil {
		t.Fatal(err)
	}
	want.Study, want.StudyDigest = out.Document.Study, out.Document.StudyDigest
	if bytesOf(t, out.Document) != bytesOf(t, &want) {
		t.Error("a study without limits that bite has other numbers where a member conducts")
	}
	if _, err := w.Site("site2").Desk().Open(t.Context(), q.ref, q.study, q.members[:2], false); ws.KindOf(err) != ws.Denied {
		t.Errorf("over two institutions: %v", err)
	}
}
