# Writes the table made.csv and R's answers r.json beside this file:
#
#   Rscript r.R
#
# made.csv is drawn by the seed below. lung and colon are those of R's package
# survival; only answers about them are kept here. All fits are run to
# convergence, at which coefficients no longer depend on where they began.
library(survival)
library(jsonlite)
options(digits = 17, warn = 1)
set.seed(20260401)

n <- 240
made <- data.frame(
  hospital = sample(c("A", "B", "C", "D"), n, TRUE, c(.4, .3, .2, .1)),
  arm = sample(c("placebo", "low", "high"), n, TRUE),
  sex = sample(1:2, n, TRUE),
  age = round(rnorm(n, 61, 11)),
  marker = round(rexp(n, 1 / 3), 2))
hazard <- exp(.03 * (made$age - 61) - .5 * (made$arm == "high") + .08 * made$marker + .2 * (made$sex == 2))
dies <- rexp(n, hazard / 30)
leaves <- runif(n, 4, 60)
made$entry <- ifelse(runif(n) < .4, floor(runif(n, 0, 6)), 0)
made$months <- pmax(ceiling(pmin(dies, leaves)), made$entry + 1)   # many ties
made$died <- as.integer(dies <= leaves)
made$days <- round(made$months * 30.4 + runif(n, 0, 30), 1)         # few ties
made$logexposure <- round(log(made$marker + 1) / 2, 3)
made$marker[c(5, 77)] <- NA
made$age[c(9, 77, 200)] <- NA
write.csv(made, "made.csv", row.names = FALSE, quote = FALSE, na = "")
made <- read.csv("made.csv", stringsAsFactors = TRUE)
death <- subset(colon, etype == 2)
death$rx <- factor(as.character(death$rx))
tables <- list(made = made, lung = lung, colon = death)

cox <- function(table, formula, ties = "efron") {
  f <- coxph(as.formula(formula), tables[[table]], ties = ties,
             control = coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 100))
  s <- summary(f)
  list(method = "cox", table = table, formula = formula, ties = ties, term = names(coef(f)),
       estimate = unname(coef(f)), std_error = unname(sqrt(diag(vcov(f)))),
       conf_low = unname(confint(f)[, 1]), conf_high = unname(confint(f)[, 2]),
       p_value = unname(s$coefficients[, "Pr(>|z|)"]),
       glance = list(nobs = f$n, nevent = f$nevent, logLik = f$loglik[2], loglik_null = f$loglik[1],
                     statistic_log = unname(s$logtest[1]), p_value_log = unname(s$logtest[3]),
                     statistic_sc = unname(f$score), p_value_sc = unname(s$sctest[3]),
                     statistic_wald = unname(f$wald.test), AIC = AIC(f), BIC = BIC(f),
                     df = length(coef(f))))
}

km <- function(table, formula, conf_type = "log", conf_level = 0.95) {
  f <- survfit(as.formula(formula), tables[[table]], conf.type = conf_type, conf.int = conf_level)
  m <- summary(f)$table
  if (is.null(dim(m))) m <- t(m)
  groups <- if (is.null(f$strata)) "" else sub(" +$", "", gsub(" +,", ",", names(f$strata)))
  se <- f$std.err
  se[!is.finite(se)] <- NA
  list(method = "km", table = table, formula = formula, conf_type = conf_type, conf_level = conf_level,
       strata = if (is.null(f$strata)) rep("", length(f$time)) else rep(groups, f$strata),
       time = f$time, n_risk = f$n.risk, n_event = f$n.event, n_censor = f$n.censor, estimate = f$surv,
       std_error = se, conf_low = f$lower, conf_high = f$upper,
       groups = groups, records = unname(m[, "records"]), events = unname(m[, "events"]),
       median = unname(m[, "median"]), median_low = unname(m[, ncol(m) - 1]), median_high = unname(m[, ncol(m)]))
}

logrank <- function(table, formula, rho = 0) {
  f <- survdiff(as.formula(formula), tables[[table]], rho = rho)
  rows <- function(x) if (is.matrix(x)) rowSums(x) else x
  groups <- sub(" +$", "", gsub(" +,", ",", names(f$n)))
  list(method = "logrank", table = table, formula = formula, rho = rho, groups = groups, n = as.vector(f$n),
       observed = unname(rows(f$obs)), expected = unname(rows(f$exp)), statistic = f$chisq,
       df = length(f$n) - 1, p_value = f$pvalue)
}

answers <- list(
  cox("made", "Surv(months, died) ~ age + arm + sex"),
  cox("made", "Surv(months, died) ~ age + arm + sex", "breslow"),
  cox("made", "Surv(months, died) ~ age * arm + log(marker + 1)"),
  cox("made", "Surv(months, died) ~ age + arm + strata(hospital)"),
  cox("made", "Surv(months, died) ~ age + arm + strata(hospital, sex)", "breslow"),
  cox("made", "Surv(days, died) ~ age + I(age^2) + factor(sex)"),
  cox("made", "Surv(months, died) ~ age + arm + offset(logexposure)"),
  cox("made", "Surv(entry, months, died) ~ age + arm + sex"),
  cox("made", "Surv(entry, months, died) ~ age + arm + sex", "breslow"),
  cox("made", "Surv(entry, months, died) ~ age + marker + strata(hospital)"),
  cox("lung", "Surv(time, status) ~ age + sex + ph.ecog"),
  cox("lung", "Surv(time, status) ~ age + sex + ph.ecog", "breslow"),
  cox("lung", "Surv(time, status) ~ age + sex + ph.ecog + strata(inst)"),
  cox("lung", "Surv(time, status) ~ sex * wt.loss + ph.karno"),
  cox("colon", "Surv(time, status) ~ relevel(rx, ref = \"Obs\") + sex + age + obstruct + perfor + adhere + node4 + extent"),
  km("made", "Surv(months, died) ~ 1"),
  km("made", "Surv(months, died) ~ arm", "log-log"),
  km("made", "Surv(months, died) ~ hospital + sex", "plain", 0.9),
  km("made", "Surv(entry, months, died) ~ arm"),
  km("lung", "Surv(time, status) ~ 1"),
  km("lung", "Surv(time, status) ~ sex"),
  km("colon", "Surv(time, status) ~ rx"),
  logrank("made", "Surv(months, died) ~ arm"),
  logrank("made", "Surv(months, died) ~ arm", 1),
  logrank("made", "Surv(months, died) ~ arm + sex", 2),
  logrank("made", "Surv(months, died) ~ arm + strata(hospital)"),
  logrank("made", "Surv(months, died) ~ sex + strata(hospital, arm)", 0.5),
  logrank("lung", "Surv(time, status) ~ sex"),
  logrank("lung", "Surv(time, status) ~ sex + strata(inst)"),
  logrank("colon", "Surv(time, status) ~ rx"),
  cox("made", "Surv(months/12, died) ~ age + I(marker > 2) + arm"),
  cox("made", "Surv(entry/12, months/12, died == 1) ~ age + I(arm == \"high\") + sex"),
  cox("made", "Surv(I((days + 15)/30.4375), 1 - died) ~ I((age > 60) * marker) + I(arm %in% c(\"low\", \"high\"))"),
  cox("lung", "Surv(time/365.25, status) ~ age + I(ph.ecog >= 2) + sex"),
  km("made", "Surv(days/30.4375, I(died == 1)) ~ I(age >= 60)"),
  km("lung", "Surv(I(time/30), status == 2) ~ 1"),
  logrank("made", "Surv(months * 30.4375, died) ~ I(marker > 2) + strata(hospital)"),
  logrank("lung", "Surv(time/365.25, status) ~ sex"))
write_json(answers, "r.json", auto_unbox = TRUE, digits = I(17), na = "null", pretty = FALSE)
