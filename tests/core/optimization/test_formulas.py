"""Every formula of the chapter can be drawn by what the app draws formulas with."""

import re

import pytest

from core.optimization import OPTIMIZERS
from core.optimization.muon import INSIDE
from core.optimization.schedules import SCHEDULES
from core.optimization.surfaces import SURFACES

FORMULAS = {
    *(rule.formula for rule in OPTIMIZERS.values()),
    *(line.formula for rule in OPTIMIZERS.values() for line in rule.lines),
    *(line.undecayed[1] for rule in OPTIMIZERS.values() for line in rule.lines if line.undecayed),
    *(line.formula for line in INSIDE),
    *(part.formula for schedule in SCHEDULES.values() for part in schedule.parts),
    *(surface.formula for surface in SURFACES.values()),
}


def test_every_formula_can_be_drawn() -> None:
    ziamath = pytest.importorskip("ziamath")
    for formula in sorted(FORMULAS):
        assert "<svg" in ziamath.Latex(formula).svg(), formula


@pytest.mark.parametrize("rule", OPTIMIZERS.values(), ids=lambda rule: rule.name)
def test_the_formula_of_a_whole_step_has_every_letter_that_its_lines_make(rule) -> None:
    for line in rule.lines:
        left = re.split(r"\\leftarrow|=|\\approx", line.formula)[0].strip()
        if line.mark != "scale":  # of the matrix' shape alone
            made = rf"{re.escape(left)}\s*(\\leftarrow|=|\\approx)"
            assert re.search(made, rule.formula), (rule.name, left)
