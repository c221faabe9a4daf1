package rehearsal_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

// source is a table whose second scan fails, if it has an error.
type source struct {
	*table.Table
	err   error
	scans *int
}

func (s source) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	if *s.scans++; *s.scans == 2 && s.err != nil {
		return func(yield func(frame.Batch, error) bool) { yield(frame.Batch{}, s.err) }
	}
	return s.Table.Scan(ctx, q)
}

// network is n sites with keys and journals in folders; the site at bad fails
// with err.
func network(t *testing.T, n int, bad map[int]error) []rehearsal.Site {
	t.Helper()
	dir := t.TempDir()
	var out []rehearsal.Site
	for i := range n {
		var years []float64
		for k := range 20 + i {
			years = append(years, float64(20+(7*k+i)%60))
		}
		out = append(out, rehearsal.Site{ID: ws.SiteID(fmt.Sprintf("site%d", n-i)), Rows: source{ages(t, years...), bad[i], new(int)}, Policy: policy.Public(),
			Dir: filepath.Join(dir, fmt.Sprint(i))})
	}
	return out
}

// ages is a table of one column.
func ages(t *testing.T, years ...float64) *table.Table {
	t.Helper()
	out, err := table.New(frame.Dictionary{{Name: "age", Type: frame.Real, Max: 100}}, []frame.Values{{Real: years}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func question() *study.Study {
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "test"},
		Data: study.Data{Dataset: "rows"}, Analysis: &study.Analysis{Method: "describe", Variables: []string{"age"}}}
	return s.WithDefaults()
}

var catalog = analyze.Catalog{describe.Describe()}

// ends fails if goroutines of the run are left; they may need a moment to go.
func ends(t *testing.T, before int) {
	t.Helper()
	for range 500 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before the run", runtime.NumGoroutine(), before)
}

// A study is played twice over the same folders: the sites keep their keys,
// mode 0600, and of a run a tombstone; progress never goes back.
func TestRun(t *testing.T) {
	sites := network(t, 5, nil)
	before := runtime.NumGoroutine()
	var keys [2]string
	for i := range keys {
		var told []rehearsal.Progress
		got, err := rehearsal.Run(t.Context(), question(), sites, rehearsal.Options{Catalog: catalog, Progress: func(p rehearsal.Progress) { told = append(told, p) }})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Document.Sites) != 5 || got.Seen.Site != "site1" || len(got.Seen.Vector) == 0 {
			t.Errorf("sites %v, seen %v", got.Document.Sites, got.Seen)
		}
		progress(t, told, 5*got.Document.Rounds)
		keys[i] = key(t, sites[0].Dir)
		records(t, sites, i+1)
	}
	if keys[0] != keys[1] {
		t.Error("the site has another key in its second run")
	}
	ends(t, before)
}

func progress(t *testing.T, told []rehearsal.Progress, want int) {
	t.Helper()
	if len(told) != want {
		t.Errorf("told %d times, want %d", len(told), want)
	}
	for i := 1; i < len(told); i++ {
		a, b := told[i-1], told[i]
		if b.Round < a.Round || b.Round == a.Round && b.Answered <= a.Answered || b.Answered > b.Sites || b.Sites != 5 {
			t.Errorf("after %+v comes %+v", a, b)
		}
	}
}

func key(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "site.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key has mode %v, error %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// records fails unless each site keeps one short record a run.
func records(t *testing.T, sites []rehearsal.Site, runs int) {
	t.Helper()
	for _, s := range sites {
		left, err := filepath.Glob(filepath.Join(s.Dir, "journal", "*", "*"))
		if err != nil || len(left) != runs {
			t.Errorf("%s keeps %v", s.ID, left)
		}
		for _, path := range left {
			if b, err := os.ReadFile(path); err != nil || filepath.Base(path) != "state" || len(b) > 1024 {
				t.Errorf("%s keeps %s of %d bytes: %v", s.ID, path, len(b), err)
			}
		}
	}
}

// Of two sites with bad rows the first one's error is returned, once, with no
// document, and nothing goes on.
func TestRun_BadRows(t *testing.T) {
	bad := ws.Errorf(ws.Invalid, "column age", ws.T("a value is outside the dictionary", "有取值超出字典"))
	before := runtime.NumGoroutine()
	got, err := rehearsal.Run(t.Context(), question(), network(t, 5, map[int]error{1: bad, 3: bad}), rehearsal.Options{Catalog: catalog})
	if got != nil || ws.KindOf(err) != ws.Invalid {
		t.Fatalf("outcome %v, error %v", got != nil, err)
	}
	if text := err.Error(); strings.Count(text, "outside the dictionary") != 1 || strings.Count(text, "site site") != 1 {
		t.Errorf("the error reads %q", text)
	}
	ends(t, before)
}

func TestRun_Stopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	before := runtime.NumGoroutine()
	sites := network(t, 5, nil)
	got, err := rehearsal.Run(ctx, question(), sites, rehearsal.Options{Catalog: catalog, Progress: func(p rehearsal.Progress) {
		if p.Round == 1 {
			cancel()
		}
	}})
	if got != nil || ws.KindOf(err) != ws.Stopped {
		t.Errorf("outcome %v, error %v", got != nil, err)
	}
	ends(t, before)
	cancel()
}

func TestRun_BadKey(t *testing.T) {
	for _, content := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		sites := network(t, 3, nil)
		if err := os.MkdirAll(sites[0].Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sites[0].Dir, "site.key"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rehearsal.Run(t.Context(), question(), sites, rehearsal.Options{Catalog: catalog}); ws.KindOf(err) != ws.Invalid {
			t.Errorf("a key of %d bytes: %v", len(content), err)
		}
	}
}

// A file in the place of a site's folder is an error, not a site without key.
func TestRun_NoFolder(t *testing.T) {
	sites := network(t, 3, nil)
	if err := os.WriteFile(sites[1].Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var pathError *os.PathError
	if _, err := rehearsal.Run(t.Context(), question(), sites, rehearsal.Options{Catalog: catalog}); !errors.As(err, &pathError) {
		t.Errorf("error %v", err)
	}
}
