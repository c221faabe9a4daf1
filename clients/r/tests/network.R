# A running network, held to R itself on the pooled table: columns as broom has
# them, numbers to 1e-8. Its steps are the argument.
source(file.path(Sys.getenv("CLIENTS"), "r", "tests", "check.R"))
suppressMessages({
  library(survival)
  library(broom)
})
ws <- wellspring(dir = "hub", key = "me.key")
methods <- list(
  logit = list(method = "glm", family = binomial, formula = d2 ~ factor(group) + z8 + z1),
  probit = list(method = "glm", family = binomial(link = "probit"), formula = d2 ~ z8 + z1),
  rate = list(method = "glm", family = "poisson", formula = d3 ~ z8 + offset(log(t2))),
  linear = list(method = "glm", formula = z1 ~ z2 * z3 + I(z7 > 365)),
  efron = list(method = "cox", formula = Surv(t2, d3) ~ factor(group) + z8 + z1 * z2),
  breslow = list(method = "cox", ties = "breslow", formula = Surv(t2, d3) ~ factor(group) + strata(z9)),
  curves = list(method = "km", formula = Surv(t2, d3) ~ factor(group)),
  curve = list(method = "km", formula = Surv(t2, d3) ~ 1, conf.type = "log-log"),
  groups = list(method = "logrank", formula = Surv(t2, d3) ~ factor(group) + z3),
  welch = list(method = "ttest", formula = z1 ~ factor(z10)),
  pooled = list(method = "ttest", formula = z1 ~ factor(z10), var.equal = TRUE, conf.level = 0.9),
  yates = list(method = "chisq", rows = "z3", columns = "z10"),
  pearson = list(method = "chisq", rows = "group", columns = "z10"),
  means = list(method = "describe", variables = c("z1", "group"), by = "z3", bins = 4),
  quartiles = list(method = "quantile", variables = "z7", probs = c(0.1, 0.5)),
  table = list(method = "crosstab", rows = "group", columns = "da"))
all <- ws_study("all-methods", dataset = "bmt", purpose = "DUO:0000042", analyses = methods)
# A row filter, a title and a name in Chinese.
chinese <- ws_study("骨髓移植", dataset = "bmt", method = "glm", family = "binomial", formula = d2 ~ z8 + z1, where = "z1 >= 18",
                    title = "成人的复发", purpose = c("DUO:0000042", "DUO:0000007"))
few <- ws_study("few", dataset = "guarded", method = "glm", formula = z1 ~ z2, where = "z1 < 10", purpose = "DUO:0000042")

# wald is a model's coefficients with the intervals that confint.default gives.
wald <- function(model, q = qnorm(0.975)) {
  d <- as.data.frame(broom::tidy(model))
  cbind(d, conf.low = d$estimate - q * d$std.error, conf.high = d$estimate + q * d$std.error)
}

# gaze holds those columns of glance that come of sums to broom's.
gaze <- function(fit, model, what) {
  want <- as.data.frame(broom::glance(model))
  got <- glance(fit)
  lacking <- c("r.squared", "r.squared.max", "concordance", "std.error.concordance", "statistic.robust", "p.value.robust",
               "n.max", "n.start", "rmean", "rmean.std.error")
  same(setdiff(setdiff(names(want), names(got)), lacking), character(), paste(what, "glance"))
  shared <- intersect(names(want), names(got))
  if (what %in% c("efron", "breslow")) { # broom takes it from a printed summary, with two decimals
    stopifnot(abs(got$statistic.wald - want$statistic.wald) < 0.006)
    shared <- setdiff(shared, "statistic.wald")
  }
  near(got[shared], want[shared], paste(what, "glance"))
}

answers <- function() {
  d <- read.csv("bmt.csv")
  exact <- glm.control(epsilon = 1e-14, maxit = 50)
  newton <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)
  fit <- ws_run(ws, all)
  same(fit$logit$sites, c("alfred", "hahnemann", "ohio", "vincent"), "sites")
  stopifnot(grepl("^[0-9a-f]{32}$", fit$logit$run), nzchar(fit$logit$salt))
  same(fit$logit$versions, c(alfred = 1L, hahnemann = 1L, ohio = 1L, vincent = 1L), "versions")
  tidied <- tidy(fit)
  same(names(tidied), names(methods), "ids")
  wanted <- list() # for the Python client
  models <- list(
    logit = glm(methods$logit$formula, binomial, d, control = exact), probit = glm(methods$probit$formula, binomial("probit"), d, control = exact),
    rate = glm(methods$rate$formula, poisson, d, control = exact),
    efron = coxph(methods$efron$formula, d, control = newton), breslow = coxph(methods$breslow$formula, d, ties = "breslow", control = newton))
  for (m in names(models)) {
    near(tidied[[m]], wanted[[m]] <- wald(models[[m]]), m)
    gaze(fit[[m]], models[[m]], m)
  }
  linear <- glm(methods$linear$formula, data = d)
  near(tidied$linear, wanted$linear <- wald(linear, qt(0.975, linear$df.residual)), "linear")
  gaze(fit$linear, linear, "linear")
  near(tidied$curves, wanted$curves <- broom::tidy(survfit(methods$curves$formula, d)), "curves")
  one <- survfit(methods$curve$formula, d, conf.type = "log-log")
  near(tidied$curve, wanted$curve <- broom::tidy(one), "curve")
  gaze(fit$curve, one, "curve")
  logrank <- survdiff(methods$groups$formula, d)
  near(tidied$groups, broom::tidy(logrank), "groups")
  gaze(fit$groups, logrank, "groups")
  htests <- list(welch = t.test(methods$welch$formula, d), pooled = t.test(methods$pooled$formula, d, var.equal = TRUE, conf.level = 0.9),
                 yates = chisq.test(d$z3, d$z10), pearson = chisq.test(d$group, d$z10))
  for (m in names(htests)) {
    want <- as.data.frame(broom::tidy(htests[[m]]))
    want$method <- trimws(want$method)
    near(tidied[[m]], want, m)
    wanted[[m]] <- want[names(want) != "alternative"]
  }
  jsonlite::write_json(wanted, "expected.json", digits = I(17), na = "null", auto_unbox = TRUE)
  near(tidied$means[tidied$means$variable == "z1", c("n", "mean", "sd")],
       data.frame(n = c(table(d$z3)), mean = c(tapply(d$z1, d$z3, mean)), sd = c(tapply(d$z1, d$z3, sd))), "means")
  same(nrow(summary(fit$means)), 16L, "bars")
  near(tidied$quartiles["quantile"], data.frame(quantile = unname(quantile(d$z7, c(0.1, 0.5)))), "quartiles")
  near(tidied$table["n"], data.frame(n = c(t(table(d$group, d$da)))), "table")

  # The same by name, by digest, from the kept answer and at other programs' generics.
  adults <- ws_run(ws, chinese, sites = c("ohio", "alfred", "vincent", "hahnemann"), timeout = 60)
  near(tidy(adults), wald(glm(d2 ~ z8 + z1, binomial, d[d$z1 >= 18, ], control = exact)), "filtered")
  near(broom::tidy(adults), tidy(adults), "broom's generic")
  near(tidy(ws_result(ws, "骨髓移植")), tidy(adults), "kept")
  near(tidy(ws_result(ws, adults$run)), tidy(adults), "kept run")
  near(tidy(ws_run(ws, substr(adults$study_digest, 8, 30))), tidy(adults), "by digest")
  near(generics::tidy(lm(z1 ~ z2, d)), broom::tidy(lm(z1 ~ z2, d)), "other models")
  shown <- ws_show(ws, chinese)
  same(sort(shown$decisions$site), c("alfred", "hahnemann", "ohio", "vincent"), "decisions")
  same(shown$runs$outcome, c("ok", "ok"), "runs")
  same(shown$title$zh, "成人的复发", "title")

  # What policy, steward and node refuse.
  refused("withheld", "too few persons", ws_run(ws, few))
  refused("invalid", "no such study", ws_run(ws, "unheard-of"))
  refused("denied", "does not know this key", ws_submit(wellspring("hub", "stranger.key"), chinese))
  refused("invalid", "purpose", ws_submit(ws, ws_study("t", "bmt", "glm", formula = z1 ~ z2)))
  refused("invalid", "formula", ws_submit(ws, ws_study("t", "bmt", "glm", formula = "z1 ~ (z2", purpose = "DUO:0000042")))
  refused("invalid", "under way", ws_stop(ws, chinese))
}

stops <- function() {
  began <- proc.time()[["elapsed"]]
  refused("stopped", "time", ws_run(ws, all, timeout = 1))
  system2("sh", c("-c", shQuote(paste("sleep 1; kill -INT", Sys.getpid()))), wait = FALSE)
  said <- tryCatch({ ws_run(ws, all); "an answer" }, interrupt = function(i) "interrupted")
  same(said, "interrupted", "Ctrl-C")
  stopifnot(proc.time()[["elapsed"]] - began < 60) # a conductor would wait for two minutes
}

switch(commandArgs(TRUE),
  submit = {
    stopifnot(grepl("^sha256:[0-9a-f]{64}$", ws_submit(ws, all)))
    same(ws_submit(ws, chinese), ws_submit(ws, chinese), "submitted twice")
    ws_submit(ws, few)
    e <- refused("denied", "has not approved", ws_run(ws, all))
    Sys.setenv(LANGUAGE = "zh")
    stopifnot(grepl("批准", refused("denied", "批准", ws_run(ws, all))$message))
  },
  answers = answers(),
  withdrawn = refused("denied", "withdrawn", ws_run(ws, chinese)),
  stops = stops())
cat("ok\n")
