package main

import (
	"bytes"
	"context"
	"os"

	ws "wellspring"
	"wellspring/ledger"
)

// An audit counts what a ledger holds while it is replayed, and looks for the
// commitments that a result fits.
type audit struct {
	kinds  map[ledger.Kind]int
	result *ledger.Hash
	fits   []ws.Text
}

// ledgerVerify replays a ledger with every check and says what is proved.
func ledgerVerify(ctx context.Context, args []string, c *console) error {
	var genesis, result, salt string
	f := flags("ledger verify FILE", c)
	f.text(&genesis, "genesis", "FILE", ws.T("the genesis that the ledger must begin with, from another source", "账本须以其开始的创世交易，应来自另一来源"))
	f.text(&result, "result", "FILE", ws.T("a result.json that the ledger must have a commitment to", "账本中须有其承诺值的 result.json"))
	f.text(&salt, "salt", "HEX", ws.T("the salt from the result's release package", "结果发布包中的盐值"))
	if err := f.parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 || (result == "") != (salt == "") {
		return usage(ws.T("ledger verify wants one file, and --result with --salt or neither", "ledger verify 须给出一个文件；--result 与 --salt 须同时给出"))
	}
	a := &audit{kinds: map[ledger.Kind]int{}}
	if err := a.expect(result, salt); err != nil {
		return err
	}
	s, err := readLedger(f.Arg(0), func(b ledger.Block, s ledger.State) error {
		if b.Height == 1 && genesis != "" {
			if err := sameGenesis(genesis, b.Txs[0]); err != nil {
				return err
			}
		}
		for _, tx := range b.Txs {
			a.see(tx, s)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	return a.report(s, genesis != "", c)
}

// expect reads the result and its salt.
func (a *audit) expect(result, salt string) error {
	if result == "" {
		return nil
	}
	var s ledger.Salt
	if err := s.UnmarshalText([]byte(salt)); err != nil {
		return err
	}
	b, err := os.ReadFile(result)
	if err != nil {
		return ws.Errorf(ws.Invalid, "", ws.T("the file %s cannot be read", "无法读取文件 %s", result)).Wrap(err)
	}
	h := ledger.Commit(s, b)
	a.result = &h
	return nil
}

// sameGenesis compares the ledger's first transaction with one from elsewhere.
func sameGenesis(path string, first ledger.Tx) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return ws.Errorf(ws.Invalid, "", ws.T("the file %s cannot be read", "无法读取文件 %s", path)).Wrap(err)
	}
	if !bytes.Equal(bytes.TrimSpace(b), first.Bytes()) {
		return ws.Errorf(ws.Diverged, "", ws.T("the ledger has another genesis: it is another chain", "账本的创世交易不同：这是另一条链")).
			WithHint(ws.T("ask for the network's genesis on a way that you trust", "请经可信途径索取该网络的创世交易"))
	}
	return nil
}

// see counts a transaction, and notes whether it commits to the result.
func (a *audit) see(tx ledger.Tx, s ledger.State) {
	a.kinds[tx.Body().Kind()]++
	if a.result == nil {
		return
	}
	author, _ := s.Key(tx.Author())
	switch b := tx.Body().(type) {
	case *ledger.CloseRun:
		if b.Result == *a.result {
			a.fits = append(a.fits, ws.T("%s closed run %s with it", "%s以此结果关闭了计算 %s", signerName(author), string(b.Run)))
		}
	case *ledger.ReleaseResult:
		if b.Result == *a.result {
			a.fits = append(a.fits, ws.T("%s released it, from run %s", "%s发布了该结果，来自计算 %s", signerName(author), string(b.Run)))
		}
	}
}

// report says what is proved, and what is not.
func (a *audit) report(s ledger.State, sameGenesis bool, c *console) error {
	if a.result != nil && len(a.fits) == 0 {
		return ws.Errorf(ws.Diverged, "", ws.T("no commitment on the ledger fits this result and salt", "账本上没有与该结果及盐值相符的承诺")).
			WithHint(ws.T("the result was altered, the salt is another, or the ledger is older than the result", "结果被更改、盐值不符，或账本早于该结果"))
	}
	chain, _ := s.Chain()
	c.say(ws.T("chain %s", "链 %s", chain.ID))
	c.say(ws.T("%d blocks, root %s", "%d 个区块，根 %s", s.Height(), s.Root()))
	c.say(ws.T("institutions %d, sites %d, versions %d, studies %d, decisions %d, runs opened %d, results released %d",
		"机构 %d，站点 %d，数据集版本 %d，研究 %d，决定 %d，开启计算 %d，发布结果 %d",
		count(s, "institution/"), count(s, "site/"), count(s, "version/"), count(s, "study/"), a.kinds["decision"], count(s, "run/"), count(s, "release/")))
	for _, fit := range a.fits {
		c.say(ws.T("the result: %s", "结果：%s", fit))
	}
	c.say(ws.T("proved: every transaction is signed by whom it must be signed by, follows from those before, and gives the stated root",
		"已证明：每笔交易均由应签者签名，与之前的交易衔接，并得出所述的根"))
	if !sameGenesis {
		c.say(ws.T("not proved: that this is your network; give --genesis from a source that you trust", "未证明：这是您的网络；请以 --genesis 给出来自可信来源的创世交易"))
	}
	c.say(ws.T("not proved: that nothing was left off at the end, such as a later withdrawal; one node wrote this ledger", "未证明：末尾没有遗漏（例如之后的撤回）；该账本由单一节点写成"))
	return nil
}

func count(s ledger.State, prefix ledger.Key) (n int) {
	for range s.Values(prefix) {
		n++
	}
	return n
}
