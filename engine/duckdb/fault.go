package duckdb

import (
	"context"
	"errors"
	"strings"

	ws "wellspring"
)

// fault turns DuckDB's message into an error. Such a message may quote the
// value of a row, so its text is not passed on, but for that of the file
// system, which knows paths only. A message may hold another, of its cause.
func fault(op, msg string) error {
	has := func(class string) bool { return strings.Contains(msg, class+" Error:") }
	switch {
	case strings.Contains(msg, "Could not set lock on file"):
		return ws.Errorf(ws.Unreachable, op, ws.T("another process has the file open", "文件正被另一个进程打开")).
			WithHint(ws.T("end the other process, then try again", "请先结束另一个进程，再重试"))
	case has("Out of Memory"):
		return ws.Errorf(ws.Unreachable, op, ws.T("DuckDB's memory limit is reached", "已达到 DuckDB 的内存上限")).
			WithHint(ws.T("give the store more memory, or ask for fewer columns at once", "请为存储分配更多内存，或一次读取较少的列"))
	case has("INTERRUPT"):
		return ws.Errorf(ws.Stopped, op, ws.T("the query was interrupted", "查询被中断"))
	case strings.HasPrefix(msg, "IO Error:"), strings.HasPrefix(msg, "Permission Error:"):
		line, _, _ := strings.Cut(msg, "\n")
		return ws.Errorf(ws.Unreachable, op, ws.T("the store's file cannot be used", "无法使用存储文件")).Wrap(errors.New(line)).
			WithHint(ws.T("check that the folder exists, is writable and has space left, and that the file is a store",
				"请检查文件夹是否存在、可写且有剩余空间，以及该文件是否为存储文件"))
	}
	return ws.Errorf(ws.Other, op, ws.T("DuckDB refused with an error of the class %q", "DuckDB 拒绝执行，错误类别为 %q", class(msg)))
}

// class returns how DuckDB classifies a message.
func class(msg string) string {
	for _, c := range []string{"Binder", "Catalog", "Constraint", "Conversion", "Dependency", "FATAL", "INTERNAL",
		"Invalid Configuration", "Invalid Input", "Not implemented", "Out of Range", "Parser", "Serialization", "TransactionContext"} {
		if strings.HasPrefix(msg, c+" Error:") {
			return c
		}
	}
	return "unknown"
}

// stopped returns an error once ctx has ended.
func stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return ws.Errorf(ws.Stopped, "duckdb", ws.T("the work was stopped", "操作已停止")).Wrap(err)
	}
	return nil
}

func errClosed() error {
	return ws.Errorf(ws.Invalid, "duckdb", ws.T("the store is closed", "存储已关闭"))
}
