package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	ws "wellspring"
	"wellspring/collect/csv"
	"wellspring/frame"
	"wellspring/study"
)

// runStudy is "wellspring study new|check|dictionary|schema".
func runStudy(ctx context.Context, args []string, c *console) error {
	subcommands := map[string]func([]string, *console) error{
		"new": studyNew, "check": studyCheck, "dictionary": studyDictionary, "schema": studySchema,
	}
	if len(args) > 0 {
		if run, ok := subcommands[args[0]]; ok {
			return run(args[1:], c)
		}
	}
	return usage(ws.T("study wants one of: new FILE..., check FILE, dictionary FILE..., schema [result]",
		"study 之后须为:new FILE...、check FILE、dictionary FILE... 或 schema [result]"))
}

// infer reads the columns of CSV files, and a name from the first one's.
func infer(name string, args []string, c *console) (frame.Dictionary, string, error) {
	f := flags("study "+name, c)
	public := f.Bool("public", false, "the rows are public: list every level 数据公开:列出全部水平")
	missing := f.String("na", "", "more texts that mean missing, separated by commas 表示缺失的其他文本")
	if err := parseFlags(f, args); err != nil {
		return nil, "", err
	}
	if f.NArg() == 0 {
		return nil, "", usage(ws.T("name at least one CSV file", "请至少给出一个 CSV 文件"))
	}
	opt := csv.Options{Public: *public}
	if *missing != "" {
		opt.Missing = strings.Split(*missing, ",")
	}
	d, err := csv.Infer(f.Args(), opt)
	base := filepath.Base(f.Arg(0))
	return d, strings.TrimSuffix(base, filepath.Ext(base)), err
}

// studyNew drafts a study from the columns of CSV files.
func studyNew(args []string, c *console) error {
	d, name, err := infer("new", args, c)
	if err == nil {
		_, err = c.out.Write(study.New(d, name))
	}
	return err
}

// studyDictionary drafts the dictionary of CSV files, to be edited and then
// given to every site.
func studyDictionary(args []string, c *console) error {
	d, _, err := infer("dictionary", args, c)
	if err != nil {
		return err
	}
	b, err := study.MarshalDictionary(d)
	if err == nil {
		_, err = c.out.Write(b)
	}
	return err
}

// studyCheck says whether a study file is sound, and its digest.
func studyCheck(args []string, c *console) error {
	if len(args) != 1 {
		return usage(ws.T("study check wants one file", "study check 须给出一个文件"))
	}
	st, err := readStudy(args[0])
	if err != nil {
		return err
	}
	digest, err := st.Digest()
	if err != nil {
		return err
	}
	c.say(ws.T("the study is sound", "研究文件无误"))
	fmt.Fprintf(c.out, "%s\n", digest)
	return nil
}

// studySchema prints the JSON Schema of study files, or of results.
func studySchema(args []string, c *console) error {
	schema := study.Schema()
	switch {
	case len(args) == 1 && args[0] == "result":
		schema = study.ResultSchema()
	case len(args) > 0:
		return usage(ws.T("study schema takes nothing, or: result", "study schema 不带参数,或带 result"))
	}
	_, err := c.out.Write(schema)
	return err
}
