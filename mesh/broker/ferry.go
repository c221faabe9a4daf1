package broker

import (
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Bounds of what waits to be carried over; what does not fit is lost, and its
// sender sends it again.
const (
	ferryFrames = 1024
	ferryBytes  = 64 << 20
)

// Ferry carries frames that are not stored from member to member, until the
// connection is closed. A member writes by an import of the hub's account and
// hears by another, and the server does not join the two; members' accounts that
// named each other would hold as many tokens as there are pairs. [Open] has one
// of its own; a server that runs elsewhere needs one, at whoever runs the hub.
func (a *Authority) Ferry(server string, options ...nats.Option) (*nats.Conn, error) {
	k, err := nkeys.CreateUser()
	if err != nil {
		return nil, keyTrouble(err)
	}
	seed, err := k.Seed()
	if err != nil {
		return nil, keyTrouble(err)
	}
	c := jwt.NewUserClaims(public(k))
	c.Name = "ferry"
	c.Permissions.Pub.Allow.Add(downSubjects)
	c.Permissions.Sub.Allow.Add(peerSubjects)
	token, err := c.Encode(a.hub)
	if err != nil {
		return nil, keyTrouble(err)
	}
	options = append([]nats.Option{nats.Name("ferry"), nats.UserJWTAndSeed(token, string(seed)), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.Timeout(20 * time.Second),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}, options...) // nothing is printed
	nc, err := nats.Connect(server, options...)
	if err != nil {
		return nil, startTrouble(err)
	}
	sub, err := nc.Subscribe(peerSubjects, func(m *nats.Msg) {
		_ = nc.Publish("down"+strings.TrimPrefix(m.Subject, "peer"), m.Data) // what is lost is sent again
	})
	if err == nil {
		err = sub.SetPendingLimits(ferryFrames, ferryBytes)
	}
	if err == nil {
		err = nc.FlushTimeout(20 * time.Second)
	}
	if err != nil {
		nc.Close()
		return nil, startTrouble(err)
	}
	return nc, nil
}
