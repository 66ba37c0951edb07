"""What stands where: the table of the lens, the bars of who told it. Plain numbers, no Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.draft import Part
from explorer.widgets.signed_bar import SignedBar
from explorer.widgets.word_grid import WordGrid

if TYPE_CHECKING:
    from core.inference.explanation import Explanation


def rows_of(found: Explanation) -> tuple[str, ...]:
    """What the places are called."""
    sites = found.lens.places
    sublayers = any(site.kind == "residual_mid" for site in sites)
    return tuple(text.place(site.kind, site.layer, sublayers) for site in sites)


def grid_of(found: Explanation, word: Callable[[int], str]) -> WordGrid:
    """`word`: how a token is written."""
    lens, ids = found.lens, found.ids.tolist()
    first = lens.likeliest[..., 0]  # (P, T)
    return WordGrid(
        rows=rows_of(found),
        columns=tuple(word(ids[at]) for at in lens.positions.tolist()),
        words=np.array([[word(one) for one in row] for row in first.tolist()], object),
        shares=lens.probability[..., 0],
        strong=first == lens.tokens[:, 0],
        lengths=lens.norms,
        titles=text.TITLES,
    )


def terms_of(found: Explanation) -> list[tuple[Any, Any]]:
    """Terms before and after the changes, by how much they were before; the rest last."""
    pairs = list(zip(found.before.terms, found.after.terms, strict=True))
    return sorted(pairs[:-1], key=lambda pair: -abs(pair[0].value)) + pairs[-1:]


def part_of(term: Any) -> Part | None:
    """What can be switched off of a term: a head or an MLP."""
    return (term.layer, term.head) if term.kind in ("head", "mlp") else None


def bars_of(found: Explanation, token: str) -> list[SignedBar]:
    """Who pushed the token, one bar for each of `terms_of`."""
    bars, changed = [], found.intervention
    off = {*changed.heads, *((layer, None) for layer in changed.mlps)}
    for before, after in terms_of(found):
        part = part_of(after)
        is_off = part in off
        name, is_rest = text.term(after.kind, after.layer, after.head), after.kind == "unexplained"
        tip = text.term_tip(name, after.value, after.length, token, is_off)
        bars.append(
            SignedBar(
                name,
                after.value,
                before.value if found.is_changed else None,
                is_off,
                is_fixed=part is None,
                is_rest=is_rest,
                tip=text.unexplained_tip(found.after.norms) if is_rest else tip,
            )
        )
    return bars


def known_from(found: Explanation, column: int) -> int:
    """The first place from which on the answer is the likeliest."""
    wrong = np.flatnonzero(found.lens.rank[:, column, 0] > 0)
    return int(wrong[-1]) + 1 if wrong.size else 0
