package main

import (
	"context"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wellspring/hub/hubtest"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh/broker"
)

//go:embed client.py
var clientPython string

//go:embed client.R
var clientR string

// proveClient asks the study of proof latency, of the same network, by the clients in
// Python and R, whose interpreters stay; each call is a process of the program.
// What is timed is a user's: from the call to the answer as an object of the language.
func proveClient(ctx context.Context, scale float64, r *Report) error {
	dir, err := os.MkdirTemp("", "wellspring-client-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := output(ctx, ".", "go", "build", "-o", filepath.Join(dir, "wellspring"), "./cmd/wellspring"); err != nil {
		return err
	}
	q, err := askCNSIM(ctx, scale, hubtest.Config{Dir: dir}) // the hub's ledger stands in it, as in a hub's folder
	if err != nil {
		return err
	}
	defer q.close()
	if _, err := q.Console(broker.HubSite, dir); err != nil {
		return err
	}
	if err := writeKey(filepath.Join(dir, "me.key"), q.Network); err != nil {
		return err
	}
	var desk, python, inR []float64
	for range scaled(4, scale, 1) { // by turns, since a machine's mood lasts
		for range 5 {
			t, err := timed(func() error { return q.answer(ctx) })
			if err != nil {
				return err
			}
			desk = append(desk, t)
		}
		took, err := client(ctx, dir, "python3", "-c", clientPython, q.study.Analysis.Formula)
		if err != nil {
			return errors.Join(append([]error{err}, q.Troubles()...)...)
		}
		python = append(python, took...)
		if took, err = client(ctx, dir, "Rscript", "-e", clientR); err != nil {
			return errors.Join(append([]error{err}, q.Troubles()...)...)
		}
		inR = append(inR, took...)
	}
	r.Peer = "the hub's desk, where no process is to be started, nothing written and nothing read"
	r.add("from the desk to the answer, median", median(desk), "s")
	r.add("from Python's call to its answer, median", median(python), "s")
	r.add("from R's call to its answer, median", median(inR), "s")
	r.Holds = max(median(python), median(inR)) < 0.25
	return nil
}

// client runs an interpreter in the hub's folder, with the clients of this tree and
// the program that stands in the folder, and returns the seconds that its calls took.
func client(ctx context.Context, dir string, command ...string) (took []float64, err error) {
	clients, err := filepath.Abs("clients")
	if err != nil {
		return nil, err
	}
	set := []string{"WELLSPRING=" + filepath.Join(dir, "wellspring"), "PYTHONPATH=" + filepath.Join(clients, "python", "src"),
		"PYTHONDONTWRITEBYTECODE=1", "CLIENTS=" + clients}
	out, err := output(ctx, dir, "env", append(set, command...)...)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &took); err != nil || len(took) == 0 {
		return nil, fmt.Errorf("what %s says cannot be read: %w", command[0], err)
	}
	return took, nil
}

// writeKey writes the requester's key as "wellspring study key" does.
func writeKey(path string, w *hubtest.Network) error {
	der, err := x509.MarshalPKCS8PrivateKey(ledgertest.Key("account wang"))
	if err != nil {
		return err
	}
	chain, _ := w.File.State().Chain()
	b, err := json.Marshal(map[string]string{"account": string(hubtest.Requester), "chain": string(chain.ID),
		"key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
