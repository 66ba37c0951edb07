"""The numbers on screen in Try, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, digest, next_token, of_source, path, text_of

if TYPE_CHECKING:
    from explorer.panes.finetuning.answers.draft import TryDraft
    from explorer.panes.finetuning.answers.mode import TryMode


def readings(mode: TryMode) -> Iterator[Reading]:
    """Yields both models' next tokens, and the curves of the same tokens over the strength."""
    if mode.next is None or mode.source is None:
        return
    draft, shown, text = mode.tried, mode.view.bars.displayed(), text_of(mode.read_ids)
    yield path(VIEW, "strength"), draft.strength
    pieces = [token.encode() for token in shown["token"].tolist()]
    for one, column in ((draft, "probability"), (replace(draft, strength=0.0), "before")):
        of = path(of_source(mode.source), _mixture(one), text)
        yield from next_token(of, zip(pieces, shown[column].tolist(), strict=True))
    for name, points in mode.view.curves.displayed().items():
        for strength, share in points.tolist():
            of = path(of_source(mode.source), _mixture(replace(draft, strength=strength)), text)
            yield from next_token(of, [(name.strip("\u201c\u201d").encode(), share)])
    for tuned in (False, True):
        if (words := mode.said(tuned)) is not None:
            yield path(VIEW, "writes.tuned" if tuned else "writes.base"), words


def _mixture(draft: TryDraft) -> str:
    """Returns the part for the base and what was learned, at a strength."""
    other = f"other:{digest([draft.other, draft.share])}" if draft.other else ""
    return path(f"strength:{round(draft.strength, 3):g}", other)
