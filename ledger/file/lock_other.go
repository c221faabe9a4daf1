//go:build !linux && !darwin && !freebsd

package file

import (
	"os"

	ws "wellspring"
)

// lock refuses: without a lock two processes could part the history.
func lock(*os.File) error {
	return ws.Errorf(ws.Denied, "ledger file", ws.T("a ledger cannot be locked on this operating system", "此操作系统上无法锁定账本"))
}
