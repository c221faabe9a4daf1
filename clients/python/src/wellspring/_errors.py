"""Errors, and texts in both languages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Kind = Literal["other", "invalid", "denied", "withheld", "unreachable", "diverged", "stopped"]


def language() -> Literal["en", "zh"]:
    """Give the session's language, as gettext has it."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].startswith("zh") else "en"
    return "en"


@dataclass(frozen=True)
class Text:
    """What a person reads, in English and Chinese; `str` gives that of the session.

    >>> Text("stopped", "已停止").zh
    '已停止'
    """

    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if language() == "zh" else self.en


class WellspringError(Exception):
    """A failure: its kind, what went wrong, and what to do about it.

    A program branches on `kind` alone: ``invalid`` requests and ``denied`` or
    ``withheld`` answers stay so, ``unreachable`` ones may be tried again, after
    ``diverged`` a person must look, and ``stopped`` means that somebody stopped it.

    >>> error = WellspringError("denied", Text("not approved", "未批准"), Text("ask them", "请联系对方"))
    >>> error.kind
    'denied'
    """

    def __init__(self, kind: Kind, message: Text, hint: Text | None = None, at: str = "") -> None:
        super().__init__(kind, message, hint, at)
        self.kind: Kind = kind
        self.message = message
        self.hint = hint
        #: where in the input, as ``study.json:3:5``; empty for nowhere in particular
        self.at = at

    def __str__(self) -> str:
        return "\n  ".join(str(text) for text in (self.message, self.hint) if text is not None)


class WellspringTimeout(WellspringError, TimeoutError):  # noqa: N818 - as in TimeoutError
    """No answer came within the time given; the run was stopped for everybody."""

    def __init__(self) -> None:
        super().__init__(
            "stopped",
            Text("no answer within the time given; the run was stopped", "未能在给定时间内得到结果，计算已终止"),
        )

    def __reduce__(self) -> tuple[type[WellspringTimeout], tuple[()]]:
        return (type(self), ())


def invalid(en: str, zh: str, hint: Text | None = None) -> WellspringError:
    """Make an error of a request that this client refuses itself."""
    return WellspringError("invalid", Text(en, zh), hint)
