package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/portal"
	socket "wellspring/site/console"
)

// siteConsole serves the steward's console of a site until it is stopped. It is a
// process of its own: the node never has the institution's key.
func siteConsole(ctx context.Context, args []string, c *console) error {
	var listen, function string
	f := flags("site console --dir DIR [--listen HOST:PORT] [--for studies|releases]", c)
	listenFlag(f, &listen)
	f.text(&function, "for", "FUNCTION", ws.T("pages of one function: studies, to approve them, or releases, of answers; both otherwise", "仅提供一种职能的页面：studies（审批研究）或 releases（放行结果）；默认两者皆有"))
	d, s, err := siteDir(f, args, 0)
	if err != nil {
		return err
	}
	desk := socket.Dial(string(d))
	cfg := portal.Config{Node: desk, Steward: d.steward(desk), Reviewer: d.reviewer(desk, s.Site)}
	switch function {
	case "":
	case "studies":
		cfg.Reviewer = nil
	case "releases":
		cfg.Steward = nil
	default:
		return usage(ws.T("--for is studies or releases", "--for 须为 studies 或 releases"))
	}
	return servePages(ctx, c, listen, cfg,
		ws.T("the steward's console of site %s:", "站点 %s 的数据管理员控制台：", s.Site))
}

// hubConsole serves the same pages for the operator, who decides nothing for a site.
func hubConsole(ctx context.Context, args []string, c *console) error {
	var dir, listen string
	f := flags("hub console --dir DIR [--listen HOST:PORT]", c)
	f.text(&dir, "dir", "DIR", ws.T("the hub's folder", "枢纽的文件夹"))
	listenFlag(f, &listen)
	if err := f.parse(args); err != nil {
		return err
	}
	if dir == "" || f.NArg() > 0 {
		return usage(ws.T("hub console wants --dir", "hub console 须给出 --dir"))
	}
	if _, err := folder(dir).hub(); err != nil {
		return err
	}
	return servePages(ctx, c, listen, portal.Config{Node: socket.Dial(dir)}, ws.T("the operator's console:", "运营方控制台："))
}

func listenFlag(f *flagSet, to *string) {
	f.text(to, "listen", "HOST:PORT", ws.T("where pages are served, on this machine alone; 127.0.0.1:7423 otherwise", "页面地址，仅限本机；默认为 127.0.0.1:7423"))
}

// servePages prints the way in and serves until ctx is done.
func servePages(ctx context.Context, c *console, listen string, cfg portal.Config, what ws.Text) error {
	p, l, err := openPages(c, listen, cfg)
	if err != nil {
		return err
	}
	c.say(what)
	fmt.Fprintln(c.out, " ", p.URL())
	c.say(wayIn())
	return p.Serve(ctx, l)
}

// openPages gives pages a place; whoever gets both serves them.
func openPages(c *console, listen string, cfg portal.Config) (*portal.Portal, net.Listener, error) {
	l, err := portal.Listen(listen)
	if err != nil {
		return nil, nil, err
	}
	cfg.Addr, cfg.Lang = l.Addr().String(), c.lang
	p, err := portal.New(cfg)
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return p, l, nil
}

func wayIn() ws.Text {
	return ws.T("whoever has this address can do all that the pages can; it is good until Ctrl-C", "持有该地址者即可进行页面上的一切操作；有效至按下 Ctrl-C")
}

// steward decides with the key of the folder, which is read for each decision.
func (d folder) steward(desk *socket.Client) *portal.Steward {
	return &portal.Steward{Pinned: d.pins().Pinned, Holdings: d.holdings,
		Decide: func(ctx context.Context, questions []ledger.Question, v ledger.Verdict) error {
			return d.decide(ctx, desk, questions, v)
		}}
}

// reviewer releases answers with the key of the folder, which is read for each.
func (d folder) reviewer(desk *socket.Client, site ws.SiteID) *portal.Reviewer {
	return &portal.Reviewer{Outbox: desk.Outbox, Draft: desk.Draft,
		Review: func(ctx context.Context, draft *socket.Draft, r socket.Ruling) error {
			return d.review(ctx, desk, site, draft, r)
		}}
}

var (
	draftForm  = regexp.MustCompile(`^(.+)\.policy$`)
	frozenForm = regexp.MustCompile(`^(.+)\.v([1-9][0-9]{0,8})\.json$`)
)

// holdings lists the drafts and the frozen versions of the folder, the newest
// version of each dataset first.
func (d folder) holdings() ([]portal.Holding, error) {
	var all []portal.Holding
	err := d.files(draftName, draftForm, func(m []string, info fs.FileInfo) error {
		if _, err := os.Stat(d.path(draftName, m[1]+".duckdb")); err == nil {
			all = append(all, portal.Holding{Dataset: ws.Dataset(m[1]), At: info.ModTime()})
		}
		return nil
	})
	frozenErr := d.files(dataName, frozenForm, func(m []string, info fs.FileInfo) error {
		b, err := os.ReadFile(d.path(dataName, m[0]))
		var f frozen
		if err == nil {
			err = json.Unmarshal(b, &f)
		}
		if version, _ := strconv.Atoi(m[2]); err != nil || f.Version != version || string(f.Dataset) != m[1] {
			return ws.Errorf(ws.Diverged, "", ws.T("the description of version %s of %s was altered", "%[2]s 版本 %[1]s 的描述已被改动", m[2], m[1])).
				WithHint(ws.T("restore the site's folder from its backup", "请从备份恢复站点文件夹"))
		}
		all = append(all, portal.Holding{Dataset: f.Dataset, Version: f.Version, At: info.ModTime(), Release: f.Release, Columns: f.Dictionary, Policy: f.Policy})
		return nil
	})
	slices.SortStableFunc(all, func(a, b portal.Holding) int {
		if by := strings.Compare(string(a.Dataset), string(b.Dataset)); by != 0 {
			return by
		}
		return b.Version - a.Version
	})
	return all, errors.Join(err, frozenErr)
}

// files calls take with every file of a folder whose name has a form.
func (d folder) files(dir string, form *regexp.Regexp, take func([]string, fs.FileInfo) error) error {
	entries, err := os.ReadDir(d.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		m := form.FindStringSubmatch(filepath.Base(e.Name()))
		if info, gone := e.Info(); m != nil && gone == nil && err == nil {
			err = take(m, info)
		}
	}
	if err != nil && ws.KindOf(err) == ws.Other {
		return folderTrouble(err)
	}
	return err
}
