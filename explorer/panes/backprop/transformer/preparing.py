"""Sets the formulas of a Trace beside the GUI: no step must wait for one."""

from __future__ import annotations

from explorer.panes.backprop.transformer.explaining import formula
from explorer.panes.backprop.transformer.working import Worked
from explorer.widgets.formula import set_formulas


def prepare_formulas(worked: Worked, zoom: float, palette: str) -> None:
    """On another thread: to put their LaTeX together takes its time, too."""
    formulas = dict.fromkeys(formula(worked, number) for number in range(len(worked.steps)))
    set_formulas(formulas, zoom, palette, plain=True)
