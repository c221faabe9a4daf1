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

// A copied file is in the node's folder, and its reader's to remove.
type copied struct {
	Name string `json:"name"`
}

func (s *Server) copy(w http.ResponseWriter, _ *http.Request) {
	if s.node.Copy == nil {
		reply(w, nil, noMemory())
		return
	}
	name, err := s.node.Copy()
	reply(w, copied{name}, err)
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

// Copy has the site copy what it remembers into a new file of its folder, which the caller removes.
func (c *Client) Copy(ctx context.Context) (string, error) {
	got, err := send[copied](ctx, c, "/v1/copies", struct{}{})
	return got.Name, err
}
