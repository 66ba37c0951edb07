"""Gallery sheet of an explanation: words place by place, and who pushed one of them."""

from __future__ import annotations

import numpy as np

from explorer.studio.gallery_data import TOKENS, Sample
from explorer.widgets.signed_bar import SignedBar
from explorer.widgets.signed_bars import SignedBars
from explorer.widgets.word_grid import WordGrid
from explorer.widgets.word_table import WordTable


def explanation() -> list[Sample]:
    samples = list[Sample]()
    for name, rows, chosen in (("a few rows", 9, 8), ("many, on the way", 61, 40)):
        table = WordTable(lambda row, column: "")
        table.set_scene(_grid(rows))
        table.set_chosen(rows - 1, len(TOKENS) - 1)
        table.set_chosen(chosen, len(TOKENS) - 1)
        samples.append((f"words by rows: {name}", table, 480, 320))
    values = 6 * np.sin(np.arange(1, 13)) / np.arange(1, 13)
    for name, changed, tall in (("signed bars", False, 240), ("low, with changes", True, 150)):
        bars = SignedBars("Signed bars")
        parts = [_bar(place, float(value), changed) for place, value in enumerate(values)]
        bars.set_bars([*parts, SignedBar("unexplained", -0.4, is_fixed=True, is_rest=True)])
        samples.append((name, bars, 260, tall))
    return samples


def _grid(rows: int) -> WordGrid:
    """Each row knows a little more."""
    count = len(TOKENS)
    shares = np.outer(np.linspace(0, 1, rows) ** 3, np.linspace(0.4, 1, count))
    words = np.array(
        [[TOKENS[(at + row // 3) % count] for at in range(count)] for row in range(rows)]
    )
    lengths = np.outer(1.5 ** np.linspace(0, 9, rows), np.ones(count))
    names = tuple(f"layer {row}" for row in range(rows))
    titles = "darker: nearer to the answer", "length"
    return WordGrid(names, tuple(TOKENS), words, shares, shares > 0.5, lengths, titles)


def _bar(place: int, value: float, changed: bool) -> SignedBar:
    is_off = changed and place == 2
    shown = 0.0 if is_off else value
    return SignedBar(f"head {place}.1", shown, 0.7 * value if changed else None, is_off)
