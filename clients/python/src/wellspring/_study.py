"""What is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from ._errors import invalid

Method = Literal["describe", "quantile", "crosstab", "chisq", "ttest", "glm", "cox", "km", "logrank"]


@dataclass(frozen=True)
class Analysis:
    """One method with its arguments, named as in a study file.

    Which a method takes says ``wellspring study schema``; what is None has the
    method's default. Formulas are R's.

    >>> Analysis("cox", formula="Surv(t2, d3) ~ factor(group) + z8", ties="breslow").ties
    'breslow'
    """

    method: Method
    formula: str | None = None
    family: Literal["gaussian", "binomial", "poisson"] | None = None
    link: Literal["identity", "logit", "probit", "cloglog", "log"] | None = None
    weights: str | None = None
    ties: Literal["efron", "breslow"] | None = None
    rho: float | None = None
    variables: Sequence[str] | None = None
    by: str | None = None
    probs: Sequence[float] | None = None
    bins: int | None = None
    rows: str | None = None
    columns: str | None = None
    layers: str | None = None
    correct: bool | None = None
    var_equal: bool | None = None
    mu: float | None = None
    conf_level: float | None = None
    conf_type: Literal["log", "log-log", "plain", "none"] | None = None
    grid: int | None = None

    def _given(self) -> dict[str, object]:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("variables", "probs"):
            if given[name] is not None:
                given[name] = list(given[name])
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Study:
    """One question to one dataset.

    `analysis` is one `Analysis`, or several by their ids. `purpose` names terms of
    the Data Use Ontology; on a network a study states one. `where` filters rows.

    >>> study = Study("bmt-cox", dataset="bmt", analysis=Analysis("cox", formula="Surv(t2, d3) ~ z8"))
    >>> print(study.to_json())
    {
      "apiVersion": "wellspring/v1",
      "kind": "Study",
      "metadata": {
        "name": "bmt-cox"
      },
      "data": {
        "dataset": "bmt"
      },
      "analysis": {
        "method": "cox",
        "formula": "Surv(t2, d3) ~ z8"
      }
    }
    """

    name: str
    dataset: str
    analysis: Analysis | Mapping[str, Analysis]
    purpose: str | Sequence[str] = ()
    where: str | None = None
    title: str | Mapping[str, str] | None = None

    def to_json(self) -> str:
        """Give the study file."""
        metadata: dict[str, object] = {"name": self.name}
        if self.title is not None:
            title = {"en": self.title, "zh": self.title} if isinstance(self.title, str) else dict(self.title)
            metadata["title"] = title
        study: dict[str, object] = {"apiVersion": "wellspring/v1", "kind": "Study", "metadata": metadata}
        if self.purpose:
            study["purpose"] = {"duo": [self.purpose] if isinstance(self.purpose, str) else list(self.purpose)}
        data = {"dataset": self.dataset}
        if self.where is not None:
            data["where"] = self.where
        study["data"] = data
        if isinstance(self.analysis, Analysis):
            study["analysis"] = self.analysis._given()
        else:
            study["analyses"] = [{"id": name, **part._given()} for name, part in self.analysis.items()]
        try:
            return json.dumps(study, ensure_ascii=False, indent=2, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise invalid(f"the study cannot be written: {error}", f"无法写出研究：{error}") from error
