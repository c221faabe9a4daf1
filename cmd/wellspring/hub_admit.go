package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	socket "wellspring/site/console"
)

// A requestFile is what a hospital asks the operator for: public, signed by what
// it makes known.
type requestFile struct {
	Chain        ledger.ChainID      `json:"chain"`
	Institution  ws.Institution      `json:"institution"`
	Category     ledger.Category     `json:"category"`
	Jurisdiction ledger.Jurisdiction `json:"jurisdiction"`
	Key          ledger.PublicKey    `json:"institution_key"`
	Possession   ledger.Signature    `json:"possession"`
	Site         ws.SiteID           `json:"site"`
	SiteTx       json.RawMessage     `json:"site_tx"` // by which the institution admits its site
	User         string              `json:"user"`    // at the broker
	Made         int64               `json:"made"`    // in milliseconds of Unix's clock: a later request's user takes an earlier one's place
	Consent      ledger.Signature    `json:"consent"` // of the institution to that user
}

// message is what the institution signs of its site's user at the broker.
func (r requestFile) message() []byte {
	return fmt.Appendf(nil, "wellspring/user\n%s\n%s\n%s\n%d", r.Chain, r.Site, r.User, r.Made)
}

// A passFile is a site's way to the broker, signed by the hub's node.
type passFile struct {
	Chain     ledger.ChainID   `json:"chain"`
	Pass      mesh.Pass        `json:"pass"`
	Signature ledger.Signature `json:"signature"`
}

// message is what the hub signs of a pass.
func (p passFile) message() []byte {
	b, err := json.Marshal(p.Pass)
	if err != nil { // its fields always marshal
		panic(err)
	}
	return append([]byte("wellspring/pass\n"+string(p.Chain)+"\n"), b...)
}

// hubAdmit puts a hospital on the ledger and writes its pass.
func hubAdmit(ctx context.Context, args []string, c *console) error {
	var dir, out string
	f := flags("hub admit request.json --dir DIR --out pass.json", c)
	f.text(&dir, "dir", "DIR", ws.T("the hub's folder", "枢纽的文件夹"))
	f.text(&out, "out", "FILE", ws.T("where the pass goes, for the hospital", "通行证写入何处，交给该医院"))
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if dir == "" || out == "" || f.NArg() != 1 {
		return usage(ws.T("hub admit wants a request file, --dir and --out", "hub admit 须给出申请文件、--dir 和 --out"))
	}
	d := folder(dir)
	if _, err := d.hub(); err != nil {
		return err
	}
	req, tx, err := d.request(f.Arg(0))
	if err != nil {
		return err
	}
	site := tx.Body().(*ledger.SetSite)
	c.say(ws.T("institution %s, %s, %s; its key:\n  %s", "机构 %s，%s，%s；其密钥：\n  %s", req.Institution, req.Category, req.Jurisdiction, fingerprint(req.Key.ID())))
	c.say(ws.T("site %s; its key:\n  %s", "站点 %s；其密钥：\n  %s", req.Site, fingerprint(site.Key.ID())))
	c.say(ws.T("compare both with the hospital out of band", "请通过其他渠道与该医院核对以上两项"))
	pass, err := d.admit(ctx, req, tx)
	if err != nil {
		return err
	}
	if err := writeJSONFile(out, pass, 0o644); err != nil {
		return err
	}
	c.say(ws.T("%s is admitted; its pass is %s", "%s 已获接纳；通行证为 %s", req.Site, out))
	return nil
}

// request reads a request and holds its parts to each other.
func (d folder) request(path string) (req requestFile, tx ledger.Tx, err error) {
	if err = readJSONFile(path, &req); err != nil {
		return req, tx, err
	}
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return req, tx, err
	}
	if tx, err = ledger.DecodeTx(compact(req.SiteTx)); err != nil {
		return req, tx, err
	}
	site, ok := tx.Body().(*ledger.SetSite)
	if !ok || site.Act != ledger.Admit || site.Site != req.Site || tx.Author() != req.Key.ID() || req.Chain != n.Chain || tx.Chain() != n.Chain ||
		!ed25519.Verify(req.Key[:], req.message(), req.Consent[:]) {
		return req, tx, ws.Errorf(ws.Invalid, "", ws.T("the request is of another network, or its parts do not fit each other", "申请属于另一网络，或其各部分不相符")).
			Located(ws.Position{File: path}).WithHint(ws.T("have the hospital make it anew with this network's network.json", "请该医院用本网络的 network.json 重新生成"))
	}
	return req, tx, nil
}

// admit does what is not yet done of an admission, with the running hub or,
// where none runs, in its place.
func (d folder) admit(ctx context.Context, req requestFile, site ledger.Tx) (p passFile, err error) {
	desk := socket.Dial(string(d))
	submit := desk.Submit
	enter := desk.Admit
	if _, err := desk.About(ctx); socket.Absent(err) {
		l, err := file.Open(d.path(ledgerName))
		if err != nil {
			return p, err
		}
		defer l.Close()
		submit, enter = l.Submit, d.enter
	} else if err != nil {
		return p, err
	}
	txs, err := d.admission(req, site)
	if err != nil {
		return p, err
	}
	for _, tx := range txs {
		if _, err := submit(ctx, tx); err != nil {
			return p, err
		}
	}
	p.Chain = req.Chain
	if p.Pass, err = enter(ctx, socket.Newcomer{Site: req.Site, User: req.User, Made: req.Made}); err != nil {
		return p, err
	}
	node, err := d.key(nodeKey)
	if err != nil {
		return p, err
	}
	copy(p.Signature[:], ed25519.Sign(node, p.message()))
	return p, nil
}

// admission lists the transactions that are still to come.
func (d folder) admission(req requestFile, site ledger.Tx) (txs []ledger.Tx, err error) {
	operator, err := d.key(operatorKey)
	if err != nil {
		return nil, err
	}
	state, err := d.state()
	if err != nil {
		return nil, err
	}
	if rec, known := state.Institution(req.Institution); !known || rec.Key != req.Key.ID() {
		body := &ledger.SetInstitution{Act: ledger.Admit, Category: req.Category, Institution: req.Institution, Jurisdiction: req.Jurisdiction, Key: req.Key, Possession: req.Possession}
		tx, err := ledger.Sign(req.Chain, state.Seq(publicOf(operator).ID())+1, body, operator)
		if err != nil {
			return nil, err
		}
		txs = append(txs, tx)
	}
	if rec, known := state.Site(req.Site); !known || rec.Key != site.Body().(*ledger.SetSite).Key {
		txs = append(txs, site)
	}
	return txs, nil
}

// enter gives a member its pass where no hub runs; the broker learns of it when it starts.
func (d folder) enter(_ context.Context, n socket.Newcomer) (p mesh.Pass, err error) {
	h, err := d.hub()
	if err != nil {
		return p, err
	}
	r, err := openRoster(d)
	if err != nil {
		return p, err
	}
	member, err := r.add(n)
	if err != nil {
		return p, err
	}
	a, err := broker.OpenAuthority(d.path("broker", "keys"))
	if err != nil {
		return p, err
	}
	if len(h.Brokers) > 0 {
		return a.Pass(member, h.cluster(d, nil).Way())
	}
	return a.Pass(member, a.Way(h.urls()))
}
