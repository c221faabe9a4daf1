package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"

	ws "wellspring"
	"wellspring/mesh"
)

// ClusterConfig says where a NATS server or cluster is that others run.
type ClusterConfig struct {
	// Keys is the folder of the hub's [Authority], whose operator the servers trust.
	Keys string
	// URLs are the servers, tls:// or wss://, as members reach them: one, or three or more.
	URLs []string
	// Roots are the certificates, in PEM, of which one has signed the servers'; "" stands for the system's.
	Roots string
	// Members are those admitted so far.
	Members []Member
	// Inbox bounds each inbox in bytes; 0 is 256 MiB.
	Inbox int64
}

// Validate checks addresses and certificates.
func (c ClusterConfig) Validate() error {
	for _, raw := range c.URLs {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "tls" && u.Scheme != "wss" || u.Port() == "" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return ws.Errorf(ws.Invalid, "mesh/broker", ws.T("%q is no address of a NATS server", "%q 不是 NATS 服务器的地址", raw)).
				WithHint(ws.T("it has the form tls://HOST:PORT or wss://HOST:PORT", "格式为 tls://主机:端口 或 wss://主机:端口"))
		}
	}
	if n := len(c.sameScheme()); n == 0 || n == 2 || len(slices.Compact(slices.Sorted(slices.Values(c.URLs)))) != len(c.URLs) {
		return ws.Errorf(ws.Invalid, "mesh/broker", ws.T("a NATS cluster is one server, or three or more, each named once", "NATS 集群须为一台服务器，或三台及以上，且不得重复")).
			WithHint(ws.T("of two, neither goes on without the other", "两台服务器中任何一台都无法单独继续工作"))
	}
	if c.Roots != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.Roots)) {
		return ws.Errorf(ws.Invalid, "mesh/broker", ws.T("there is no certificate in PEM", "其中没有 PEM 格式的证书"))
	}
	return nil
}

// Way is that to the servers; NATS servers greet before they speak TLS.
func (c ClusterConfig) Way() Way { return Way{URLs: c.URLs, Roots: c.Roots} }

// sameScheme are the URLs of the first one's scheme; a client does not mix them.
func (c ClusterConfig) sameScheme() []string {
	return slices.DeleteFunc(slices.Clone(c.URLs), func(u string) bool { return u[:3] != c.URLs[0][:3] })
}

// copies is in how many servers an inbox lies: with three, one may be lost.
func (c ClusterConfig) copies() int {
	if len(c.sameScheme()) >= 3 {
		return 3
	}
	return 1
}

// A Cluster is NATS servers that others run and that trust the hub's
// authority. It stands in a [Broker]'s place.
type Cluster struct {
	*Authority
	cfg ClusterConfig

	mu   sync.Mutex
	told map[ws.SiteID]string // what the servers know of a member's rights
}

// Join tells the servers of all members and makes the inboxes, and what passes on
// what members write to each other. It is Unreachable where no server answers.
func Join(ctx context.Context, cfg ClusterConfig) (*Cluster, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Inbox == 0 {
		cfg.Inbox = Config{}.filled().Inbox
	}
	a, err := OpenAuthority(cfg.Keys)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Authority: a, cfg: cfg, told: map[ws.SiteID]string{}}
	if err := c.tell(ctx, cfg.Members...); err != nil {
		return nil, err
	}
	if err := c.inboxes(ctx, append([]Member{{Site: HubSite}}, cfg.Members...)); err != nil {
		return nil, err
	}
	return c, nil
}

// URLs are the addresses of the servers.
func (c *Cluster) URLs() []string { return c.cfg.URLs }

// Hub gives the hub's own pass.
func (c *Cluster) Hub() (mesh.Pass, error) { return c.HubPass(c.cfg.Way()) }

// Admit makes a member's account and inbox, or changes what it may write to, and gives its pass.
func (c *Cluster) Admit(ctx context.Context, m Member) (mesh.Pass, error) {
	if err := m.validate(); err != nil {
		return mesh.Pass{}, err
	}
	if err := c.tell(ctx, m); err != nil {
		return mesh.Pass{}, err
	}
	if err := c.inboxes(ctx, []Member{m}); err != nil {
		return mesh.Pass{}, err
	}
	return c.Pass(m, c.cfg.Way())
}

// Remove shuts a member out at once; its inbox stays.
func (c *Cluster) Remove(ctx context.Context, site ws.SiteID) error {
	return c.tell(ctx, Member{Site: site, Gone: true})
}

// Close leaves the servers as they are.
func (c *Cluster) Close() error { return nil }

// tell has the servers take the accounts of members, those that they do not have yet.
func (c *Cluster) tell(ctx context.Context, members ...Member) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return c.told[m.Site] == fmt.Sprint(m) })
	if len(fresh) == 0 {
		return nil
	}
	const ask = "$SYS.REQ.CLAIMS.UPDATE"
	nc, err := c.dial("_IN_system")(visitor(c.system, "system", ask))
	if err != nil {
		return err
	}
	defer nc.Close()
	ctx, stop := context.WithTimeout(ctx, startTime)
	defer stop()
	for _, m := range fresh {
		token, err := c.memberJWT(m)
		if err != nil {
			return keyTrouble(err)
		}
		said, err := nc.RequestWithContext(ctx, ask, []byte(token))
		if err != nil {
			return clusterTrouble(err)
		}
		var answer struct {
			Data  struct{ Code int }
			Error *struct{ Description string }
		}
		if err := json.Unmarshal(said.Data, &answer); err != nil || answer.Error != nil || answer.Data.Code != 200 {
			return clusterTrouble(errors.Join(err, fmt.Errorf("an account was not taken: %.200s", said.Data)))
		}
		c.told[m.Site] = fmt.Sprint(m)
	}
	return nil
}

func (c *Cluster) inboxes(ctx context.Context, members []Member) error {
	nc, err := c.dial("_IN_admin")(c.admin())
	if err != nil {
		return err
	}
	defer nc.Close()
	return makeInboxes(ctx, nc, members, c.cfg.Inbox, c.cfg.copies())
}

// dial connects a user, whose answers come under a prefix, to one of the servers.
func (c *Cluster) dial(prefix string) func(token, seed string, err error) (*nats.Conn, error) {
	return func(token, seed string, err error) (*nats.Conn, error) {
		if err != nil {
			return nil, err
		}
		options := append(c.options(), nats.UserJWTAndSeed(token, seed), nats.CustomInboxPrefix(prefix), nats.Timeout(20*time.Second))
		nc, err := nats.Connect(c.servers(), options...)
		if err != nil {
			return nil, clusterTrouble(err)
		}
		return nc, nil
	}
}

// servers are the addresses as the client wants them.
func (c *Cluster) servers() string { return strings.Join(c.cfg.sameScheme(), ",") }

// options are how the servers are known, and that no others are gone to.
func (c *Cluster) options() []nats.Option {
	conf := &tls.Config{MinVersion: tls.VersionTLS13}
	if c.cfg.Roots != "" {
		conf.RootCAs = x509.NewCertPool()
		conf.RootCAs.AppendCertsFromPEM([]byte(c.cfg.Roots))
	}
	return []nats.Option{nats.Secure(conf), nats.IgnoreDiscoveredServers(), nats.SkipHostLookup()}
}

// ServerConfig gives what the configuration of NATS servers must hold, so that
// they serve this hub and its members: trust, accounts, and a store that syncs
// and holds up to so many bytes. Names, addresses, TLS and routes are for whoever runs them to add.
func (a *Authority) ServerConfig(storage int64) (string, error) {
	operator, err := a.operatorJWT()
	if err != nil {
		return "", err
	}
	system, err := a.systemJWT(8)
	if err != nil {
		return "", keyTrouble(err)
	}
	hub, err := a.hubJWT(storage)
	if err != nil {
		return "", keyTrouble(err)
	}
	return fmt.Sprintf(serverConfig, operator, public(a.system), maxPayload, public(a.system), system, public(a.hub), hub, storage), nil
}

// operatorJWT names who signs accounts, for the servers to trust.
func (a *Authority) operatorJWT() (string, error) {
	o := jwt.NewOperatorClaims(public(a.operator))
	o.Name = "wellspring"
	o.SystemAccount = public(a.system)
	token, err := o.Encode(a.operator)
	if err != nil {
		return "", keyTrouble(err)
	}
	return token, nil
}

// serverConfig holds no secret: what stands in it are signed public keys.
const serverConfig = `# What NATS servers need to serve this network. In each server's own file:
# 为本网络服务的 NATS 服务器所需的配置。在每台服务器自己的配置文件中：
#
#   include "nats.conf"
#   server_name: nats-1
#   listen: 0.0.0.0:4222
#   tls { cert_file: "cert.pem", key_file: "key.pem", min_version: "1.3" }
#   cluster { name: wellspring, listen: 0.0.0.0:6222, routes: ["nats-route://nats-2:6222", "nats-route://nats-3:6222"]
#             tls { cert_file: "cert.pem", key_file: "key.pem", ca_file: "ca.pem", verify: true } }
#
operator: %s
system_account: %s
max_payload: %d
resolver: { type: full, dir: "accounts", allow_delete: false, interval: "2m" }
resolver_preload: {
  %s: %s
  %s: %s
}
jetstream: { store_dir: "jetstream", max_file_store: %d, sync_interval: always }
`

func clusterTrouble(err error) error {
	kind := ws.Other
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		kind = ws.Unreachable
	}
	return ws.Errorf(kind, "mesh/broker", ws.T("the NATS servers do not answer, or do not serve this hub", "NATS 服务器无应答，或未为此枢纽服务")).
		WithHint(ws.T("check that they run with the nats.conf that hub init wrote, and that their certificate is trusted here", "请确认它们使用 hub init 所写的 nats.conf 运行，且其证书在此受信任")).Wrap(err)
}
