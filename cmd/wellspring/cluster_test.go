package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	"wellspring/mesh/broker"
)

// natsServer is a NATS server that no hub owns, from a configuration file: a process of its own.
func natsServer() {
	o, err := server.ProcessConfigFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s, err := server.NewServer(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.ConfigureLogger()
	s.Start()
	s.WaitForShutdown()
}

// clusterNames are the folders of a cluster's servers.
var clusterNames = []string{"nats-1", "nats-2", "nats-3"}

// plan: what whoever runs NATS has before there is a hub: certificates, and a
// configuration for each of three servers that includes the hub's nats.conf;
// $NATS_1 to $NATS_3 are their URLs.
func plan(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("plan")
	}
	a, err := broker.OpenAuthority(ts.MkAbs("nats-ca"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), a.CA.PEM, 0o600))
	leaf, err := a.CA.Leaf([]string{"127.0.0.1"})
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	ts.Check(err)
	var ports []string
	for range 2 * len(clusterNames) {
		port, err := freePort("127.0.0.1")
		ts.Check(err)
		ports = append(ports, port)
	}
	var routes []string
	for i := range clusterNames {
		routes = append(routes, strconv.Quote("nats-route://127.0.0.1:"+ports[2*i+1]))
	}
	for i, name := range clusterNames {
		dir := ts.MkAbs(name)
		ts.Check(os.Mkdir(dir, 0o700))
		conf := fmt.Sprintf("include \"../hub/nats.conf\"\nserver_name: %s\nlisten: 127.0.0.1:%s\ntls { cert_file: cert.pem, key_file: key.pem, min_version: \"1.3\" }\n"+
			"cluster { name: outside, listen: 127.0.0.1:%s, routes: [%s] }\nlog_file: nats.log\n", name, ports[2*i], ports[2*i+1], strings.Join(routes, ", "))
		for file, b := range map[string][]byte{"server.conf": []byte(conf), "cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}),
			"key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})} {
			ts.Check(os.WriteFile(filepath.Join(dir, file), b, 0o600))
		}
		ts.Setenv(fmt.Sprintf("NATS_%d", i+1), "tls://127.0.0.1:"+ports[2*i])
	}
}

// cluster NAME...: starts these servers, each in its folder.
func cluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("cluster NAME...")
	}
	path, err := exec.LookPath("nats-server")
	ts.Check(err)
	for _, name := range args {
		p := &process{log: ts.MkAbs(name + ".log"), cmd: exec.Command(path, "server.conf")}
		p.cmd.Dir = ts.MkAbs(name)
		log, err := os.Create(p.log)
		ts.Check(err)
		p.cmd.Stdout, p.cmd.Stderr = log, log
		ts.Check(p.cmd.Start())
		log.Close()
		nodes.Store(nodeName(ts, name), p)
		ts.Defer(func() {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		})
	}
	for i, name := range clusterNames {
		address := ts.Getenv(fmt.Sprintf("NATS_%d", i+1))[len("tls://"):]
		for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			conn, err := net.DialTimeout("tcp", address, time.Second)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(end) {
				ts.Fatalf("%s does not listen: %s", name, ts.ReadFile(name+".log"))
			}
		}
	}
}
