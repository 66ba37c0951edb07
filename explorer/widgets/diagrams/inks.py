"""The colors of the parts of a transformer and of their costs, the same in all diagrams."""

from __future__ import annotations

from PySide6.QtGui import QColor

from explorer import theme

INKS: dict[str, int | str] = {
    "attention": "attention", "cross": "k", "mlp": 1, "embed": 0, "position": 4, "unembed": 2,
    "token_embedding": 0, "position_embedding": 4, "output_head": 2, "weights": 0, "cache": 3,
    "activations": 5,
}  # fmt: skip
# Short names in boxes.
WORDS = {"embed": "E", "unembed": "W\u1d64", "softmax": "e\u1dbb/\u03a3", "norm": "norm"}


def ink_of(kind: str) -> QColor:
    now, role = theme.current(), INKS.get(kind, "outline")
    return now.series(role) if isinstance(role, int) else now.color(role)
