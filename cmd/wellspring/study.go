package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	ws "wellspring"
	"wellspring/collect/csv"
	"wellspring/frame"
	"wellspring/study"
)

// runStudy is "wellspring study new|check|dictionary|schema", and on a network
// key|submit|run|result|show|stop.
func runStudy(ctx context.Context, args []string, c *console) error {
	return subcommand(ctx, "study", map[string]func(context.Context, []string, *console) error{
		"new": studyNew, "check": studyCheck, "dictionary": studyDictionary, "schema": studySchema,
		"key": studyKey, "submit": studySubmit, "run": studyRun, "result": studyResult, "show": studyShow, "stop": studyStop,
	}, studyUsage, args, c)
}

var studyUsage = ws.T(`Usage:
  wellspring study new FILE...             draft a study from the columns of files
  wellspring study check FILE              say whether a study file is sound, and its digest
  wellspring study dictionary FILE...      draft the dictionary of files, to be edited; then it binds
  wellspring study schema [result]         the JSON Schema of study files, or of results
On a network:
  wellspring study key --network network.json | --renew old.key --out me.key
                                           make a requester's key; me.pub goes to its institution
  wellspring study submit FILE --key me.key --dir DIR
                                           register a study by a running node
  wellspring study run STUDY --key me.key --dir DIR [--sites A,B,C] [--out result.json]
                                           have the node of DIR conduct it
  wellspring study run --stand-in RUN --dir DIR [--out result.json]
                                           take over a run whose conductor is gone
  wellspring study result STUDY|RUN --dir DIR [--out result.json]
                                           deliver again what the node of DIR conducted
  wellspring study show STUDY --dir DIR    decisions and runs
  wellspring study stop STUDY --dir DIR    stop what the node of DIR conducts`,
	`用法：
  wellspring study new FILE...             由数据文件的列起草研究文件
  wellspring study check FILE              检查研究文件是否无误，并给出摘要值
  wellspring study dictionary FILE...      由数据文件起草字典；编辑后即具约束力
  wellspring study schema [result]         研究文件（或结果）的 JSON Schema
在网络上：
  wellspring study key --network network.json | --renew old.key --out me.key
                                           生成请求者密钥；me.pub 交给所属机构
  wellspring study submit FILE --key me.key --dir DIR
                                           经运行中的节点登记研究
  wellspring study run STUDY --key me.key --dir DIR [--sites A,B,C] [--out result.json]
                                           由 DIR 的节点主持计算
  wellspring study run --stand-in RUN --dir DIR [--out result.json]
                                           接替主持方已失联的计算
  wellspring study result STUDY|RUN --dir DIR [--out result.json]
                                           再次给出 DIR 的节点所主持计算的结果
  wellspring study show STUDY --dir DIR    查看决定与计算
  wellspring study stop STUDY --dir DIR    终止 DIR 的节点所主持的计算`)

// draftFiles infers the dictionary of files, and takes a name from the first one's.
func draftFiles(ctx context.Context, name string, args []string, c *console) (frame.Dictionary, string, error) {
	var public bool
	var missing string
	f := flags("study "+name+" FILE...", c)
	f.bool(&public, "public", ws.T("anyone may read the rows: list every level", "数据公开：列出全部水平"))
	f.text(&missing, "na", "TEXTS", ws.T("more texts that mean missing, separated by commas", "表示缺失的其他文本，以逗号分隔"))
	if err := f.parse(args); err != nil {
		return nil, "", err
	}
	if f.NArg() == 0 {
		return nil, "", usage(ws.T("name at least one CSV or Parquet file", "请至少给出一个 CSV 或 Parquet 文件"))
	}
	opt := csv.Options{Public: public}
	if missing != "" {
		opt.Missing = strings.Split(missing, ",")
	}
	var inputs []input
	for _, path := range f.Args() {
		inputs = append(inputs, input{path: path, opt: opt})
	}
	d, strays, err := infer(ctx, inputs)
	tellStrays(c, strays)
	base := filepath.Base(f.Arg(0))
	return d, strings.TrimSuffix(base, filepath.Ext(base)), err
}

// studyNew drafts a study from the columns of files.
func studyNew(ctx context.Context, args []string, c *console) error {
	d, name, err := draftFiles(ctx, "new", args, c)
	if err == nil {
		_, err = c.out.Write(study.New(d, name))
	}
	return err
}

// studyDictionary drafts the dictionary of files, to be edited and then
// given to every site.
func studyDictionary(ctx context.Context, args []string, c *console) error {
	d, _, err := draftFiles(ctx, "dictionary", args, c)
	if err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(d)
	}
	b, err := study.MarshalDictionary(d)
	if err == nil {
		_, err = c.out.Write(b)
	}
	return err
}

// studyCheck says whether a study file is sound, and its digest.
func studyCheck(_ context.Context, args []string, c *console) error {
	f := flags("study check FILE", c)
	if err := f.parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usage(ws.T("study check wants one file", "study check 须给出一个文件"))
	}
	st, err := readStudy(f.Arg(0))
	if err != nil {
		return err
	}
	digest, err := st.Digest()
	if err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(named{st.Metadata.Name, digest})
	}
	c.say(ws.T("the study is sound", "研究文件无误"))
	fmt.Fprintf(c.out, "%s\n", digest)
	return nil
}

// A study that is named, for programs.
type named struct {
	Study  string `json:"study"`
	Digest string `json:"study_digest"`
}

// studySchema prints the JSON Schema of study files, or of results.
func studySchema(_ context.Context, args []string, c *console) error {
	f := flags("study schema [result]", c)
	if err := f.parse(args); err != nil {
		return err
	}
	schema := study.Schema()
	switch {
	case f.NArg() == 1 && f.Arg(0) == "result":
		schema = study.ResultSchema()
	case f.NArg() > 0:
		return usage(ws.T("study schema takes nothing, or: result", "study schema 不带参数，或带 result"))
	}
	_, err := c.out.Write(schema)
	return err
}
