package draft

import (
	"math"

	ws "wellspring"
	"wellspring/frame"
)

// Options bound what a draft may show of rows.
type Options struct {
	// MinCell is the number of rows that a level, or an extreme value, needs to
	// enter the dictionary, 10 if it is 0; in Public data it is 1.
	MinCell int
	Public  bool
}

// A Survey drafts one dictionary from the files of all sites of a dataset.
type Survey struct {
	opt     Options
	first   string // the file that named the columns
	columns []*Column
	index   map[string]*Column
}

// New returns a survey that has seen no file.
func New(opt Options) *Survey {
	switch {
	case opt.Public:
		opt.MinCell = 1
	case opt.MinCell == 0:
		opt.MinCell = 10
	}
	return &Survey{opt: opt}
}

// File takes up a file by its name and the names of its columns, which are free
// of repeats, and returns the columns in that order. All files must have those
// of the first, in any order; the error names the file that lacks one.
func (s *Survey) File(name string, header []string) ([]*Column, error) {
	if s.index == nil {
		s.first, s.index = name, make(map[string]*Column, len(header))
		for _, h := range header {
			c := newColumn(h, s.opt)
			s.columns = append(s.columns, c)
			s.index[h] = c
		}
	}
	out := make([]*Column, len(header))
	has := make(map[*Column]bool, len(header))
	for i, h := range header {
		if out[i] = s.index[h]; out[i] != nil {
			has[out[i]] = true
			out[i].last = math.Inf(-1)
		}
	}
	for _, c := range s.columns {
		if !has[c] {
			return nil, ws.Errorf(ws.Invalid, "columns", ws.T("the file lacks the column %q", "文件缺少列 %q", c.name)).
				Located(ws.Position{File: name}).WithHint(ws.T("check the spelling of the header", "请检查表头拼写"))
		}
	}
	for i, h := range header {
		if out[i] == nil {
			return nil, ws.Errorf(ws.Invalid, "columns", ws.T("the file lacks the column %q, which %s has", "文件缺少 %[2]s 所含的列 %[1]q", h, name)).
				Located(ws.Position{File: s.first}).
				WithHint(ws.T("leave the column out, or add it to every site's file", "请去掉该列，或在每个站点的文件中补上"))
		}
	}
	return out, nil
}

// Strays are the columns that would hold numbers but for a few values, and are taken for
// text: where the first of these stands, which may be a slip of the pen.
func (s *Survey) Strays() map[string]ws.Position {
	out := map[string]ws.Position{}
	for _, c := range s.columns {
		if c.stray() {
			out[c.name] = c.firstly
		}
	}
	return out
}

// Dictionary is the draft, its columns in the order of the first file; empty
// if there was none.
func (s *Survey) Dictionary() frame.Dictionary {
	d := make(frame.Dictionary, len(s.columns))
	for i, c := range s.columns {
		d[i] = c.draft()
	}
	return d
}
