package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/site/archive"
	"wellspring/site/book"
	socket "wellspring/site/console"
)

// A backup tells of the whole what its files do not.
type backup struct {
	Role    string         `json:"role"` // hub or site
	Release ws.Release     `json:"release"`
	Made    time.Time      `json:"made"`
	Chain   ledger.ChainID `json:"chain"`
	Height  ledger.Height  `json:"height"`
	Root    ledger.Hash    `json:"root"`
}

// backedUp are the files of a node's folder that a backup may hold, and an archive may bring back.
// Not among them: the journal, whose secrets must not outlive their runs, and which a restored
// node could not go on from; the mesh's memory, but for the count of its starts, and
// the broker's inboxes, since what was under way is sent again; drafts, which are loaded again from their files.
var backedUp = regexp.MustCompile(`^(` + strings.Join([]string{
	`(site|hub|network|pass|request|pins|members)\.json`, `(institution|operator|node)\.key(\.next)?`, `user\.(seed|next)`, `nats\.conf`,
	ledgerName + `/ledger\.log`, `cohorts\.db`, outboxName + `/[0-9a-f]{32}\.json`, wordsName + `/[0-9a-f]{32}\.json`, `mesh/starts`, studiesName + `/[0-9a-f]{64}\.json`, resultsName + `/[0-9a-f]{32}\.json`,
	dataName + `/[^/~]+\.v[0-9]+\.(duckdb|json|salt)`, `broker/keys/[a-z]+\.(nk|pem|key)`, `broker/keys/members/[^/~]+\.nk`,
}, "|") + `)$`)

// Bounds of a passphrase, in bytes.
const (
	minPassphrase = 12
	maxPassphrase = 1024
)

// runBackup is "wellspring backup": the folder of a node, also of one that runs, in one encrypted file.
func runBackup(ctx context.Context, args []string, c *console) error {
	var dir, out, passphrase string
	var recipients []string
	f := flags("backup --dir DIR --out FILE (--recipient age1... | --passphrase-file FILE)", c)
	f.text(&dir, "dir", "DIR", ws.T("the folder of a hub or a site; its node may run", "枢纽或站点的文件夹；节点可在运行中"))
	f.text(&out, "out", "FILE", ws.T("the backup, a new file", "备份文件，须为新文件"))
	f.list(&recipients, "recipient", "KEY", ws.T("public key of age, age1...; more than one may be given, each opens it", "age 公钥，age1...；可给出多个，任一均可打开"))
	f.text(&passphrase, "passphrase-file", "FILE", ws.T("a file with a passphrase of 12 characters or more", "含口令的文件，口令不少于 12 个字符"))
	if err := f.parse(args); err != nil {
		return err
	}
	if dir == "" || out == "" || f.NArg() > 0 || (len(recipients) > 0) == (passphrase != "") {
		return usage(ws.T("backup wants --dir, --out, and either --recipient or --passphrase-file: it holds the node's keys", "backup 须给出 --dir、--out，以及 --recipient 或 --passphrase-file 之一：备份中含有节点密钥"))
	}
	to, err := recipientsOf(recipients, passphrase)
	if err != nil {
		return err
	}
	about, entries, err := folder(dir).entries(c)
	if err != nil {
		return err
	}
	if about.Role == "site" {
		book, err := folder(dir).copyBook(ctx)
		if err != nil {
			return errors.Join(err, closeLedger(entries))
		}
		if book != "" {
			defer os.Remove(folder(dir).path(book)) // the next start removes it too
			entries = append(entries, bookEntry(folder(dir).path(book)))
		}
	}
	size, err := archive.Write(out, to, about, entries)
	if err != nil {
		return err
	}
	c.say(ws.T("%d files, %d bytes, with the ledger to block %d, are in %s", "%[4]s 中有 %[1]d 个文件，共 %[2]d 字节，账本至第 %[3]d 个区块", len(entries), size, about.Height, out))
	return nil
}

// copyBook copies what the site remembers of its askers, by the node that runs and has the file to itself, or
// here if none does. It gives the copy's name; "" where there is nothing yet.
func (d folder) copyBook(ctx context.Context) (string, error) {
	name, err := socket.Dial(string(d)).Copy(ctx)
	if !socket.Absent(err) {
		if err == nil && !copyForm.MatchString(name) {
			err = ws.Errorf(ws.Invalid, "backup", ws.T("the node names another file than its copy", "节点给出的不是副本文件名"))
		}
		return name, err
	}
	if _, err := os.Stat(d.path(cohortsName)); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	b, err := book.Open(d.path(cohortsName))
	if err != nil {
		return "", err
	}
	name = copyName()
	return name, errors.Join(b.Copy(d.path(name)), b.Close())
}

// copyForm is of names of copies of the book, which stand in the folder for the moment of a backup.
var copyForm = regexp.MustCompile(`^cohorts-[0-9a-f]{16}\.copy$`)

func copyName() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return "cohorts-" + hex.EncodeToString(b[:]) + ".copy"
}

// dropCopies removes what backups left that were cut off.
func (d folder) dropCopies() error {
	entries, err := os.ReadDir(string(d))
	for _, e := range entries {
		if copyForm.MatchString(e.Name()) {
			err = errors.Join(err, os.Remove(d.path(e.Name())))
		}
	}
	return folderTrouble(err)
}

func bookEntry(path string) archive.Entry {
	return archive.Entry{Name: cohortsName, Open: archive.FromFile(filepath.Split(path)).Open}
}

// closeLedger closes the first entry, which is open from the beginning.
func closeLedger(entries []archive.Entry) error {
	log, _, _, err := entries[0].Open()
	if err != nil {
		return err
	}
	return log.Close()
}

// recipientsOf are those for whom a backup is encrypted.
func recipientsOf(keys []string, passphrase string) (to []age.Recipient, err error) {
	if passphrase != "" {
		words, err := readPassphrase(passphrase)
		if err != nil {
			return nil, err
		}
		r, err := age.NewScryptRecipient(words)
		return []age.Recipient{r}, err
	}
	for _, k := range keys {
		rs, err := age.ParseRecipients(strings.NewReader(k))
		if err != nil {
			return nil, ws.Errorf(ws.Invalid, "", ws.T("--recipient is no public key of age", "--recipient 不是 age 公钥")).
				WithHint(ws.T("make one with age-keygen, keep its secret part away from this machine, and give the part that begins with age1", "请用 age-keygen 生成，将私有部分保存在其他机器上，并给出以 age1 开头的部分"))
		}
		to = append(to, rs...)
	}
	return to, nil
}

func readPassphrase(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		_, err = readFile(path)
		return "", err
	}
	defer in.Close() // it was only read
	b, err := io.ReadAll(io.LimitReader(in, maxPassphrase+1))
	words := string(bytes.TrimRight(b, "\r\n"))
	if err != nil || len(words) < minPassphrase || len(b) > maxPassphrase || strings.ContainsAny(words, "\r\n") {
		return "", ws.Errorf(ws.Invalid, "", ws.T("a passphrase is one line of %d characters or more", "口令为一行，不少于 %d 个字符", minPassphrase)).Located(ws.Position{File: path}).
			WithHint(ws.T("six words drawn by lot are a good one", "随机抽取的六个词即是好口令"))
	}
	return words, nil
}

// entries are the files of a backup. The ledger comes first: of what else is written while the node
// runs, only what it knows counts.
func (d folder) entries(c *console) (about backup, all []archive.Entry, err error) {
	hub, err := d.isHub()
	if err != nil {
		return about, nil, err
	}
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return about, nil, err
	}
	log, size, state, err := file.Whole(d.path(ledgerName))
	if err != nil {
		return about, nil, ws.Errorf(ws.KindOf(err), "backup", ws.T("the node has no ledger yet, or it cannot be read", "节点尚无账本，或无法读取")).
			WithHint(ws.T("start the node once, so that it has the ledger; before that its folder can be made anew", "请先启动一次节点以取得账本；在此之前，文件夹可重新建立")).Wrap(err)
	}
	about = backup{Role: "site", Release: ws.Version, Made: time.Now().UTC().Truncate(time.Second), Chain: n.Chain, Height: state.Height(), Root: state.Root()}
	all = []archive.Entry{{Name: ledgerName + "/" + file.LogName, Open: func() (io.ReadCloser, int64, time.Time, error) { return log, size, about.Made, nil }}}
	names, err := d.backupFiles()
	if hub {
		about.Role = "hub"
	} else if err == nil {
		var data []string
		data, err = d.backupData(state, c)
		names = append(names, data...)
	}
	if err != nil {
		return about, nil, errors.Join(err, log.Close())
	}
	for _, name := range names {
		all = append(all, archive.FromFile(string(d), name))
	}
	return about, all, nil
}

// backupFiles are the files that are there, but for the ledger and the data.
func (d folder) backupFiles() (names []string, err error) {
	err = fs.WalkDir(os.DirFS(string(d)), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it went meanwhile: no file of those that count ever does
			return nil
		case err != nil:
			return err
		case e.IsDir() && slices.Contains([]string{dataName, draftName, ledgerName, "spill", "broker/frames"}, name):
			return fs.SkipDir
		case e.Type().IsRegular() && name != cohortsName && backedUp.MatchString(name): // the book is copied by itself
			names = append(names, name)
		}
		return nil
	})
	return names, folderTrouble(err)
}

// backupData are the files of the frozen versions that the ledger knows: they never change again.
func (d folder) backupData(s ledger.State, c *console) (names []string, err error) {
	own, err := d.site()
	if err != nil {
		return nil, err
	}
	for name := range s.Datasets(own.Site) {
		for v := 1; v <= s.Latest(own.Site, name); v++ {
			_, err := d.heldOn(s, own.Site, name, v)
			if errors.Is(err, fs.ErrNotExist) {
				c.say(ws.T("version %d of %s is not in this folder, nor in the backup", "该文件夹与备份中均无 %[2]s 的版本 %[1]d", v, name))
				continue
			}
			if err != nil {
				return nil, err
			}
			for _, kind := range []string{"json", "salt", "duckdb"} {
				names = append(names, path.Join(dataName, versionFile(name, v, kind)))
			}
		}
	}
	drafts, _ := fs.Glob(os.DirFS(d.path(draftName)), "*.duckdb")
	for _, name := range drafts {
		c.say(ws.T("the draft of %s is not in the backup; it is loaded again from its file", "%s 的草稿不在备份中；请从原文件重新载入", strings.TrimSuffix(name, ".duckdb")))
	}
	return names, nil
}
