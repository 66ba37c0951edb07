"""An optimizer that someone adds as CONTRIBUTING says: a rule in core, and nothing here."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from core.optimization import momentum
from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.backprop.optimizers.line_style import SERIES, color_of, is_dashed, trail_pen
from explorer.widgets.base import Picture


@pytest.fixture
def tenth(monkeypatch) -> str:
    """Adds a rule to the table itself, which every module shares and none may change."""
    (table,) = (one for one in gc.get_referents(OPTIMIZERS) if isinstance(one, dict))
    monkeypatch.setitem(table, "heavy", replace(momentum.RULE, name="heavy", title="Heavy"))
    return "heavy"


def test_a_tenth_optimizer_races_and_is_drawn_in_a_style_of_its_own(tenth, mode, change):
    change(OptimizersDraft("ravine", racers=("momentum", tenth), steps=20))
    mode.choose(tenth)
    mode.player.seek(10)
    mode.widget().grab()
    assert {one.name for one in mode.view.map.trails()} == {"momentum", tenth}
    assert [one for one in mode.widget().findChildren(Picture) if one.broken] == []
    assert "Heavy" in [one.text for one in mode.view.map.legend]


def test_its_line_is_not_that_of_another(tenth, qapp):
    assert tenth not in SERIES and is_dashed(tenth)
    looks = {
        name: (color_of(name).name(), tuple(trail_pen(name).dashPattern())) for name in OPTIMIZERS
    }
    assert len(set(looks.values())) == len(looks) == 10
    assert color_of(tenth) in [theme.current().series(index) for index in SERIES.values()]
