package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/ledger/file"
)

// A folder holds all that a node of a network has. It is its owner's alone:
// whoever reads it can speak for the institution.
type folder string

// Files of a node's folder.
const (
	networkName    = "network.json"
	hubName        = "hub.json"  // of the hub alone
	natsName       = "nats.conf" // of the hub: for NATS servers of others
	siteName       = "site.json" // of a site alone
	ledgerName     = "ledger"
	studiesName    = "studies"
	journalName    = "journal.db"   // of a site alone
	cohortsName    = "cohorts.db"   // of a site alone: whom it answered on which rows
	resultsName    = "results"      // answers of runs that the node conducted
	outboxName     = "outbox"       // of a site alone: answers that a person must release
	wordsName      = "words"        // what reviewers said of answers
	operatorKey    = "operator.key" // of the hub alone: admits institutions
	institutionKey = "institution.key"
	nodeKey        = "node.key"
	passName       = "pass.json" // of a site: its way to the broker
	userName       = "user.seed" // of a site: its user at the broker
	userNext       = "user.next" // the one that is asked for
	requestName    = "request.json"
	pinsName       = "pins.json"
	membersName    = "members.json"
	maxPublicFile  = 1 << 20 // bytes of a file that another party wrote
	hubInstitution = "centre"
)

func (d folder) path(name ...string) string {
	return filepath.Join(append([]string{string(d)}, name...)...)
}

// makeFolder makes a new node's folder; one that holds a node already is refused.
func makeFolder(dir string) (folder, error) {
	d := folder(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return d, folderTrouble(err)
	}
	for _, name := range []string{hubName, siteName} {
		if _, err := os.Stat(d.path(name)); err == nil {
			return d, ws.Errorf(ws.Denied, "", ws.T("the folder %s holds a node already", "文件夹 %s 中已有节点", dir)).
				WithHint(ws.T("choose another folder; the keys of a node are made once", "请选用其他文件夹；节点的密钥只生成一次"))
		}
	}
	return d, folderTrouble(os.Chmod(dir, 0o700))
}

func folderTrouble(err error) error {
	if err == nil {
		return nil
	}
	return ws.Errorf(ws.Other, "", ws.T("the node's folder cannot be read or written", "无法读写节点的文件夹")).
		WithHint(ws.T("check the folder and its owner", "请检查文件夹及其属主")).Wrap(err)
}

// write writes a file of the folder anew, all or nothing, and syncs it.
func (d folder) write(name string, b []byte) error {
	return folderTrouble(disk.Write(d.path(name), 0o600, b))
}

func (d folder) writeJSON(name string, v any) error { return writeJSONFile(d.path(name), v, 0o600) }

func writeJSONFile(path string, v any, mode fs.FileMode) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return folderTrouble(err)
	}
	return folderTrouble(disk.Write(path, mode, append(b, '\n')))
}

// readJSONFile reads a file that another party may have written: bounded, and
// without fields that are unknown here.
func readJSONFile(path string, v any) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxPublicFile {
		err = fs.ErrInvalid
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(v)
	}
	if err != nil {
		return ws.Errorf(ws.Invalid, "", ws.T("the file cannot be read, or is not of the form that is wanted here", "文件无法读取，或格式不符")).
			Located(ws.Position{File: path}).WithHint(ws.T("check the name; it must be the file as wellspring wrote it", "请检查文件名；须为 wellspring 写出的原文件")).Wrap(err)
	}
	return nil
}

// makeKey makes an Ed25519 key in a new file: PKCS #8 in PEM.
func (d folder) makeKey(name string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, folderTrouble(err)
	}
	b, err := pemOf(key)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(d.path(name)); err == nil {
		return nil, folderTrouble(fs.ErrExist)
	}
	return key, d.write(name, b)
}

func pemOf(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, folderTrouble(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func (d folder) key(name string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(d.path(name))
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("there is no key %s in this folder", "该文件夹中没有密钥 %s", name)).
			WithHint(ws.T("give --dir the folder that init made", "--dir 须为 init 所建的文件夹")).Wrap(err)
	}
	return keyOf(b)
}

func keyOf(b []byte) (ed25519.PrivateKey, error) {
	bad := ws.Errorf(ws.Invalid, "", ws.T("the file holds no Ed25519 key", "文件中没有 Ed25519 密钥"))
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, bad
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, bad
	}
	return key, nil
}

func publicOf(key ed25519.PrivateKey) ledger.PublicKey {
	return ledger.PublicKey(key.Public().(ed25519.PublicKey))
}

// A networkFile is what a hospital pins of a network: public, and handed over
// by the operator in person or by another way that can be trusted.
type networkFile struct {
	Chain   ledger.ChainID   `json:"chain"`
	Genesis ledger.Hash      `json:"genesis"`
	Hub     ws.SiteID        `json:"hub"`
	HubKey  ledger.PublicKey `json:"hub_key"`
}

func readNetwork(path string) (n networkFile, err error) {
	if err = readJSONFile(path, &n); err != nil {
		return n, err
	}
	_, genesis, ok := strings.Cut(string(n.Chain), "@")
	if !ok || genesis != n.Genesis.String() || n.Hub.Validate() != nil {
		return n, ws.Errorf(ws.Invalid, "", ws.T("the file describes no network", "该文件未描述网络")).Located(ws.Position{File: path})
	}
	return n, nil
}

// state replays the folder's own ledger, also while the node runs.
func (d folder) state() (ledger.State, error) { return file.Follow(d.path(ledgerName), eachBlock) }

func eachBlock(ledger.Block, ledger.State) error { return nil }

// isHub tells a hub's folder from a site's; of no node's it is an error.
func (d folder) isHub() (bool, error) {
	for _, name := range []string{hubName, siteName} {
		if _, err := os.Stat(d.path(name)); err == nil {
			return name == hubName, nil
		}
	}
	return false, ws.Errorf(ws.Invalid, "", ws.T("the folder holds no node", "该文件夹中没有节点")).
		WithHint(ws.T("give --dir the folder that wellspring hub init or site init made", "--dir 须为 wellspring hub init 或 site init 所建的文件夹"))
}

// fingerprint writes a hash so that it can be read out over the telephone.
func fingerprint(h ledger.Hash) string {
	s := h.String()
	var parts []string
	for i := 0; i < len(s); i += 4 {
		parts = append(parts, s[i:i+4])
	}
	return strings.Join(parts, "-")
}

// parseFingerprint takes what fingerprint wrote, with spaces or capitals too.
func parseFingerprint(s string) (ledger.Hash, error) {
	h, err := ledger.ParseHash(strings.NewReplacer("-", "", " ", "", ":", "").Replace(strings.ToLower(s)))
	if err != nil {
		err = usage(ws.T("a fingerprint has 64 hex digits, in groups of four", "指纹为 64 位十六进制数字，每四位一组"))
	}
	return h, err
}
