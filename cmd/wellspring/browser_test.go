package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wellspring/portal/portaltest"
)

// A lines is what a process prints, while it does.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// playDemo runs the demo until the test ends, and gives the ways in that it prints.
func playDemo(t *testing.T) (steward, operator string) {
	t.Helper()
	path, err := exec.LookPath("wellspring")
	if err != nil {
		t.Fatal(err)
	}
	var out lines
	cmd := exec.Command(path, "demo", "--lang", "en")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the demo ended with %v: %s", err, out.String())
			}
		case <-time.After(30 * time.Second):
			t.Errorf("the demo does not end: %v", cmd.Process.Kill())
		}
	})
	for until := time.Now().Add(90 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(out.String(), "Ctrl-C ends the demo") {
			return wayInOf(out.String(), "steward of"), wayInOf(out.String(), "operator of")
		}
	}
	t.Fatalf("the demo does not say that it is there: %s", out.String())
	return "", ""
}

// words are what the walk says and reads, in one language.
type words struct {
	lang, network, data, studies, waiting, text, approve, sign, signed, withdraw, revoke, curves, answer, steps, proof string
}

var walks = []words{
	{"中文", "网络", "数据", "研究", "患者概况", "签署所依据的文本", "批准……", "签署批准", "您的决定已登记到账本", "撤回批准……", "签署撤回", "各疾病组的生存曲线", "查看结果", "曲线各步", "证明"},
	{"English", "Network", "Data", "Studies", "Who the patients are", "The text that is signed", "Approve…", "Sign the approval", "Your decision is on the ledger",
		"Withdraw the approval…", "Sign the withdrawal", "Survival curves by disease group", "Read the answer", "Steps of the curves", "Proof"},
}

// A steward and the operator walk through the demo's pages, in both languages,
// without scripts: network, study, approval, answer. Every page on the way is
// held to axe-core, in light, in dark and on a phone.
func TestPages_Browser(t *testing.T) {
	steward, operator := portaltest.Open(t), portaltest.Open(t)
	at, over := playDemo(t)
	steward.Go(at)
	steward.Click("Stop reloading")
	operator.Go(over)
	operator.Click("Stop reloading")
	for _, w := range walks {
		steward.Click(w.lang)
		operator.Click(w.lang)
		walkSteward(steward, w)
		walkOperator(operator, w)
		steward.Click(w.withdraw)
		steward.Check("withdraw")
		steward.Click(w.revoke)
		steward.Says(w.signed)
	}
}

// walkSteward is the steward's walk: whom is this done with, on what data, what is
// asked; then the approval.
func walkSteward(b *portaltest.Browser, w words) {
	b.Click(w.network)
	b.Says("alfred", "hahnemann", "ohio-state")
	b.Check("network")
	b.Click(w.data)
	b.Check("data")
	b.Click(w.studies)
	b.Check("studies")
	b.Click(w.waiting)
	b.Check("study")
	b.Open(w.text)
	b.Says("apiVersion")
	b.Check("text")
	b.Click(w.approve)
	b.Check("approve")
	b.Click(w.sign)
	b.Says(w.signed)
	b.Check("approved")
}

// walkOperator is the operator's: the answer that the approval set free, and one with curves.
func walkOperator(b *portaltest.Browser, w words) {
	b.Click(w.studies)
	b.Click(w.waiting)
	b.Await(w.answer)
	b.Check("answered")
	b.Click(w.answer)
	b.Says(w.proof, "relapse")
	b.Check("answer")
	b.Click(w.studies)
	b.Check("list")
	b.Click(w.curves)
	b.Click(w.answer)
	b.Says(w.proof)
	b.Open(w.steps)
	b.Check("curves")
	b.Click(w.network)
	b.Check("members")
}
