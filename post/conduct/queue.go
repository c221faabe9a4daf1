package conduct

import (
	"context"
	"sync"

	ws "wellspring"
)

// A queue lets one run of a group of askers begin at a time: sites compare a study with those that
// the group was answered before, and two that begin together would be compared with neither's.
type queue struct {
	mu    sync.Mutex
	turns map[group]chan struct{} // holds a token while nobody has the turn
}

// A group is the requesters of one institution, as far as one dataset is concerned.
type group struct {
	institution ws.Institution
	dataset     ws.Dataset
}

// enter waits for the group's turn, and returns what gives it back; more than once does no
// harm.
func (q *queue) enter(ctx context.Context, g group) (leave func(), err error) {
	q.mu.Lock()
	if q.turns == nil {
		q.turns = map[group]chan struct{}{}
	}
	turn := q.turns[g]
	if turn == nil {
		turn = make(chan struct{}, 1)
		turn <- struct{}{}
		q.turns[g] = turn
	}
	q.mu.Unlock()
	select {
	case <-turn:
		return sync.OnceFunc(func() { turn <- struct{}{} }), nil
	case <-ctx.Done():
		return nil, ws.Errorf(ws.Stopped, "conduct", ws.T("stopped", "已停止")).Wrap(ctx.Err())
	}
}
