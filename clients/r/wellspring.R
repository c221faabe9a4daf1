# Wellspring from R: ask a network of hospitals, or rehearse on files and data
# frames, and get the data frame that broom::tidy would give.
#
#   source("wellspring.R")
#   study <- ws_study("bmt-cox", dataset = "bmt", method = "cox",
#                     formula = Surv(t2, d3) ~ factor(group) + z8, purpose = "DUO:0000042")
#   fit <- ws_simulate(study, sites = list(a = "a.csv", b = some_data_frame), public = TRUE)
#   tidy(fit)
#
# and on a network:
#
#   ws <- wellspring(dir = "hub", key = "me.key")
#   ws_submit(ws, study)
#   fit <- ws_run(ws, study)
#
# It needs R 4.0 or newer, jsonlite, and the program `wellspring`: named as an
# argument, by the environment variable WELLSPRING, or found on PATH.
#
# An error is a condition of class wellspring_error with the fields kind (invalid,
# denied, withheld, unreachable, diverged, stopped, other), message and hint, in
# the session's language; of a kind it is also of class wellspring_denied, say.
# Ctrl-C, or a timeout, stops the run for everybody.

# --- the network ---------------------------------------------------------------

# A node to speak to: dir is the folder of a running site or of the hub, key the
# file of the requester's key, which only the commands that sign read.
wellspring <- function(dir, key = NULL, program = NULL) {
  structure(list(dir = dir, key = key, program = .ws_program(program), digests = new.env()), class = "wellspring")
}

# Registers a study on the ledger, by the node; once more does no harm. Gives
# its digest.
ws_submit <- function(ws, study) {
  invisible(.ws_digest(ws, study, "submit", "--key", .ws_key(ws), "--dir", ws$dir))
}

# Has the node conduct a study, which is one of ws_study, a name or a digest,
# and waits for the answer, at most timeout seconds. Where sites is not given all
# that have the dataset take part.
ws_run <- function(ws, study, sites = NULL, few_institutions = FALSE, timeout = Inf, progress = interactive()) {
  args <- c("study", "run", .ws_name(ws, study), "--key", .ws_key(ws), "--dir", ws$dir)
  if (!is.null(sites)) args <- c(args, "--sites", paste(sites, collapse = ","))
  if (few_institutions) args <- c(args, "--few-institutions")
  .ws_fit(.ws_call(ws$program, args, timeout, progress))
}

# Gives the kept answer of a study, or of a run, once more.
ws_result <- function(ws, study) {
  .ws_fit(.ws_call(ws$program, c("study", "result", .ws_name(ws, study), "--dir", ws$dir)))
}

# Says what the node knows of a study: $decisions and $runs are data frames.
ws_show <- function(ws, study) {
  shown <- .ws_parse(.ws_call(ws$program, c("study", "show", .ws_name(ws, study), "--dir", ws$dir))$out)
  shown$decisions <- .ws_frame(shown$decisions)
  shown$runs <- .ws_frame(lapply(shown$runs, function(r) {
    r$sites <- paste(unlist(r$sites), collapse = ",")
    r$versions <- paste(unlist(r$versions), collapse = ",")  # of the dataset, at each of these sites
    r[names(r) != "stages"]
  }))
  shown
}

# Stops the run of a study that the node conducts.
ws_stop <- function(ws, study) {
  .ws_call(ws$program, c("study", "stop", .ws_name(ws, study), "--dir", ws$dir))
  invisible(TRUE)
}

# --- a study -------------------------------------------------------------------

# A study of one analysis, whose fields (formula, family, ties, variables, ...)
# are those of a study file, or of several: analyses = list(curves = list(method =
# "km", formula = ...), ...). A formula is R's, or its text; family may be R's too.
ws_study <- function(name, dataset, method = NULL, ..., purpose = NULL, where = NULL, title = NULL, analyses = NULL) {
  study <- list(apiVersion = "wellspring/v1", kind = "Study", metadata = list(name = name))
  if (!is.null(title)) {
    if (is.null(names(title))) title <- c(en = title, zh = title)
    study$metadata$title <- as.list(title)
  }
  if (!is.null(purpose)) study$purpose <- list(duo = I(purpose))
  study$data <- list(dataset = dataset)
  if (!is.null(where)) study$data$where <- where
  if (is.null(analyses)) {
    study$analysis <- .ws_analysis(method = method, ...)
  } else {
    study$analyses <- lapply(names(analyses), function(id) c(list(id = id), do.call(.ws_analysis, analyses[[id]])))
  }
  structure(study, class = "wellspring_study")
}

print.wellspring_study <- function(x, ...) cat(.ws_json(x), "\n", sep = "")

.ws_analysis <- function(...) {
  given <- list(...)
  given <- given[!vapply(given, is.null, NA)]
  names(given) <- gsub(".", "_", names(given), fixed = TRUE) # conf.level, var.equal
  family <- given$family
  if (is.function(family)) family <- family()
  if (inherits(family, "family")) {
    given$family <- family$family
    given$link <- family$link
  }
  for (field in intersect(names(given), c("variables", "probs"))) given[[field]] <- I(given[[field]])
  if (inherits(given$formula, "formula")) given$formula <- .ws_formula(given$formula)
  given
}

.ws_formula <- function(f) paste(trimws(deparse(f, width.cutoff = 500L)), collapse = " ")

# --- a rehearsal ---------------------------------------------------------------

# Plays a study with all its parties on this machine. Each of sites is the path of
# a CSV or Parquet file or a data frame, whose factors keep their levels' order; of
# split(d, d$hospital) each part is a site. Copies of data frames lie in R's
# temporary folder, which is yours alone, until the answer is there. na are more texts
# that mean missing.
ws_simulate <- function(study, sites, public = FALSE, policy = NULL, dictionary = NULL, institutions = NULL,
                        conductor = NULL, pooled = FALSE, na = NULL, timeout = Inf, progress = interactive(), program = NULL) {
  program <- .ws_program(program)
  dir <- .ws_folder()
  on.exit(unlink(dir, recursive = TRUE))
  if (length(sites) == 0 || is.null(names(sites))) {
    .ws_fail("invalid", .ws_text("sites is a list with names: list(a = \"a.csv\", b = a_data_frame)",
                                 "sites 须为带名称的列表：list(a = \"a.csv\", b = 数据框)"))
  }
  plain <- ifelse(grepl("^[[:alnum:]_-]+$", names(sites)), names(sites), paste0("site-", seq_along(sites)))
  paths <- mapply(.ws_site_file, sites, paste0(dir, "/", plain, ".csv"))
  if (is.null(dictionary)) dictionary <- .ws_dictionary(program, sites, paths, public, dir)
  args <- c("simulate", as.vector(rbind("--site", paste0(names(sites), "=", paths))),
            if (public) "--public", if (pooled) "--pooled", .ws_flag("--policy", policy),
            .ws_flag("--dictionary", dictionary), .ws_flag("--conductor", conductor),
            .ws_flag("--na", if (length(na) > 0) paste(na, collapse = ",")))
  for (i in names(institutions)) args <- c(args, "--institution", paste0(i, "=", paste(institutions[[i]], collapse = ",")))
  .ws_fit(.ws_with_study(study, dir, function(file) .ws_call(program, c(args, "--study", file), timeout, progress, dir)))
}

.ws_flag <- function(name, value) if (!is.null(value)) c(name, value)

.ws_site_file <- function(site, path) {
  if (is.character(site) && length(site) == 1) return(path.expand(site))
  .ws_write_csv(site, path)
  path
}

# Data frames know more than a file does: which columns are factors, and the order
# of their levels. The program drafts the dictionary; only that is put into it.
.ws_dictionary <- function(program, sites, paths, public, dir) {
  levels <- list()
  for (site in sites) {
    if (!is.data.frame(site)) next
    for (name in names(site)[vapply(site, is.factor, NA)]) {
      if (is.ordered(site[[name]])) warning(.ws_text(
        paste0(name, " is an ordered factor; it is coded by treatment contrasts, not by polynomials"),
        paste0(name, " 是有序因子；此处采用处理对比，而非多项式对比")), call. = FALSE)
      levels[[name]] <- union(levels[[name]], base::levels(site[[name]]))
    }
  }
  if (length(levels) == 0) return(NULL)
  drafted <- .ws_parse(.ws_call(program, c("study", "dictionary", if (public) "--public", paths), scratch = dir)$out)
  drafted <- lapply(drafted, function(column) {
    if (is.null(levels[[column$name]])) return(column)
    list(name = column$name, type = "factor", levels = I(enc2utf8(levels[[column$name]])))
  })
  file <- file.path(dir, "dictionary.json")
  .ws_write(jsonlite::toJSON(drafted, auto_unbox = TRUE, digits = I(17)), file)
  file
}

# Writes a data frame so that every number is read back as it is.
.ws_write_csv <- function(d, path) {
  if (!is.data.frame(d)) {
    .ws_fail("invalid", .ws_text("a site is the path of a file, or a data frame", "站点须为文件路径或数据框"))
  }
  quoted <- function(s) paste0("\"", gsub("\"", "\"\"", enc2utf8(s), fixed = TRUE), "\"")
  field <- function(name) {
    x <- d[[name]]
    if (is.list(x) || is.matrix(x) || is.numeric(x) && any(is.infinite(x))) {
      .ws_fail("invalid", .ws_text(paste0("the column ", name, " is neither numbers, texts nor a factor, or holds an infinite value"),
                                   paste0("列 ", name, " 不是数值、文本或因子，或含有无穷值")))
    }
    text <- if (is.numeric(x) && is.null(attr(x, "class"))) .ws_digits(x) else quoted(as.character(x))
    text[is.na(x)] <- ""
    text
  }
  rows <- do.call(paste, c(lapply(names(d), field), sep = ","))
  .ws_write(c(paste(quoted(names(d)), collapse = ","), rows), path)
}

# The fewest digits, 15 or 17, that are read back as the same number.
.ws_digits <- function(x) {
  text <- sprintf("%.15g", x)
  text[is.na(x)] <- NA
  differs <- which(as.numeric(text) != x)
  text[differs] <- sprintf("%.17g", x[differs])
  text
}

# --- answers -------------------------------------------------------------------

.ws_fit <- function(said) {
  answer <- .ws_parse(said$out)
  common <- c(answer[c("study", "study_digest", "sites", "rounds")], said$receipt) # run and salt, on a network
  common$sites <- unlist(common$sites)
  common$versions <- unlist(said$computed$versions) # of the dataset, on a network
  if (is.null(answer$results)) return(.ws_one(answer, common))
  fits <- lapply(answer$results, .ws_one, common)
  names(fits) <- vapply(answer$results, function(r) r$id, "")
  structure(fits, class = "wellspring_results")
}

.ws_one <- function(r, common) {
  fit <- c(common, list(method = r$method, rows = .ws_frame(r$tidy), summary = .ws_frame(r$summary), glance = .ws_frame(list(r$glance)), audit = .ws_frame(r$audit),
    notes = vapply(r$notes, .ws_text_of, ""),
    suppressed = .ws_frame(lapply(r$suppressed, function(s) list(what = s$what, code = s$code, why = .ws_text_of(s$why))))))
  structure(fit, class = "wellspring_result")
}

# Rows of JSON as a data frame with R's names: std.error for std_error. What a row
# lacks, or has as null, is NA.
.ws_frame <- function(rows) {
  names <- unique(unlist(lapply(rows, names)))
  columns <- lapply(names, function(name) {
    values <- lapply(rows, function(row) if (is.null(row[[name]])) NA else row[[name]])
    unlist(values)
  })
  names(columns) <- gsub("_", ".", names, fixed = TRUE)
  as.data.frame(columns, optional = TRUE, stringsAsFactors = FALSE)
}

# The columns of broom, in its order, method by method (broom 1.0.3: tidy.glm, tidy.coxph,
# tidy.survfit, tidy.survdiff, tidy.htest). The study's confidence level holds; exponentiate
# gives odds, hazard and rate ratios.
tidy.wellspring_result <- function(x, conf.int = TRUE, exponentiate = FALSE, ...) {
  d <- switch(x$method, logrank = .ws_groups(x$summary), x$rows)
  if (x$method == "ttest") {
    d$std.error <- NULL
    d$alternative <- "two.sided"
  }
  if (x$method == "km") {
    d <- .ws_order(d, c("time", "n.risk", "n.event", "n.censor", "estimate", "std.error", "conf.high", "conf.low", "strata"))
    if (!any(grepl("=", d$strata, fixed = TRUE))) d$strata <- NULL # one curve, of everybody
  }
  if (x$method %in% c("glm", "cox")) {
    if (exponentiate) for (name in intersect(c("estimate", "conf.low", "conf.high"), names(d))) d[[name]] <- exp(d[[name]])
    if (!conf.int) d <- d[setdiff(names(d), c("conf.low", "conf.high"))]
  }
  d
}

# The groups of a log-rank test, a column each variable: "factor(group)=1, sex=2".
.ws_groups <- function(d) {
  parts <- lapply(strsplit(d$group, ", (?=[^=]+=)", perl = TRUE), function(p) regmatches(p, regexpr("=", p), invert = TRUE))
  groups <- lapply(seq_along(parts[[1]]), function(i) vapply(parts, function(p) p[[i]][2], ""))
  names(groups) <- vapply(parts[[1]], function(p) p[1], "")
  cbind(as.data.frame(groups, optional = TRUE, stringsAsFactors = FALSE), N = d$n, obs = d$observed, exp = d$expected)
}

# The analysis as a whole: broom's columns first, as far as they come of sums.
glance.wellspring_result <- function(x, ...) {
  g <- x$glance
  if (x$method == "glm") g$df.null <- g$nobs - ("(Intercept)" %in% x$rows$term)
  if (x$method == "cox") g$n <- g$nobs
  if (x$method %in% c("ttest", "chisq") && nrow(x$rows) == 1) g <- cbind(tidy.wellspring_result(x), g)
  if (x$method == "km" && nrow(x$summary) == 1) g <- cbind(x$summary[setdiff(names(x$summary), "strata")], g)
  if (x$method == "logrank") return(.ws_order(g, c("statistic", "df", "p.value")))
  .ws_order(g, c("null.deviance", "df.null", "n", "nevent", "statistic.log", "p.value.log", "statistic.sc", "p.value.sc",
                 "statistic.wald", "p.value.wald", "logLik", "AIC", "BIC", "deviance", "df.residual",
                 if (!x$method %in% c("ttest", "chisq")) "nobs"))
}

.ws_order <- function(d, first) d[c(intersect(first, names(d)), setdiff(names(d), first))]

# The records by group that some methods have: medians of curves, bars of histograms.
summary.wellspring_result <- function(object, ...) object$summary

as.data.frame.wellspring_result <- function(x, ...) tidy.wellspring_result(x, ...)

print.wellspring_result <- function(x, ...) {
  cat(x$study, ": ", x$method, ", ", paste(x$sites, collapse = ", "), "\n", sep = "")
  print(tidy.wellspring_result(x), ...)
  for (note in x$notes) cat("* ", note, "\n", sep = "")
  if (nrow(x$suppressed) > 0) cat(paste0("- ", x$suppressed$what, ": ", x$suppressed$why, "\n"), sep = "")
  invisible(x)
}

# Several analyses: a list by id, of which $id is one.
tidy.wellspring_results <- function(x, ...) lapply(x, tidy.wellspring_result, ...)
glance.wellspring_results <- function(x, ...) lapply(x, glance.wellspring_result, ...)
print.wellspring_results <- function(x, ...) {
  for (fit in x) print(fit, ...)
  invisible(x)
}

# --- errors --------------------------------------------------------------------

.ws_fail <- function(kind, message, hint = NULL) {
  stop(structure(class = c(paste0("wellspring_", kind), "wellspring_error", "error", "condition"),
                 list(message = message, call = NULL, kind = kind, hint = hint)))
}

# What R prints of an error that nobody catches has the hint too.
conditionMessage.wellspring_error <- function(c) paste(c(c$message, c$hint), collapse = "\n  ")

# The session's language, as gettext has it.
.ws_lang <- function() {
  given <- c(Sys.getenv("LANGUAGE"), Sys.getenv("LC_ALL"), Sys.getenv("LC_MESSAGES"), Sys.getenv("LANG"))
  if (grepl("^zh", c(given[given != ""], "")[1]) || given[1] == "" && grepl("^zh", Sys.getlocale("LC_MESSAGES"))) "zh" else "en"
}

.ws_text <- function(en, zh) if (.ws_lang() == "zh") zh else en

.ws_text_of <- function(text) text[[.ws_lang()]]

# --- the program ---------------------------------------------------------------

.ws_program <- function(program) {
  found <- if (!is.null(program)) program else Sys.getenv("WELLSPRING", "wellspring")
  if (!grepl("/", found, fixed = TRUE)) found <- Sys.which(found)
  if (nzchar(found) && file.access(found, 1) == 0) return(path.expand(found))
  .ws_fail("invalid", .ws_text("the program wellspring is not found", "找不到程序 wellspring"),
           .ws_text("set the environment variable WELLSPRING to its path, or put its folder on PATH",
                    "请将环境变量 WELLSPRING 设为其路径，或将其所在文件夹加入 PATH"))
}

.ws_key <- function(ws) {
  if (!is.null(ws$key)) return(ws$key)
  .ws_fail("invalid", .ws_text("this takes the requester's key: wellspring(dir, key = \"me.key\")",
                               "此操作需要请求者的密钥：wellspring(dir, key = \"me.key\")"))
}

# How the ledger names a study: by what a person gave, or by its digest.
.ws_name <- function(ws, study) {
  if (is.character(study)) return(study)
  known <- ws$digests[[.ws_json(study)]]
  if (!is.null(known)) return(known)
  .ws_digest(ws, study, "check")
}

# Has the program judge a study, and remembers the digest.
.ws_digest <- function(ws, study, verb, ...) {
  dir <- .ws_folder()
  on.exit(unlink(dir, recursive = TRUE))
  said <- .ws_with_study(study, dir, function(file) .ws_call(ws$program, c("study", verb, file, ...), scratch = dir))
  digest <- .ws_parse(said$out)$study_digest
  assign(.ws_json(study), digest, envir = ws$digests)
  digest
}

# Calls f with a file of the study in a folder; a path of one that a person wrote is as good.
.ws_with_study <- function(study, dir, f) {
  if (is.character(study)) return(f(study))
  file <- file.path(dir, "study.json")
  .ws_write(.ws_json(study), file)
  f(file)
}

.ws_json <- function(study) enc2utf8(as.character(jsonlite::toJSON(.ws_exact(unclass(study)), auto_unbox = TRUE, pretty = TRUE, json_verbatim = TRUE)))

# Puts the digits of every number in place, since 0.95 is not to become 0.94999999999999996.
.ws_exact <- function(x) {
  if (is.list(x)) return(lapply(x, .ws_exact))
  if (!is.numeric(x)) return(x)
  text <- .ws_digits(unclass(x))
  structure(if (inherits(x, "AsIs")) paste0("[", paste(text, collapse = ", "), "]") else text, class = "json")
}

.ws_parse <- function(text) jsonlite::fromJSON(text, simplifyVector = FALSE)

.ws_folder <- function() {
  dir <- tempfile("wellspring-")
  dir.create(dir, mode = "0700")
  dir
}

.ws_write <- function(lines, path) {
  con <- file(path, "wb")
  on.exit(close(con))
  writeLines(lines, con, useBytes = TRUE)
}

.ws_read <- function(path) if (file.exists(path)) readLines(path, warn = FALSE, encoding = "UTF-8") else character()

# Runs the program and gives its answer. It runs in the background, where Ctrl-C
# does not reach it, and is watched: so R stays the one that is interrupted, in a
# terminal as in an editor, and tells the program to stop. Errors name files in
# scratch as if that were the present folder: nobody knows it.
.ws_call <- function(program, args, timeout = Inf, progress = FALSE, scratch = NULL) {
  dir <- .ws_folder()
  file <- function(name) file.path(dir, name)
  over <- FALSE
  on.exit({
    if (!over) .ws_halt(file)
    unlink(dir, recursive = TRUE)
  })
  .ws_write(c(paste(c(.ws_quote(program), .ws_quote(c(args, "--json", "--lang", .ws_lang())), "</dev/null",
                      ">", .ws_quote(file("out")), "2>", .ws_quote(file("err")), "&"), collapse = " "),
              paste("echo $! >", .ws_quote(file("pid"))),
              paste("wait $!; echo $? >", .ws_quote(file("code")))), file("call.sh"))
  system(paste(".", .ws_quote(file("call.sh")), ">/dev/null 2>&1"), wait = FALSE) # no process but the program's
  began <- proc.time()[["elapsed"]]
  told <- ""
  while (!.ws_over(file)) {
    spent <- proc.time()[["elapsed"]] - began
    if (spent > timeout) {
      .ws_fail("stopped", .ws_text("no answer within the time given; the run is being stopped", "未能在给定时间内得到结果，正在终止计算"))
    }
    if (progress) told <- .ws_tell(.ws_read(file("err")), told)
    Sys.sleep(if (spent < 1) 0.003 else 0.05)
  }
  over <- TRUE
  if (nzchar(told)) cat("\r", strrep(" ", nchar(told, "width")), "\r", sep = "", file = stderr())
  err <- .ws_read(file("err"))
  if (!is.null(scratch)) err <- gsub(paste0(scratch, "/"), "", err, fixed = TRUE)
  .ws_ended(as.integer(.ws_read(file("code"))), .ws_read(file("out")), err)
}

# shQuote, for texts that the session's locale may lack.
.ws_quote <- function(s) paste0("'", gsub("'", "'\\''", enc2utf8(as.character(s)), fixed = TRUE, useBytes = TRUE), "'")

# The program has ended once its exit code is written, and not only its file made.
.ws_over <- function(file) isTRUE(file.size(file("code")) > 0)

# Asks the program to end, which tells all sites of a run that it ends; at last makes it end.
.ws_halt <- function(file) {
  asked <- FALSE
  for (i in 1:600) {
    pid <- suppressWarnings(as.integer(.ws_read(file("pid"))))
    if (!asked && length(pid) == 1) asked <- tools::pskill(pid, tools::SIGTERM)
    if (.ws_over(file)) return(invisible())
    Sys.sleep(0.025)
  }
  if (length(pid) == 1) tools::pskill(pid, tools::SIGKILL)
}

.ws_tell <- function(err, told) {
  last <- grep("^\\{\"progress\":", err, value = TRUE)
  if (length(last) == 0) return(told)
  p <- .ws_parse(last[length(last)])$progress
  text <- .ws_text(sprintf("round %d, %d of %d sites have answered", p$round, p$answered, p$sites),
                   sprintf("第 %d 轮，%d/%d 个站点已回答", p$round, p$answered, p$sites))
  if (text != told) cat("\r", text, strrep(" ", max(0, nchar(told, "width") - nchar(text, "width"))), sep = "", file = stderr())
  text
}

.ws_ended <- function(code, out, err) {
  event <- function(name) {
    line <- grep(paste0("^\\{\"", name, "\":"), err, value = TRUE)
    if (length(line) > 0) .ws_parse(line[length(line)])[[name]]
  }
  if (code == 0) return(list(out = paste(out, collapse = "\n"), receipt = event("receipt"), computed = event("computed")))
  failure <- event("error")
  if (is.null(failure)) .ws_fail("other", paste(c(.ws_text("the program ended without a word", "程序未作说明即结束"), utils::tail(err, 1)), collapse = ": "))
  .ws_fail(failure$kind, .ws_text_of(failure$message), if (!is.null(failure$hint)) .ws_text_of(failure$hint))
}

# --- broom's generics ----------------------------------------------------------

# tidy and glance are those of package generics where that is installed, as broom
# needs it, so that they go on for every other model; of our own otherwise.
if (requireNamespace("generics", quietly = TRUE)) {
  tidy <- generics::tidy
  glance <- generics::glance
} else {
  tidy <- function(x, ...) UseMethod("tidy")
  glance <- function(x, ...) UseMethod("glance")
}

# Methods are registered, and so found wherever this file is sourced to.
local({
  methods <- list(wellspring_result = c("tidy", "glance", "print", "summary", "as.data.frame"),
                  wellspring_results = c("tidy", "glance", "print"), wellspring_study = "print", wellspring_error = "conditionMessage")
  for (class in names(methods)) for (generic in methods[[class]]) {
    registerS3method(generic, class, get(paste0(generic, ".", class)), envir = environment(get(generic)))
  }
})
