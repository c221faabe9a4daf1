package broker_test

import (
	"testing"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
)

// The mesh's promises over NATS: TLS, WebSocket, and with the hub in the broker's process.
func TestSuite(t *testing.T) {
	for name, scheme := range map[string]string{"tls": "tls", "wss": "wss", "in-process": "tls"} {
		t.Run(name, func(t *testing.T) {
			meshtest.Run(t, func(t *testing.T) meshtest.Network {
				w := newWorld(t)
				return meshtest.Network{Keeps: true, Open: func(t *testing.T, site ws.SiteID) mesh.Carrier {
					o := wire.Options{Scheme: scheme}
					if name == "in-process" && site == meshtest.Hub {
						o.InProcess = w.Broker
					}
					return w.open(t, w.passes[site], o)
				}}
			})
		})
	}
}
