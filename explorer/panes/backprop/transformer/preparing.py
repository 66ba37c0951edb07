"""Sets the formulas of a Trace beside the GUI: no step must wait for one."""

from __future__ import annotations

import contextlib

from explorer.panes.backprop.transformer.explaining import formula
from explorer.panes.backprop.transformer.working import Worked
from explorer.widgets.formula import formula_svg

SIZE = 18  # px, as the inspector sets them


def set_formulas(worked: Worked, zoom: float, palette: str) -> None:
    """Fills the cache of formulas; one that cannot be set is shown as its source anyway."""
    for latex in dict.fromkeys(formula(worked, number) for number in range(len(worked.steps))):
        with contextlib.suppress(ValueError):
            formula_svg(latex, round(SIZE * zoom, 2), palette, True)
