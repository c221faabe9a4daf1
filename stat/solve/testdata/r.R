# Writes r.txt: R's answers over wide grids, which the Go tests compare with.
# Run in this folder: Rscript r.R
out <- file("r.txt", "w")
say <- function(...) cat(..., "\n", sep = "", file = out)
say("# R's distribution functions, written by r.R with ", R.version.string, ".")
say("# A line is: function, arguments, value; numbers have 17 digits and round-trip.")
say("# SF is an upper tail, Q a quantile of the lower tail; the order of arguments is that of the Go function.")
emit <- function(name, args, value) {
  keep <- is.finite(value) & abs(value) >= 1e-300
  for (i in which(keep)) say(paste(c(name, sprintf("%.17g", c(unlist(args[i, ]), value[i]))), collapse = " "))
}
grid <- function(...) expand.grid(..., KEEP.OUT.ATTRS = FALSE)

g <- grid(x = c(seq(-12, 37, by = 0.7), 1e-10, 1e-3, 0.5))
emit("NormalSF", g, pnorm(g$x, lower.tail = FALSE))
p <- c(10^-c(300, 200, 100, 50, 20, 10, 5, 3), 0.01, 0.025, 0.1, 0.24, 0.25, 0.26, 0.4, 0.5 - 1e-9, 0.5, 0.5 + 1e-12, 0.6, 0.75,
       0.76, 0.9, 0.975, 0.999, 1 - 1e-10, 1 - 2^-53)
g <- grid(p = p)
emit("NormalQuantile", g, qnorm(g$p))

g <- grid(t = c(-8, -0.3, 1e-10, 0.01, 0.5, 1, 1.96, 3, 7, 20, 100, 1e6, 1e50, 1e200),
          df = c(0.5, 1, 2, 3.3, 5, 10, 30, 100, 1000, 1e6, 1e10))
emit("TSF", g, pt(g$t, g$df, lower.tail = FALSE))
# R's qt loses half of its digits next to 1/2 and below 1e-200; exact.py has those.
g <- grid(p = p[p > 1e-99 & (p == 0.5 | abs(p - 0.5) > 1e-3)], df = c(1, 2, 3.3, 5, 10, 30, 1000, 1e6))
emit("TQuantile", g, qt(g$p, g$df))

g <- grid(s = c(1e-6, 0.01, 0.3, 0.9, 1, 1.1, 1.5, 3, 10, 100), df = c(0.01, 0.5, 1, 2, 3, 7.7, 10, 50, 1000, 1e6))
g <- data.frame(x = g$s * g$df, df = g$df)
emit("ChiSquareSF", g, pchisq(g$x, g$df, lower.tail = FALSE))
emit("GammaP", data.frame(g$df, g$x), pgamma(g$x, g$df))
g <- grid(p = p, df = c(0.5, 1, 2, 3, 7.7, 50, 1000))
emit("ChiSquareQuantile", g, qchisq(g$p, g$df))

g <- grid(f = c(1e-6, 0.1, 0.8, 1, 1.3, 3, 20, 1e4, 1e20), d1 = c(0.5, 1, 2, 5, 17.5, 300, 1e5), d2 = c(1, 2, 6, 40, 1000, 1e6))
emit("FSF", g, pf(g$f, g$d1, g$d2, lower.tail = FALSE))

g <- grid(x = c(1e-8, 0.01, 0.2, 0.5, 0.7, 0.99), a = c(0.1, 0.5, 1, 3, 20, 500), b = c(0.1, 0.5, 1, 3, 20, 500))
emit("BetaI", g, pbeta(g$x, g$a, g$b))

g <- grid(x = c(1e-300, 1e-20, 1e-3, 0.1, 0.5, 0.9, 1.1, 1.5, 1.9, 2.1, 3, 7.5, 29, 30, 31, 170, 1e3, 1e8, 1e15, 1e20, 1e100, 1e300))
emit("LogGamma", g, lgamma(g$x))
g <- grid(a = c(0.01, 0.5, 1.5, 12, 300, 1e6), b = c(0.01, 0.5, 3, 50, 1e4, 1e10))
emit("LogBeta", g, lbeta(g$a, g$b))
close(out)
