# Fits a logistic model to the columns in a folder: one file a column, doubles.
# Rscript logistic.R DIR ROWS COLUMNS ITERATIONS, then lines "name value".
args <- commandArgs(TRUE)
rows <- as.integer(args[2])
columns <- c(paste0("x", seq_len(as.integer(args[3]))), "y")
data <- as.data.frame(lapply(setNames(columns, columns), function(name)
  readBin(file.path(args[1], name), "double", rows, endian = "little")))
invisible(gc())
# an epsilon that is never met, so that R makes exactly as many iterations
took <- system.time(suppressWarnings(fit <- glm(y ~ ., binomial, data,
  control = glm.control(epsilon = 1e-300, maxit = as.integer(args[4])))))
cat("seconds", took[["elapsed"]], "\n")
cat("iterations", fit$iter, "\n")
cat("version", R.version.string, "\n")
cat("blas", sessionInfo()$BLAS, "\n")
cat("lapack", La_library(), "\n")
for (b in coef(fit)) cat("estimate", format(b, digits = 17), "\n")
