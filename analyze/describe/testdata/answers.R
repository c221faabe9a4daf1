# Writes answers.json: what R says of the patients in cmd/wellspring/testdata/bmt.
# Run from the repository's root: Rscript analyze/describe/testdata/answers.R
library(jsonlite)
bmt <- read.csv("cmd/wellspring/testdata/bmt/bmt.csv")
variables <- c("z1", "z2", "z7", "t2")
probs <- c(0, 0.1, 0.25, 1/3, 0.5, 0.75, 0.99, 1)
by <- function(f) lapply(variables, function(v) unname(tapply(bmt[[v]], bmt$group, f)))
out <- list(
  variables = variables, probs = probs,
  mean = sapply(variables, function(v) mean(bmt[[v]]), USE.NAMES = FALSE),
  sd = sapply(variables, function(v) sd(bmt[[v]]), USE.NAMES = FALSE),
  mean_by = by(mean), sd_by = by(sd),
  quantile = lapply(variables, function(v) unname(quantile(bmt[[v]], probs))),
  quantile_by = lapply(variables, function(v) lapply(1:3, function(g) unname(quantile(bmt[[v]][bmt$group == g], probs)))),
  hist = hist(bmt$z1, breaks = seq(0, 100, 5), plot = FALSE)$counts)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "analyze/describe/testdata/answers.json")
