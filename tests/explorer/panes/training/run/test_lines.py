"""The lines of a run: its past, another run's under it, its checkpoints; and what clears them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from core.training.reader import RunReader
from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer import theme
from explorer.panes.training.run.ancestry import comparable, names_apart, read_past
from explorer.panes.training.run.charts import LEAST, Charts
from explorer.panes.training.run.draft import TrainingDraft, config_of
from explorer.panes.training.run.text import headline, likeness
from explorer.runs.run_data import RunData, read
from tests.explorer.conftest import dispose
from tests.explorer.waiting import until

CONFIG = config_of(TrainingDraft().change({"lessons": "text"})).change(
    {"steps": 60, "probe_every": 10}
)


def loss_at(step: int, run: float) -> float:
    return 4.0 - 0.03 * step + run


def recorded(folder: Path, steps: range, run: float, parent=None, **changes: object) -> RunData:
    """A run as its folder tells it; validation is measured every tenth step."""
    writer = RunWriter(create_run(folder, CONFIG.change(changes), parent), steps.start - 1)
    for step in steps:
        writer.step({"step": step, "loss": loss_at(step, run), "tokens": 8, "seconds": 0.1})
        if step % 10 == 0:
            values = {"train": 0.0, "validation": loss_at(step, run) + 0.5}
            writer.event("evaluate", step, values)
    writer.event("end", steps.stop - 1, {"reason": "stopped"})
    writer.close()
    return read(RunReader(folder))


@pytest.fixture
def family(tmp_path):
    """A run, its branch at step 30, and the branch's branch at step 40."""
    first = recorded(tmp_path / "first", range(1, 61), 0.0)
    origin = {"run": str(first.folder), "step": 30}
    second = recorded(tmp_path / "second", range(31, 61), 0.2, origin)
    origin = {"run": str(second.folder), "step": 40}
    return first, second, recorded(tmp_path / "third", range(41, 61), 0.4, origin)


@pytest.fixture
def charts(qtbot):
    charts = Charts()
    charts.tools.setParent(charts)
    qtbot.addWidget(charts)
    return charts


def test_the_past_of_a_branch_is_its_parents_up_to_where_each_was_left(family):
    past = read_past(family[2].parent)
    assert (past.name, past.folder) == ("second", family[1].folder)
    steps, losses = past.series("loss")
    assert steps.tolist() == list(range(1, 41))
    expected = [loss_at(step, 0.0 if step <= 30 else 0.2) for step in range(1, 41)]
    np.testing.assert_allclose(losses, expected)
    assert past.evaluations["step"].tolist() == [10, 20, 30, 40]
    shutil.rmtree(family[0].folder)
    shorter = read_past(family[2].parent)
    assert shorter.steps["step"].tolist() == list(range(31, 41)), (
        "the nearest parent is still there"
    )
    shutil.rmtree(family[1].folder)
    assert read_past(family[2].parent) is None


def test_parents_that_name_each_other_end(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    recorded(first, range(1, 11), 0.0, {"run": str(second), "step": 5})
    recorded(second, range(1, 11), 0.0, {"run": str(first), "step": 5})
    assert len(read_past({"run": str(first), "step": 8}).steps)


def test_a_branch_shows_its_past_muted_up_to_the_marked_step_and_lies_on_top(family, charts):
    first, second, third = family
    charts.set_runs(
        replace(third, checkpoints={40: Path("c"), 60: Path("d")}), first, read_past(third.parent)
    )
    lines = charts.loss.series
    names = [one.name for one in lines]
    assert names[-1] == "train third" and names.index("train first") < names.index("train third")
    before = lines[names.index("before the branch")]
    assert before.color == "muted" and before.x[-1] == 40 and not before.named
    charts.set_runs(third, None, read_past(third.parent))
    rates = charts.small["rate"].displayed()["other run"]
    assert rates[:, 0].tolist() == list(range(1, 41))
    charts.set_runs(
        replace(third, checkpoints={40: Path("c"), 60: Path("d")}), first, read_past(third.parent)
    )
    marks = [(mark.x, mark.text, mark.rule) for mark in charts.loss.marks]
    assert marks == [
        (40, "branched from second at step 40", True),
        (40, "checkpoint, step 40", False),
        (60, "checkpoint, step 60", False),
    ]
    charts.set_runs(second, first, read_past(second.parent))
    assert "before the branch" not in [one.name for one in charts.loss.series], (
        "the parent lies there whole"
    )
    charts.set_runs(first)
    alone = ["train, evaluated", "validation", "train"]
    assert charts.loss.marks == () and list(charts.loss.displayed()) == alone


def test_both_large_plots_zoom_together_and_another_run_is_shown_whole(tmp_path, charts):
    charts.set_runs(recorded(tmp_path / "run", range(1, 61), 0.0))
    charts.loss.set_span((10.0, 30.0))
    assert charts.heads.span == (10.0, 30.0)
    charts.heads.set_span(None)
    assert charts.loss.span is None
    charts.heads.set_span((20.0, 40.0))
    charts.set_runs(None)
    assert charts.loss.span is None and charts.heads.span is None


@pytest.mark.parametrize("height", [70, 120])
def test_a_small_plot_has_two_or_three_numbers_with_units_at_its_axis(tmp_path, charts, height):
    run = recorded(tmp_path / "run", range(1, 60), 0.0)
    steps = run.steps.copy()
    steps["memory"] = 4.2e8 + 1e6 * steps["step"]
    steps["grad_norm"] = 1 + 0.1 * np.sin(steps["step"])
    steps["grad_norm"][30] = 500.0
    charts.set_runs(replace(run, steps=steps))
    for plot in charts.small.values():
        plot.resize(150, height)
        image = QImage(plot.size(), QImage.Format.Format_RGB32)
        plot.render(image)
        assert plot.broken is None
    for name in ("memory", "norm"):
        low, high = charts.small[name].limits
        ticks = charts.small[name].ticks()
        assert len(ticks) in ((2, 3) if height > 100 else (2,))
        assert all(low <= tick <= high for tick, _ in ticks)
    assert all(text.endswith(" MB") for _, text in charts.small["memory"].ticks())
    assert charts.small["norm"].limits[1] < 2, "one spike flattens nothing"
    assert charts.small["norm"].displayed()["gradient norm"][30, 1] == 500


@pytest.mark.parametrize("memory", [(1.2304e9, 1.2341e9), (912.4e6, 913.1e6), (0.4e9, 1.2e9)])
def test_the_numbers_at_the_axis_of_memory_differ_however_little_it_grows(charts, memory):
    plot = charts.small["memory"]
    plot.set_line(np.arange(9.0), np.linspace(*memory, 9))
    ticks = plot.ticks()
    words = [text for _, text in ticks]
    assert len(set(words)) == len(words) >= 2
    for tick, text in ticks:
        number, unit = text.split()
        assert float(number) * {"MB": 1e6, "GB": 1e9}[unit] == pytest.approx(tick, rel=1e-6)


def test_a_line_without_noise_lies_within_its_axis_to_its_last_value(tmp_path, charts):
    """Memory has stood still, then grows: that is no spike to be left out."""
    run = recorded(tmp_path / "run", range(1, 61), 0.0)
    steps = run.steps.copy()
    steps["memory"] = 400_000_000 + 1000 * (steps["step"] % 3)
    steps["memory"][-2:] = 900_000_000
    charts.set_runs(replace(run, steps=steps))
    low, high = charts.small["memory"].limits
    assert low < 400_000_000 and high > 900_000_000


def test_the_end_of_the_loss_is_told_as_it_is_drawn(tmp_path, charts):
    charts.set_runs(recorded(tmp_path / "run", range(1, 61), 0.0))
    charts.smoothing.setValue(0)
    assert charts.smoothed_loss is None
    charts.smoothing.setValue(60)
    assert loss_at(60, 0.0) < charts.smoothed_loss < loss_at(50, 0.0)
    charts.set_runs(None)
    assert charts.smoothed_loss is None


def test_losses_of_another_tokenizer_are_not_drawn_and_the_plot_says_so(tmp_path, charts):
    run = recorded(tmp_path / "words", range(1, 11), 0.0)
    letters = recorded(
        tmp_path / "letters", range(1, 11), 0.0, tokenizer="characters", corpus="a.txt"
    )
    charts.set_runs(run, letters)
    assert "another tokenizer" in charts.loss.note and "letters" in charts.loss.note
    assert list(charts.loss.displayed()) == ["validation", "train"]
    other = recorded(tmp_path / "others", range(1, 11), 0.0, tokenizer="characters", corpus="b.txt")
    assert not comparable(letters, other) and comparable(letters, letters)
    charts.set_runs(run)
    assert "not drawn" not in charts.loss.note


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path, charts):
    one = recorded(tmp_path / "mine" / "stories", range(1, 11), 0.0)
    two = recorded(tmp_path / "yours" / "stories", range(1, 11), 0.1)
    assert names_apart(one, two) == ("mine/stories", "yours/stories")
    charts.set_runs(one, two)
    assert len(charts.loss.displayed()) == 4


def test_a_branch_says_how_far_it_is_its_parent(family, tmp_path):
    first, second, third = family
    assert likeness(second, first) == "differs from first from step 31 on"
    origin = {"run": str(first.folder), "step": 30}
    same = recorded(tmp_path / "same", range(31, 51), 0.0, origin)
    assert likeness(same, first) == "coincides with first up to step 50"
    steps = same.steps.copy()
    steps["loss"][9:] += 1e-6
    assert likeness(replace(same, steps=steps), first) == "differs from first from step 40 on"
    assert likeness(third, first) == "" == likeness(first, None) == likeness(first, second)
    begun = recorded(tmp_path / "begun", range(31, 31), 0.0, origin)
    assert likeness(begun, first) == ""


def test_a_branch_of_a_good_run_is_not_said_to_learn_nothing(tmp_path):
    """Its batches have losses that differ, and an evaluation's is lower: it reads no repeats."""
    origin = {"run": str(tmp_path / "first"), "step": 30}
    branch = recorded(tmp_path / "branch", range(31, 61), 0.0, origin)
    evaluations = branch.evaluations.copy()
    evaluations["train"] = 1.6
    steps = branch.steps.copy()
    steps["loss"] = np.tile([1.7, 2.2], 15)
    branch = replace(branch, evaluations=evaluations, steps=steps)
    said = headline(branch, "running", None, False, 1.98)
    assert "does not learn" not in said and "lower learning rate" not in said
    steps["loss"][20:] = 9.0
    assert "does not learn" in headline(branch, "running", None, False, 9.0)


def test_another_run_takes_the_overlay_away(make_pane, run_async, tmp_path):
    async def story():
        first = recorded(tmp_path / "first", range(1, 61), 0.0)
        origin = {"run": str(first.folder), "step": 30}
        branch = recorded(tmp_path / "branch", range(31, 61), 0.2, origin)
        other = recorded(tmp_path / "other", range(1, 61), 0.3)
        pane = make_pane()

        def lines() -> set[str]:
            return set(pane.view.charts.loss.displayed())

        pane.open_run(str(first.folder))
        await until(lambda: "train" in lines(), "the run")
        pane.overlay(str(other.folder))
        await until(lambda: "train other" in lines(), "the overlay")
        pane.workspace.set_run(str(branch.folder))
        await until(lambda: {"train", "before the branch"} <= lines(), "the branch's past")
        assert "train other" not in lines()
        past = pane.view.charts.loss.displayed()["before the branch"]
        np.testing.assert_allclose(past[:, 1], first.steps["loss"][:30])
        assert pane.other.folder is None and pane.state()["overlay"] == ""
        await pane.settled()

    run_async(story())


def test_a_new_run_shows_no_heads_of_the_one_before(make_pane, run_async, tmp_path):
    async def story():
        seen = recorded(tmp_path / "seen", range(1, 11), 0.0)
        shape = CONFIG.model
        maps = np.full((shape.n_layer, shape.n_head, 8, 8), 200, np.uint8)
        writer = RunWriter(seen.folder, 10)
        writer.probe(0, {"attention": maps})
        writer.close()
        config = CONFIG.change({"steps": 4000})
        young = create_run(tmp_path / "young", config, {"run": "gone", "step": 30})
        writer = RunWriter(young, 30)
        for step in (31, 32, 33):
            writer.step({"step": step, "loss": 1.0, "tokens": 8, "seconds": 0.1})
        pane = make_pane()
        pane.open_run(str(seen.folder))
        await until(lambda: pane.view.heads.state == "ready", "the heads")
        states = []
        pane.view.heads.stateChanged.connect(states.append)
        pane.open_run(str(young))
        assert pane.view.heads.state != "ready"
        await until(lambda: pane.follower.data is not None, "the new run")
        assert pane.view.heads.state == "empty" and not {"ready", "stale"} & set(states)
        assert "at step 40" in pane.view.heads.message
        assert pane.view.heads.waited == 0, "nothing is waited for"
        writer.probe(40, {"attention": maps})
        writer.step({"step": 40, "loss": 1.0, "tokens": 8, "seconds": 0.1})
        await until(lambda: pane.view.heads.state == "ready", "its own heads")
        assert pane.snapshots.step == 40
        writer.close()
        await pane.settled()

    run_async(story())


def test_the_smoothing_takes_the_keyboard_and_says_its_value(qtbot, charts):
    window, field = QWidget(), QLineEdit()
    row = QHBoxLayout(window)
    row.addWidget(field)
    row.addWidget(charts.tools)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    slider = charts.smoothing
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert slider.hasFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_PageUp)
    assert slider.value() == before + 25
    assert "85" in slider.accessibleDescription() and "85" in slider.toolTip()
    assert slider.accessibleName() == "Smoothing of the training loss"
    assert slider.minimumHeight() >= theme.current().px("hit")
    assert charts.loss.smoothing == pytest.approx(1 - 0.15**2)


def test_the_losses_keep_their_least_height_at_any_zoom(qapp):
    charts = Charts()
    for zoom in (2.0, 1.0):
        theme.apply(qapp, "light", zoom, "off")
        assert charts.loss.minimumHeight() == LEAST * zoom
    dispose(charts)
