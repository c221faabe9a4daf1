# Makes results.json, the document that the golden tables and figures show:
# simulated patients, R's answers in the vocabulary of study results.
# Run in this folder: Rscript results.R
suppressMessages({library(survival); library(jsonlite)})
set.seed(20240229)
n <- 240
d <- data.frame(arm = factor(sample(c("常规", "低剂量", "高剂量"), n, TRUE), levels = c("常规", "低剂量", "高剂量")),
                age = round(rnorm(n, 58, 11)), male = rbinom(n, 1, 0.45), crp = round(rlnorm(n, 1.6, 0.8), 1))
t <- rexp(n, exp(-7 + 0.03 * (d$age - 58) + c(0, -0.5, -1.1)[d$arm]) * exp(0.1 * log(d$crp)))
c <- runif(n, 200, 2600)
d$days <- ceiling(pmin(t, c)); d$died <- as.numeric(t <= c)
d$relapse <- rbinom(n, 1, plogis(-1 + 0.02 * (d$age - 58) + 0.4 * d$male - 0.6 * (d$arm == "高剂量")))
u <- unbox
rows <- function(df) lapply(seq_len(nrow(df)), function(i) lapply(as.list(df[i, , drop = FALSE]), function(x) u(if (is.factor(x)) as.character(x) else x)))
result <- function(id, method, tidy, glance = list(), summary = NULL, suppressed = list(), notes = list(), audit = NULL) {
  r <- list(id = u(id), method = u(method), tidy = rows(tidy), glance = lapply(glance, u), suppressed = suppressed, notes = notes)
  if (!is.null(summary)) r$summary <- rows(summary)
  if (!is.null(audit)) r$audit <- rows(audit)
  r
}
both <- function(en, zh) list(en = u(en), zh = u(zh))

k <- survfit(Surv(days, died) ~ arm, d)
name <- sub("arm=", "治疗=", names(k$strata))
km <- data.frame(strata = rep(name, k$strata), time = k$time, n_risk = k$n.risk, n_event = k$n.event, n_censor = k$n.censor,
                 estimate = k$surv, std_error = k$std.err, conf_low = k$lower, conf_high = k$upper)
s <- summary(k)$table
medians <- data.frame(strata = name, records = s[, "records"], events = s[, "events"], median = s[, "median"],
                      conf_low = s[, "0.95LCL"], conf_high = s[, "0.95UCL"], row.names = NULL)
lr <- survdiff(Surv(days, died) ~ arm, d)
model <- function(m) { # both kinds, Wald intervals
  v <- summary(m)$coefficients; e <- coef(m); se <- sqrt(diag(vcov(m)))
  data.frame(term = names(e), estimate = e, std_error = se, statistic = e / se, p_value = 2 * pnorm(-abs(e / se)),
             conf_low = e - qnorm(0.975) * se, conf_high = e + qnorm(0.975) * se, row.names = NULL)
}
cx <- coxph(Surv(days, died) ~ arm + age + male + log(crp), d)
gl <- glm(relapse ~ arm + age + male, binomial, d)
cut10 <- seq(20, 100, 10)
bins <- do.call(rbind, lapply(levels(d$arm), function(a) data.frame(variable = "age", by = a, bin_low = head(cut10, -1), bin_high = cut10[-1],
  count = as.integer(table(cut(d$age[d$arm == a], cut10, right = FALSE))))))
bins <- rbind(bins, data.frame(variable = "crp", by = "高剂量", bin_low = c(0, 5, 10, 15), bin_high = c(5, 10, 15, 60), count = c(40L, 21L, 10L, 11L)))
describe <- do.call(rbind, lapply(levels(d$arm), function(a) data.frame(variable = "age", by = a, n = sum(d$arm == a),
  mean = mean(d$age[d$arm == a]), sd = sd(d$age[d$arm == a]))))
pr <- c(0.1, 0.25, 0.5, 0.75, 0.9)
quantiles <- do.call(rbind, lapply(c("age", "crp"), function(v) do.call(rbind, lapply(levels(d$arm), function(a)
  data.frame(variable = v, by = a, prob = pr, n = sum(d$arm == a), quantile = unname(quantile(d[d$arm == a, v], pr)))))))
tab <- table(d$arm, d$relapse)
crosstab <- data.frame(row = rep(rownames(tab), 2), column = rep(c("否", "是"), each = 3), n = as.integer(tab),
  row_percent = as.vector(100 * prop.table(tab, 1)), column_percent = as.vector(100 * prop.table(tab, 2)))
crosstab$n[6] <- NA; crosstab$row_percent[6] <- NA
three <- as.data.frame(xtabs(~ arm + relapse + male, d), responseName = "n")
names(three) <- c("row", "column", "layer", "n")
two <- aggregate(n ~ row + column, three, sum)
three$row_percent <- 100 * three$n / ave(three$n, three$row, three$layer, FUN = sum)
# A cube is hidden; all tables with the same totals differ by moving its corners to and fro.
cube <- three$row != "低剂量"
sign <- with(three, ifelse(xor(xor(row == "常规", column == "0"), layer == "0"), 1, -1))
up <- min(three$n[cube & sign > 0]); down <- min(three$n[cube & sign < 0])
audit <- with(three[cube, ], data.frame(row, column, layer, low = n - ifelse(sign[cube] > 0, up, down), high = n + ifelse(sign[cube] > 0, down, up)))
audit$met_low <- audit$low; audit$met_high <- audit$high
three$n[cube] <- NA; three$row_percent[cube] <- NA
tt <- t.test(age ~ male, d)
ttest <- data.frame(estimate = unname(tt$estimate[1] - tt$estimate[2]), estimate1 = unname(tt$estimate[1]), estimate2 = unname(tt$estimate[2]),
  std_error = tt$stderr, statistic = unname(tt$statistic), p_value = tt$p.value, parameter = unname(tt$parameter),
  conf_low = tt$conf.int[1], conf_high = tt$conf.int[2], method = tt$method)

doc <- list(study = u("simulated-trial"), study_digest = u(paste0("sha256:", strrep("0123456789abcdef", 4))),
  sites = c("east", "north", "华山医院"), rounds = u(9L), results = list(
    result("describe", "describe", describe, list(nobs = n), bins, list(list(what = u("crp, arm = 常规"), code = u("few"), why = both("below the cell limit", "低于最小单元限制")))),
    result("quantile", "quantile", quantiles, list(nobs = n)),
    result("crosstab", "crosstab", crosstab, list(nobs = n, missing = 0L)),
    result("layers", "crosstab", three, list(nobs = n, missing = 0L), two, audit = audit),
    result("ttest", "ttest", ttest, list(nobs = n, missing = 0L)),
    result("glm", "glm", model(gl), list(nobs = n, missing = 0L, df = 5L, df_residual = gl$df.residual, logLik = as.numeric(logLik(gl)),
      deviance = gl$deviance, null_deviance = gl$null.deviance, AIC = AIC(gl), iterations = gl$iter, converged = gl$converged)),
    result("cox", "cox", model(cx), list(nobs = cx$n, nevent = cx$nevent, missing = 0L, logLik = cx$loglik[2], df = 5L)),
    result("km", "km", km, list(nobs = n, nevent = sum(d$died), missing = 0L), medians,
      notes = list(both("exact times were granted", "已授权使用精确时间"))),
    result("logrank", "logrank", data.frame()[0, ], list(statistic = lr$chisq, df = 2L, p_value = pchisq(lr$chisq, 2, lower.tail = FALSE), nobs = n),
      data.frame(group = name, n = as.integer(lr$n), observed = lr$obs, expected = lr$exp))))
write(toJSON(doc, digits = NA, na = "null"), "results.json")
