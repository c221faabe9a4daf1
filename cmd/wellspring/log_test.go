package main

import (
	"encoding/json"
	"io"
	"net"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// logs NAME EVENT... -- WORD...: every line of a node's log is an object with time, level
// and event; each EVENT is among them, and no WORD anywhere.
func logs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("logs NAME EVENT... -- WORD...")
	}
	text := ts.ReadFile(args[0] + ".log")
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		var e struct{ Time, Level, Event string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time == "" || e.Level == "" || e.Event == "" {
			ts.Fatalf("%s.log: not an event: %s (%v)", args[0], line, err)
		}
		seen[e.Event] = true
	}
	forbidden := false
	for _, word := range args[1:] {
		switch {
		case word == "--":
			forbidden = true
		case !forbidden && !seen[word]:
			ts.Fatalf("%s.log has no %s: %s", args[0], word, text)
		case forbidden && strings.Contains(text, word):
			ts.Fatalf("%s.log holds %q: %s", args[0], word, text)
		}
	}
}

// knock NAME: somebody who is no member calls at a hub's port, without TLS.
func knock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("knock NAME")
	}
	var h hubFile
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0]+"/hub.json")), &h))
	conn, err := net.Dial("tcp", h.Listen)
	ts.Check(err)
	defer conn.Close()
	_, err = conn.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	ts.Check(err)
	_, _ = io.Copy(io.Discard, conn) // until the hub hangs up
}
