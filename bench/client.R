# Rscript client.R: times five runs of the study that client.py asks.
source(file.path(Sys.getenv("CLIENTS"), "r", "wellspring.R"))
ws <- wellspring(dir = ".", key = "me.key")
took <- replicate(5, {
  began <- proc.time()[["elapsed"]]
  fit <- ws_run(ws, "cnsim")
  stopifnot(tidy(fit)$term[1] == "(Intercept)")
  proc.time()[["elapsed"]] - began
})
cat(jsonlite::toJSON(took, digits = NA))
