package run

import (
	"crypto/sha256"
	"encoding"
	"encoding/json"
	"errors"
	"strings"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/study"
)

// marshalAll gives the bytes of each message.
func marshalAll[M encoding.BinaryMarshaler](list []M) ([][]byte, error) {
	out := make([][]byte, len(list))
	for i, m := range list {
		b, err := m.MarshalBinary()
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

func packAll[M encoding.BinaryMarshaler](list []M) ([]byte, error) {
	parts, err := marshalAll(list)
	if err != nil {
		return nil, err
	}
	return pack(parts...), nil
}

// readAll reads a list of messages.
func readAll[M any, P interface {
	*M
	encoding.BinaryUnmarshaler
}](parts [][]byte) ([]M, error) {
	out := make([]M, len(parts))
	for i, b := range parts {
		if err := P(&out[i]).UnmarshalBinary(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// A refusal tells the conductor of what kind a site's error is, and what a
// person may read of it. It never holds a row or a count.
type refusal struct {
	Kind string  `json:"kind"`
	Msg  ws.Text `json:"msg"`
	Hint ws.Text `json:"hint"`
}

func refusalBody(err error) []byte {
	r := refusal{Kind: ws.KindOf(err).String(), Hint: ws.HintOf(err),
		Msg: ws.Text{En: told(err, ws.English), Zh: told(err, ws.Chinese)}}
	b, marshalErr := json.Marshal(r)
	if marshalErr != nil {
		return nil
	}
	return b
}

// maxTold bounds the text of a refusal, in bytes.
const maxTold = 4 << 10

// told is what others may read of an error: the operations and messages that
// are ours. Places in files and the words of an engine below stay at the site:
// they may quote a row.
func told(err error, l ws.Lang) string {
	var parts []string
	var e *ws.Error
	for errors.As(err, &e) {
		for _, s := range []string{e.Op, e.Msg.In(l)} {
			if s != "" {
				parts = append(parts, s)
			}
		}
		err = e.Err
	}
	if parts == nil {
		return ws.T("an unexpected fault at the site", "站点出现意外故障").In(l)
	}
	text := strings.Join(parts, ": ")
	return strings.ToValidUTF8(text[:min(len(text), maxTold)], "")
}

// readRefusal is the error that ends a run at the conductor, and reaches the
// asker. What a site's policy or its rows forbid is told without the site's
// name: whose rows they are is part of what is not released.
func readRefusal(site ws.SiteID, b []byte) error {
	var r refusal
	if len(b) > maxRefusal || json.Unmarshal(b, &r) != nil || r.Msg.IsZero() {
		return ws.At("site "+string(site), malformed())
	}
	kind, op := ws.KindNamed(r.Kind), "site "+string(site)
	if kind == ws.Withheld || kind == ws.Denied {
		op = "a site"
	}
	return ws.Errorf(kind, op, r.Msg).WithHint(r.Hint)
}

// document puts results into the form in which they are released, with the
// digest of its canonical bytes. Its sites are those in the sums.
func document(s *study.Study, last analyze.State, sites []ws.SiteID, results []study.Result) (*study.Document, [32]byte, error) {
	rounds, err := analyze.Rounds(last)
	if err != nil {
		return nil, [32]byte{}, err
	}
	digest, err := s.Digest()
	if err != nil {
		return nil, [32]byte{}, err
	}
	d := &study.Document{Study: s.Metadata.Name, StudyDigest: digest, Sites: sites, Rounds: rounds}
	if s.Analysis != nil && len(results) == 1 {
		d.Result = &results[0]
	} else {
		d.Results = results
	}
	b, err := study.MarshalCanonical(d)
	if err != nil {
		return nil, [32]byte{}, err
	}
	return d, sha256.Sum256(b), nil
}
