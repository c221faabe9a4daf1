package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	duck "github.com/duckdb/duckdb-go-bindings"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"wellspring":  main,
		"nats-server": natsServer,
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "en_GB.UTF-8")
			e.Setenv("LC_ALL", "")
			e.Setenv("TMPDIR", e.Getenv("WORK")+"/tmp")
			clients, err := filepath.Abs("../../clients")
			if err != nil {
				return err
			}
			e.Setenv("CLIENTS", clients)
			return os.Mkdir(e.Getenv("WORK")+"/tmp", 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"near": near, "same": same, "code": code, "rows": writeRows,
			"refuse": refuse, "recode": recode, "interrupt": interrupt, "parquet": writeParquet,
			"found": found, "decide": decide, "field": field, "alter": alter, "gone": gone,
			"serve": serve, "halt": halt, "ends": ends, "midway": midway, "pinall": pinAll, "private": private,
			"fetch": fetch, "pages": pages, "sign": sign, "shut": shut, "guide": guide, "operate": operate, "unit": unit, "proxy": proxy, "tapped": tapped, "plan": plan, "cluster": cluster, "begin": begin, "says": says, "carry": carry, "offline": offline, "logs": logs, "knock": knock,
			"hold": hold, "everywhere": everywhere, "python": python, "snippet": snippet,
			"identity": identity, "fall": fall, "reborn": rebear,
			"wards": wards, "search": search, "taint": taint, "inrows": inRows, "crawl": crawl, "counts": counts, "asked": asked,
		},
	})
}

// near FILE PATH VALUE TOL: the number at PATH, such as results.0.tidy.2.estimate,
// differs from VALUE by at most TOL of it.
func near(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 || neg {
		ts.Fatalf("near FILE PATH VALUE TOL")
	}
	got, ok := at(decode(ts, args[0]), strings.Split(args[1], ".")).(float64)
	want, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	tol, err := strconv.ParseFloat(args[3], 64)
	ts.Check(err)
	if !ok || !(math.Abs(got-want) <= tol*math.Max(math.Abs(want), 1e-300)) {
		ts.Fatalf("%s: %v, want %v", args[1], got, want)
	}
}

// same A B TOL: two results hold the same numbers and texts.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("same A B TOL")
	}
	tol, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	compared := 0
	for _, key := range []string{"tidy", "glance", "results"} {
		compared += equal(ts, key, at(decode(ts, args[0]), []string{key}), at(decode(ts, args[1]), []string{key}), tol)
	}
	if compared == 0 {
		ts.Fatalf("no number was compared")
	}
}

// equal compares two JSON values and returns how many numbers it saw.
func equal(ts *testscript.TestScript, path string, a, b any, tol float64) (numbers int) {
	switch a := a.(type) {
	case map[string]any:
		bm, _ := b.(map[string]any)
		for k, v := range a {
			numbers += equal(ts, path+"."+k, v, bm[k], tol)
		}
	case []any:
		bl, _ := b.([]any)
		if len(a) != len(bl) {
			ts.Fatalf("%s: %d and %d entries", path, len(a), len(bl))
		}
		for i, v := range a {
			numbers += equal(ts, path+"."+strconv.Itoa(i), v, bl[i], tol)
		}
	case float64:
		bf, ok := b.(float64)
		if !ok || !(math.Abs(a-bf) <= tol*math.Max(1, math.Abs(bf))) {
			ts.Fatalf("%s: %v and %v", path, a, b)
		}
		return 1
	default:
		if a != b {
			ts.Fatalf("%s: %v and %v", path, a, b)
		}
	}
	return numbers
}

func decode(ts *testscript.TestScript, file string) any {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &v))
	return v
}

func at(v any, path []string) any {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// rows FILE N SEED: writes N patients, drawn from a fixed sequence.
func writeRows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("rows FILE N SEED")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	seed, err := strconv.ParseUint(args[2], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), patients(n, seed), 0o644))
}

// parquet FROM.csv TO.parquet: the same table as a Parquet file, with types as
// DuckDB's own CSV reader finds them.
func writeParquet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("parquet FROM TO")
	}
	var db duck.Database
	var conn duck.Connection
	var res duck.Result
	if duck.Open("", &db) != duck.StateSuccess || duck.Connect(db, &conn) != duck.StateSuccess {
		ts.Fatalf("DuckDB does not start")
	}
	defer duck.Close(&db)
	defer duck.Disconnect(&conn)
	defer duck.DestroyResult(&res)
	sql := "COPY (SELECT * FROM read_csv('" + ts.MkAbs(args[0]) + "', header = true)) TO '" + ts.MkAbs(args[1]) + "' (FORMAT parquet)"
	if duck.Query(conn, sql, &res) != duck.StateSuccess {
		ts.Fatalf("%s: %s", sql, duck.ResultError(&res))
	}
}
