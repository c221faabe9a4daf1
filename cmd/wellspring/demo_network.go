package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/policy"
	"wellspring/portal"
	socket "wellspring/site/console"
)

// A demoNetwork is a hub and four hospitals in one process: each has a folder, keys, a
// ledger, a journal and a TLS connection of its own, made by the commands that people type.
type demoNetwork struct {
	*demo
	dir   string
	nodes sync.WaitGroup
	mu    sync.Mutex
	ended error // of the nodes that did not end well
}

const (
	demoDataset = "bmt"
	demoHub     = "hub"
	demoKey     = "researcher.key"
	demoHome    = "ohio-state" // the researcher's institution
	demoWaiting = "patients"   // the study that waits for a steward
	demoSteward = "st-vincent" // whose steward whoever tries the demo plays
)

// serve runs the network until ctx is done.
func (d *demo) serve(ctx context.Context, dir string) error {
	inner, stop := context.WithCancel(ctx)
	n := &demoNetwork{demo: d, dir: dir}
	err := n.play(inner, stop)
	stop()
	n.nodes.Wait()
	if err == nil || inner.Err() != nil && ws.KindOf(err) != ws.Other {
		err = n.ended
	}
	return err
}

// play sets the network up, runs what is approved, serves pages, and runs what gets approved.
func (n *demoNetwork) play(ctx context.Context, stop context.CancelFunc) error {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return folderTrouble(err)
	}
	for _, step := range []struct {
		about ws.Text
		do    func() error
	}{
		{ws.T("five folders: a hub, and four hospitals that it admits", "建立五个文件夹：枢纽，以及由其接纳的四家医院"), func() error { return n.found(ctx) }},
		{ws.T("five nodes, each with its keys, its ledger and its own TLS connection", "启动五个节点，各有密钥、账本与独立的 TLS 连接"), func() error { return n.run(ctx, stop) }},
		{ws.T("each hospital loads its patients and freezes them as version 1", "各医院载入患者数据并冻结为版本 1"), func() error { return n.load(ctx) }},
		{ws.T("each pins the keys of the others", "各医院固定彼此的密钥"), func() error { return n.introduce(ctx) }},
		{ws.T("a researcher submits three studies; stewards decide", "研究者提交三项研究；各数据管理员作出决定"), func() error { return n.ask(ctx) }},
	} {
		n.c.say(ws.T("· %s", "· %s", step.about))
		if err := step.do(); err != nil {
			return err
		}
	}
	fmt.Fprintln(n.c.out)
	for _, name := range demoStudies {
		if name == demoWaiting {
			continue
		}
		if err := n.compute(ctx, name); err != nil {
			return err
		}
	}
	if err := n.open(ctx, stop); err != nil {
		return err
	}
	n.tell()
	return n.wait(ctx)
}

// compute has the hub conduct a study, and prints its tables.
func (n *demoNetwork) compute(ctx context.Context, name string) error {
	return n.enter(ctx, n.c.out, io.Discard, "study", "run", "bmt-"+name, "--key", n.path(demoKey), "--dir", n.path(demoHub))
}

// open serves the steward's pages of one hospital and the operator's, and prints the ways in.
func (n *demoNetwork) open(ctx context.Context, stop context.CancelFunc) error {
	home := folder(n.path(demoSteward))
	desk := socket.Dial(string(home))
	n.c.say(ws.T("Open these pages in a browser on this machine. Whoever has an address can do all that its pages can; both are good until Ctrl-C.",
		"请在本机浏览器中打开以下页面。持有地址者即可进行其页面上的一切操作；两个地址均有效至按下 Ctrl-C。"))
	for _, who := range []struct {
		name  ws.Text
		pages portal.Config
	}{
		{ws.T("the steward of %s:", "%s 的数据管理员：", demoSteward), portal.Config{Node: desk, Steward: home.steward(desk)}},
		{ws.T("the operator of the hub:", "枢纽的运营方："), portal.Config{Node: socket.Dial(n.path(demoHub))}},
	} {
		p, l, err := openPages(n.c, "127.0.0.1:0", who.pages)
		if err != nil {
			return err
		}
		n.nodes.Go(func() {
			defer stop()
			n.end(p.Serve(ctx, l))
		})
		n.c.say(who.name)
		fmt.Fprintln(n.c.out, " ", p.URL())
	}
	return nil
}

// end notes how a part of the demo ended.
func (n *demoNetwork) end(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = errors.Join(n.ended, err)
}

func (n *demoNetwork) tell() {
	n.c.say(ws.T("The study bmt-%s waits for the steward. On the steward's pages, open it under Studies, choose Approve… and sign:\nthe hospitals compute it, and its answer stands on the operator's pages.",
		"研究 bmt-%s 正等待数据管理员决定。请在数据管理员页面的“研究”中打开该研究，选择“批准……”并签署：\n各医院随即计算，结果见运营方页面。", demoWaiting))
	n.c.say(ws.T("Or, while this runs, in another terminal:", "运行期间也可在另一终端中执行："))
	for _, line := range []string{
		fmt.Sprintf("wellspring site approve bmt-%s --dir %s", demoWaiting, n.path(demoSteward)),
		"wellspring study show bmt-survival --dir " + n.path(demoHub),
		"wellspring study run bmt-survival --key " + n.path(demoKey) + " --dir " + n.path("alfred"),
		"wellspring ledger show --dir " + n.path(demoHub),
	} {
		fmt.Fprintln(n.c.out, "  "+line)
	}
	n.c.say(ws.T("Ctrl-C ends the demo.", "按 Ctrl-C 结束演示。"))
}

// wait runs the last study once its last steward has approved it, and goes on until ctx is done.
func (n *demoNetwork) wait(ctx context.Context) error {
	clock := time.NewTicker(200 * time.Millisecond)
	defer clock.Stop()
	desk := socket.Dial(n.path(demoHub))
	for done := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-clock.C:
		}
		if done {
			continue
		}
		s, err := oneStudy(ctx, desk, "bmt-"+demoWaiting, "")
		if err != nil || s.Standing(demoSteward) != ledger.Approve {
			continue // a node that is stopping answers nobody
		}
		done = true
		if err := n.compute(ctx, demoWaiting); err != nil {
			return err
		}
	}
}

func (n *demoNetwork) path(name ...string) string {
	return filepath.Join(append([]string{n.dir}, name...)...)
}

// do plays a command as a person would type it; what it prints is not shown.
func (n *demoNetwork) do(ctx context.Context, args ...string) error {
	return n.enter(ctx, io.Discard, io.Discard, args...)
}

// enter has the program do what a person typed.
func (n *demoNetwork) enter(ctx context.Context, out, log io.Writer, args ...string) error {
	of := map[string]func(context.Context, []string, *console) error{"hub": runHub, "site": runSite, "study": runStudy}
	return of[args[0]](ctx, args[1:], &console{out: out, err: log, lang: n.c.lang})
}

// found makes the five folders, once.
func (n *demoNetwork) found(ctx context.Context) error {
	if _, err := os.Stat(n.path(demoHub, hubName)); err == nil {
		return nil
	}
	if err := n.do(ctx, "hub", "init", "--dir", n.path(demoHub), "--name", "demo", "--listen", "127.0.0.1:0"); err != nil {
		return err
	}
	network := n.path(demoHub, networkName)
	for _, h := range hospitals {
		dir, pass := n.path(string(h.site)), n.path(string(h.site)+".pass")
		for _, args := range [][]string{
			{"site", "init", "--dir", dir, "--site", string(h.site), "--institution", string(h.site), "--jurisdiction", h.country, "--network", network},
			{"hub", "admit", filepath.Join(dir, requestName), "--dir", n.path(demoHub), "--out", pass},
			{"site", "join", pass, "--dir", dir},
		} {
			if err := n.do(ctx, args...); err != nil {
				return err
			}
		}
	}
	return n.do(ctx, "study", "key", "--network", network, "--out", n.path(demoKey))
}

// run starts the nodes, whose lines go to a log beside each folder, and waits until all answer.
func (n *demoNetwork) run(ctx context.Context, stop context.CancelFunc) error {
	all := []string{demoHub}
	for _, h := range hospitals {
		all = append(all, string(h.site))
	}
	for _, name := range all {
		log, err := os.OpenFile(n.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return folderTrouble(err)
		}
		role := "site"
		if name == demoHub {
			role = "hub"
		}
		n.nodes.Go(func() {
			defer log.Close()
			defer stop() // one that ends takes the others with it
			n.end(n.enter(ctx, io.Discard, log, role, "run", "--dir", n.path(name)))
		})
		if err := n.awake(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// awake waits until a node answers.
func (n *demoNetwork) awake(ctx context.Context, name string) error {
	desk := socket.Dial(n.path(name))
	for {
		_, err := desk.About(ctx)
		if err == nil || !socket.Absent(err) {
			return err
		}
		select {
		case <-ctx.Done():
			n.mu.Lock()
			defer n.mu.Unlock()
			return errors.Join(n.ended, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// load gives each hospital its patients, and freezes them.
func (n *demoNetwork) load(ctx context.Context) error {
	for i, h := range hospitals {
		d := folder(n.path(string(h.site)))
		state, err := d.state()
		if err != nil {
			return err
		}
		if _, there := state.Version(h.site, demoDataset, 1); there {
			continue
		}
		in := n.inputs[i]
		if err := d.draft(ctx, demoDataset, withoutSite(in.dict), []input{in}, policy.Public()); err != nil {
			return err
		}
		if err := n.do(ctx, "site", "dataset", "freeze", demoDataset, "--dir", string(d)); err != nil {
			return err
		}
	}
	return nil
}

// introduce has every hospital pin the keys of the others. Here one person has all
// five folders; elsewhere people compare them by telephone.
func (n *demoNetwork) introduce(ctx context.Context) error {
	for _, h := range hospitals {
		d := folder(n.path(string(h.site)))
		for _, peer := range hospitals {
			if peer.site == h.site {
				continue
			}
			key, err := folder(n.path(string(peer.site))).key(nodeKey)
			if err != nil {
				return err
			}
			if err := n.pin(ctx, d, peer.site, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *demoNetwork) pin(ctx context.Context, d folder, peer ws.SiteID, key ed25519.PrivateKey) error {
	id := publicOf(key).ID()
	if was, pinned := d.pins().Pinned(peer); pinned && was == id {
		return nil
	}
	return n.do(ctx, "site", "pin", string(peer), fingerprint(id), "--dir", string(d))
}

// ask registers the researcher and the three studies, of which all hospitals
// approve all but the last: that one waits for whoever tries the demo.
func (n *demoNetwork) ask(ctx context.Context) error {
	pub := n.path("researcher.pub")
	if err := n.do(ctx, "site", "requester", "admit", pub, "--dir", n.path(demoHome)); err != nil && ws.KindOf(err) != ws.Denied {
		return err
	}
	for _, name := range demoStudies {
		file := n.path(name + ".yaml")
		b, err := bmt.ReadFile("testdata/bmt/" + name + ".yaml")
		if err == nil {
			err = folderTrouble(disk.Write(file, 0o644, b))
		}
		if err != nil {
			return err
		}
		if err := n.do(ctx, "study", "submit", file, "--key", n.path(demoKey), "--dir", n.path(demoHub)); err != nil {
			return err
		}
		if err := n.approve(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// approve has the hospitals approve a study that waits for nobody.
func (n *demoNetwork) approve(ctx context.Context, name string) error {
	for _, h := range hospitals {
		if name == demoWaiting && h.site == demoSteward {
			continue
		}
		s, err := oneStudy(ctx, socket.Dial(n.path(string(h.site))), "bmt-"+name, "")
		if err != nil {
			return err
		}
		if s.Standing(h.site) == ledger.Approve {
			continue
		}
		if err := n.do(ctx, "site", "approve", "bmt-"+name, "--dir", n.path(string(h.site))); err != nil {
			return err
		}
	}
	return nil
}
