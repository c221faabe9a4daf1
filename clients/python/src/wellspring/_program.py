"""The program, as a process that is watched."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any

from ._errors import Text, WellspringError, WellspringTimeout, invalid, language
from ._result import Result, read_result

# How long a run may take to tell all its sites that it ends, in seconds.
STOP_TIME = 15.0


def find_program(program: str | None) -> str:
    """Find the program: as given, by WELLSPRING, or on PATH."""
    found = shutil.which(program or os.environ.get("WELLSPRING") or "wellspring")
    if found is None:
        raise invalid(
            "the program wellspring is not found",
            "找不到程序 wellspring",
            Text(
                "set the environment variable WELLSPRING to its path, or put its folder on PATH",
                "请将环境变量 WELLSPRING 设为其路径，或将其所在文件夹加入 PATH",
            ),
        )
    return found


@dataclass(frozen=True)
class Progress:
    """How far a run is: of so many sites, how many have answered in a round.

    >>> from wellspring import Progress
    >>> Progress(round=2, answered=3, sites=4).answered
    3
    """

    round: int
    answered: int
    sites: int
    run: str | None = None
    epoch: int = 0


class Call:
    """A process of the program; its answer is one line on stdout, its events are lines on stderr.

    It is a session of its own: Ctrl-C reaches this interpreter alone, which then
    tells the process to stop, in a terminal as in a notebook.
    """

    def __init__(
        self, program: str, args: Sequence[str], timeout: float | None = None, scratch: str | None = None
    ) -> None:
        # Errors name files in this folder as if it were the present one: nobody knows the folder.
        self._scratch = None if scratch is None else scratch + os.sep
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._said: list[str] = []
        self._out = b""
        self._ended = False
        self._last: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [program, *args, "--json", "--lang", language()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None and self._process.stderr is not None  # noqa: S101 - for the type
        self._readers = [
            threading.Thread(target=self._read_answer, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_events, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_answer(self, out: IO[bytes]) -> None:
        with out:
            self._out = out.read()

    def _read_events(self, err: IO[bytes]) -> None:
        with err:
            for line in err:
                text = line.decode("utf-8", "replace").rstrip("\n")
                try:
                    event = json.loads(text) if text.startswith("{") else None
                except ValueError:
                    event = None
                if isinstance(event, dict):
                    self._events.put(event)
                else:
                    self._said.append(text)
        self._events.put(None)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield events until the process ends, or until time is up."""
        while True:
            event = self._next()
            if event is None:
                self._ended = True
                self._events.put(None)  # for whoever asks again
                return
            self._last.update(event)
            yield event

    def _next(self) -> dict[str, Any] | None:
        left = None if self._deadline is None else max(self._deadline - time.monotonic(), 0)
        try:
            return self._events.get(timeout=left)
        except queue.Empty:
            self.stop()
            raise WellspringTimeout from None
        except BaseException:  # Ctrl-C
            self.stop()
            raise

    def answer(self) -> str:
        """Wait for the end and give what stands on stdout."""
        for _ in self.events():
            pass
        for reader in self._readers:
            reader.join()
        if self._process.wait() == 0:
            return self._out.decode("utf-8")
        failure = self._last.get("error")
        if failure is None:
            said = self._said[-1] if self._said else ""
            raise WellspringError(
                "other", Text(f"the program ended without a word: {said}", f"程序未作说明即结束：{said}")
            )
        hint = failure.get("hint")
        raise WellspringError(
            failure["kind"],
            self._plain(failure["message"]),
            None if hint is None else self._plain(hint),
            self._plain({"en": failure.get("at", ""), "zh": ""}).en,
        )

    def _plain(self, texts: dict[str, str]) -> Text:
        return Text(*(texts[of].replace(self._scratch, "") if self._scratch else texts[of] for of in ("en", "zh")))

    def told(self, event: str) -> dict[str, Any]:
        """Give the last event of a kind, once the answer is there."""
        return dict(self._last.get(event, {}))

    def stop(self) -> None:
        """End the process, which ends its run; does nothing once it has said its last word."""
        if self._ended:
            self._process.wait()
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIME)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Run:
    """A run under way: iterate over its progress, then take its result.

    Leaving its ``with`` block before the end stops the run for everybody, and so
    does Ctrl-C.

    >>> from wellspring import Analysis, Client, Study
    >>> client = Client(dir="hub", key="me.key")
    >>> with client.start("doctest") as run:
    ...     rounds = {progress.round for progress in run}
    >>> len(rounds) > 3, run.result().study
    (True, 'doctest')
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def __iter__(self) -> Iterator[Progress]:
        for event in self._call.events():
            if "progress" in event:
                p = event["progress"]
                yield Progress(p["round"], p["answered"], p["sites"], p.get("run"), p.get("epoch", 0))

    def result(self) -> Result:
        """Wait for the answer."""
        return read_result(self._call.answer(), self._call.told("receipt"), self._call.told("computed"))

    def stop(self) -> None:
        """End the run for everybody."""
        self._call.stop()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call.stop()
