"""Asking a network, and rehearsing."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Literal, Union

from ._errors import invalid
from ._program import Call, Progress, Run, find_program
from ._result import Result
from ._study import Study
from ._tables import Table, place, with_levels

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Decision:
    """A custodian's standing verdict on a study."""

    site: str
    version: int
    release: str
    verdict: str


@dataclass(frozen=True)
class PastRun:
    """A run of a study, under way or over."""

    run: str
    epoch: int
    conductor: str
    sites: tuple[str, ...]
    versions: tuple[int, ...]
    """Of the dataset, at each of the sites."""
    closed: bool
    outcome: str = ""


@dataclass(frozen=True)
class StudyState:
    """What a node knows of a study."""

    name: str
    study_digest: str
    requester: str
    dataset: str
    purposes: tuple[str, ...]
    decisions: tuple[Decision, ...]
    runs: tuple[PastRun, ...]


class Client:
    """A running node of a network, spoken to by the socket in its folder.

    `key` is the file of the requester's key; the node never sees it. Every
    method raises `WellspringError`.

    >>> from wellspring import Analysis, Client, Study
    >>> study = Study("doctest", dataset="bmt", purpose="DUO:0000042",
    ...               analysis=Analysis("glm", family="binomial", formula="d2 ~ z8 + z1"))
    >>> client = Client(dir="hub", key="me.key")
    >>> digest = client.submit(study)
    >>> fit = client.run(study)
    >>> [row["term"] for row in fit.tidy()]
    ['(Intercept)', 'z8', 'z1']
    >>> client.show(study).runs[0].outcome
    'ok'
    """

    def __init__(self, dir: PathLike, key: PathLike | None = None, program: str | None = None) -> None:
        self.dir = os.fspath(dir)
        self.key = None if key is None else os.fspath(key)
        self._program = find_program(program)
        self._digests: dict[str, str] = {}

    def submit(self, study: Study | os.PathLike[str]) -> str:
        """Register a study, or the study file of that path, and give its digest; once more does no harm."""
        where = ["--key", self._key(), "--dir", self.dir]
        if isinstance(study, Study):
            digest = str(json.loads(self._with_file(study, "submit", *where))["study_digest"])
            self._digests[study.to_json()] = digest
            return digest
        said = Call(self._program, ["study", "submit", os.fspath(study), *where]).answer()
        return str(json.loads(said)["study_digest"])

    def start(
        self,
        study: Study | str,
        *,
        sites: Sequence[str] | None = None,
        few_institutions: bool = False,
        timeout: float | None = None,
    ) -> Run:
        """Have the node conduct a study, or one of that name or digest; see `Run`.

        Where `sites` is not given all that have the dataset take part. After
        `timeout` seconds the run is stopped.
        """
        args = ["study", "run", self._name(study), "--key", self._key(), "--dir", self.dir]
        if sites is not None:
            args += ["--sites", ",".join(sites)]
        if few_institutions:
            args.append("--few-institutions")
        return Run(Call(self._program, args, timeout))

    def run(
        self,
        study: Study | str,
        *,
        sites: Sequence[str] | None = None,
        few_institutions: bool = False,
        timeout: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Result:
        """Have the node conduct a study and wait for the answer; see `start`."""
        return _finish(self.start(study, sites=sites, few_institutions=few_institutions, timeout=timeout), on_progress)

    def result(self, study: Study | str) -> Result:
        """Give the kept answer of a study, or of the run of that id, once more."""
        return _finish(Run(Call(self._program, ["study", "result", self._name(study), "--dir", self.dir])), None)

    def show(self, study: Study | str) -> StudyState:
        """Say what the node knows of a study: decisions and runs."""
        shown = json.loads(Call(self._program, ["study", "show", self._name(study), "--dir", self.dir]).answer())
        return StudyState(
            name=shown.get("name", ""),
            study_digest="sha256:" + shown["study"],
            requester=shown["requester"],
            dataset=shown["dataset"],
            purposes=tuple(shown["purposes"] or ()),
            decisions=tuple(
                Decision(d["site"], d["version"], d["release"], d["verdict"]) for d in shown["decisions"] or ()
            ),
            runs=tuple(
                PastRun(
                    run=r["run"],
                    epoch=r["epoch"],
                    conductor=r["conductor"],
                    sites=tuple(r["sites"]),
                    versions=tuple(r["versions"]),
                    closed=r["closed"],
                    outcome=r.get("outcome", ""),
                )
                for r in shown["runs"] or ()
            ),
        )

    def stop(self, study: Study | str) -> None:
        """Stop the run of a study that the node conducts."""
        Call(self._program, ["study", "stop", self._name(study), "--dir", self.dir]).answer()

    def _key(self) -> str:
        if self.key is None:
            raise invalid(
                'this takes the requester\'s key: Client(dir, key="me.key")',
                '此操作需要请求者的密钥：Client(dir, key="me.key")',
            )
        return self.key

    def _name(self, study: Study | str) -> str:
        """Say how the ledger names a study: as a person does, or by its digest."""
        if isinstance(study, str):
            return study
        text = study.to_json()
        if text not in self._digests:
            self._digests[text] = str(json.loads(self._with_file(study, "check"))["study_digest"])
        return self._digests[text]

    def _with_file(self, study: Study, verb: Literal["check", "submit"], *args: str) -> str:
        with tempfile.TemporaryDirectory(prefix="wellspring-") as scratch:
            return Call(self._program, ["study", verb, _write_study(study, scratch), *args], scratch=scratch).answer()


def simulate(
    study: Study | os.PathLike[str],
    sites: Mapping[str, Table],
    *,
    public: bool = False,
    policy: PathLike | None = None,
    dictionary: PathLike | None = None,
    institutions: Mapping[str, Sequence[str]] | None = None,
    conductor: str | None = None,
    pooled: bool = False,
    na: Sequence[str] = (),
    timeout: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    program: str | None = None,
) -> Result:
    """Play a study, or the study file of that path, with all its parties on this machine.

    Each site is the path of a CSV or Parquet file, records, or a
    pandas.DataFrame, whose categories keep their order. Copies of the latter two
    lie in a temporary folder of your own until the answer is there. Without
    `public`, which says that anyone may read the rows, the default limits hold.
    `na` are more texts that mean missing.

    >>> from wellspring import Analysis, Study, simulate
    >>> study = Study("age", dataset="rows", analysis=Analysis("describe", variables=["age"]))
    >>> decades = {"north": 2, "south": 3, "west": 4}
    >>> wards = {ward: [{"age": 10 * n + i % 10} for i in range(40)] for ward, n in decades.items()}
    >>> simulate(study, wards).tidy()
    [{'variable': 'age', 'n': 120, 'missing': 0, 'mean': 34.5, 'sd': 8.69173276668093}]
    """
    found = find_program(program)
    with tempfile.TemporaryDirectory(prefix="wellspring-") as scratch:
        args = ["simulate", "--study", _write_study(study, scratch) if isinstance(study, Study) else os.fspath(study)]
        levels: dict[str, list[str]] = {}
        paths = []
        for i, (site, table) in enumerate(sites.items()):
            name = site if re.fullmatch(r"[\w-]+", site) else f"site-{i + 1}"
            path, own = place(table, Path(scratch, name + ".csv"))
            paths.append(path)
            args += ["--site", f"{site}={path}"]
            for column, some in own.items():
                levels[column] = list(dict.fromkeys(levels.get(column, []) + some))
        flags = ["--public"] if public else []
        if levels and dictionary is None:
            drafted = Call(found, ["study", "dictionary", *flags, *paths], scratch=scratch).answer()
            dictionary = with_levels(drafted, levels, Path(scratch, "dictionary.json"))
        for flag, value in (("--policy", policy), ("--dictionary", dictionary), ("--conductor", conductor)):
            if value is not None:
                args += [flag, os.fspath(value)]
        for institution, members in (institutions or {}).items():
            args += ["--institution", f"{institution}={','.join(members)}"]
        if pooled:
            args.append("--pooled")
        if na:
            args += ["--na", ",".join(na)]
        return _finish(Run(Call(found, args + flags, timeout, scratch)), on_progress)


def _write_study(study: Study, scratch: str) -> str:
    path = Path(scratch, "study.json")
    path.write_text(study.to_json(), encoding="utf-8")
    return str(path)


def _finish(run: Run, on_progress: Callable[[Progress], object] | None) -> Result:
    with run:
        for progress in run:
            if on_progress is not None:
                on_progress(progress)
        return run.result()
