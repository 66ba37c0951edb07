"""Readings: what is on screen now, as named JSON values. Lessons and shares stand on them; no Qt.

A reading is a pair (name, value). Its name is a path from a thing to one of its quantities:

    config:3e0b77d2/parameters
    model:stories/text:5f2c9a01/next_token/probability:went
    model:stories/text:5f2c9a01/weights:2.1/token:5/key:3
    run:stories-3/step:812/loss.training
    estimate:91c7d0aa/bytes.total
    view/step

The name says what is measured, never which widget shows it: two views that show one quantity give
it one name, and so must give it one value (`tests/explorer/test_readings.py` compares every name
that occurs more than once). Whatever changes the value is part of the name: the text, the step, the
heads that are off. Names below `view/` describe only the view itself, such as its cursor.

Values are taken from what the view displays, and never computed for a reading. What the user has
set up or selected is not repeated here: it has a path in the workspace.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.fields import to_json
from core.numbers import format_number
from core.tokenization.telling import visible
from core.trace import Step

Reading = tuple[str, Any]
VIEW = "view"


def path(*parts: object) -> str:
    """Joins the parts of a name; empty parts are left out."""
    return "/".join(str(part) for part in parts if part != "")


def below(prefix: str, values: Mapping[str, Any]) -> Iterator[Reading]:
    """Yields each value under a prefix."""
    for name, value in values.items():
        yield path(prefix, name), value


def digest(value: Any) -> str:
    """Returns eight hexadecimal digits that stand for a JSON value: a text, a configuration."""
    written = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(written.encode(), digest_size=4).hexdigest()


def text_of(ids: Iterable[int]) -> str:
    """Returns the part of a name for a text that a model reads, given its token ids."""
    return f"text:{digest([int(one) for one in ids])}"


def model_of(name: str, version: int = 0, off: Sequence[Sequence[int]] = ()) -> str:
    """Returns the part for a model; a model in training has a version, its step, and heads (layer,
    head) may be off.
    """
    model = f"model:{name}@{version}" if version else f"model:{name}"
    heads = ",".join(sorted(f"{layer}.{head}" for layer, head in off))
    return path(model, f"off:{heads}" if heads else "")


def of_source(source: Any) -> str:
    """Returns the part for the model of a `ModelSource`."""
    return model_of(source.name, source.version)


def config_of(config: Any) -> str:
    """Returns the part for the shape of a model: whatever has it has as many parameters."""
    return f"config:{digest(to_json(config))}"


def run_of(folder: Path, step: int | None = None) -> str:
    """Returns the part for a run, and for one of its steps."""
    return path(f"run:{folder.name}", "" if step is None else f"step:{step}")


def spelled(piece: bytes) -> str:
    """Returns a token's text for the last part of a name: \u2423went."""
    return visible(piece.decode("utf-8", "backslashreplace"))


def next_token(prefix: str, shares: Iterable[tuple[bytes, float]]) -> Iterator[Reading]:
    """Yields the probability of each possible next token, given its bytes."""
    for piece, share in shares:
        yield path(prefix, f"next_token/probability:{spelled(piece)}"), share


def cursor(player: Any) -> Iterator[Reading]:
    """Yields where a player is, and the scalars of the Step there."""
    track, at = player.track, player.step
    if track is None or not 0 <= at < track.length:
        return
    yield path(VIEW, "step"), at
    yield path(VIEW, "steps"), track.length
    yield path(VIEW, "step.title"), track.title(at)
    if isinstance(step := track.item(at), Step):
        yield path(VIEW, "step.name"), step.name
        yield from below(path(VIEW, "values"), scalars(step))


def scalars(step: Step) -> dict[str, Any]:
    """Returns the single numbers among a step's values."""
    held = {name: value for name, value in step.values.items() if isinstance(value, np.ndarray)}
    return {name: value.item() for name, value in held.items() if value.ndim == 0}


def table(prefix: str, columns: Mapping[str, Any], key: str) -> Iterator[Reading]:
    """Yields the cells of a table as `prefix/<row>/<column>`, rows being named by a column."""
    for at, row in enumerate(columns.get(key, ())):
        for name, values in columns.items():
            if name != key:
                yield path(prefix, row, name), plain(values[at])


def plain(value: Any) -> Any:
    """Returns a value as JSON; a number that is not finite as it is written on screen."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return format_number(value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def gathered(readings: Iterable[Reading]) -> dict[str, Any]:
    """Returns readings as one JSON object."""
    return {name: plain(value) for name, value in readings}
