"""Ask a network of hospitals one question, exactly and masked, or rehearse it here.

Start from `Study` and `simulate`, which needs nothing but files or tables, then
from `Client`, which speaks to a running node of a network. Answers are a
`Result`, whose rows have the names of result files, which are those of R's broom
(``std_error`` for ``std.error``).

>>> from wellspring import Analysis, Study, simulate
>>> rows = [{"y": 2.0 * x + (x % 3), "x": x} for x in range(12)]
>>> study = Study("line", dataset="rows", analysis=Analysis("glm", formula="y ~ x"))
>>> fit = simulate(study, {"north": rows[:6], "south": rows[6:]}, public=True)
>>> [(row["term"], round(row["estimate"], 6)) for row in fit.tidy()]
[('(Intercept)', 0.692308), ('x', 2.055944)]

The program ``wellspring`` does the work: it is named by an argument, by the
environment variable ``WELLSPRING``, or found on ``PATH``.
"""

from ._client import Client, Decision, PastRun, StudyState, simulate
from ._errors import Kind, Text, WellspringError, WellspringTimeout
from ._program import Progress, Run
from ._result import Result, Row, Suppressed, Value
from ._study import Analysis, Study

__all__ = [
    "Analysis",
    "Client",
    "Decision",
    "Kind",
    "PastRun",
    "Progress",
    "Result",
    "Row",
    "Run",
    "Study",
    "StudyState",
    "Suppressed",
    "Text",
    "Value",
    "WellspringError",
    "WellspringTimeout",
    "simulate",
]
