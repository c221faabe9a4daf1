package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"wellspring/study"
)

// proveFifty founds a network of fifty sites, each a process of its own with a
// store, keys, journal and copy of the ledger, and asks a study of all of them.
func proveFifty(ctx context.Context, scale float64, r *Report) error {
	n := scaled(50, scale, 4)
	f, err := openFleet(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	var sites []string
	for i := range n {
		sites = append(sites, fmt.Sprintf("site-%03d", i+1))
	}
	founded, err := timed(func() error { return f.people(ctx, sites, 60) })
	if err != nil {
		return err
	}
	a, err := f.asker(ctx, "site", sites[0])
	if err != nil {
		return err
	}
	s := caseStudy("fifty", study.Analysis{Method: "describe", Variables: []string{"age", "pressure"}, By: "sex"})
	ref, err := a.submit(ctx, s, sites)
	if err != nil {
		return err
	}
	before, err := accountOf(f.node(hubDir).cmd.Process.Pid)
	if err != nil {
		return err
	}
	var doc *study.Document
	took, err := timed(func() (err error) { doc, err = a.run(ctx, hubDir, ref, nil); return err })
	if err != nil {
		return err
	}
	hub, err := accountOf(f.node(hubDir).cmd.Process.Pid)
	if err != nil {
		return err
	}
	all, err := f.memory(sites)
	if err != nil {
		return err
	}
	pooled, err := f.pooled(ctx, s, sites)
	if err != nil {
		return err
	}
	differs := sameAnswer(doc, pooled)
	if differs != nil {
		fmt.Fprintln(os.Stderr, differs)
	}
	r.Peer = "simulate --pooled, on one table of the same rows"
	r.add("sites, a process each", float64(n), "")
	r.add("to make, admit, load, start and freeze all", founded, "s")
	r.add("the study, asked to answered", took, "s")
	r.add("rounds", float64(doc.Rounds), "")
	r.add("sites in the answer", float64(len(doc.Sites)), "")
	r.add("answer equals the pooled one to 1e-9", truth(differs == nil), "1 is yes")
	hub.report(r, "hub", before)
	r.add("all sites: peak memory, the largest", slices.Max(all), "MiB")
	r.add("all sites: peak memory, median", median(all), "MiB")
	r.Holds = differs == nil && len(doc.Sites) == n && hub.peak < 1<<30
	return nil
}

// people lets sites in, one after the other, and has them hold each other's keys.
func (f *fleet) people(ctx context.Context, sites []string, rows int) error {
	if err := f.describeCases(ctx); err != nil {
		return err
	}
	for i, s := range sites {
		if err := f.admit(ctx, s, rows, uint64(i+1)); err != nil {
			return err
		}
	}
	return f.pin(ctx, sites)
}

// memory is the peak of each site's process, in MiB.
func (f *fleet) memory(sites []string) (all []float64, err error) {
	for _, s := range sites {
		a, err := accountOf(f.node(s).cmd.Process.Pid)
		if err != nil {
			return nil, err
		}
		all = append(all, a.peak/(1<<20))
	}
	return all, nil
}

// pooled is the answer of the one table of all rows, under the same limits.
func (f *fleet) pooled(ctx context.Context, s *study.Study, sites []string) (*study.Document, error) {
	args := []string{"simulate", "--pooled", "--study", s.Metadata.Name + ".json", "--dictionary", caseDictionary, "--out", "pooled.json"}
	for _, site := range sites {
		args = append(args, "--site", site+"="+site+".csv")
	}
	if _, err := f.do(ctx, args...); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(f.path("pooled.json"))
	if err != nil {
		return nil, err
	}
	return study.ParseDocument(b)
}

// sameAnswer says where two answers differ: in a word, or in a number by more
// than 1e-9 of it.
func sameAnswer(a, b *study.Document) error {
	if a.Result == nil || b.Result == nil || len(a.Tidy)+len(a.Glance) == 0 || len(a.Tidy) != len(b.Tidy) {
		return errors.New("the answers have not the same rows")
	}
	for i, row := range append(slices.Clone(a.Tidy), a.Glance) {
		other := append(slices.Clone(b.Tidy), b.Glance)[i]
		if len(row) != len(other) {
			return errors.New("the answers have not the same fields")
		}
		for k, f := range row {
			x, number := f.Value.(float64)
			y, also := other[k].Value.(float64)
			same := f == other[k]
			if number && also {
				same = math.Abs(x-y) <= 1e-9*math.Abs(y)
			}
			if !same {
				return fmt.Errorf("row %d, %s: %v and %v", i, f.Name, f.Value, other[k].Value)
			}
		}
	}
	return nil
}

// An account is what the kernel says of a process.
type account struct {
	peak    float64 // of memory, in bytes
	own     float64 // memory now, in bytes, without the pages of files, such as its own program
	handles float64
	cpu     float64 // seconds
	passed  float64 // bytes that it has read and written, sockets and files
}

// clockTicks is USER_HZ, which is 100 on every platform of Linux.
const clockTicks = 100

func accountOf(pid int) (a account, err error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return a, fmt.Errorf("this proof needs Linux: %w", err)
	}
	a.peak, a.own = 1024*after(status, "VmHWM:"), 1024*after(status, "RssAnon:")
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		return a, err
	}
	a.handles = float64(len(fds))
	io, err := os.ReadFile(dir + "io")
	if err != nil {
		return a, err
	}
	a.passed = after(io, "rchar:") + after(io, "wchar:")
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return a, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name; utime is the 14th field, stime the 15th
	if fields := strings.Fields(rest); len(fields) > 12 {
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		a.cpu = (user + system) / clockTicks
	}
	return a, nil
}

// after is the number behind a word.
func after(text []byte, word string) (x float64) {
	_, rest, _ := bytes.Cut(text, []byte(word))
	_, _ = fmt.Sscan(string(rest), &x) // 0 where there is none
	return x
}

// report adds a process's figures; what it took since before is the study's.
func (a account) report(r *Report, name string, before account) {
	r.add(name+": peak memory", a.peak/(1<<20), "MiB")
	r.add(name+": file handles", a.handles, "")
	r.add(name+": processor time until the study", before.cpu, "s")
	r.add(name+": processor time of the study", a.cpu-before.cpu, "s")
	r.add(name+": bytes read and written for the study, sockets and files", a.passed-before.passed, "B")
}
