package wire

import (
	"bufio"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"time"

	ws "wellspring"
)

// A dialer opens TCP connections, through an HTTP proxy's CONNECT where one is
// set. TLS to the broker runs inside, so the proxy sees a host and bytes.
type dialer struct {
	proxy func(*http.Request) (*url.URL, error)
}

// Dial implements the client's CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, "443") // a wss URL without port
	}
	via, err := d.proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: address}})
	if err != nil {
		return nil, err
	}
	if via == nil {
		return net.DialTimeout(network, address, dialTime)
	}
	return connect(via, address)
}

// connect asks a proxy for a tunnel.
func connect(via *url.URL, address string) (net.Conn, error) {
	port := via.Port()
	if port == "" {
		port = "80"
	}
	if via.Scheme != "http" {
		return nil, refused("scheme " + via.Scheme)
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(via.Hostname(), port), dialTime)
	if err != nil {
		return nil, err
	}
	if err := tunnel(conn, via, address); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func tunnel(conn net.Conn, via *url.URL, address string) error {
	if err := conn.SetDeadline(time.Now().Add(dialTime)); err != nil {
		return err
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if via.User != nil {
		password, _ := via.User.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(via.User.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	// The broker says nothing before its client does (TLS), save in the NATS
	// greeting of a server that is not TLS-first: bytes that came with the
	// answer would be lost, so it is read byte by byte.
	resp, err := http.ReadResponse(bufio.NewReaderSize(&byByte{conn}, 16), req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return refused(resp.Status)
	}
	return conn.SetDeadline(time.Time{})
}

// byByte gives one byte a read, so that a reader over it takes none too many.
type byByte struct{ net.Conn }

func (b *byByte) Read(p []byte) (int, error) { return b.Conn.Read(p[:min(1, len(p))]) }

func refused(status string) error {
	return ws.Errorf(ws.Unreachable, "mesh/wire", ws.T("the proxy does not let the connection through (%s)", "代理不允许该连接（%s）", status)).
		WithHint(ws.T("ask the IT department to allow CONNECT to the hub's host and port", "请信息部门放行到枢纽主机和端口的 CONNECT 请求"))
}
