package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh/wire"
)

// siteInit makes a hospital's keys and its request to the operator.
func siteInit(_ context.Context, args []string, c *console) error {
	var dir, site, institution, network, category, jurisdiction string
	f := flags("site init --dir DIR --site NAME --institution NAME --network network.json", c)
	f.text(&dir, "dir", "DIR", ws.T("the site's new folder, its owner's alone", "站点的新文件夹，仅属主可读"))
	f.text(&site, "site", "NAME", ws.T("the site's name in the network", "站点在网络中的名称"))
	f.text(&institution, "institution", "NAME", ws.T("the legal body behind it", "站点所属的法人机构"))
	f.text(&network, "network", "FILE", ws.T("the operator's network.json", "运营方给出的 network.json"))
	f.text(&category, "category", "WORD", ws.T("hospital (default), university, institute, company, authority or centre", "hospital（默认）、university、institute、company、authority 或 centre"))
	f.text(&jurisdiction, "jurisdiction", "CODE", ws.T("country by ISO 3166; default CN", "ISO 3166 国家代码；默认 CN"))
	if err := f.parse(args); err != nil {
		return err
	}
	if dir == "" || site == "" || institution == "" || network == "" || f.NArg() > 0 {
		return usage(ws.T("site init wants --dir, --site, --institution and --network", "site init 须给出 --dir、--site、--institution 和 --network"))
	}
	n, err := readNetwork(network)
	if err != nil {
		return err
	}
	req := requestFile{Chain: n.Chain, Institution: ws.Institution(institution), Category: ledger.Category(or(category, string(ledger.Hospital))),
		Jurisdiction: ledger.Jurisdiction(or(jurisdiction, "CN")), Site: ws.SiteID(site)}
	d, err := makeFolder(dir)
	if err != nil {
		return err
	}
	node, err := d.introduce(n, &req)
	if err != nil {
		return err
	}
	c.say(ws.T("to be read out to the operator over the telephone:", "请通过电话向运营方口头核对："))
	c.say(ws.T("key of institution %s:\n  %s", "机构 %s 的密钥：\n  %s", institution, fingerprint(req.Key.ID())))
	c.say(ws.T("key of site %s:\n  %s", "站点 %s 的密钥：\n  %s", site, fingerprint(publicOf(node).ID())))
	c.say(ws.T("genesis of the network:\n  %s", "网络的创世摘要：\n  %s", fingerprint(n.Genesis)))
	c.say(ws.T("send %s to the operator", "请将 %s 发给运营方", d.path(requestName)))
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// introduce makes the keys of a site and signs its request. All is tried in
// memory first, so that a name that the ledger would refuse leaves no key behind.
func (d folder) introduce(n networkFile, req *requestFile) (node ed25519.PrivateKey, err error) {
	_, trial, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, folderTrouble(err)
	}
	if err := req.sign(trial, trial); err != nil {
		return nil, err
	}
	institution, err := d.makeKey(institutionKey)
	if err != nil {
		return nil, err
	}
	if node, err = d.makeKey(nodeKey); err != nil {
		return nil, err
	}
	if err := req.sign(institution, node); err != nil {
		return nil, err
	}
	user, seed, err := wire.NewUser()
	if err != nil {
		return nil, folderTrouble(err)
	}
	req.User = user
	return node, errors.Join(d.write(userName, []byte(seed)), d.writeJSON(networkName, n), writeJSONFile(d.path(requestName), req, 0o644),
		d.writeJSON(siteName, siteFile{Site: req.Site, Institution: req.Institution}))
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
	case p.Chain != n.Chain || !ed25519.Verify(n.HubKey[:], p.message(), p.Signature[:]):
		return ws.Errorf(ws.Diverged, "", ws.T("the pass is not of the network that is pinned here, or was altered", "通行证不属于此处所固定的网络，或已被改动")).
			WithHint(ws.T("compare the genesis with the operator out of band: %s", "请通过其他渠道与运营方核对创世摘要：%s", fingerprint(n.Genesis)))
	case p.Pass.Site != s.Site || p.Pass.Seed != "":
		return ws.Errorf(ws.Invalid, "", ws.T("the pass is another site's", "该通行证属于其他站点")).Located(ws.Position{File: f.Arg(0)})
	}
	seed, err := os.ReadFile(d.path(userName))
	if err != nil {
		return folderTrouble(err)
	}
	p.Pass.Seed = string(seed)
	if err := d.writeJSON(passName, p.Pass); err != nil {
		return err
	}
	c.say(ws.T("site %s may connect now: wellspring site run --dir %s", "站点 %s 现可连接：wellspring site run --dir %s", s.Site, string(d)))
	return nil
}
