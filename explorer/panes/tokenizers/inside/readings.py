"""The numbers on screen in Inside, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, path
from explorer.panes.tokenizers.encoding.scene import (
    LatticeFrame,
    LatticeScene,
    MatchFrame,
    MatchScene,
)
from explorer.panes.tokenizers.encoding.text import numbers_of
from explorer.panes.tokenizers.quantities import of_text

if TYPE_CHECKING:
    from explorer.panes.tokenizers.inside.mode import InsideMode


def readings(mode: InsideMode) -> Iterator[Reading]:
    """Yields the tokens of the text, and the stage, the numbers and the picture of the step."""
    inside = mode.inside
    if inside is None:
        return
    if not mode.draft.value.dropout:
        yield path(of_text(mode.name, inside.text), "tokens"), len(inside.ids)
    step = mode.step_at(mode.player.position)
    if step is None:
        return
    yield from below(VIEW, {"stage": step.stage, "word": step.word})
    yield from below(path(VIEW, "values"), dict(numbers_of(step.step)))
    for row in step.rows:
        yield path(VIEW, "row", getattr(row, "name", "")), str(getattr(row, "value", row))
    match step.scene, step.frame:
        case LatticeScene() as scene, LatticeFrame() as frame:
            ways = {"way": frame.way, "ways": len(scene.n_best)}
            yield from below(path(VIEW, "word"), ways)
            if 0 < frame.way <= len(scene.shares):
                yield path(VIEW, "word", "probability"), scene.shares[frame.way - 1]
        case MatchScene() as scene, MatchFrame() as frame if frame.taken:
            end = scene.lookups[frame.taken[-1]].end
            yield path(VIEW, "word", "left"), len(scene.word) - end
    for name, values in mode.view.word.displayed().items():
        if values.size <= 64:
            yield path(VIEW, "word", name), values.tolist()
