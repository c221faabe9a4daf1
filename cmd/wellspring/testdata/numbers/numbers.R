# Writes numbers.json beside this file: R's answers on the real data, by the
# name of the case in numbers_test.go and the path in its result:
#
#   Rscript numbers.R FOLDER-OF-THE-SHARED-DATA
#
# Every iterative fit is run to convergence (epsilon 1e-14); R's default stops
# at 1e-8 of the deviance, or 1e-9 of the likelihood.
library(survival)
options(digits = 17, warn = 1)
shared <- file.path(commandArgs(TRUE)[1], "data")
table <- function(...) read.csv(file.path(shared, ...))

tidy <- function(term, estimate, se, p) {
  out <- list()
  for (i in seq_along(term)) {
    at <- function(name) paste0("tidy.", i - 1, ".", name)
    out[[at("estimate")]] <- estimate[[i]]
    out[[at("std_error")]] <- se[[i]]
    out[[at("p_value")]] <- p[[i]]
  }
  out
}
logistic <- function(formula, data) {
  tight <- glm.control(epsilon = 1e-14, maxit = 100)
  f <- glm(formula, binomial, data, control = tight)
  # standard errors come from the weights before the last step: take one more
  f <- glm(formula, binomial, data, control = tight, start = coef(f))
  s <- coef(summary(f))
  c(tidy(rownames(s), s[, 1], s[, 2], s[, 4]), list(glance.nobs = nobs(f), glance.deviance = deviance(f),
    glance.null_deviance = f$null.deviance, glance.df_residual = df.residual(f), glance.logLik = as.numeric(logLik(f)),
    glance.AIC = AIC(f), glance.BIC = BIC(f)))
}
linear <- function(formula, data) {
  f <- lm(formula, data)
  s <- summary(f)
  c(tidy(rownames(s$coefficients), s$coefficients[, 1], s$coefficients[, 2], s$coefficients[, 4]),
    list(glance.nobs = nobs(f), glance.deviance = deviance(f), glance.df_residual = df.residual(f), glance.sigma = s$sigma,
      glance.r_squared = s$r.squared, glance.adj_r_squared = s$adj.r.squared, glance.statistic = s$fstatistic[[1]]))
}
cox <- function(formula, data, ties) {
  f <- coxph(formula, data, ties = ties, control = coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 100))
  s <- coef(summary(f))
  c(tidy(rownames(s), s[, 1], s[, 3], s[, 5]), list(glance.nobs = f$n, glance.nevent = f$nevent, glance.logLik = f$loglik[2]))
}
rank <- function(formula, data) {
  f <- survdiff(formula, data)
  out <- list(glance.statistic = f$chisq, glance.nobs = sum(f$n))
  observed <- rowSums(as.matrix(f$obs)); expected <- rowSums(as.matrix(f$exp))
  for (i in seq_along(observed)) {
    out[[paste0("summary.", i - 1, ".observed")]] <- observed[[i]]
    out[[paste0("summary.", i - 1, ".expected")]] <- expected[[i]]
  }
  out
}
curve <- function(formula, data) {
  m <- summary(survfit(formula, data))$table
  if (is.null(dim(m))) m <- t(m)
  out <- list()
  for (i in seq_len(nrow(m))) {
    out[[paste0("summary.", i - 1, ".records")]] <- m[i, "records"][[1]]
    out[[paste0("summary.", i - 1, ".events")]] <- m[i, "events"][[1]]
    out[[paste0("summary.", i - 1, ".median")]] <- m[i, "median"][[1]]
    out[[paste0("summary.", i - 1, ".conf_low")]] <- m[i, "0.95LCL"][[1]]
  }
  out
}
quantiles <- function(data, variables, probs) {
  out <- list()
  for (v in variables) for (q in quantile(data[[v]], probs, na.rm = TRUE, names = FALSE))
    out[[paste0("tidy.", length(out), ".quantile")]] <- q
  out
}
ttest <- function(formula, data, equal) {
  f <- t.test(formula, data, var.equal = equal)
  list(tidy.0.estimate = f$estimate[[1]] - f$estimate[[2]], tidy.0.estimate1 = f$estimate[[1]], tidy.0.estimate2 = f$estimate[[2]],
    tidy.0.statistic = f$statistic[[1]], tidy.0.parameter = f$parameter[[1]], tidy.0.p_value = f$p.value,
    tidy.0.conf_low = f$conf.int[1], tidy.0.conf_high = f$conf.int[2])
}
chisq <- function(a, b, correct) {
  f <- chisq.test(base::table(a, b), correct = correct)
  list(tidy.0.statistic = f$statistic[[1]], tidy.0.parameter = f$parameter[[1]], tidy.0.p_value = f$p.value)
}
moments <- function(data, variables) {
  out <- list()
  for (i in seq_along(variables)) {
    x <- data[[variables[i]]]
    out[[paste0("tidy.", i - 1, ".n")]] <- sum(!is.na(x))
    out[[paste0("tidy.", i - 1, ".mean")]] <- mean(x, na.rm = TRUE)
    out[[paste0("tidy.", i - 1, ".sd")]] <- sd(x, na.rm = TRUE)
  }
  out
}

heart <- table("uci-heart", "heart_4sites.csv")
full <- heart[complete.cases(heart[, c("trestbps", "thalach", "exang", "oldpeak")]), ]
lung <- table("survival-r", "lung.csv")
inst <- lung[!is.na(lung$inst), ]
colon <- subset(table("survival-r", "colon.csv"), etype == 2)
lung2 <- table("pda-multisite", "lung2.csv")
cnsim <- do.call(rbind, lapply(1:3, function(k) table("datashield-dslite", "CNSIM", paste0("CNSIM", k, ".csv"))))

answers <- list(
  "heart" = logistic(target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak, heart),
  "heart complete" = logistic(target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak + chol + fbs + factor(restecg), heart),
  "heart linear" = linear(thalach ~ age + sex + exang + oldpeak, full),
  "heart quantiles" = quantiles(heart, c("age", "trestbps", "thalach", "oldpeak"), c(.05, .25, .5, .75, .9, .99)),
  "heart moments" = moments(heart, c("age", "trestbps", "thalach")),
  "heart welch" = ttest(thalach ~ target, full, FALSE),
  "heart t" = ttest(thalach ~ target, full, TRUE),
  "heart chisq" = chisq(full$sex, full$target, FALSE),
  "heart chisq yates" = chisq(full$sex, full$target, TRUE),
  "heart chisq pain" = chisq(full$cp, full$target, FALSE),
  "lung efron" = cox(Surv(time, status == 2) ~ age + sex + ph.ecog + strata(inst), inst, "efron"),
  "lung breslow" = cox(Surv(time, status == 2) ~ age + sex + ph.ecog, inst, "breslow"),
  "lung by sex" = cox(Surv(time, status == 2) ~ age + ph.ecog, lung, "efron"),
  "lung log-rank" = rank(Surv(time, status == 2) ~ factor(sex), lung),
  "lung medians" = curve(Surv(time, status == 2) ~ factor(sex), lung),
  "lung median" = curve(Surv(time, status == 2) ~ 1, lung),
  "log-rank by institution" = rank(Surv(time, status == 2) ~ factor(sex) + strata(inst), inst),
  "colon" = cox(Surv(time, status == 1) ~ rx, transform(colon, rx = factor(rx)), "efron"),
  "colon log-rank" = rank(Surv(time, status == 1) ~ rx, colon),
  "cnsim linear" = linear(LAB_TSC ~ LAB_TRIG, cnsim),
  "cnsim logistic" = logistic(DIS_DIAB ~ factor(GENDER)*PM_BMI_CONTINUOUS + LAB_HDL, cnsim),
  "lung2" = cox(Surv(time, status) ~ age + sex, lung2, "efron"),
  "lung2 by site" = cox(Surv(time, status) ~ age + sex + strata(site), lung2, "efron"),
  "lung years" = cox(Surv(time/365.25, status) ~ age + I(ph.ecog >= 2) + sex, lung, "efron"),
  "lung months" = curve(Surv(I(time/30), status == 2) ~ sex, lung))

quote <- function(x) paste0("\"", x, "\"")
lines <- vapply(names(answers), function(n) {
  a <- answers[[n]]
  paste0(quote(n), ": {", paste0(quote(names(a)), ": ", vapply(a, sprintf, "", fmt = "%.17g"), collapse = ", "), "}")
}, "")
writeLines(paste0("{\n", paste(lines, collapse = ",\n"), "\n}"), "numbers.json")
