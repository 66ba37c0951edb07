"""The mode Plan: ready plans, fields, undo, what cannot be planned, and a run beside its plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training.plan import text
from tests.core.training.small import small_config
from tests.explorer.waiting import until


@pytest.fixture
def make_mode(make_training: Callable[..., Any]) -> Callable[[], Any]:
    """`make_mode()`: the mode Plan, shown; call it inside a coroutine."""

    def make() -> Any:
        pane = make_training()
        pane.join_workspace()
        pane.shown()
        pane.show_mode("plan")
        return pane.mode

    return make


def trained(folder: Path) -> Path:
    """A run of three steps, as a process leaves it."""
    run = create_run(folder / "run", small_config(folder))
    writer = RunWriter(run, 0, 0)
    for step in (1, 2, 3):
        writer.step({"step": step, "loss": 1.0, "tokens": 96, "seconds": 0.5, "memory": 2 * 10**8})
    writer.close()
    return run


def test_this_machine_is_planned_at_once_and_gpt3_by_one_click(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = make_mode()
        assert len(mode.view.bars.scene.sizes) == 1  # before anything was measured
        assert mode.view.form.fields["stage"].editor.toolTip() == text.ALONE
        await until(lambda: mode.planned.plan.compute is not None, "the speed of this machine")
        mode.inputs.gpt3.click()
        assert mode.headline.endswith(
            "takes 39.0 days and costs $1.92 million at $2 per device-hour"
        )
        assert mode.draft.value.model == "gpt3-175b"
        assert mode.view.form.fields["devices"].value == "1,024"
        assert [fact.accessibleName() for fact in mode.view.facts] == [
            "of 80 GB per device: fits: 13.5 GB",
            "for 71,526 steps: 39.0 days",
            "cost at $2 per device-hour: $1.92 million",
        ]
        mode.workspace.undo()
        assert mode.draft.value.model == "stories" and len(mode.view.bars.scene.sizes) == 1

    run_async(body())


def test_the_sum_is_played_with_its_arithmetic(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = make_mode()
        told: list[Any] = []
        mode.inspection.connect(told.append)
        mode.inputs.gpt3.click()
        names = [step.name for step in mode.planned.trace]
        mode.player.seek(names.index("plan.weights.share"))
        assert told[-1].step.code == "core.training.estimates.memory:_share#share"
        assert told[-1].rows[0].text.endswith("/ 1,024 =\u00a03.41e8")
        assert mode.view.bars.position == names.index("plan.weights.share")
        assert mode.player.tracks[0].length == len(names)

    run_async(body())


def test_a_click_on_a_bar_chooses_its_stage(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = make_mode()
        mode.inputs.gpt3.click()
        bars = mode.view.bars
        bars.resize(560, 320)
        layout = bars.layout_now()
        assert "ZeRO-2: " in bars.said_at(layout.part(2, 0).center())
        assert bars.said_at(QPointF(layout.row(2).left() + 1, 0)) == ""
        QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=layout.part(1, 0).center().toPoint())
        assert mode.draft.value.stage == "1" and bars.scene.chosen == 1
        assert bars.displayed()["weights"].shape == (4,)
        assert "it fits with ZeRO-3" in mode.headline

    run_async(body())


def test_what_cannot_be_planned_stands_beside_its_field_and_the_picture_stays(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = make_mode()
        mode.inputs.gpt3.click()
        scene, headline = mode.view.bars.scene, mode.headline
        mode.view.form.changed.emit("batch_size", "1000")
        assert "use a batch of 2048 or 4096" in mode.view.form.fields["batch_size"].error.text
        assert mode.view.bars.scene is scene and mode.view.body.state == "empty"
        assert "use a batch of 2048 or 4096" in mode.headline != headline
        mode.view.form.changed.emit("batch_size", "2048")
        assert not mode.errors and mode.view.bars.scene is not scene
        mode.view.form.changed.emit("efficiency", "2")
        assert mode.view.form.more.isChecked() and mode.view.form.fields["efficiency"].error.text
        mode.view.form.changed.emit("model", "run")
        assert "choose another model" in mode.view.form.fields["model"].error.text

    run_async(body())


def measured(mode: Any) -> list[str]:
    """What the titles of the facts say of a run."""
    said = [fact.accessibleName().rpartition(":")[0] for fact in mode.view.facts + mode.view.small]
    return [title.rpartition("; ")[2] for title in said if "; " in title]


def test_a_run_is_compared_with_its_plan(make_mode: Any, run_async: Any, tmp_path: Path) -> None:
    async def body() -> None:
        mode = make_mode()
        assert not mode.inputs.run.isVisibleTo(mode.inputs)
        mode.workspace.set_run(str(trained(tmp_path)))
        await until(lambda: mode.config is not None, "the run's numbers")
        assert mode.inputs.run.isVisibleTo(mode.inputs)
        assert measured(mode) == []
        mode.inputs.run.click()
        assert mode.planned.setup.model == mode.config.model
        assert measured(mode) == ["the process: 200 MB", "measured: 500 ms"]
        mode.workspace.set_run(None)
        assert "choose another model" in mode.view.form.fields["model"].error.text

    run_async(body())


def test_a_log_of_another_program_tells_of_no_model(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("step,loss\n1,2.5\n2,2.0\n")

    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(log))
        await until(lambda: mode.data is not None, "the log")
        assert mode.config is None
        mode.change("model", "run")
        assert "does not describe its model" in mode.view.form.fields["model"].error.text

    run_async(body())
