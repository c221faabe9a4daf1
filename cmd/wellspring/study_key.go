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

// studyKey makes a requester's key and account.
func studyKey(_ context.Context, args []string, c *console) error {
	var out, network string
	f := flags("study key --network network.json --out me.key", c)
	f.text(&out, "out", "FILE.key", ws.T("where the secret key goes, with FILE.pub beside it", "私钥写入何处；公开部分存于同名 .pub 文件"))
	f.text(&network, "network", "FILE", ws.T("the network's network.json", "网络的 network.json"))
	if err := f.parse(args); err != nil {
		return err
	}
	if out == "" || network == "" || f.NArg() > 0 {
		return usage(ws.T("study key wants --network and --out", "study key 须给出 --network 和 --out"))
	}
	n, err := readNetwork(network)
	if err != nil {
		return err
	}
	if _, err := os.Stat(out); err == nil {
		return ws.Errorf(ws.Denied, "", ws.T("the file %s is there already", "文件 %s 已存在", out)).WithHint(ws.T("a key is made once; choose another name", "密钥只生成一次；请换一个文件名"))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return folderTrouble(err)
	}
	var random [16]byte
	rand.Read(random[:]) // never fails
	account := ledger.Account(hex.EncodeToString(random[:]))
	possession, err := ledger.Possession(n.Chain, ledger.ByRequester, string(account), key)
	if err != nil {
		return err
	}
	secret, err := pemOf(key)
	if err != nil {
		return err
	}
	public := strings.TrimSuffix(out, filepath.Ext(out)) + ".pub"
	err = errors.Join(writeJSONFile(out, keyFile{account, n.Chain, string(secret)}, 0o600),
		writeJSONFile(public, publicFile{account, n.Chain, publicOf(key), possession}, 0o644))
	if err != nil {
		return err
	}
	c.say(ws.T("your account is %s; your key:\n  %s", "您的账户为 %s；您的密钥：\n  %s", account, fingerprint(publicOf(key).ID())))
	c.say(ws.T("bring %s to your institution: wellspring site requester admit %s --dir DIR", "请将 %s 交给您的机构：wellspring site requester admit %s --dir DIR", public, filepath.Base(public)))
	return nil
}

func readKey(path string) (k keyFile, key ed25519.PrivateKey, err error) {
	if err = readJSONFile(path, &k); err == nil {
		key, err = keyOf([]byte(k.Key))
	}
	return k, key, err
}

// siteRequester is "wellspring site requester admit".
func siteRequester(ctx context.Context, args []string, c *console) error {
	return admitRequester(ctx, "site", args, c)
}

// hubRequester is "wellspring hub requester admit", for people of the centre.
func hubRequester(ctx context.Context, args []string, c *console) error {
	return admitRequester(ctx, "hub", args, c)
}

// admitRequester puts a researcher of the folder's institution on the ledger.
func admitRequester(ctx context.Context, name string, args []string, c *console) error {
	var dir string
	f := flags(name+" requester admit me.pub --dir DIR", c)
	f.text(&dir, "dir", "DIR", ws.T("the folder of the running node", "运行中节点的文件夹"))
	if len(args) > 0 && args[0] == "admit" {
		args = args[1:]
	}
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if dir == "" || f.NArg() != 1 {
		return usage(ws.T("%s requester wants: admit me.pub --dir DIR", "%s requester 的用法：admit me.pub --dir DIR", name))
	}
	d := folder(dir)
	if _, err := d.isHub(); err != nil {
		return err
	}
	var p publicFile
	if err := readJSONFile(f.Arg(0), &p); err != nil {
		return err
	}
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return err
	}
	if p.Chain != n.Chain {
		return ws.Errorf(ws.Invalid, "", ws.T("the key was made for another network", "该密钥是为另一网络生成的")).Located(ws.Position{File: f.Arg(0)})
	}
	key, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	body := &ledger.SetRequester{Account: p.Account, Act: ledger.Admit, Key: p.Key, Possession: p.Possession}
	if err := socket.Dial(string(d)).Do(ctx, key, body); err != nil {
		return err
	}
	c.say(ws.T("account %s is on the ledger; its key:\n  %s", "账户 %s 已登记；其密钥：\n  %s", p.Account, fingerprint(p.Key.ID())))
	c.say(ws.T("whose it is stands nowhere on the ledger: keep it in your own directory", "账本中没有其真实身份：请记入本机构自己的名录"))
	return nil
}
