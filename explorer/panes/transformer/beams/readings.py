"""The numbers on screen in Beams, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, next_token, of_source, path, text_of
from explorer.widgets.beam_scene import share

if TYPE_CHECKING:
    from explorer.panes.transformer.beams.mode import BeamsMode


def readings(mode: BeamsMode) -> Iterator[Reading]:
    """Yields the log-probability of every text in the tree, and the scores that are compared."""
    if (scene := mode.view.tree.scene) is None:
        return
    of = path(of_source(mode.source), text_of(mode.prompt_ids[-mode.most_read :]))
    nodes = list(zip(scene.tree.nodes, scene.pieces, strict=True))
    first = [(piece, share(one)) for one, piece in nodes if one.depth == 1]
    yield from next_token(of, first)
    for at, (one, _) in enumerate(nodes):
        text = scene.text_of(at).strip()
        yield path(of, f"continuation:{text}", "log_probability"), one.sum
    for name, (written, total, score) in zip(("beams", "greedy"), scene.texts, strict=True):
        text = written.decode("utf-8", "replace").strip()
        yield path(of, f"continuation:{text}", "log_probability"), total
        yield path(VIEW, f"score.{name}"), score
