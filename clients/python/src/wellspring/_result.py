"""What is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from ._errors import Text, WellspringError, invalid

#: one value of a row; None where R would have NA
Value = Union[float, str, bool, None]
# Any is for the reader of a row, who knows what stands there: row["estimate"] * 2.
Row = dict[str, Any]


@dataclass(frozen=True)
class Suppressed:
    """What is left out, and why, without a number; `code` is for programs."""

    what: str
    code: str
    why: Text


@dataclass(frozen=True)
class Result:
    """The answer to a study, or to one analysis of several.

    Of several, `results` holds each by its id, and the tables of the whole have a
    row's id as their first column.

    >>> from wellspring import Analysis, Study, simulate
    >>> counts = {("f", 0): 7, ("f", 1): 5, ("m", 0): 4, ("m", 1): 9}
    >>> table = [{"sex": sex, "ill": ill} for (sex, ill), n in counts.items() for _ in range(n)]
    >>> study = Study("sex", dataset="rows", analysis={"test": Analysis("chisq", rows="sex", columns="ill")})
    >>> fit = simulate(study, {"a": table[::2], "b": table[1::2]}, public=True)
    >>> fit["test"].method, fit["test"].tidy()[0]["parameter"]
    ('chisq', 1)
    >>> fit.glance()
    [{'id': 'test', 'nobs': 25, 'missing': 0}]
    """

    study: str
    study_digest: str
    sites: tuple[str, ...]
    rounds: int
    #: of one analysis; empty for several
    method: str = ""
    notes: tuple[Text, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    results: Mapping[str, Result] = field(default_factory=dict)
    #: on a network: the run, the salt of its commitments on the ledger, and each site's version of the dataset
    run: str | None = None
    salt: str | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    _rows: Sequence[Row] = field(default=(), repr=False)
    _summary: Sequence[Row] = field(default=(), repr=False)
    _glance: Sequence[Row] = field(default=(), repr=False)
    _audit: Sequence[Row] = field(default=(), repr=False)

    def tidy(self) -> list[Row]:
        """Give a row a coefficient, curve step, cell or statistic; of a log-rank test, a row a group."""
        return self._table(lambda r: r._summary if r.method == "logrank" else r._rows)

    def summary(self) -> list[Row]:
        """Give the records by group that some methods have: medians of curves, bars of histograms."""
        return self._table(lambda r: r._summary)

    def glance(self) -> list[Row]:
        """Give the analysis as a whole, in one row."""
        return self._table(lambda r: r._glance)

    def audit(self) -> list[Row]:
        """Give, of each hidden cell of a cross-tabulation, what can be inferred from what is shown."""
        return self._table(lambda r: r._audit)

    def to_pandas(self, table: str = "tidy") -> Any:  # noqa: ANN401 - pandas is optional
        """Give ``tidy``, ``summary``, ``glance`` or ``audit`` as a pandas.DataFrame."""
        if table not in ("tidy", "summary", "glance", "audit"):
            raise invalid(
                f"a result has no table {table!r}: tidy, summary, glance or audit",
                f"结果没有表 {table!r}：应为 tidy、summary、glance 或 audit",
            )
        import pandas  # noqa: PLC0415 - only who asks for it needs it

        rows: list[Row] = getattr(self, table)()
        return pandas.DataFrame.from_records(rows)

    def __getitem__(self, id: str) -> Result:
        return self.results[id]

    def _table(self, of: Any) -> list[Row]:  # noqa: ANN401
        if not self.results:
            return [dict(row) for row in of(self)]
        return [{"id": name, **row} for name, part in self.results.items() for row in of(part)]


def read_result(text: str, receipt: Mapping[str, Any], computed: Mapping[str, Any]) -> Result:
    """Read what the program printed, and the events of a run."""
    try:
        answer = json.loads(text)
        common: dict[str, Any] = {
            "study": str(answer["study"]),
            "study_digest": str(answer["study_digest"]),
            "sites": tuple(answer["sites"] or ()),
            "rounds": int(answer["rounds"]),
            "run": receipt.get("run"),
            "salt": receipt.get("salt"),
            "versions": dict(computed.get("versions", {})),
        }
        if "results" not in answer:
            return _part(answer, common)
        return Result(**common, results={part["id"]: _part(part, common) for part in answer["results"]})
    except (KeyError, TypeError, ValueError) as error:
        raise WellspringError("other", Text("the program's answer cannot be read", "无法读取程序给出的结果")) from error


def _part(answer: dict[str, Any], common: dict[str, Any]) -> Result:
    return Result(
        **common,
        method=answer["method"],
        notes=tuple(Text(**note) for note in answer["notes"]),
        suppressed=tuple(Suppressed(s["what"], s["code"], Text(**s["why"])) for s in answer["suppressed"]),
        _rows=answer["tidy"],
        _summary=answer.get("summary", ()),
        _glance=[answer["glance"]],
        _audit=answer.get("audit", ()),
    )
