"""Writes exact.txt: answers to 60 digits, rounded to 17, from mpmath.

Run in this folder: python3 exact.py
R's own functions err by up to 1e-12 in far tails; these do not, so they hold
the Go functions to a few units in the last place.
"""

import random
from mpmath import mp, mpf, betainc, erfc, exp, expm1, log, log1p, loggamma, sqrt

mp.dps = 60
random.seed(1)
lines = []


def emit(name, args, value):
    if value != 0 and 1e-300 < abs(value) < mpf("1e305"):
        lines.append(" ".join([name] + ["%.17g" % a for a in args] + [mp.nstr(value, 20, strip_zeros=False)]))


def shapes(values):
    return [(a, b) for a in values for b in values]


def gamma_p(a, x):
    """P(a, x) by its series, to enough digits that 1 - P has 60."""
    term = total = mpf(1)
    n = 0
    while term > total * mpf(10) ** -mp.dps:
        n += 1
        term *= x / (a + n)
        total += term
    return total * exp(a * log(x) - x - loggamma(a + 1))


for _ in range(120):
    x = random.uniform(-690, 700)
    emit("Exp", [x], exp(mpf(x)))
    x = random.uniform(-3, 3)
    emit("Exp", [x], exp(mpf(x)))
    emit("Expm1", [x], expm1(mpf(x)))
    x = random.choice([-1, 1]) * 10 ** random.uniform(-20, 1)
    emit("Expm1", [x], expm1(mpf(x)))
    x = random.uniform(0.5, 2.5)
    emit("Log", [x], log(mpf(x)))
    x = 10 ** random.uniform(-320, 308)
    emit("Log", [x], log(mpf(x)))
    x = 10 ** random.uniform(-20, 2)
    emit("Log1p", [x], log1p(mpf(x)))
    x = -10 ** random.uniform(-20, 0)
    emit("Log1p", [x], log1p(mpf(x)))
    x = 10 ** random.uniform(-300, 300)
    emit("LogGamma", [x], loggamma(mpf(x)))
    x = random.uniform(0.01, 40)
    emit("LogGamma", [x], loggamma(mpf(x)))
    x = random.uniform(-8, 37)
    emit("NormalSF", [x], erfc(mpf(x) / sqrt(mpf(2))) / 2)

for k in range(1, 15):  # beside the zeros
    for x in (1 + 10.0**-k, 1 - 10.0**-k, 2 + 10.0**-k, 2 - 10.0**-k):
        emit("LogGamma", [x], loggamma(mpf(x)))
        emit("Log", [x], log(mpf(x)))

for df in (0.02, 0.5, 1, 2, 3.7, 10, 25, 60, 1000, 20000):
    for s in (1e-4, 0.1, 0.7, 1, 1.05, 1.2, 2, 6, 30):
        x = df * s
        if x < 1e5:
            mp.dps = 400
            upper, lower = 1 - gamma_p(mpf(df) / 2, mpf(x) / 2), gamma_p(mpf(df), mpf(x))
            mp.dps = 60
            emit("ChiSquareSF", [x, df], upper)
            emit("GammaP", [df, x], lower)

for df in (0.3, 1, 2, 3.3, 10, 40, 300, 2000):
    for t in (1e-8, 0.01, 0.4, 1, 1.7, 3, 8, 30, 1e5, 1e80):
        x = mpf(df) / (mpf(df) + mpf(t) ** 2)
        emit("TSF", [t, df], betainc(mpf(df) / 2, mpf(1) / 2, 0, x, regularized=True) / 2)

for d1, d2 in shapes((0.4, 1, 3, 12.5, 100, 1500)):
    for f in (0.001, 0.6, 1, 1.1, 2, 9, 1e6):
        x = mpf(d2) / (mpf(d2) + mpf(d1) * mpf(f))
        emit("FSF", [f, d1, d2], betainc(mpf(d2) / 2, mpf(d1) / 2, 0, x, regularized=True))

for a, b in shapes((0.05, 0.5, 1, 4, 60, 700)):
    emit("LogBeta", [a, b], loggamma(mpf(a)) + loggamma(mpf(b)) - loggamma(mpf(a) + mpf(b)))
    for x in (1e-6, 0.1, 0.5, 0.8, 0.999):
        emit("BetaI", [x, a, b], betainc(mpf(a), mpf(b), 0, mpf(x), regularized=True))



def t_quantile(p, df):
    """Bisects ln t on the tail; p is under one half."""
    lo, hi = mpf(-40), mpf(720)
    for _ in range(90):
        mid = (lo + hi) / 2
        x = mpf(df) / (mpf(df) + exp(2 * mid))
        if betainc(mpf(df) / 2, mpf(1) / 2, 0, x, regularized=True) > 2 * mpf(p):
            lo = mid
        else:
            hi = mid
    return -exp(lo)


for df in (1, 3.3, 10, 200):
    for p in (1e-300, 1e-40, 1e-7, 0.02, 0.24, 0.26, 0.4, 0.4999999, 0.5 - 2.0**-43):
        emit("TQuantile", [p, df], t_quantile(p, df))

with open("exact.txt", "w") as out:
    out.write("# Reference values, written by exact.py.\n# A line is: function, arguments, value;")
    out.write(" arguments are float64 in 17 digits, in the order of the Go function.\n")
    out.write("\n".join(lines) + "\n")
