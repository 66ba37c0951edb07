"""The mode Tune: ready at once, runs side by side, what they learn and forget, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.finetuning.settings import METHODS, RATES, settings_of
from core.numbers import format_general
from core.training.reader import RunReader
from core.training.runs import create_run
from explorer import theme
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.draft import TuneDraft
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS
from explorer.panes.finetuning.tune.scene import NOTHING, Curves
from explorer.panes.finetuning.tune.view import Charts, TuneForm
from tests.core.finetuning.small import LINES, small_base
from tests.core.training.small import small_config
from tests.explorer.conftest import dispose
from tests.explorer.demo import eager_runs
from tests.explorer.waiting import until


@pytest.fixture
def make_tune(torch_engine: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`await make_tune()`: the mode Tune, shown; what it trains lies in a temporary folder."""
    from explorer.panes.base import Context
    from explorer.panes.finetuning.pane import FinetuningPane
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = eager_runs(torch_engine, tmp_path / "runs")
    panes = []

    async def make() -> Any:
        settings = Settings(run_in="thread")
        pane = FinetuningPane(Context(torch_engine, Workspace(torch_engine), settings, runs))
        pane.resize(900, 560)
        panes.append(pane)
        pane.join_workspace()
        pane.shown()
        pane.request_mode("tune", None)
        await pane.settled()
        return pane.mode

    yield make
    for pane in panes:
        dispose(pane.inputs, pane)
    dispose(runs)


@pytest.fixture(scope="module")
def small(tmp_path_factory: Any) -> TuneDraft:
    """A setup whose runs take a moment."""
    folder = tmp_path_factory.mktemp("tune")
    base = small_base(folder / "base")
    data = folder / "met.jsonl"
    data.write_text(LINES)
    text = str(folder / "base" / "little.txt")
    return TuneDraft(base=str(base), data=str(data), base_data=text, steps="12", rank=2)


def test_the_first_state_is_ready_and_shows_what_was_recorded(
    make_tune: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_tune()
        assert mode.headline.startswith("In about ") and "LoRA can teach" in mode.headline
        assert mode.view.form.start.isEnabled() and mode.view.form.methods.scene[0].checked
        shown = mode.view.charts.losses.displayed()
        assert set(shown) == {"Bundled LoRA on questions", "Bundled LoRA on stories"}
        new, old = (shown[f"Bundled LoRA on {data}"][:, 1] for data in ("questions", "stories"))
        assert new[0] > 5 and new[-1] < 0.1 and abs(old[-1] - old[0]) < 0.2
        assert mode.view.charts.exact.displayed()["Bundled LoRA on questions"][-1, 1] == 100
        assert "replay 0.25" in mode.view.charts.losses.note
        assert mode.view.charts.exact.limits[2:] == (0, 104)
        asked = mode.view.answers.answers
        assert asked.tuned == {"questions": asked.right} and asked.right != asked.base
        mode.view.answers.another.click()
        await mode.settled()
        assert mode.view.answers.answers.prompt != asked.prompt

    run_async(body())


def test_a_new_form_shows_nothing_that_is_seldom_needed(qapp: Any) -> None:
    form = TuneForm()
    assert form.get.isHidden() and form.told.isHidden() and form.error.isHidden()
    assert form.fields["broken_lines"].isHidden() and not form.more.isChecked()
    dispose(form)


def test_a_method_and_a_matrix_are_chosen_by_a_click_and_undone(
    make_tune: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_tune()
        form = mode.view.form
        form.methods.resize(252, 200)
        full = form.methods.rects(form.methods.scene)[1]
        assert "trains every parameter of the model" in form.methods.said_at(full.center())
        QTest.mouseClick(form.methods, Qt.MouseButton.LeftButton, pos=full.center().toPoint())
        await mode.settled()
        assert (
            mode.draft.value.methods == ("lora", "full")
            and "LoRA and full fine-tuning" in mode.headline
        )
        assert form.fields["learning_rate"].editor.placeholderText() == "0.0003, 3e\u22125"
        grid = form.targets
        grid.resize(252, 140)
        values = grid.rect_of((2, -1)).center()
        assert "Values of all layers" in grid.said_at(values)
        QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=values.toPoint())
        await mode.settled()
        rest = ("attn.c_proj", "mlp.c_fc", "mlp.c_proj")
        assert mode.draft.value.targets == ("attn.c_attn.q", "attn.c_attn.k", *rest)
        assert grid.displayed()["3"].tolist() == [True, True, False, *[True] * 3]
        assert grid.said_at(QPointF(0, 500)) == ""
        mode.workspace.undo()
        mode.workspace.undo()
        assert mode.draft.value == TuneDraft()

    run_async(body())


def test_two_methods_train_and_each_has_its_pair_of_curves(
    make_tune: Any, run_async: Any, small: TuneDraft
) -> None:
    async def body() -> None:
        mode = await make_tune()
        mode.draft.begin(small)
        mode.toggle_method(1)
        await mode.settled()
        mode.view.form.start.click()
        await until(lambda: len(mode.runs.known) == 2, "two runs")
        done = lambda: all(one.finished for one in mode.runs.known.values())  # noqa: E731
        await until(done, "both to end")
        curves = mode.curves()
        assert {one.name for one in curves.values()} == {"LoRA", "Full"}
        shown = mode.view.charts.losses.displayed()
        names = "met.jsonl", "little.txt"
        assert set(shown) == {f"{a} on {b}" for a in ("LoRA", "Full") for b in names}
        for folder, one in curves.items():
            reader = RunReader(folder)
            np.testing.assert_allclose(one.new[1], reader.evaluations["validation"])
            np.testing.assert_allclose(one.old[1], reader.measures["base"][:, 1])
        exact = mode.view.charts.exact.displayed()
        assert set(exact) == {"LoRA on met.jsonl", "Full on met.jsonl"}
        assert exact["LoRA on met.jsonl"].shape == (13, 2)
        assert len(mode.view.answers.runs.rows) == 2
        assert mode.headline == text.headline(list(curves.values()), "met.jsonl")
        assert "held-out examples of met.jsonl" in mode.headline
        newest = Path(mode.desk.tuned.draft.value.address)
        assert newest.name == "step-000012" and str(newest.parents[1]) in curves
        seeds = {RunReader(folder).config.seed for folder in curves}
        assert seeds == {1338} and mode.state()["begun"] == 1

        def are_last() -> bool:
            said = mode.view.answers.answers.tuned
            return set(said) == set(curves) and all(
                one.startswith("step 12: ") for one in said.values()
            )

        await until(are_last, "their answers at the last step")
        assert mode.view.answers.answers.right.strip() in "stuvwx"
        assert mode.player.step == len(mode.steps) - 1
        mode.player.seek(1)
        await mode.settled()
        assert mode.view.charts.losses.cursor == 4
        said = [one.said for one in mode.view.answers.runs.rows.values()]
        assert len(said) == 2 and all(one.startswith("step 4:") for one in said)

    run_async(body())


def test_of_runs_that_start_together_the_first_method_is_followed(
    make_tune: Any, run_async: Any, small: TuneDraft
) -> None:
    """Whichever opens first."""

    async def body() -> None:
        mode, asked = await make_tune(), []
        begin = mode.steering.begin
        mode.steering.begin = lambda *run: asked.append(run)
        mode.draft.begin(replace(small, methods=("lora", "full")))
        await mode.settled()
        mode.start()
        for count, run in enumerate(reversed(asked), 1):
            begin(*run)
            await until(lambda: len(mode.runs.known) == count, "the run")  # noqa: B023
            await until(lambda: all(one.finished for one in mode.runs.known.values()), "its end")
        await mode.settled()
        followed = Path(mode.desk.tuned.draft.value.address).parents[1]
        assert [Path(one).name for one in mode.curves()] == ["LoRA", "Full"]
        assert followed.name == "LoRA"

    run_async(body())


def test_a_run_without_a_checkpoint_leaves_the_question_to_the_others(
    make_tune: Any, run_async: Any, small: TuneDraft, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = await make_tune()
        mode.draft.begin(small)
        await mode.settled()
        mode.start()
        await until(lambda: any(one.finished for one in mode.runs.known.values()), "the run")
        (first,) = mode.runs.folders
        other = tmp_path / "other.jsonl"
        other.write_bytes(Path(small.data).read_bytes())
        changes = {"data": str(other), "learning_rate": "1e30", "methods": ("full",)}
        mode.draft.begin(replace(small, **changes))
        await mode.settled()
        mode.start()
        await until(lambda: "failed" in mode.headline, "the end of the second")
        mode.ask_another()
        await until(lambda: mode.view.answers.answers.number, "the next question")
        assert mode.view.answers.answers.tuned[first].startswith("step 12: ")
        assert "met.jsonl" in mode.view.answers.question.accessibleName()

    run_async(body())


def test_a_run_is_dismissed_opened_in_training_and_found_again(
    make_tune: Any, run_async: Any, small: TuneDraft
) -> None:
    async def body() -> None:
        mode = await make_tune()
        mode.draft.begin(small)
        await mode.settled()
        mode.start()
        await until(lambda: any(one.finished for one in mode.runs.known.values()), "the run")
        folder = mode.runs.folders[0]
        rows = mode.view.answers.runs.rows
        await until(lambda: rows[folder].text.state == "finished", "its last word")
        assert rows[folder].text.name == Path(folder).name == "LoRA"
        mode.start()
        await until(lambda: len(mode.runs.known) == 2, "the second run")
        (again,) = set(mode.runs.folders) - {folder}
        assert rows[again].text.name == Path(again).name == "LoRA-2"
        await until(lambda: all(one.finished for one in mode.runs.known.values()), "its end")
        mode.runs.dismiss(again)
        assert rows[folder].told.endswith("12 of 12, learning rate 0.0003, rank 2")
        shown = {name for name, one in rows[folder].buttons.items() if not one.isHidden()}
        assert shown == {"open", "dismiss"}
        opened: list[str] = []
        mode.workspace.runOpened.connect(opened.append)
        rows[folder].buttons["open"].click()
        assert opened == [folder] and mode.workspace.run == folder
        state = mode.state()
        rows[folder].buttons["dismiss"].click()
        assert set(rows) == {"questions"} and mode.view.charts.losses.cursor is None
        assert mode.view.charts.losses.note
        mode.restore({**state, "question": -3})
        await until(lambda: folder in rows, "its row")
        assert mode.runs.folders == [folder] and mode.number == 0

    run_async(body())


def test_start_trains_what_the_form_says_as_soon_as_that_is_worked_out(
    make_tune: Any, run_async: Any, small: TuneDraft
) -> None:
    async def body() -> None:
        mode = await make_tune()
        begun = []
        mode.steering.begin = lambda config, *_: begun.append(settings_of(config).base)
        mode.draft.begin(small)
        assert set(mode.view.form.methods.scene[0].cells) == {"\u2026"}
        mode.start()
        assert not begun
        await mode.settled()
        assert begun == [small.base]
        assert mode.view.form.methods.scene[0].cells[0] != "\u2026"

    run_async(body())


def test_fables_are_learned_in_more_steps(make_tune: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_tune()
        mode.change("data", "fables")
        await mode.settled()
        grid = mode.planned.matrices
        assert len(grid.chosen) == len(grid.cells) and mode.draft.value.steps == "100"
        assert set(mode.view.form.methods.displayed()["rate"]) == {"0.003"}
        mode.change("data", "questions")
        assert mode.draft.value == TuneDraft()

    run_async(body())


@pytest.mark.parametrize(("change", "promised"), [
    ({}, True), ({"replay": 0.5}, True), ({"methods": ("lora", "full")}, True),
    ({"methods": ("lora", "head")}, False), ({"steps": "5"}, False), ({"rank": 1}, False),
    ({"learning_rate": "1e-9"}, False), ({"base": "smollm2"}, False), ({"data": "fables"}, False),
    ({"data": "fables", "steps": "100", "learning_rate": "0.003"}, True),
    ({"data": "x.jsonl"}, False),
])  # fmt: skip
def test_a_skill_is_promised_only_for_settings_that_teach_it(
    change: dict[str, Any], promised: bool
) -> None:
    assert text.is_promised(replace(TuneDraft(), **change)) == promised


def test_without_a_promise_the_headline_tells_what_is_trained(
    make_tune: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_tune()
        mode.change("steps", "5")
        await mode.settled()
        assert "teach" not in mode.headline
        assert "LoRA trains 4.4\u2009% of the model\u2019s parameters on questions" in mode.headline

    run_async(body())


def test_the_table_shows_each_methods_learning_rate(make_tune: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_tune()
        shown = mode.view.form.methods.displayed()
        assert shown["rate"].tolist() == [format_general(RATES[one]) for one in METHODS]
        mode.change("learning_rate", "0.002")
        await mode.settled()
        assert set(mode.view.form.methods.displayed()["rate"]) == {"0.002"}
        assert {one.learning_rate for one in mode.planned.configs.values()} == {0.002}

    run_async(body())


def test_the_count_of_a_fused_matrix_is_explained_and_its_cells_are_one(
    make_tune: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode, told = await make_tune(), []
        mode.inspection.connect(told.append)
        form, grid = mode.view.form, mode.view.form.targets
        fused = "c_attn (queries, keys and values): 4 \u00d7 8 \u00d7 (192 + 576) = 24,576"
        for targets, sums, row, joined in (
            (("attn.c_attn",), "8 \u00d7 (192 + 576) numbers; in 4 layers 24,576", fused, 8),
            (("all-linear",), "in each of 16 matrices, together 98,304", fused, 8),
            (("c_attn.q", "c_attn.v"), "in each of 8 matrices, together 24,576",
             "queries: 4 \u00d7 8 \u00d7 (192 + 192) = 12,288", 0),
        ):  # fmt: skip
            mode.draft.begin(replace(TuneDraft(), targets=targets))
            await mode.settled()
            assert sums in form.count.text() and told[-1].rows[1] == row
            assert len(grid.scene.joined) == joined
            values = grid.told((2, 0))
            assert ("share one A" in values) == (joined > 0)
            assert ("its own A and B" in values) == (joined == 0)
        mode.toggle_method(1)
        mode.toggle_method(0)
        await mode.settled()
        assert form.count.isHidden() and len(told[-1].rows) == 5

    run_async(body())


def test_the_form_is_as_wide_as_the_zoom_asks(make_tune: Any, run_async: Any) -> None:
    async def body() -> None:
        form = (await make_tune()).view.form
        before = form.width()
        try:
            theme.set_zoom(QApplication.instance(), 1.5)
            assert form.width() == round(1.5 * before)
        finally:
            theme.set_zoom(QApplication.instance(), 1)
        assert form.width() == before

    run_async(body())


def test_a_run_that_fails_says_why(make_tune: Any, run_async: Any, small: TuneDraft) -> None:
    async def body() -> None:
        mode = await make_tune()
        mode.draft.begin(replace(small, learning_rate="1e30", methods=("full",)))
        await mode.settled()
        mode.start()
        await until(lambda: "failed" in mode.headline, "the end")
        (row,) = mode.view.answers.runs.rows.values()
        assert row.text.state == "failed" and row.text.message in mode.headline
        assert "Full failed at step" in mode.headline

    run_async(body())


def test_what_cannot_start_says_why(make_tune: Any, run_async: Any, tmp_path: Path) -> None:
    async def body() -> None:
        mode, said = await make_tune(), []
        mode.statusRequested.connect(said.append)
        mode.change("steps", "none")
        await mode.settled()
        form = mode.view.form
        assert not form.start.isEnabled() and form.fields["steps"].error.text
        assert form.more.isChecked() and mode.headline.startswith("Steps: Use a whole number")
        mode.start()
        assert said and not mode.runs.folders
        mode.change("steps", "60")
        mode.change("data", str(tmp_path / "gone.jsonl"))
        await mode.settled()
        assert "gone.jsonl" in form.error.text
        mode.restore({"runs": [str(tmp_path / "nothing"), 3], "question": "x"})
        await until(lambda: not mode.runs.folders, "what is no run to be dismissed")

    run_async(body())


def test_a_broken_file_is_told_at_its_field_before_a_run_and_may_be_used_without_its_broken_lines(
    make_tune: Any, run_async: Any, small: TuneDraft, tmp_path: Path
) -> None:
    data = tmp_path / "broken.jsonl"
    data.write_text(f"{LINES}no example\n")

    async def body() -> None:
        mode = await make_tune()
        form = mode.view.form
        mode.draft.begin(replace(small, data=str(data)))
        await mode.settled()
        assert "1 of 49 lines of broken.jsonl is broken" in form.error.text
        assert not form.start.isEnabled() and "is broken" in form.start.toolTip()
        field = form.fields["broken_lines"]
        assert not field.isHidden() and field.value == "stop"
        field.changed.emit("skip")
        await mode.settled()
        assert form.start.isEnabled() and not form.error.text
        assert "1 broken line skipped, the first is line 49" in form.told.text().replace(
            "\u200b", ""
        )
        mode.change("data", "questions")
        await mode.settled()
        assert field.isHidden() and form.told.isHidden()

    run_async(body())


def test_a_failed_run_gives_way_to_the_setup_as_it_is_now(
    make_tune: Any, run_async: Any, small: TuneDraft
) -> None:
    async def body() -> None:
        mode, said = await make_tune(), []
        mode.statusRequested.connect(said.append)
        mode.draft.begin(replace(small, learning_rate="1e30", methods=("full",)))
        await mode.settled()
        mode.start()
        await until(lambda: "failed" in mode.headline, "the end")
        ((folder, row),) = mode.view.answers.runs.rows.items()
        shown = {name for name, one in row.buttons.items() if not one.isHidden()}
        assert shown == {"correct", "open", "dismiss"}
        mode.change("learning_rate", "")
        await mode.settled()
        row.buttons["correct"].click()
        await until(lambda: any(one.finished for one in mode.runs.known.values()), "the run")
        assert folder not in mode.runs.folders and len(mode.runs.folders) == 1

    run_async(body())


def test_a_base_that_is_not_here_can_be_got_by_one_button(
    make_tune: Any, run_async: Any, monkeypatch: Any
) -> None:
    async def body() -> None:
        mode, asked = await make_tune(), []
        hub, form = mode.context.hub_models, mode.view.form

        async def get(name: str, title: str, *, large: bool) -> bool:
            asked.append(name)
            return True

        monkeypatch.setattr(hub, "get", get)
        mode.change("base", "smollm2")
        await mode.settled()
        assert form.get.text() == "Get SmolLM2 135M (92.9 MB)" and not form.get.isHidden()
        assert not form.start.isEnabled() and not form.targets.isEnabled()
        assert {(one.cells, one.why) for one in form.methods.scene} == {((), "impossible")}
        form.get.click()
        await mode.settled()
        assert asked == ["smollm2"]
        mode.change("base", "stories")
        await mode.settled()
        assert form.get.isHidden() and form.targets.isEnabled()
        assert all(one.cells for one in form.methods.scene)

    run_async(body())


STEPS = np.array([0.0, 10.0, 20.0, 30.0])


def curves_of(name: str, exact: Sequence[float], old: Sequence[float], **other: Any) -> Curves:
    """A run that was measured at as many of `STEPS`."""
    steps = STEPS[: len(exact)]
    new = steps, 3.0 - np.array(exact)
    measured = (steps, np.array(old)) if old else NOTHING
    return Curves(name, "lora", 60, new, measured, (steps, np.array(exact)), **other)


def test_runs_are_compared_where_they_answer_equally_well() -> None:
    quick = curves_of("LoRA", [0, 0.8, 1, 1], [0.5, 0.6, 2, 3])
    slow = curves_of("Full", [0, 0, 0.6, 0.8], [0.5, 0.5, 0.6, 0.7])
    assert text.headline([quick, slow], "questions") == (
        "With 80\u2009% of the held-out questions right (step 10 for LoRA and step 30 for Full), "
        "the loss on stories has changed by +0.10 for LoRA and +0.20 for Full. By step 30, "
        "the change is +2.50 for LoRA and +0.20 for Full."
    )
    early = curves_of("Full", [0, 0.9], [0.5, 0.7])
    assert text.headline([quick, early], "questions") == (
        "With 90\u2009% of the held-out questions right (step 15 for LoRA and step 10 for Full), "
        "the loss on stories has changed by +0.80 for LoRA and +0.20 for Full."
    )


def test_runs_whose_skills_differ_too_much_are_not_compared() -> None:
    runs = [
        curves_of("LoRA", [0, 0.8, 1, 1], [0.5, 0.6, 2, 3]),
        curves_of("BitFit", [0, 0, 0.4], [0.5, 0.5, 0.5]),
    ]
    assert text.headline(runs, "questions") == (
        "At step 20, the share of right answers to held-out questions is 100\u2009% for LoRA and "
        "40\u2009% for BitFit. What they forget can be compared once all get 50\u2009% right."
    )


def test_runs_on_different_data_or_of_another_base_are_not_compared() -> None:
    line = np.array([0.0, 1.0]), np.array([2.0, 1.0])
    runs = [
        Curves("LoRA 1", "lora", 60, line, line),
        Curves("Full", "full", 60, line, line, untuned=(line[0], line[1] / 4)),
        Curves("LoRA 2", "lora", 60, line, line, data="fables"),
        Curves("LoRA 3", "lora", 60, line, line, base="smollm2"),
    ]
    assert text.headline(runs, "questions") == (
        "With a loss of 1 on questions (step 1 for LoRA 1 and step 1 for Full), the loss on "
        "stories has changed by \u22121.00 for LoRA 1 and +0.50 for Full."
    )
    assert text.headline(runs, "fables") == (
        "LoRA 2 has a loss of 1 on fables; its loss on stories fell by 1.00, to 1.00."
    )
    same = replace(runs[2], old=(line[0], np.ones_like(line[1])))
    assert text.headline([same], "fables").endswith("its loss on stories stays at 1.00.")
    two = [curves_of("A", [0, 1], [1, 2]), curves_of("B", [0, 1], [1, 4], base="smollm2")]
    assert " has changed by +0.95 for A. By step 10, the change is +1.00 for A." in (
        text.headline(two, "questions")
    )


def test_what_a_run_has_not_measured_is_not_told() -> None:
    runs = [curves_of("A", [0, 1], [2, 1]), curves_of("B", [0, 1], [])]
    assert "has changed by \u22120.95 for A. By" in text.headline(runs, "questions")
    none = text.headline([replace(one, old=NOTHING) for one in runs], "questions")
    assert none.endswith(", nothing is known of what they have forgotten.")
    wild = curves_of("C", [0, 1], [2, np.nan])
    assert "by \u22120.95 for A. By" in text.headline([runs[0], wild], "questions")
    assert text.headline([wild], "questions").endswith("what it forgets is not measured.")
    first = curves_of("D", [0.0], [2.0])
    assert "once all get 50\u2009% right" in text.headline([runs[0], first], "questions")
    lost = replace(first, exact=NOTHING, new=(first.new[0], np.array([np.nan])))
    assert "nan" not in text.headline([lost], "questions")
    assert "what they forget can be" in text.headline([lost, lost], "questions").lower()


def test_of_many_runs_the_range_is_told_and_one_curve_of_each_has_its_name(qtbot: Any) -> None:
    runs = [curves_of(f"run {at}", [0, at / 90], [1, at + 1]) for at in range(1, 8)]
    assert text.headline(runs, "questions").startswith(
        "At step 10, the share of right answers to held-out questions is 1\u2009% for run 1 to "
        "8\u2009% for run 7 (7 runs). "
    )
    alike = [replace(one, exact=(STEPS[:2], np.array([0, 1]))) for one in runs]
    assert text.headline(alike, "questions") == (
        "With 95\u2009% of the held-out questions right (step 10 for all 7 runs), the loss on "
        "stories has changed by +0.95 for run 1 to +6.65 for run 7 (7 runs). By step 10, the "
        "change is +1.00 for run 1 to +7.00 for run 7 (7 runs)."
    )
    charts = Charts()
    qtbot.addWidget(charts)
    charts.set_curves(runs)
    assert len(charts.losses.displayed()) == 14
    assert [one.name for one in charts.losses.series if one.named] == [
        f"run {at} on questions" for at in range(1, 8)
    ]
    charts.set_curves(runs[:3])
    assert all(one.named for one in charts.losses.series)


def test_a_run_of_another_kind_is_none_of_these(
    make_tune: Any, run_async: Any, tmp_path: Path
) -> None:
    other = create_run(tmp_path / "run-3", small_config(tmp_path))

    async def body() -> None:
        mode, said = await make_tune(), []
        mode.statusRequested.connect(said.append)
        mode.runs.add(str(other))
        await until(lambda: said, "why not")
        assert (
            said == ["run-3 is not a fine-tuning run; open it in Training"]
            and not mode.runs.folders
        )

    run_async(body())


def test_runs_of_one_method_have_colors_of_their_own() -> None:
    none = np.empty(0), np.empty(0)
    names = {"LoRA 1": "lora", "LoRA 2": "lora", "Full": "full"}
    inks = text.inks([Curves(name, method, 60, none) for name, method in names.items()])
    assert inks[0] == METHOD_TEXTS["lora"].color and inks[2] == METHOD_TEXTS["full"].color
    assert len(set(inks)) == 3
