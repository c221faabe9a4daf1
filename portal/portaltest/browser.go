package portaltest

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A Browser is one person's Chromium with one page. What fails ends its test.
type Browser struct {
	t      *testing.T
	ctx    context.Context
	axe    string
	checks int // pages that were checked
}

// Times that a page may take on a busy machine.
const (
	pageTime    = 30 * time.Second
	browserTime = 4 * time.Minute
)

// Open starts a Chromium of its own for a test, with an empty profile, which goes
// when it has left. A page's scripts do not run in it.
func Open(t *testing.T) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lacking(t, "chromium", err)
	}
	script := axe(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-crash-reporter", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en"), chromedp.WSURLReadTimeout(pageTime))
	limited, stopAll := context.WithTimeout(context.Background(), browserTime)
	allocator, stop := chromedp.NewExecAllocator(limited, options...)
	ctx, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && limited.Err() == nil {
			t.Logf("chromium: %v", err)
		}
		leave()
		stop()
		stopAll()
	})
	b := &Browser{t: t, ctx: ctx, axe: script}
	if err := chromedp.Do(ctx, scripts(false), desktop()); err != nil { // the first one starts it
		t.Fatalf("chromium does not start: %v", err)
	}
	return b
}

// scripts lets pages run scripts, or not.
func scripts(run bool) chromedp.Action[chromedp.Void] {
	return call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

func desktop() chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(1280, 860) }

// phone is the narrowest screen to which WCAG 2.2 holds a page (1.4.10).
func phone() chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(phoneWidth, 640, chromedp.EmulateMobile, chromedp.EmulateTouch)
}

const phoneWidth = 320

func call[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// run plays one action, which must end in time.
func run[T any](b *Browser, what string, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	out, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return out
}

// Go opens an address.
func (b *Browser) Go(address string) {
	b.t.Helper()
	run(b, address, chromedp.Navigate(address))
}

// Click follows the first link, or presses the first button, whose text has the
// words, and waits for the page that it leads to.
func (b *Browser) Click(words string) {
	b.t.Helper()
	at := chromedp.Search(fmt.Sprintf(`//*[self::a or self::button][contains(normalize-space(.), %s)]`, strconv.Quote(words)))
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(at)); err != nil {
		b.t.Fatalf("click %q: %v, at %s", words, err, b.Text())
	}
}

// Open shows what a summary with the words hides.
func (b *Browser) Open(words string) {
	b.t.Helper()
	run(b, words, chromedp.Click(chromedp.Search(fmt.Sprintf(`//summary[contains(normalize-space(.), %s)]`, strconv.Quote(words)))))
}

// Text is what the page shows. It is asked of the document itself: a node that was
// looked up before may be one of the page that is just leaving.
func (b *Browser) Text() string {
	b.t.Helper()
	return run(b, "the page's text", text())
}

func text() chromedp.Action[string] {
	return chromedp.EvaluateAsDevTools[string]("document.body.innerText")
}

// Says fails the test where the page lacks one of the words.
func (b *Browser) Says(words ...string) {
	b.t.Helper()
	shown := b.Text()
	for _, w := range words {
		if !strings.Contains(shown, w) {
			b.t.Errorf("%s does not say %q: %s", run(b, "address", chromedp.Location()), w, shown)
		}
	}
}

// Await loads the page again until it has the words.
func (b *Browser) Await(words string) {
	b.t.Helper()
	for until := time.Now().Add(pageTime); !strings.Contains(b.Text(), words); {
		if time.Now().After(until) {
			b.t.Fatalf("%q does not come: %s", words, b.Text())
		}
		run(b, "reload", chromedp.Reload())
	}
}

// Becomes waits until the page, which loads itself again, has the words.
func (b *Browser) Becomes(words string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	shown := ""
	for ctx.Err() == nil {
		if now, err := chromedp.Run(ctx, text()); err == nil { // else the page is just leaving
			if shown = now; strings.Contains(shown, words) {
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	b.t.Fatalf("the page does not become one that says %q: %s", words, shown)
}
