"""CSV and JSON lines with a column of steps, as W&B, Lightning, TensorBoard and many scripts write.

The column of steps is recognized by its name. All other columns with numbers are series; at a step
with an empty or non-numeric cell that series was not logged.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from core.files import GET_AGAIN, MEGABYTE, parse_json, quoted_some, read_bytes, read_text
from core.training.foreign.series import MOST_POINTS, Collector, Log, is_number, is_step

MOST_BYTES = 64 * MEGABYTE
MOST_ROWS = 500_000
MOST_COLUMNS = 1000
MOST_VALUES = 100_000  # in a line of JSON
LOOKED_AT = 1000  # rows in which the column of steps is searched
# Names of the column of steps, most reliable first; lowercase, words joined by "_".
STEPS = (
    "step", "steps", "global_step", "_step", "trainer/global_step", "iteration", "iter", "it",
    "iter_num", "n_iter", "update", "num_updates", "batch", "epoch",
)  # fmt: skip
TIMES = ("wall_time", "_timestamp", "timestamp", "time", "created_at")
EXTREMES = ("__MIN", "__MAX")  # next to each column of W&B's exports: the same number again
ALONE = "value"  # TensorBoard's name of the only series of an export

Row = Mapping[str, Any]


class CsvLog:
    """A CSV file whose first line names the columns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> list[Path]:
        return [self.path]

    def read(self) -> Log:
        """Raises ValueError, with a remedy, for a file without a column of steps."""
        text = read_text(self.path, MOST_BYTES)
        _check_rows(self.path, text.count("\n"))
        header = text[: text.find("\n")]
        delimiter = max(",;\t", key=header.count)
        if (cells := text.count(delimiter)) > MOST_POINTS:
            raise ValueError(
                f"{self.path} holds {cells:,} cells, more than the {MOST_POINTS:,} that are read "
                "of a log: choose one with fewer columns"
            )
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            return _of_rows(self.path, _named(rows))
        except csv.Error as error:
            raise ValueError(f"{self.path} is no CSV file ({error}): {GET_AGAIN}") from None


def _named(rows: Iterator[list[str]]) -> Iterator[Row | None]:
    """Yields each row by the names of the first; None for a row that is too short."""
    names = [name.strip() for name in next(rows, [])][:MOST_COLUMNS]
    for row in rows:
        if row:
            yield (
                dict(zip(names, map(_number, row), strict=False))
                if len(row) >= len(names)
                else None
            )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class JsonLinesLog:
    """A file with a JSON object on each line; objects within one are named "outer/inner"."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> list[Path]:
        return [self.path]

    def read(self) -> Log:
        """Raises ValueError, with a remedy, for a file without a column of steps."""
        content = read_bytes(self.path, MOST_BYTES)
        _check_rows(self.path, content.count(b"\n"))
        whole = content[: content.rfind(b"\n") + 1] or content  # a torn last line is read later
        return _of_rows(self.path, map(self._object, io.BytesIO(whole)))

    def _object(self, line: bytes) -> Row | None:
        try:
            value = parse_json(line, self.path, max_values=MOST_VALUES)
        except ValueError:
            return None
        return dict(_flat(value)) if isinstance(value, dict) else None


def _flat(value: Row, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{before}{name}/")
        else:
            yield f"{before}{name}", inner


def _check_rows(path: Path, count: int) -> None:
    if count > MOST_ROWS:
        raise ValueError(
            f"{path} holds {count:,} lines, more than the {MOST_ROWS:,} that are read of a log: "
            "choose one with fewer, or log less often"
        )


def _of_rows(path: Path, rows: Iterator[Row | None]) -> Log:
    """Collects the rows' series. Raises ValueError, with a remedy, if no column holds steps."""
    first = list(islice(rows, LOOKED_AT))
    found = [row for row in first if row]
    names = list(dict.fromkeys(name for row in found for name in row))
    steps = step_column(found, names)
    if steps is None:
        raise ValueError(
            f"{path} has no column of steps (there are {quoted_some(names) or 'no columns'}): give "
            "the one that counts them the name 'step', in whole numbers"
        )
    time = next((name for name in names if _plain(name) in TIMES), "")
    collector, damaged = Collector(path), 0
    for row in chain(first, rows):
        at = row.get(steps) if row else None
        if row is None or at is None or not is_step(at):
            damaged += 1
            continue
        when = row.get(time)
        seconds = float(when) if when is not None and is_number(when) else math.nan
        for name, value in row.items():
            if name not in (steps, time) and is_number(value) and not name.endswith(EXTREMES):
                known_as = path.stem if _plain(name) == ALONE else name
                collector.add(known_as, int(at), float(value), seconds)
    return Log(collector.series(), damaged)


def step_column(rows: Sequence[Row], names: Sequence[str]) -> str | None:
    """Returns the column that is named like steps and holds them, or None.

    All its values must be steps, or those of most rows: an epoch of 0.25 is not a step, but a
    single damaged row does not rule out a column.
    """
    for wanted in STEPS:
        for name in names:
            if _plain(name) == wanted:
                given = [row[name] for row in rows if row.get(name) is not None]
                whole = sum(map(is_step, given))
                if 0 < whole == len(given) or whole > len(rows) / 2:
                    return name
    return None


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
