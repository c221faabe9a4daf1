package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// What a cluster refuses for a moment is asked again; what it refuses for good is told at
// once, by the number that NATS gives it and none of its words.
func TestPatiently(t *testing.T) {
	t.Parallel()
	refusal := func(code int, number jetstream.ErrorCode) error {
		return fmt.Errorf("asked: %w", &jetstream.APIError{Code: code, ErrorCode: number, Description: "of /srv/nats"})
	}
	for _, c := range []struct {
		err   error
		times int
		says  string
	}{
		{refusal(503, 10008), 3, ""}, // no leader
		{refusal(400, 10005), 3, ""},
		{refusal(404, 10059), 3, ""},
		{context.DeadlineExceeded, 3, ""},
		{refusal(500, 10047), 1, "10047"}, // insufficient storage
		{errors.New("closed"), 1, ""},
	} {
		asked := 0
		err := patiently(t.Context(), func(context.Context) error {
			if asked++; asked < 3 {
				return c.err
			}
			return nil
		})
		if asked != c.times || (err == nil) != (c.times == 3) {
			t.Errorf("%v: asked %d times, ended with %v", c.err, asked, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "/srv")) {
			t.Errorf("%v: it says %q", c.err, err)
		}
	}
}
