"""Tables of a rehearsal, as files that lose nothing."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Union, runtime_checkable

from ._errors import invalid


@runtime_checkable
class Frame(Protocol):
    """What is taken of a pandas.DataFrame."""

    @property
    def columns(self) -> Any:  # noqa: ANN401
        """Names of columns."""

    @property
    def dtypes(self) -> Any:  # noqa: ANN401
        """Types of columns, of which a categorical one has categories."""

    def __getitem__(self, name: Any, /) -> Any: ...  # noqa: ANN401


#: rows of a site: the path of a CSV or Parquet file, records, or a pandas.DataFrame
Table = Union[str, "os.PathLike[str]", Iterable[Mapping[str, object]], Frame]


def place(table: Table, path: Path) -> tuple[str, dict[str, list[str]]]:
    """Give the path of a table's file, which is written if need be, and the levels that it declares."""
    if isinstance(table, (str, os.PathLike)):
        return os.fspath(table), {}
    if isinstance(table, Frame):
        names = [str(name) for name in table.columns]
        columns = [list(table[name]) for name in table.columns]
        _write(path, names, zip(*columns))
        levels = {}
        for name, dtype in zip(names, table.dtypes):
            if getattr(dtype, "categories", None) is not None:
                levels[name] = [_text(level, name) for level in dtype.categories]
        return str(path), levels
    rows = list(table)
    names = list(dict.fromkeys(name for row in rows for name in row))
    _write(path, names, ([row.get(name) for name in names] for row in rows))
    return str(path), {}


def _write(path: Path, names: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(names)
        for row in rows:
            out.writerow([_text(value, name) for name, value in zip(names, row)])


def _text(value: object, name: str) -> str:
    """Write a value so that it is read back as it is; "" is missing."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if hasattr(value, "item"):  # numpy's
        value = value.item()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if math.isinf(value):
            raise invalid(f"the column {name} holds an infinite value", f"列 {name} 含有无穷值")
        if value.is_integer() and abs(value) < 1e15:  # 100000.0, and 1e+05 elsewhere, is no integer in a file
            return str(int(value))
        return repr(value)
    return str(value)


def with_levels(drafted: str, levels: Mapping[str, Sequence[str]], path: Path) -> Path:
    """Write a drafted dictionary in which some columns are factors with levels in a given order."""
    columns = json.loads(drafted)
    for i, column in enumerate(columns):
        if column["name"] in levels:
            columns[i] = {"name": column["name"], "type": "factor", "levels": list(levels[column["name"]])}
    path.write_text(json.dumps(columns, ensure_ascii=False), encoding="utf-8")
    return path
