"""All modes of Training show one run with the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training.phases import PHASES
from explorer.panes.readings import plain
from tests.explorer.shown_numbers import Shown, disagreements, not_shown, occurrences

STEPS = 6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with evaluations, heads, checkpoints and a recorded last step."""
    from tests.core.training.small import finish, small_config

    folder = tmp_path_factory.mktemp("readings")
    every = dict.fromkeys(("evaluate_every", "probe_every", "checkpoint_every"), 2)
    finish(small_config(folder, steps=STEPS, clip=0.25, sample_every=0, **every), folder / "run")
    return folder / "run"


def test_modes_agree_on_a_run(make_training, run_async, run: Path) -> None:
    async def body() -> dict[str, Shown]:
        pane, found = make_training(), {}
        pane.shown()

        async def look(view: str) -> None:
            await pane.settled()
            readings = [(name, plain(value)) for name, value in pane.quantities()]
            found[view] = Shown(pane.headline, readings)

        pane.workspace.set_run(str(run))
        await pane.settled()
        for moment in range(pane.player.length):
            pane.player.seek(moment)
            await look(f"run {moment}")
        for phase in range(len(PHASES)):
            pane.mode.enter_phase(phase)
            await look(f"run, {PHASES[phase]}")
        for place, phase in enumerate(PHASES):
            pane.show_mode("step")
            await pane.settled()
            pane.mode.go_to(place)
            await look(f"step, {phase}")
        for name in ("precision", "ranks", "plan"):
            pane.show_mode(name)
            await look(name)
        pane.mode.take_run()
        await look("plan of this run")
        return found

    found = run_async(body())
    assert disagreements(found) == []
    lost = {view: not_shown(*shown) for view, shown in found.items()}
    assert {view: numbers for view, numbers in lost.items() if numbers} == {}
    seen = occurrences(found)
    for name in ("loss.training", "learning_rate", "grad_norm"):
        views = {view for view, _ in seen[f"run:{run.name}/step:{STEPS}/{name}"]}
        assert any(one.startswith("run") for one in views), name
        assert any(one.startswith("step") for one in views), name
    parameters = [shown for name, shown in seen.items() if name.endswith("/parameters")]
    assert any({"plan of this run", "run 0"} <= {view for view, _ in one} for one in parameters)
