"""The mode Precision: the example, folders as runs leave them, and two real runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from core.training.exponents import LOWEST, CountedExponents, ExponentHistogram
from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training.modes import MODES
from explorer.panes.training.precision import text
from explorer.panes.training.precision.mode import Choice
from explorer.panes.training.precision.scene import LOW
from explorer.panes.training.presets import fp16
from tests.core.training.small import finish, small_config
from tests.explorer.waiting import until


@pytest.fixture
def make_mode(make_training: Any) -> Callable[..., Any]:
    """`make_mode(*specs)`: the mode Precision among these (or all), shown; call it inside a
    coroutine.
    """

    def make(*specs: Any) -> Any:
        pane = make_training(*specs)
        pane.join_workspace()
        pane.shown()
        pane.show_mode("precision")
        return pane.mode

    return make


def counted(power: int, count: int = 100) -> dict[str, Any]:
    counts = np.zeros(279, np.int64)
    counts[power - LOWEST] = count
    return ExponentHistogram(counts, zeros=4).to_json()


def scaled_run(folder: Path) -> Path:
    """A run in fp16 of three steps, the second of which overflowed."""
    run = create_run(folder / "run", small_config(folder, precision="fp16"))
    writer = RunWriter(run, 0)
    writer.event("model", 0, {"scales": True, "parameters": 10})
    for step, scale, skipped in ((1, 2048.0, 0), (2, 2048.0, 1), (3, 1024.0, 0)):
        told = {"step": step, "loss": 4.0 - step, "skipped": skipped, "loss_scale": scale}
        writer.step({**told, "tokens": 96, "seconds": 0.1})
    after = {"loss_scale": 1024.0}
    where = "the gradient of h.0.mlp.c_fc.weight"
    writer.event("skip", 2, {"loss_scale": 2048.0, "after": after, "where": where})
    writer.event("exponents", 1, {"loss_scale": 2048.0, "updates": counted(-12)})
    writer.event("exponents", 3, {"loss_scale": 1024.0, "gradients": counted(-26)})
    writer.event("end", 3, {"reason": "finished", "message": ""})
    writer.close()
    return run


def test_without_a_run_an_example_is_computed_and_its_loss_scale_is_dragged(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = make_mode()
        view, histogram = mode.view, mode.view.histogram
        assert mode.headline.startswith(
            "Stored in fp16 without scaling, 2.4\u2009% of these made-up gradients"
        )
        assert "Made-up example: a million" in view.note.whole
        assert view.curves.state == "empty" and view.start.isVisibleTo(view)
        histogram.resize(800, 300)
        layout = histogram.layout_now()
        start = QPointF(layout.x(-20), layout.top + 5)
        end = start + QPointF(10 * layout.column, 0)
        QTest.mousePress(histogram, Qt.MouseButton.LeftButton, pos=start.toPoint())
        QTest.mouseMove(histogram, end.toPoint())
        QTest.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=end.toPoint())
        assert mode.choice.scale == 10 and mode.choice.tab == "gradient"
        assert "by 2¹⁰, <0.01" in mode.headline
        QTest.keyClick(histogram, Qt.Key.Key_Right)
        QTest.keyClick(histogram, Qt.Key.Key_Up)
        assert (mode.choice.scale, mode.choice.format) == (11, "bf16")
        row = histogram.layout_now().window(4).center()
        QTest.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=row.toPoint())
        assert mode.choice.format == "fp8 e4m3fn"
        assert histogram.said_at(row).startswith("fp8 e4m3: ")
        bar = histogram.layout_now().bar(-9).center()
        assert "between 2⁻⁹ and 2⁻⁸" in histogram.said_at(bar)
        QTest.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=bar.toPoint())
        assert mode.choice.tab == "gradient" and mode.gradient == -20
        shown = histogram.displayed()
        assert shown["power of two"][0] == LOW and shown["share"].sum() == pytest.approx(1)

    run_async(body())


def test_the_life_of_a_gradient_and_the_sum_of_a_weight_are_played(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = make_mode()
        told: list[Any] = []
        mode.inspection.connect(told.append)
        player, histogram = mode.player, mode.view.histogram
        assert player.length == 5 and histogram.marked.name == "computed"
        player.seek(2)
        assert told[-1].step.title == "Stored in fp16: it is too small and becomes 0"
        assert (histogram.marked.name, histogram.marked.value) == ("stored", 0)
        assert mode.view.bits.position == 2
        assert player.enter() and player.length == 4
        assert told[-1].step.code.endswith("rounding#spacing")
        assert histogram.marked.name == "stored" and mode.view.bits.position == 2
        player.leave()
        mode.choose(scale=16)
        assert player.step == 2 and "it is rounded" in told[-1].step.title
        mode.view.tabs.chosen.emit("weight")
        assert player.length == 9 and player.step == 0 and histogram.marked is None
        player.end()
        assert told[-1].step.title == "Stored in bf16: the weight has not changed"
        values = mode.view.bits.displayed()
        assert values["number"].tolist() == ["weight", "update", "exact sum", "stored"]
        assert values["value"][0] == values["value"][3] != values["value"][2]
        assert "in this made-up example" in mode.view.lesson.whole

    run_async(body())


def test_a_run_in_fp16_is_shown_with_its_scale_and_the_layer_that_overflowed(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(scaled_run(tmp_path)))
        await until(lambda: mode.data is not None, "the run")
        assert (
            mode.headline
            == "Stored in fp16 without scaling, 100\u2009% of the gradients at step 3 become 0"
        )
        assert "104 gradients were counted; the run's loss scale was 1,024" in mode.view.note.whole
        marks = mode.view.scale.marks
        assert [mark.x for mark in marks] == [2]
        assert "first the gradient of h.0.mlp.c_fc.weight" in marks[0].text
        assert mode.view.scale.displayed()["scale"][:, 1].tolist() == [2048, 2048, 1024]
        assert mode.view.curves.state == "ready"
        mode.choose(scale=10)
        assert "become 0" not in mode.headline
        mode.inputs.kinds.chosen.emit("updates")
        assert "updates at step 1 " in mode.headline
        mode.inputs.kinds.chosen.emit("weights")
        assert mode.headline == "This run did not record how large its numbers are"
        assert mode.view.body.state == "empty"
        mode.workspace.set_run(None)
        assert "of these made-up weights" in mode.headline

    run_async(body())


def test_a_recorded_step_tells_layers_apart_and_gives_the_weight_of_the_lesson(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    finish(small_config(tmp_path), tmp_path / "run")

    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(tmp_path / "run"))
        await until(lambda: mode.recorded.step == 12, "the recorded step")
        assert mode.view.curves.message == text.NO_SCALE
        layers = mode.inputs.layers
        names = [layers.itemText(at) for at in range(layers.count())]
        assert names[0] == text.ALL and "block 1" in names
        layers.setCurrentIndex(names.index("block 1"))
        layers.activated.emit(layers.currentIndex())
        assert "in fp16" in mode.headline
        assert "of the gradients of block 1 at step 12" in mode.headline
        mode.choose(tab="weight")
        assert "at step 12, " in mode.view.lesson.whole
        kept = mode.state()
        mode.restore({"kind": "nonsense", "scale": 99, "layer": 3, "tab": None})
        assert mode.state() == {"version": 1, **asdict(Choice())}
        mode.restore(kept)
        assert mode.state() == kept and "gradients of block 1 at step 12" in mode.headline
        mode.choose(kind="weights")
        mode.choose(layer="lm_head.9")
        assert "weights at step 12 " in mode.headline
        mode.workspace.set_run(None)
        assert mode.recorded.step == 0
        mode.workspace.set_run(str(tmp_path / "run"))
        await until(lambda: mode.recorded.step == 12, "the recorded step, once more")

    run_async(body())


def test_the_gradient_and_the_place_stay_while_a_run_brings_other_steps(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    run = create_run(tmp_path / "run", small_config(tmp_path, precision="fp16"))
    writer = RunWriter(run, 0)

    def train(step: int, power: int) -> None:
        told = {"step": step, "loss": 4.0 - step, "loss_scale": 1024.0}
        writer.step({**told, "tokens": 96, "seconds": 0.1})
        writer.event("exponents", step, {"loss_scale": 1024.0, "gradients": counted(power)})

    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(run))
        await until(lambda: mode.headline == text.WAITING, "that the first is waited for")
        assert not mode.view.start.isVisibleTo(mode.view)
        train(1, -20)
        await until(lambda: "gradients at step 1 " in mode.headline, "step 1")
        mode.choose(tab="gradient")
        mode.player.seek(3)
        before = mode.trace
        train(2, -27)
        await until(lambda: "gradients at step 2 " in mode.headline, "step 2")
        assert mode.trace.about["gradient"] == before.about["gradient"] and mode.player.step == 3
        assert (before.about["loss"], mode.trace.about["loss"]) == (3, 2), (
            "of the step that is told"
        )
        mode.choose(format="bf16")
        assert mode.trace is not before and mode.player.step == 3
        assert mode.trace.about["format"].name == "bf16"
        writer.close()

    run_async(body())


def test_the_rule_of_the_loss_scale_is_played_at_its_newest_change(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        told: list[Any] = []
        mode.inspection.connect(told.append)
        mode.choose(tab="scale")
        assert mode.player.length == 0 and told[-1] is None, "without a run nothing is scaled"
        mode.workspace.set_run(str(scaled_run(tmp_path)))
        await until(lambda: mode.player.length == 4, "the skipped step")
        assert told[-1].step.title.startswith("Scaled: the loss of step 2 is multiplied by 2")
        assert told[-1].rows[0].text == "2 \u00d7 2,048 =\u00a04,096"
        assert mode.view.scale.cursor == 2 and mode.view.histogram.marked is None
        mode.player.end()
        assert told[-1].step.code.endswith("LossScaler._shrink#shrink")
        assert told[-1].rows[0].text == "2,048 \u00d7 0.5 =\u00a01,024"
        assert mode.view.scale.cursor == mode.view.losses.cursor == 3
        mode.choose(tab="weight")
        assert mode.player.length == 9 and mode.view.scale.cursor is None

    run_async(body())


def test_a_newer_change_of_the_scale_waits_until_the_cursor_is_back(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    run = create_run(tmp_path / "run", small_config(tmp_path, precision="fp16"))
    writer = RunWriter(run, 0)

    def skip(step: int) -> None:
        told = {"step": step, "loss": 2.0, "skipped": 1, "loss_scale": 2.0**-step * 4096}
        writer.step({**told, "tokens": 96, "seconds": 0.1})

    async def body() -> None:
        mode = make_mode()
        mode.choose(tab="scale")
        mode.workspace.set_run(str(run))
        for step in (1, 2):
            skip(step)
            await until(lambda step=step: mode.trace.about.get("step") == step, f"step {step}")
        mode.player.seek(2)
        skip(3)
        await until(lambda: mode.data.step == 3, "step 3")
        assert mode.trace.about["step"] == 2 and mode.player.step == 2
        mode.player.seek(0)
        assert mode.trace.about["step"] == 3 and mode.player.step == 0
        writer.close()

    run_async(body())


def test_what_cannot_be_read_is_said(make_mode: Any, run_async: Any, tmp_path: Path) -> None:
    async def body() -> None:
        mode = make_mode(MODES[2])  # Run would go back to the run before
        mode.workspace.set_run(str(tmp_path / "nothing"))
        await until(lambda: mode.view.body.state == "error", "the error")
        assert "nothing is no run" in mode.headline

    run_async(body())


def test_a_log_of_another_program_has_no_histograms(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n1,3.5\n2,3.25\n3,3.0\n")

    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(tmp_path / "log.csv"))
        await until(lambda: mode.data is not None, "the log")
        assert "made-up gradient" in mode.view.lesson.whole and mode.player.length == 5
        mode.choose(tab="scale")
        assert mode.player.length == 0 and mode.view.histogram.scene is None
        assert mode.headline == "This run did not record how large its numbers are"
        assert mode.view.body.state == "empty"
        assert mode.view.curves.message == text.NO_SCALE and mode.view.start.isVisibleTo(mode.view)

    run_async(body())


def test_the_event_of_the_test_is_an_event() -> None:
    assert CountedExponents(-26, (100,), 4).histogram().total == 100
    assert counted(-26) == {"lowest": -26, "counts": [100], "zeros": 4, "not_finite": 0}


@pytest.mark.filterwarnings("ignore")
def test_one_button_trains_in_fp16_and_in_fp32_from_one_seed(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = fp16().change({"steps": 12, "batch_size": 2, "loss_scale": 2.0**30})
    monkeypatch.setattr("explorer.panes.training.precision.mode.fp16", lambda: small)

    async def body() -> None:
        mode = make_mode()
        mode.view.start.click()
        told: list[str] = []
        mode.headlineChanged.connect(told.append)
        await until(lambda: mode.data is not None and mode.data.active, "the run in fp16")
        assert not mode.view.start.isVisibleTo(mode.view)
        await until(lambda: mode.data.state == "finished", "its end")
        assert text.WAITING in told and not any("did not count" in one for one in told)
        await until(lambda: mode.twin.data and mode.twin.data.state == "finished", "its twin's")
        assert mode.data.skips and mode.data.skips[1].where.startswith("the gradient of ")
        names = [one.name for one in mode.view.losses.series]
        assert names == ["fp32", "fp16"]
        first = [one.y[0] for one in mode.view.losses.series]
        assert first[0] == pytest.approx(first[1], rel=1e-3), "the same seed begins the same"
        assert "of the gradients at step 12 " in mode.headline

    run_async(body())
