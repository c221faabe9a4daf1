package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/study"
	"wellspring/study/render"
)

// A target is where an answer goes: FILE.json, and tables and figures of its name beside it.
type target struct {
	path  string // "" for nowhere
	force bool
}

func (t *target) flags(f *flagSet) {
	f.text(&t.path, "out", "FILE.json", ws.T("where the answer goes, with .csv and .svg beside it; a former answer there is replaced", "结果文件，旁边另存 .csv 与 .svg；原有结果会被取代"))
	f.bool(&t.force, "force", ws.T("replace other files of these names, too", "同时取代同名的其他文件"))
}

func (t *target) dir() string { return filepath.Dir(t.path) }

func (t *target) base() string {
	return strings.TrimSuffix(filepath.Base(t.path), filepath.Ext(t.path))
}

// ready says before anything is computed why the answer could not be written. Of a study that is not at
// hand, st is nil.
func (t *target) ready(st *study.Study) error {
	if t.path == "" {
		return nil
	}
	if info, err := os.Stat(t.dir()); err != nil || !info.IsDir() {
		return ws.Errorf(ws.Invalid, "", ws.T("there is no folder %s for the answer", "没有用于存放结果的文件夹 %s", t.dir())).
			WithHint(ws.T("make it first, or check --out", "请先建立该文件夹，或检查 --out"))
	}
	if ext := filepath.Ext(t.path); ext == ".csv" || ext == ".svg" {
		return usage(ws.T("--out names the JSON file; tables and figures of its name come beside it", "--out 指定 JSON 文件；同名的表格与图另存于旁"))
	}
	names := []string{filepath.Base(t.path), t.base() + ".csv", t.base() + ".svg"}
	if st != nil {
		for _, a := range st.All() {
			if a.ID != "" {
				names = append(names, t.base()+"-"+a.ID+".csv", t.base()+"-"+a.ID+".svg")
			}
		}
	}
	return t.free(names)
}

// free refuses to replace a file that is no answer of this program. What stands beside a
// former answer, by its name, came with it.
func (t *target) free(names []string) error {
	if t.force || answerAt(t.path) {
		return nil
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(t.dir(), name)); err == nil {
			return ws.Errorf(ws.Invalid, "", ws.T("there is a file already, which is no answer of this program", "该处已有文件，且不是本程序的结果")).Located(ws.Position{File: filepath.Join(t.dir(), name)}).
				WithHint(ws.T("give --out another name, or --force to replace it", "请用 --out 另选名称，或用 --force 取代它"))
		}
	}
	return nil
}

// answerAt tells whether a file is an answer of this program.
func answerAt(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > study.MaxDocument {
		return false
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	_, err = study.ParseDocument(b)
	return err == nil
}

// write puts an answer into its place, in canonical form with tables and figures beside it.
func (t *target) write(st *study.Study, doc *study.Document, lang ws.Lang) error {
	if t.path == "" {
		return nil
	}
	files, err := render.Files(st, doc, lang, t.base())
	if err != nil {
		return err
	}
	b, err := study.MarshalCanonical(doc)
	if err != nil {
		return err
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	if err := t.free(append(names, filepath.Base(t.path))); err != nil {
		return err
	}
	for name, b := range files { // the answer is the last: it says that the others are its own
		if err := t.put(name, b); err != nil {
			return err
		}
	}
	return t.put(filepath.Base(t.path), append(b, '\n'))
}

func (t *target) put(name string, b []byte) error {
	if err := disk.WriteLoose(filepath.Join(t.dir(), name), fs.FileMode(0o644), b); err != nil {
		return ws.Errorf(ws.Other, "", ws.T("the answer cannot be written", "无法写入结果")).Located(ws.Position{File: filepath.Join(t.dir(), name)}).Wrap(err)
	}
	return nil
}
