"""Sets formulas ahead of the steps that show them, away from the GUI thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from explorer.widgets.formula import formula_svg

SIZE = 18  # px, as the inspector sets them


def set_formulas(formulas: Sequence[str], zoom: float, palette: str) -> None:
    """Fills the cache; a formula that cannot be set is shown as its source anyway."""
    for latex in formulas:
        with contextlib.suppress(ValueError):
            formula_svg(latex, round(SIZE * zoom, 2), palette, True)
