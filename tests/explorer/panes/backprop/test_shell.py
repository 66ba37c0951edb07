"""The backprop pane: the modes that are built, and what they tell the window."""

from __future__ import annotations

import asyncio

from explorer.engine import tasks
from explorer.panes.backprop import modes
from explorer.panes.specs import built
from tests.benchmarks.bench_backprop_pane import FORMULAS


def test_the_pane_is_in_the_rail():
    assert "backprop" in [spec.id for spec in built()]


def test_a_mode_that_is_not_built_is_not_shown(make_pane, monkeypatch):
    missing = modes.ModeSpec("later", "Later", "explorer.panes.backprop.later.mode")
    monkeypatch.setattr(modes, "MODES", (*modes.MODES, missing))
    assert "later" not in [spec.id for spec in modes.built()]
    pane = make_pane("expression")
    assert list(pane.modes) == ["expression"] and pane.inputs.choice.isHidden()


def test_every_mode_can_be_shown_and_comes_back_as_it_was(make_pane, run_async):
    pane = make_pane()

    async def body():
        for name in pane.modes:
            pane.show_mode(name)
            await pane.settled()
            assert pane.mode.teaches and pane.headline and pane.mode.widget().isVisible()
            pane.mode.restore(pane.mode.state())
            await pane.settled()

    run_async(body())


def test_it_is_closed_while_a_formula_is_worked_out(make_pane, run_async):
    pane = make_pane("expression")

    async def body():
        pane.modes["expression"].set_text(next(iter(FORMULAS.values())))
        await asyncio.sleep(0)
        pane.hide()
        tasks.cancel_all(pane.modes["expression"])
        await asyncio.sleep(0.05)

    run_async(body())
