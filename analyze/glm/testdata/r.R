# Writes the tables *.csv and R's answers r.json beside this file:
#
#   Rscript r.R
#
# The tables are from R's own package datasets (GPL-2 | GPL-3; each help page
# names its origin): mtcars (Henderson and Velleman 1981, Motor Trend 1974),
# warpbreaks (Tippett 1950), infert (Trichopoulos et al. 1976), esoph (Breslow
# and Day 1980), InsectSprays (Beall 1942), airquality (Chambers et al. 1983),
# and UCBAdmissions (Bickel et al. 1975). All fits are run to convergence.
library(jsonlite)
options(digits = 17, warn = 1)

infert2 <- infert
infert2$education <- as.character(infert2$education)
esoph2 <- data.frame(agegp = as.character(esoph$agegp), alcgp = as.character(esoph$alcgp),
                     tobgp = as.character(esoph$tobgp), ncases = esoph$ncases,
                     total = esoph$ncases + esoph$ncontrols)
esoph2$share <- esoph2$ncases / pmax(esoph2$total, 1)
ucb <- as.data.frame(UCBAdmissions)
for (v in c("Admit", "Gender", "Dept")) ucb[[v]] <- as.character(ucb[[v]])
cars <- mtcars
cars$size <- paste0("c", mtcars$cyl)
cars$fuel <- log(mtcars$wt)
cars$dose <- ifelse(seq_len(nrow(mtcars)) %% 8 == 0, 0, mtcars$carb)
tables <- list(mtcars = cars, warpbreaks = warpbreaks, infert = infert2, esoph = esoph2,
               InsectSprays = InsectSprays, airquality = airquality, UCBAdmissions = ucb)
for (n in names(tables)) write.csv(tables[[n]], paste0(n, ".csv"), row.names = FALSE, quote = TRUE)
tables <- lapply(names(tables), function(n) read.csv(paste0(n, ".csv"), stringsAsFactors = TRUE))
names(tables) <- c("mtcars", "warpbreaks", "infert", "esoph", "InsectSprays", "airquality", "UCBAdmissions")

cases <- list(
  list("linear", "mtcars", "mpg ~ wt + hp + size", "gaussian", "identity"),
  list("linear-weights", "mtcars", "mpg ~ wt * am", "gaussian", "identity", "qsec"),
  list("linear-zero-weights", "mtcars", "mpg ~ wt + am", "gaussian", "identity", "dose"),
  list("linear-offset", "mtcars", "mpg ~ hp + offset(fuel)", "gaussian", "identity", "qsec"),
  list("linear-no-intercept", "mtcars", "mpg ~ wt + size - 1", "gaussian", "identity"),
  list("linear-mean", "mtcars", "mpg ~ 1", "gaussian", "identity"),
  list("linear-missing", "airquality", "Ozone ~ Solar.R + Wind + I(Wind^2) + log(Temp)", "gaussian", "identity"),
  list("linear-ill-conditioned", "mtcars", "mpg ~ wt + I(wt + qsec/10000)", "gaussian", "identity"),
  list("logit-ill-conditioned", "mtcars", "am ~ qsec + I(qsec + hp/10000)", "binomial", "logit"),
  list("linear-polynomial", "mtcars", "mpg ~ poly(wt, 3) + log(hp):size", "gaussian", "identity"),
  list("gaussian-log", "mtcars", "mpg ~ wt + am", "gaussian", "log"),
  list("logit", "infert", "case ~ spontaneous + induced + education", "binomial", "logit"),
  list("probit", "infert", "case ~ spontaneous + induced + education", "binomial", "probit"),
  list("cloglog", "infert", "case ~ spontaneous + induced + education", "binomial", "cloglog"),
  list("binomial-log", "infert", "case ~ spontaneous + induced", "binomial", "log"),
  list("logit-small", "mtcars", "am ~ wt", "binomial", "logit"),
  list("logit-shares", "esoph", "share ~ agegp + alcgp + tobgp", "binomial", "logit", "total"),
  list("probit-shares", "esoph", "share ~ alcgp + tobgp", "binomial", "probit", "total"),
  list("cloglog-shares", "esoph", "share ~ alcgp + tobgp", "binomial", "cloglog", "total"),
  list("logit-frequencies", "UCBAdmissions", "Admit ~ Gender + Dept", "binomial", "logit", "Freq"),
  list("logit-offset", "mtcars", "am ~ hp + offset(fuel)", "binomial", "logit"),
  list("probit-offset-weights", "mtcars", "am ~ hp + offset(fuel)", "binomial", "probit", "qsec"),
  list("logit-no-intercept", "mtcars", "am ~ wt + drat - 1", "binomial", "logit"),
  list("poisson", "warpbreaks", "breaks ~ wool * tension", "poisson", "log"),
  list("poisson-sprays", "InsectSprays", "count ~ spray", "poisson", "log"),
  list("poisson-offset", "esoph", "ncases ~ agegp + alcgp + offset(log(total + 1))", "poisson", "log"),
  list("poisson-weights", "mtcars", "carb ~ hp + offset(fuel)", "poisson", "log", "qsec"),
  list("poisson-identity", "InsectSprays", "count ~ spray", "poisson", "identity"),
  list("poisson-loglinear", "UCBAdmissions", "Freq ~ Admit * Gender + Dept * Gender + Admit:Dept", "poisson", "log"))

number <- function(x) unname(as.numeric(x))
list_of <- function(x) I(number(x))
answer <- function(case) {
  t <- tables[[case[[2]]]]
  if (length(case) > 5) t$w <- t[[case[[6]]]] else t$w <- 1
  family <- get(case[[4]])(link = case[[5]])
  # R finds no start of its own for a log link of shares; the mean is one.
  start <- if (case[[1]] == "binomial-log") c(log(mean(t$case)), 0, 0) else NULL
  fit <- glm(as.formula(case[[3]]), family = family, data = t, weights = w, start = start,
             control = glm.control(epsilon = 1e-14, maxit = 100))
  # An epsilon of the deviance leaves the root of it in the estimates, and
  # summary's covariance is from the weights before the last step: some more
  # steps bring both to the answer.
  fit2 <- fit
  for (i in 1:30) fit2 <- suppressWarnings(
    glm(as.formula(case[[3]]), family = family, data = t, weights = w, start = coef(fit2), control = glm.control(maxit = 1)))
  s <- summary(fit2)
  b <- s$coefficients
  q <- if (case[[4]] == "gaussian") qt(0.975, fit2$df.residual) else qnorm(0.975)
  out <- list(name = case[[1]], table = case[[2]], formula = case[[3]], family = case[[4]], link = case[[5]],
              weights = if (length(case) > 5) case[[6]] else "",
              term = I(rownames(b)), estimate = list_of(b[, 1]), std_error = list_of(b[, 2]),
              statistic = list_of(b[, 3]), p_value = list_of(b[, 4]),
              leverage = number(max(hatvalues(fit2), na.rm = TRUE)),
              conf_low = list_of(b[, 1] - q * b[, 2]), conf_high = list_of(b[, 1] + q * b[, 2]),
              glance = list(nobs = nobs(fit2), missing = length(fit2$na.action), df_residual = fit2$df.residual,
                            logLik = number(logLik(fit2)), deviance = fit2$deviance, null_deviance = fit$null.deviance,
                            AIC = AIC(fit2), BIC = BIC(fit2), dispersion = s$dispersion))
  if (case[[4]] == "gaussian" && case[[5]] == "identity") {
    fit3 <- lm(as.formula(case[[3]]), data = t, weights = w)
    out$glance$logLik <- number(logLik(fit3)) # glm's is -Inf where a weight is 0
    out$glance$AIC <- AIC(fit3)
    out$glance$BIC <- BIC(fit3)
    l <- summary(fit3)
    out$glance$sigma <- l$sigma
    # Up to R 4.2 summary.lm counts an offset as explained by the model.
    if (is.null(fit3$offset)) {
      out$glance$r_squared <- l$r.squared
      out$glance$adj_r_squared <- l$adj.r.squared
    }
    if (is.null(fit3$offset) && !is.null(l$fstatistic)) {
      out$glance$statistic <- number(l$fstatistic[1])
      out$glance$p_value <- number(pf(l$fstatistic[1], l$fstatistic[2], l$fstatistic[3], lower.tail = FALSE))
    }
  }
  out
}
write(toJSON(lapply(cases, answer), digits = I(17), auto_unbox = TRUE, pretty = TRUE), "r.json")
