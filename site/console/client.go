package console

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
)

// A Client speaks to the node of a folder.
type Client struct{ http *http.Client }

// Dial makes a client; it connects when it is asked to do something.
func Dial(dir string) *Client {
	path := filepath.Join(dir, socketName)
	return &Client{&http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", path)
		}}}}
}

// absent says that nobody answers.
func absent(err error) error {
	return ws.Errorf(ws.Unreachable, "", ws.T("the node of this folder does not run", "该文件夹的节点未在运行")).
		WithHint(ws.T("start it: wellspring site run --dir DIR, or hub run --dir DIR", "请先启动：wellspring site run --dir DIR 或 hub run --dir DIR")).Wrap(err)
}

// Absent reports whether err says that no node answers in the folder.
func Absent(err error) bool {
	var op *net.OpError
	return ws.KindOf(err) == ws.Unreachable && errors.As(err, &op) && op.Op == "dial"
}

func (c *Client) open(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://node"+path, bytes.NewReader(body))
	if err != nil {
		return nil, trouble(err)
	}
	resp, err := c.http.Do(req)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ws.Errorf(ws.Stopped, "", ws.T("stopped", "已停止")).Wrap(ctx.Err())
	case err != nil:
		return nil, absent(err)
	case resp.StatusCode != http.StatusOK:
		defer resp.Body.Close()
		var e struct {
			Error *fault `json:"error"`
		}
		if json.NewDecoder(io.LimitReader(resp.Body, maxSmall)).Decode(&e) != nil || e.Error == nil {
			return nil, trouble(errors.New(resp.Status))
		}
		return nil, e.Error.err()
	}
	return resp, nil
}

func (c *Client) ask(ctx context.Context, method, path string, body []byte, out any) error {
	resp, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return trouble(err)
	}
	return nil
}

func send[T any](ctx context.Context, c *Client, path string, v any) (out T, err error) {
	b, err := json.Marshal(v)
	if err != nil {
		return out, trouble(err)
	}
	return out, c.ask(ctx, http.MethodPost, path, b, &out)
}

// About says what the node is.
func (c *Client) About(ctx context.Context) (a About, err error) {
	return a, c.ask(ctx, http.MethodGet, "/v1/node", nil, &a)
}

// Sign makes the next transaction of a key.
func (c *Client) Sign(ctx context.Context, key crypto.Signer, body ledger.Body) (ledger.Tx, error) {
	p, err := ledger.PublicOf(key)
	if err != nil {
		return ledger.Tx{}, err
	}
	var s Sequence
	if err := c.ask(ctx, http.MethodGet, "/v1/sequence?key="+p.ID().String(), nil, &s); err != nil {
		return ledger.Tx{}, err
	}
	return ledger.Sign(s.Chain, s.Next, body, key)
}

// Submit hands in a signed transaction and waits until it is final.
func (c *Client) Submit(ctx context.Context, tx ledger.Tx) (r ledger.Receipt, err error) {
	return r, c.ask(ctx, http.MethodPost, "/v1/transactions", tx.Bytes(), &r)
}

// resigned is how often Do signs a transaction anew that came too late for its number.
const resigned = 3

// Do signs and submits. An institution's key may sign at several of its sites at one
// time: where the number was taken meanwhile, which the ledger here knows after the
// refusal, the transaction is signed anew with the next.
func (c *Client) Do(ctx context.Context, key crypto.Signer, body ledger.Body) (refused error) {
	var number uint64
	for range 1 + resigned {
		tx, err := c.Sign(ctx, key, body)
		if err != nil {
			return err
		}
		if tx.Seq() == number { // it was not for the number
			return refused
		}
		number = tx.Seq()
		if _, refused = c.Submit(ctx, tx); ws.KindOf(refused) != ws.Invalid {
			return refused
		}
	}
	return refused
}

// Studies lists the studies that which names; all if it is empty.
func (c *Client) Studies(ctx context.Context, which string) (all []Study, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/studies?study="+url.QueryEscape(which), nil, &all)
}

// AddStudy registers a study with its text.
func (c *Client) AddStudy(ctx context.Context, key crypto.Signer, text []byte, body *ledger.AddStudy) error {
	tx, err := c.Sign(ctx, key, body)
	if err != nil {
		return err
	}
	_, err = send[map[string]ledger.Hash](ctx, c, "/v1/studies", submission{Text: text, Tx: tx.Bytes()})
	return err
}

// Admit asks the hub for a member's pass.
func (c *Client) Admit(ctx context.Context, n Newcomer) (mesh.Pass, error) {
	return send[mesh.Pass](ctx, c, "/v1/members", n)
}

// Stop ends the runs of a study.
func (c *Client) Stop(ctx context.Context, which string) error {
	_, err := send[map[string]int](ctx, c, "/v1/stops", map[string]string{"study": which})
	return err
}

// Result gives the kept answer of a run that this node conducted or took over.
func (c *Client) Result(ctx context.Context, id ledger.RunID) (*Answer, error) {
	var a answer
	if err := c.ask(ctx, http.MethodGet, "/v1/results/"+url.PathEscape(string(id)), nil, &a); err != nil {
		return nil, err
	}
	return a.open()
}

// Run signs an order and follows the run to its end; a ctx that ends stops the run.
func (c *Client) Run(ctx context.Context, o Order, key crypto.Signer, tell func(Progress)) (*Answer, error) {
	given, err := send[map[string]string](ctx, c, "/v1/challenges", struct{}{})
	if err != nil {
		return nil, err
	}
	o.Challenge = given["challenge"]
	if err := o.sign(ledger.ChainID(given["chain"]), ws.SiteID(given["node"]), key); err != nil {
		return nil, trouble(err)
	}
	return c.follow(ctx, "/v1/runs", o, tell)
}

// StandIn has the node take over a run, and follows it.
func (c *Client) StandIn(ctx context.Context, id ledger.RunID, tell func(Progress)) (*Answer, error) {
	return c.follow(ctx, "/v1/standins", map[string]ledger.RunID{"run": id}, tell)
}

func (c *Client) follow(ctx context.Context, path string, v any, tell func(Progress)) (*Answer, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, trouble(err)
	}
	resp, err := c.open(ctx, http.MethodPost, path, b)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	in := json.NewDecoder(bufio.NewReader(resp.Body))
	for {
		var e event
		err := in.Decode(&e)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ws.Errorf(ws.Stopped, "", ws.T("stopped", "已停止")).Wrap(ctx.Err())
		case err != nil:
			return nil, ws.Errorf(ws.Unreachable, "", ws.T("the node that conducts went away", "主持计算的节点已离开")).
				WithHint(ws.T("a member can take the run over: wellspring study run --stand-in RUN --dir SITE_DIR", "成员可接替该计算：wellspring study run --stand-in RUN --dir SITE_DIR")).Wrap(err)
		case e.Error != nil:
			return nil, e.Error.err()
		case e.Answer != nil:
			return e.Answer.open()
		case e.Progress != nil:
			tell(*e.Progress)
		}
	}
}
