package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/ledger"
	"wellspring/ledger/file"
)

// runLedger is "wellspring ledger show|export|verify".
func runLedger(ctx context.Context, args []string, c *console) error {
	subcommands := map[string]func(context.Context, []string, *console) error{"show": ledgerShow, "export": ledgerExport, "verify": ledgerVerify}
	if len(args) > 0 {
		if slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
			c.say(ledgerUsage)
			return nil
		}
		if run, ok := subcommands[args[0]]; ok {
			return run(ctx, fileLast(args[1:]), c)
		}
	}
	return usage(ws.T("ledger wants one of: show, export, verify", "ledger 之后须为 show、export 或 verify"))
}

// fileLast puts a file that stands before the flags behind them, where package
// flag wants it.
func fileLast(args []string) []string {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return append(slices.Clone(args[1:]), args[0])
	}
	return args
}

var ledgerUsage = ws.T(`Usage:
  wellspring ledger show FILE            every transaction in plain words; --json: one JSON object a line
  wellspring ledger show --dir DIR       the same, of a node's folder, also while the node runs
  wellspring ledger export --dir DIR --out FILE [--genesis FILE]
                                         the whole ledger in one file, to be verified elsewhere
  wellspring ledger verify FILE [--genesis FILE] [--result result.json --salt HEX]
                                         replay everything, and say what is proved`,
	`用法：
  wellspring ledger show FILE            以平实语言列出每笔交易；--json 时每行一个 JSON 对象
  wellspring ledger show --dir DIR       同上，读取节点的文件夹；节点运行时亦可
  wellspring ledger export --dir DIR --out FILE [--genesis FILE]
                                         将整个账本写入一个文件，供他处验证
  wellspring ledger verify FILE [--genesis FILE] [--result result.json --salt HEX]
                                         重放全部内容，并说明已证明什么`)

// ledgerShow tells every transaction in plain words.
func ledgerShow(ctx context.Context, args []string, c *console) error {
	var dir string
	f := flags("ledger show [FILE]", c)
	f.text(&dir, "dir", "DIR", ws.T("the folder of a node's ledger, in place of FILE", "节点账本的文件夹，代替 FILE"))
	if err := f.parse(args); err != nil {
		return err
	}
	if (dir == "") == (f.NArg() == 0) || f.NArg() > 1 {
		return usage(ws.T("ledger show wants one file, or --dir", "ledger show 须给出一个文件或 --dir"))
	}
	show := func(b ledger.Block, s ledger.State) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return c.showBlock(b, s)
	}
	if dir != "" {
		_, err := file.Follow(ledgerOf(dir), show)
		return err
	}
	_, err := readLedger(f.Arg(0), show)
	return err
}

// ledgerOf is the folder of the ledger in a node's folder, or the folder itself.
func ledgerOf(dir string) string {
	if info, err := os.Stat(folder(dir).path(ledgerName)); err == nil && info.IsDir() {
		return folder(dir).path(ledgerName)
	}
	return dir
}

// readLedger replays a file with every check.
func readLedger(path string, each func(ledger.Block, ledger.State) error) (ledger.State, error) {
	in, err := os.Open(path)
	if err != nil {
		return ledger.State{}, ws.Errorf(ws.Invalid, "", ws.T("the file %s cannot be read", "无法读取文件 %s", path)).Wrap(err)
	}
	defer in.Close() // it was only read
	info, err := in.Stat()
	if err == nil && info.IsDir() {
		return ledger.State{}, ws.Errorf(ws.Invalid, "", ws.T("%s is a folder", "%s 是文件夹", path)).
			WithHint(ws.T("give --dir to show or export it; verify wants an exported file", "show 与 export 请使用 --dir；verify 须为导出的文件"))
	}
	if err != nil {
		return ledger.State{}, ws.Errorf(ws.Invalid, "", ws.T("the file %s cannot be read", "无法读取文件 %s", path)).Wrap(err)
	}
	s, err := file.Read(in, info.Size(), each)
	if err == nil && s.Height() == 0 {
		err = ws.Errorf(ws.Invalid, path, ws.T("the ledger is empty", "账本为空"))
	}
	return s, ws.At(path, err)
}

// showBlock prints the transactions of a block, each on a line.
func (c *console) showBlock(b ledger.Block, s ledger.State) error {
	for _, tx := range b.Txs {
		author, _ := s.Key(tx.Author())
		if !c.json {
			fmt.Fprintf(c.out, "%6d  %-24s %s\n", b.Height, signerName(author).In(c.lang), tx.Body().Describe().In(c.lang))
			continue
		}
		line, err := json.Marshal(struct {
			Height ledger.Height   `json:"height"`
			Holder ledger.Holder   `json:"holder"`
			Name   string          `json:"name"`
			Digest ledger.Hash     `json:"digest"`
			Root   ledger.Hash     `json:"root"`
			Tx     json.RawMessage `json:"tx"`
		}{b.Height, author.Holder, author.Name, tx.Digest(), b.Root, tx.Bytes()})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s\n", line)
	}
	return nil
}

// signerName tells who signed.
func signerName(k ledger.Registered) ws.Text {
	switch k.Holder {
	case ledger.ByInstitution:
		return ws.T("institution %s", "机构 %s", k.Name)
	case ledger.BySite:
		return ws.T("site %s", "站点 %s", k.Name)
	case ledger.ByRequester:
		return ws.T("requester %s", "请求者 %s", k.Name[:min(8, len(k.Name))])
	}
	return ws.T("operator", "运营方")
}

// ledgerExport writes the whole ledger of a folder into one file.
func ledgerExport(_ context.Context, args []string, c *console) error {
	var dir, out, genesis string
	f := flags("ledger export", c)
	f.text(&dir, "dir", "DIR", ws.T("the folder of a node's ledger", "节点账本的文件夹"))
	f.text(&out, "out", "FILE", ws.T("where to write the ledger", "账本写入何处"))
	f.text(&genesis, "genesis", "FILE", ws.T("where to write the genesis, to be handed over on another way", "创世交易写入何处，应经另一途径交付"))
	if err := f.parse(args); err != nil {
		return err
	}
	if dir == "" || out == "" || f.NArg() > 0 {
		return usage(ws.T("ledger export wants --dir and --out", "ledger export 须给出 --dir 和 --out"))
	}
	var s ledger.State
	err := writeWhole(out, func(w io.Writer) (err error) {
		s, err = file.Export(ledgerOf(dir), w)
		return err
	})
	if err == nil && genesis != "" {
		err = exportGenesis(out, genesis)
	}
	if err != nil {
		return err
	}
	c.say(ws.T("%d blocks were written to %s; root %s", "已将 %d 个区块写入 %s；根为 %s", s.Height(), out, s.Root()))
	return nil
}

var errEnough = errors.New("enough")

// exportGenesis writes the first transaction of a log into a file of its own.
func exportGenesis(log, path string) error {
	var first ledger.Tx
	_, err := readLedger(log, func(b ledger.Block, _ ledger.State) error {
		first = b.Txs[0]
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		return err
	}
	return writeWhole(path, func(w io.Writer) error {
		_, err := w.Write(append(first.Bytes(), '\n'))
		return err
	})
}

// writeWhole makes a file with all that write gives it, or none.
func writeWhole(path string, write func(io.Writer) error) error {
	err := disk.WriteWith(path, 0o644, write)
	if err == nil {
		return nil
	}
	if ws.KindOf(err) != ws.Other {
		return err
	}
	return ws.Errorf(ws.Invalid, "", ws.T("the file %s cannot be written", "无法写入文件 %s", path)).Wrap(err)
}
