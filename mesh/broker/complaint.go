package broker

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// A Part is what of the server a complaint is about. The server's own words hold
// addresses and subjects, and are not passed on.
type Part string

// Parts of the server.
const (
	Login   Part = "login"   // a stranger, or one whose right is not known
	TLS     Part = "tls"     // a handshake that failed
	Storage Part = "storage" // the disk, or the room for inboxes
	Slow    Part = "slow"    // a member that does not take what is sent
	Limit   Part = "limit"   // too many connections, or too long a message
	Other   Part = "other"
)

// marks tell the parts by words of the server's, small letters; the first that fits counts.
var marks = []struct {
	part  Part
	words []string
}{
	{TLS, []string{"tls", "x509", "certificate"}},
	{Login, []string{"authentication", "authorization", "permissions violation", "jwt", "nkey", "credentials"}},
	{Slow, []string{"slow consumer", "readloop processing time"}},
	{Storage, []string{"jetstream", "no space", "disk", "stream", "filestore", "storage"}},
	{Limit, []string{"maximum", "exceeded"}},
}

// partOf tells what a complaint is about.
func partOf(words string) Part {
	words = strings.ToLower(words)
	for _, m := range marks {
		for _, w := range m.words {
			if strings.Contains(words, w) {
				return m.part
			}
		}
	}
	return Other
}

// quiet is how long after a complaint others about the same part are not told.
const quiet = time.Minute

// complaints is the server's log: warnings and errors are told by their part, the rest
// goes nowhere.
type complaints struct {
	tell func(Part)
	mu   sync.Mutex
	last map[Part]time.Time
}

func (c *complaints) take(format string, v []any) {
	p := partOf(fmt.Sprintf(format, v...))
	c.mu.Lock()
	now := time.Now()
	due := now.Sub(c.last[p]) >= quiet
	if due {
		c.last[p] = now
	}
	c.mu.Unlock()
	if due {
		c.tell(p)
	}
}

// Warnf implements the server's Logger, as do the others.
func (c *complaints) Warnf(format string, v ...any) { c.take(format, v) }

// Errorf takes an error.
func (c *complaints) Errorf(format string, v ...any) { c.take(format, v) }

// Fatalf takes one that the server does not bear.
func (c *complaints) Fatalf(format string, v ...any) { c.take(format, v) }

// Noticef takes what the server says of a connection that it cuts for being slow.
func (c *complaints) Noticef(format string, v ...any) {
	if strings.Contains(format, "Slow Consumer") && !strings.Contains(format, "Recovered") {
		c.take(format, v)
	}
}

// Debugf takes nothing.
func (c *complaints) Debugf(string, ...any) {}

// Tracef takes nothing.
func (c *complaints) Tracef(string, ...any) {}
