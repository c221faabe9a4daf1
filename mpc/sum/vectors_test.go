package sum

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"wellspring/stat"
)

var update = flag.Bool("update", false, "write testdata/vectors.txt anew")

const vectorsHead = `# Test vectors of the secure sum, for implementations in other languages.
#
# A line is "name arguments = value"; bytes are in hexadecimal; "#" begins a
# comment. testdata/check.py, which shares no line with the Go code, checks what
# matters most. The definitions stand in the package doc and at the functions named
# here. Nothing is drawn at random: seats 0 to 3 are the sites "site0000" to
# "site0003", whose ledger keys are Ed25519 with the seed
# SHA-256("ledger key of " + name), and every other secret is given.
#
#   params            Params.Digest: chain "test-1", run "run-1", epoch 1, protocol
#                     and open the SHA-256 of "protocol" and "open", none alone
#   adverts, coin     the digest of the adverts, and the coin (given)
#   transcript        Epoch.settle
#   round             Epoch.Digest: number 0, state SHA-256("state 0"), prev zero, 3 entries
#   pair i j          the epoch's secret between two sites (given)
#   root i            the root secret of a site (given)
#   seed i j          pairSeed
#   prg seed          the first two entries of a mask, 16 bytes each, little-endian
#   self i            b, the secret that opens the site's own mask
#   table i           K, the secret that opens its table of seeds
#   share kind i s    the share of site i's b (self) or K (table) for seat s
#   piece i s         what site i seals for seat s
#   shares i          Shares.Digest
#   vector i          the vector before masking (given): entries of 16 bytes
#   masked i          the same under masks, all four on the roster
#   signed i          what the ledger key signs for it
#   list, sum, digest the list without seat 3, the sum of seats 0 to 2, Sum.Digest
#   order n coin      permute: the order of n seats
`

// A vectorWorld is four parties whose every secret is fixed.
func vectorWorld(t *testing.T) *world {
	p := testParams(4)
	w := &world{t: t, p: p, bytes: make([]int, 4), count: make([]int, 4)}
	e := &Epoch{params: p, adverts: sha256.Sum256([]byte("adverts"))}
	e.settle(sha256.Sum256([]byte("coin")))
	w.epoch = e
	for s, m := range p.Sites {
		party := &Party{params: p, self: Seat(s), signer: testKey(string(m.ID)), stage: joined, epoch: e,
			root: sha256.Sum256(fmt.Append(nil, "root ", s))}
		for _, o := range e.ring.neighbours[s] {
			pair := vectorPair(Seat(s), o)
			party.secrets = append(party.secrets, pair[:])
		}
		must(t, party.history.join(p))
		w.party = append(w.party, party)
	}
	return w
}

func vectorPair(i, j Seat) Digest {
	return sha256.Sum256(fmt.Append(nil, "pair ", min(i, j), " ", max(i, j)))
}

func vectorLines(t *testing.T) []string {
	var out []string
	line := func(value []byte, name string, args ...any) {
		out = append(out, strings.TrimRight(fmt.Sprintln(append([]any{name}, args...)...), "\n")+" = "+hex.EncodeToString(value))
	}
	w := vectorWorld(t)
	e := w.epoch
	pd := w.p.Digest()
	line(pd[:], "params")
	line(e.adverts[:], "adverts")
	line(e.coin[:], "coin")
	line(e.transcript[:], "transcript")
	pl := w.start(round0(3))
	d := e.Digest(pl.round)
	line(d[:], "round")
	pl.lost[3] = inVote
	must(t, pl.share(), pl.mask())
	for i := range Seat(4) {
		for j := i + 1; j < 4; j++ {
			pair := vectorPair(i, j)
			seed := pairSeed(pair[:], d, i, j)
			line(pair[:], "pair", i, j)
			line(seed, "seed", i, j)
			words := make(stat.Ring, 2)
			accumulate(words, nil, []mask{expand(seed, false)})
			line(ringBytes(words), "prg", hex.EncodeToString(seed))
		}
	}
	for i, p := range w.party {
		line(p.root[:], "root", i)
		for kind, name := range []string{"self", "table"} {
			a := polynomial(p.root[:], d, byte(kind), e.t)
			line(a[0].Bytes(), name, i)
			for s := range Seat(4) {
				line(shareOf(a, s), "share", name, i, s)
			}
		}
		for s := range Seat(4) {
			if int(s) != i {
				line(find(pl.pieces[s], Seat(i)).Box, "piece", i, s)
			}
		}
		sd := pl.shares[i].Digest()
		line(sd[:], "shares", i)
		line(ringBytes(pl.x[i]), "vector", i)
		line(ringBytes(pl.masked[i].Vector), "masked", i)
		signed := maskedSigned(pl.masked[i], VectorDigest(pl.masked[i].Vector))
		line(signed[:], "signed", i)
	}
	pl.tally = e.Tally(pl.round) // seat 3's vector did not come in time
	for _, m := range pl.shares {
		must(t, pl.tally.AddShares(m))
	}
	_, err := pl.tally.Roster()
	must(t, err)
	for _, m := range pl.masked[:3] {
		must(t, pl.tally.AddMasked(m))
	}
	pl.lost[3] = inMasked
	must(t, pl.vote(), pl.reveal(), pl.open())
	ld := pl.list.Digest()
	line(ld[:], "list")
	line(ringBytes(pl.sum.Ring), "sum")
	line(pl.sum.Digest[:], "digest")
	for _, n := range []int{5, 40} {
		order := []byte{}
		for _, s := range permute(n, e.coin) {
			order = append(order, byte(s))
		}
		line(order, "order", n, hex.EncodeToString(e.coin[:]))
	}
	return out
}

func ringBytes(r stat.Ring) []byte {
	b, _ := r.AppendBinary(nil)
	return b
}

// The vectors hold in another language.
func TestVectors_Python(t *testing.T) {
	for _, tool := range []string{"python3", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed: the vectors were not checked by another language")
		}
	}
	if out, err := exec.Command("python3", "testdata/check.py", "testdata/vectors.txt").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestVectors(t *testing.T) {
	const file = "testdata/vectors.txt"
	got := vectorLines(t)
	if *update {
		must(t, os.WriteFile(file, []byte(vectorsHead+strings.Join(got, "\n")+"\n"), 0o644))
	}
	b, err := os.ReadFile(file)
	must(t, err)
	at := 0
	in := bufio.NewScanner(bytes.NewReader(b))
	for number := 1; in.Scan(); number++ {
		text := in.Text()
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if at >= len(got) || got[at] != text {
			t.Errorf("%s:%d: got %q", file, number, slices.Concat(got, []string{"nothing"})[min(at, len(got))])
		}
		at++
	}
	if at != len(got) {
		t.Errorf("%s: %d lines, want %d", file, at, len(got))
	}
}
