package console

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	ws "wellspring"
)

// socketName is the socket's name in a node's folder.
const socketName = "console.sock"

// maxSocketPath is how long the path of a Unix socket may be on Linux.
const maxSocketPath = 107

// grace is how long answers that are under way may take once a node stops.
const grace = 3 * time.Second

// Serve answers on the folder's socket until ctx is done, then for a moment
// more. The folder's lock is the node's business: a socket that is there is taken
// for what a dead process left.
func (s *Server) Serve(ctx context.Context, dir string) error {
	l, err := listen(dir)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	return trouble(Until(ctx, srv, l))
}

// Until serves at a listener, which it closes, until ctx is done, which is no
// error, and gives answers that are under way a moment more.
func Until(ctx context.Context, srv *http.Server, l net.Listener) (err error) {
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if srv.Shutdown(last) != nil {
			_ = srv.Close() // who still waits gets no answer
		}
		err = <-done
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, socketName)
	if len(path) > maxSocketPath {
		return nil, ws.Errorf(ws.Invalid, "console", ws.T("the folder's path is too long for a socket in it", "文件夹路径过长，无法在其中创建套接字")).
			WithHint(ws.T("choose a folder with a shorter path", "请选用路径较短的文件夹"))
	}
	if err := os.RemoveAll(path); err != nil {
		return nil, trouble(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, trouble(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, trouble(errors.Join(err, l.Close()))
	}
	return l, nil
}

func trouble(err error) error {
	if err == nil {
		return nil
	}
	return ws.Errorf(ws.Other, "console", ws.T("the node's console cannot be used", "无法使用节点控制台")).
		WithHint(ws.T("check the node's folder and its owner", "请检查节点的文件夹及其属主")).Wrap(err)
}
