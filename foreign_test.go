package wellspring_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	ws "wellspring"
)

// Errors of the system and of libraries are told in the reader's language, and
// of those that are not known nothing is repeated.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	_, missing := os.ReadFile(filepath.Join(dir, "none.json"))
	_, folder := os.ReadFile(dir)
	exists := os.Mkdir(dir, 0o700)
	var typed struct{ Age int }
	strict := json.NewDecoder(strings.NewReader(`{"agee": 1}`))
	strict.DisallowUnknownFields()
	_, refused := net.Dial("tcp", "127.0.0.1:1")
	_, number := strconv.Atoi("Zhang San")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for want, err := range map[string]error{
		"there is no such file or folder":                           missing,
		"it is a folder":                                            folder,
		"there is such a file or folder already":                    exists,
		"the disk is full":                                          &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		"it ends too early":                                         fmt.Errorf("get: %w", io.ErrUnexpectedEOF),
		"it is no JSON from byte 1 on":                              json.Unmarshal([]byte("Zhang"), &typed),
		`the field "age" holds something else`:                      json.Unmarshal([]byte(`{"age": "Zhang"}`), &typed),
		`the field "agee" is not known`:                             strict.Decode(&typed),
		"nobody answers there":                                      refused,
		"the certificate is of an authority that is not known here": x509.UnknownAuthorityError{},
		"a number is not well formed":                               number,
		"it was stopped":                                            ctx.Err(),
		"an error without words (*errors.errorString)":              errors.New("Zhang San has 7"),
		"the disk failed":                                           errors.Join(errors.New("Zhang"), syscall.EIO),
	} {
		whole := ws.Errorf(ws.Invalid, "", ws.T("the file cannot be read", "无法读取文件")).Wrap(err)
		en, zh := whole.In(ws.English), whole.In(ws.Chinese)
		if !strings.Contains(strings.ToLower(en), strings.ToLower(want)) {
			t.Errorf("%q, want %q", en, want)
		}
		_, last, _ := strings.Cut(zh, "无法读取文件: ")
		if !strings.ContainsFunc(last, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("not in Chinese: %q", zh)
		}
		for _, s := range []string{en, zh} {
			for _, bad := range []string{"no such file or directory", "EOF", "json:", "Zhang", "x509", "strconv", "open ", "unmarshal", "%!"} {
				if strings.Contains(s, bad) {
					t.Errorf("%q holds %q", s, bad)
				}
			}
		}
	}
	if got := ws.Explain(missing).In(ws.Chinese); got != filepath.Join(dir, "none.json")+"：没有该文件或文件夹" {
		t.Errorf("alone: %q", got)
	}
}
