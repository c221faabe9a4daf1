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
	"wellspring/mesh"
	"wellspring/mesh/wire"
	socket "wellspring/site/console"
)

// siteInit makes a hospital's keys and its request to the operator.
func siteInit(ctx context.Context, args []string, c *console) error {
	var dir, site, institution, network, category, jurisdiction, of string
	f := flags("site init --dir DIR --site NAME --institution NAME --network network.json", c)
	f.text(&dir, "dir", "DIR", ws.T("the site's new folder, its owner's alone", "站点的新文件夹，仅属主可读"))
	f.text(&site, "site", "NAME", ws.T("the site's name in the network", "站点在网络中的名称"))
	f.text(&institution, "institution", "NAME", ws.T("the legal body behind it", "站点所属的法人机构"))
	f.text(&network, "network", "FILE", ws.T("the operator's network.json", "运营方给出的 network.json"))
	f.text(&category, "category", "WORD", ws.T("hospital (default), university, institute, company, authority or centre", "hospital（默认）、university、institute、company、authority 或 centre"))
	f.text(&jurisdiction, "jurisdiction", "CODE", ws.T("country by ISO 3166; default CN", "ISO 3166 国家代码；默认 CN"))
	f.text(&of, "of", "DIR", ws.T("the folder of a running site whose institution has this one too; then only --dir and --site are given beside it", "同一机构中正在运行的站点的文件夹；此时另外只须给出 --dir 和 --site"))
	if err := f.parse(args); err != nil {
		return err
	}
	second := of != "" && institution == "" && network == "" && category == "" && jurisdiction == ""
	if dir == "" || site == "" || !second && (of != "" || institution == "" || network == "") || f.NArg() > 0 {
		return usage(ws.T("site init wants --dir, --site, and either --institution and --network, or --of", "site init 须给出 --dir、--site，以及 --institution 与 --network，或仅 --of"))
	}
	a := arrival{first: folder(of), req: requestFile{Institution: ws.Institution(institution), Category: ledger.Category(or(category, string(ledger.Hospital))),
		Jurisdiction: ledger.Jurisdiction(or(jurisdiction, "CN")), Site: ws.SiteID(site), Made: time.Now().UnixMilli()}}
	if second {
		network = a.first.path(networkName)
	}
	n, err := readNetwork(network)
	if err != nil {
		return err
	}
	a.req.Chain = n.Chain
	if second {
		if err := a.inherit(); err != nil {
			return err
		}
	}
	if a.dir, err = makeFolder(dir); err != nil {
		return err
	}
	node, err := a.introduce(ctx, n)
	if err != nil {
		return err
	}
	c.say(ws.T("to be read out to the operator over the telephone:", "请通过电话向运营方口头核对："))
	c.say(ws.T("key of institution %s:\n  %s", "机构 %s 的密钥：\n  %s", a.req.Institution, fingerprint(a.req.Key.ID())))
	c.say(ws.T("key of site %s:\n  %s", "站点 %s 的密钥：\n  %s", site, fingerprint(publicOf(node).ID())))
	c.say(ws.T("genesis of the network:\n  %s", "网络的创世摘要：\n  %s", fingerprint(n.Genesis)))
	c.say(ws.T("send %s to the operator", "请将 %s 发给运营方", a.dir.path(requestName)))
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// An arrival is a site that comes to a network: by its institution's first
// request, or, where first is given, as another site of that folder's institution.
type arrival struct {
	dir, first folder
	req        requestFile
}

// inherit fills in what the first site's institution is.
func (a *arrival) inherit() error {
	own, err := a.first.site()
	if err != nil {
		return err
	}
	state, err := a.first.state()
	if err != nil {
		return err
	}
	a.req.Institution = own.Institution
	rec, known := state.Institution(own.Institution)
	if !known {
		return ws.Errorf(ws.Denied, "", ws.T("the ledger in %s does not know institution %s yet", "%s 中的账本尚无机构 %s", string(a.first), own.Institution)).
			WithHint(ws.T("the first site must be admitted and have run once", "第一个站点须已获接纳并至少运行过一次"))
	}
	if _, taken := state.Site(a.req.Site); taken {
		return ws.Errorf(ws.Denied, "", ws.T("site %s is on the ledger already", "账本中已有站点 %s", a.req.Site))
	}
	a.req.Category, a.req.Jurisdiction = rec.Category, rec.Jurisdiction
	return nil
}

// introduce makes the keys of a site and signs its request. All is tried in
// memory first, so that a name that the ledger would refuse leaves no key behind.
func (a *arrival) introduce(ctx context.Context, n networkFile) (node ed25519.PrivateKey, err error) {
	_, trial, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, folderTrouble(err)
	}
	if err := a.req.sign(trial, trial); err != nil {
		return nil, err
	}
	d, req := a.dir, &a.req
	institution, err := a.institution()
	if err != nil {
		return nil, err
	}
	if node, err = d.makeKey(nodeKey); err != nil {
		return nil, err
	}
	user, seed, err := wire.NewUser()
	if err != nil {
		return nil, folderTrouble(err)
	}
	req.User = user
	if err := req.sign(institution, node); err != nil {
		return nil, err
	}
	if a.first != "" {
		if err := a.enter(ctx, institution, node); err != nil {
			return nil, err
		}
	}
	return node, errors.Join(d.write(userName, []byte(seed)), d.writeJSON(networkName, n), writeJSONFile(d.path(requestName), req, 0o644),
		d.writeJSON(siteName, siteFile{Site: req.Site, Institution: req.Institution}))
}

// institution makes the institution's key, or takes it from its first site's folder.
func (a *arrival) institution() (ed25519.PrivateKey, error) {
	if a.first == "" {
		return a.dir.makeKey(institutionKey)
	}
	key, err := a.first.key(institutionKey)
	if err != nil {
		return nil, err
	}
	b, err := pemOf(key)
	if err == nil {
		err = a.dir.write(institutionKey, b)
	}
	return key, err
}

// enter puts a further site on the ledger, by the running first one, and lets the
// two sites, which are of one house, know each other's keys.
func (a *arrival) enter(ctx context.Context, institution, node ed25519.PrivateKey) error {
	body, err := siteBody(a.req.Chain, a.req.Site, node)
	if err != nil {
		return err
	}
	if err := socket.Dial(string(a.first)).Do(ctx, institution, body); err != nil {
		return err
	}
	own, err := a.first.site()
	if err != nil {
		return err
	}
	first, err := a.first.key(nodeKey)
	if err != nil {
		return err
	}
	p := a.first.pins()
	if err := p.load(); err != nil {
		return err
	}
	p.by[a.req.Site] = publicOf(node).ID()
	if err := a.first.writeJSON(pinsName, p.by); err != nil {
		return err
	}
	delete(p.by, a.req.Site)
	p.by[own.Site] = publicOf(first).ID()
	return a.dir.writeJSON(pinsName, p.by)
}

// sign puts keys and signatures into a request.
func (r *requestFile) sign(institution, node ed25519.PrivateKey) error {
	admit, err := institutionBody(r.Chain, r.Institution, r.Category, r.Jurisdiction, institution)
	if err != nil {
		return err
	}
	if _, err := ledger.Sign(r.Chain, 1, admit, institution); err != nil { // a check of form: the operator's signature is the one that counts
		return err
	}
	site, err := siteBody(r.Chain, r.Site, node)
	if err != nil {
		return err
	}
	tx, err := ledger.Sign(r.Chain, 1, site, institution)
	if err != nil {
		return err
	}
	r.Key, r.Possession, r.SiteTx = admit.Key, admit.Possession, tx.Bytes()
	copy(r.Consent[:], ed25519.Sign(institution, r.message()))
	return nil
}

// siteJoin takes the pass that the operator gave.
func siteJoin(_ context.Context, args []string, c *console) error {
	f := flags("site join pass.json --dir DIR", c)
	d, s, err := siteDir(f, args, 1)
	if err != nil {
		return err
	}
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return err
	}
	var p passFile
	if err := readJSONFile(f.Arg(0), &p); err != nil {
		return err
	}
	switch {
	case p.Chain != n.Chain || !ed25519.Verify(d.hubKey(n), p.message(), p.Signature[:]):
		return ws.Errorf(ws.Diverged, "", ws.T("the pass is not of the network that is pinned here, or was altered", "通行证不属于此处所固定的网络，或已被改动")).
			WithHint(ws.T("compare the genesis with the operator out of band: %s", "请通过其他渠道与运营方核对创世摘要：%s", fingerprint(n.Genesis)))
	case p.Pass.Site != s.Site || p.Pass.Seed != "":
		return ws.Errorf(ws.Invalid, "", ws.T("the pass is another site's", "该通行证属于其他站点")).Located(ws.Position{File: f.Arg(0)})
	}
	if p.Pass.Seed, err = d.userSeed(p.Pass); err != nil {
		return err
	}
	if err := d.writeJSON(passName, p.Pass); err != nil {
		return err
	}
	c.say(ws.T("site %s may connect now: wellspring site run --dir %s", "站点 %s 现可连接：wellspring site run --dir %s", s.Site, string(d)))
	return nil
}

// userSeed finds the seed of the user whom a pass names: that of the newest request, or of one before it.
func (d folder) userSeed(p mesh.Pass) (string, error) {
	for _, name := range []string{userNext, userName} {
		seed, err := os.ReadFile(d.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", folderTrouble(err)
		}
		if !wire.Fits(p, string(seed)) {
			continue
		}
		if name == userNext {
			err = folderTrouble(os.Rename(d.path(userNext), d.path(userName)))
		}
		return string(seed), err
	}
	return "", ws.Errorf(ws.Invalid, "", ws.T("the pass answers another request than the one in this folder", "该通行证所答复的不是此文件夹中的申请")).
		WithHint(ws.T("send %s to the operator and take the pass that comes back", "请将 %s 发给运营方，再接受随后返回的通行证", d.path(requestName)))
}

// hubKey is the hub's key by the ledger here, or, where that is not there yet, as it was handed over.
func (d folder) hubKey(n networkFile) ed25519.PublicKey {
	state, err := d.state()
	if err != nil {
		return ed25519.PublicKey(n.HubKey[:])
	}
	return n.key(state)
}
