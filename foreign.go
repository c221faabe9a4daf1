package wellspring

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Explain gives the words for an error that is none of ours: of the system, or of a
// library. What they say themselves is English of programmers, and may hold anything; so of
// one that is not known here only the type is told. A file is named; within an [Error],
// whose place or message names it, it is not.
func Explain(err error) Text {
	t := explain(err)
	var path *fs.PathError
	if errors.As(err, &path) {
		return T("%s: %s", "%s：%s", path.Path, t)
	}
	return t
}

func explain(err error) Text {
	for _, known := range []func(error) Text{ofFiles, ofNetwork, ofJSON, ofTime} {
		if t := known(err); !t.IsZero() {
			return t
		}
	}
	return T("an error without words (%T)", "未归类的错误（%T）", innermost(err))
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// ofFiles explains what becomes of files and disks.
func ofFiles(err error) Text {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return T("the disk is full", "磁盘已满")
	case errors.Is(err, syscall.EROFS):
		return T("the disk is read-only", "磁盘为只读")
	case errors.Is(err, syscall.EISDIR):
		return T("it is a folder", "这是一个文件夹")
	case errors.Is(err, syscall.ENOTDIR):
		return T("a part of the path is no folder", "路径中的一部分不是文件夹")
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return T("too many files are open", "打开的文件过多")
	case errors.Is(err, syscall.ENAMETOOLONG):
		return T("the name is too long", "名称过长")
	case errors.Is(err, syscall.EIO):
		return T("the disk failed", "磁盘发生故障")
	case errors.Is(err, fs.ErrNotExist):
		return T("there is no such file or folder", "没有该文件或文件夹")
	case errors.Is(err, fs.ErrExist):
		return T("there is such a file or folder already", "已有该文件或文件夹")
	case errors.Is(err, fs.ErrPermission):
		return T("the system does not permit it", "系统不允许该操作")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return T("it ends too early", "内容提前结束")
	}
	return Text{}
}

// ofNetwork explains what becomes of connections.
func ofNetwork(err error) Text {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &unknown):
		return T("the certificate is of an authority that is not known here", "证书由此处不认识的机构签发")
	case errors.As(err, &host):
		return T("the certificate is for another name", "证书属于另一名称")
	case errors.As(err, &invalid):
		return T("the certificate is not valid now", "证书目前无效")
	case errors.As(err, &record):
		return T("the other side does not speak TLS", "对方未使用 TLS")
	case errors.As(err, &dns):
		return T("the name %s is not known", "名称 %s 无法解析", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return T("nobody answers there", "该处无人应答")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return T("the connection was cut", "连接被中断")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return T("there is no way to it in the network", "网络不可达")
	case errors.Is(err, syscall.EADDRINUSE):
		return T("the address is in use", "地址已被占用")
	case errors.As(err, &timeout) && timeout.Timeout():
		return T("it took too long", "耗时过长")
	}
	return Text{}
}

// ofJSON explains what is wrong with a text of a form.
func ofJSON(err error) Text {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var number *strconv.NumError
	switch {
	case errors.As(err, &syntax):
		return T("it is no JSON from byte %d on", "自第 %d 字节起不是 JSON", syntax.Offset)
	case errors.As(err, &typ):
		return T("the field %q holds something else than is wanted", "字段 %q 的内容不是所需的类型", typ.Field)
	case errors.As(err, &number):
		return T("a number is not well formed", "数字格式不正确")
	}
	if _, field, ok := strings.Cut(err.Error(), `json: unknown field "`); ok {
		return T("the field %q is not known", "字段 %q 未知", strings.TrimSuffix(field, `"`))
	}
	return Text{}
}

// ofTime explains what was ended.
func ofTime(err error) Text {
	switch {
	case errors.Is(err, context.Canceled):
		return T("it was stopped", "已被终止")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return T("it took too long", "耗时过长")
	}
	return Text{}
}
