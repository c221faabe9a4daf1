package meshtest

import (
	"testing"

	ws "wellspring"
	"wellspring/mesh"
)

func TestPipe(t *testing.T) {
	Run(t, func(t *testing.T) Network {
		p := &Pipe{}
		return Network{Open: func(t *testing.T, site ws.SiteID) mesh.Carrier { return p.Join(site) }}
	})
}
