package broker

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	ws "wellspring"
	"wellspring/mesh"
)

// makeInboxes makes, or brings up to date, a stream and its one consumer for each member,
// each in so many copies.
func makeInboxes(ctx context.Context, nc *nats.Conn, members []Member, limit int64, copies int) error {
	ctx, stop := context.WithTimeout(ctx, startTime)
	defer stop()
	js, err := jetstream.New(nc)
	if err != nil {
		return startTrouble(err)
	}
	if err := patiently(ctx, func(ctx context.Context) error {
		_, err := js.CreateOrUpdateStream(ctx, passStream(copies))
		return err
	}); err != nil {
		return startTrouble(err)
	}
	for _, m := range members {
		if err := patiently(ctx, func(ctx context.Context) error { return makeInbox(ctx, js, m, limit, copies) }); err != nil {
			return startTrouble(err)
		}
	}
	return nil
}

// passMemory is what the hub's account may hold in memory, over all servers.
const passMemory = 64 << 20

// passStream passes on what members write to each other and is not stored. A member
// writes by an import of the hub's account and hears by another, which the server does
// not join; what a stream publishes again it does. The stream keeps the last frame only,
// in memory; it is the servers' own, so that members hear each other without the hub.
// Accounts that imported from each other would hold as many tokens as there are pairs.
func passStream(copies int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: "PASS", Subjects: []string{peerSubjects}, RePublish: &jetstream.RePublish{Source: peerSubjects, Destination: "down.{{wildcard(1)}}.{{wildcard(2)}}"},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxMsgs: 1, MaxBytes: 2 * mesh.MaxFrame, MaxMsgSize: mesh.MaxFrame + 1024,
		Storage: jetstream.MemoryStorage, Replicas: copies, DenyDelete: true, NoAck: true,
		Duplicates: 100 * time.Millisecond, // the least: names of messages that a sender gives are remembered so long
	}
}

func makeInbox(ctx context.Context, js jetstream.JetStream, m Member, limit int64, copies int) error {
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: inboxStream(m.Site), Subjects: []string{"st.*." + mesh.Token(m.Site)},
		// What the receiver has done with goes; what does not fit is refused to its sender, who sends it again.
		Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: senderFrames,
		MaxBytes: limit, MaxMsgSize: mesh.MaxFrame + 1024, Storage: jetstream.FileStorage, Replicas: copies,
		DenyDelete: true, NoAck: false, Duplicates: time.Second,
	})
	if err != nil {
		return err
	}
	_, err = s.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 10 * time.Minute, MaxAckPending: 2 * senderFrames,
		MaxRequestBatch: 64, MaxRequestExpires: time.Minute, MaxWaiting: 16,
	})
	return err
}

// patiently asks again for as long as ctx lasts what a cluster may answer otherwise in a
// moment: between two leaders, or while its servers do not all know what one of them does.
func patiently(ctx context.Context, ask func(context.Context) error) error {
	for {
		once, stop := context.WithTimeout(ctx, 5*time.Second)
		err := ask(once)
		stop()
		if !passing(err) || ctx.Err() != nil {
			return inWords(err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return inWords(err)
		}
	}
}

// unready are refusals of JetStream that pass: of a server that has not heard yet of what
// another does, or of copies that are being made. Their numbers are in its server/errors.json.
var unready = map[jetstream.ErrorCode]bool{
	10005: true, // no suitable peers for placement
	10012: true, // a consumer could not be made
	10049: true, // a stream could not be made
	10059: true, // stream not found, which was made a moment ago
	10069: true, // a stream could not be changed
	10118: true, // stream is offline
}

// passing reports whether what was asked was lost, or refused for the moment.
func passing(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == 503 || unready[api.ErrorCode] // 503 while there is no leader
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// inWords tells a refusal of JetStream by its number, which NATS explains.
func inWords(err error) error {
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) {
		return ws.Errorf(ws.Other, "mesh/broker", ws.T("JetStream refuses with its error %d", "JetStream 以其错误码 %d 拒绝", int(api.ErrorCode))).
			WithHint(ws.T("NATS lists what its numbers mean in server/errors.json", "各错误码的含义见 NATS 的 server/errors.json"))
	}
	return err
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
