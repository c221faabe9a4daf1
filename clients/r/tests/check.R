# What the tests of the R client share. They run in a folder of their own, with the
# program on PATH; cmd/wellspring/testdata/script/clients.txtar says how.
source(file.path(Sys.getenv("CLIENTS"), "r", "wellspring.R"))

same <- function(got, want, what) {
  if (!identical(got, want)) stop(what, ": ", paste(deparse(got), collapse = ""), ", want ", paste(deparse(want), collapse = ""))
}

# near holds every column of want to the same one of got, in the same order, numbers to 1e-8.
near <- function(got, want, what) {
  want <- as.data.frame(want)
  same(names(got), names(want), paste(what, "columns"))
  same(nrow(got), nrow(want), paste(what, "rows"))
  for (name in names(want)) {
    a <- got[[name]]
    b <- want[[name]]
    if (!is.numeric(b)) {
      same(as.character(a), as.character(b), paste(what, name))
      next
    }
    same(is.na(a), is.na(b), paste(what, name, "NA"))
    off <- abs(a - b) > 1e-8 * abs(b) + 1e-14
    if (any(off, na.rm = TRUE)) stop(what, " ", name, ": ", a[which(off)[1]], ", want ", b[which(off)[1]])
  }
}

# refused wants an error of a kind, of whose message and hint something is known.
refused <- function(kind, says, call) {
  e <- tryCatch({ call; NULL }, wellspring_error = identity)
  if (is.null(e)) stop("not refused: ", says)
  same(e$kind, kind, says)
  if (!inherits(e, paste0("wellspring_", kind))) stop("class ", class(e)[1])
  if (!any(grepl(says, c(e$message, e$hint)))) stop("it says ", e$message, " ", e$hint, ", not ", says)
  if (!grepl(e$message, conditionMessage(e), fixed = TRUE)) stop("conditionMessage leaves the message out")
  invisible(e)
}
