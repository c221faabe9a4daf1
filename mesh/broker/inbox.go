package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"wellspring/mesh"
)

// makeInboxes makes, or brings up to date, a stream and its one consumer for each member.
func makeInboxes(ctx context.Context, nc *nats.Conn, members []Member, limit int64) error {
	ctx, stop := context.WithTimeout(ctx, startTime)
	defer stop()
	js, err := jetstream.New(nc)
	if err != nil {
		return startTrouble(err)
	}
	for _, m := range members {
		s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: inboxStream(m.Site), Subjects: []string{"st.*." + mesh.Token(m.Site)},
			// What the receiver has done with goes; what does not fit is refused to its sender, who sends it again.
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: senderFrames,
			MaxBytes: limit, MaxMsgSize: mesh.MaxFrame + 1024, Storage: jetstream.FileStorage,
			DenyDelete: true, NoAck: false, Duplicates: time.Second,
		})
		if err != nil {
			return startTrouble(err)
		}
		_, err = s.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: consumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 10 * time.Minute, MaxAckPending: 2 * senderFrames,
			MaxRequestBatch: 64, MaxRequestExpires: time.Minute, MaxWaiting: 16,
		})
		if err != nil {
			return startTrouble(err)
		}
	}
	return nil
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// Provision makes the inboxes of the hub and the members at a server that runs
// elsewhere under this authority (see [Authority.ServerConfig]).
func (a *Authority) Provision(ctx context.Context, server string, roots []byte, members []Member, inbox int64) error {
	token, seed, err := a.admin()
	if err != nil {
		return err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13}
	if roots != nil {
		conf.RootCAs = x509.NewCertPool()
		conf.RootCAs.AppendCertsFromPEM(roots)
	}
	nc, err := nats.Connect(server, nats.UserJWTAndSeed(token, seed), nats.CustomInboxPrefix("_IN_admin"), nats.Secure(conf), nats.Timeout(20*time.Second))
	if err != nil {
		return startTrouble(err)
	}
	defer nc.Close()
	if inbox == 0 {
		inbox = Config{}.filled().Inbox
	}
	return makeInboxes(ctx, nc, append([]Member{{Site: HubSite}}, members...), inbox)
}

// ServerConfig gives what a NATS server's own configuration file must hold, so
// that it serves this hub and its members: trust, accounts, and a store that syncs. Addresses, TLS and a
// cluster's routes are for whoever runs it to add.
func (a *Authority) ServerConfig(storeDir string, storage int64, members []Member) (string, error) {
	o := jwt.NewOperatorClaims(public(a.operator))
	o.Name = "wellspring"
	o.SystemAccount = public(a.system)
	operator, err := o.Encode(a.operator)
	if err != nil {
		return "", keyTrouble(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "operator: %s\nsystem_account: %s\nmax_payload: %d\nresolver: MEMORY\nresolver_preload: {\n", operator, public(a.system), maxPayload)
	tokens := []func() (string, error){a.systemJWT, func() (string, error) { return a.hubJWT(storage) }}
	keys := []string{public(a.system), public(a.hub)}
	for _, m := range members {
		k, err := a.member(m.Site)
		if err != nil {
			return "", err
		}
		keys = append(keys, public(k))
		tokens = append(tokens, func() (string, error) { return a.memberJWT(m, false) })
	}
	for i, f := range tokens {
		t, err := f()
		if err != nil {
			return "", keyTrouble(err)
		}
		fmt.Fprintf(&b, "  %s: %s\n", keys[i], t)
	}
	fmt.Fprintf(&b, "}\njetstream: { store_dir: %q, max_file_store: %d, sync_interval: always }\n", storeDir, storage)
	return b.String(), nil
}
