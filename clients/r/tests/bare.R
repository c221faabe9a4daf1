# Without broom and its generics, tidy and glance are the client's own.
source(file.path(Sys.getenv("CLIENTS"), "r", "tests", "check.R"))
stopifnot(!requireNamespace("generics", quietly = TRUE))
fit <- ws_simulate("cox.json", list(a = "ohio.csv", b = "alfred.csv"), public = TRUE)
same(names(tidy(fit))[1:3], c("term", "estimate", "std.error"), "columns")
stopifnot(glance(fit)$nevent > 0)
cat("ok\n")
