"""The branch's form: what it asks, what it refuses, and that the branch trains as it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.optimization.schedules import SCHEDULES
from core.training.this_machine import Machine
from explorer.panes.training.run.branch_draft import BranchDraft, changes_of, check, has_last_rate
from explorer.panes.training.run.draft import TrainingDraft, config_of
from tests.explorer.waiting import until

from .conftest import started, state_of

OPTIONS = BranchDraft(
    run="/runs/stories",
    step=500,
    learning_rate="0.002",
    min_learning_rate="0.0002",
    steps="1500",
    batch_size="8",
    ranks="1",
    precision="fp32",
    optimizer="adamw",
    parallel="ddp",
    name="stories-at-500",
)


@pytest.mark.parametrize(
    ("field", "text", "remedy"),
    [
        ("learning_rate", "fast", "3e-4"),
        ("learning_rate", "0", "above 0"),
        ("min_learning_rate", "1", "use 0.0002"),
        ("steps", "many", "whole number"),
        ("steps", "500", "more than its 500, such as 750"),
        ("name", " ", "use stories-at-500"),
    ],
)
def test_a_bad_value_has_its_error_and_remedy_below_its_field(field, text, remedy):
    errors = check(replace(OPTIONS, **{field: text}))
    assert remedy in errors[field]


def test_only_what_differs_from_the_run_is_changed():
    config = config_of(TrainingDraft())
    assert check(OPTIONS) == {} and changes_of(OPTIONS, config) == {}
    lower = OPTIONS.change("learning_rate", "1e-3", config)
    assert changes_of(lower, config) == {"learning_rate": 1e-3, "min_learning_rate": 1e-4}
    own = OPTIONS.change("min_learning_rate", "5e-4", config)
    assert own.change("learning_rate", "1e-3", config).min_learning_rate == "5e-4"


def test_batch_ranks_precision_and_optimizer_may_differ():
    config = config_of(TrainingDraft())
    other = replace(OPTIONS, batch_size="4", ranks="2", precision="bf16", optimizer="sgd")
    assert check(other) == {}
    assert changes_of(other, config) == {
        "batch_size": 4,
        "ranks": 2,
        "precision": "bf16",
        "optimizer": "sgd",
    }
    errors = check(replace(OPTIONS, batch_size="2", ranks="3"))
    assert errors["ranks"].startswith("A batch of 2 leaves some of 3 ranks without a sequence")
    two, laptop = replace(OPTIONS, ranks="2"), Machine(cores=2)
    assert "no GPU that torch can use" in check(two, "cuda", laptop)["ranks"]
    assert check(two, "auto", laptop) == check(two, "cuda", Machine(cores=2, gpus=2)) == {}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_that_falls_to_a_last_rate_has_a_field_for_it(schedule):
    config = config_of(TrainingDraft(schedule=schedule))
    lower = config.change({"min_learning_rate": config.min_learning_rate / 2})
    steps = range(config.steps + 1)
    differs = any(config.planned_rate(at) != lower.planned_rate(at) for at in steps)
    assert has_last_rate(config) == differs


def test_a_branch_that_an_older_session_kept_has_what_it_lacks_from_its_run():
    config = config_of(TrainingDraft())
    kept = replace(OPTIONS, batch_size="", ranks="", precision="", optimizer="", parallel="")
    assert kept.filled(config) == OPTIONS


def test_a_field_left_as_it_is_changes_nothing_though_it_shows_six_digits():
    config = config_of(TrainingDraft()).change(
        {"learning_rate": 1e-3 / 3, "min_learning_rate": 3e-4 / 7}
    )
    shown = replace(OPTIONS, learning_rate="0.000333333", min_learning_rate="4.28571e-05")
    assert changes_of(shown, config) == {}
    other = shown.change("learning_rate", "0.0004", config)
    back = other.change("learning_rate", "0.000333333", config)
    assert changes_of(back, config) == {}


def test_a_name_that_no_folder_can_have_is_refused_in_its_field():
    assert "at most 100" in check(replace(OPTIONS, name="n" * 300))["name"]


def test_a_branch_trains_with_the_rate_the_steps_and_the_name_that_were_typed(
    make_pane, run_async, qtbot
):
    async def story():
        pane = make_pane(steps="60")
        pane.widget().window().show()
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        steps = [moment.step for moment in pane.track.moments]
        pane.player.seek(steps.index(20))
        pane.view.card.asked.emit("branch")
        form = pane.view.branch
        assert form.isVisible() and Path(pane.workspace.run) == folder, "it asks first"
        values = {name: field.value for name, field in form.fields.items()}
        config = pane.follower.data.config
        assert values == {
            "learning_rate": "0.002",
            "min_learning_rate": "0.0002",
            "steps": "60",
            "batch_size": "2",
            "ranks": "1",
            "precision": "fp32",
            "optimizer": "adamw",
            "parallel": "ddp",
            "name": f"{folder.name}-at-20",
        }
        same = form.plot.displayed()
        np.testing.assert_allclose(same["branch"][:, 1], [config.planned_rate(int(s)) for s in
                                   same["branch"][:, 0]])  # fmt: skip
        rate = form.fields["learning_rate"].editor
        rate.selectAll()
        qtbot.keyClicks(rate, "0")
        assert "above 0" in form.fields["learning_rate"].error.text
        assert not form.start.isEnabled() and "branch" not in form.plot.displayed()
        qtbot.keyClicks(rate, ".0004")
        assert form.fields["min_learning_rate"].value == "4e-05", "it goes with the peak"
        assert pane.workspace.undo_text == "The branch's learning rate 0.0004"
        pane.workspace.undo()
        assert rate.text() == "0.002"
        pane.workspace.redo()
        for name, text in (("steps", "40"), ("name", "gently")):
            form.fields[name].editor.selectAll()
            qtbot.keyClicks(form.fields[name].editor, text)
        planned = form.plot.displayed()["branch"]
        assert (planned[0, 0], planned[-1, 0]) == (20, 40)
        qtbot.keyClick(rate, Qt.Key.Key_Return)
        await until(lambda: Path(pane.workspace.run) != folder, "the branch")
        assert not form.isVisible()
        await until(lambda: state_of(pane) == "finished", "the branch's end")
        data = pane.follower.data
        changed = config.change({"learning_rate": 4e-4, "min_learning_rate": 4e-5, "steps": 40})
        assert data.name == "gently" and data.config == changed
        np.testing.assert_array_equal(data.steps["step"], np.arange(21, 41))
        rates = [changed.planned_rate(step - 1) for step in range(21, 41)]
        np.testing.assert_allclose(data.steps["learning_rate"], rates)
        assert rates[0] == pytest.approx(planned[0, 1])
        await pane.settled()

    run_async(story())


def test_an_unchanged_branch_lies_over_its_parent_and_says_that_they_coincide(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60")
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        pane.steering.branch(folder, 20, {})
        await until(lambda: Path(pane.workspace.run) != folder, "the branch")
        assert pane.other.folder == folder
        said = f"coincides with {folder.name} up to step 60"
        await until(lambda: said in pane.view.card.text.note, "the likeness")
        assert f"train {folder.name}" in pane.view.charts.loss.displayed()
        pane.open_run(str(folder))
        await until(lambda: pane.follower.data is not None, "the parent")
        assert "coincides" not in pane.view.card.text.note
        await pane.settled()

    run_async(story())


def test_escape_closes_the_form_and_nothing_begins(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane(steps="60")
        pane.widget().window().show()
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        pane.branch_here()
        form = pane.view.branch
        assert form.fields["steps"].value == "90", "at the run's end half as many again"
        qtbot.keyClick(form.fields["name"].editor, Qt.Key.Key_Escape)
        assert not form.isVisible() and not pane.branch.is_open
        pane.branch_here()
        assert pane.cancel() and not form.isVisible()
        assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]
        await pane.settled()

    run_async(story())


def test_a_branch_that_cannot_begin_says_why_in_its_form(make_pane, run_async, monkeypatch):
    async def story():
        pane = make_pane(steps="60")
        pane.widget().window().show()
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        pane.branch_here()

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("core.training.runs.branch", full)
        pane.view.branch.startRequested.emit()
        await until(lambda: "No space left" in pane.view.branch.why.text, "the reason")
        assert pane.view.branch.isVisible() and Path(pane.workspace.run) == folder
        await pane.settled()

    run_async(story())
