package post

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
)

// A Review is the body of [Words]: what a reviewer says to whoever asked, to which the
// ledger holds a commitment with this salt.
type Review struct {
	Run  ledger.RunID `json:"run"`
	Salt ledger.Salt  `json:"salt"`
	Text string       `json:"text"`
}

// MaxReason bounds the words of a review, in bytes.
const MaxReason = 2 << 10

// Check refuses words that are too long, or of no run.
func (r Review) Check() error {
	if len(r.Run) == 32 && r.Text != "" && len(r.Text) <= MaxReason && utf8.ValidString(r.Text) && !strings.ContainsFunc(r.Text, unicode.IsControl) {
		return nil
	}
	return ws.Errorf(ws.Invalid, "review", ws.T("a reason is one line of 1 to %d bytes", "理由须为一行，1 到 %d 字节", MaxReason))
}

// TakeWords hands the words in a letter to whoever keeps them; nil keeps none.
func TakeWords(d *mesh.Delivery, keep func(ws.SiteID, Review) error) error {
	b, err := d.Bytes()
	if err != nil || keep == nil {
		return err
	}
	var r Review
	if json.Unmarshal(b, &r) != nil {
		return ws.Errorf(ws.Invalid, "post", ws.T("the letter of %s is not well formed", "%s 的信件格式不正确", d.From))
	}
	if err := r.Check(); err != nil {
		return err
	}
	return keep(d.From, r)
}
