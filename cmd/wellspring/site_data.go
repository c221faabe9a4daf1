package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"regexp"
	"strings"

	ws "wellspring"
	"wellspring/collect/csv"
	"wellspring/engine/duckdb"
	"wellspring/frame"
	"wellspring/ledger"
	"wellspring/policy"
	socket "wellspring/site/console"
)

// A dataset's draft lies in DIR/draft, a store of its own, so that it can be
// loaded while the site runs. Frozen versions lie in DIR/data, a file each.
const (
	draftName = "draft"
	dataName  = "data"
)

// datasetForm is what the ledger takes as a name; it is safe in a file's name.
var datasetForm = regexp.MustCompile(`^[a-zA-Z0-9\x{4E00}-\x{9FFF}][a-zA-Z0-9\x{4E00}-\x{9FFF}._-]{0,63}$`)

func datasetNamed(s string) (ws.Dataset, error) {
	if !datasetForm.MatchString(s) {
		return "", ws.Errorf(ws.Invalid, "", ws.T("a dataset's name has 1 to 64 letters (ASCII or Chinese), digits, '.', '_' or '-'", "数据集名称由 1 到 64 个字母（ASCII 或汉字）、数字、“.”、“_”或“-”组成"))
	}
	return ws.Dataset(s), nil
}

// siteLoad loads a file as the draft of a dataset.
func siteLoad(ctx context.Context, args []string, c *console) error {
	var s simulation
	f := flags("site load NAME FILE --dir DIR", c)
	f.list(&s.dictionaries, "dictionary", "FILE", ws.T("dictionary that binds the rows; inferred from them otherwise", "约束数据的字典；默认由数据推断"))
	f.text(&s.policy, "policy", "FILE", ws.T("the dataset's policy; the product's default otherwise", "数据集的策略文件；默认采用产品的默认策略"))
	f.text(&s.missing, "na", "TEXTS", ws.T("more texts that mean missing, separated by commas", "表示缺失的其他文本，以逗号分隔"))
	d, own, err := siteDir(f, args, 2)
	if err != nil {
		return err
	}
	name, err := datasetNamed(f.Arg(0))
	if err != nil {
		return err
	}
	p, err := s.limits()
	if err != nil {
		return err
	}
	opt := csv.Options{Public: p.MinCell <= 1, MinCell: int(p.MinCell)}
	if s.missing != "" {
		opt.Missing = strings.Split(s.missing, ",")
	}
	in := []input{{site: own.Site, path: f.Arg(1), opt: opt}}
	if err := dictionaries(ctx, s.dictionaries, in); err != nil {
		return err
	}
	dict := withoutSite(in[0].dict)
	if err := d.draft(ctx, name, dict, in, p); err != nil {
		return err
	}
	for _, col := range dict {
		fmt.Fprintf(c.out, "%s\t%s\n", col.Name, col.Type)
	}
	tellStrays(c, in[0].strays)
	c.say(ws.T("the draft of %s is loaded; freeze it: wellspring site dataset freeze %s --dir %s", "%s 的草稿已载入；请冻结：wellspring site dataset freeze %s --dir %s", name, name, string(d)))
	return nil
}

// draft puts rows into the draft's store, in place of the former one.
func (d folder) draft(ctx context.Context, name ws.Dataset, dict frame.Dictionary, in []input, p policy.Policy) error {
	loading := d.path(draftName, string(name)+".loading")
	if err := errors.Join(os.RemoveAll(loading), os.RemoveAll(loading+".wal")); err != nil {
		return folderTrouble(err)
	}
	err := withStore(ctx, d.path(draftName), string(name)+".loading", func(s *duckdb.Store) error {
		return s.Load(ctx, name, dict, batches(ctx, in, dict, nil))
	})
	if err == nil {
		err = d.writeJSON(draftName+"/"+string(name)+".policy", p)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(loading))
	}
	return folderTrouble(os.Rename(loading, d.path(draftName, string(name)+".duckdb")))
}

// withStore opens one store alone in this process.
func withStore(ctx context.Context, dir, file string, f func(*duckdb.Store) error) error {
	h, err := duckdb.OpenHost(dir, duckdb.Options{MemoryMiB: 256})
	if err != nil {
		return err
	}
	s, err := h.Store(ctx, file)
	if err == nil {
		err = errors.Join(f(s), s.Close())
	}
	return errors.Join(err, h.Close())
}

// A frozen is the description of a version, to which the ledger holds a
// commitment: its bytes, with those of the salt before them, are what is hashed.
type frozen struct {
	Dataset    ws.Dataset       `json:"dataset"`
	Version    int              `json:"version"`
	Release    ws.Release       `json:"release"`
	Dictionary frame.Dictionary `json:"dictionary"`
	Policy     policy.Policy    `json:"policy"`
	Rows       string           `json:"rows"` // SHA-256 of the rows, column by column
}

// versionFile names a file of a version: its rows, its description, its salt.
func versionFile(name ws.Dataset, v int, kind string) string {
	return fmt.Sprintf("%s.v%d.%s", name, v, kind)
}

// siteDataset is "wellspring site dataset freeze".
func siteDataset(ctx context.Context, args []string, c *console) error {
	if len(args) == 0 || args[0] != "freeze" {
		return usage(ws.T("site dataset wants: freeze NAME --dir DIR", "site dataset 的用法：freeze NAME --dir DIR"))
	}
	f := flags("site dataset freeze NAME --dir DIR", c)
	d, own, err := siteDir(f, args[1:], 1)
	if err != nil {
		return err
	}
	name, err := datasetNamed(f.Arg(0))
	if err != nil {
		return err
	}
	desk := socket.Dial(string(d))
	key, err := d.key(institutionKey)
	if err != nil {
		return err
	}
	// Signing waits until the ledger here knows the key; only then are its versions known.
	if _, err := desk.Sign(ctx, key, &ledger.AddVersion{Commitment: ledger.Hash{1}, Dataset: name, Site: own.Site, Version: 1}); err != nil {
		return err
	}
	about, err := desk.About(ctx)
	if err != nil {
		return err
	}
	version := about.Latest(name) + 1
	commitment, err := d.freeze(ctx, name, version)
	if err != nil {
		return err
	}
	if err := desk.Do(ctx, key, &ledger.AddVersion{Commitment: commitment, Dataset: name, Site: own.Site, Version: version}); err != nil {
		return err
	}
	c.say(ws.T("version %d of %s is frozen and on the ledger", "%[2]s 的版本 %[1]d 已冻结并登记到账本", version, name))
	return nil
}

// freeze makes the draft a version in files of its own and gives its
// commitment. A version that is there, of which the ledger did not learn, is taken as it is.
func (d folder) freeze(ctx context.Context, name ws.Dataset, version int) (h ledger.Hash, err error) {
	if err := os.MkdirAll(d.path(dataName), 0o700); err != nil {
		return h, folderTrouble(err)
	}
	if _, err := os.Stat(d.path(dataName, versionFile(name, version, "duckdb"))); err == nil {
		_, h, err := d.described(name, version)
		return h, err
	}
	if _, err := os.Stat(d.path(draftName, string(name)+".duckdb")); errors.Is(err, fs.ErrNotExist) {
		return h, ws.Errorf(ws.Invalid, "", ws.T("there is no draft of %s", "没有 %s 的草稿", name)).
			WithHint(ws.T("load one: wellspring site load %s FILE --dir %s", "请先载入：wellspring site load %s FILE --dir %s", name, string(d)))
	}
	f := frozen{Dataset: name, Version: version, Release: ws.Version}
	if err := readJSONFile(d.path(draftName, string(name)+".policy"), &f.Policy); err != nil {
		return h, err
	}
	err = withStore(ctx, d.path(draftName), string(name)+".duckdb", func(s *duckdb.Store) error {
		v, err := s.Freeze(ctx, name)
		if err != nil {
			return err
		}
		src, err := s.Open(ctx, name, v)
		if err != nil {
			return err
		}
		f.Dictionary = src.Dictionary()
		f.Rows, err = digestRows(ctx, src)
		return err
	})
	if err != nil {
		return h, err
	}
	return d.keepVersion(f)
}

// keepVersion puts a version's files into their place, the rows last: they say that all is there.
func (d folder) keepVersion(f frozen) (h ledger.Hash, err error) {
	b, err := json.Marshal(f)
	if err != nil {
		return h, folderTrouble(err)
	}
	salt, err := ledger.NewSalt(rand.Reader)
	if err != nil {
		return h, err
	}
	text, _ := salt.MarshalText() // never fails
	file := func(kind string) string { return dataName + "/" + versionFile(f.Dataset, f.Version, kind) }
	if err := errors.Join(d.write(file("salt"), text), d.write(file("json"), b)); err != nil {
		return h, err
	}
	return ledger.Commit(salt, b), folderTrouble(os.Rename(d.path(draftName, string(f.Dataset)+".duckdb"), d.path(file("duckdb"))))
}

// heldOn is held by what a state of the ledger has of the version.
func (d folder) heldOn(s ledger.State, site ws.SiteID, name ws.Dataset, version int) (frozen, error) {
	on, _ := s.Version(site, name, version)
	return d.held(on.Commitment, site, name, version)
}

// held describes a version of a site that is in its folder, as the ledger has it; on is
// its commitment there.
func (d folder) held(on ledger.Hash, site ws.SiteID, name ws.Dataset, version int) (frozen, error) {
	f, commitment, err := d.described(name, version)
	if errors.Is(err, fs.ErrNotExist) {
		return f, ws.Errorf(ws.Invalid, "data", ws.T("version %d of %s is not in the folder of site %s", "站点 %[3]s 的文件夹中没有 %[2]s 的版本 %[1]d", version, name, site)).
			WithHint(ws.T("it was frozen after the backup that the folder was restored from; load it again, freeze it as the next version, and approve the study anew", "该版本冻结于恢复所用备份之后；请重新载入、冻结为下一版本，并重新批准该研究")).Wrap(fs.ErrNotExist)
	}
	if err == nil && on != commitment {
		err = altered(name, version)
	}
	return f, err
}

func altered(name ws.Dataset, version int) error {
	return ws.Errorf(ws.Diverged, "data", ws.T("version %d of %s here is not the one on the ledger", "此处 %[2]s 的版本 %[1]d 与账本不符", version, name)).
		WithHint(ws.T("restore the site's folder from its backup", "请从备份恢复站点文件夹"))
}

// described reads a version's description and gives its commitment.
func (d folder) described(name ws.Dataset, version int) (f frozen, h ledger.Hash, err error) {
	b, err := os.ReadFile(d.path(dataName, versionFile(name, version, "json")))
	if err != nil {
		return f, h, folderTrouble(err)
	}
	text, err := os.ReadFile(d.path(dataName, versionFile(name, version, "salt")))
	if err != nil {
		return f, h, folderTrouble(err)
	}
	var salt ledger.Salt
	if err := errors.Join(salt.UnmarshalText(bytes.TrimSpace(text)), json.Unmarshal(b, &f)); err != nil {
		return f, h, ws.Errorf(ws.Diverged, "", ws.T("the description of version %d of %s was altered", "%[2]s 版本 %[1]d 的描述已被改动", version, name)).
			WithHint(ws.T("restore the site's folder from its backup", "请从备份恢复站点文件夹"))
	}
	return f, ledger.Commit(salt, b), nil
}

// digestRows hashes every column that a study may read, in their order, however the rows are cut into batches.
func digestRows(ctx context.Context, src frame.Source) (string, error) {
	var q frame.Query
	for _, c := range src.Dictionary() {
		if c.Type != frame.Identifier {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	hashes := make([]interface {
		Write([]byte) (int, error)
		Sum([]byte) []byte
	}, len(q.Columns))
	for i := range hashes {
		hashes[i] = sha256.New()
	}
	for b, err := range src.Scan(ctx, q) {
		if err != nil {
			return "", err
		}
		for i, v := range b.Columns {
			var buf []byte
			for _, x := range v.Real {
				buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(x))
			}
			for _, code := range v.Code {
				buf = binary.LittleEndian.AppendUint32(buf, uint32(code))
			}
			hashes[i].Write(buf)
		}
	}
	all := sha256.New()
	for _, h := range hashes {
		all.Write(h.Sum(nil))
	}
	return "sha256:" + hex.EncodeToString(all.Sum(nil)), nil
}
