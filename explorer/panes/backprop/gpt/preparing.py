"""Sets the formulas of a Trace beside the GUI: no step must wait for one."""

from __future__ import annotations

from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.explaining import formula, formula_of
from explorer.widgets.formula import set_formulas


def prepare_formulas(worked: Worked) -> None:
    """On another thread: to put their LaTeX together takes its time, too."""
    steps = [formula(worked, number) for number in range(len(worked.steps))]
    moments = [formula_of(worked, moment) for moment in worked.moments]
    formulas = dict.fromkeys(steps + moments)
    set_formulas(formulas, plain=True)
