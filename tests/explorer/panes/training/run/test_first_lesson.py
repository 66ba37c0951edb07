"""What Run says of a first lesson in copying, and of the head that formed in it."""

from dataclasses import replace

import numpy as np
import pytest

from core.training.config import TrainingConfig
from core.training.reader import EVALUATION_DTYPE
from core.training.sizes import lesson_extra_seconds
from explorer.panes.training.run.card_text import card_text
from explorer.panes.training.run.charts import loss_series, marks_of
from explorer.panes.training.run.draft import (
    COPYING,
    TEXT,
    TrainingDraft,
    check,
    config_of,
    draft_of,
)
from explorer.panes.training.run.form import SetupForm
from explorer.panes.training.run.generalization_gap import gap
from explorer.panes.training.run.head_scores import birth_marks
from explorer.panes.training.run.readings import copying
from explorer.panes.training.run.text import headline, phase_headline
from explorer.runs.run_data import RunData
from tests.explorer.panes.training.run.test_lines import recorded
from tests.explorer.shown_numbers import not_shown, numbers_in

LESSON = 20


def lesson_run(folder, steps: int, *best: float) -> RunData:
    """A run whose head 1 of layer 2 has these scores every 10 steps; the loss on repeats falls."""
    data = recorded(folder, range(1, steps + 1), 0.0, copying_steps=LESSON)
    at = np.arange(len(best)) * 10
    scores = np.full((len(best), 4, 4), 0.05)
    scores[:, 2, 1] = best
    evaluations = np.array([(0, 7.3, 7.4, 0.0), (10, 6.0, 6.1, 0.0)], EVALUATION_DTYPE)
    return replace(
        data,
        head_scores={"induction": (at, scores)},
        repeats=(at, 7.3 - at / 10),
        evaluations=evaluations,
    )


def test_the_default_run_copies_first_and_a_switch_turns_that_off():
    draft = TrainingDraft()
    config = config_of(draft)
    assert draft.lessons == COPYING and config.copying_steps == 320
    assert (config.positions_start, config.query_key_scale) == ("sinusoids", 4.0)
    plain = draft.change({"lessons": TEXT})
    assert plain.lessons == TEXT and check(plain) == {}
    off = config_of(plain)
    assert (off.copying_steps, off.positions_start, off.query_key_scale) == (0, "random", 1.0)
    assert plain.change({"lessons": COPYING}).lessons == COPYING


def test_a_text_of_ones_own_begins_at_once_unless_the_lesson_is_asked_for():
    own = TrainingDraft().change({"corpus": "/a/text.txt"})
    assert own.lessons == TEXT
    assert own.change({"corpus": "stories"}).lessons == COPYING
    asked = TrainingDraft().change({"lessons": COPYING}).change({"corpus": "/a/text.txt"})
    assert asked.lessons == COPYING


def test_a_run_is_the_template_of_the_next_with_its_lesson():
    config = config_of(TrainingDraft()).change({"copying_steps": 100})
    again = draft_of(config, TrainingDraft().change({"lessons": TEXT}))
    assert config_of(again).copying_steps == 100
    assert isinstance(config_of(again), TrainingConfig) and again.lessons == COPYING


def test_a_context_too_small_to_copy_is_refused():
    errors = check(TrainingDraft().change({"block_size": "7", "repeated_fraction": "0"}))
    assert "no lesson in copying" in errors["block_size"]


def test_the_estimate_of_the_default_run_counts_its_lesson():
    config = config_of(TrainingDraft())
    assert lesson_extra_seconds(config) != 0.0


def test_the_form_shows_the_switch(qtbot):
    form = SetupForm()
    qtbot.addWidget(form)
    asked: list[tuple[str, object]] = []
    form.changed.connect(lambda name, value: asked.append((name, value)))
    form.set_draft(TrainingDraft(), {})
    assert form.lessons.value == COPYING and form.lessons.isVisibleTo(form)
    form.lessons.changed.emit(TEXT)
    assert asked == [("lessons", TEXT)]
    form.set_draft(TrainingDraft().change({"lessons": TEXT}), {})
    assert form.lessons.value == TEXT


def test_losses_of_copying_and_of_text_are_two_lines(tmp_path):
    lines = {one.name: one.x.tolist() for one in loss_series(lesson_run(tmp_path / "a", 30), "")}
    assert lines["copying"] == list(range(1, LESSON + 1))
    assert lines["train"] == list(range(LESSON + 1, 31))
    begun = loss_series(lesson_run(tmp_path / "b", 12), "")
    assert begun[-1].name == "copying" and "train" not in {one.name for one in begun}
    rules = [mark.x for mark in marks_of(lesson_run(tmp_path / "c", 30)) if mark.rule]
    assert rules == [LESSON]


def test_a_headline_compares_losses_of_one_lesson_only(tmp_path):
    early = headline(lesson_run(tmp_path / "a", 12), "running", None, False)
    assert "the loss of the first lesson, copying," in early
    late = headline(lesson_run(tmp_path / "b", 30), "running", None, False)
    assert "first lesson" not in late and "from 7.300" in late, "what the text cost at first"


def test_the_gap_is_never_compared_with_the_loss_of_copying(tmp_path):
    data = lesson_run(tmp_path / "a", 30)
    assert any("first lesson, copying: it cannot" in line for line in gap(data, 12))
    assert not any("first lesson" in line for line in gap(data, 25))


def test_the_card_and_a_phase_name_the_lesson(tmp_path):
    data = lesson_run(tmp_path / "a", 12)
    titles = [title for title, _ in card_text(data, "running", None, False).numbers]
    assert any("copying" in title for title in titles)
    assert "step 3 of the first lesson, copying" in phase_headline(["data"], 0, 3, False, True)
    assert "lesson" not in phase_headline(["data"], 0, 3, False)


@pytest.mark.parametrize(
    ("best", "told"),
    [
        (
            (0.05, 0.06, 0.5, 0.6),
            "Head 1 of layer 2 began to copy near step 20: between steps 10 and 30 its induction "
            "score rose from 0.06 to 0.60 while the loss on repeats fell from 6.3 to 4.3.",
        ),
        ((0.05, 0.5, 0.06, 0.06), "and was lost again (now 0.06)."),
        (
            (0.05, 0.06, 0.07, 0.08),
            "No head learned to copy: the best induction score is 0.08 (head 1 of layer 2).",
        ),
    ],
)
def test_a_finished_run_says_what_its_own_heads_did(tmp_path, best, told):
    data = lesson_run(tmp_path / "a", 30, *best)
    assert headline(data, "finished", None, False).endswith(told)
    assert len(birth_marks(data)) == (data.birth is not None)


@pytest.mark.parametrize("best", [(0.05, 0.06, 0.5, 0.6), (0.05, 0.5, 0.06, 0.06), (0.05, 0.08)])
def test_each_number_told_of_a_birth_is_a_reading(tmp_path, best):
    data = lesson_run(tmp_path / "a", 30, *best)
    told = headline(data, "finished", None, False).partition(". ")[2]
    assert numbers_in(told) and not_shown(told, copying(data)) == []


def test_a_run_without_scores_says_nothing_of_heads(tmp_path):
    data = replace(lesson_run(tmp_path / "a", 30), head_scores={}, repeats=None)
    assert data.birth is None
    assert "head" not in headline(data, "finished", None, False).lower()
