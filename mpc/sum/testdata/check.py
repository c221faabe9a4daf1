"""Checks vectors.txt without the Go code: python3 check.py vectors.txt

It needs Python's standard library and the openssl command (for AES-256-CTR).
It derives seeds, coefficients, shares, masks and masked vectors, and the sum.
"""
import hashlib
import hmac
import struct
import subprocess
import sys

ELL = 2**252 + 27742317777372353535851937790883648493
MOD = 2**128
T = 3  # shares that open a secret among four sites

V = {}
for line in open(sys.argv[1]):
    if line.strip() and not line.startswith("#"):
        name, value = line.strip().split(" = ")
        V[name] = bytes.fromhex(value)


def prefixed(b):
    return struct.pack(">I", len(b)) + b


def digest(label, *parts):
    return hashlib.sha256(b"".join(map(prefixed, (b"wellspring/sum/" + label.encode(),) + parts))).digest()


def derive(secret, label, n, *seats):
    info = b"wellspring/sum/" + label.encode() + b"\0" + V["round"] + b"".join(struct.pack(">H", s) for s in seats)
    key = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    out, block, i = b"", b"", 1
    while len(out) < n:
        block = hmac.new(key, block + info + bytes([i]), hashlib.sha256).digest()
        out, i = out + block, i + 1
    return out[:n]


def keystream(seed, n):
    command = ["openssl", "enc", "-aes-256-ctr", "-K", seed.hex(), "-iv", "0" * 32]
    return subprocess.run(command, input=bytes(n), capture_output=True, check=True).stdout


def entries(b):
    return [int.from_bytes(b[i : i + 16], "little") for i in range(0, len(b), 16)]


def add(x, y, sign=1):
    return [(a + sign * b) % MOD for a, b in zip(x, y)]


assert digest("transcript", V["adverts"], V["coin"]) == V["transcript"]
state = hashlib.sha256(b"state 0").digest()
assert digest("round", V["transcript"], struct.pack(">I", 0), state, bytes(32), struct.pack(">I", 3)) == V["round"]

total = [0, 0, 0]
for i in range(4):
    for name in ("self", "table"):
        label = {"self": "self polynomial", "table": "pair polynomial"}[name]
        stream = derive(V[f"root {i}"], label, 64 * T)
        a = [int.from_bytes(stream[64 * m : 64 * m + 64], "little") % ELL for m in range(T)]
        assert a[0].to_bytes(32, "little") == V[f"{name} {i}"]
        for s in range(4):
            share = sum(c * (s + 1) ** m for m, c in enumerate(a)) % ELL
            assert share.to_bytes(32, "little") == V[f"share {name} {i} {s}"], (name, i, s)
    x = entries(V[f"vector {i}"])
    y = add(x, entries(keystream(derive(V[f"self {i}"], "self", 32, i), 48)))
    for j in set(range(4)) - {i}:
        low, high = min(i, j), max(i, j)
        seed = derive(V[f"pair {low} {high}"], "pair", 32, low, high)
        assert seed == V[f"seed {low} {high}"]
        assert keystream(seed, 32) == V["prg " + seed.hex()]
        y = add(y, entries(keystream(seed, 48)), 1 if i < j else -1)
    assert y == entries(V[f"masked {i}"]), i
    if i < 3:
        total = add(total, x)

assert total == entries(V["sum"])
assert digest("sum", V["round"], V["list"], hashlib.sha256(V["sum"]).digest()) == V["digest"]
