"""The numbers on screen in Map, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.transformer.presets import preset
from explorer.panes.readings import (
    VIEW,
    Reading,
    below,
    config_of,
    next_token,
    of_source,
    path,
    text_of,
)
from explorer.panes.transformer.map.scene import cell_of

if TYPE_CHECKING:
    from explorer.panes.transformer.map.mode import MapMode


def readings(mode: MapMode) -> Iterator[Reading]:
    """Yields the costs of the model, the likeliest next tokens, and the sizes of what is drawn; of
    the presets side by side their sizes.
    """
    view, found = mode.view, mode.found
    if mode.draft.value.compared:
        yield path(VIEW, "models"), len(view.table.scene or ())
        for row in view.table.scene or ():
            yield path(config_of(preset(row.name)), "parameters"), row.number
        return
    if found is None or (at := mode.at) is None:
        return
    model = f"model:{found.shown}" if found.shown else of_source(mode.source)
    config = found.config_of(found.parts[at])
    shape = {"layers": config.n_layer, "heads": config.n_head, "width": config.n_embd}
    yield from below(model, shape)
    yield from _costs(mode)
    if not found.shown:
        of = path(model, text_of(found.ids))
        shares = [(words.encode(), share) for words, share in found.likely]
        yield from next_token(of, shares)
        row, column = cell_of(found, at, mode.choice)
        row %= found.length
        cell = {"row": row, "column": column, "token.id": found.ids[row]}
        yield from below(VIEW, {**cell, "vocabulary": config.vocab_size})
    for name, values in view.picture.displayed().items():
        for axis, size in zip(("rows", "columns"), values.shape, strict=False):
            yield path(VIEW, f"matrix:{name}", axis), size


def _costs(mode: MapMode) -> Iterator[Reading]:
    """Yields the bars of parameters, FLOPs for the text, and memory."""
    assert mode.found is not None
    text = f"tokens:{mode.found.length}"
    shape = config_of(mode.found.config)
    kinds = path(shape, "parameters"), path(shape, text, "flops"), path(shape, text, "bytes")
    for kind, bar in zip(kinds, mode.view.costs.scene or (), strict=False):
        for part, _, number in bar.parts:
            yield f"{kind}.{part}", number
        if not kind.endswith("bytes"):
            yield kind, sum(number for _, _, number in bar.parts)
