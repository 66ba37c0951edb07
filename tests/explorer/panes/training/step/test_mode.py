"""The mode Step: a recorded run, one that trains and is asked to record, damaged recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.training.records import recording_folder
from core.training.runs import RunReader
from explorer.panes.training.modes import MODES
from explorer.panes.training.step import text
from explorer.panes.training.step.scene import ALL
from explorer.widgets.inspector import Inspector
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import until


@pytest.fixture
def make_step(make_training: Any) -> Callable[..., Any]:
    """`make_step(run)`: the mode Step beside Run, shown; call it inside a coroutine."""

    def make(run: Path | None = None) -> Any:
        pane = make_training(*MODES[:2])
        pane.join_workspace()
        pane.show()
        pane.shown()
        pane.show_mode("step")
        if run is not None:
            pane.workspace.set_run(str(run))
        return pane.mode

    return make


def test_without_a_run_the_way_to_one_is_shown(make_step: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = make_step()
        assert mode.view.body.state == "empty" and mode.view.body.message == text.NO_RUN
        assert not mode.inputs.record.isEnabled()
        mode.view.body.actionRequested.emit()
        assert not mode.active and mode.parent().mode.id == "run"

    run_async(body())


def test_a_recorded_step_is_played_phase_by_phase(
    make_step: Any, run_async: Any, recorded: Path
) -> None:
    async def body() -> None:
        mode = make_step(recorded)
        await until(lambda: mode.step is not None, "the newest recorded step")
        view, player = mode.view, mode.player
        assert player.length == 7 and view.body.state == "ready"
        assert view.picture.phase == "data" and view.picture.displayed()["ids"].shape == (4, 16)
        pages = {}
        for phase, name in enumerate(mode.step.phases):
            mode.go_to(phase)
            assert view.picture.phase == name and view.picture.shown == ALL
            assert view.strip.displayed()["current"] == phase
            pages[name] = view.stack.currentWidget()
            view.resize(900, 500)
            view.grab()
            assert view.picture.broken is None and view.text.broken is None
        assert pages["schedule"] is view.plot and pages["loss"].isAncestorOf(view.text)
        assert view.plot.displayed()["this step"].tolist() == [
            [3.0, mode.step.recording.facts.learning_rate]
        ]
        mode.go_to(1)
        player.set_motion("full")
        player.seek(0.5)
        assert (view.picture.phase, view.picture.shown) == ("forward", 3.0)
        player.seek(1)
        assert player.enter() and player.length == 6 and view.picture.shown == 1
        player.seek(2.5)
        assert view.picture.shown == 3.5 and mode.headline.startswith("The output of block 1 has ")
        assert player.leave() and view.picture.shown == ALL

    run_async(body())


def test_the_inspector_has_math_code_and_numbers_of_each_step(
    make_step: Any, run_async: Any, recorded: Path, qtbot: Any
) -> None:
    async def body() -> None:
        mode = make_step(recorded)
        await until(lambda: mode.step is not None, "the newest recorded step")
        told: list[Any] = []
        numbers = Inspector()
        qtbot.addWidget(numbers)
        numbers.set_tab("numbers")
        mode.inspection.connect(told.append)
        mode.inspection.connect(numbers.set_inspection)
        await until(lambda: (mode.inspect(), told and told[-1] is not None)[1], "the lines of code")
        phases = mode.step.phases
        mode.go_to(phases.index("loss"))
        facts = mode.step.recording.facts
        assert told[-1].step.code.endswith("#loss") and "losses" in told[-1].table
        assert f"/ {facts.targets} =" in told[-1].rows[-1].text
        mode.go_to(phases.index("forward"))
        assert told[-1].table["dtypes"].shape == (len(facts.layers), 4)
        mode.go_inside(3)
        assert told[-1].step.name == "training.forward.h.1"
        assert told[-1].table["output"].shape == (4, 16, 16)
        mode.go_to(phases.index("backward"))
        assert told[-1].table["parameters"].shape == (len(facts.parameters), 3)
        mode.go_inside(0)
        assert told[-1].step.name == "training.backward.lm_head"
        mode.go_to(phases.index("optimizer"))
        mode.go_inside(1)
        mode.choose_weight(5)
        assert told[-1].cell == text.weight_name(mode.step, 5) and "row" in told[-1].cell
        assert "×" in told[-1].rows[0].text and told[-1].step.name == "optimizer.average"
        for phase in range(len(phases)):
            mode.go_to(phase)
            shown = numbers.displayed()
            assert shown and set(shown) <= set(told[-1].table)

    run_async(body())


def test_choices_keep_the_place_and_come_back_with_the_session(
    make_step: Any, run_async: Any, recorded: Path
) -> None:
    async def body() -> None:
        mode = make_step(recorded)
        await until(lambda: mode.step is not None, "the newest recorded step")
        mode.go_to(mode.step.phases.index("optimizer"))
        mode.go_inside(2)
        mode.view.parameters.picked.emit("wte.weight")
        await until(lambda: mode.step.parameter == "wte.weight", "another parameter")
        assert mode.player.path == [5.0, 2.0] and mode.view.parameters.currentText() == "wte.weight"
        mode.inputs.steps.picked.emit(1)
        await until(lambda: mode.step.recording.facts.step == 1, "another step")
        assert mode.player.path == [5.0, 2.0]
        layout = mode.view.picture.layout_now()
        assert layout.index_at(layout.column(9).center()) == 9
        mode.choose_weight(7)
        QTest.keyClick(mode.view.picture, Qt.Key.Key_Left)
        assert mode.weight == 6
        mode.view.picture.chosen.emit(1_000)
        mode.view.text.chosen.emit(2, 3)
        kept = mode.state()
        assert kept == {
            "version": 1, "step": 1, "rank": 0, "parameter": "wte.weight",
            "weight": 63, "token": [2, 3],
        }  # fmt: skip
        bars = mode.view.likeliest.displayed()
        assert bars["probability"][:5].tolist() == sorted(bars["probability"][:5])[::-1]
        assert bars["came"].sum() == 1
        mode.choose(step=0, parameter="")
        mode.restore({"step": "x", "weight": None})
        mode.restore(kept)
        await until(lambda: mode.step.recording.facts.step == 1, "what was kept")
        assert mode.state() == kept

    run_async(body())


def test_the_next_step_of_a_run_is_recorded_when_asked(make_step: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = make_step()
        runs = mode.context.runs
        folder = runs.new(tiny_training(steps=100_000), "asked")
        runs.start(folder)
        mode.workspace.set_run(str(folder))
        await until(lambda: (mode.follower.look(), mode.step is not None)[1], "the first step")
        await until(
            lambda: (mode.follower.look(), mode.inputs.record.isEnabled())[1], "a run that trains"
        )
        said: list[str] = []
        mode.statusRequested.connect(said.append)
        mode.inputs.record.click()
        await until(
            lambda: (mode.follower.look(), len(mode.data.recorded) > 1)[1], "another recorded step"
        )
        newest = mode.data.recorded[-1]
        assert newest > 1 and mode.step.recording.facts.step == newest
        assert said == [text.ASKED, f"Step {newest:,} is recorded"]
        await runs.steer(folder, "stop")
        await until(lambda: not runs.running_here(folder), "the trainer's end")

    run_async(body())


@pytest.mark.parametrize("damage", ["{", '{"format": 99, "step": 4}', None])
def test_a_damaged_recording_is_told_and_the_others_are_there(
    make_step: Any, run_async: Any, copied: Callable[[], Path], damage: str | None
) -> None:
    run = copied()
    folder = recording_folder(run, 4)
    if damage is None:
        (folder / "rank0.safetensors").unlink()
    else:
        (folder / "rank0.json").write_text(damage)

    async def body() -> None:
        mode = make_step(run)
        await until(lambda: mode.view.body.state == "error", "the message")
        assert mode.view.body.message and mode.headline == "Step 4 cannot be shown"
        assert mode.player.length == 0 and mode.inputs.steps.count() == 3
        mode.inputs.steps.picked.emit(1)
        await until(lambda: mode.step is not None, "the other recorded step")
        assert mode.view.body.state == "ready" and RunReader(run).step == 4

    run_async(body())


def test_a_run_that_recorded_nothing_says_how_to(
    make_step: Any, run_async: Any, copied: Callable[[], Path]
) -> None:
    run = copied()
    (run / "recordings").rename(run.parent / "elsewhere")

    async def body() -> None:
        mode = make_step(run)
        await until(lambda: mode.view.body.state == "empty", "the empty picture")
        assert mode.view.body.message == text.NEVER
        (run.parent / "elsewhere").rename(run / "recordings")
        await until(lambda: (mode.follower.look(), mode.step is not None)[1], "they are back")

    run_async(body())


def test_a_run_that_cannot_be_read_any_more_is_told_and_comes_back(
    make_step: Any, run_async: Any, copied: Callable[[], Path]
) -> None:
    manifest = copied() / "run.json"

    async def body() -> None:
        mode = make_step(manifest.parent)
        await until(lambda: mode.step is not None, "the newest recorded step")
        manifest.rename(manifest.with_name("elsewhere"))
        mode.view.body.retryRequested.emit()
        await until(lambda: mode.view.body.state == "error", "the message")
        assert mode.player.length == 0 and mode.headline == mode.view.body.message
        manifest.with_name("elsewhere").rename(manifest)
        mode.view.body.retryRequested.emit()
        await until(lambda: mode.view.body.state == "ready", "the run")
        assert mode.player.length == 7 and mode.view.strip.isVisibleTo(mode.view)

    run_async(body())


def test_another_program_s_log_has_no_inside(
    make_step: Any, run_async: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("step,loss\n1,3.5\n2,3.0\n")

    async def body() -> None:
        mode = make_step(log)
        await until(lambda: mode.view.body.state == "empty", "the empty picture")
        assert mode.view.body.message == text.FOREIGN and not mode.inputs.record.isEnabled()

    run_async(body())


def test_run_leads_to_the_recorded_step_at_its_phase(
    make_step: Any, run_async: Any, recorded: Path
) -> None:
    async def body() -> None:
        step = make_step(recorded)
        pane = step.parent()
        pane.show_mode("run")
        run = pane.mode
        await until(lambda: run.follower.data is not None, "the run")
        inside = run.view.inside
        assert inside.isVisibleTo(run.view) and inside.text() == "See step 4 in detail"
        run.cursor.seek_step(1)
        run.enter_phase(3)
        assert inside.text() == "See step 1 in detail"
        inside.click()
        assert pane.mode is step
        await until(lambda: step.step is not None and step.view.picture.phase == "backward", "it")
        assert step.step.recording.facts.step == 1
        step.take({"step": 3, "phase": "clip"})
        await until(lambda: step.step.recording.facts.step == 4, "the newest instead of none")
        assert step.view.picture.phase == "clip"
        pane.show_mode("run")
        run.cursor.leave()
        run.view.phases.picked.emit(2)
        assert pane.mode is step, "a click on a phase leads there, too"
        await until(lambda: step.step.recording.facts.step == 1, "the step that is offered")
        assert step.view.picture.phase == "loss"

    run_async(body())
