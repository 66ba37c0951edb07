"""The numbers on screen in Generate, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from explorer.panes.readings import (
    VIEW,
    Reading,
    below,
    digest,
    next_token,
    of_source,
    path,
    text_of,
)

if TYPE_CHECKING:
    from explorer.panes.transformer.generate.mode import GenerateMode


def readings(mode: GenerateMode) -> Iterator[Reading]:
    """Yields the bars, the surprise of each token of the text, and what the cache holds."""
    choice, scene = mode.choice, mode.view.bars.scene
    if choice is None or scene is None:
        return
    model, table = of_source(mode.source), scene.table
    ids = mode.ids[max(0, choice.place - mode.most_read) : choice.place]
    of = path(model, text_of(ids))
    yield from next_token(of, zip(scene.pieces, table.model.tolist(), strict=True))
    bent = path(of, f"sampling:{digest(asdict(mode.draft.value))}")
    yield from next_token(bent, zip(scene.pieces, table.probabilities.tolist(), strict=True))
    step = scene.step(mode.view.bars.position)
    yield path(VIEW, "bars"), list(mode.view.bars.displayed()["shown"])
    yield path(VIEW, "tokens.left"), int(table.kept[step].sum())
    yield path(VIEW, "drawn"), scene.drawn
    whole = path(model, text_of(mode.ids))
    values = mode.view.text.displayed()
    for token, surprise in enumerate(values["loss (nats)"].tolist()):
        if token and len(mode.ids) <= mode.most_read:
            yield path(whole, f"token:{token}", "surprise"), surprise
    yield path(VIEW, "tokens"), len(choice.pieces)
    if math.isfinite(choice.perplexity):
        yield path(whole, "perplexity"), choice.perplexity
    if (cache := mode.view.cache.scene) is not None:
        held = {"bytes.cached": cache.bytes_held, "bytes.reserved": cache.bytes}
        yield from below(path(VIEW, "cache"), held)
