"""What the pane says of a run that begins, and of one that nobody trains any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt

from core.training.phases import SCALED_PHASES
from core.training.reader import RunReader
from core.training.records import STEP_DTYPE
from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training.run import card_text, text
from explorer.panes.training.run.charts import SMALL
from explorer.panes.training.run.draft import TrainingDraft, config_of
from explorer.panes.training.run.view import RunView
from explorer.runs.run_data import read
from explorer.widgets.pages import Pages
from explorer.widgets.run_card import BUTTONS, RunCard
from explorer.widgets.run_card_text import CardText
from explorer.widgets.scroll_area import scrolled
from explorer.widgets.transport import TransportBar
from tests.explorer.waiting import until

from .conftest import started, state_of, step_of

CONFIG = config_of(TrainingDraft().change({"lessons": "text"}))


def run_of(folder: Path, steps: int, reason: str = "", **changes: object):
    """A run as its folder tells it: so many steps, then its end."""
    writer = RunWriter(create_run(folder, CONFIG.change(changes)))
    writer.event("prepare", 0, {"share": 0.4, "message": "tokenizing sea.txt"})
    if steps:
        writer.event("model", 0, {"parameters": 10})
    for step in range(1, steps + 1):
        writer.step({"step": step, "loss": 1.0, "learning_rate": 0.1, "tokens": 8})
    if reason:
        writer.event("end", steps, {"reason": reason, "message": "bye"})
    data = read(RunReader(folder))
    writer.close()
    return data


@pytest.mark.parametrize(
    ("steps", "reason", "badge", "samples"),
    [
        (12, "stopped", "stopped", "stopped before it had any samples"),
        (12, "failed", "failed after step 12", "failed before it had any samples"),
        (0, "failed", "failed", "failed before it had any samples"),
        (12, "", "", "come at step 100"),
        (0, "", "", "come in a moment"),
    ],
)
def test_the_badge_and_the_samples_say_how_the_run_is(tmp_path, steps, reason, badge, samples):
    data = run_of(tmp_path / "run", steps, reason)
    assert card_text.ended(data, data.state) == badge
    assert samples in text.why_none(data, data.state, "samples", 100)
    assert "from step 4" in text.why_none(data, data.state, "samples", 100, [8, 4])


@pytest.mark.parametrize(
    ("reason", "kept", "not_finite", "offered", "said"),
    [
        ("failed", (), False, ("anew", "again"), "start a new run"),
        ("failed", (), True, ("slower",), "would end in the same way"),
        ("failed", (10,), False, ("continue",), "bye"),
        ("failed", (10,), True, ("lower", "continue"), "bye"),
        ("stopped", (), False, ("again",), ""),
        ("stopped", (10,), False, ("continue",), ""),
    ],
)
def test_only_what_can_work_is_offered_to_a_run_that_has_ended(
    tmp_path, reason, kept, not_finite, offered, said
):
    data = replace(run_of(tmp_path / "run", 12, reason), not_finite=not_finite)
    data = replace(data, checkpoints=dict.fromkeys(kept, tmp_path))
    card = card_text.card_text(data, data.state, None, False)
    assert card.buttons == offered and said in card.message


def test_a_run_that_this_machine_cannot_train_is_not_begun_again(tmp_path):
    """It failed at its start, for want of a GPU, and would do so again."""
    data = replace(run_of(tmp_path / "run", 0, "failed"), message="a log of many lines")
    why = "this machine has no GPU that torch can use; use device cpu, or auto"
    card = card_text.card_text(data, "failed", None, False, refused=why)
    assert card.buttons == ("anew",) and card.message == f"T{why[1:]}."
    kept = replace(run_of(tmp_path / "other", 12, "stopped"), checkpoints={10: tmp_path})
    assert card_text.buttons(kept, "stopped", None, False, why) == ("anew",)
    assert card_text.buttons(kept, "stopped", None, False) == ("continue",)


def test_a_run_that_was_killed_says_everywhere_whether_it_goes_on_or_begins_again(tmp_path):
    lost = replace(run_of(tmp_path / "run", 12), state="dead")
    told = text.headline(lost, "dead", None, False), card_text.failure(lost, "dead")
    assert all("again at step 0" in one and "intact" not in one for one in told)
    assert card_text.buttons(lost, "dead", None, False) == ("again",)
    assert "again at step 0" in BUTTONS["again"][0] and BUTTONS["again"][1] == card_text.AGAIN
    kept = replace(lost, checkpoints={10: tmp_path})
    assert "everything it wrote is kept" in text.headline(kept, "dead", None, False)
    assert "checkpoint of step 10" in card_text.failure(kept, "dead")
    assert "Press Space to continue" in text.headline(kept, "stopped", None, False)
    hopeless = replace(lost, not_finite=True)  # it would end as before
    assert text.headline(hopeless, "failed", None, False).endswith("without a checkpoint.")


def test_the_sentence_tells_the_loss_that_the_chart_shows_and_says_which_it_is(tmp_path):
    data = run_of(tmp_path / "run", 12)
    raw = text.headline(data, "running", None, False)
    assert raw.startswith("The model trains") and "12 steps" in raw and "1.000" in raw
    smoothed = text.headline(data, "running", None, False, 0.75)
    assert smoothed.startswith("The model learns") and "smoothed" in smoothed
    assert "1.000" in smoothed and "0.750" in smoothed


ROSE = "the loss has risen from 7.360 to 1,871; try a lower learning rate"


@pytest.mark.parametrize(
    ("now", "state", "sentence"),
    [
        (1871.3, "running", f"The model does not learn: after 12 steps {ROSE}."),
        (
            7.4,
            "running",
            "The model trains: after 12 steps the loss is 7.400, hardly changed from 7.360.",
        ),
        (
            7.1,
            "running",
            "The model learns: after 12 steps the loss has fallen from 7.360 to 7.100.",
        ),
        (
            1871.3,
            "finished",
            f"Finished: in 12 steps {ROSE}.",
        ),
        (
            1871.3,
            "stopped",
            f"Stopped after step 12: {ROSE}. Press Space to begin again at step 0.",
        ),
    ],
)
def test_a_loss_that_rises_is_not_called_learning(tmp_path, now, state, sentence):
    data = run_of(tmp_path / "run", 12)
    steps = data.steps.copy()
    steps["loss"][0], steps["loss"][-1] = 7.36, now
    assert text.headline(replace(data, steps=steps), state, None, False) == sentence


def test_what_needs_a_person_is_seen_on_the_card_and_in_the_sentence(tmp_path, qtbot):
    alerts = ("rank 1 has given no sign of life for 15 s: a step is long, or it hangs",)
    data = replace(run_of(tmp_path / "run", 12), alerts=alerts)
    told = card_text.card_text(data, "running", None, False)
    assert told.message == f"R{alerts[0][1:]}." and told.alarming
    assert text.headline(data, "running", None, False).startswith(
        "The run needs attention: after 12"
    )
    card = RunCard("training.view")
    qtbot.addWidget(card)
    card.resize(700, 200)
    card.show()
    card.set_text(told)
    assert "training, needs attention, step 12" in card.accessibleName()
    card.set_text(card_text.card_text(replace(data, alerts=()), "running", None, False))
    assert "training" in card.accessibleName() and "attention" not in card.accessibleName()


def test_a_run_without_samples_or_heads_says_so(tmp_path):
    data = run_of(tmp_path / "run", 3, sample_every=0, probe_every=0)
    assert "without samples" in text.why_none(data, data.state, "samples", 0)


def test_before_the_first_step_the_card_and_the_sentence_say_what_is_done(tmp_path):
    data = run_of(tmp_path / "run", 0)
    card = card_text.card_text(data, data.state, None, False)
    assert (card.state, card.note) == ("new", "tokenizing sea.txt, 40 %")
    assert card.numbers, "the card keeps its height"
    sentence = text.headline(data, data.state, None, False)
    assert sentence == "Preparing: tokenizing sea.txt, 40 %."


def test_a_system_that_does_not_say_its_memory_draws_none(tmp_path):
    data = run_of(tmp_path / "run", 3)
    assert np.isnan(data.series("memory")[1]).all()


def test_one_screen_calls_two_measures_by_two_names(tmp_path):
    """The card's speed is a mean of fifty steps, the plot's that of each; the setup's memory is the
    model's, the plot's is the process's.
    """
    data = run_of(tmp_path / "run", 3)
    steps = data.steps.copy()
    steps["seconds"], steps["memory"] = 0.1, 5e8
    card = card_text.card_text(replace(data, steps=steps), "running", None, False)
    titles = {title for title, _ in card.numbers}
    assert "tokens/s, last 3 steps" in titles and not {"tokens/s", "memory"} & titles
    drawn = {title for _, _, title, _, _ in SMALL}
    assert {"tokens/s", "process RAM"} <= drawn


def test_a_question_ends_as_one():
    said = [
        text.phase_headline(SCALED_PHASES, index, 3, skipped)
        for index in range(len(SCALED_PHASES))
        for skipped in (False, True)
    ]
    assert all(sentence.endswith(("?", ".")) and "?." not in sentence for sentence in said)
    assert all(sentence.count(": ") == 1 for sentence in said), "one colon a sentence"


def test_what_the_trainer_told_of_vocabulary_and_tokens_reaches_the_screen(tmp_path):
    """Of an older version nothing is told of them, nor guessed."""
    facts = {"parameters": 10, "vocab_size": 32, "tokens": 640}
    for name, told, sentence, known in (
        (
            "new",
            facts,
            "The run begins: a model that knows nothing has a loss near 3.5.",
            (32, 640),
        ),
        ("old", {"parameters": 10}, "The run begins: its first loss comes in a moment.", (0, None)),
    ):
        writer = RunWriter(create_run(tmp_path / name, CONFIG), from_step=8)
        writer.event("model", 8, told)
        data = read(RunReader(tmp_path / name))
        assert text.headline(data, data.state, None, False) == sentence
        writer.step({"step": 9, "loss": 1.0})
        writer.close()
        again = RunWriter(tmp_path / name, from_step=9)
        again.event("model", 9, {**facts, "tokens": 720})  # of a later attempt: of no branch
        numbers = read(RunReader(tmp_path / name)).numbers
        assert (numbers.vocabulary, numbers.before) == (32, known[1])
        again.close()


def test_the_time_that_is_left_is_measured_by_the_clock_of_the_last_steps(tmp_path):
    data = run_of(tmp_path / "run", 0)
    steps = np.zeros(101, STEP_DTYPE)
    steps["attempt"], steps["step"] = 1, np.arange(1, 102)
    gaps = np.full(100, 0.1)
    gaps[::10] = 0.6  # an evaluation
    gaps[55] = 3600.0  # a pause
    steps["time"] = 1e9 + np.r_[0.0, gaps.cumsum()]
    moved = data.__class__(**{**vars(data), "steps": steps, "step": 101})
    assert moved.seconds_left == pytest.approx(1399 * (90 * 0.1 + 10 * 0.6) / 100)
    early = data.__class__(**{**vars(data), "steps": steps[:3], "step": 3})
    assert early.seconds_left == 0.0


def test_no_badge_says_live_once_nobody_trains_and_a_new_run_begins_with_nothing_of_the_old(
    make_pane, run_async, qtbot
):
    async def story():
        pane = make_pane(steps="4000", sample_every="2")
        bar = TransportBar()
        qtbot.addWidget(bar)
        bar.bind(pane.player)
        pane.widget().window().show()
        await started(pane, 12)
        assert bar.live.ended == "" and bar.live.live
        pane.view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        assert bar.live.ended == "stopped" and not bar.scrubber.live
        await until(lambda: pane.view.samples.samples, "a sample")

        pane.new_run()
        pane.setup.change("steps", "5000")
        seen = []
        pane.workspace.runChanged.connect(
            lambda folder: (
                seen.append(
                    (
                        pane.view.card.text.name == Path(folder).name,
                        pane.view.card.text.step,
                        pane.view.samples.samples,
                        pane.view.charts.loss.displayed(),
                        pane.view.heads.state,
                        pane.view.phases.isEnabled(),
                        bar.live.ended,
                        pane.inputs.run.currentText() == Path(folder).name,
                        pane.player.length,
                    )
                )
                if folder
                else None
            )
        )
        pane.form.startRequested.emit()
        await until(lambda: seen, "the new run")
        assert seen == [(True, 0, (), {}, "loading", False, "", True, 0)]
        await until(lambda: step_of(pane) >= 2, "its steps")
        assert pane.view.phases.isEnabled() and bar.live.live
        pane.view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the second stop")
        folder = Path(pane.workspace.run)
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        bar.bind(None)
        await pane.settled()

    run_async(story())


def test_no_key_meant_for_one_button_reaches_another(qtbot):
    """Pause goes when the run pauses; the next Space must not stop the run."""
    card = RunCard("training.view")
    qtbot.addWidget(card)
    asked = []
    card.asked.connect(asked.append)
    card.set_text(CardText("stories", "running", 3, 9, buttons=("pause", "stop")))
    card.show()
    card.buttons["pause"].setFocus()
    for state, buttons, focused in (
        ("paused", ("resume", "stop"), "resume"),
        ("running", ("pause", "stop"), "pause"),
        ("finished", ("branch",), None),
    ):
        card.set_text(CardText("stories", state, 3, 9, buttons=buttons))
        found = [name for name, button in card.buttons.items() if button is card.focusWidget()]
        assert found == ([focused] if focused else [])
    qtbot.keyClick(card.focusWidget() or card, Qt.Key.Key_Space)
    assert asked == []


def test_a_button_that_can_be_used_no_longer_keeps_no_key_for_its_neighbor(qtbot):
    card = RunCard("training.view")
    qtbot.addWidget(card)
    asked = []
    card.asked.connect(asked.append)
    shown = CardText("stories", "running", 3, 9, buttons=("branch", "pause", "stop"))
    card.set_text(shown)
    card.show()
    card.buttons["branch"].setFocus()
    card.set_text(replace(shown, refusals=(("branch", "No checkpoint lies here"),)))
    qtbot.keyClick(card.focusWidget() or card, Qt.Key.Key_Space)
    assert asked == [] and card.focusWidget() is card


def test_a_message_on_the_card_makes_no_picture_taller(qtbot):
    """At 1280 x 720 losses, small plots, heads, samples and phases stay in sight."""
    view = RunView()
    area = scrolled(Pages(view))
    qtbot.addWidget(area)
    area.resize(824, 514)
    area.show()
    for message in ("", "It ended: killed, out of memory, or the machine went down. " * 3):
        view.card.set_text(CardText("run", "dead", 91, 3000, message=message))
        QCoreApplication.sendPostedEvents()
        assert view.height() == 514, message
        assert view.phases.geometry().bottom() < 514
        assert area.verticalScrollBar().maximum() == 0


def test_cards_above_the_pane_squeeze_no_lines(qtbot):
    """They had 20 px, with one plot over the other."""
    view = RunView()
    pages = Pages(view)
    pages.setMinimumSize(640, 280)  # as a window asks for any pane
    area = scrolled(pages)
    qtbot.addWidget(area)
    area.resize(824, 230)
    area.show()
    for message in ("", "It ended: killed, out of memory, or the machine went down. " * 3):
        view.card.set_text(CardText("run", "dead", 91, 3000, message=message))
        QCoreApplication.sendPostedEvents()
        charts = view.charts
        assert charts.loss.height() >= 160 and area.verticalScrollBar().maximum() > 0
        small = min(plot.mapTo(charts, QPoint(0, 0)).y() for plot in charts.small.values())
        assert charts.loss.geometry().bottom() < small
        assert view.heads.height() >= 60
