"""Rehearsals, and what needs no network."""

from __future__ import annotations

import doctest
import json
import math
import os
import pickle
import subprocess
import tempfile
import types
import unittest
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints
from unittest import mock

import pandas

import wellspring
import wellspring._client
import wellspring._errors
import wellspring._program
import wellspring._result
import wellspring._study
from wellspring import Analysis, Progress, Study, Text, WellspringError, WellspringTimeout, simulate

DOCUMENTED = (wellspring, wellspring._errors, wellspring._result, wellspring._study)


def load_tests(_loader: unittest.TestLoader, tests: unittest.TestSuite, _pattern: str | None) -> unittest.TestSuite:
    """Add the examples of the documentation, but for those that want a network."""
    for module in DOCUMENTED:
        tests.addTests(doctest.DocTestSuite(module))
    finder = doctest.DocTestFinder(recurse=False)
    for thing, module in ((wellspring.simulate, wellspring._client), (wellspring.Progress, wellspring._program)):
        for example in finder.find(thing, globs={}, module=module):
            tests.addTest(doctest.DocTestCase(example))
    return tests


# Three groups in an order that no alphabet gives, numbers that 15 digits do not hold, and gaps.
LEVELS = ["男性", "unknown", 'a "b", c']
FRAME = pandas.DataFrame(
    {
        "组 别": pandas.Categorical([LEVELS[i % 3] for i in range(60)], LEVELS),
        "y": [None if i == 7 else (i * i % 17) / 3 for i in range(60)],
        "treated": [i % 4 == 0 for i in range(60)],
        "dose": [100000.0 * (i % 3) for i in range(60)],
        "count": pandas.array([pandas.NA if i == 9 else i for i in range(60)], "Int64"),
    }
)
SITES = {"甲院": FRAME[:20], "north": FRAME[20:45], "south": FRAME[45:]}


def one(formula: str, **given: Any) -> Study:
    """Make a study of a linear model."""
    return Study("数据框", dataset="rows", analysis=Analysis("glm", formula=formula, **given))


class Simulate(unittest.TestCase):
    def refused(self, kind: str, says: str, *args: Any, **given: Any) -> WellspringError:
        """Want a refusal of a kind, of whose text something is known."""
        with self.assertRaises(WellspringError) as caught:
            simulate(*args, **given)
        self.assertEqual(caught.exception.kind, kind)
        self.assertRegex(str(caught.exception), says)
        return caught.exception

    def test_frames(self) -> None:
        """A frame's categories keep their order; the model's coefficients are differences of means."""
        fit = simulate(one("y ~ `组 别`"), SITES, public=True)
        means = FRAME.groupby("组 别", observed=True)["y"].mean()
        want = [means[LEVELS[0]], means[LEVELS[1]] - means[LEVELS[0]], means[LEVELS[2]] - means[LEVELS[0]]]
        self.assertEqual([row["term"] for row in fit.tidy()], ["(Intercept)", "`组 别`unknown", '`组 别`a "b", c'])
        for row, value in zip(fit.tidy(), want):
            self.assertAlmostEqual(row["estimate"], value, delta=1e-10)
        self.assertEqual(fit.glance()[0]["nobs"], 59)
        self.assertEqual(fit.study, "数据框")
        self.assertEqual(fit.sites, ("north", "south", "甲院"))

    def test_columns(self) -> None:
        """Truth values are factors, as in R; numbers and gaps come through as they are."""
        terms = [row["term"] for row in simulate(one("y ~ treated + dose"), SITES, public=True).tidy()]
        self.assertEqual(terms, ["(Intercept)", "treatedTRUE", "dose"])
        study = Study("means", "rows", Analysis("describe", variables=["y", "dose", "count"]))
        for row in simulate(study, SITES, public=True).tidy():
            column = FRAME[row["variable"]]
            self.assertEqual(row["n"], column.count())
            self.assertAlmostEqual(row["mean"], column.mean(), delta=1e-12 * abs(column.mean()))

    def test_pandas(self) -> None:
        """A frame of the answer has its rows, with NaN where there is no value."""
        analyses = {"m": Analysis("glm", formula="y ~ dose"), "q": Analysis("quantile", variables=["y"], by="组 别")}
        fit = simulate(Study("t", "rows", analyses), SITES, public=True)
        tidy = fit.to_pandas()
        self.assertEqual(list(tidy.columns[:2]), ["id", "term"])
        self.assertEqual(len(tidy), 2 + 9)
        self.assertTrue(tidy["estimate"].isna().sum() == 9 and tidy["estimate"].dtype == float)
        self.assertEqual(fit["m"].to_pandas("glance")["nobs"][0], 59)
        with self.assertRaises(WellspringError):
            fit.to_pandas("results")

    def test_records_and_files(self) -> None:
        """Records, frames and files of the same rows give the same answer, to the last bit."""
        records = {site: frame.to_dict("records") for site, frame in SITES.items()}
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for i, (site, frame) in enumerate(SITES.items()):
                files[site] = Path(folder, f"{i}.csv")
                frame.to_csv(files[site], index=False)
            study = Path(folder, "study.json")
            study.write_text(one("y ~ dose + count", conf_level=0.9).to_json(), encoding="utf-8")
            answers = [
                simulate(one("y ~ dose + count", conf_level=0.9), tables, public=True)
                for tables in (SITES, records, files)
            ]
            answers.append(simulate(study, files, public=True))
        for answer in answers[1:]:
            self.assertEqual(answer, answers[0])
        pooled = simulate(one("y ~ dose + count", conf_level=0.9), records, public=True, pooled=True)
        for a, b in zip(pooled.tidy(), answers[0].tidy()):
            self.assertTrue(math.isclose(a["estimate"], b["estimate"], rel_tol=1e-9))

    def test_limits(self) -> None:
        """Without public the default limits hold, and institutions count once."""
        table = Study("t", "rows", Analysis("crosstab", rows="组 别", columns="treated"))
        hidden = simulate(table, SITES)
        self.assertTrue(hidden.suppressed and hidden.suppressed[0].why.zh)
        shown = [row for row in hidden.tidy() if row["n"] is not None]
        self.assertEqual(len(hidden.audit()), len(hidden.tidy()) - len(shown))
        self.assertTrue(all(0 <= row["low"] <= row["high"] for row in hidden.audit()))
        self.refused("denied", "--public", table, SITES, institutions={"one": ["north", "south"]})
        self.refused("denied", "institutions", table, SITES, conductor="north")

    def test_progress(self) -> None:
        """Every round is told, and nothing is left behind."""
        told: list[Progress] = []
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, TMPDIR=folder):
            with mock.patch("tempfile.tempdir", folder):
                simulate(one("y ~ dose"), SITES, public=True, on_progress=told.append)
            self.assertEqual(list(Path(folder).iterdir()), [])
        self.assertEqual({p.sites for p in told}, {3})
        self.assertEqual(max(p.answered for p in told), 3)
        self.assertEqual(sorted({p.round for p in told}), list(range(max(p.round for p in told) + 1)))

    def test_refused(self) -> None:
        """Errors say what, where and what to do, in both languages."""
        error = self.refused("invalid", "formula: study.json:", one("y ~ (dose"), SITES, public=True)
        self.assertRegex(error.at, r"^study\.json:[0-9]+:[0-9]+$")
        self.assertNotEqual(error.message.en, error.message.zh)
        with mock.patch.dict(os.environ, LANGUAGE="zh_CN"):
            self.refused("invalid", "公式", one("y ~ (dose"), SITES, public=True)
            self.refused("invalid", "无穷", one("y ~ x"), {"a": [{"x": math.inf}]})
            self.refused("invalid", "找不到", one("y ~ x"), SITES, program="no-such-program")
        self.refused("invalid", "none", one("y ~ none"), SITES, public=True)
        self.refused("invalid", "none.csv", one("y ~ dose"), {"a": "none.csv", "b": SITES["north"]}, public=True)
        self.refused("invalid", "cannot be written", one("y ~ dose", conf_level=math.nan), SITES)
        with self.assertRaises(WellspringTimeout) as caught:
            simulate(one("y ~ dose"), SITES, public=True, timeout=0.01)
        self.assertIsInstance(caught.exception, TimeoutError)
        self.assertEqual(caught.exception.kind, "stopped")
        with self.assertRaises(WellspringError) as unreachable:
            wellspring.Client(dir=".").show("t")
        self.assertEqual(unreachable.exception.kind, "unreachable")
        with self.assertRaises(WellspringError) as keyless:
            wellspring.Client(dir=".").submit(one("y ~ x"))
        self.assertIn("me.key", str(keyless.exception))

    def test_another_program(self) -> None:
        """A program that is not Wellspring is told as such."""
        for program, says in (("true", "cannot be read"), ("false", "without a word")):
            self.refused("other", says, one("y ~ x"), {"a": "a.csv"}, program=program)

    def test_pickle(self) -> None:
        """Errors and answers pass between processes."""
        error = pickle.loads(pickle.dumps(WellspringError("denied", Text("a", "b"), Text("c", "d"), "x:1")))
        self.assertEqual((error.kind, error.message.zh, error.hint.en, error.at), ("denied", "b", "c", "x:1"))
        self.assertEqual(pickle.loads(pickle.dumps(WellspringTimeout())).kind, "stopped")
        fit = simulate(one("y ~ dose"), SITES, public=True)
        self.assertEqual(pickle.loads(pickle.dumps(fit)), fit)

    def test_schema(self) -> None:
        """The fields of an analysis, and what they may be, are those of study files."""
        schema = json.loads(
            subprocess.run(["wellspring", "study", "schema"], check=True, stdout=subprocess.PIPE).stdout
        )
        methods = schema["$defs"]["analysis"]["properties"]["method"]["enum"]
        hints = get_type_hints(Analysis)
        self.assertEqual(list(get_args(hints["method"])), methods)
        known: dict[str, Any] = {}
        for method in methods:
            known.update(schema["$defs"][method]["properties"])
        self.assertEqual({field.name for field in fields(Analysis)}, set(known) - {"id"})
        for name, shape in known.items():
            if "enum" in shape:
                self.assertEqual(set(get_args(get_args(hints[name])[0])), set(shape["enum"]), name)

    def test_public_names(self) -> None:
        """What is exported exists, and is documented."""
        for name in wellspring.__all__:
            thing = getattr(wellspring, name)
            if isinstance(thing, (type, types.FunctionType)) and name not in ("Row",):
                self.assertTrue(thing.__doc__, name)


if __name__ == "__main__":
    unittest.main()
