"""The setup: what it shows before a run, and what it says about bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from core.numbers import format_bytes, format_count
from core.optimization.schedules import learning_rate_at
from core.tokenization import train_tokenizer
from core.training.sizes import estimate
from core.training.this_machine import Machine
from explorer.panes.training.run import compute
from explorer.panes.training.run.compute import Cost
from explorer.panes.training.run.draft import TrainingDraft, config_of, draft_of
from explorer.panes.training.run.form import SCALING
from explorer.panes.training.run.text import cost_note, machine_text, where_text
from explorer.runs.backend_choice import SLOW_STEP
from explorer.widgets.toggle import SegmentedControl
from tests.explorer.waiting import until


def has_cost(pane) -> bool:
    """Whether it says how many parameters there are."""
    return any(map(str.isdigit, pane.form.facts["parameters"].accessibleName()))


def test_few_controls_one_primary_button_and_names_for_all(make_pane, run_async):
    async def story():
        pane = make_pane()
        pane.widget().window().show()
        await pane.settled()
        kinds = (QLineEdit, SegmentedControl, QPushButton)
        shown = [w for kind in kinds for w in pane.form.findChildren(kind) if w.isVisible()]
        more = [w for w in shown if w is not pane.form.more]
        assert len(more) <= 7
        assert all(w.accessibleName() or w.text() for w in shown)
        primary = [w for w in shown if w.property("look") == "primary"]
        assert [w.text() for w in primary] == ["Start training"]
        pane.form.more.click()
        assert pane.form.fields["n_embd"].isVisible()

    run_async(story())


def test_cost_and_schedule_are_those_of_core(make_pane, run_async):
    async def story():
        pane = make_pane()
        await until(lambda: has_cost(pane), "a cost")
        config = config_of(pane.setup.draft.value)
        text = format_count(estimate(config).parameters)
        assert pane.form.facts["parameters"].accessibleName().endswith(text)
        shown = pane.form.plot.displayed()["rate"]
        for step, rate in shown[::20]:
            expected = learning_rate_at(
                int(step),
                schedule="cosine",
                learning_rate=2e-3,
                min_learning_rate=2e-4,
                warmup_steps=60,
                steps=1500,
            )
            assert np.isclose(rate, expected)
        assert shown[:, 1].max() == pytest.approx(2e-3)
        await pane.settled()

    run_async(story())


def test_while_a_field_is_wrong_the_inspector_keeps_the_last_plan(make_pane, run_async):
    async def story():
        pane = make_pane()
        seen = []
        pane.inspection.connect(seen.append)
        pane.setup.change("steps", "900")
        assert seen[-1].table["learning rate"][-1, 0] == 900
        pane.setup.change("steps", "many")
        assert seen[-1].table["learning rate"][-1, 0] == 900
        pane.setup.change("steps", "700")
        assert seen[-1].table["learning rate"][-1, 0] == 700
        await pane.settled()

    run_async(story())


def test_a_model_that_no_memory_holds_cannot_be_started(make_pane, run_async):
    async def story():
        pane = make_pane()
        large = {"n_layer": "96", "n_head": "64", "n_embd": "16384", "block_size": "128"}
        pane.setup.draft.begin(pane.setup.draft.value.change(large))
        await until(lambda: "size" in pane.setup.errors, "the refusal")
        assert "GB of memory" in pane.form.fields["size"].error.text
        assert not pane.form.start.isEnabled() and "GB" in pane.form.start.toolTip()
        pane.setup.draft.begin(pane.setup.draft.value.change({"size": "tiny"}))
        await pane.settled()
        assert not pane.setup.errors and pane.form.start.isEnabled()

    run_async(story())


def test_a_tokenizer_comes_with_the_text_that_it_was_trained_on(make_pane, run_async, tmp_path):
    text = tmp_path / "verse.txt"
    text.write_text("The sea is calm to-night. " * 400)
    folder = tmp_path / "BPE 270, verse"
    folder.mkdir()
    train_tokenizer("bpe", text.read_text(), 270).save(folder / "tokenizer.json")

    async def story():
        pane = make_pane()
        workspace, before = pane.context.workspace, pane.setup.draft.value
        workspace.train_with(str(folder / "tokenizer.json"), str(text))
        draft = pane.setup.draft.value
        assert draft.corpus == str(text) and draft.tokenizer == str(folder / "tokenizer.json")
        await pane.settled()
        assert "tokens of BPE 270, verse" in pane.form.shape.text()
        workspace.undo()
        assert pane.setup.draft.value == before, "text and tokenizer are one change"
        workspace.train_with(str(folder / "tokenizer.json"))
        assert pane.setup.draft.value.corpus == before.corpus
        await pane.settled()

    run_async(story())


def test_the_cost_of_a_model_of_characters_counts_those_of_the_text(make_pane, run_async, tmp_path):
    text = tmp_path / "verse.txt"
    text.write_text("The sea is calm\nto-night. " * 200 + "\u00e9")

    async def story():
        pane = make_pane()
        pane.setup.change("corpus", str(text))
        expected = len(set(text.read_text()))
        await until(
            lambda: pane.setup.config and pane.setup.config.model.vocab_size == expected,
            "the characters",
        )
        await until(lambda: pane.form.excerpt, "the excerpt")
        lines = pane.form.excerpt.splitlines()
        assert lines[0] == "The sea is calm", "lines stay lines"
        await pane.settled()

    run_async(story())


def test_a_bad_value_disables_start_and_says_why_beside_the_field(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        field = pane.form.fields["steps"]
        field.editor.setText("")
        qtbot.keyClicks(field.editor, "ten")
        assert "whole number" in field.error.text
        assert not pane.form.start.isEnabled()
        assert "whole number" in pane.form.start.toolTip()
        field.editor.clear()
        qtbot.keyClicks(field.editor, "10")
        assert pane.form.start.isEnabled(), "the warm-up went with the steps"
        assert pane.setup.draft.value.warmup_steps == "0"
        pane.setup.change("warmup_steps", "10")
        assert "warm-up" in pane.form.fields["warmup_steps"].error.text
        assert pane.form.more.isChecked(), "a field with an error is shown"
        await pane.settled()

    run_async(story())


def test_more_opens_for_a_hidden_error_alone(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        pane.widget().window().show()
        rate = pane.form.fields["learning_rate"].editor
        for wrong in ("-1", "0", "50", "1e-", "fast"):
            rate.clear()
            qtbot.keyClicks(rate, wrong)
            assert set(pane.setup.errors) == {"learning_rate"}
            assert not pane.form.more.isChecked(), "the field with the error is on the screen"
        pane.setup.change("learning_rate", "2e-3")
        pane.setup.change("min_learning_rate", "1")
        assert pane.form.more.isChecked()
        await pane.settled()

    run_async(story())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02" * 100, "not a UTF-8 text"),
        (b"\xff\xfe" * 100, "not a UTF-8 text"),
        (b"too short", "Choose a longer text"),
        (None, "choose another file"),
    ],
)
def test_a_text_that_cannot_be_learned_says_the_remedy(
    make_pane, run_async, tmp_path, content, says
):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)

    async def story():
        pane = make_pane()
        pane.choose_text(str(path))
        await until(lambda: pane.form.fields["corpus"].error.text, "an error")
        assert says in pane.form.fields["corpus"].error.text
        assert not pane.form.start.isEnabled()
        pane.setup.change("corpus", "stories")
        assert pane.form.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_a_dropped_text_is_chosen_and_its_beginning_shown(make_pane, run_async, tmp_path):
    path = tmp_path / "sea.txt"
    path.write_text("The sea was calm that day. " * 100)

    async def story():
        pane = make_pane()
        pane.form.fileDropped.emit(str(path))
        await until(lambda: "calm" in pane.form.excerpt, "the excerpt")
        assert pane.setup.draft.value.tokenizer == "characters"
        assert pane.form.start.isEnabled()
        await pane.settled()

    run_async(story())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_precision_computed_in_software_costs_and_says_its_measured_time(precision):
    """Whatever processor the test runs on: what was measured of one counts."""
    fp32, half = (config_of(TrainingDraft(precision=one)) for one in ("fp32", precision))
    without = Machine(2, speed=1e11, relative={"bf16": 0.08, "fp16": 0.08})
    cost = compute.estimated(half, without)
    plain = compute.estimated(fp32, cost.machine)
    assert cost.machine.relative == without.relative, "measured once"
    assert cost.estimate.seconds > 5 * plain.estimate.seconds
    said = cost_note(half, cost, "thread")
    assert "in software: about 12 times slower" in said and "software" not in cost_note(
        fp32, plain, "thread"
    )
    arithmetic = Machine(2, speed=1e11, relative={"bf16": 2.0, "fp16": 2.0})
    quick = compute.estimated(half, arithmetic)
    assert quick.estimate.seconds < plain.estimate.seconds
    assert "software" not in cost_note(half, quick, "thread")


def test_bf16_is_recommended_where_it_was_measured_to_be_faster():
    config = config_of(TrainingDraft().change({"size": "large"}))
    costs = [
        compute.estimated(config, Machine(2, speed=1e11, relative={"bf16": speed}))
        for speed in (2.0, 0.08)
    ]
    said = ["bf16 would be faster" in cost_note(config, cost, "thread") for cost in costs]
    assert said == [True, False]


@pytest.mark.parametrize("device", ["cpu", "auto", "cuda"])
def test_tf32_is_said_to_be_computed_in_one_precision(device):
    config = config_of(TrainingDraft(precision="tf32", device=device))
    here = Machine(2, gpus=int(device == "cuda"))
    told = where_text(config, here)
    assert ("tf32" in told) == (device == "cuda") and ("fp32" in told) == (device != "cuda")


def test_long_steps_go_to_a_process_unless_a_person_chose_where(make_pane, run_async, monkeypatch):
    def slow_when_large(config, machine):
        seconds = 2 * SLOW_STEP if config.model.n_embd >= 256 else 0.01
        found = replace(estimate(config), seconds_per_step=seconds)
        return Cost(found, machine or Machine(2, speed=1e9))

    monkeypatch.setattr(compute, "estimated", slow_when_large)

    async def story():
        pane = make_pane()
        where = pane.form.fields["where"]
        await until(lambda: has_cost(pane), "a cost")
        assert where.value == "thread"
        pane.setup.change("size", "large")
        await until(lambda: where.value == "process", "the switch")
        assert config_of(pane.setup.draft.value).model.n_embd == 256
        await until(lambda: "its own process" in pane.form.note.text(), "why it switched")
        pane.setup.change("size", "small")
        await until(lambda: where.value == "thread", "the way back")
        pane.setup.change("where", "thread")
        pane.setup.change("size", "large")
        await until(lambda: "better run in its own process" in pane.form.note.text(), "the advice")
        assert where.value == "thread"
        await pane.settled()

    run_async(story())


WHERE = ("device", "precision", "ranks", "parallel", "micro_batches", "activation_checkpointing")


def found_on(machine: Machine):
    """Instead of a measurement: this machine."""

    def found(config, known):
        return Cost(estimate(config), machine)

    return found


def test_two_ranks_are_one_click_and_the_form_says_what_the_machine_has(
    make_pane, run_async, monkeypatch
):
    monkeypatch.setattr(compute, "estimated", found_on(Machine(2, speed=1e9)))

    async def story():
        pane = make_pane(run_in="thread", batch_size="2")
        setup, draft = pane.form, pane.setup.draft
        await until(lambda: pane.setup.here, "the machine")
        assert machine_text(pane.setup.here) == "2 cores, no GPU"
        assert "fp32 on the CPU" in setup.computes.text()
        setup.where.control.chosen.emit("2")
        assert (draft.value.ranks, draft.value.run_in) == ("2", "process")
        assert pane.workspace.undo_text == "Train on this machine 2 ranks"
        assert config_of(draft.value).ranks == 2
        assert "2 processes share each batch" in setup.computes.text()
        assert "each holds the whole model" in setup.computes.text()
        sent = format_bytes(estimate(config_of(draft.value)).sent)
        await until(lambda: f"Each rank sends {sent} per step" in setup.note.text(), "the exchange")
        assert setup.facts["memory"].accessibleName().startswith("memory per rank")
        pane.setup.change("ranks", "3")
        assert setup.fields["where"].value == "own"
        pane.setup.change("batch_size", "6")
        assert "only 2 cores" in setup.computes.text()
        setup.where.control.chosen.emit("thread")
        assert (draft.value.ranks, draft.value.run_in) == ("1", "thread")
        await pane.settled()

    run_async(story())


def test_more_begins_with_where_it_computes_in_sight(make_pane, run_async):
    async def story():
        pane = make_pane()
        window = pane.widget().window()
        window.resize(824, 480)
        window.show()
        await pane.settled()
        assert "Device, precision" in pane.form.more.text()
        pane.form.more.click()
        for name in WHERE[:4]:
            field = pane.form.fields[name]
            await until(lambda field=field: field.visibleRegion().rectCount(), name)
        pane.setup.change("micro_batches", "4")
        pane.setup.change("activation_checkpointing", True)
        config = pane.setup.config
        assert (config.micro_batches, config.activation_checkpointing) == (4, True)
        again = draft_of(config, TrainingDraft())
        assert (again.micro_batches, again.activation_checkpointing) == ("4", True)
        await pane.settled()

    run_async(story())


def test_a_gpu_that_is_not_there_is_refused_beside_its_field(make_pane, run_async, monkeypatch):
    monkeypatch.setattr(compute, "estimated", found_on(Machine(2, speed=1e9)))

    async def story():
        pane = make_pane()
        await until(lambda: pane.setup.here, "the machine")
        pane.setup.change("device", "cuda")
        field = pane.form.fields["device"]
        assert "no GPU that torch can use; use device cpu, or auto" in field.error.text
        assert not pane.form.start.isEnabled() and pane.form.more.isChecked()
        pane.setup.change("device", "auto")
        assert pane.form.start.isEnabled() and not field.error.text
        await pane.settled()

    run_async(story())


def test_with_several_gpus_all_of_them_are_one_click(make_pane, run_async, monkeypatch):
    server = Machine(64, gpus=4, gpu="NVIDIA H100 80GB HBM3", speed=1e9)
    monkeypatch.setattr(compute, "estimated", found_on(server))

    async def story():
        pane = make_pane(batch_size="8")
        where = pane.form.fields["where"]
        await until(lambda: pane.setup.here, "the machine")
        assert "4 \u00d7 H100" in machine_text(pane.setup.here)
        assert "on the GPU" in pane.form.computes.text()
        assert ("4", "4 ranks") in where.control.segments
        where.control.chosen.emit("4")
        assert pane.setup.config.ranks == 4
        assert "a GPU each" in pane.form.computes.text()
        pane.setup.change("device", "cuda")
        pane.setup.change("ranks", "8")
        assert "this machine has 4; use fewer ranks" in pane.form.fields["device"].error.text
        await pane.settled()

    run_async(story())


def test_what_is_typed_and_chosen_is_undone_and_redone(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        workspace, first = pane.workspace, pane.setup.draft.value
        assert workspace.undo_text == "", "what a pane begins with is no change"
        steps = pane.form.fields["steps"].editor
        steps.clear()
        qtbot.keyClicks(steps, "500")
        typed = pane.setup.draft.value
        assert (typed.steps, typed.warmup_steps) == ("500", "20")
        pane.form.fields["size"].control.chosen.emit("tiny")
        assert pane.form.shape.text().startswith("2 layers")
        assert workspace.undo_text == "Model tiny"
        workspace.undo()
        assert pane.setup.draft.value == typed
        assert pane.form.shape.text().startswith("4 layers")
        workspace.undo()
        assert pane.setup.draft.value == first, "the digits of a number are one change"
        assert (steps.text(), workspace.undo_text) == ("1500", "")
        workspace.redo()
        workspace.redo()
        assert (steps.text(), pane.setup.draft.value.size) == ("500", "tiny")
        pane.setup.change("warmup_steps", "7")
        workspace.undo()
        pane.setup.change("steps", "1000")
        assert pane.setup.draft.value.warmup_steps == "40", "it goes with the steps again"
        await pane.settled()

    run_async(story())


@pytest.mark.parametrize(
    "options", [{"corpus": 3}, {"tokenizer": ""}, {"schedule": "steep"}, {"run_in": "a cloud"}]
)
def test_a_damaged_session_is_the_usual_setup(make_pane, run_async, options):
    async def story():
        pane = make_pane()
        pane.workspace.restore({"training.options": options})
        assert pane.setup.errors == {} and pane.setup.config is not None
        pane.setup.change("corpus", "")
        assert "choose a text" in pane.setup.errors["corpus"]
        assert not pane.form.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_enter_in_a_field_starts_the_run(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        asked = []
        pane.form.startRequested.disconnect()
        pane.form.startRequested.connect(lambda: asked.append(True))
        qtbot.keyClick(pane.form.fields["steps"].editor, Qt.Key.Key_Return)
        assert asked == [True]
        await pane.settled()

    run_async(story())


def test_fp16_says_how_slow_it_is_here_and_brings_the_fields_of_its_loss_scale(
    make_pane, run_async, monkeypatch
):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    async def story():
        pane = make_pane()
        fields = pane.form.fields
        pane.setup.here = Machine(2, speed=1e11, relative={"bf16": 0.08, "fp16": 0.08})
        pane.form.more.setChecked(True)
        shown = [fields[name].isVisibleTo(pane.form) for name in SCALING]
        assert shown == [False, False]
        pane.setup.change("precision", "fp16")
        assert all(fields[name].isVisibleTo(pane.form) for name in SCALING)
        await until(
            lambda: "fp16 in software: about 12 times slower" in pane.form.note.text(), "the note"
        )
        pane.setup.change("loss_scale", "16777216")
        pane.setup.change("loss_scale_growth_interval", "20")
        config = config_of(pane.setup.draft.value)
        assert (config.loss_scale, config.loss_scale_growth_interval) == (2**24, 20)
        assert draft_of(config, TrainingDraft()).loss_scale == "16777216"
        pane.setup.change("loss_scale", "0")
        pane.setup.change("precision", "tf32")
        assert fields["loss_scale"].isVisibleTo(pane.form), "what is wrong is seen"
        assert not pane.form.start.isEnabled()
        pane.setup.change("loss_scale", "65536")
        await until(lambda: "tf32 needs an NVIDIA GPU" in pane.form.note.text(), "the other note")
        await pane.settled()

    run_async(story())


def test_what_a_size_learns_of_stories_is_not_told_of_other_texts(make_pane, run_async, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("def double(x):\n    return 2 * x\n\n" * 200)

    async def body():
        pane = make_pane()
        pane.setup.draft.change(TrainingDraft(), "the usual setup")
        await pane.settled()
        assert pane.form.shape.text().endswith("stories")
        pane.choose_text(str(program))
        await pane.settled()
        assert pane.form.shape.text() == "4 layers, 4 heads, width 128"

    run_async(body())
