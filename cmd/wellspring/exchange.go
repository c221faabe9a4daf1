package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/mesh"
	exchanged "wellspring/mesh/folder"
	"wellspring/mesh/wire"
	"wellspring/site/events"
)

// An exchange is the pair of folders of a site in two parts, for a hospital behind
// a one-way gate or without any route: whatever carries files takes them from one
// part's OUT to the other part's IN.
type exchange struct {
	in, out string
	every   time.Duration // 0 where there is a wire
}

// Bounds of how often files are carried, and what it is where nobody says.
const (
	leastEvery   = 50 * time.Millisecond
	mostEvery    = 24 * time.Hour
	defaultEvery = 10 * time.Minute
)

func (x *exchange) flags(f *flagSet) {
	f.text(&x.in, "exchange", "IN OUT", ws.T("the folder to read files from, and the one to write them to", "读取文件的文件夹，以及写出文件的文件夹"))
	f.span(&x.every, "every", leastEvery, mostEvery, ws.T("how often files are carried; default 10m", "文件传递的间隔；默认 10m"))
}

// take reads what follows --exchange IN.
func (x *exchange) take(f *flagSet, words []string) error {
	if x.in == "" && len(words) == 0 && x.every == 0 {
		return nil
	}
	if x.in == "" || len(words) != 1 {
		return usage(ws.T("two folders are wanted: wellspring %s", "须给出两个文件夹：wellspring %s", f.synopsis))
	}
	if x.out = words[0]; sameFolder(x.in, x.out) {
		return usage(ws.T("IN and OUT are one folder", "IN 与 OUT 是同一个文件夹"))
	}
	if x.every == 0 {
		x.every = defaultEvery
	}
	return nil
}

func sameFolder(a, b string) bool {
	left, err := os.Stat(a)
	right, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(left, right)
}

func (x *exchange) given() bool { return x.in != "" }

func (x *exchange) options() exchanged.Options { return exchanged.Options{Every: x.every} }

func (x *exchange) open(self ws.SiteID) (mesh.Carrier, error) {
	return exchanged.Open(self, x.in, x.out, x.options())
}

// schemeFlag is how a member reaches the hub: by TLS, or by WebSocket over TLS.
func schemeFlag(f *flagSet) *string {
	scheme := "tls"
	f.BoolFunc("websocket", "", func(string) error {
		scheme = "wss"
		return nil
	})
	f.about = append(f.about, flagHelp{"--websocket", ws.T("reach the hub by WebSocket, for firewalls that let only that out", "以 WebSocket 连接枢纽，供只放行该方式的防火墙使用")})
	return &scheme
}

// openWire connects a member by its pass.
func openWire(p mesh.Pass, scheme string) (*wire.Carrier, error) {
	if !slices.ContainsFunc(p.URLs, func(u string) bool { return strings.HasPrefix(u, scheme+"://") }) {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("the pass names no %s:// address of the hub", "通行证中没有枢纽的 %s:// 地址", scheme)).
			WithHint(ws.T("leave --websocket out, or ask the operator for WebSocket and a new pass", "请去掉 --websocket，或请运营方提供 WebSocket 及新的通行证"))
	}
	return wire.Open(p, wire.Options{Scheme: scheme})
}

// patienceFlag is how long a site may be silent in a run that this node conducts.
func patienceFlag(f *flagSet) *time.Duration {
	patience := new(time.Duration)
	f.span(patience, "patience", time.Second, 30*24*time.Hour,
		ws.T("how long a site may be silent in a run before it is given up; default 2m", "计算中站点静默多久后被放弃；默认 2m"))
	return patience
}

// siteRelay is the outer part of a site: it has the site's pass and no key of the
// ledger, so that whoever takes it over can lose and delay letters, and no more.
func siteRelay(ctx context.Context, args []string, c *console) error {
	var pass string
	var x exchange
	f := flags("site relay --pass DIR/pass.json --exchange IN OUT", c)
	f.text(&pass, "pass", "FILE", ws.T("pass.json of the inner part's folder, after site join", "内侧部分文件夹中的 pass.json（执行 site join 之后）"))
	x.flags(f)
	scheme, form := schemeFlag(f), logFlag(f)
	if err := f.parseMixed(args); err != nil {
		return err
	}
	if err := x.take(f, f.Args()); err != nil {
		return err
	}
	if pass == "" || !x.given() {
		return usage(ws.T("the command wants: wellspring %s", "该命令的用法：wellspring %s", f.synopsis))
	}
	var p mesh.Pass
	if err := readJSONFile(pass, &p); err != nil {
		return err
	}
	log := newEvents(c, *form)
	return log.end(relay(ctx, p, *scheme, &x, log))
}

func relay(ctx context.Context, p mesh.Pass, scheme string, x *exchange, log *eventLog) error {
	w, err := openWire(p, scheme)
	if err != nil {
		return err
	}
	defer w.Close()
	log.Write(events.RelayServes(p.Site))
	return serveAll(ctx, func(ctx context.Context) error { return exchanged.Relay(ctx, p.Site, w, x.in, x.out, x.options()) },
		func(ctx context.Context) error { return log.watchLink(ctx, w.Up) })
}
