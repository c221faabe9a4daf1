package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
	"wellspring/study"
)

// A fleet is a network of real processes on this machine: a hub and its sites,
// each of them the program as it is built, with a folder of its own. All it does
// is what people do by commands.
type fleet struct {
	dir     string
	program string

	mu    sync.Mutex
	nodes map[string]*ship
}

// A ship is one process of a fleet.
type ship struct {
	cmd     *exec.Cmd
	metrics string // its address
}

// hubDir is the hub's folder in a fleet; a site's bears its name.
const hubDir = "hub"

// openFleet builds the program and founds a network; close ends all of it. The
// hub is run with flags, beside those that name its folder and its metrics.
func openFleet(ctx context.Context, flags ...string) (f *fleet, err error) {
	f = &fleet{nodes: map[string]*ship{}}
	if f.dir, err = os.MkdirTemp("", "wellspring-fleet-"); err != nil {
		return nil, err
	}
	f.program = filepath.Join(f.dir, "wellspring")
	_, err = output(ctx, ".", "go", "build", "-o", f.program, "./cmd/wellspring")
	if err == nil {
		_, err = f.do(ctx, "hub", "init", "--dir", hubDir, "--name", "fleet", "--listen", "127.0.0.1:0")
	}
	if err == nil {
		err = f.serve(ctx, hubDir, flags...)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// do runs one command of the program to its end.
func (f *fleet) do(ctx context.Context, args ...string) ([]byte, error) {
	return output(ctx, f.dir, f.program, args...)
}

func (f *fleet) path(name ...string) string {
	return filepath.Join(append([]string{f.dir}, name...)...)
}

func (f *fleet) desk(name string) *socket.Client { return socket.Dial(f.path(name)) }

var metricsLine = regexp.MustCompile(`metrics at (http://\S+/metrics)`)

// serve starts the node of a folder and waits until it answers.
func (f *fleet) serve(ctx context.Context, name string, flags ...string) error {
	role := "site"
	if name == hubDir {
		role = "hub"
	}
	log, err := os.Create(f.path(name + ".log")) // of this process alone
	if err != nil {
		return err
	}
	defer log.Close()
	s := &ship{cmd: exec.Command(f.program, append([]string{role, "run", "--metrics", "127.0.0.1:0", "--dir", name}, flags...)...)}
	s.cmd.Dir, s.cmd.Stderr = f.dir, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	f.mu.Lock()
	f.nodes[name] = s
	f.mu.Unlock()
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if _, err := f.desk(name).About(ctx); err != nil {
			continue
		}
		text, err := os.ReadFile(log.Name())
		if at := metricsLine.FindSubmatch(text); err == nil && at != nil {
			s.metrics = string(at[1])
			return nil
		}
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("%s does not answer: %s", name, text)
}

// node is the process of a folder.
func (f *fleet) node(name string) *ship {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodes[name]
}

// kill is kill -9.
func (f *fleet) kill(name string) {
	s := f.node(name)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// close asks all nodes to stop, and removes their folders.
func (f *fleet) close() {
	for _, s := range f.nodes {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
	}
	for _, s := range f.nodes {
		late := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
		_ = s.cmd.Wait()
		late.Stop()
	}
	os.RemoveAll(f.dir)
}

// admit lets a site into the network, with rows of its own in a dataset that is
// frozen once the site runs.
func (f *fleet) admit(ctx context.Context, site string, rows int, seed uint64) error {
	csv := site + ".csv"
	if err := writeCases(f.path(csv), rows, seed); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"site", "init", "--dir", site, "--site", site, "--institution", "inst-" + site, "--network", hubDir + "/network.json"},
		{"hub", "admit", site + "/request.json", "--dir", hubDir, "--out", site + ".pass"},
		{"site", "join", site + ".pass", "--dir", site},
		{"site", "load", dataset, csv, "--dir", site, "--dictionary", caseDictionary},
	} {
		if _, err := f.do(ctx, args...); err != nil {
			return err
		}
	}
	if err := f.serve(ctx, site); err != nil {
		return err
	}
	_, err := f.do(ctx, "site", "dataset", "freeze", dataset, "--dir", site)
	return err
}

// pin has every site hold the keys of all others, as "site pin" writes them when
// people have compared the fingerprints.
func (f *fleet) pin(ctx context.Context, sites []string) error {
	about, err := f.desk(hubDir).About(ctx)
	if err != nil {
		return err
	}
	keys := map[ws.SiteID]ledger.KeyID{}
	for _, p := range about.Peers {
		keys[p.Site] = p.Fingerprint
	}
	b, err := json.Marshal(keys)
	for _, s := range sites {
		err = errors.Join(err, os.WriteFile(f.path(s, "pins.json"), b, 0o600))
	}
	return err
}

// An asker is a requester whom a site, or the hub, has admitted.
type asker struct {
	fleet   *fleet
	account ledger.Account
	key     ed25519.PrivateKey
}

const askerKey = "me.key"

func (f *fleet) asker(ctx context.Context, role, home string) (*asker, error) {
	if _, err := f.do(ctx, "study", "key", "--network", hubDir+"/network.json", "--out", askerKey); err != nil {
		return nil, err
	}
	if _, err := f.do(ctx, role, "requester", "admit", "me.pub", "--dir", home); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(f.path(askerKey))
	if err != nil {
		return nil, err
	}
	var k struct {
		Account ledger.Account `json:"account"`
		Key     string         `json:"key"`
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, err
	}
	key, err := privateKey([]byte(k.Key))
	return &asker{f, k.Account, key}, err
}

// privateKey reads what "init" and "study key" write.
func privateKey(b []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("the file holds no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(ed25519.PrivateKey), nil
}

// submit registers a study by the hub; every site approves it.
func (a *asker) submit(ctx context.Context, s *study.Study, sites []string) (ledger.StudyRef, error) {
	ref := ledger.StudyRef{Requester: a.account}
	text, err := s.WithDefaults().Canonical()
	if err != nil {
		return ref, err
	}
	name := s.Metadata.Name
	if err := os.WriteFile(a.fleet.path(name+".json"), text, 0o600); err != nil {
		return ref, err
	}
	if _, ref.Study, err = socket.Read(text); err != nil {
		return ref, err
	}
	if _, err := a.fleet.do(ctx, "study", "submit", name+".json", "--key", askerKey, "--dir", hubDir); err != nil {
		return ref, err
	}
	for _, site := range sites {
		if err := a.fleet.approve(ctx, name, site); err != nil {
			return ref, err
		}
	}
	return ref, nil
}

// approve waits for the study to come to the site, as its custodian would.
func (f *fleet) approve(ctx context.Context, name, site string) (err error) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if _, err = f.do(ctx, "site", "approve", name, "--dir", site); err == nil {
			return nil
		}
	}
	return err
}

// run has a node conduct a study; tell may be nil.
func (a *asker) run(ctx context.Context, node string, ref ledger.StudyRef, tell func(socket.Progress)) (*study.Document, error) {
	if tell == nil {
		tell = func(socket.Progress) {}
	}
	out, err := a.fleet.desk(node).Run(ctx, socket.Order{StudyRef: ref}, a.key, tell)
	if err != nil {
		return nil, err
	}
	return out.Document, nil
}

// caseDictionary is the file in a fleet's folder that says what cases are.
const caseDictionary = "dictionary.yaml"

// writeCases writes simulated patients: age, sex, blood pressure, whether an
// event came, and when it did or the follow-up ended.
func writeCases(path string, rows int, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 7))
	var b strings.Builder
	b.WriteString("age,sex,pressure,event,time\n")
	for range rows {
		age, event := 30+r.IntN(50), 0
		if r.Float64() < float64(age)/120 {
			event = 1
		}
		fmt.Fprintf(&b, "%d,%s,%.1f,%d,%d\n", age, []string{"female", "male"}[r.IntN(2)], 120+15*max(-3, min(r.NormFloat64(), 3)), event, 1+r.IntN(900))
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// describeCases writes the dictionary that all sites share, drawn from the rows of one.
func (f *fleet) describeCases(ctx context.Context) error {
	if err := writeCases(f.path("cases.csv"), 2000, 0); err != nil {
		return err
	}
	text, err := f.do(ctx, "study", "dictionary", "cases.csv")
	if err == nil {
		err = os.WriteFile(f.path(caseDictionary), text, 0o600)
	}
	return err
}

// caseStudy makes a study of one analysis of the cases.
func caseStudy(name string, a study.Analysis) *study.Study {
	return &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: name},
		Purpose: study.Purpose{DUO: []ws.Purpose{"DUO:0000042"}}, Data: study.Data{Dataset: dataset}, Analysis: &a}
}
