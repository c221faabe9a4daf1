package wellspring

import (
	"regexp"
	"strings"
	"unicode"
)

// A SiteID names one member's node within a network, such as "cleveland".
// It is at most 64 characters and safe in a file name, a subject and a URL.
type SiteID string

// An Institution is the legal body behind one or more sites, such as a
// hospital. Limits count institutions, not sites. The zero Institution names
// nobody.
type Institution string

// A Dataset is the name under which each site registers its part of the rows
// that a study asks for, such as "bmt".
type Dataset string

// A Purpose is a DUO term, such as "DUO:0000037", under which data are asked for.
type Purpose string

// A Release is the version of the program, as it enters the protocol digest:
// sites of unlike releases do not add their vectors.
type Release string

// Version is this program's release.
const Version Release = "0.1.0"

// Validate holds a release to the characters of a version.
func (r Release) Validate() error {
	if !releaseForm.MatchString(string(r)) {
		return Errorf(Invalid, "", T("a release has 1 to 64 letters, digits, '.', '-' or '+'", "版本号由 1 到 64 个字母、数字、“.”、“-”或“+”组成"))
	}
	return nil
}

// Forms are matched by hand where they count letters of all scripts: compiled, such an
// expression costs every start of the program milliseconds.
var (
	releaseForm = regexp.MustCompile(`^[a-zA-Z0-9.+-]{1,64}$`)
	purposeForm = regexp.MustCompile(`^DUO:[0-9]{7}$`)
)

// NameForm is the expression of [IsName], for schemas.
const NameForm = `^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$`

// IsName tells whether s has the form of names that become part of a file name, a
// subject or a report: 1 to 64 letters and digits of any script, '.', '_' and '-', of
// which the first is a letter or digit.
func IsName(s string) bool {
	return fits(s, 64, func(r rune) bool { return alphanumeric(r) || r == '.' || r == '_' || r == '-' })
}

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// fits tells whether s has 1 to most characters, the first a letter or digit and the
// others as later says.
func fits(s string, most int, later func(rune) bool) bool {
	n := 0
	for _, r := range s {
		if n++; n > most || n == 1 && !alphanumeric(r) || !later(r) {
			return false
		}
	}
	return n > 0
}

// Validate reports whether s has the form of a site's name.
func (s SiteID) Validate() error {
	if IsName(string(s)) {
		return nil
	}
	return Errorf(Invalid, "site name",
		T("a site's name has 1 to 64 letters, digits, '.', '_' or '-', and begins with a letter or digit",
			"站点名由 1 到 64 个字母、数字、“.”、“_”或“-”组成，并以字母或数字开头"))
}

// Validate reports whether i has the form of an institution's name.
func (i Institution) Validate() error {
	plain := func(r rune) bool { return alphanumeric(r) || unicode.IsMark(r) || unicode.IsPunct(r) || r == ' ' }
	if fits(string(i), 128, plain) && !strings.HasSuffix(string(i), " ") {
		return nil
	}
	return Errorf(Invalid, "institution",
		T("an institution's name has 1 to 128 letters, digits, spaces or marks of punctuation, and begins with a letter or digit",
			"机构名由 1 到 128 个字母、数字、空格或标点组成，并以字母或数字开头"))
}

// Validate reports whether p has the form of a DUO term.
func (p Purpose) Validate() error {
	if purposeForm.MatchString(string(p)) {
		return nil
	}
	return Errorf(Invalid, "purpose",
		T("a purpose is a DUO term such as DUO:0000037", "用途须为 DUO 术语，例如 DUO:0000037"))
}
