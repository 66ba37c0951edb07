"""The numbers on screen in Compare, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.trace import Step
from explorer.panes.readings import VIEW, Reading, below, path, scalars
from explorer.panes.tokenizers.compare import text
from explorer.panes.tokenizers.quantities import of_text, tokenizer

if TYPE_CHECKING:
    from explorer.panes.tokenizers.compare.mode import CompareMode


def readings(mode: CompareMode) -> Iterator[Reading]:
    """Yields the numbers of the text's columns or of the visible submode, and the chosen token."""
    view = mode.options.view
    yield path(VIEW, "mode"), view
    yield from {"overlap": _overlap, "glitches": _glitches, "vocabulary": _search}.get(
        view, _columns
    )(mode)
    if (one := mode.selection.derivation) is not None:
        values = {"id": one.token, "piece": one.shown, "text": one.text}
        yield from below(path(VIEW, "token"), values)
        if (step := mode.selection.step_at(mode.player.position)) is not None:
            yield from below(path(VIEW, "token"), scalars(step.step))
            held = {f"{name}.count": value.size for name, value in step.step.values.items()}
            yield from below(path(VIEW, "token"), held)


def _columns(mode: CompareMode) -> Iterator[Reading]:
    known = []
    for column in mode.view.columns:
        split, name = column.split, column.head.title.name.whole
        if split is None or split.error or not split.count:
            continue
        known.append((name, split))
        of = of_text(name, mode.text, mode.options.specials)
        values: dict[str, Any] = {"tokens": len(column.flow.tokens), "unknown": split.unknown}
        values |= {"bytes_per_token": split.bytes_per_token, "lossless": split.lossless}
        yield from below(of, values)
    yield from below(VIEW, text.compared(known))
    step = mode.step_shown
    if isinstance(step, Step) and step.name == "rates.bytes-per-token" and known:
        of = of_text(known[0][0], mode.text, mode.options.specials)
        values = scalars(step)
        yield from below(of, {"bytes_per_token": values["ratio"], "tokens": values["tokens"]})


def _overlap(mode: CompareMode) -> Iterator[Reading]:
    shown: Any = mode.submodes["overlap"]
    if shown.overlap is None:
        return
    (first, second), (row, column) = shown.names, shown.pair
    shares = shown.view.displayed()["values"]
    yield path(tokenizer(first), "share_in", second), float(shares[row, column])
    yield path(tokenizer(second), "share_in", first), float(shares[column, row])
    for name, part in zip((f"only/{second}", f"both/{second}"), shown.view.sets, strict=False):
        yield path(tokenizer(first), name), len(part.list.pieces.ids)


def _glitches(mode: CompareMode) -> Iterator[Reading]:
    shown: Any = mode.submodes["glitches"]
    if shown.found is None:
        return
    for one in shown.found.candidates[:10]:
        of = path(f"model:{shown.found.opened.name}", f"glitch:{one.token}")
        yield path(of, "cosine"), one.similarity


def _search(mode: CompareMode) -> Iterator[Reading]:
    for place, found in mode.search.matches.items():
        name, opened = mode.search.shown[place]
        yield path(tokenizer(name), f"matches:{mode.search.query}"), len(found)
        if opened is not None:
            yield path(tokenizer(name), "pieces"), opened.vocab_size
