package events

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	ws "wellspring"
)

// A Form is how a log is written.
type Form string

// Forms of a log.
const (
	Text Form = "text" // a line an event, for people, in their language
	JSON Form = "json" // an object a line, for programs
)

// A Log takes events. Its methods may be called concurrently.
type Log struct {
	to    *slog.Logger
	quota quota
}

// New makes a log that writes to w.
func New(w io.Writer, f Form, lang ws.Lang) *Log {
	if f == JSON {
		return &Log{to: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: stable}))}
	}
	return &Log{to: slog.New(&lines{w: w, lang: lang})}
}

// Write writes an event.
func (l *Log) Write(e Event) {
	l.to.LogAttrs(context.Background(), e.level, e.name, append([]slog.Attr{{Value: slog.AnyValue(e.text)}}, e.fields...)...)
}

// Trouble writes an error that did not end the node. Others can bring about as many
// as they send letters, so that of very many at one time only the number is written.
func (l *Log) Trouble(err error) {
	may, unwritten := l.quota.take(time.Now())
	if unwritten > 0 {
		l.Write(Unwritten(unwritten))
	}
	if may {
		l.Write(Trouble(err))
	}
}

// Bounds of troubles that are written: so many at one time, and one more each moment.
const (
	troubles = 200
	moment   = 10 * time.Second
)

// A quota is what may still be written.
type quota struct {
	mu        sync.Mutex
	used      int // up to troubles
	since     time.Time
	unwritten int
}

// take asks for one line; unwritten is how many got none before it.
func (q *quota) take(now time.Time) (may bool, unwritten int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if free := int(now.Sub(q.since) / moment); free > 0 {
		q.used, q.since = max(0, q.used-free), now
	}
	if q.used >= troubles {
		q.unwritten++
		return false, 0
	}
	q.used++
	unwritten, q.unwritten = q.unwritten, 0
	return true, unwritten
}

// stable gives every object the names that this package promises.
func stable(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey:
		return slog.String("time", a.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	case slog.MessageKey:
		a.Key = "event"
	case "": // the words for people
		return slog.Attr{}
	}
	return a
}

// lines is a handler for people. Of the attributes it takes the words alone, in which
// the others stand.
type lines struct {
	mu   sync.Mutex
	w    io.Writer
	lang ws.Lang
}

// Enabled implements [slog.Handler].
func (h *lines) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (h *lines) Handle(_ context.Context, r slog.Record) error {
	var words string
	r.Attrs(func(a slog.Attr) bool {
		if t, ok := a.Value.Any().(ws.Text); ok {
			words = t.In(h.lang)
		}
		return words == ""
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := fmt.Fprintf(h.w, "%s %s\n", r.Time.UTC().Format(time.RFC3339), strings.ReplaceAll(words, "\n", " "))
	return err
}

// WithAttrs implements [slog.Handler]; a log has no attributes but its events'.
func (h *lines) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements [slog.Handler].
func (h *lines) WithGroup(string) slog.Handler { return h }
