"""The numbers on screen in Translate, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, next_token, of_source, path, text_of

if TYPE_CHECKING:
    from explorer.panes.transformer.translate.mode import TranslateMode


def readings(mode: TranslateMode) -> Iterator[Reading]:
    """Yields the weights and the next tokens at the token that is being written."""
    scene, place = mode.view.picture.scene, mode.view.picture.place
    if scene is None:
        return
    about = scene.trace.about
    source, written = text_of(about["source"].tolist()), about["written"].tolist()
    of = path(of_source(mode.source), source, "to", text_of(written[:place]))
    layer, head = scene.head
    yield from below(VIEW, {"layer": layer, "head": head, "token": place})
    weights = mode.view.picture.displayed()["weights"][place].tolist()
    for token, weight in enumerate(weights):
        yield path(of, f"weights:{layer}.{head}/key:{token}"), weight
    yield from next_token(of, scene.likeliest(place))
    shown = mode.view.bars.displayed()
    pieces = [token.encode() for token in shown["token"].tolist()]
    yield from next_token(of, zip(pieces, shown["probability"].tolist(), strict=True))
