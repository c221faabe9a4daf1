package rehearsal

import (
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/policy"
)

// Enough reports whether a sum over sites, with the conductor that Options
// name, has the vectors of enough institutions for every site's policy. Run
// asks the same; whoever asks first spares loading rows.
func Enough(sites []Site, conductor ws.SiteID) error {
	sites, c, err := cast(sites, conductor)
	if err != nil {
		return err
	}
	return enough(sites, c)
}

func enough(sites []Site, conductor Site) error {
	var of []ws.Institution
	var policies []policy.Policy
	for _, s := range sites {
		of, policies = append(of, s.Institution), append(policies, s.Policy)
	}
	return policy.Strictest(policies...).Institutions("study", policy.Contributors(conductor.Institution, of))
}

// cast puts the sites in order, gives each its institution, and finds who
// conducts.
func cast(given []Site, conductor ws.SiteID) ([]Site, Site, error) {
	hub := Site{ID: Hub, Institution: Centre}
	sites := slices.Clone(given)
	slices.SortFunc(sites, func(a, b Site) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for i, s := range sites {
		if s.Institution == "" {
			sites[i].Institution = ws.Institution(s.ID)
		}
	}
	for slices.ContainsFunc(given, func(s Site) bool { return s.ID == hub.ID }) {
		hub.ID += "-"
	}
	for slices.ContainsFunc(given, func(s Site) bool { return s.Institution == "" && ws.Institution(s.ID) == hub.Institution }) {
		hub.Institution += "-"
	}
	if conductor == "" {
		return sites, hub, nil
	}
	i := slices.IndexFunc(sites, func(s Site) bool { return s.ID == conductor })
	if i < 0 {
		return nil, hub, ws.Errorf(ws.Invalid, "conductor", ws.T("%s is none of the sites", "%s 不是任何站点", conductor))
	}
	return sites, sites[i], nil
}
