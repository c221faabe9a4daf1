package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"filippo.io/age"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/site/archive"
	"wellspring/site/book"
)

// restoredName is the file that says that a folder came from a backup.
const restoredName = "restored.json"

// A rebirth says that a folder came from a backup. Done is false until its node has
// heard where the ledger stands: a site then answers no run that was opened before, a hub orders
// nothing before it has what its members hold.
type rebirth struct {
	Life   string        `json:"life"` // tells its kept letters from those of former lives
	Made   time.Time     `json:"made"` // the backup
	Height ledger.Height `json:"height"`
	At     time.Time     `json:"at"`
	Done   bool          `json:"done"`
}

// rebirth reads the file; the zero rebirth, done, where there is none.
func (d folder) rebirth() (r rebirth, err error) {
	if _, err := os.Stat(d.path(restoredName)); errors.Is(err, fs.ErrNotExist) {
		return rebirth{Done: true}, nil
	}
	return r, readJSONFile(d.path(restoredName), &r)
}

// finish writes down that the node knows where the ledger stands.
func (d folder) finish(r rebirth) error {
	r.Done = true
	return d.writeJSON(restoredName, r)
}

// maxWork bounds what a passphrase may cost to try: 2^20 is a few seconds and a gigabyte.
const maxWork = 20

// runRestore is "wellspring restore": a node's folder out of a backup.
func runRestore(_ context.Context, args []string, c *console) error {
	var dir, identity, passphrase string
	f := flags("restore FILE --dir DIR (--identity FILE | --passphrase-file FILE)", c)
	f.text(&dir, "dir", "DIR", ws.T("the node's new folder", "节点的新文件夹"))
	f.text(&identity, "identity", "FILE", ws.T("the secret key of age that belongs to the backup's recipient", "与备份接收者对应的 age 私钥文件"))
	f.text(&passphrase, "passphrase-file", "FILE", ws.T("the file with the backup's passphrase", "含备份口令的文件"))
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if dir == "" || f.NArg() != 1 || (identity == "") == (passphrase == "") {
		return usage(ws.T("restore wants a file, --dir, and either --identity or --passphrase-file", "restore 须给出备份文件、--dir，以及 --identity 或 --passphrase-file 之一"))
	}
	keys, err := identitiesOf(identity, passphrase)
	if err != nil {
		return err
	}
	var b backup
	err = archive.Extract(f.Arg(0), keys, dir, backedUp.MatchString, func(dir string, told json.RawMessage) (err error) {
		b, err = folder(dir).accept(told)
		if err != nil {
			err = ws.At(f.Arg(0), err)
		}
		return err
	})
	if err != nil {
		return err
	}
	return folder(dir).tellRestored(b, c)
}

func identitiesOf(path, passphrase string) ([]age.Identity, error) {
	if passphrase != "" {
		words, err := readPassphrase(passphrase)
		if err != nil {
			return nil, err
		}
		id, err := age.NewScryptIdentity(words)
		if err == nil {
			id.SetMaxWorkFactor(maxWork)
		}
		return []age.Identity{id}, err
	}
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("the file holds no secret key of age", "文件中没有 age 私钥")).Located(ws.Position{File: path}).
			WithHint(ws.T("it is the file that age-keygen wrote, with a line AGE-SECRET-KEY-...", "应为 age-keygen 写出的文件，含 AGE-SECRET-KEY-... 一行"))
	}
	return ids, nil
}

// accept checks a folder that was unpacked and is not yet in its place, and writes that it was restored.
func (d folder) accept(told json.RawMessage) (b backup, err error) {
	if json.Unmarshal(told, &b) != nil {
		return b, noNode()
	}
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return b, noNode()
	}
	hub, err := d.isHub()
	if err != nil || hub != (b.Role == "hub") || n.Chain != b.Chain {
		return b, noNode()
	}
	self := n.Hub
	if !hub {
		own, err := d.site()
		if err != nil {
			return b, noNode()
		}
		self = own.Site
	}
	l, err := file.Open(d.path(ledgerName))
	if err != nil {
		return b, err
	}
	s := l.State()
	if err := errors.Join(l.Close(), d.settle(s), d.acceptBook()); err != nil {
		return b, err
	}
	node, err := d.key(nodeKey)
	if err != nil {
		return b, noNode()
	}
	chain, _ := s.Chain()
	on, known := s.Site(self)
	if s.Height() != b.Height || s.Root() != b.Root || chain.Genesis != n.Genesis || known && on.Key != publicOf(node) {
		return b, noNode()
	}
	var life [8]byte
	rand.Read(life[:]) // never fails
	return b, d.writeJSON(restoredName, rebirth{Life: hex.EncodeToString(life[:]), Made: b.Made, Height: b.Height, At: time.Now().UTC().Truncate(time.Second)})
}

// acceptBook checks that the memory of askers, which older backups lack, can be read.
func (d folder) acceptBook() error {
	if _, err := os.Stat(d.path(cohortsName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	b, err := book.Open(d.path(cohortsName))
	if err != nil {
		return err
	}
	_, err = b.Standings()
	return errors.Join(err, b.Close())
}

func noNode() error {
	return ws.Errorf(ws.Invalid, "", ws.T("the backup holds no node, or its parts do not fit each other", "备份中没有节点，或其各部分不相符")).
		WithHint(ws.T("take another copy of it; nothing was restored", "请改用另一份副本；未恢复任何内容"))
}

// tellRestored says what was restored, by which a person sees whose it is, and what comes next.
func (d folder) tellRestored(b backup, c *console) error {
	node, err := d.key(nodeKey)
	if err != nil {
		return err
	}
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return err
	}
	c.say(ws.T("restored to %s: the backup of %s, with the ledger to block %d", "已恢复到 %s：备份制作于 %s，账本至第 %d 个区块", string(d), b.Made.Format(time.RFC3339), b.Height))
	c.say(ws.T("key of the node:\n  %s", "节点的密钥：\n  %s", fingerprint(publicOf(node).ID())))
	c.say(ws.T("genesis of the network:\n  %s", "网络的创世摘要：\n  %s", fingerprint(n.Genesis)))
	c.say(ws.T("compare both with what you noted: whoever knows the recipient's public key can make a backup", "请与您此前记录的核对：任何知道接收者公钥的人都能制作备份"))
	if b.Role == "hub" {
		c.say(ws.T("the former hub must never run again. Start this one: wellspring hub run --dir %s; it first takes back from its members the blocks that it lacks", "原枢纽不得再次运行。请启动本枢纽：wellspring hub run --dir %s；它会先从各成员取回缺失的区块", string(d)))
		return nil
	}
	c.say(ws.T("the former node must never run again. Start this one: wellspring site run --dir %s; it answers no run that was opened before", "原节点不得再次运行。请启动本节点：wellspring site run --dir %s；它不再应答此前开启的计算", string(d)))
	return nil
}
