//go:build linux || darwin || freebsd

package file

import (
	"errors"
	"os"
	"syscall"

	ws "wellspring"
)

// lock takes the file for this process until it is closed, or the process ends.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ws.Errorf(ws.Denied, "ledger file", ws.T("another process has this ledger", "另一进程正在使用该账本")).
			WithHint(ws.T("stop it first; two writers would part the history", "请先停止该进程；两个写入者会使历史分叉"))
	}
	if err != nil {
		return trouble(err)
	}
	return nil
}
