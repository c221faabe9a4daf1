package duckdb

import (
	"context"
	"sync"

	duck "github.com/duckdb/duckdb-go-bindings"

	ws "wellspring"
)

// An instance is one DuckDB within this process and its idle connections.
type instance struct {
	mu     sync.Mutex
	db     duck.Database
	idle   []duck.Connection
	closed bool
}

// start opens an instance that holds nothing yet; config goes to DuckDB as is.
func start(config map[string]string) (*instance, error) {
	const op = "duckdb: start"
	var c duck.Config
	if duck.CreateConfig(&c) != duck.StateSuccess {
		return nil, fault(op, "")
	}
	defer duck.DestroyConfig(&c)
	for name, value := range config {
		if duck.SetConfig(c, name, value) != duck.StateSuccess {
			return nil, ws.Errorf(ws.Other, op, ws.T("DuckDB does not take the setting %s", "DuckDB 不接受设置 %s", name))
		}
	}
	in := &instance{}
	var msg string
	if duck.OpenExt("", &in.db, c, &msg) != duck.StateSuccess {
		return nil, fault(op, msg)
	}
	return in, nil
}

// close disconnects what is idle. A connection in use keeps DuckDB alive until
// it is released.
func (in *instance) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return
	}
	in.closed = true
	for i := range in.idle {
		duck.Disconnect(&in.idle[i])
	}
	in.idle = nil
	duck.Close(&in.db)
}

// A session is a connection in one goroutine's hands.
type session struct {
	in   *instance
	conn duck.Connection
}

func (in *instance) session() (*session, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return nil, errClosed()
	}
	s := &session{in: in}
	if n := len(in.idle); n > 0 {
		s.conn, in.idle = in.idle[n-1], in.idle[:n-1]
		return s, nil
	}
	if duck.Connect(in.db, &s.conn) != duck.StateSuccess {
		return nil, fault("duckdb: connect", "")
	}
	return s, nil
}

// maxIdle bounds the connections kept for the next caller; each costs some
// tens of kilobytes.
const maxIdle = 4

func (s *session) release() {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	if s.in.closed || len(s.in.idle) >= maxIdle {
		duck.Disconnect(&s.conn)
		return
	}
	s.in.idle = append(s.in.idle, s.conn)
}

// A stream is the answer of a query, chunk after chunk, whose column vectors
// are read in place. DuckDB computes ahead by no more than its streaming
// buffer, about 1 MiB. (database/sql hands over value by value, in eight times
// the time; the driver's Arrow interface needs a build tag.)
type stream struct {
	ctx   context.Context
	stmt  duck.PreparedStatement
	res   duck.Result
	chunk duck.DataChunk
	stop  func() // ends the watch over ctx
}

// stream begins a query, whose parameters may be float64, int32, int64 and
// string. The caller closes it.
func (s *session) stream(ctx context.Context, sql string, args ...any) (*stream, error) {
	if err := stopped(ctx); err != nil {
		return nil, err
	}
	r := &stream{ctx: ctx, stop: s.watch(ctx)}
	if duck.Prepare(s.conn, sql, &r.stmt) != duck.StateSuccess {
		msg := duck.PrepareError(r.stmt)
		r.close()
		return nil, r.fault(msg)
	}
	for i, a := range args {
		bind(r.stmt, duck.IdxT(i+1), a)
	}
	var pending duck.PendingResult
	defer duck.DestroyPending(&pending)
	if duck.PendingPreparedStreaming(r.stmt, &pending) != duck.StateSuccess {
		msg := duck.PendingError(pending)
		r.close()
		return nil, r.fault(msg)
	}
	if duck.ExecutePending(pending, &r.res) != duck.StateSuccess {
		msg := duck.ResultError(&r.res)
		r.close()
		return nil, r.fault(msg)
	}
	return r, nil
}

func bind(stmt duck.PreparedStatement, i duck.IdxT, arg any) {
	switch v := arg.(type) {
	case float64:
		duck.BindDouble(stmt, i, v)
	case int32:
		duck.BindInt32(stmt, i, v)
	case int64:
		duck.BindInt64(stmt, i, v)
	case string:
		duck.BindVarcharLength(stmt, i, v, duck.IdxT(len(v)))
	}
}

// watch interrupts the connection when ctx ends, until the returned function
// has been called.
func (s *session) watch(ctx context.Context) func() {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		duck.Interrupt(s.conn)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// next makes the next chunk the current one and returns its length; 0 at the end.
func (r *stream) next() (int, error) {
	duck.DestroyDataChunk(&r.chunk)
	if err := stopped(r.ctx); err != nil {
		return 0, err
	}
	r.chunk = duck.FetchChunk(r.res)
	if r.chunk.Ptr == nil {
		if msg := duck.ResultError(&r.res); msg != "" {
			return 0, r.fault(msg)
		}
		return 0, nil
	}
	return int(duck.DataChunkGetSize(r.chunk)), nil
}

func (r *stream) fault(msg string) error {
	if err := stopped(r.ctx); err != nil {
		return err
	}
	return fault("duckdb: query", msg)
}

func (r *stream) close() {
	if r.stop == nil {
		return
	}
	duck.DestroyDataChunk(&r.chunk)
	duck.DestroyResult(&r.res)
	duck.DestroyPrepare(&r.stmt)
	r.stop()
	r.stop = nil
}

// exec runs a statement to its end.
func (s *session) exec(ctx context.Context, sql string, args ...any) error {
	_, err := s.rows(ctx, sql, args...)
	return err
}

// rows collects a small answer, whose columns are BIGINT (int64) or VARCHAR
// (string), neither NULL.
func (s *session) rows(ctx context.Context, sql string, args ...any) ([][]any, error) {
	r, err := s.stream(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer r.close()
	var out [][]any
	for {
		n, err := r.next()
		if err != nil || n == 0 {
			return out, err
		}
		columns := int(duck.DataChunkGetColumnCount(r.chunk))
		for i := range n {
			row := make([]any, columns)
			for j := range row {
				row[j] = cell(duck.DataChunkGetVector(r.chunk, duck.IdxT(j)), i)
			}
			out = append(out, row)
		}
	}
}

// within runs f in a transaction, which ends with an error if f does. Rolling
// back must not be cut short by the context that may have caused it.
func (s *session) within(ctx context.Context, f func() error) (err error) {
	if err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed { // f failed, or panicked
			s.exec(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	if err := f(); err != nil {
		return err
	}
	if err := s.exec(ctx, "COMMIT"); err != nil {
		return err
	}
	committed = true
	return nil
}
