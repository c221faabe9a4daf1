package csv

import (
	"context"
	"io"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/frame/draft"
)

// Infer drafts the dictionary of a dataset from the files of all its sites
// together, by the rules of package draft; each is read once from beginning to
// end. A number that is padded with zeros, as codes are, makes a column a text.
//
// A column that one of the files lacks, and a mistake in a file, is Invalid
// and names the file.
func Infer(paths []string, opt Options) (frame.Dictionary, error) {
	if len(paths) == 0 {
		return nil, ws.Errorf(ws.Invalid, "csv", ws.T("no file was given", "未给出文件"))
	}
	s := draft.New(draft.Options{MinCell: opt.MinCell, Public: opt.Public})
	for _, path := range paths {
		if err := Survey(context.Background(), path, opt, s); err != nil {
			return nil, err
		}
	}
	return s.Dictionary(), nil
}

// Survey shows every value of a file to s. It ends with ctx, as Stopped.
func Survey(ctx context.Context, path string, opt Options, s *draft.Survey) error {
	r, err := Open(path, opt)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.survey(ctx, s)
}

func (r *Reader) survey(ctx context.Context, s *draft.Survey) error {
	columns, err := s.File(r.name, r.header)
	if err != nil {
		return err
	}
	marks, mixed := make([]byte, len(columns)), make([]int, len(columns))
	for n := 0; ; n++ {
		if err := stopped(ctx, n); err != nil {
			return err
		}
		fields, err := r.Read()
		if err == io.EOF {
			return r.mixedMarks(columns, mixed)
		}
		if err != nil {
			return err
		}
		for i, c := range columns {
			field := fields[i]
			if r.Missing(field) {
				c.Missing()
				continue
			}
			mark := r.show(c, field)
			if marks[i]|mark != mark && mark != 0 && mixed[i] == 0 {
				mixed[i] = r.start
			}
			marks[i] |= mark
		}
	}
}

// stopped looks now and then, by the number of records read, whether ctx has
// ended.
func stopped(ctx context.Context, records int) error {
	if records%4096 != 0 || ctx.Err() == nil {
		return nil
	}
	return ws.Errorf(ws.Stopped, "csv", ws.T("reading was stopped", "读取已停止")).Wrap(ctx.Err())
}

// show gives a value to its column and returns its decimal mark, 0 if it has
// none.
func (r *Reader) show(c *draft.Column, field []byte) byte {
	if textual := c.Textual(); !textual || c.Doubtful() {
		x, mark, ok := r.number(field)
		switch ok = ok && !padded(field); {
		case ok && !textual:
			c.Number(x, field)
			return mark
		case !ok:
			c.Odd(ws.Position{File: r.name, Line: r.start})
		}
	}
	c.Text(field)
	return 0
}

// mixedMarks refuses a numeric column in which mixed gives a line where a
// number has another decimal mark than those before it.
func (r *Reader) mixedMarks(columns []*draft.Column, mixed []int) error {
	for i, c := range columns {
		if mixed[i] > 0 && !c.Textual() {
			return r.faultAt(mixed[i], mixesMarks(r.header[i])).WithHint(oneMark)
		}
	}
	return nil
}

func mixesMarks(column string) ws.Text {
	return ws.T("column %q mixes decimal points and decimal commas", "列 %q 混用小数点和小数逗号", column)
}

var oneMark = ws.T("use one of them throughout the file", "整个文件须统一使用一种")
