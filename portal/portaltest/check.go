package portaltest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A looks is a way to look at a page.
type look struct {
	name   string
	scheme string
	screen chromedp.Action[chromedp.Void]
}

func looks() []look {
	return []look{{"light", "light", desktop()}, {"dark", "dark", desktop()}, {"phone", "light", phone()}}
}

// Check holds the page that is shown to all rules of axe-core, in light, in dark
// and on a phone, and to a phone's width. Its name is for messages and pictures.
func (b *Browser) Check(name string) {
	b.t.Helper()
	b.checks++
	run(b, "axe-core", chromedp.Steps(scripts(true), chromedp.Evaluate[chromedp.Void](b.axe+";undefined"))) // for it alone; the page has none
	for _, l := range looks() {
		scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}}
		run(b, l.name, chromedp.Steps(l.screen, call(emulation.SetEmulatedMedia, scheme)))
		if width := run(b, "width", width()); l.name == "phone" && width > phoneWidth {
			b.t.Errorf("%s is %v pixels wide on a screen of %d", name, width, phoneWidth)
		}
		for _, v := range b.violations() {
			b.t.Errorf("%s, %s: %s", name, l.name, v)
		}
		b.picture(name + "-" + l.name)
	}
	run(b, "desktop", chromedp.Steps(scripts(false), desktop()))
}

// width is how far a page reaches to the right.
func width() chromedp.Action[float64] {
	return func(ctx context.Context, t *chromedp.Target) (float64, error) {
		m, err := cdp.Call(ctx, t, page.GetLayoutMetrics, cdp.Empty{})
		if err != nil {
			return 0, err
		}
		return m.CSSContentSize.Width, nil
	}
}

// A violation is what axe-core has against a page.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

func (v violation) String() string {
	var all []string
	for _, n := range v.Nodes {
		all = append(all, n.HTML+": "+strings.Join(strings.Fields(n.FailureSummary), " "))
	}
	return fmt.Sprintf("%s (%s): %s: %s", v.ID, v.Impact, v.Help, strings.Join(all, "; "))
}

// audit has axe-core judge by all its rules. What stands still is judged: a
// transition's colours are nobody's.
const audit = `(async () => {
	await Promise.allSettled(document.getAnimations().map((a) => a.finished));
	const r = await axe.run(document, {resultTypes: ["violations"]});
	if (r.passes.length < 5) throw new Error("axe-core tried next to nothing");
	return JSON.stringify(r.violations);
})()`

// violations has axe-core, which is there, judge the page as it is shown.
func (b *Browser) violations() (all []violation) {
	b.t.Helper()
	found := run(b, "axe-core", chromedp.Evaluate[string](audit, chromedp.EvalAwaitPromise))
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		b.t.Fatal(err)
	}
	return all
}

// picture keeps what is shown, where that is asked for.
func (b *Browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("WELLSPRING_PICTURES")
	if dir == "" {
		return
	}
	png := run(b, "picture", chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d-%s.png", b.checks, name)), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
