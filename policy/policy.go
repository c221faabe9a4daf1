package policy

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	ws "wellspring"
)

// A Leaf is a kind of detail that can describe one person, so a dataset grants
// it by name or not at all.
type Leaf string

const (
	// ExactTimes lets the distinct times of a survival analysis be known.
	ExactTimes Leaf = "exact_times"
	// OrderStatistics lets a quantile be the exact order statistic.
	OrderStatistics Leaf = "order_statistics"
)

// SiteResults says whether a site's own part may be released.
type SiteResults string

const (
	RefuseSite SiteResults = "refuse"
	CodedSite  SiteResults = "coded"
	NamedSite  SiteResults = "named"
)

// ZeroCells says whether a cross table shows that a cell is empty.
type ZeroCells string

const (
	HideZeros ZeroCells = "hide"
	ShowZeros ZeroCells = "show"
)

// A Review says which answers wait until a person has looked at them.
type Review string

const (
	NoReview   Review = "none"
	MarkedOnly Review = "marked" // those on which an automatic check of package review sets a mark
	ReviewAll  Review = "all"
)

// reviews are the values, the laxest first.
var reviews = []Review{NoReview, MarkedOnly, ReviewAll}

// Asks reports whether a person must look at an answer, which bears marks or none.
func (r Review) Asks(marked bool) bool { return r == ReviewAll || r == MarkedOnly && marked }

// A Policy is what a dataset's steward allows. It stands on the ledger; whoever
// may change it decides what its hospital reveals.
type Policy struct {
	// MinCell is k, the smallest number of persons behind a revealed number.
	// Default 10; 1 means no limit.
	MinCell int64 `json:"min_cell" yaml:"min_cell"`
	// MinInstitutions is the smallest number of contributing institutions, the
	// conductor's own not counted. Default 3; 1 means no limit.
	MinInstitutions int64 `json:"min_institutions" yaml:"min_institutions"`
	// MaxParameters is the largest ratio of parameters to rows of a model.
	// Default 1/3.
	MaxParameters float64 `json:"max_parameters" yaml:"max_parameters"`
	// MaxScalars is the largest ratio of scalars that a run opens to rows ×
	// columns that it used. Default 1/3.
	MaxScalars float64 `json:"max_scalars" yaml:"max_scalars"`
	// MaxInfluence is the largest share of a sum of squares about the mean, in
	// any cell that an answer rests on, that one person may carry. Default 0.1;
	// 1 means no limit. Whoever lies within three standard deviations of the
	// mean carries no more than others may; of ten persons none can lie farther
	// off (P. A. Samuelson, "How Deviant Can You Be?", JASA 63, 1968), so that
	// small cells are left to MaxShare.
	MaxInfluence float64 `json:"max_influence" yaml:"max_influence"`
	// MaxShare is the largest share of a sum, in any cell that an answer rests
	// on, that one person may carry, for variables that by the dictionary cannot
	// be negative, or cannot be positive. Default 0.5, the dominance rule of M.
	// Brandt et al., "Guidelines for the checking of output based on microdata
	// research", ESSnet SDC, 2010; 1 means no limit.
	MaxShare float64 `json:"max_share" yaml:"max_share"`
	// MaxLeverage is the largest leverage that one person may have in a
	// generalised linear model, w·xᵀ(XᵀWX)⁻¹x: the share of its own fitted value
	// that is its own; in a Cox model it is that of the columns alone, W = 1.
	// Default 0.5, above which P. J. Huber, "Robust Statistics",
	// Wiley 1981, says to avoid it; 1 means no limit.
	MaxLeverage float64 `json:"max_leverage" yaml:"max_leverage"`
	// MaxLevels is the largest number of levels of a factor that a study uses, the
	// sites of strata(site) left out. Default 40, DataSHIELD's nfilter.levels.max.
	MaxLevels int64 `json:"max_levels" yaml:"max_levels"`
	// MaxLevelDensity is the largest ratio of a factor's levels that hold rows to
	// the complete rows; under a cell limit that hides empty cells, of all levels that a row
	// may have. Default 0.33, DataSHIELD's nfilter.levels.density; 1 means
	// no limit.
	MaxLevelDensity float64 `json:"max_level_density" yaml:"max_level_density"`
	// MaxString is the longest text in quotes of a filter or a formula, in
	// characters. Default 80, DataSHIELD's nfilter.string.
	MaxString int64 `json:"max_string" yaml:"max_string"`
	// ZeroCells says whether an empty cell of a cross table is shown like any
	// other, or suppressed like one below MinCell: that nobody of a row and a
	// column which hold persons is in a cell tells something of all of them (the
	// class disclosure of ACRO's zeros_are_disclosive, github.com/AI-SDC/ACRO).
	// Default hide: then, under a cell limit, wherever a level, a group, an outcome
	// or a cell of too few is refused or left out, one of nobody is too, in the
	// same words, but where by the filter nobody can be; see [Policy.Few].
	ZeroCells ZeroCells `json:"zero_cells" yaml:"zero_cells"`
	// Leaves are granted one by one; default none.
	Leaves []Leaf `json:"leaves" yaml:"leaves"`
	// SiteResults says whether this site's own part may be released; default refuse.
	SiteResults SiteResults `json:"site_results" yaml:"site_results"`
	// FewInstitutions allows sums over fewer than three institutions, the conductor's
	// own not counted; default false. A policy file that sets it and says nothing
	// of min_institutions has min_institutions 1.
	FewInstitutions bool `json:"few_institutions" yaml:"few_institutions"`
	// Review says which answers a person at this institution must release, on a
	// network, before the requester gets them; default none.
	Review Review `json:"review" yaml:"review"`
}

// Default is the policy of a dataset whose steward has said nothing.
func Default() Policy {
	return Policy{MinCell: 10, MinInstitutions: 3, MaxParameters: 1. / 3, MaxScalars: 1. / 3, MaxInfluence: 0.1, MaxShare: 0.5, MaxLeverage: 0.5,
		MaxLevels: 40, MaxLevelDensity: 0.33, MaxString: 80, ZeroCells: HideZeros,
		Leaves: []Leaf{}, SiteResults: RefuseSite, Review: NoReview}
}

// Public is the policy of rows that anyone may read: no limit, all leaves.
func Public() Policy {
	return Policy{MinCell: 1, MinInstitutions: 1, MaxParameters: 1, MaxScalars: 1e300, MaxInfluence: 1, MaxShare: 1, MaxLeverage: 1,
		MaxLevels: math.MaxInt32, MaxLevelDensity: 1, MaxString: math.MaxInt32, ZeroCells: ShowZeros,
		Leaves: []Leaf{ExactTimes, OrderStatistics}, SiteResults: NamedSite, FewInstitutions: true, Review: NoReview}
}

// Grants reports whether p grants a leaf.
func (p Policy) Grants(l Leaf) bool { return slices.Contains(p.Leaves, l) }

// Validate refuses a policy that makes no sense.
func (p Policy) Validate() error {
	bad := func(msg ws.Text) error { return ws.Errorf(ws.Invalid, "policy", msg) }
	switch {
	case p.MinCell < 1:
		return bad(ws.T("min_cell must be at least 1", "min_cell 至少为 1"))
	case p.MinInstitutions < 1:
		return bad(ws.T("min_institutions must be at least 1", "min_institutions 至少为 1"))
	case !(p.MaxParameters > 0 && p.MaxParameters <= 1):
		return bad(ws.T("max_parameters must lie in (0, 1]", "max_parameters 须在 (0, 1] 内"))
	case !(p.MaxScalars > 0):
		return bad(ws.T("max_scalars must be above 0", "max_scalars 须大于 0"))
	case !(p.MaxInfluence > 0 && p.MaxInfluence <= 1):
		return bad(ws.T("max_influence must lie in (0, 1]", "max_influence 须在 (0, 1] 内"))
	case !(p.MaxShare > 0 && p.MaxShare <= 1):
		return bad(ws.T("max_share must lie in (0, 1]", "max_share 须在 (0, 1] 内"))
	case !(p.MaxLeverage > 0 && p.MaxLeverage <= 1):
		return bad(ws.T("max_leverage must lie in (0, 1]", "max_leverage 须在 (0, 1] 内"))
	case p.MaxLevels < 1:
		return bad(ws.T("max_levels must be at least 1", "max_levels 至少为 1"))
	case !(p.MaxLevelDensity > 0 && p.MaxLevelDensity <= 1):
		return bad(ws.T("max_level_density must lie in (0, 1]", "max_level_density 须在 (0, 1] 内"))
	case p.MaxString < 1:
		return bad(ws.T("max_string must be at least 1", "max_string 至少为 1"))
	case p.ZeroCells != HideZeros && p.ZeroCells != ShowZeros:
		return bad(ws.T("zero_cells is hide or show", "zero_cells 须为 hide 或 show"))
	case !slices.Contains([]SiteResults{RefuseSite, CodedSite, NamedSite}, p.SiteResults):
		return bad(ws.T("site_results is refuse, coded or named", "site_results 须为 refuse、coded 或 named"))
	case !slices.Contains(reviews, p.Review):
		return bad(ws.T("review is none, marked or all", "review 须为 none、marked 或 all"))
	}
	for _, l := range p.Leaves {
		if l != ExactTimes && l != OrderStatistics {
			return bad(ws.T("unknown leaf %q; leaves are exact_times and order_statistics",
				"未知的许可项 %q；可用的有 exact_times 和 order_statistics", string(l)))
		}
	}
	return nil
}

// Parse reads a policy file over the defaults; unknown keys are refused.
func Parse(b []byte, file string) (Policy, error) {
	p := Default()
	if len(b) > 1<<16 {
		return p, ws.Errorf(ws.Invalid, "policy", ws.T("a policy file has at most 64 KiB", "策略文件不得超过 64 KiB"))
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil {
		return p, ws.Errorf(ws.Invalid, "policy", ws.T("the policy file cannot be read", "无法读取策略文件")).
			Located(ws.Position{File: file}).
			WithHint(ws.T("docs/policy.yaml has every key with its default", "docs/policy.yaml 列有全部键及其默认值")).Wrap(err)
	}
	var given map[string]any
	if yaml.Unmarshal(b, &given) == nil && given["min_institutions"] == nil && p.FewInstitutions {
		p.MinInstitutions = 1 // whoever allows sums over fewer institutions than three allows their answers
	}
	return p, p.Validate()
}

// UnmarshalJSON reads a policy over the defaults, as [Parse] does: one that was
// frozen before a limit existed has that limit's default.
func (p *Policy) UnmarshalJSON(b []byte) error {
	type plain Policy
	q := plain(Default())
	if err := json.Unmarshal(b, &q); err != nil {
		return err
	}
	*p = Policy(q)
	return nil
}

// Strictest returns the policy that satisfies every one of ps.
func Strictest(ps ...Policy) Policy {
	out := Public()
	for _, p := range ps {
		out.MinCell = max(out.MinCell, p.MinCell)
		out.MinInstitutions = max(out.MinInstitutions, p.MinInstitutions)
		out.MaxParameters = min(out.MaxParameters, p.MaxParameters)
		out.MaxScalars = min(out.MaxScalars, p.MaxScalars)
		out.MaxInfluence = min(out.MaxInfluence, p.MaxInfluence)
		out.MaxShare = min(out.MaxShare, p.MaxShare)
		out.MaxLeverage = min(out.MaxLeverage, p.MaxLeverage)
		out.MaxLevels = min(out.MaxLevels, p.MaxLevels)
		out.MaxLevelDensity = min(out.MaxLevelDensity, p.MaxLevelDensity)
		out.MaxString = min(out.MaxString, p.MaxString)
		if p.ZeroCells == HideZeros {
			out.ZeroCells = HideZeros
		}
		out.Leaves = slices.DeleteFunc(slices.Clone(out.Leaves), func(l Leaf) bool { return !p.Grants(l) })
		out.FewInstitutions = out.FewInstitutions && p.FewInstitutions
		if p.SiteResults == RefuseSite || p.SiteResults == CodedSite && out.SiteResults == NamedSite {
			out.SiteResults = p.SiteResults
		}
		if slices.Index(reviews, p.Review) > slices.Index(reviews, out.Review) {
			out.Review = p.Review
		}
	}
	return out
}
