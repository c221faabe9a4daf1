package journaltest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wellspring/run"
)

// childDir names the folder in which the traced process keeps its journal.
const childDir = "WELLSPRING_POWERLOSS_DIR"

// A Store opens the journal in a folder; close ends it.
type Store func(dir string) (j run.Journal, close func() error, err error)

// steps are what the traced process does, one after the other.
func steps() []func(run.Journal) error {
	var out []func(run.Journal) error
	for i := range 12 {
		big := bytes.Repeat([]byte{byte('a' + i)}, 3000+700*i)
		out = append(out, func(j run.Journal) error {
			return j.Save(run.Record{Key: "masked", Bytes: big}, run.Record{Key: "state", Bytes: fmt.Appendf(nil, "step %d", i)})
		})
		if i%5 == 4 {
			out = append(out, func(j run.Journal) error { return j.Erase("masked") })
		}
	}
	return out
}

// after is what the journal holds after the first n steps.
func after(n int) map[string]string {
	m := map[string]string{}
	at := 0
	for i := 0; i < 12 && at < n; i++ {
		m["masked"], m["state"] = strings.Repeat(string(rune('a'+i)), 3000+700*i), fmt.Sprintf("step %d", i)
		if at++; i%5 == 4 && at < n {
			delete(m, "masked")
			at++
		}
	}
	return m
}

// PowerLoss cuts the power at many moments of a process that saves and erases,
// and checks that whatever it was told is saved is there. A process is traced
// (Debian's strace), and its disk rebuilt without what was not synced, or with
// any part of it. atomic says that the records of one Save come together. The
// calling test must be named name, since the traced process runs it too.
func PowerLoss(t *testing.T, name string, open Store, atomic bool) {
	if dir := os.Getenv(childDir); dir != "" {
		work(t, dir, open)
		return
	}
	tracer, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is needed: apt-get install strace, or run ./test once")
	}
	root, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(tracer, "-f", "-y", "-xx", "-s", "1000000", "-e", calls, "-o", trace, os.Args[0], "-test.run=^"+name+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), childDir+"="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	list, err := readTrace(trace)
	if err != nil {
		t.Fatal(err)
	}
	cuts(t, list, root, open, atomic)
}

func work(t *testing.T, dir string, open Store) {
	j, end, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("saved 0\n")
	for i, step := range steps() {
		if err := step(j); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(os.Stdout, "saved %d\n", i+1)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

// cuts plays the trace and cuts the power after every call that matters.
func cuts(t *testing.T, list []call, root string, open Store, atomic bool) {
	d, offset := newDisk(), map[string]int{}
	saved, tried := -1, 0
	for i, c := range list {
		said := c.apply(d, root, offset)
		for l := range strings.Lines(said) {
			fmt.Sscanf(l, "saved %d", &saved)
		}
		if saved < 0 || c.name == "lseek" || c.name == "close" {
			continue
		}
		for seed := range uint64(3) {
			var luck *rand.Rand
			if seed > 0 {
				luck = rand.New(rand.NewPCG(seed, uint64(i)))
			}
			tried++
			if what := survives(t, d, root, open, saved, luck, atomic); what != "" {
				t.Fatalf("power lost after call %d (%s), seed %d, %d steps saved: %s", i, c.name, seed, saved, what)
			}
		}
	}
	if saved != len(steps()) || tried < 3*len(steps()) {
		t.Fatalf("the trace shows %d of %d steps and %d moments", saved, len(steps()), tried)
	}
	t.Logf("the power was cut at %d moments", tried)
}

// survives opens what a cut leaves, and says what is wrong with it. The step
// under way may be there or not.
func survives(t *testing.T, d *disk, root string, open Store, saved int, luck *rand.Rand, atomic bool) string {
	to := t.TempDir()
	if err := d.cut(root, to, luck); err != nil {
		t.Fatal(err)
	}
	j, end, err := open(to)
	if err != nil {
		return err.Error()
	}
	defer end()
	old, young := after(saved), after(saved+1)
	sided := 0
	for _, key := range []string{"masked", "state"} {
		b, err := j.Load(key)
		if err != nil {
			return err.Error()
		}
		isOld, isYoung := string(b) == old[key], string(b) == young[key]
		switch {
		case !isOld && !isYoung:
			return fmt.Sprintf("%s holds %d bytes, neither those before nor after the step", key, len(b))
		case isOld && !isYoung:
			sided--
		case isYoung && !isOld:
			sided++
		}
	}
	if atomic && sided == 0 && old["state"] != young["state"] {
		return "one record is of the step and the other is not"
	}
	return ""
}
