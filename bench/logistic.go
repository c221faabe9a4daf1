package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"wellspring/study"
)

//go:embed logistic.R
var logisticR []byte

// proveLogistic fits one model at four sites, whose rows are in their engines
// already, and in R, whose rows are in a data frame already.
func proveLogistic(ctx context.Context, scale float64, r *Report) error {
	const sites, columns, repeats = 4, 20, 3
	rows := scaled(1_000_000, scale, 2000)
	list := cohorts(sites, rows, columns)
	w, err := openCohorts(ctx, 512, list)
	if err != nil {
		return err
	}
	defer w.close()
	dir := filepath.Join(w.dir, "columns")
	if err := writeColumns(dir, list); err != nil {
		return err
	}
	var doc *study.Document
	var ours, theirs []float64
	var peer *rFit
	for range repeats {
		t, err := timed(func() (err error) { doc, err = w.fit(ctx, columns); return err })
		if err != nil {
			return err
		}
		ours = append(ours, t)
		if peer, err = fitR(ctx, dir, rows, columns, int(iterations(doc))); err != nil {
			return err
		}
		theirs = append(theirs, peer.seconds)
	}
	if far := peer.distance(doc); far > 1e-6 {
		return fmt.Errorf("the two answers are %.1e standard errors apart", far)
	}
	ratio := median(ours) / median(theirs)
	r.Peer = fmt.Sprintf("glm of %s, BLAS %s, LAPACK %s", peer.version, peer.blas, peer.lapack)
	r.add("rows", float64(rows), "")
	r.add("four masked sites", median(ours), "s")
	r.add("R", median(theirs), "s")
	r.add("ours / R", ratio, "")
	r.add("iterations, ours", iterations(doc), "")
	r.add("iterations, R", peer.iterations, "")
	r.add("rounds, ours", float64(doc.Rounds), "")
	r.Holds = ratio <= 0.5
	return nil
}

// writeColumns writes the rows of all sites, one after the other, into a file
// of doubles for each column.
func writeColumns(dir string, list []cohort) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d := list[0].dictionary()
	files := make([]*bufio.Writer, len(d))
	for j, c := range d {
		f, err := os.Create(filepath.Join(dir, c.Name))
		if err != nil {
			return err
		}
		defer f.Close()
		files[j] = bufio.NewWriter(f)
	}
	for _, c := range list {
		for b := range c.batches() {
			for j, v := range b.Columns {
				if err := binary.Write(files[j], binary.LittleEndian, v.Real); err != nil {
					return err
				}
			}
		}
	}
	for _, f := range files {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// An rFit is what R said of its fit.
type rFit struct {
	seconds, iterations   float64
	version, blas, lapack string
	estimates             []float64
}

func fitR(ctx context.Context, dir string, rows, columns, iterations int) (*rFit, error) {
	if _, err := exec.LookPath("Rscript"); err != nil {
		return nil, fmt.Errorf("Rscript is not there; ./test installs R, or apt-get install r-base-core: %w", err)
	}
	script := filepath.Join(dir, "logistic.R")
	if err := os.WriteFile(script, logisticR, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "Rscript", "--vanilla", script, dir, strconv.Itoa(rows), strconv.Itoa(columns), strconv.Itoa(iterations))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("Rscript: %w", err)
	}
	return readFit(out)
}

func readFit(out []byte) (*rFit, error) {
	f := &rFit{}
	for line := range bytes.Lines(out) {
		name, text, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		var x float64
		var err error
		switch name {
		case "version":
			f.version = text
			continue
		case "blas":
			f.blas = text
			continue
		case "lapack":
			f.lapack = text
			continue
		}
		if x, err = strconv.ParseFloat(text, 64); err != nil {
			return nil, fmt.Errorf("what R says cannot be read: %w", err)
		}
		switch name {
		case "seconds":
			f.seconds = x
		case "iterations":
			f.iterations = x
		case "estimate":
			f.estimates = append(f.estimates, x)
		}
	}
	return f, nil
}

// distance is the largest difference between two estimates of one coefficient,
// in standard errors.
func (f *rFit) distance(d *study.Document) float64 {
	if len(f.estimates) != len(d.Tidy) {
		return math.Inf(1)
	}
	worst := 0.0
	for i, row := range d.Tidy {
		worst = max(worst, math.Abs(row.Float("estimate")-f.estimates[i])/row.Float("std_error"))
	}
	return worst
}
