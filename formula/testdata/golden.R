# Writes R's answers for the tests of package formula:
#
#   design.json  a small data set, and for each formula R's model.matrix on its
#                complete rows, row after row
#   cox.json     the same by survival's model.matrix for coxph
#   terms.json   what terms() makes of random formulas
#
# Run in this folder: Rscript golden.R  (R 4.2.2, survival 3.5, jsonlite)
Sys.setlocale("LC_ALL", "C.UTF-8")
suppressMessages({library(survival); library(splines); library(jsonlite)})
RNGversion("4.0.0"); set.seed(20240501)

n <- 48
pick <- function(levels, unused = NULL, missing = 0) {
  v <- sample(levels, n, TRUE)
  if (missing) v[sample(n, missing)] <- NA
  factor(v, levels = c(levels, unused))
}
d <- data.frame(
  y = round(rnorm(n), 4), t = round(rexp(n) * 100) + 50, t0 = sample(0:49, n, TRUE),
  status = rbinom(n, 1, .6), status2 = rbinom(n, 1, .5) + 1,
  age = sample(20:80, n, TRUE), chol = round(runif(n, 2, 9), 2), z = round(rnorm(n), 3),
  grp = sample(1:3, n, TRUE), dose = sample(c(0.5, 2, 10), n, TRUE),
  sex = pick(c("M", "F")), stage = pick(c("b", "a", "c e"), "d", 3),
  arm = pick(c("x", "y")), w = sample(1:4, n, TRUE))
d[["my col"]] <- round(runif(n), 3)
d[["\u5e74\u9f84\u6bb5"]] <- pick(c("\u5c0f\u4e8e 60", "60 \u53ca\u4ee5\u4e0a"))
d$chol[sample(n, 4)] <- NA
d$age[sample(n, 2)] <- NA

numbers <- function(x) unname(split(unname(x), row(x)))
design <- function(f) {
  # poly() has to see complete rows only, but I(x %in% set) is FALSE of a missing x
  rows <- if (any(grepl("I\\(.*%in%", deparse(f)))) d else na.omit(d[, all.vars(f), drop = FALSE])
  m <- model.frame(f, rows, na.action = na.omit, drop.unused.levels = TRUE)
  x <- model.matrix(attr(m, "terms"), m)
  list(formula = paste(deparse(f, 500), collapse = " "), terms = I(attr(terms(f), "term.labels")),
       names = I(colnames(x)), assign = I(attr(x, "assign")), rows = nrow(x), x = I(as.vector(t(x))),
       offset = I(as.numeric(model.offset(m))), response = I(if (is.numeric(model.response(m))) as.numeric(model.response(m)) else numeric()))
}
formulas <- list(
  y ~ age, y ~ 1, y ~ age + chol, y ~ sex, y ~ sex + age, y ~ stage, y ~ factor(grp), y ~ factor(grp) + sex,
  y ~ age * chol, y ~ sex * age, y ~ age:sex, y ~ sex:age - 1, y ~ 0 + sex, y ~ 0 + sex + stage, y ~ 0 + age + stage + sex,
  y ~ sex:stage, y ~ sex * stage, y ~ 0 + sex:stage, y ~ stage + sex:stage, y ~ sex %in% stage, y ~ stage + sex %in% stage,
  y ~ sex * stage * arm, y ~ (sex + stage + age)^2, y ~ (sex + stage + age)^2 - sex:age, y ~ sex * stage - sex,
  y ~ age + I(age^2), y ~ I(age/10) + I(-z), y ~ log(chol), y ~ log(chol + 1) + sqrt(age) + exp(z/2) + abs(z), y ~ log(z),
  y ~ log2(chol) + log10(age) + log(age, base = 3) + log(chol, 10), log(chol) ~ I(age * chol), y ~ I((age - 50)/10 * z^3),
  y ~ poly(age, 2), y ~ poly(age, 3) + sex, y ~ poly(age, 2, raw = TRUE), y ~ sex:poly(chol, 2), y ~ poly(age, degree = 4), y ~ poly(z, 1),
  y ~ poly(age, 3, raw = TRUE):sex, y ~ 0 + poly(age, 2), y ~ poly(log(chol), 2),
  y ~ ns(age, knots = c(40, 60), Boundary.knots = c(20, 80)), y ~ ns(age, knots = 50, Boundary.knots = c(30, 70)) * sex,
  y ~ ns(chol, knots = c(3, 4.5, 5, 7), Boundary.knots = c(2.5, 8)), y ~ ns(log(chol), knots = c(1.5, 1.2), Boundary.knots = c(2, 0.8)),
  y ~ relevel(factor(grp), ref = "2"), y ~ relevel(stage, ref = "c e") * age, y ~ relevel(sex, "F"), y ~ factor(dose), y ~ factor(stage),
  y ~ offset(log(age)) + sex, y ~ offset(z) + offset(chol/2) + age, y ~ sex + age - age, y ~ age + (chol - 1), y ~ age + 0 + 1,
  y ~ `my col` + `my col`:sex + log(`my col`), y ~ 年龄段 * age, y ~ age/sex, y ~ sex/age + stage, y ~ sex:arm:age, y ~ age:chol:sex,
  y ~ arm:age + arm, y ~ sex^2 + arm, y ~ arm + age:stage, sex ~ age, ~ age + sex, y ~ I(age + 1e5) + I(1e-04 * z) + I(z + 123456.789),
  y ~ as.factor(grp):z + as.factor(grp), I(y/2) ~ age, y ~ 0 + age:factor(grp) + arm,
  y ~ I(age >= 50), y ~ I(age >= 50) * sex, y ~ 0 + I(chol < 5) + arm, y ~ I(stage == "a") + age, y ~ I(stage %in% c("a", "c e")), y ~ I(grp %in% c(1, 3)) + I(z <= 0),
  y ~ I((age > 50) * z), y ~ I(grp != 2):age + z, y ~ age + offset((age > 40) * z), y ~ I((age > 50) + (z > 0) + 1), y ~ I(sex != "M") + arm, I(age > 50) ~ z)
write_json(list(data = lapply(d, function(v) if (is.factor(v)) as.character(v) else v),
                cases = lapply(formulas, design)), "design.json", auto_unbox = TRUE, digits = NA, na = "null")

cox <- function(f) {
  fit <- suppressWarnings(coxph(f, droplevels(d), x = TRUE, y = TRUE, iter.max = 0))
  y <- unclass(fit$y)
  list(formula = paste(deparse(f, 500), collapse = " "), names = I(colnames(fit$x)), rows = fit$n, x = I(as.vector(t(fit$x))),
       time = I(as.numeric(y[, ncol(y) - 1])), event = I(as.numeric(y[, ncol(y)])),
       strata = I(if (is.null(fit$strata)) character() else as.character(fit$strata)))
}
write_json(lapply(list(
  Surv(t, status) ~ age + sex, Surv(t, status) ~ sex - 1, Surv(t, status2) ~ 0 + stage + arm, Surv(t0, t, status) ~ factor(grp) * age,
  Surv(t, status2 == 2) ~ age + strata(sex), Surv(t, status > 0) ~ stage + strata(sex, arm) + chol, Surv(t, status) ~ age + strata(sex) + strata(grp),
  Surv(time = t, event = status) ~ sex:arm, Surv(t, status == 1) ~ age + offset(z) + ns(chol, knots = 5, Boundary.knots = c(2, 9)), Surv(t, 1 - status) ~ age:stage + arm,
  Surv(t/365.25, status2) ~ age + I(chol >= 5), Surv(I(t/30), I(status2 == 1)) ~ sex, Surv(t0/7, t/7, status2 == 2) ~ I(z > 0):sex + age, Surv((t - 40) * 2, grp %in% c(1, 3)) ~ stage),
  cox), "cox.json", auto_unbox = TRUE, digits = NA)

vars <- c("a", "b", "c", "e", "log(a)", "I(b^2)", "offset(f)")
grow <- function(depth) {
  if (depth == 0 || runif(1) < .15) return(if (runif(1) < .12) sample(c("0", "1"), 1) else sample(vars, 1))
  op <- sample(c("+", "+", "+", ":", "*", "-", "%in%", "/", "^", "(", "-1", "unary"), 1)
  switch(op,
    "^" = paste0("(", grow(depth - 1), ")^", sample(1:3, 1)), "(" = paste0("(", grow(depth - 1), ")"),
    "-1" = paste(grow(depth - 1), "- 1"), "unary" = paste0(sample(c("-", "+"), 1), grow(depth - 1)),
    paste(grow(depth - 1), op, grow(depth - 1)))
}
found <- list()
while (length(found) < 400) {
  text <- paste(if (runif(1) < .9) "y" else "", "~", grow(4))
  f <- try(as.formula(text), silent = TRUE)
  t <- try(terms(f), silent = TRUE)
  if (inherits(f, "try-error") || inherits(t, "try-error")) next
  codes <- attr(t, "factors")
  found[[length(found) + 1]] <- list(formula = text, deparse = paste(deparse(f, 500), collapse = " "), labels = I(attr(t, "term.labels")),
    intercept = attr(t, "intercept"), variables = I(sapply(as.list(attr(t, "variables"))[-1], function(v) paste(deparse(v, 500), collapse = " "))),
    offsets = length(attr(t, "offset")), codes = I(if (length(codes)) as.vector(codes) else integer()))
}
write_json(found, "terms.json", auto_unbox = TRUE, digits = NA)
