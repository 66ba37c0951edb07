"""Every formula of the chapter can be drawn by what the app draws formulas with."""

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
