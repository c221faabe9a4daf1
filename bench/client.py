# python3 client.py FORMULA: times five runs of the study that proof client asks.
import json
import sys
import time

from wellspring import Analysis, Client, Study

analysis = Analysis("glm", family="binomial", formula=sys.argv[1])
study = Study("cnsim", dataset="rows", purpose="DUO:0000037", analysis=analysis)
client = Client(dir=".", key="me.key")
client.submit(study)  # the ledger has it, and the hospitals have approved it
took = []
for _ in range(5):
    began = time.perf_counter()
    fit = client.run(study)
    took.append(time.perf_counter() - began)
    assert fit.tidy()[0]["term"] == "(Intercept)"
print(json.dumps(took))
