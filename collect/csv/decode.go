package csv

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	ws "wellspring"
)

// window is how far a decoder looks ahead, in bytes, to tell encodings apart.
const window = 64 << 10

// A decoder gives a file's text in UTF-8. ASCII passes as it is; at the first
// byte beyond it, the decoder looks ahead and decides. What is not GB18030 is
// passed on unchecked: the reader finds the line that is not UTF-8 either.
type decoder struct {
	raw  *bufio.Reader
	next io.Reader // the rest of the text, once the encoding is known
	// converted says that text was not UTF-8, so that U+FFFD in it stands for
	// bytes that could not be read.
	converted bool
}

func newDecoder(r io.Reader) (*decoder, error) {
	d := &decoder{raw: bufio.NewReaderSize(r, window)}
	head, err := d.raw.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		d.raw.Discard(3)
		d.next = d.raw
	case bytes.HasPrefix(head, []byte("\xFF\xFE")) || bytes.HasPrefix(head, []byte("\xFE\xFF")):
		d.next = transform.NewReader(d.raw, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
		d.converted = true
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, ws.Errorf(ws.Invalid, "csv", ws.T("this is a workbook or archive, not a text file", "该文件是工作簿或压缩包，不是文本文件")).
			WithHint(ws.T("save the sheet as “CSV UTF-8”", "请将工作表另存为“CSV UTF-8”"))
	}
	return d, nil
}

// Read implements [io.Reader].
func (d *decoder) Read(p []byte) (int, error) {
	if d.next != nil {
		return d.next.Read(p)
	}
	if _, err := d.raw.Peek(1); err != nil {
		return 0, err
	}
	ready, _ := d.raw.Peek(min(d.raw.Buffered(), len(p)))
	n := asciiPrefix(ready)
	if n == 0 && len(p) > 0 {
		if err := d.decide(); err != nil {
			return 0, err
		}
		return d.next.Read(p)
	}
	copy(p, ready[:n])
	return d.raw.Discard(n)
}

func (d *decoder) decide() error {
	ahead, err := d.raw.Peek(window)
	if err != nil && err != io.EOF {
		return err
	}
	d.next = d.raw
	if !validUTF8(ahead) && looksGB18030(ahead) {
		d.next = transform.NewReader(d.raw, simplifiedchinese.GB18030.NewDecoder())
		d.converted = true
	}
	return nil
}

// asciiPrefix returns how many bytes come before the first beyond ASCII.
func asciiPrefix(b []byte) int {
	n := 0
	for ; n+8 <= len(b); n += 8 {
		if binary.LittleEndian.Uint64(b[n:])&0x8080808080808080 != 0 {
			break
		}
	}
	for n < len(b) && b[n] < utf8.RuneSelf {
		n++
	}
	return n
}

// validUTF8 allows for a last character that is cut off.
func validUTF8(b []byte) bool {
	for cut := 0; cut < utf8.UTFMax && cut < len(b); cut++ {
		if i := len(b) - cut - 1; utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				b = b[:i]
			}
			break
		}
	}
	return utf8.Valid(b)
}

// looksGB18030 reports whether b is well formed in GB18030 and reads as
// Chinese: of its characters outside the rows of symbols, most are among the
// 3755 of GB 2312's first level, which make up nearly all of any text. Latin-1
// does not pass, nor does Chinese in a damaged UTF-8.
func looksGB18030(b []byte) bool {
	hanzi, level1 := 0, 0
	for i := 0; i < len(b); {
		lead := b[i]
		if lead < utf8.RuneSelf {
			i++
			continue
		}
		if lead == 0x80 || lead == 0xFF {
			return false
		}
		if i+1 == len(b) {
			break // cut off
		}
		switch trail := b[i+1]; {
		case '0' <= trail && trail <= '9':
			i += 4
			continue
		case trail < 0x40 || trail == 0x7F || trail == 0xFF:
			return false
		case trail < 0xA1 || lead < 0xA1 || lead > 0xA9:
			hanzi++
			if 0xB0 <= lead && lead <= 0xD7 && trail >= 0xA1 {
				level1++
			}
		}
		i += 2
	}
	return hanzi == 0 || 2*level1 > hanzi
}
