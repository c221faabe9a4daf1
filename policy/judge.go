package policy

import (
	"unicode/utf8"

	ws "wellspring"
)

// Hidden reports whether a count of n persons from the given number of
// institutions may not be shown for how few they are. Whether zero persons may is for [Policy.Few] to say.
// The number is a lower bound that leaves the conductor's institution out (see
// analyze.Facts.Speaks), so it may be 0 where there are persons.
func (p Policy) Hidden(n, institutions int64) bool {
	return n > 0 && (n < p.MinCell || p.MinInstitutions > 1 && institutions < p.MinInstitutions)
}

// Veils reports whether nobody must look like too few: where a limit holds and empty cells are hidden. Were the two
// told apart, by the kind of an error, its words, a zero or a row that is not there, then one study of the rows
// "bit = 0 or the target" would tell the target's bit.
func (p Policy) Veils() bool { return p.MinCell > 1 && p.ZeroCells == HideZeros }

// Few reports whether nothing may be told of n persons from the given number of institutions, not even that there
// is nobody: as [Policy.Hidden], and nobody where the policy veils it. void says that by the study's filter and the
// dictionary nobody can be there, whatever the rows are; that tells nothing.
func (p Policy) Few(n, institutions int64, void bool) bool {
	return p.Hidden(n, institutions) || n == 0 && !void && p.Veils()
}

// Contributors counts institutions, each once, the conductor's own left out.
func Contributors(conductor ws.Institution, of []ws.Institution) int {
	seen := map[ws.Institution]bool{}
	for _, i := range of {
		if i != conductor {
			seen[i] = true
		}
	}
	return len(seen)
}

// Rows judges the rows that an analysis rests on: n persons from the given
// number of institutions.
func (p Policy) Rows(op string, n, institutions int64) error {
	if n == 0 && p.MinCell <= 1 { // under a limit, nobody and too few look alike
		return ws.Errorf(ws.Invalid, op, ws.T("no complete row is left at any site", "各站点均无完整的行")).
			WithHint(ws.T("check the filter, and which columns are missing", "请检查筛选条件，以及哪些列有缺失"))
	}
	if n == 0 || p.Hidden(n, institutions) {
		return withheld(op, ws.T("too few persons or institutions stand behind the answer", "支撑该结果的人数或机构数过少")).
			WithHint(ws.T("widen the filter, and check which columns are missing", "请放宽筛选条件，并检查哪些列有缺失"))
	}
	return nil
}

// Parameters judges a model of the given number of parameters on n rows.
func (p Policy) Parameters(op string, parameters int, n int64) error {
	if float64(parameters) > p.MaxParameters*float64(n) {
		return withheld(op, ws.T("the model has too many parameters for its rows", "相对于行数，模型参数过多")).
			WithHint(ws.T("use fewer terms, or merge levels", "请减少项数，或合并水平"))
	}
	return nil
}

// Levels judges the number of levels that the dictionary gives a factor.
func (p Policy) Levels(op string, levels int) error {
	if int64(levels) > p.MaxLevels {
		return withheld(op, ws.T("the factor has more levels than max_levels allows", "该因子的水平数超过 max_levels 的限制")).
			WithHint(ws.T("merge levels in the data, or choose a coarser factor", "请在数据中合并水平，或选用较粗的分类"))
	}
	return nil
}

// LevelDensity judges the number of levels of a factor that hold any of n rows.
func (p Policy) LevelDensity(op string, levels, n int64) error {
	if p.MaxLevelDensity < 1 && float64(levels) > p.MaxLevelDensity*float64(n) {
		return withheld(op, ws.T("the factor has too many levels for its rows", "相对于行数，该因子的水平过多")).
			WithHint(ws.T("merge levels in the data, or widen the filter", "请在数据中合并水平，或放宽筛选条件"))
	}
	return nil
}

// Strings judges the texts in quotes of a filter or a formula.
func (p Policy) Strings(op string, texts []string) error {
	for _, s := range texts {
		if int64(utf8.RuneCountInString(s)) > p.MaxString {
			return withheld(op, ws.T("a text in quotes is longer than max_string allows", "引号内的文本长度超过 max_string 的限制")).
				WithHint(ws.T("give the level a shorter name in the data", "请在数据中为该水平取较短的名称"))
		}
	}
	return nil
}

// Leverage judges at how many sites a person's leverage passes MaxLeverage.
func (p Policy) Leverage(op string, sites int64) error {
	if sites > 0 && p.MaxLeverage < 1 {
		return withheld(op, ws.T("one person alone would pull the fit to its own value: its leverage passes max_leverage", "有个人几乎独自决定其拟合值：其杠杆值超过 max_leverage")).
			WithHint(ws.T("leave out high powers, and terms that together set one person apart; take logarithms, or filter extreme values", "请去掉高次项以及合起来会区分出单个人的项；请取对数，或筛除极端值"))
	}
	return nil
}

// Scalars judges the number of scalars that a run has opened, against the rows
// and columns that it used.
func (p Policy) Scalars(op string, opened, rows, columns int64) error {
	if float64(opened) > p.MaxScalars*float64(rows)*float64(columns) {
		return withheld(op, ws.T("the run would open too many numbers for the rows that it reads", "相对于所读取的行，该计算将公开过多数值")).
			WithHint(ws.T("ask for fewer analyses, levels or time steps in one study", "请在一项研究中减少分析、水平或时间步的数量"))
	}
	return nil
}

// Granted refuses with the name of a leaf that is not granted.
func (p Policy) Granted(op string, l Leaf) error {
	if p.Grants(l) {
		return nil
	}
	return ws.Errorf(ws.Denied, op, ws.T("the dataset does not grant %s", "该数据集未许可 %s", string(l)))
}

// Institutions judges of how many institutions a sum has the vectors, the
// conductor's own not counted (see [Contributors]).
func (p Policy) Institutions(op string, institutions int) error {
	if institutions < 3 && !p.FewInstitutions {
		return ws.Errorf(ws.Denied, op, ws.T("a sum over fewer than three institutions, the conductor's own not counted, would show one institution's part", "除主持方所属机构外少于三家机构的求和会暴露单家机构的部分")).
			WithHint(ws.T("add institutions, or ask every steward to allow few_institutions", "请增加机构，或请每位数据管理员允许 few_institutions"))
	}
	return nil
}

func withheld(op string, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Withheld, op, msg)
}
