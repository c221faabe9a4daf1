package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/mesh"
)

// Relay is the outer part of a site in two parts: it stands where there is a
// network, holds the site's pass but no key, and moves frames between the wire
// and the two folders until ctx is done. What it carries is signed by others and
// judged by others; it can lose and delay, and nothing else. IN is the folder that
// it reads, the inner part's OUT; OUT the one that it writes.
//
// A frame that comes again while its file may still be on the way is written
// once, since the other end of the wire sends again long before an exchange.
func Relay(ctx context.Context, site ws.SiteID, wire mesh.Carrier, in, out string, o Options) error {
	c, err := Open(site, in, out, o)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.outward = true
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, pump := range []func(context.Context, *Carrier, mesh.Carrier) error{inward, outward} {
		wg.Go(func() {
			defer cancel()
			errs[i] = pump(ctx, c, wire)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// inward writes what comes over the wire into OUT.
func inward(ctx context.Context, c *Carrier, wire mesh.Carrier) error {
	written := map[[32]byte]time.Time{}
	for {
		p, err := wire.Take(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		sum := sha256.Sum256(p.Frame)
		if at, known := written[sum]; !known || time.Since(at) > 2*c.o.Every {
			if err := c.Put(ctx, c.self, p.Frame, true); err != nil {
				continue // it comes again
			}
			written[sum] = time.Now()
		}
		if p.Done != nil {
			p.Done()
		}
		if len(written) > maxTaken {
			for k, at := range written {
				if time.Since(at) > 2*c.o.Every {
					delete(written, k)
				}
			}
		}
	}
}

// outward sends what lies in IN over the wire, to whom the file's name says.
func outward(ctx context.Context, c *Carrier, wire mesh.Carrier) error {
	for {
		if err := c.look(); err != nil {
			return err
		}
		for _, file := range c.queue {
			b, ok := c.read(file)
			if !ok {
				continue
			}
			to, ok := siteOf(frame.FindStringSubmatch(file)[1])
			if !ok || wire.Put(ctx, to, b, false) != nil {
				delete(c.taken, file) // looked at again
				continue
			}
			_ = os.Remove(filepath.Join(c.in, file)) // IN may be read-only; it is then read once in this process
		}
		c.queue = nil
		select {
		case <-time.After(c.o.Look):
		case <-ctx.Done():
			return nil
		}
	}
}

// siteOf undoes mesh.Token.
func siteOf(token string) (ws.SiteID, bool) {
	s := ws.SiteID(token)
	if h, ok := strings.CutPrefix(token, "x-"); ok {
		b, err := hex.DecodeString(h)
		if err != nil {
			return "", false
		}
		s = ws.SiteID(b)
	}
	return s, s.Validate() == nil && mesh.Token(s) == token
}
