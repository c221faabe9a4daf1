package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	ws "wellspring"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/siege"
)

// runAttack is "wellspring attack": the published attacks, each with the guard off and on, and random strategies.
func runAttack(ctx context.Context, args []string, c *console) error {
	var strategies, dir string
	var keys, sites []string
	f := flags("attack [ID...] [--strategies N] | [ID...] --dir DIR --key FILE... --site DIR...", c)
	f.text(&strategies, "strategies", "N", ws.T("also play so many random strategies, with the guard off and on", "另以随机策略攻击 N 次，防护关闭与开启各一遍"))
	f.text(&dir, "dir", "DIR", ws.T("attack a running network, through this node; it keeps the datasets that are made for it", "攻击正在运行的网络，经由此节点；为此建立的数据集会留在网络中"))
	f.list(&keys, "key", "FILE", ws.T("a requester's key; a second one is of another institution", "请求者的密钥；第二个须属于另一家机构"))
	f.list(&sites, "site", "DIR", ws.T("the folder of a running site that is loaded with a quarter of the rows; four times", "正在运行的站点的文件夹，各载入四分之一的数据；须给出四个"))
	if err := f.parseMixed(args); err != nil {
		return err
	}
	chosen, err := chosenAttacks(f.Args())
	if err != nil {
		return err
	}
	n := 0
	if strategies != "" {
		if n, err = strconv.Atoi(strategies); err != nil || n < 1 || n > 1e6 {
			return usage(ws.T("--strategies wants a number from 1 to 1,000,000", "--strategies 须为 1 到 1,000,000 的整数"))
		}
	}
	open := siege.Open(catalog)
	if dir != "" || len(keys)+len(sites) > 0 {
		if n > 0 {
			return usage(ws.T("random strategies are played in a simulated network", "随机策略只在模拟网络中进行"))
		}
		b, done, err := besiege(c, dir, keys, sites)
		if err != nil {
			return err
		}
		defer done()
		chosen, open = b.able(chosen, f.NArg() > 0), b.open(ctx)
	}
	head := ws.T("Each attack is played with the guard off, and on. A number counts as found within %v, a bit where luck is less likely than %v.",
		"每种攻击在防护关闭与开启时各进行一次。数值误差在 %v 以内算作得手；位的猜中须使碰巧的概率低于 %v。", attack.Tolerance, attack.Chance)
	if !c.json {
		c.say(head)
	}
	lines, err := attack.Run(ctx, chosen, open, func(l attack.Line) {
		if !c.json {
			c.say(attackLine(l))
		}
	})
	if err != nil {
		return err
	}
	report := attackReport{Attacks: lines}
	if n > 0 {
		if report.Fuzz, err = fuzz(ctx, c, uint64(n)); err != nil {
			return err
		}
	}
	if c.json {
		if err := json.NewEncoder(c.out).Encode(report); err != nil {
			return ws.Errorf(ws.Other, "attack", ws.T("the answer cannot be written", "无法写出结果")).Wrap(err)
		}
	}
	return report.judge()
}

// chosenAttacks are those named, or all.
func chosenAttacks(ids []string) (out []attack.Attack, err error) {
	for _, a := range attack.All() {
		if len(ids) == 0 || slices.Contains(ids, a.ID) {
			out = append(out, a)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(out, func(a attack.Attack) bool { return a.ID == id }) {
			return nil, usage(ws.T("there is no attack %q", "没有名为 %q 的攻击", id))
		}
	}
	return out, nil
}

// attackLine is one row of the table.
func attackLine(l attack.Line) ws.Text {
	off, on := ws.T("found", "得手"), ws.T("nothing", "未得手")
	if !l.Off.Succeeds {
		off = ws.T("nothing", "未得手")
	}
	switch {
	case l.On.Succeeds && l.Limit != nil:
		on = ws.T("FOUND, a known limit: %s", "得手，属已知限制：%s", *l.Limit)
	case l.On.Succeeds && l.Open:
		on = ws.T("FOUND, a gap that is not closed yet", "得手，属尚未堵上的缺口")
	case l.On.Succeeds:
		on = ws.T("FOUND", "得手")
	}
	return ws.T("%s  off: %s, on: %s  %s", "%s  关闭：%s，开启：%s  %s", fmt.Sprintf("%-18s", l.ID), off, on, l.Title)
}

// An attackReport is what the command found.
type attackReport struct {
	Attacks []attack.Line `json:"attacks"`
	Fuzz    []fuzzed      `json:"fuzz,omitempty"`
}

// A fuzzed is what came of random strategies.
type fuzzed struct {
	Guarded bool `json:"guarded"`
	attack.Tally
	Advantage attack.Advantage `json:"advantage"`
}

// judge fails where an attack succeeds that should not, or fails with the guard off.
func (r attackReport) judge() error {
	wrong := 0
	for _, l := range r.Attacks {
		if !l.Holds() {
			wrong++
		}
	}
	for _, f := range r.Fuzz {
		if f.Guarded && f.Values+f.Bits+f.Members > 0 {
			wrong++
		}
	}
	if wrong == 0 {
		return nil
	}
	return ws.Errorf(ws.Other, "attack", ws.T("%d attacks do what they should not", "有 %d 种攻击的结局与应有的不符", wrong)).
		WithHint(ws.T("with the guard off each should succeed, and with it on none but by a known limit; see docs/security/attacks.md", "防护关闭时都应得手，开启时除已知限制外都不应得手；参见 docs/security/attacks.zh.md"))
}

// fuzz plays random strategies with the guard off and on.
func fuzz(ctx context.Context, c *console, n uint64) (out []fuzzed, err error) {
	for _, guarded := range []bool{false, true} {
		p := policy.Public()
		if guarded {
			p = policy.Default()
		}
		t, err := siege.Fuzz(ctx, catalog, p, guarded, 0, n)
		if err != nil {
			return nil, err
		}
		f := fuzzed{guarded, t, t.Best()}
		if out = append(out, f); c.json {
			continue
		}
		name := ws.T("off", "关闭")
		if guarded {
			name = ws.T("on", "开启")
		}
		c.say(ws.T("random strategies, guard %s: %d, values found %d, bits %d, memberships %d; the best attacker's advantage on membership %.3f (95%%: %.3f to %.3f)",
			"随机策略，防护%s：%d 次，得到数值 %d 个、位 %d 个、成员身份 %d 个；最佳攻击者判断成员身份的优势 %.3f（95%% 区间：%.3f 至 %.3f）",
			name, t.Strategies, t.Values, t.Bits, t.Members, f.Advantage.Estimate, f.Advantage.Low, f.Advantage.High))
	}
	return out, nil
}
