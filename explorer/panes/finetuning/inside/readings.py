"""The numbers on screen in Inside, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from explorer.panes.readings import VIEW, Reading, below, of_source, path, text_of

if TYPE_CHECKING:
    from explorer.panes.finetuning.inside.mode import InsideMode


def readings(mode: InsideMode) -> Iterator[Reading]:
    """Yields what was learned in the matrix, its effect on the text, and the strength of all."""
    if (scene := mode.scene) is None:
        return
    found, about, model = scene.found, scene.found.trace.about, of_source(mode.source)
    version = "" if mode.step is None else f"checkpoint:{mode.step}"
    of = path(model, version, f"matrix:{found.name}")
    rank, learned, frozen = (int(about[name]) for name in ("rank", "parameters", "frozen"))
    yield from below(of, {"rank": rank, "parameters.learned": learned})
    yield from below(of, {"parameters": frozen, "parameters.share": learned / frozen})
    spectrum = mode.view.spectrum.scene
    if spectrum is not None:
        yield from below(
            of, {"directions": len(spectrum.values), "directions.needed": scene.needed}
        )
        yield from below(VIEW, {"share.needed": 0.99})
    text = path(model, version, text_of(scene.ids))
    shares = mode.view.text.displayed()["share of W x"].tolist()
    for token, share in enumerate(shares):
        yield path(text, f"token:{token}", f"change:{found.name}"), share
    yield (
        path(text, f"token:{scene.position}", f"change:{found.name}"),
        float(found.relative_change[scene.position]),
    )
    yield path(text, "loss"), float(about["loss"])
    *_, values, names = scene.grid
    for place in np.ndindex(values.shape):
        if math.isfinite(values[place]):
            yield path(model, version, f"matrix:{names[place]}", "strength"), float(values[place])
