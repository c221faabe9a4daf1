package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
)

// A fingerprint is read back however people write it down, and nothing shorter is.
func TestFingerprint(t *testing.T) {
	h := ledger.Hash{0xab, 1, 2, 0xff}
	s := fingerprint(h)
	for _, form := range []string{s, strings.ToUpper(s), strings.ReplaceAll(s, "-", " "), strings.ReplaceAll(s, "-", ""), strings.ReplaceAll(s, "-", ":")} {
		if got, err := parseFingerprint(form); err != nil || got != h {
			t.Errorf("%q: %v, %v", form, got, err)
		}
	}
	for _, form := range []string{"", s[:len(s)-1], s + "0", strings.Replace(s, "a", "g", 1)} {
		if _, err := parseFingerprint(form); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%q: %v", form, err)
		}
	}
}

// Pins are read anew when they change, and a file that cannot be read pins nobody.
func TestPins(t *testing.T) {
	d := folder(t.TempDir())
	p := d.pins()
	pinned := func() bool { _, ok := p.Pinned("east"); return ok }
	if pinned() {
		t.Error("pinned without a file")
	}
	if err := d.writeJSON(pinsName, map[ws.SiteID]ledger.KeyID{"east": {1}}); err != nil {
		t.Fatal(err)
	}
	if k, ok := p.Pinned("east"); !ok || k != (ledger.KeyID{1}) {
		t.Errorf("%v, %v", k, ok)
	}
	if err := d.write(pinsName, []byte("{")); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second) // clocks of file systems are coarse
	if err := os.Chtimes(d.path(pinsName), later, later); err != nil {
		t.Fatal(err)
	}
	if pinned() {
		t.Error("pinned by a file that cannot be read")
	}
	if err := os.Remove(d.path(pinsName)); err != nil {
		t.Fatal(err)
	}
	if pinned() {
		t.Error("pinned by a file that is gone")
	}
}

// Every member may write to the hub and to every other, also over a restart.
func TestRoster(t *testing.T) {
	d := folder(t.TempDir())
	r, err := openRoster(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []socket.Newcomer{{Site: "a", User: "U1", Made: 1}, {Site: "b", User: "U2", Made: 1}, {Site: "c", User: "U3", Made: 1}, {Site: "a", User: "U4", Made: 2}} {
		if _, err := r.add(n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.add(socket.Newcomer{Site: "a", User: "U1", Made: 1}); ws.KindOf(err) != ws.Denied {
		t.Errorf("a former user comes back: %v", err)
	}
	if r, err = openRoster(d); err != nil {
		t.Fatal(err)
	}
	all := r.rights()
	if len(all) != 3 || all[2].Site != "a" || all[2].User != "U4" || all[2].Since == 0 || all[1].Since != 0 {
		t.Fatalf("%+v", all)
	}
	for _, m := range all {
		if !m.All || len(m.To) != 0 {
			t.Errorf("%s may write to %v alone", m.Site, m.To)
		}
	}
}

// Names and files may stand anywhere among the flags.
func TestParseMixed(t *testing.T) {
	for _, args := range []string{"a b --dir D --few", "--dir D a b --few", "a --few --dir=D b", "--few a --dir D b"} {
		var dir string
		var few bool
		f := flags("x", &console{out: io.Discard})
		f.text(&dir, "dir", "DIR", ws.T("d", "d"))
		f.bool(&few, "few", ws.T("f", "f"))
		if err := f.parseMixed(strings.Fields(args)); err != nil || dir != "D" || !few || !slices.Equal(f.Args(), []string{"a", "b"}) {
			t.Errorf("%s: %v, %q, %v, %q", args, err, dir, few, f.Args())
		}
	}
	f := flags("x", &console{out: io.Discard})
	if err := f.parseMixed([]string{"a", "--unknown"}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("%v", err)
	}
}

// A node's folder is made once, and another party's file is bounded.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	d, err := makeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.makeKey(nodeKey); err != nil {
		t.Fatal(err)
	}
	if _, err := d.makeKey(nodeKey); err == nil {
		t.Error("a key is made twice")
	}
	if err := d.writeJSON(siteName, siteFile{Site: "a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := makeFolder(dir); ws.KindOf(err) != ws.Denied {
		t.Errorf("a second node: %v", err)
	}
	if err := os.WriteFile(d.path("big.json"), []byte(`{"site": "`+strings.Repeat("a", 2<<20)+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var s siteFile
	if err := readJSONFile(d.path("big.json"), &s); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a long file: %v", err)
	}
	for _, text := range []string{`{"chain": "a@00"}`, `{"chain": "a", "genesis": "` + strings.Repeat("0", 64) + `"}`, `{"extra": 1}`} {
		if err := d.write(networkName, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := readNetwork(d.path(networkName)); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}
