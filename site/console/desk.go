package console

import (
	"context"

	"wellspring/ledger"
	"wellspring/post/conduct"
)

// ConductAt has a desk conduct a console's tasks.
func ConductAt(desk *conduct.Desk) func(context.Context, Task) (*Answer, error) {
	return func(ctx context.Context, t Task) (*Answer, error) {
		var members []conduct.Member
		for _, m := range t.Members {
			members = append(members, conduct.Member{Member: m})
		}
		return answerOf(desk.Open(ctx, t.Ref, t.Study, members, t.Few))
	}
}

// StandInBy has a site take a run over; take is its service's.
func StandInBy(take func(context.Context, ledger.RunID) (*conduct.Outcome, error)) func(context.Context, ledger.RunID) (*Answer, error) {
	return func(ctx context.Context, id ledger.RunID) (*Answer, error) { return answerOf(take(ctx, id)) }
}

func answerOf(o *conduct.Outcome, err error) (*Answer, error) {
	if o == nil {
		return nil, err
	}
	return &Answer{Run: o.Run, Document: o.Document, Salt: o.Salt, Closing: o.Closing}, err
}

// Follow is told a desk's progress; the end of a run the console learns from the run itself.
func (s *Server) Follow(p conduct.Progress) {
	if p.Document == nil && p.Err == nil {
		s.Tell(p.Ref, Progress{Run: p.Run, Epoch: p.Epoch, Round: p.Round, Answered: p.Answered, Sites: p.Sites})
	}
}
