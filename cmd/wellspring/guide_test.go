package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// A block is a fenced block of a guide: what stands after the fence, and its lines.
type block struct{ info, text string }

var fence = regexp.MustCompile("(?ms)^```(.*?)\n(.*?)^```$")

func blocksOf(path string) (blocks []block, err error) {
	b, err := os.ReadFile(path)
	for _, m := range fence.FindAllStringSubmatch(string(b), -1) {
		blocks = append(blocks, block{m[1], m[2]})
	}
	return blocks, err
}

const (
	hospitalGuide = "../../docs/guide/hospital-it.md"
	operatorGuide = "../../docs/guide/operator.md"
	toRun         = "sh run="
)

func TestGuide(t *testing.T) {
	runsAll(t, hospitalGuide, inChinese(hospitalGuide), "guide.txtar", "guide", 10)
	runsAll(t, operatorGuide, inChinese(operatorGuide), "operator.txtar", "operate", 10)
}

func inChinese(path string) string { return strings.TrimSuffix(path, "md") + "zh.md" }

// runsAll wants both languages of a guide to have the same blocks, and a script to run
// by its command every one that is marked to be run, of which there are at least so many.
func runsAll(t *testing.T, english, chinese, script, command string, least int) {
	t.Helper()
	en, err := blocksOf(english)
	if err != nil {
		t.Fatal(err)
	}
	zh, err := blocksOf(chinese)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(en, zh) {
		t.Errorf("the blocks differ:\n%q\n%q", en, zh)
	}
	text, err := os.ReadFile(filepath.Join("testdata/script", script))
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, b := range en {
		language, label, run := strings.Cut(b.info, " run=")
		if !run {
			continue
		}
		marked++
		if language != "sh" { // what every block of a shell is
			label = language + " " + label
		}
		if !strings.Contains(string(text), "\n"+command+" "+label+"\n") {
			t.Errorf("the script does not run the block %s", label)
		}
	}
	if marked < least {
		t.Errorf("%d blocks are marked", marked)
	}
}

// guide LABEL: runs a block of the hospital's guide as it is written, in the script's folder.
func guide(ts *testscript.TestScript, neg bool, args []string) { follow(ts, hospitalGuide, neg, args) }

// operate LABEL: runs one of the operator's.
func operate(ts *testscript.TestScript, neg bool, args []string) {
	follow(ts, operatorGuide, neg, args)
}

func follow(ts *testscript.TestScript, path string, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("a guide's block is named by its LABEL")
	}
	blocks, err := blocksOf(path)
	ts.Check(err)
	at := slices.IndexFunc(blocks, func(b block) bool { return b.info == toRun+args[0] })
	if at < 0 {
		ts.Fatalf("the guide has no block %s", args[0])
	}
	file := ts.MkAbs("block-" + args[0] + ".sh")
	ts.Check(os.WriteFile(file, []byte(blocks[at].text), 0o600))
	cmd := exec.Command("bash", "-euo", "pipefail", file)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "LANG=en_GB.UTF-8", "LC_ALL=", "PATH="+ts.Getenv("PATH"))
	for _, name := range []string{"NODE", "GATE", "RECIPIENT", "HUB", "ADDRESS", "LISTEN"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		ts.Fatalf("block %s: %v: %s%s", args[0], err, out.Bytes(), complaint.Bytes())
	}
	ts.Stdout().Write(out.Bytes())
	ts.Stderr().Write(complaint.Bytes())
}

// unit NAME FILE INSTANCE [OLD=NEW]...: serves as a systemd unit of the release
// would, with the script's folder for /var/lib/wellspring and /srv/wellspring.
func unit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("unit NAME FILE INSTANCE [OLD=NEW]...")
	}
	b, err := os.ReadFile(filepath.Join("../../release/systemd", args[1]))
	ts.Check(err)
	line := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/wellspring (.*)$`).FindStringSubmatch(string(b))
	if line == nil {
		ts.Fatalf("%s starts nothing", args[1])
	}
	here := ts.MkAbs(".") + "/"
	swaps := []string{"/var/lib/wellspring/%i", here + args[2], "/var/lib/wellspring/", here, "/srv/wellspring/%i/", here}
	for _, a := range args[3:] {
		old, new, _ := strings.Cut(a, "=")
		swaps = append(swaps, old, new)
	}
	serve(ts, false, append([]string{args[0]}, strings.Fields(strings.NewReplacer(swaps...).Replace(line[1]))...))
}

// Taps are the proxies of scripts, by work folder and name.
var taps sync.Map // of *tap

// A tap is an HTTP proxy of a hospital that writes down what goes through it.
type tap struct {
	listener net.Listener
	mu       sync.Mutex
	bytes    [2]bytes.Buffer // up and down
	starts   [][]byte        // how each direction of each tunnel began
	strange  []string        // what was asked for that is not the hub
}

// tapBound is the most of a direction that is kept, in bytes.
const tapBound = 64 << 20

// proxy NAME: an HTTP proxy with a password, which lets nothing through but TLS
// tunnels to hub.example.org; $HTTPS_PROXY leads to it.
func proxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("proxy NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	p := &tap{listener: l}
	taps.Store(nodeName(ts, args[0]), p)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all sync.WaitGroup
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			all.Go(func() { p.serve(conn) })
		}
		all.Wait()
	}()
	ts.Defer(func() { l.Close(); <-done })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ts.Setenv("HTTPS_PROXY", "http://north:secret@127.0.0.1:"+port)
	ts.Setenv("PROXY_PORT", port)
}

func (p *tap) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	host, port, _ := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || host != "hub.example.org" || r.Header.Get("Proxy-Authorization") != "Basic bm9ydGg6c2VjcmV0" {
		p.mu.Lock()
		p.strange = append(p.strange, r.Method+" "+r.Host)
		p.mu.Unlock()
		fmt.Fprint(conn, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return
	}
	hub, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		fmt.Fprint(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer hub.Close()
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
	ended := make(chan struct{}, 2)
	pass := func(to io.Writer, from io.Reader, way int) {
		p.copy(to, from, way)
		ended <- struct{}{}
	}
	go pass(hub, in, 0)
	go pass(conn, hub, 1)
	<-ended
	conn.Close()
	hub.Close()
	<-ended
}

// copy carries bytes one way, and keeps them.
func (p *tap) copy(to io.Writer, from io.Reader, way int) {
	buf := make([]byte, 32<<10)
	for first := true; ; first = false {
		n, err := from.Read(buf)
		p.mu.Lock()
		if first && n > 0 {
			p.starts = append(p.starts, bytes.Clone(buf[:min(n, 3)]))
		}
		if p.bytes[way].Len() < tapBound {
			p.bytes[way].Write(buf[:n])
		}
		p.mu.Unlock()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// tapped NAME WORD...: all that went through the proxy were TLS tunnels to the
// hub, and none of the words could be read in them.
func tapped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("tapped NAME WORD...")
	}
	v, ok := taps.Load(nodeName(ts, args[0]))
	if !ok {
		ts.Fatalf("no proxy %s", args[0])
	}
	p := v.(*tap)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.starts) < 2 || len(p.strange) > 0 {
		ts.Fatalf("%d directions; refused: %v", len(p.starts), p.strange)
	}
	for _, s := range p.starts {
		if !bytes.HasPrefix(s, []byte{22, 3}) { // a record of TLS's handshake
			ts.Fatalf("a tunnel began with % x", s)
		}
	}
	for way := range p.bytes {
		for _, word := range args[1:] {
			if bytes.Contains(p.bytes[way].Bytes(), []byte(word)) {
				ts.Fatalf("%q can be read in the tunnel", word)
			}
		}
	}
	if !bytes.Contains(p.bytes[0].Bytes(), []byte("hub.example.org")) { // TLS names the server: the search finds what is there
		ts.Fatalf("the hub's name cannot be read")
	}
	ts.Logf("through the proxy: %d bytes up, %d bytes down, %d directions", p.bytes[0].Len(), p.bytes[1].Len(), len(p.starts))
}
