package journaltest

import (
	"bufio"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// calls are what strace is asked to show.
const calls = "trace=open,openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,lseek,close"

// A call is one system call as strace printed it, joined where another thread
// came between.
type call struct {
	name, args, result string
}

var (
	line     = regexp.MustCompile(`^(?:(\d+) +)?(\w+)\((.*)\) += (.*)$`)
	cutShort = regexp.MustCompile(`^(?:(\d+) +)?(\w+)\((.*) <unfinished \.\.\.>$`)
	resumed  = regexp.MustCompile(`^(?:(\d+) +)?<\.\.\. (\w+) resumed>(.*)\) += (.*)$`)
	onFile   = regexp.MustCompile(`^(\d+)<([^>]*)>`)
	quoted   = regexp.MustCompile(`"([^"]*)"`)
)

// readTrace reads the output of strace -f -y -xx.
func readTrace(path string) ([]call, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []call
	begun := map[string]string{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		text := s.Text()
		switch {
		case cutShort.MatchString(text):
			m := cutShort.FindStringSubmatch(text)
			begun[m[1]+m[2]] = m[3]
		case resumed.MatchString(text):
			m := resumed.FindStringSubmatch(text)
			out = append(out, call{m[2], begun[m[1]+m[2]] + m[3], m[4]})
		case line.MatchString(text):
			m := line.FindStringSubmatch(text)
			out = append(out, call{m[2], m[3], m[4]})
		}
	}
	return out, s.Err()
}

// file is the path of the descriptor that is the call's first argument.
func (c call) file() string {
	if m := onFile.FindStringSubmatch(c.args); m != nil {
		return unescape(m[2])
	}
	return ""
}

// texts are the call's quoted arguments.
func (c call) texts() []string {
	var out []string
	for _, m := range quoted.FindAllStringSubmatch(c.args, -1) {
		out = append(out, unescape(m[1]))
	}
	return out
}

// last is the call's last argument as a number.
func (c call) last() int {
	at := strings.LastIndex(c.args, ", ")
	n, _ := strconv.Atoi(c.args[at+2:])
	return n
}

func (c call) failed() bool { return strings.HasPrefix(c.result, "-1") }

// unescape undoes \xNN; other characters stay.
func unescape(s string) string {
	if !strings.HasPrefix(s, `\x`) {
		return s
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return s
	}
	return string(b)
}

// apply plays a call on a disk, for paths under root. It returns what was
// written to the standard output.
func (c call) apply(d *disk, root string, offset map[string]int) (said string) {
	if c.failed() {
		return ""
	}
	path := c.file()
	under := strings.HasPrefix(path, root)
	switch c.name {
	case "open", "openat":
		if p := opened(c.result); strings.HasPrefix(p, root) {
			if strings.Contains(c.args, "O_CREAT") {
				d.open(p, strings.Contains(c.args, "O_TRUNC"))
			}
			offset[p] = 0
		}
	case "write":
		data := c.texts()[0]
		if !under {
			if strings.HasPrefix(c.args, "1<") {
				return data
			}
			return ""
		}
		d.change(path, change{at: offset[path], data: []byte(data)})
		offset[path] += len(data)
	case "pwrite64":
		if under {
			d.change(path, change{at: c.last(), data: []byte(c.texts()[0])})
		}
	case "ftruncate":
		if under {
			d.change(path, change{at: c.last(), cut: true})
		}
	case "fsync", "fdatasync":
		if under {
			d.sync(path)
		}
	case "rename", "renameat", "renameat2":
		if p := c.texts(); strings.HasPrefix(p[0], root) {
			d.rename(filepath.Clean(p[0]), filepath.Clean(p[1]))
		}
	case "unlink", "unlinkat":
		if p := c.texts(); strings.HasPrefix(p[0], root) {
			d.unlink(filepath.Clean(p[0]))
		}
	}
	return ""
}

// opened is the path in the result of an opening.
func opened(result string) string {
	if m := onFile.FindStringSubmatch(result); m != nil {
		return unescape(m[2])
	}
	return ""
}
