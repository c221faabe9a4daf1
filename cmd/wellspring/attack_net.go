package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/study"
)

// A besieged is a running network that is attacked: each attack on a dataset of its own, which is loaded, asked and
// decided on by the commands that people type.
type besieged struct {
	lang  ws.Lang
	dir   string   // of the node that conducts
	keys  []string // of requesters, each of another institution
	sites []string // folders
	temp  string
	stamp string // tells this command's datasets and studies from others
	made  int    // datasets
}

// besiege makes the temporary folder; done removes it. Datasets stay on the ledger, and with the sites.
func besiege(c *console, dir string, keys, sites []string) (b *besieged, done func(), err error) {
	if dir == "" || len(keys) == 0 || len(sites) != attack.Hospitals {
		return nil, nil, usage(ws.T("against a network, attack wants --dir, --key, and --site %d times", "攻击网络时须给出 --dir、--key，以及 %d 个 --site", attack.Hospitals))
	}
	temp, err := os.MkdirTemp("", "wellspring-attack-")
	if err != nil {
		return nil, nil, folderTrouble(err)
	}
	var stamp [4]byte
	rand.Read(stamp[:]) // never fails
	return &besieged{lang: c.lang, dir: dir, keys: keys, sites: sites, temp: temp, stamp: hex.EncodeToString(stamp[:])}, func() { os.RemoveAll(temp) }, nil
}

// able leaves out what needs more than the network was given: attacks on bits, which are played in many worlds, unless
// they are named, and one by two institutions with one key.
func (b *besieged) able(chosen []attack.Attack, named bool) []attack.Attack {
	return slices.DeleteFunc(chosen, func(a attack.Attack) bool {
		return a.Bit && !named || a.ID == "two-institutions" && len(b.keys) < 2
	})
}

// open is an [attack.Open]: it loads a world as a dataset of its own.
func (b *besieged) open(ctx context.Context) attack.Open {
	return func(w attack.World, p policy.Policy, _ bool) (attack.Target, func() error, error) {
		b.made++
		t := &netTarget{b: b, dataset: ws.Dataset(fmt.Sprintf("attack-%s-%d", b.stamp, b.made)), policy: p, world: w}
		for i := range b.sites {
			if err := t.load(ctx, i); err != nil {
				return nil, nil, err
			}
		}
		return t, func() error { return nil }, nil
	}
}

// do plays a command as a person would type it, and returns what it prints.
func (b *besieged) do(ctx context.Context, asJSON bool, args ...string) ([]byte, error) {
	of := map[string]func(context.Context, []string, *console) error{"site": runSite, "study": runStudy}
	var out bytes.Buffer
	err := of[args[0]](ctx, args[1:], &console{out: &out, err: io.Discard, lang: b.lang, json: asJSON})
	return out.Bytes(), err
}

// A netTarget is one dataset of the network.
type netTarget struct {
	b       *besieged
	dataset ws.Dataset
	policy  policy.Policy
	world   attack.World
	askers  []ws.Institution // in the order in which they first asked, as the keys are
	asked   int
}

// load gives a hospital its rows, and freezes them.
func (t *netTarget) load(ctx context.Context, i int) error {
	dict, err := study.MarshalDictionary(attack.Dictionary)
	if err != nil {
		return err
	}
	rules, err := json.Marshal(t.policy)
	if err != nil {
		return ws.Errorf(ws.Other, "attack", ws.T("the policy cannot be written", "无法写出策略")).Wrap(err)
	}
	rows, err := rowsCSV(t.world.Rows[i])
	if err != nil {
		return err
	}
	path := func(name string) string { return filepath.Join(t.b.temp, name) }
	for name, content := range map[string][]byte{"dictionary.yaml": dict, "policy.yaml": rules, "rows.csv": rows} {
		if err := disk.Write(path(name), 0o600, content); err != nil {
			return folderTrouble(err)
		}
	}
	if _, err := t.b.do(ctx, false, "site", "load", string(t.dataset), path("rows.csv"), "--dir", t.b.sites[i], "--dictionary", path("dictionary.yaml"), "--policy", path("policy.yaml")); err != nil {
		return err
	}
	_, err = t.b.do(ctx, false, "site", "dataset", "freeze", string(t.dataset), "--dir", t.b.sites[i])
	return err
}

// NextVersion implements [attack.Target]: the hospital that loses a person freezes its rows anew.
func (t *netTarget) NextVersion(ctx context.Context) error {
	before := t.world
	t.world = before.Without()
	for i := range t.b.sites {
		if len(t.world.Rows[i]) == len(before.Rows[i]) {
			continue
		}
		if err := t.load(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// Ask implements [attack.Target]: the study is submitted, approved everywhere, and run.
func (t *netTarget) Ask(ctx context.Context, asker ws.Institution, s *study.Study) (*study.Document, error) {
	who := slices.Index(t.askers, asker)
	if who < 0 {
		who, t.askers = len(t.askers), append(t.askers, asker)
	}
	key := t.b.keys[min(who, len(t.b.keys)-1)]
	t.asked++
	q := *s
	q.Metadata.Name = fmt.Sprintf("%s-%d", t.dataset, t.asked)
	q.Data.Dataset, q.Purpose.DUO = t.dataset, []ws.Purpose{"DUO:0000042"}
	text, err := q.Canonical()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(t.b.temp, "study.yaml")
	if err := disk.Write(file, 0o600, text); err != nil {
		return nil, folderTrouble(err)
	}
	if _, err := t.b.do(ctx, false, "study", "submit", file, "--key", key, "--dir", t.b.dir); err != nil {
		return nil, err
	}
	for _, site := range t.b.sites {
		if _, err := t.b.do(ctx, false, "site", "approve", q.Metadata.Name, "--dir", site); err != nil {
			return nil, err
		}
	}
	out, err := t.b.do(ctx, true, "study", "run", q.Metadata.Name, "--key", key, "--dir", t.b.dir)
	if err != nil {
		return nil, err
	}
	return study.ParseDocument(out)
}

// rowsCSV writes persons as a hospital's file.
func rowsCSV(people []attack.Person) ([]byte, error) {
	number := func(x float64) string {
		if math.IsNaN(x) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	bit := map[bool]string{false: "0", true: "1"}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	head := make([]string, len(attack.Dictionary))
	for i, c := range attack.Dictionary {
		head[i] = c.Name
	}
	all := [][]string{head}
	for _, p := range people {
		all = append(all, []string{strconv.Itoa(p.Age), p.Sex, p.Ward, number(p.BMI), p.Smoke, number(p.CRP), number(p.HDL), bit[p.HIV], strconv.Itoa(p.Time), bit[p.Event]})
	}
	if err := w.WriteAll(all); err != nil {
		return nil, ws.Errorf(ws.Other, "attack", ws.T("the rows cannot be written", "无法写出数据")).Wrap(err)
	}
	return out.Bytes(), nil
}
