package broker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	ws "wellspring"
	"wellspring/mesh"
)

// A Member is a node at the broker, with a NATS account of its own.
type Member struct {
	Site ws.SiteID `json:"site"`
	// User is the public key of the node's user, if the node has made it
	// itself ([wire.NewUser]); "" has the broker make one.
	User string `json:"user,omitempty"`
	// To are the nodes that this one may write to; none stands for the hub alone. A
	// member that conducts a study needs the others, and they need it.
	To []ws.SiteID `json:"to,omitempty"`
	// All lets it write to everybody, also to who comes later, whatever To says.
	// What it costs the broker does not grow with their number.
	All bool `json:"all,omitempty"`
	// Since voids the passes that were made at or before it, in seconds of Unix's
	// clock: those of a former user. 0 voids none.
	Since int64 `json:"since,omitempty"`
	// Gone shuts it out, whatever else stands here.
	Gone bool `json:"gone,omitempty"`
}

func (m Member) validate() error {
	if m.Site == HubSite {
		return ws.Errorf(ws.Invalid, "mesh/broker", ws.T("%s is the hub's own name", "%s 是枢纽自己的名称", string(m.Site)))
	}
	return m.Site.Validate()
}

// HubSite is the hub's name as a node.
const HubSite ws.SiteID = "hub"

// An Authority holds the keys from which everybody's right at the broker
// follows: operator, the hub's account, one account a member, certificates.
// Its folder is the hub's alone; who reads it can read and hinder traffic, but sign no letter.
type Authority struct {
	dir      string
	operator nkeys.KeyPair
	system   nkeys.KeyPair
	hub      nkeys.KeyPair
	CA       *CA
}

// OpenAuthority reads the keys in a folder and makes those that are not there.
func OpenAuthority(dir string) (*Authority, error) {
	if err := os.MkdirAll(filepath.Join(dir, "members"), 0o700); err != nil {
		return nil, keyTrouble(err)
	}
	a := &Authority{dir: dir}
	var err error
	if a.CA, err = openCA(dir); err != nil {
		return nil, err
	}
	for _, k := range []struct {
		name string
		to   *nkeys.KeyPair
		make func() (nkeys.KeyPair, error)
	}{{"operator", &a.operator, nkeys.CreateOperator}, {"system", &a.system, nkeys.CreateAccount}, {"hub", &a.hub, nkeys.CreateAccount}} {
		if *k.to, err = openKey(filepath.Join(dir, k.name+".nk"), k.make); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// openKey reads a seed, or makes one where there is none.
func openKey(path string, create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, error) {
	seed, err := os.ReadFile(path)
	if err == nil {
		k, err := nkeys.FromSeed(seed)
		if err != nil {
			return nil, keyTrouble(err)
		}
		return k, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, keyTrouble(err)
	}
	k, err := create()
	if err != nil {
		return nil, keyTrouble(err)
	}
	if seed, err = k.Seed(); err == nil {
		err = writeNew(path, seed)
	}
	if err != nil {
		return nil, keyTrouble(err)
	}
	return k, nil
}

// writeNew writes a file that is not there yet, and syncs it.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func (a *Authority) member(site ws.SiteID) (nkeys.KeyPair, error) {
	return openKey(filepath.Join(a.dir, "members", mesh.Token(site)+".nk"), nkeys.CreateAccount)
}

func public(k nkeys.KeyPair) string {
	p, _ := k.PublicKey() // fails only for a wiped key
	return p
}

// Subjects of the hub's account. A member reaches some of them under shorter names, by the
// imports that its account's JWT lists, and no other.
const (
	upSubjects     = "up.*.hub" // from
	peerSubjects   = "peer.*.*" // from, to: between members; see [passStream]
	downSubjects   = "down.*.*" // from, to: what members hear
	storedSubjects = "st.*.*"   // from, to
	nextSubjects   = "$JS.API.CONSUMER.MSG.NEXT.*.*"
	ackSubjects    = "$JS.ACK.*.*.>"
)

func inboxStream(site ws.SiteID) string { return "IN_" + mesh.Token(site) }

// consumer is the one consumer of each inbox.
const consumer = "me"

func nextSubject(site ws.SiteID) string {
	return "$JS.API.CONSUMER.MSG.NEXT." + inboxStream(site) + "." + consumer
}

func ackSubject(site ws.SiteID) string { return "$JS.ACK." + inboxStream(site) + "." + consumer + ".>" }

// Limits of an account or user.
const (
	memberConns = 4                     // one, and former ones that are not known to be dead
	memberSubs  = 8                     // live frames, answers, stored frames
	maxPayload  = mesh.MaxFrame + 4<<10 // a frame and the client's headers
)

// systemJWT gives the account of the server's own events; with no connections it has no users.
func (a *Authority) systemJWT(conns int64) (string, error) {
	c := jwt.NewAccountClaims(public(a.system))
	c.Name = "SYS"
	c.Limits.Conn = conns
	return c.Encode(a.operator)
}

// hubJWT gives the hub's account: the only one that stores, up to so many bytes.
func (a *Authority) hubJWT(storage int64) (string, error) {
	c := jwt.NewAccountClaims(public(a.hub))
	c.Name = "HUB"
	c.Limits.DisallowBearer = true
	c.Limits.Payload = maxPayload
	c.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: storage, MemoryStorage: passMemory, Streams: jwt.NoLimit, Consumer: jwt.NoLimit, MaxBytesRequired: true}
	// Exports are private: an import needs a token that the hub's account has signed.
	for _, e := range []jwt.Export{
		{Name: "live", Subject: upSubjects, Type: jwt.Service, TokenReq: true},
		{Name: "peer", Subject: peerSubjects, Type: jwt.Service, TokenReq: true},
		{Name: "stored", Subject: storedSubjects, Type: jwt.Service, TokenReq: true},
		{Name: "next", Subject: nextSubjects, Type: jwt.Service, ResponseType: jwt.ResponseTypeStream, TokenReq: true},
		{Name: "ack", Subject: ackSubjects, Type: jwt.Service, TokenReq: true},
		{Name: "in", Subject: downSubjects, Type: jwt.Stream, TokenReq: true},
	} {
		c.Exports.Add(&e)
	}
	return c.Encode(a.operator)
}

// memberJWT gives a member's account: nothing stored, and of the hub's
// subjects those that are the member's own. Its length does not grow with the
// number of members, save by those that To names, nor with that of its former users.
func (a *Authority) memberJWT(m Member) (string, error) {
	k, err := a.member(m.Site)
	if err != nil {
		return "", err
	}
	c := jwt.NewAccountClaims(public(k))
	c.Name = string(m.Site)
	imports := m.imports()
	c.Limits.JetStreamLimits = jwt.JetStreamLimits{}
	c.Limits.AccountLimits = jwt.AccountLimits{Imports: int64(len(imports)), Conn: memberConns, DisallowBearer: true}
	c.Limits.NatsLimits = jwt.NatsLimits{Subs: jwt.NoLimit, Data: jwt.NoLimit, Payload: maxPayload}
	for _, i := range imports {
		if err := addImport(c, i, a.hub); err != nil {
			return "", err
		}
	}
	if m.Since > 0 {
		c.RevokeAt(jwt.All, time.Unix(m.Since, 0))
	}
	if m.Gone {
		c.Limits.Conn = 0
		c.Revoke(jwt.All)
	}
	return c.Encode(a.operator)
}

// imports are the subjects of the hub's account that a member has, under its own names.
func (m Member) imports() []jwt.Import {
	me := mesh.Token(m.Site)
	service := func(subject, local string) jwt.Import {
		return jwt.Import{Subject: jwt.Subject(subject), LocalSubject: jwt.RenamingSubject(local), Type: jwt.Service}
	}
	all := []jwt.Import{
		{Subject: jwt.Subject("down.*." + me), LocalSubject: "in.$1", Type: jwt.Stream},
		service(nextSubject(m.Site), "next"),
		service(ackSubject(m.Site), ackSubject(m.Site)),
	}
	if m.All {
		return append(all, service("up."+me+".hub", "up.hub"), service("peer."+me+".*", "peer.$1"), service("st."+me+".*", "st.$1"))
	}
	for _, to := range m.mayWrite() {
		t := mesh.Token(to)
		all = append(all, service("st."+me+"."+t, "st."+t))
		if to == HubSite {
			all = append(all, service("up."+me+"."+t, "up."+t))
		} else {
			all = append(all, service("peer."+me+"."+t, "peer."+t))
		}
	}
	return all
}

// addImport lets an account have a subject of another, whose key signs that it may.
func addImport(c *jwt.AccountClaims, i jwt.Import, from nkeys.KeyPair) (err error) {
	i.Account = public(from)
	act := jwt.NewActivationClaims(c.Subject)
	act.ImportSubject, act.ImportType = i.Subject, i.Type
	i.Token, err = act.Encode(from)
	c.Imports.Add(&i)
	return err
}

func (m Member) mayWrite() []ws.SiteID {
	if len(m.To) == 0 {
		return []ws.SiteID{HubSite}
	}
	return m.To
}

// userJWT gives a user of an account that may publish and subscribe to so much and no more.
func userJWT(account nkeys.KeyPair, name, user string, pub, sub []string) (string, error) {
	c := jwt.NewUserClaims(user)
	c.Name = name
	c.Permissions.Pub.Allow.Add(pub...)
	c.Permissions.Sub.Allow.Add(sub...)
	c.Limits.Subs = memberSubs
	c.Limits.Payload = maxPayload
	c.AllowedConnectionTypes.Add(jwt.ConnectionTypeStandard, jwt.ConnectionTypeWebsocket, jwt.ConnectionTypeInProcess)
	return c.Encode(account)
}

// A Way is where servers are, and how they are known.
type Way struct {
	URLs     []string // tls:// or wss://
	Roots    string   // the certificates, in PEM, of which one has signed theirs; "" stands for the system's
	TLSFirst bool     // they speak TLS from the first byte
}

// Way is that to the hub's own server at these URLs.
func (a *Authority) Way(urls []string) Way {
	return Way{URLs: urls, Roots: string(a.CA.PEM), TLSFirst: true}
}

// Pass gives a member its pass. The member's account must be known to the servers: see [Broker.Admit].
func (a *Authority) Pass(m Member, w Way) (mesh.Pass, error) {
	account, err := a.member(m.Site)
	if err != nil {
		return mesh.Pass{}, err
	}
	me := mesh.Token(m.Site)
	p := mesh.Pass{Site: m.Site, Inbox: "_IN_" + me, In: "in.*", Hub: HubSite, Live: "up.", Peer: "peer.", Stored: "st.", Next: "next"}
	pub := []string{p.Next, ackSubject(m.Site)}
	for _, to := range m.mayWrite() {
		pub = append(pub, p.LiveTo(to), p.Stored+mesh.Token(to))
	}
	if m.All {
		pub = append(pub, p.Live+mesh.Token(HubSite), p.Peer+"*", p.Stored+"*")
	}
	return a.fill(p, account, m.User, pub, w)
}

// HubPass gives the hub's own node its way to the broker.
func (a *Authority) HubPass(w Way) (mesh.Pass, error) {
	me := mesh.Token(HubSite)
	p := mesh.Pass{Site: HubSite, Inbox: "_IN_" + me, In: "up.*." + me, Live: "down." + me + ".", Stored: "st." + me + ".", Next: nextSubject(HubSite)}
	return a.fill(p, a.hub, "", []string{p.Next, ackSubject(HubSite), p.Live + "*", p.Stored + "*"}, w)
}

func (a *Authority) fill(p mesh.Pass, account nkeys.KeyPair, user string, pub []string, w Way) (mesh.Pass, error) {
	if user == "" {
		k, err := nkeys.CreateUser()
		if err != nil {
			return p, keyTrouble(err)
		}
		seed, err := k.Seed()
		if err != nil {
			return p, keyTrouble(err)
		}
		user, p.Seed = public(k), string(seed)
	}
	if !nkeys.IsValidPublicUserKey(user) {
		return p, ws.Errorf(ws.Invalid, "mesh/broker", ws.T("the public key is not that of a user", "该公钥不是用户公钥"))
	}
	var err error
	if p.JWT, err = userJWT(account, string(p.Site), user, pub, []string{p.In, p.Inbox + ".>"}); err != nil {
		return p, keyTrouble(err)
	}
	p.URLs, p.Roots, p.TLSFirst = w.URLs, w.Roots, w.TLSFirst
	return p, nil
}

// admin gives a user who may make streams and consumers in the hub's account, for an hour.
func (a *Authority) admin() (token, seed string, err error) {
	return visitor(a.hub, "admin", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.DELETE.*",
		"$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DURABLE.CREATE.>", "$JS.API.INFO")
}

// visitor gives a user of an account for an hour, who may ask on these subjects only.
func visitor(account nkeys.KeyPair, name string, ask ...string) (token, seed string, err error) {
	k, err := nkeys.CreateUser()
	if err != nil {
		return "", "", keyTrouble(err)
	}
	c := jwt.NewUserClaims(public(k))
	c.Name = name
	c.Expires = time.Now().Add(time.Hour).Unix()
	c.Permissions.Pub.Allow.Add(ask...)
	c.Permissions.Sub.Allow.Add("_IN_" + name + ".>")
	if token, err = c.Encode(account); err != nil {
		return "", "", keyTrouble(err)
	}
	s, err := k.Seed()
	return token, string(s), err
}

func keyTrouble(err error) error {
	return ws.Errorf(ws.Other, "mesh/broker", ws.T("the broker's keys cannot be made or read", "无法生成或读取消息服务器的密钥")).
		WithHint(ws.T("check the hub's folder and its owner", "请检查枢纽的文件夹及其属主")).Wrap(err)
}
