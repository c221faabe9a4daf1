package csv

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	ws "wellspring"
	"wellspring/frame/draft"
)

// Bounds of a file.
const (
	MaxRecord  = 1 << 20 // bytes of a record, and of a line
	MaxColumns = 10000
)

// Options say how a file is read. The zero Options suit most files.
type Options struct {
	// Delimiter is ',', ';' or '\t'; 0 finds it in the first line.
	Delimiter byte
	// Missing lists texts that mean a missing value, besides the empty one and NA.
	Missing []string
	// Only, unless it is zero, keeps the records of one site.
	Only Only

	// MinCell is the number of rows that a level, or an extreme value, needs to
	// enter an inferred dictionary, 10 if it is 0; in Public data it is 1. Only
	// [Infer] reads the two.
	MinCell int
	Public  bool
}

// Only keeps the records of which Column has the text Value, spaces around it
// aside. The zero Only keeps all.
type Only struct{ Column, Value string }

// A Reader reads records one by one. It may be used by one goroutine.
type Reader struct {
	name    string
	closers []io.Closer
	decoder *decoder
	lines   *bufio.Reader
	delim   byte
	header  []string
	index   map[string]int
	missing map[string]bool
	mayMiss [256]bool // first bytes of texts that mean missing
	only    int       // field to compare, −1 to keep all
	value   string

	line   int      // lines read so far
	start  int      // line on which the record began
	fields [][]byte // of the record; views of lines' buffer, or of text
	text   []byte   // fields of a record with quotes
	ends   []int    // where they end in text
}

// Open opens the file at path, decompressing it if its name ends in .gz, and
// reads its header.
func Open(path string, opt Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "csv", ws.T("the file cannot be opened", "无法打开文件")).Wrap(err).Located(ws.Position{File: path}).
			WithHint(ws.T("check the name and the permissions", "请检查文件名与权限"))
	}
	var src io.Reader = f
	closers := []io.Closer{f}
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			f.Close()
			return nil, damaged(err).Located(ws.Position{File: path})
		}
		src, closers = z, []io.Closer{z, f}
	}
	r, err := NewReader(src, path, opt)
	if err != nil {
		for _, c := range closers {
			c.Close()
		}
		return nil, err
	}
	r.closers = closers
	return r, nil
}

// NewReader reads the header of src, which errors call name. Closing the
// Reader does not close src.
func NewReader(src io.Reader, name string, opt Options) (*Reader, error) {
	r := &Reader{name: name, only: -1, value: strings.TrimSpace(opt.Only.Value)}
	d, err := newDecoder(src)
	if err != nil {
		return nil, r.fail(err)
	}
	r.decoder, r.lines = d, bufio.NewReaderSize(d, MaxRecord)
	r.missing = map[string]bool{"NA": true}
	for _, m := range opt.Missing {
		r.missing[strings.TrimSpace(m)] = true
	}
	for m := range r.missing {
		if m != "" {
			r.mayMiss[m[0]] = true
		}
	}
	switch opt.Delimiter {
	case ',', ';', '\t':
		r.delim = opt.Delimiter
	case 0:
		r.delim = r.sniff()
	default:
		return nil, ws.Errorf(ws.Invalid, "csv", ws.T("the delimiter is a comma, a semicolon or a tab", "分隔符须为逗号、分号或制表符"))
	}
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	if opt.Only != (Only{}) {
		if r.only = r.Index(opt.Only.Column); r.only < 0 {
			return nil, r.lacks(opt.Only.Column)
		}
	}
	return r, nil
}

// Header returns the names of the columns.
func (r *Reader) Header() []string { return r.header }

// Index returns the place of a column, −1 if the file lacks it.
func (r *Reader) Index(column string) int {
	if i, ok := r.index[column]; ok {
		return i
	}
	return -1
}

// Line returns the line on which the last record began, from 1.
func (r *Reader) Line() int { return r.start }

// Close closes what [Open] opened.
func (r *Reader) Close() error {
	var errs []error
	for _, c := range r.closers {
		errs = append(errs, c.Close())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// Missing reports whether a field stands for a missing value.
func (r *Reader) Missing(field []byte) bool {
	field = trim(field)
	return len(field) == 0 || r.mayMiss[field[0]] && r.missing[string(field)]
}

// Read returns the fields of the next record, io.EOF after the last. They are
// valid until the next call.
func (r *Reader) Read() ([][]byte, error) {
	for {
		if err := r.record(); err != nil {
			return nil, err
		}
		if len(r.fields) != len(r.header) {
			return nil, r.fault(ws.T("the record has %d fields where the header has %d", "该记录有 %d 个字段，而表头有 %d 个", len(r.fields), len(r.header))).
				WithHint(ws.T("a text with the delimiter in it must stand in double quotes", "含分隔符的文本须用双引号括起"))
		}
		if r.only < 0 || string(trim(r.fields[r.only])) == r.value {
			return r.fields, nil
		}
	}
}

// record reads one record into r.fields.
func (r *Reader) record() error {
	line, err := r.readLine()
	for err == nil && len(line) == 0 {
		line, err = r.readLine()
	}
	if err != nil {
		return err
	}
	r.start = r.line
	r.fields = r.fields[:0]
	from := 0
	for i, c := range line {
		switch c {
		case r.delim:
			r.fields = append(r.fields, line[from:i])
			from = i + 1
		case '"':
			return r.quotedRecord(line)
		case '\r':
			return r.strayReturn()
		}
	}
	r.fields = append(r.fields, line[from:])
	return nil
}

func (r *Reader) strayReturn() error {
	return r.fault(ws.T("a carriage return stands within the line", "行中有单独的回车符")).
		WithHint(ws.T("lines end with LF or CRLF", "行尾须为 LF 或 CRLF"))
}

// readLine returns the next line without its end. It is valid until the next call.
func (r *Reader) readLine() ([]byte, error) {
	line, err := r.lines.ReadSlice('\n')
	if err == io.EOF && len(line) == 0 {
		return nil, io.EOF
	}
	r.line++
	switch {
	case err == bufio.ErrBufferFull:
		return nil, r.faultAt(r.line, ws.T("the line is longer than %d bytes", "该行超过 %d 字节", MaxRecord)).
			WithHint(ws.T("a quote may not be closed, or the file is not a CSV file", "可能有引号未闭合，或该文件不是 CSV"))
	case err != nil && err != io.EOF:
		return nil, r.fail(err)
	case bytes.IndexByte(line, 0) >= 0:
		return nil, r.faultAt(r.line, ws.T("there is a NUL byte in the line", "该行含有 NUL 字节")).
			WithHint(ws.T("the file is damaged, or UTF-16 without a byte order mark: export it as UTF-8", "文件已损坏，或为无字节序标记的 UTF-16：请导出为 UTF-8"))
	case !utf8.Valid(line) || r.decoder.converted && bytes.Contains(line, []byte("\uFFFD")):
		return nil, r.faultAt(r.line, ws.T("the line cannot be read as UTF-8 or GB18030", "该行无法按 UTF-8 或 GB18030 读取")).
			WithHint(ws.T("export the file as UTF-8", "请将文件导出为 UTF-8"))
	}
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = bytes.TrimSuffix(line[:n-1], []byte{'\r'})
	}
	return line, nil
}

// quotedRecord reads the record that begins with line and has quotes in it.
func (r *Reader) quotedRecord(line []byte) error {
	r.fields, r.text, r.ends = r.fields[:0], r.text[:0], r.ends[:0]
	for {
		var err error
		if len(line) > 0 && line[0] == '"' {
			line, err = r.quotedField(line[1:])
		} else {
			line, err = r.plainField(line)
		}
		if err != nil {
			return err
		}
		r.ends = append(r.ends, len(r.text))
		if line == nil {
			break
		}
	}
	from := 0
	for _, end := range r.ends {
		r.fields = append(r.fields, r.text[from:end])
		from = end
	}
	return nil
}

// plainField takes a field without quotes and returns what follows its
// delimiter, nil if it was the last.
func (r *Reader) plainField(line []byte) ([]byte, error) {
	field, rest, more := bytes.Cut(line, []byte{r.delim})
	if bytes.IndexByte(field, '"') >= 0 {
		return nil, r.fault(ws.T("a quote stands inside a field without quotes", "未加引号的字段中出现引号")).
			WithHint(ws.T("put the field in double quotes, and double the quote inside", "请用双引号括起该字段，并将其中的引号写两遍"))
	}
	if bytes.IndexByte(field, '\r') >= 0 {
		return nil, r.strayReturn()
	}
	r.text = append(r.text, field...)
	if !more {
		return nil, nil
	}
	return rest, nil
}

var closeQuote = ws.T("close the quote, or double a quote that belongs to the text", "请闭合引号；属于文本的引号须写两遍")

// quotedField takes a field whose opening quote is read, over more lines if
// need be, and returns what follows its delimiter, nil if it was the last.
func (r *Reader) quotedField(line []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(line, '"')
		switch {
		case i < 0:
			var err error
			if r.text = append(append(r.text, line...), '\n'); len(r.text) > MaxRecord {
				return nil, r.fault(ws.T("the record is longer than %d bytes; is a quote not closed?", "该记录超过 %d 字节，是否有引号未闭合？", MaxRecord)).WithHint(closeQuote)
			}
			if line, err = r.readLine(); err == io.EOF {
				return nil, r.fault(ws.T("a quote that opens in this record is never closed", "该记录中的引号没有闭合")).WithHint(closeQuote)
			} else if err != nil {
				return nil, err
			}
		case i+1 == len(line):
			r.text = append(r.text, line[:i]...)
			return nil, nil
		case line[i+1] == '"':
			r.text = append(r.text, line[:i+1]...)
			line = line[i+2:]
		case line[i+1] == r.delim:
			r.text = append(r.text, line[:i]...)
			return line[i+2:], nil
		default:
			return nil, r.fault(ws.T("text follows the closing quote of a field", "字段的右引号之后还有文本")).WithHint(closeQuote)
		}
	}
}

// sniff counts delimiters in the first line, outside quotes. Of two that are as
// frequent, the one that is rarer in names wins.
func (r *Reader) sniff() byte {
	head, _ := r.lines.Peek(MaxRecord)
	var count [256]int
	quoted := false
	for _, c := range bytes.TrimLeft(head, "\r\n") {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			count[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if count[c] > 0 && count[c] >= count[best] {
			best = c
		}
	}
	return best
}

func (r *Reader) readHeader() error {
	if err := r.record(); err == io.EOF {
		return r.faultAt(1, ws.T("the file is empty: the first line must name the columns", "文件为空：首行应为列名")).
			WithHint(ws.T("write the file again, with its header", "请重新导出，并包含表头"))
	} else if err != nil {
		return err
	}
	if len(r.fields) > MaxColumns {
		return r.fault(ws.T("more than %d columns", "列数超过 %d", MaxColumns)).
			WithHint(ws.T("leave out the columns that no study needs", "请去掉研究用不到的列"))
	}
	r.index = make(map[string]int, len(r.fields))
	// Of a file without a header this is the record of a person: no error quotes it, and a
	// number, which names no column, is asked for before anything else.
	for i, field := range r.fields {
		if _, _, number := r.number(trim(field)); number {
			return r.fault(ws.T("the first line holds values instead of the names of the columns: field %d is a number", "首行是数据而不是列名：第 %d 个字段为数字", i+1)).
				WithHint(ws.T("put a line with the columns' names on top; a name such as 2019 needs a letter, as in y2019", "请在文件首行写上列名；形如 2019 的列名须加字母，如 y2019"))
		}
	}
	for i, field := range r.fields {
		name := strings.TrimSpace(string(field))
		if name == "" {
			name = "X"
		}
		if !draft.Fits(name) {
			return r.fault(ws.T("the name of column %d has control characters or more than %d characters", "第 %d 列的列名含控制字符或超过 %d 个字符", i+1, draft.MaxName)).
				WithHint(ws.T("give the column a short name", "请改用简短的列名"))
		}
		if first, seen := r.index[name]; seen {
			return r.fault(ws.T("columns %d and %d have the same name", "第 %d 列与第 %d 列同名", first+1, i+1)).
				WithHint(ws.T("give each column a name of its own, in a line on top of the file", "请在文件首行给每一列不同的名称"))
		}
		r.index[name] = i
		r.header = append(r.header, name)
	}
	return nil
}

// trim takes spaces off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t'); n-- {
		b = b[:n-1]
	}
	return b
}

// fault is a mistake in the current record.
func (r *Reader) fault(msg ws.Text) *ws.Error { return r.faultAt(r.start, msg) }

func (r *Reader) faultAt(line int, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Invalid, "csv", msg).Located(ws.Position{File: r.name, Line: line})
}

func (r *Reader) lacks(column string) *ws.Error {
	return ws.Errorf(ws.Invalid, "csv", ws.T("the file lacks the column %q", "文件缺少列 %q", column)).
		Located(ws.Position{File: r.name}).
		WithHint(ws.T("check the spelling of the header", "请检查表头拼写"))
}

// fail locates an error of the source.
func (r *Reader) fail(err error) error {
	var known *ws.Error
	if !errors.As(err, &known) {
		known = damaged(err)
	}
	return known.Located(ws.Position{File: r.name, Line: r.line})
}

func damaged(err error) *ws.Error {
	return ws.Errorf(ws.Invalid, "csv", ws.T("the file cannot be read to its end", "无法读完该文件")).Wrap(err)
}
