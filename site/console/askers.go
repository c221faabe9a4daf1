package console

import (
	"context"
	"net/http"

	ws "wellspring"
)

// An Asker is the requesters of one institution, as this site remembers them for one
// dataset. It tells of questions, and of no row.
type Asker struct {
	Institution ws.Institution `json:"institution"`
	Dataset     ws.Dataset     `json:"dataset"`
	Cohorts     int            `json:"cohorts"` // on which they were answered
	Replies     int            `json:"replies"` // that a question is as good as asked before, since they were let ask on
	Held        bool           `json:"held"`    // until a person lets them ask on
}

func (s *Server) askers(w http.ResponseWriter, _ *http.Request) {
	if s.node.Askers == nil {
		reply(w, nil, noMemory())
		return
	}
	all, err := s.node.Askers()
	reply(w, all, err)
}

func (s *Server) let(w http.ResponseWriter, r *http.Request) {
	if s.node.Let == nil {
		reply(w, nil, noMemory())
		return
	}
	var a Asker
	err := readJSON(w, r, maxSmall, &a)
	if err == nil {
		err = s.node.Let(a)
	}
	reply(w, a, err)
}

func noMemory() error {
	return invalid(ws.T("only a site remembers whom it answered", "只有站点会记住它答复过谁"))
}

// Askers lists the groups of requesters that the site remembers.
func (c *Client) Askers(ctx context.Context) (all []Asker, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/askers", nil, &all)
}

// Let lets a group ask on.
func (c *Client) Let(ctx context.Context, a Asker) error {
	_, err := send[Asker](ctx, c, "/v1/askers", a)
	return err
}
