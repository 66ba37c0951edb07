"""The numbers on screen in Examples, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, next_token, of_source, path, text_of

if TYPE_CHECKING:
    from explorer.panes.transformer.examples.mode import ExamplesMode


def readings(mode: ExamplesMode) -> Iterator[Reading]:
    """Yields the probability of the right answer after each number of examples."""
    rows = mode.view.bars.scene or ()
    for row, shot in zip(rows, mode.shots, strict=False):
        asked, answer = shot.ids[: shot.answer_at], shot.ids[shot.answer_at :]
        of = path(of_source(mode.source), text_of(asked))
        yield path(of, f"continuation:{shot.answer}", "probability"), row.number
        yield path(VIEW, f"examples:{shot.count}", "probability"), row.number
        yield path(VIEW, f"examples:{shot.count}", "said"), shot.said
        if len(answer) == 1:
            yield from next_token(of, [(mode.piece(answer[0]), row.number)])
    if mode.shots:
        yield path(VIEW, "examples"), mode.shots[mode.player.step].count
