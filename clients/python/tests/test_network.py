"""A running network: its folders are here, and expected.json holds what R says of the pooled table.

The script clients.txtar runs a class after the other, and has the hospitals approve between them.
"""

from __future__ import annotations

import doctest
import json
import os
import signal
import threading
import time
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import wellspring
from wellspring import Analysis, Client, Progress, Study, WellspringError, WellspringTimeout

# As tests/network.R of the R client asks it: the digests are the same.
CHINESE = Study(
    "骨髓移植",
    dataset="bmt",
    analysis=Analysis("glm", family="binomial", formula="d2 ~ z8 + z1"),
    purpose=["DUO:0000042", "DUO:0000007"],
    where="z1 >= 18",
    title="成人的复发",
)
DOCTEST = Study(
    "doctest", dataset="bmt", purpose="DUO:0000042", analysis=Analysis("glm", family="binomial", formula="d2 ~ z8 + z1")
)


class Network(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client(dir="hub", key="me.key")

    def refused(self, kind: str, says: str, call: Any, *args: Any, **given: Any) -> WellspringError:
        """Want a refusal of a kind, of whose text something is known."""
        with self.assertRaises(WellspringError) as caught:
            call(*args, **given)
        self.assertEqual(caught.exception.kind, kind)
        self.assertRegex(str(caught.exception), says)
        return caught.exception

    def near(self, got: list[dict[str, Any]], want: list[dict[str, Any]], what: str) -> None:
        """Hold every field of want, in R's names, to that of got."""
        self.assertEqual(len(got), len(want), what)
        for i, (ours, theirs) in enumerate(zip(got, want)):
            for name, value in theirs.items():
                mine = ours[name.replace(".", "_")]
                if isinstance(value, (int, float)):
                    self.assertAlmostEqual(mine, value, delta=1e-8 * abs(value) + 1e-14, msg=f"{what} {i} {name}")
                else:
                    self.assertEqual(mine, value, f"{what} {i} {name}")


class Submit(Network):
    def test_submit(self) -> None:
        self.assertRegex(self.client.submit(DOCTEST), "^sha256:[0-9a-f]{64}$")
        self.refused("denied", "has not approved", self.client.run, DOCTEST)


class Answers(Network):
    def test_numbers(self) -> None:
        """Every method's numbers are R's, by the rows of broom."""
        want = json.loads(Path("expected.json").read_text(encoding="utf-8"))
        told: list[Progress] = []
        fit = self.client.run("all-methods", on_progress=told.append, timeout=120)
        self.assertGreater(len(want), 10)
        for name, rows in want.items():
            self.near(fit[name].tidy(), rows, name)
        self.assertEqual({p.run for p in told}, {fit.run})
        self.assertEqual({row["id"] for row in fit.tidy()}, set(fit.results))
        self.assertEqual(fit.sites, ("alfred", "hahnemann", "ohio", "vincent"))

    def test_same_study(self) -> None:
        """R and Python ask the same question, and so share its digest, approvals and kept answer."""
        fit = self.client.run(CHINESE, sites=["ohio", "alfred", "vincent", "hahnemann"])
        self.assertEqual(self.client.submit(CHINESE), fit.study_digest)
        self.assertEqual(fit.versions, {"alfred": 1, "hahnemann": 1, "ohio": 1, "vincent": 1})
        self.assertEqual(self.client.result(CHINESE), fit)
        self.assertEqual(Client(dir="hub").result(fit.run or ""), fit)
        state = self.client.show("骨髓移植")
        self.assertEqual(state.study_digest, fit.study_digest)
        self.assertEqual({d.site for d in state.decisions}, set(fit.sites))
        self.assertTrue(all(run.closed and run.outcome == "ok" for run in state.runs))

    def test_iterates(self) -> None:
        """A run is iterated; leaving it early stops it."""
        with self.client.start(DOCTEST) as run:
            rounds = [progress.round for progress in run]
        self.assertEqual(rounds, sorted(rounds))
        self.assertEqual(run.result().method, "glm")
        with self.client.start(DOCTEST) as run:
            for _ in run:
                break
        self.refused("stopped", "stopped", run.result)

    def test_refused(self) -> None:
        """What policy, steward and node refuse."""
        self.refused("withheld", "too few persons", self.client.run, "few")
        self.refused("denied", "does not know this key", Client(dir="hub", key="stranger.key").submit, CHINESE)
        purposeless = Study("t", "bmt", Analysis("glm", formula="z1 ~ z2"))
        self.refused("invalid", "purpose", self.client.submit, purposeless)
        with mock.patch.dict(os.environ, LANGUAGE="zh"):
            self.refused("invalid", "用途", self.client.submit, purposeless)
        self.refused("invalid", "under way", self.client.stop, CHINESE)
        self.refused("unreachable", "start it", Client(dir=".").show, "few")

    def test_examples(self) -> None:
        """The documentation's examples run as they are written."""
        finder = doctest.DocTestFinder(recurse=False)
        runner = doctest.DocTestRunner()
        for thing in (wellspring.Client, wellspring.Run):
            for example in finder.find(thing, globs={}):
                runner.run(example)
        self.assertEqual(runner.failures, 0)
        self.assertGreater(runner.tries, 8)


class Withdrawn(Network):
    def test_withdrawn(self) -> None:
        self.refused("denied", "withdrawn", self.client.run, CHINESE)


class Stops(Network):
    """One hospital stands still: no answer comes."""

    def test_timeout(self) -> None:
        with self.assertRaises(WellspringTimeout):
            self.client.run("all-methods", timeout=1)

    def test_interrupt(self) -> None:
        """Ctrl-C ends the run for everybody."""
        began = time.monotonic()
        pressed = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
        pressed.start()
        with self.assertRaises(KeyboardInterrupt):
            self.client.run("all-methods")
        pressed.join()
        self.assertLess(time.monotonic() - began, 60)  # a conductor would wait for two minutes

    def test_stop(self) -> None:
        """Another client stops the run."""
        with self.client.start("all-methods") as run:
            next(iter(run))
            Client(dir="hub").stop("all-methods")
            self.refused("stopped", "stopped", run.result)


if __name__ == "__main__":
    unittest.main()
