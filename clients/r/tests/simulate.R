# Rehearsals on data frames and files, held to R itself on the pooled table.
source(file.path(Sys.getenv("CLIENTS"), "r", "tests", "check.R"))

# Before broom is there, tidy and glance are at hand.
stopifnot(!"broom" %in% loadedNamespaces())
set.seed(1)
n <- 240
d <- data.frame(
  id = sprintf("p%03d", seq_len(n)), age = round(rnorm(n, 60, 9), 1), 性别 = factor(sample(c("女 性", "男"), n, TRUE), c("男", "女 性")),
  arm = factor(sample(c("placebo", "drug \"A\", high", "drug  B"), n, TRUE), c("placebo", "drug \"A\", high", "drug  B")),
  treated = sample(c(TRUE, FALSE), n, TRUE), dose = sample(c(0.1, 1 / 3, 2^-20, 100000), n, TRUE), check.names = FALSE)
d$y <- 0.1 * d$age + (d$性别 == "男") + d$dose / 5e4 + rnorm(n)
d$血压 <- d$y * 3 + rnorm(n, 0, 4)
names(d)[names(d) == "血压"] <- "血 压"
d$age[c(3, 77, 130)] <- NA
d$arm[c(5, 99)] <- NA
sites <- split(d, rep(c("甲院", "north", "south"), length.out = n))
f <- `血 压` ~ age + 性别 * relevel(arm, ref = "drug  B") + treated + log(dose)
study <- ws_study("数据框", dataset = "rows", method = "glm", formula = f, title = c(en = "Frames", zh = "数据框"))
fit <- ws_simulate(study, sites, public = TRUE)
own <- glm(f, data = d)
ci <- confint.default(own)
# confint.default takes the normal distribution; that of the gaussian family is t, as lm's
t975 <- qt(0.975, own$df.residual)
se <- sqrt(diag(vcov(own)))
want <- data.frame(term = names(coef(own)), estimate = coef(own), std.error = se, statistic = coef(own) / se,
                   p.value = 2 * pt(-abs(coef(own) / se), own$df.residual), conf.low = coef(own) - t975 * se, conf.high = coef(own) + t975 * se)
near(tidy(fit), want, "data frames")
same(glance(fit)$nobs, nobs(own), "nobs")
same(fit$study, "数据框", "study")
same(names(tidy(fit, conf.int = FALSE)), names(want)[1:5], "without intervals")
near(as.data.frame(fit), want, "as.data.frame")
stopifnot(any(grepl("性别女 性:relevel(arm, ref = \"drug  B\")placebo", capture.output(print(fit)), fixed = TRUE)))
same(length(list.files(tempdir(), "^wellspring-")), 0L, "temporary folders")


# Sourced to a place of its own, the client works as well.
apart <- new.env()
sys.source(file.path(Sys.getenv("CLIENTS"), "r", "wellspring.R"), apart)
rm(print.wellspring_study, print.wellspring_result)
stopifnot(any(grepl("wellspring/v1", capture.output(print(apart$ws_study("t", "bmt", "km", formula = Surv(t2, d3) ~ 1))))))
stopifnot(any(grepl("(Intercept)", capture.output(print(fit)), fixed = TRUE)))

# Files, and a study as a file that a person wrote; several analyses at once.
bmt <- read.csv("bmt.csv")
hospitals <- split(bmt, bmt$z9)
names(hospitals) <- c("ohio", "alfred", "st-vincent", "hahnemann")
for (h in names(hospitals)) write.csv(hospitals[[h]], paste0(h, ".csv"), row.names = FALSE)
files <- setNames(paste0(names(hospitals), ".csv"), names(hospitals))
cox <- ws_study("bmt-cox", "bmt", "cox", formula = Surv(t2, d3) ~ factor(group) + z8, conf.level = 0.9)
a <- ws_simulate(cox, as.list(files), public = TRUE)
near(tidy(ws_simulate(cox, hospitals, public = TRUE)), tidy(a), "files and frames")
near(tidy(ws_simulate(cox, as.list(files), public = TRUE, pooled = TRUE)), tidy(a), "pooled")
writeLines(sub("0.9", "0.95", format(capture.output(print(cox)))), "cox.json")
wide <- tidy(ws_simulate("cox.json", as.list(files), public = TRUE))
stopifnot(all(wide$conf.low < tidy(a)$conf.low), identical(wide$estimate, tidy(a)$estimate))
near(tidy(a, exponentiate = TRUE)["estimate"], data.frame(estimate = exp(tidy(a)$estimate)), "hazard ratios")

# The default limits hold where nobody says that anyone may read the rows.
limited <- ws_simulate(ws_study("t", "bmt", "crosstab", rows = "group", columns = "da"), as.list(files))
stopifnot(nrow(limited$suppressed) > 0, all(nzchar(limited$suppressed$why)))
stopifnot(nrow(limited$audit) == sum(is.na(tidy(limited)$n)), all(limited$audit$low <= limited$audit$high))
refused("denied", "--public", ws_simulate(cox, as.list(files[1:2])))

# Errors say what, where and what to do, in the session's language.
bad <- ws_study("t", "bmt", "cox", formula = "Surv(t2, d3) ~ factor(group")
e <- refused("invalid", "formula: study.json:[0-9]+:[0-9]+: ", ws_simulate(bad, as.list(files), public = TRUE))
refused("invalid", "^columns: short.csv: the file lacks the column", ws_simulate(cox, list(long = "ohio.csv", short = data.frame(t2 = 1:9)), public = TRUE))
Sys.setenv(LANGUAGE = "zh_CN")
zh <- refused("invalid", "公式", ws_simulate(bad, as.list(files), public = TRUE))
stopifnot(!identical(e$message, zh$message), grepl("建议|括号|公式", conditionMessage(zh)))
refused("invalid", "找不到程序", ws_simulate(cox, as.list(files), program = "no-such-program"))
Sys.setenv(LANGUAGE = "")
refused("invalid", "z99", ws_simulate(ws_study("t", "bmt", "glm", formula = z99 ~ z1), as.list(files), public = TRUE))
refused("invalid", "method", ws_simulate(ws_study("t", "bmt", "mixed", formula = z1 ~ z2), as.list(files), public = TRUE))
refused("invalid", "with names", ws_simulate(cox, list("a.csv"), public = TRUE))
refused("invalid", "infinite", ws_simulate(cox, list(a = data.frame(t2 = Inf)), public = TRUE))
refused("invalid", "none.csv", ws_simulate(cox, list(a = "none.csv", b = "alfred.csv"), public = TRUE))
refused("stopped", "time", ws_simulate(cox, as.list(files), public = TRUE, timeout = 0.02))
refused("unreachable", "start it", ws_show(wellspring("."), "bmt-cox"))
refused("invalid", "me.key", ws_submit(wellspring("."), cox))
same(length(list.files(tempdir(), "^wellspring-")), 0L, "temporary folders")
cat("ok\n")
