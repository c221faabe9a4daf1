package main

import (
	"context"
	"net"

	ws "wellspring"
	"wellspring/site/events"
	"wellspring/site/vitals"
)

// metricsFlag is where a node shows its state to its operator; nowhere if not given.
func metricsFlag(f *flagSet) *string {
	at := new(string)
	f.text(at, "metrics", "HOST:PORT", ws.T("serve /metrics, /healthz and /readyz there, without TLS; nowhere if not given", "在此地址提供 /metrics、/healthz 和 /readyz（不加密）；未给出则不提供"))
	return at
}

// showVitals is the part of a node that serves them; nil where nobody wants it.
func showVitals(v *vitals.Server, at string, log *eventLog) (func(context.Context) error, error) {
	if at == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "metrics", ws.T("nothing can listen at %s", "无法监听 %s", at)).
			WithHint(ws.T("give a free port of this machine, as in --metrics 127.0.0.1:9464", "请给出本机的空闲端口，如 --metrics 127.0.0.1:9464")).Wrap(err)
	}
	log.Write(events.MetricsServed(l.Addr().String()))
	return func(ctx context.Context) error { return v.Serve(ctx, l) }, nil
}
