package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh/broker"
	"wellspring/mesh/wire"
	socket "wellspring/site/console"
)

// A renewal gives a holder on the ledger a new key in place of its present one.
type renewal struct {
	file   string // in the node's folder; the new key waits beside it until the ledger has it
	holder ledger.Holder
	name   string
	body   func(ledger.PublicKey, ledger.Signature) ledger.Body
	signer string // the file of the key that signs: an institution's for its site, otherwise the old key
	// present is the holder's key on the ledger.
	present func(ledger.State) ledger.KeyID
}

func nodeRenewal(site ws.SiteID) renewal {
	return renewal{file: nodeKey, holder: ledger.BySite, name: string(site), signer: institutionKey,
		body: func(k ledger.PublicKey, p ledger.Signature) ledger.Body {
			return &ledger.SetSite{Act: ledger.Rotate, Key: k, Possession: p, Site: site}
		},
		present: func(s ledger.State) ledger.KeyID { rec, _ := s.Site(site); return rec.Key.ID() }}
}

func institutionRenewal(i ws.Institution) renewal {
	return renewal{file: institutionKey, holder: ledger.ByInstitution, name: string(i), signer: institutionKey,
		body: func(k ledger.PublicKey, p ledger.Signature) ledger.Body {
			return &ledger.SetInstitution{Act: ledger.Rotate, Institution: i, Key: k, Possession: p}
		},
		present: func(s ledger.State) ledger.KeyID { rec, _ := s.Institution(i); return rec.Key }}
}

func operatorRenewal() renewal {
	return renewal{file: operatorKey, holder: ledger.ByOperator, signer: operatorKey,
		body: func(k ledger.PublicKey, p ledger.Signature) ledger.Body {
			return &ledger.SetRule{Key: k, Possession: p, Rule: string(ledger.ByOperator)}
		},
		present: func(s ledger.State) ledger.KeyID { c, _ := s.Chain(); return c.RuleKey }}
}

// renewals are what a node's folder holds keys of.
func (d folder) renewals() ([]renewal, error) {
	hub, err := d.isHub()
	if err != nil {
		return nil, err
	}
	if hub {
		return []renewal{nodeRenewal(broker.HubSite), institutionRenewal(hubInstitution), operatorRenewal()}, nil
	}
	s, err := d.site()
	return []renewal{nodeRenewal(s.Site), institutionRenewal(s.Institution)}, err
}

const nextKey = ".next" // behind the name of a key's file: the key that is to take its place

// settle puts every new key in its place that the ledger here has: a renewal may
// have been cut off behind the moment in which it became final.
func (d folder) settle(state ledger.State) error {
	all, err := d.renewals()
	if err != nil {
		return err
	}
	for _, r := range all {
		if _, err := os.Stat(d.path(r.file + nextKey)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		next, err := d.key(r.file + nextKey)
		if err != nil {
			return err
		}
		if publicOf(next).ID() == r.present(state) {
			if err := folderTrouble(os.Rename(d.path(r.file+nextKey), d.path(r.file))); err != nil {
				return err
			}
		}
	}
	return nil
}

// renew brings a new key to the ledger, by the folder's running node, and then
// into its place. Cut off at any moment, it goes on where it was.
func (d folder) renew(ctx context.Context, r renewal) (ledger.KeyID, error) {
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return ledger.KeyID{}, err
	}
	next, err := d.key(r.file + nextKey)
	if _, absent := os.Stat(d.path(r.file + nextKey)); errors.Is(absent, fs.ErrNotExist) {
		next, err = d.makeKey(r.file + nextKey)
	}
	if err != nil {
		return ledger.KeyID{}, err
	}
	id := publicOf(next).ID()
	state, err := d.state()
	if err != nil {
		return id, err
	}
	if r.present(state) == id { // it was cut off behind the last step
		return id, d.settle(state)
	}
	possession, err := ledger.Possession(n.Chain, r.holder, r.name, next)
	if err != nil {
		return id, err
	}
	signer, err := d.key(r.signer)
	if err != nil {
		return id, err
	}
	if err := socket.Dial(string(d)).Do(ctx, signer, r.body(publicOf(next), possession)); err != nil {
		return id, err
	}
	if state, err = d.state(); err != nil {
		return id, err
	}
	return id, d.settle(state)
}

// siteRenew is "wellspring site renew node|institution|pass".
func siteRenew(ctx context.Context, args []string, c *console) error {
	f := flags("site renew node|institution|pass --dir DIR", c)
	d, s, err := siteDir(f, args, 1)
	if err != nil {
		return err
	}
	switch f.Arg(0) {
	case "node":
		return d.renewNode(ctx, s.Site, c)
	case "institution":
		return d.renewInstitution(ctx, s.Institution, c)
	case "pass":
		return d.renewPass(s, c)
	}
	return usage(ws.T("site renew wants: node, institution or pass", "site renew 之后须为 node、institution 或 pass"))
}

// hubRenew is "wellspring hub renew node|institution|operator".
func hubRenew(ctx context.Context, args []string, c *console) error {
	f := flags("hub renew node|institution|operator --dir DIR", c)
	d, err := hubDir(f, args, 1)
	if err != nil {
		return err
	}
	switch f.Arg(0) {
	case "node":
		if err := d.renewNode(ctx, broker.HubSite, c); err != nil {
			return err
		}
		return d.renewNetwork(c)
	case "institution":
		return d.renewInstitution(ctx, hubInstitution, c)
	case "operator":
		id, err := d.renew(ctx, operatorRenewal())
		if err == nil {
			c.say(ws.T("the operator's new key:\n  %s", "运营方的新密钥：\n  %s", fingerprint(id)))
		}
		return err
	}
	return usage(ws.T("hub renew wants: node, institution or operator", "hub renew 之后须为 node、institution 或 operator"))
}

func (d folder) renewNode(ctx context.Context, site ws.SiteID, c *console) error {
	id, err := d.renew(ctx, nodeRenewal(site))
	if err != nil {
		return err
	}
	c.say(ws.T("the new key of site %s:\n  %s", "站点 %s 的新密钥：\n  %s", site, fingerprint(id)))
	c.say(ws.T("the running node ends in a moment; start it again. The others answer with this site once they have compared the new key and pinned it", "运行中的节点稍后终止，请重新启动。其他站点核对并固定新密钥之后，才会与本站点共同作答"))
	return nil
}

func (d folder) renewInstitution(ctx context.Context, i ws.Institution, c *console) error {
	id, err := d.renew(ctx, institutionRenewal(i))
	if err != nil {
		return err
	}
	c.say(ws.T("the new key of institution %s:\n  %s", "机构 %s 的新密钥：\n  %s", i, fingerprint(id)))
	c.say(ws.T("copy %s into the folders of the institution's other sites, if it has any", "若该机构另有站点，请将 %s 复制到其文件夹", d.path(institutionKey)))
	return nil
}

// renewNetwork puts the hub's new key into the file that new hospitals are given.
func (d folder) renewNetwork(c *console) error {
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return err
	}
	key, err := d.key(nodeKey)
	if err != nil {
		return err
	}
	n.HubKey = publicOf(key)
	if err := writeJSONFile(d.path(networkName), n, 0o644); err != nil {
		return err
	}
	c.say(ws.T("give hospitals that come from now on this %s. Those that are connected have the new key from the ledger; one that is not takes the file by: wellspring site network", "此后加入的医院请使用新的 %s。已连接的医院由账本得知新密钥；未连接者须以 wellspring site network 接受该文件", d.path(networkName)))
	return nil
}

// renewPass asks for a pass with a new user at the broker; the former user is
// shut out when the operator gives it.
func (d folder) renewPass(s siteFile, c *console) error {
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return err
	}
	state, err := d.state()
	if err != nil {
		return err
	}
	rec, known := state.Institution(s.Institution)
	if !known {
		return ws.Errorf(ws.Denied, "", ws.T("the ledger here does not know institution %s yet", "此处账本尚无机构 %s", s.Institution)).
			WithHint(ws.T("a pass is renewed once the site has been admitted and has run", "站点获接纳并运行之后方可更换通行证"))
	}
	institution, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	node, err := d.key(nodeKey)
	if err != nil {
		return err
	}
	user, seed, err := wire.NewUser()
	if err != nil {
		return folderTrouble(err)
	}
	req := requestFile{Chain: n.Chain, Institution: s.Institution, Category: rec.Category, Jurisdiction: rec.Jurisdiction, Site: s.Site, User: user, Made: time.Now().UnixMilli()}
	if err := req.sign(institution, node); err != nil {
		return err
	}
	if err := errors.Join(d.write(userNext, []byte(seed)), writeJSONFile(d.path(requestName), req, 0o644)); err != nil {
		return err
	}
	c.say(ws.T("send %s to the operator; when its pass comes, the former one is void: wellspring site join pass.json --dir %s, and start the site again",
		"请将 %s 发给运营方；新通行证签发后，旧通行证即失效：wellspring site join pass.json --dir %s，然后重新启动站点", d.path(requestName), string(d)))
	return nil
}

// siteNetwork takes a network.json with a new key of the hub, which the hospital's
// people have compared: the ledger, which would tell, comes from the hub itself.
func siteNetwork(_ context.Context, args []string, c *console) error {
	f := flags("site network network.json --dir DIR", c)
	d, _, err := siteDir(f, args, 1)
	if err != nil {
		return err
	}
	n, err := readNetwork(f.Arg(0))
	if err != nil {
		return err
	}
	own, err := readNetwork(d.path(networkName))
	if err != nil {
		return err
	}
	if n.Chain != own.Chain || n.Hub != own.Hub {
		return ws.Errorf(ws.Invalid, "", ws.T("the file is of another network", "该文件属于另一网络")).Located(ws.Position{File: f.Arg(0)})
	}
	if err := d.writeJSON(networkName, n); err != nil {
		return err
	}
	c.say(ws.T("the hub's key, to be compared with its operator over the telephone, since the site now believes it:\n  %s", "枢纽的密钥如下，站点现已采信，请通过电话与运营方核对：\n  %s", fingerprint(n.HubKey.ID())))
	c.say(ws.T("start the site again", "请重新启动站点"))
	return nil
}

// key is the hub's key by a ledger that came from it: the present one there, unless
// what was pinned is newer than that ledger.
func (n networkFile) key(state ledger.State) ed25519.PublicKey {
	key := n.HubKey
	if _, passed := state.Key(n.HubKey.ID()); passed {
		s, _ := state.Site(n.Hub)
		key = s.Key
	}
	return ed25519.PublicKey(key[:])
}

// Farewells are how long a node goes on whose key was renewed: who asked for it
// waits for an answer, and a hub's members learn its new key from blocks that they take by the former.
const (
	siteFarewell = time.Second
	hubFarewell  = 5 * time.Second
)

// watchKey ends a node whose key on the ledger is no longer the one that it signs
// with, or whose site has ended, after a farewell: nobody takes its letters any more.
func watchKey(l ledger.Ledger, site ws.SiteID, key ed25519.PrivateKey, farewell time.Duration) func(context.Context) error {
	own := publicOf(key)
	return func(ctx context.Context) error {
		for _, err := range l.Watch(ctx, l.State().Height()) {
			if err != nil {
				return err
			}
			rec, known := l.State().Site(site)
			if !known || rec.Key == own && !rec.Ended {
				continue
			}
			select {
			case <-time.After(farewell):
			case <-ctx.Done():
				return nil
			}
			if rec.Ended {
				return siteEnded(site)
			}
			return ws.Errorf(ws.Other, "", ws.T("the key of site %s was renewed", "站点 %s 的密钥已更换", site)).
				WithHint(ws.T("start the node again", "请重新启动节点"))
		}
		return nil
	}
}

func siteEnded(site ws.SiteID) error {
	return ws.Errorf(ws.Denied, "", ws.T("site %s has ended: its institution said so on the ledger", "站点 %s 已终止：其机构已在账本上声明", site)).
		WithHint(ws.T("the institution may bring another site: wellspring site init", "该机构可另设站点：wellspring site init"))
}

// nodeKeyNow settles renewals and gives the node's key, held to the ledger here.
func (d folder) nodeKeyNow(state ledger.State, site ws.SiteID) (ed25519.PrivateKey, error) {
	if err := d.settle(state); err != nil {
		return nil, err
	}
	key, err := d.key(nodeKey)
	if err != nil {
		return nil, err
	}
	rec, known := state.Site(site)
	switch {
	case known && rec.Ended:
		return nil, siteEnded(site)
	case known && rec.Key != publicOf(key):
		return nil, ws.Errorf(ws.Denied, "", ws.T("the ledger has another key of site %s than this folder", "账本中站点 %s 的密钥与此文件夹中的不同", site)).
			WithHint(ws.T("if the institution did not renew it, its key was misused: ask the operator to suspend the institution", "若机构并未更换密钥，则其密钥遭冒用：请运营方暂停该机构"))
	}
	return key, nil
}
