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
from explorer.panes.training.run import planning
from explorer.panes.training.run.draft import TrainingDraft, config_of, draft_of
from explorer.panes.training.run.setup import SCALING
from explorer.runs.backend_choice import SLOW_STEP
from explorer.widgets.toggle import SegmentedControl
from tests.explorer.waiting import until


def test_few_controls_one_primary_button_and_names_for_all(make_pane, run_async):
    async def story():
        pane = make_pane()
        pane.widget().window().show()
        await pane.settled()
        kinds = (QLineEdit, SegmentedControl, QPushButton)
        shown = [w for kind in kinds for w in pane.setup.findChildren(kind) if w.isVisible()]
        more = [w for w in shown if w is not pane.setup.more]
        assert len(more) <= 7
        assert all(w.accessibleName() or w.text() for w in shown)
        primary = [w for w in shown if w.property("look") == "primary"]
        assert [w.text() for w in primary] == ["Start training"]
        pane.setup.more.click()
        assert pane.setup.fields["n_embd"].isVisible()

    run_async(story())


def test_cost_and_schedule_are_those_of_core(make_pane, run_async):
    async def story():
        pane = make_pane()
        await until(lambda: pane.setup.facts["parameters"]._number.text()[:1].isdigit(), "a cost")
        config = config_of(pane.planning.draft.value)
        text = format_count(estimate(config).parameters)
        assert pane.setup.facts["parameters"].accessibleName().endswith(text)
        shown = pane.setup.plot.displayed()["rate"]
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
        pane.planning.change("steps", "900")
        assert seen[-1].table["learning rate"][-1, 0] == 900
        pane.planning.change("steps", "many")
        assert seen[-1].table["learning rate"][-1, 0] == 900
        pane.planning.change("steps", "700")
        assert seen[-1].table["learning rate"][-1, 0] == 700
        await pane.settled()

    run_async(story())


def test_a_model_that_no_memory_holds_cannot_be_started(make_pane, run_async):
    async def story():
        pane = make_pane()
        large = {"n_layer": "96", "n_head": "64", "n_embd": "16384", "block_size": "128"}
        pane.planning.draft.begin(pane.planning.draft.value.change(large))
        await until(lambda: "size" in pane.planning.errors, "the refusal")
        assert "GB of memory" in pane.setup.fields["size"].error.text
        assert not pane.setup.start.isEnabled() and "GB" in pane.setup.start.toolTip()
        pane.planning.draft.begin(pane.planning.draft.value.change({"size": "tiny"}))
        await pane.settled()
        assert not pane.planning.errors and pane.setup.start.isEnabled()

    run_async(story())


def test_a_tokenizer_comes_with_the_text_that_it_was_trained_on(make_pane, run_async, tmp_path):
    text = tmp_path / "verse.txt"
    text.write_text("The sea is calm to-night. " * 400)
    folder = tmp_path / "BPE 270, verse"
    folder.mkdir()
    train_tokenizer("bpe", text.read_text(), 270).save(folder / "tokenizer.json")

    async def story():
        pane = make_pane()
        workspace, before = pane.context.workspace, pane.planning.draft.value
        workspace.train_with(str(folder / "tokenizer.json"), str(text))
        draft = pane.planning.draft.value
        assert draft.corpus == str(text) and draft.tokenizer == str(folder / "tokenizer.json")
        await pane.settled()
        assert "tokens of BPE 270, verse" in pane.setup._what.text()
        workspace.undo()
        assert pane.planning.draft.value == before, "text and tokenizer are one change"
        workspace.train_with(str(folder / "tokenizer.json"))
        assert pane.planning.draft.value.corpus == before.corpus
        await pane.settled()

    run_async(story())


def test_the_cost_of_a_model_of_characters_counts_those_of_the_text(make_pane, run_async, tmp_path):
    text = tmp_path / "verse.txt"
    text.write_text("The sea is calm\nto-night. " * 200 + "\u00e9")

    async def story():
        pane = make_pane()
        pane.planning.change("corpus", str(text))
        expected = len(set(text.read_text()))
        await until(
            lambda: pane.planning.config and pane.planning.config.model.vocab_size == expected,
            "the characters",
        )
        await until(lambda: pane.setup._excerpt.toPlainText(), "the excerpt")
        lines = pane.setup._excerpt.toPlainText().splitlines()
        assert lines[0] == "The sea is calm", "lines stay lines"
        await pane.settled()

    run_async(story())


def test_a_bad_value_disables_start_and_says_why_beside_the_field(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        field = pane.setup.fields["steps"]
        field.editor.setText("")
        qtbot.keyClicks(field.editor, "ten")
        assert "whole number" in field.error.text
        assert not pane.setup.start.isEnabled()
        assert "whole number" in pane.setup.start.toolTip()
        field.editor.clear()
        qtbot.keyClicks(field.editor, "10")
        assert pane.setup.start.isEnabled(), "the warm-up went with the steps"
        assert pane.planning.draft.value.warmup_steps == "0"
        pane.planning.change("warmup_steps", "10")
        assert "warm-up" in pane.setup.fields["warmup_steps"].error.text
        assert pane.setup.more.isChecked(), "a field with an error is shown"
        await pane.settled()

    run_async(story())


def test_more_unfolds_only_for_a_hidden_error_and_folds_back_once_it_is_right(
    make_pane, run_async, qtbot
):
    async def story():
        pane = make_pane()
        pane.widget().window().show()
        rate = pane.setup.fields["learning_rate"].editor
        for wrong in ("-1", "0", "50", "1e-", "fast"):
            rate.clear()
            qtbot.keyClicks(rate, wrong)
            assert set(pane.planning.errors) == {"learning_rate"}
            assert not pane.setup.more.isChecked(), "the field with the error is on the screen"
        pane.planning.change("learning_rate", "2e-3")
        pane.planning.change("min_learning_rate", "1")
        assert pane.setup.more.isChecked()
        last = pane.setup.fields["min_learning_rate"].editor
        last.setFocus()
        last.selectAll()
        qtbot.keyClicks(last, "0.0001")
        assert not pane.planning.errors and pane.setup.more.isChecked(), "somebody types there"
        rate.setFocus()
        last.editingFinished.emit()  # as an active window does
        assert not pane.setup.more.isChecked()
        pane.setup.more.click()
        pane.planning.change("warmup_steps", "2000")
        pane.planning.change("warmup_steps", "20")
        assert pane.setup.more.isChecked(), "what a person unfolds stays"
        await pane.settled()

    run_async(story())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02" * 100, "not a UTF-8 text"),
        (b"\xff\xfe" * 100, "not a UTF-8 text"),
        (b"too short", "Choose a longer text"),
        (None, "there is no file"),
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
        await until(lambda: pane.setup.fields["corpus"].error.text, "an error")
        assert says in pane.setup.fields["corpus"].error.text
        assert not pane.setup.start.isEnabled()
        pane.planning.change("corpus", "stories")
        assert pane.setup.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_a_dropped_text_is_chosen_and_its_beginning_shown(make_pane, run_async, tmp_path):
    path = tmp_path / "sea.txt"
    path.write_text("The sea was calm that day. " * 100)

    async def story():
        pane = make_pane()
        pane.setup.fileDropped.emit(str(path))
        await until(lambda: "calm" in pane.setup._excerpt.toPlainText(), "the excerpt")
        assert pane.planning.draft.value.tokenizer == "characters"
        assert pane.setup.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_a_torch_that_cannot_say_whether_bf16_is_fast_still_gives_a_cost(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    _, _, machine, _ = planning.estimated(config_of(TrainingDraft()), None)
    assert machine.speed > 0 and not machine.has_bf16


def test_long_steps_go_to_a_process_unless_a_person_chose_where(make_pane, run_async, monkeypatch):
    def slow_when_large(config, machine):
        seconds = 2 * SLOW_STEP if config.model.n_embd >= 256 else 0.01
        found = replace(estimate(config), seconds_per_step=seconds)
        return found, "", machine or Machine(2, speed=1e9), ""

    monkeypatch.setattr(planning, "estimated", slow_when_large)

    async def story():
        pane = make_pane()
        where = pane.setup.fields["where"]
        await until(lambda: pane.setup.facts["parameters"]._number.text()[:1].isdigit(), "a cost")
        assert where.value == "thread"
        pane.planning.change("size", "large")
        await until(lambda: where.value == "process", "the switch")
        assert config_of(pane.planning.draft.value).model.n_embd == 256
        await until(lambda: "process of its own" in pane.setup._note.text(), "why it switched")
        pane.planning.change("size", "small")
        await until(lambda: where.value == "thread", "the way back")
        pane.planning.change("where", "thread")
        pane.planning.change("size", "large")
        await until(
            lambda: "better in a process of their own" in pane.setup._note.text(), "the advice"
        )
        assert where.value == "thread"
        await pane.settled()

    run_async(story())


WHERE = ("device", "precision", "ranks", "parallel", "micro_batches", "activation_checkpointing")


def found_on(machine: Machine):
    """Instead of a measurement: this machine."""

    def found(config, known):
        return estimate(config), "", machine, ""

    return found


def test_two_ranks_are_one_click_and_the_form_says_what_the_machine_has(
    make_pane, run_async, monkeypatch
):
    monkeypatch.setattr(planning, "estimated", found_on(Machine(2, speed=1e9)))

    async def story():
        pane = make_pane(run_in="thread", batch_size="2")
        setup, draft = pane.setup, pane.planning.draft
        await until(lambda: "2 cores, no GPU" in setup.fields["where"]._title.text(), "it")
        assert "fp32 on the CPU" in setup._computes.text()
        setup.fields["where"].control._choose(2)
        assert (draft.value.ranks, draft.value.run_in) == ("2", "process")
        assert pane.workspace.undo_text == "Train on this machine 2 ranks"
        assert config_of(draft.value).ranks == 2
        assert "2 processes share each batch" in setup._computes.text()
        assert "each holds the whole model" in setup._computes.text()
        sent = format_bytes(estimate(config_of(draft.value)).sent)
        await until(lambda: f"each rank sends {sent} a step" in setup._note.text(), "the exchange")
        assert setup.facts["memory"]._title.text() == "memory of each rank"
        pane.planning.change("ranks", "3")
        assert setup.fields["where"].value == "own"
        pane.planning.change("batch_size", "6")
        assert "take turns, as there are only 2 cores" in setup._computes.text()
        setup.fields["where"].control._choose(0)
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
        assert "Device, precision" in pane.setup.more.text()
        pane.setup.more.click()
        for name in WHERE[:4]:
            field = pane.setup.fields[name]
            await until(lambda field=field: field.visibleRegion().rectCount(), name)
        pane.planning.change("micro_batches", "4")
        pane.planning.change("activation_checkpointing", "on")
        config = pane.planning.config
        assert (config.micro_batches, config.activation_checkpointing) == (4, True)
        again = draft_of(config, TrainingDraft())
        assert (again.micro_batches, again.activation_checkpointing) == ("4", "on")
        await pane.settled()

    run_async(story())


def test_a_gpu_that_is_not_there_is_refused_beside_its_field(make_pane, run_async, monkeypatch):
    monkeypatch.setattr(planning, "estimated", found_on(Machine(2, speed=1e9)))

    async def story():
        pane = make_pane()
        await until(lambda: pane.planning.here, "the machine")
        pane.planning.change("device", "cuda")
        field = pane.setup.fields["device"]
        assert "no GPU that torch can use; use device cpu, or auto" in field.error.text
        assert not pane.setup.start.isEnabled() and pane.setup.more.isChecked()
        pane.planning.change("device", "auto")
        assert pane.setup.start.isEnabled() and not field.error.text
        await pane.settled()

    run_async(story())


def test_with_several_gpus_all_of_them_are_one_click(make_pane, run_async, monkeypatch):
    server = Machine(64, gpus=4, gpu="NVIDIA H100 80GB HBM3", speed=1e9)
    monkeypatch.setattr(planning, "estimated", found_on(server))

    async def story():
        pane = make_pane(batch_size="8")
        where = pane.setup.fields["where"]
        await until(lambda: "4 \u00d7 H100" in where._title.text(), "the machine")
        assert "on the GPU" in pane.setup._computes.text()
        place = [text for _, text in where.control.segments].index("4 ranks")
        where.control._choose(place)
        assert pane.planning.config.ranks == 4
        assert "a GPU each" in pane.setup._computes.text()
        pane.planning.change("device", "cuda")
        pane.planning.change("ranks", "8")
        assert "this machine has 4; use fewer ranks" in pane.setup.fields["device"].error.text
        await pane.settled()

    run_async(story())


def test_what_is_typed_and_chosen_is_undone_and_redone(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        workspace, first = pane.workspace, pane.planning.draft.value
        assert workspace.undo_text == "", "what a pane begins with is no change"
        steps = pane.setup.fields["steps"].editor
        steps.clear()
        qtbot.keyClicks(steps, "500")
        typed = pane.planning.draft.value
        assert (typed.steps, typed.warmup_steps) == ("500", "20")
        pane.setup.fields["size"].control.chosen.emit("tiny")
        assert pane.setup._what.text().startswith("2 layers")
        assert workspace.undo_text == "Model tiny"
        workspace.undo()
        assert pane.planning.draft.value == typed
        assert pane.setup._what.text().startswith("4 layers")
        workspace.undo()
        assert pane.planning.draft.value == first, "the digits of a number are one change"
        assert (steps.text(), workspace.undo_text) == ("1500", "")
        workspace.redo()
        workspace.redo()
        assert (steps.text(), pane.planning.draft.value.size) == ("500", "tiny")
        pane.planning.change("warmup_steps", "7")
        workspace.undo()
        pane.planning.change("steps", "1000")
        assert pane.planning.draft.value.warmup_steps == "40", "it goes with the steps again"
        await pane.settled()

    run_async(story())


@pytest.mark.parametrize(
    "options", [{"corpus": 3}, {"tokenizer": ""}, {"schedule": "steep"}, {"run_in": "a cloud"}]
)
def test_a_damaged_session_is_the_usual_setup(make_pane, run_async, options):
    async def story():
        pane = make_pane()
        pane.workspace.restore({"training.options": options})
        assert pane.planning.errors == {} and pane.planning.config is not None
        pane.planning.change("corpus", "")
        assert "choose a text" in pane.planning.errors["corpus"]
        assert not pane.setup.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_enter_in_a_field_starts_the_run(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        asked = []
        pane.setup.startRequested.disconnect()
        pane.setup.startRequested.connect(lambda: asked.append(True))
        qtbot.keyClick(pane.setup.fields["steps"].editor, Qt.Key.Key_Return)
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
        fields = pane.setup.fields
        pane.setup.set_more(True)
        shown = [fields[name].isVisibleTo(pane.setup) for name in SCALING]
        assert shown == [False, False]
        pane.planning.change("precision", "fp16")
        assert all(fields[name].isVisibleTo(pane.setup) for name in SCALING)
        await until(lambda: "10 to 20 times slower" in pane.setup._note.text(), "the note")
        pane.planning.change("loss_scale", "16777216")
        pane.planning.change("loss_scale_growth_interval", "20")
        config = config_of(pane.planning.draft.value)
        assert (config.loss_scale, config.loss_scale_growth_interval) == (2**24, 20)
        assert draft_of(config, TrainingDraft()).loss_scale == "16777216"
        pane.planning.change("loss_scale", "0")
        pane.planning.change("precision", "tf32")
        assert fields["loss_scale"].isVisibleTo(pane.setup), "what is wrong is seen"
        assert not pane.setup.start.isEnabled()
        pane.planning.change("loss_scale", "65536")
        await until(lambda: "tf32 needs an NVIDIA GPU" in pane.setup._note.text(), "the other note")
        await pane.settled()

    run_async(story())


def test_what_a_size_learns_of_stories_is_not_told_of_other_texts(make_pane, run_async, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("def double(x):\n    return 2 * x\n\n" * 200)

    async def body():
        pane = make_pane()
        pane.planning.draft.change(TrainingDraft(), "the usual setup")
        await pane.settled()
        assert pane.setup._what.text().endswith("stories")
        pane.choose_text(str(program))
        await pane.settled()
        assert pane.setup._what.text() == "4 layers, 4 heads, width 128"

    run_async(body())
