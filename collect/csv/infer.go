package csv

import (
	"io"

	ws "wellspring"
	"wellspring/frame"
)

// Bounds of what inference keeps of a column.
const (
	maxLevels       = 40   // DataSHIELD's levels.max
	maxPublicLevels = 1000 // of a text column in public data
)

// Infer drafts the dictionary of a dataset from the files of all its sites
// together, each read once from beginning to end. Columns come in the order of
// the first file; all files must have the same ones, in any order.
//
//   - A column is numeric if all its values are numbers at every site, none
//     padded with zeros as codes are; it is an integer if none has a fraction.
//   - Min and Max lie outside the values, on a grid of about a twentieth of
//     their span, so that they show no row's extreme. A column of at most 40
//     integers keeps an extreme that MinCell rows share; one of 0 and 1, or of
//     1 and 2, is [0, 1] or [1, 2].
//   - Levels of a factor stand in code-point order. They are those of at least
//     MinCell rows over all files; if that leaves some out, Other is set. An
//     integer column of at most 40 values has those of MinCell rows as Levels.
//   - A text column of more than 40 values names persons as far as the program
//     can tell: it is an identifier. So is one whose values nearly all differ
//     (95 %) and of which none fills MinCell; and whole numbers of 15 digits,
//     and those that all have 10 digits or more and are more than 40 or nearly
//     all different.
//   - A column without a value is real, between 0 and 0.
//
// In Public data, MinCell is 1, and a text column is a factor of up to 1000
// levels unless it has more than 40 and nearly all differ.
//
// A column that one of the files lacks, and a mistake in a file, is Invalid
// and names the file.
//
// Cost:  one pass over each file; a column holds at most 1000 texts of 200
// characters, and 41 numbers.
// Leaks: what the dictionary shows, to whoever sees it.
func Infer(paths []string, opt Options) (frame.Dictionary, error) {
	if len(paths) == 0 {
		return nil, ws.Errorf(ws.Invalid, "csv", ws.T("no file was given", "未给出文件"))
	}
	switch {
	case opt.Public:
		opt.MinCell = 1
	case opt.MinCell == 0:
		opt.MinCell = 10
	}
	var columns []*column
	for _, path := range paths {
		r, err := Open(path, opt)
		if err != nil {
			return nil, err
		}
		if columns == nil {
			for _, name := range r.header {
				columns = append(columns, newColumn(name, opt))
			}
		}
		err = r.survey(columns, paths[0])
		r.Close()
		if err != nil {
			return nil, err
		}
	}
	d := make(frame.Dictionary, len(columns))
	for i, c := range columns {
		d[i] = c.draft()
	}
	return d, nil
}

// survey shows every value of a file to its column; the columns are those of
// the file first.
func (r *Reader) survey(columns []*column, first string) error {
	at, err := r.places(columns, first)
	if err != nil {
		return err
	}
	marks, mixed := make([]byte, len(columns)), make([]int, len(columns))
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return r.mixedMarks(columns, mixed)
		}
		if err != nil {
			return err
		}
		for i, c := range columns {
			field := fields[at[i]]
			if r.Missing(field) {
				continue
			}
			mark := c.see(r, field)
			if marks[i]|mark != mark && mark != 0 && mixed[i] == 0 {
				mixed[i] = r.start
			}
			marks[i] |= mark
		}
	}
}

// mixedMarks refuses a numeric column in which mixed gives a line where a
// number has another decimal mark than those before it.
func (r *Reader) mixedMarks(columns []*column, mixed []int) error {
	for i, c := range columns {
		if mixed[i] > 0 && !c.text {
			return r.faultAt(mixed[i], mixesMarks(c.name)).WithHint(oneMark)
		}
	}
	return nil
}

func mixesMarks(column string) ws.Text {
	return ws.T("column %q mixes decimal points and decimal commas", "列 %q 混用小数点和小数逗号", column)
}

var oneMark = ws.T("use one of them throughout the file", "整个文件须统一使用一种")

// places finds the columns in the file, which must have no others than the
// file first.
func (r *Reader) places(columns []*column, first string) ([]int, error) {
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = r.Index(c.name); at[i] < 0 {
			return nil, r.lacks(c.name)
		}
	}
	known := make(map[string]bool, len(columns))
	for _, c := range columns {
		known[c.name] = true
	}
	for _, name := range r.header {
		if !known[name] {
			return nil, ws.Errorf(ws.Invalid, "csv", ws.T("the file lacks the column %q, which %s has", "文件缺少 %[2]s 所含的列 %[1]q", name, r.name)).
				Located(ws.Position{File: first}).
				WithHint(ws.T("leave the column out, or add it to every site's file", "请去掉该列，或在每个站点的文件中补上"))
		}
	}
	return at, nil
}
