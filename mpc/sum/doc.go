// Package sum adds the vectors of many sites so that nobody, the one who adds
// included, learns more than the sum.
//
// Start from [Party], one site's secrets and steps, and [Tally], the public
// side of a round, which whoever conducts and every voter keeps for itself.
// Everything here is a local step: messages go in, messages come out, and the
// caller carries and stores them.
//
// # A run
//
// The key phase comes once an epoch. All sites need all adverts and coins;
// the rest goes between neighbours.
//
//	p, _ := NewParty(params, "va", ledgerKey, history, rand.Reader)
//	send(p.Advert())                           // all adverts to all
//	c, _ := p.Coin(adverts); send(c)           // all coins to all
//	e, _ := NewEpoch(params, adverts, coins)
//	m, _ := p.Encaps(e); send(m...)            // each to the site in its To
//	p.Join(encapsForMe)
//
// A round then takes five messages of a site. t is the conductor's tally; each
// of [Epoch.Voters] keeps one of its own of the same messages.
//
//	t := e.Tally(round)
//	s, pieces, _ := p.Share(round)             // s to the tallies, each piece to its To
//	r, _ := t.Roster()                         // conductor: whose shares came
//	y, _ := p.Mask(r, piecesForMe, x)          // y to the tallies
//	l, _ := t.List()                           // conductor: whose vectors came
//	v, _ := p.Vote(mine, l)                    // voters
//	c, _ := t.Certify(l, votes)                // conductor
//	rv, _ := p.Reveal(c)                       // rv to the tallies
//	sum, _ := mine.Open(c, reveals)            // conductor and voters
//	audit, _ := p.Accept(sum)                  // and the next round may begin
//
// Past 33 sites those who are no voters take the conductor's word for the sum
// only with audits: [Epoch.Audited], then [Party.Accept]. A site lost on the
// way back to its journal is read back by [ParseParty] and gives the same bytes
// again. [Party.Close] ends the epoch and hands on the [History].
//
// # Protocol
//
// It is the double masking of Bonawitz et al. [1], in the form that withstands
// a conductor who lies, over the neighbour graph of Bell et al. [2]:
//
//	y_i = x_i + PRG(b_i) + Σ_{j>i} PRG(s_ij) − Σ_{j<i} PRG(s_ij)   (mod 2^128)
//
// for i's neighbours j on the roster. When the survivors are settled, shares
// of b_i are revealed for those who survived, and for each lost j shares of
// K_j, the key of the table of its seeds {s_ij} of this round and no other.
//
//   - Neighbours agree on a secret an epoch: HPKE with ML-KEM-768 and X25519,
//     export only. The advert that holds the key, and each encapsulation, are
//     signed by ledger keys over the parameters, which hold the digest of
//     run/open. Private keys are wiped by [Party.Join].
//   - Seeds are HKDF-SHA256 of that secret over [Epoch.Digest]: parameters,
//     adverts, coin, round, state, last sum and length. Sites that disagree on
//     any of it share no seed.
//   - b and K are scalars of edwards25519, shared after Shamir [3] among the
//     neighbours and the site itself. A site's secrets of a round follow from
//     its root secret of the epoch and the round, so no restart deals twice.
//   - Each share, seed and secret is pinned by a hash in [Shares]. A share that
//     its owner did not pin is passed over, a table that does not hold the
//     pinned seeds is refused, and voters see unlike seeds before they vote.
//   - A vote signs the survivors and every message behind them, so the sum
//     of a certified list is one, whoever adds. A party signs one list a round
//     and reveals under that one alone.
//   - All sums of a run are over the same survivors; see [History].
//
// # Sizes
//
// Up to 33 sites, all are neighbours and voters; ⌊2n/3⌋+1 of n survivors,
// votes and shares are needed. So n ≥ 4 sites bear ⌈n/3⌉−1 losses in all,
// at any time, and three bear none; with fewer than n/3 corrupt no two lists find
// a quorum. Past 33 sites at most a tenth may be corrupt, and a tenth lost: a
// site has k neighbours (32 to 159 sites, 42 at 200, 70 at 1,024), k/2+1
// shares open a secret, and a voters (33 to 114) hold a quorum of ⌊2a/3⌋+1.
// The coin draws both; all that may go wrong then has a chance under 2^−40 an epoch,
// which a test recomputes. A corrupt site that dislikes a coin can
// only end the epoch, of which a run has at most 64.
//
// A site's round costs 2k+4 messages, about 350·k bytes and its vector, and a
// list of at most a votes. Once an epoch it reads 1.4 KB of every site. Voters
// of large networks read all vectors, for the others.
//
// # Where it leaves the papers
//
//   - Shares are of K, a fresh key of one round, and not of a site's key
//     agreement: opening a lost site's masks in one round opens no other round.
//   - The conductor chooses whom it calls lost after the graph is known. In a
//     sparse graph it could name all neighbours of a site. So every site checks
//     that the survivors hold together whoever of them is corrupt (see ring).
//   - A new epoch with other sites asks that enough of the old ones go on who
//     revealed nothing and never will (see carry); adverts say who did.
//   - Votes come from a bench, and bind the messages, not the names only.
//
// # Formats
//
// Messages are binary, of one form each: what a decoder takes, the encoder
// gives back. Hashes, derivations and codes are given at hash, derive,
// permute, expand and polynomial; testdata/vectors.txt holds numbers, which a
// script in another language checks.
//
// # Not promised
//
// A site that lies about its own vector is not seen; what it can do is counted
// once, like any site. A site, or the conductor, can always end a round or an
// epoch; the error names a site only where its own bytes convict it or it is
// silent. Where [Tally.Open] finds dealt shares that do not fit, their owner is
// named, and more than the corrupt sites allowed for could bring that about.
// Encapsulations draw on the system's randomness and not on the reader given,
// as crypto/hpke has no other way. Wiped memory may live on in copies of the
// Go runtime. Constant time holds for secrets' arithmetic, not for what is
// revealed. Lengths, times and who was lost are seen by all.
//
// [1]: K. Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving
// Machine Learning", CCS 2017, doi:10.1145/3133956.3133982.
//
// [2]: J. H. Bell et al., "Secure Single-Server Aggregation with
// (Poly)Logarithmic Overhead", CCS 2020, doi:10.1145/3372297.3417885.
//
// [3]: A. Shamir, "How to Share a Secret", CACM 22 (1979),
// doi:10.1145/359168.359176.
package sum
