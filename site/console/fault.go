package console

import (
	"encoding/json"
	"errors"
	"net/http"

	ws "wellspring"
)

// A fault is an error on the socket.
type fault struct {
	Kind    string  `json:"kind"`
	Message ws.Text `json:"message"`
	Hint    ws.Text `json:"hint,omitzero"`
}

// faultOf puts an error into words of both languages. What is no error of ours
// may hold anything, and is not told.
func faultOf(err error) *fault {
	f := &fault{Kind: ws.KindOf(err).String(), Hint: ws.HintOf(err)}
	var e *ws.Error
	if errors.As(err, &e) {
		f.Message = ws.Text{En: e.In(ws.English), Zh: e.In(ws.Chinese)}
	} else {
		f.Message = ws.T("the node failed", "节点出错")
	}
	return f
}

func (f *fault) err() error {
	e := ws.Errorf(ws.KindNamed(f.Kind), "", f.Message)
	if f.Hint.IsZero() {
		return e
	}
	return e.WithHint(f.Hint)
}

// statuses map kinds to HTTP, for whoever reads with other tools; our client reads the kind.
var statuses = map[ws.Kind]int{ws.Invalid: http.StatusBadRequest, ws.Denied: http.StatusForbidden, ws.Withheld: http.StatusForbidden,
	ws.Unreachable: http.StatusServiceUnavailable, ws.Diverged: http.StatusConflict, ws.Stopped: http.StatusServiceUnavailable}

// reply writes v, or an error.
func reply(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err != nil {
		status, known := statuses[ws.KindOf(err)]
		if !known {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		v = map[string]*fault{"error": faultOf(err)}
	}
	_ = json.NewEncoder(w).Encode(v) // whoever asked is gone
}

func invalid(msg ws.Text) *ws.Error { return ws.Errorf(ws.Invalid, "console", msg) }

func denied(msg ws.Text) *ws.Error { return ws.Errorf(ws.Denied, "console", msg) }
