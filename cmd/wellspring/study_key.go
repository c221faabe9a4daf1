package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
)

// A keyFile is a requester's secret: whoever has it asks in the requester's name.
type keyFile struct {
	Account ledger.Account `json:"account"`
	Chain   ledger.ChainID `json:"chain"`
	Key     string         `json:"key"` // PKCS #8 in PEM
}

// A publicFile is what the requester's home institution puts on the ledger.
type publicFile struct {
	Account    ledger.Account   `json:"account"`
	Chain      ledger.ChainID   `json:"chain"`
	Key        ledger.PublicKey `json:"key"`
	Possession ledger.Signature `json:"possession"`
}

// studyKey makes a requester's key: with a new account, or for an account that has one.
func studyKey(_ context.Context, args []string, c *console) error {
	var out, network, former string
	f := flags("study key --network network.json --out me.key", c)
	f.text(&out, "out", "FILE.key", ws.T("where the secret key goes, with FILE.pub beside it", "私钥写入何处；公开部分存于同名 .pub 文件"))
	f.text(&network, "network", "FILE", ws.T("the network's network.json", "网络的 network.json"))
	f.text(&former, "renew", "FILE.key", ws.T("the key whose place the new one is to take; then without --network", "将被新密钥取代的密钥；此时不给 --network"))
	if err := f.parse(args); err != nil {
		return err
	}
	if out == "" || (network == "") == (former == "") || f.NArg() > 0 {
		return usage(ws.T("study key wants --out, and --network or --renew", "study key 须给出 --out，以及 --network 或 --renew"))
	}
	k, err := accountOf(network, former)
	if err != nil {
		return err
	}
	public, err := k.make(out)
	if err != nil {
		return err
	}
	act := "admit"
	if former != "" {
		act = "renew"
	}
	c.say(ws.T("your account is %s; your key:\n  %s", "您的账户为 %s；您的密钥：\n  %s", k.Account, fingerprint(public.Key.ID())))
	c.say(ws.T("bring %s to your institution: wellspring site requester %s %s --dir DIR", "请将 %s 交给您的机构：wellspring site requester %s %s --dir DIR", publicName(out), act, filepath.Base(publicName(out))))
	return nil
}

// accountOf draws a new account of a network, or takes that of a former key.
func accountOf(network, former string) (k keyFile, err error) {
	if former != "" {
		k, _, err = readKey(former)
		return k, err
	}
	n, err := readNetwork(network)
	if err != nil {
		return k, err
	}
	var random [16]byte
	rand.Read(random[:]) // never fails
	return keyFile{Account: ledger.Account(hex.EncodeToString(random[:])), Chain: n.Chain}, nil
}

// make makes a key of the account and writes both its files.
func (k keyFile) make(out string) (p publicFile, err error) {
	if _, err := os.Stat(out); err == nil {
		return p, ws.Errorf(ws.Denied, "", ws.T("the file %s is there already", "文件 %s 已存在", out)).WithHint(ws.T("a key is made once; choose another name", "密钥只生成一次；请换一个文件名"))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return p, folderTrouble(err)
	}
	possession, err := ledger.Possession(k.Chain, ledger.ByRequester, string(k.Account), key)
	if err != nil {
		return p, err
	}
	secret, err := pemOf(key)
	if err != nil {
		return p, err
	}
	k.Key = string(secret)
	p = publicFile{k.Account, k.Chain, publicOf(key), possession}
	return p, errors.Join(writeJSONFile(out, k, 0o600), writeJSONFile(publicName(out), p, 0o644))
}

func publicName(key string) string { return strings.TrimSuffix(key, filepath.Ext(key)) + ".pub" }

func readKey(path string) (k keyFile, key ed25519.PrivateKey, err error) {
	if err = readJSONFile(path, &k); err == nil {
		key, err = keyOf([]byte(k.Key))
	}
	return k, key, err
}

// siteRequester is "wellspring site requester admit|renew|end".
func siteRequester(ctx context.Context, args []string, c *console) error {
	return requester(ctx, "site", args, c)
}

// hubRequester is "wellspring hub requester admit|renew|end", for people of the centre.
func hubRequester(ctx context.Context, args []string, c *console) error {
	return requester(ctx, "hub", args, c)
}

// requester does something to the account of a researcher of the folder's institution.
func requester(ctx context.Context, name string, args []string, c *console) error {
	var dir string
	f := flags(name+" requester admit|renew me.pub|end ACCOUNT --dir DIR", c)
	f.text(&dir, "dir", "DIR", ws.T("the folder of the running node", "运行中节点的文件夹"))
	if err := f.parseMixed(args); err != nil {
		return err
	}
	acts := map[string]ledger.Act{"admit": ledger.Admit, "renew": ledger.Rotate, "end": ledger.End}
	if dir == "" || f.NArg() != 2 || acts[f.Arg(0)] == "" {
		return usage(ws.T("%s requester wants: admit me.pub, renew me.pub or end ACCOUNT, and --dir DIR", "%s requester 的用法：admit me.pub、renew me.pub 或 end ACCOUNT，并给出 --dir DIR", name))
	}
	d := folder(dir)
	if _, err := d.isHub(); err != nil {
		return err
	}
	act := acts[f.Arg(0)]
	body := &ledger.SetRequester{Account: ledger.Account(f.Arg(1)), Act: act}
	if act != ledger.End {
		p, err := d.publicFile(f.Arg(1))
		if err != nil {
			return err
		}
		body.Account, body.Key, body.Possession = p.Account, p.Key, p.Possession
	}
	key, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	if err := socket.Dial(string(d)).Do(ctx, key, body); err != nil {
		return err
	}
	if act == ledger.End {
		c.say(ws.T("account %s has ended; what it asked stays on record", "账户 %s 已终止；其提出的请求仍有记录", body.Account))
		return nil
	}
	c.say(ws.T("account %s is on the ledger; its key:\n  %s", "账户 %s 已登记；其密钥：\n  %s", body.Account, fingerprint(body.Key.ID())))
	if act == ledger.Admit {
		c.say(ws.T("whose it is stands nowhere on the ledger: keep it in your own directory", "账本中没有其真实身份：请记入本机构自己的名录"))
	}
	return nil
}

// publicFile reads what a researcher brought, which must be of this network.
func (d folder) publicFile(path string) (p publicFile, err error) {
	if err = readJSONFile(path, &p); err != nil {
		return p, err
	}
	n, err := readNetwork(d.path(networkName))
	if err == nil && p.Chain != n.Chain {
		err = ws.Errorf(ws.Invalid, "", ws.T("the key was made for another network", "该密钥是为另一网络生成的")).Located(ws.Position{File: path})
	}
	return p, err
}
