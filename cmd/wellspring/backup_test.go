package main

import (
	"os"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// identity FILE: a key pair of age; its secret part in FILE, its public part $RECIPIENT.
func identity(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("identity FILE")
	}
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("# made by a script\n"+id.String()+"\n"), 0o600))
	ts.Setenv("RECIPIENT", id.Recipient().String())
}

// rebear NAME: a running node is backed up, killed, loses its folder, and comes back from the backup.
func rebear(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("reborn NAME")
	}
	reborn(ts, args[0])
}

// fall NAME: a node ends by kill -9, and does not come back.
func fall(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("fall NAME")
	}
	crash(ts, args[0])
	nodes.Delete(nodeName(ts, args[0]))
}
