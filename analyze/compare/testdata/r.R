# Writes the tables *.csv and R's answers r.json beside this file:
#
#   Rscript r.R
#
# The tables are from R's own package datasets (GPL-2 | GPL-3; each help page
# names its origin): mtcars (Henderson and Velleman 1981, Motor Trend 1974) and
# UCBAdmissions, one row an applicant of three departments (Bickel et al. 1975).
library(jsonlite)
cars <- mtcars
cars$large <- cars$mpg + 1e6
cars$gearbox <- ifelse(cars$am == 1, "manual", "automatic")
cars$size <- paste0("c", cars$cyl)
write.csv(cars[c("mpg", "large", "gearbox", "size", "wt")], "mtcars.csv", row.names = FALSE)
ucb <- as.data.frame(UCBAdmissions)
ucb <- ucb[ucb$Dept %in% c("C", "D", "E"), ]
ucb <- ucb[rep(seq_len(nrow(ucb)), ucb$Freq), c("Admit", "Gender", "Dept")]
write.csv(ucb, "admissions.csv", row.names = FALSE)
cars <- read.csv("mtcars.csv")
ucb <- read.csv("admissions.csv")

t_answer <- function(name, table, a, h) {
  list(name = name, table = table, analysis = a, tidy = list(
    estimate = unname(if (length(h$estimate) == 2) h$estimate[1] - h$estimate[2] else h$estimate),
    std_error = h$stderr, statistic = unname(h$statistic), p_value = h$p.value, parameter = unname(h$parameter),
    conf_low = h$conf.int[1], conf_high = h$conf.int[2], method = trimws(h$method)))
}
c_answer <- function(name, a, h) {
  list(name = name, table = "admissions", analysis = a, tidy = list(
    statistic = unname(h$statistic), p_value = h$p.value, parameter = unname(h$parameter), method = h$method),
    observed = as.vector(t(h$observed)), expected = as.vector(t(h$expected)))
}
three <- as.data.frame(xtabs(~ Dept + Gender + Admit, ucb), responseName = "n")
three <- three[order(three$Dept, three$Gender, three$Admit), ]
layers <- list(name = "layers", table = "admissions", analysis = list(method = "crosstab", rows = "Dept", columns = "Gender", layers = "Admit"),
  cells = lapply(seq_len(nrow(three)), function(i) with(three, list(row = as.character(Dept[i]), column = as.character(Gender[i]), layer = as.character(Admit[i]), n = n[i],
    row_percent = 100 * n[i] / sum(n[Dept == Dept[i] & Admit == Admit[i]]), column_percent = 100 * n[i] / sum(n[Gender == Gender[i] & Admit == Admit[i]])))))
answers <- list(
  t_answer("welch", "mtcars", list(method = "ttest", formula = "mpg ~ gearbox"), t.test(mpg ~ gearbox, cars)),
  t_answer("pooled", "mtcars", list(method = "ttest", formula = "mpg ~ gearbox", var_equal = TRUE),
           t.test(mpg ~ gearbox, cars, var.equal = TRUE)),
  t_answer("shifted", "mtcars", list(method = "ttest", formula = "large ~ gearbox", mu = -5, conf_level = 0.9),
           t.test(large ~ gearbox, cars, mu = -5, conf.level = 0.9)),
  t_answer("one-sample", "mtcars", list(method = "ttest", variables = I("mpg"), mu = 21), t.test(cars$mpg, mu = 21)),
  c_answer("yates", list(method = "chisq", rows = "Admit", columns = "Gender"), chisq.test(table(ucb$Admit, ucb$Gender))),
  c_answer("uncorrected", list(method = "chisq", rows = "Admit", columns = "Gender", correct = FALSE),
           chisq.test(table(ucb$Admit, ucb$Gender), correct = FALSE)),
  c_answer("departments", list(method = "chisq", rows = "Dept", columns = "Admit"), chisq.test(table(ucb$Dept, ucb$Admit))), layers)
write(toJSON(answers, digits = I(17), auto_unbox = TRUE, pretty = TRUE), "r.json")
