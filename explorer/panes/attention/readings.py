"""The numbers on screen in Attention, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.attention import scene as steps
from explorer.panes.readings import VIEW, Reading, below, model_of, next_token, path, text_of

if TYPE_CHECKING:
    from explorer.panes.attention.compute import Heads
    from explorer.panes.attention.pane import AttentionPane
    from explorer.panes.attention.scene import Downstream


def readings(pane: AttentionPane) -> Iterator[Reading]:
    """Yields the chosen head's place and scores, then what its picture shows of it."""
    heads, head, mode = pane.reader.heads, pane.view.head, pane.settings.mode
    if heads is None or pane.choice.place is None:
        return
    layer, number = pane.head_shown
    query = head.query
    yield from below(VIEW, {"mode": mode, "layer": layer, "head": number, "token": query})
    found = pane.comparer.found
    shown = heads if found is None else found.shown
    place = f"head:{layer}.{number}"
    scores = pane.view.panel.scores.displayed()
    for name, value in zip(scores.get("name", ()), scores.get("number", ()), strict=True):
        yield path(_of(shown), place, f"score:{name.lower()}"), float(value)
    if mode == "compare":
        yield from _comparison(pane, layer, number)
    elif mode == "steps":
        yield from _steps(pane, heads)
    else:
        part = "weights.without_first" if pane.settings.hide_first else "weights"
        row = head.heat.displayed()["values"][query, : query + 1]
        for key, weight in enumerate(row.tolist()):
            yield path(_of(heads), f"{part}:{layer}.{number}/token:{query}/key:{key}"), weight


def _of(heads: Heads, token: int | None = None) -> str:
    """Returns the part of a name for the text that the heads read, up to a token."""
    ids = heads.prompt.ids[: None if token is None else token + 1]
    return path(model_of(heads.source, heads.version, heads.off), text_of(ids))


def _comparison(pane: AttentionPane, layer: int, head: int) -> Iterator[Reading]:
    found, shown = pane.comparer.found, pane.view.panel.mosaic.displayed().get("scores")
    if found is None or shown is None:
        return
    both = path(_of(found.first), "to", _of(found.second))
    yield path(both, f"head:{layer}.{head}", "difference"), float(shown[layer, head])
    most = divmod(int(shown.argmax()), shown.shape[1])
    yield path(both, "difference.most"), float(shown[most])
    yield from below(VIEW, {"most.layer": most[0], "most.head": most[1]})
    yield from below(VIEW, {"tokens": found.first.n_tokens, "others": found.second.n_tokens})


def _steps(pane: AttentionPane, heads: Heads) -> Iterator[Reading]:
    picture = pane.view.head.steps
    if (scene := picture.scene) is None or (now := pane.playback.now) is None:
        return
    (layer, head), query = pane.head_shown, scene.query
    yield path(model_of(heads.source), "head.size"), scene.size
    yield path(VIEW, "later"), scene.n_tokens - 1 - query
    yield path(VIEW, "hidden"), sum(scene.hidden(key) for key in range(query))
    for key, weight in enumerate(picture.displayed()["weights"].tolist()):
        if key <= query and now[1] >= steps.SOFTMAX:
            yield path(_of(heads), f"weights:{layer}.{head}/token:{query}/key:{key}"), weight
    if scene.downstream is not None and now[1] > steps.OUTPUT:
        yield from _downstream(heads, scene.downstream, query)


def _downstream(heads: Heads, one: Downstream, query: int) -> Iterator[Reading]:
    model, text = model_of(heads.source), text_of(heads.prompt.ids[: query + 1])
    yield path(model, "width"), one.written.size
    yield path(VIEW, "heads.others"), len(one.by_head) - 1
    yield path(VIEW, "layers.left"), one.layers_left
    yield path(VIEW, "heads.off"), one.n_off
    yield from next_token(_of(heads, query), [(each.piece, each.share) for each in one.likeliest])
    before = [(each.piece, each.before) for each in one.likeliest if each.before is not None]
    yield from next_token(path(model_of(heads.source, heads.version), text), before)
