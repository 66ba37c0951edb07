"""The numbers on screen in Lens, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import (
    VIEW,
    Reading,
    below,
    digest,
    next_token,
    of_source,
    path,
    spelled,
    text_of,
)

if TYPE_CHECKING:
    from explorer.panes.transformer.lens.mode import LensMode


def readings(mode: LensMode) -> Iterator[Reading]:
    """Yields the next tokens at the place of the cursor, what each part adds to the logit, and the
    row of the table.
    """
    if (scene := mode.scene) is None:
        return
    found, model = scene.found, of_source(mode.source)
    of = path(model, text_of(found.ids[: found.position + 1]))
    change = f"change:{digest(repr(found.intervention))}" if found.is_changed else ""
    place = "" if mode.row == scene.last else f"place:{scene.rows[mode.row]}"
    shown = mode.view.next.displayed()
    pieces = [mode.piece(token) for token in found.shown]
    yield from next_token(path(of, change, place), zip(pieces, shown["probability"], strict=True))
    yield from next_token(of, zip(pieces, shown.get("before", ()), strict=False))
    token = f"logit:{spelled(mode.piece(found.token))}"
    terms = mode.view.terms.displayed()
    for part, value in zip(terms["part"], terms["value"], strict=True):
        yield path(of, change, token, f"term:{part}"), float(value)
    for part, value in zip(terms["part"], terms.get("before", ()), strict=False):
        yield path(of, token, f"term:{part}"), float(value)
    yield path(of, change, token), found.after.logit
    if found.intervention.off:
        pieces = {name: getattr(scene.change, name) for name in ("total", "own", "indirect")}
        yield from below(path(VIEW, "effect"), pieces)
    whole, loss = path(model, text_of(found.ids)), found.comparison
    if math.isfinite(loss.before.loss):
        yield path(whole, "loss"), loss.before.loss
        yield path(whole, change, "loss"), loss.after.loss
    yield from _row(mode)


def _row(mode: LensMode) -> Iterator[Reading]:
    """Yields what the headline tells of the table's row, and of the part that adds most."""
    scene = mode.scene
    assert scene is not None
    lens, column = scene.found.lens, scene.column
    leads = lens.leads_from(column)
    most = max((after for _, after in scene.found.terms[:-1]), key=lambda term: term.value)
    values = {
        "place": scene.rows[mode.row],
        "rank": int(lens.rank[mode.row, column, 0]) + 1,
        "leads_from": "" if leads is None else scene.rows[leads],
        "most.layer": most.layer,
        "most.head": most.head,
        "parts.off": len(scene.found.intervention.off),
    }
    yield from below(VIEW, values)
    if mode.opened >= 0:
        term = scene.found.terms[mode.opened][1]
        yield from below(path(VIEW, "opened"), {"layer": term.layer, "head": term.head})
