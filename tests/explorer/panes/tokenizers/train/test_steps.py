"""The steps of a training in words: one number for one thing, marks, and the steps of a merge."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from core.tokenization import train_tokenizer
from core.tokenization.lockstep import LaneState, lockstep_steps
from core.tokenization.steps import AlphabetStep, ExpectStep, MaximizeStep, MergeStep, PruneStep
from explorer import theme
from explorer.panes.tokenizers.train import text
from explorer.panes.tokenizers.train.algorithms import ALGORITHMS
from explorer.panes.tokenizers.train.compute import Recording, Survey
from explorer.panes.tokenizers.train.draft import Lane, TrainDraft
from explorer.panes.tokenizers.train.draw_card import LaneCard
from explorer.panes.tokenizers.train.form import TrainForm
from explorer.panes.tokenizers.train.inspector import inspection, numbers
from explorer.panes.tokenizers.train.scene import Card, step_card
from explorer.panes.tokenizers.train.tokenizer_files import TEXT, folder_name
from explorer.panes.tokenizers.train.tokenizer_files import save_for_runs as keep
from tests.explorer.panes.tokenizers.train.test_mode import SPEC
from tests.explorer.waiting import until

LANES = (Lane("bpe", "hf"), Lane("unigram", "plain"))


@pytest.fixture(scope="module")
def recording() -> Recording:
    """A training of BPE and Unigram, to its end."""
    draft = TrainDraft(kilobytes="20", vocab_size="330", lanes=LANES)
    found = Recording([lane.plan for lane in LANES], draft.names, draft.sample, [330] * len(LANES))
    for _ in found.run(draft.texts_steps(), 330, [None] * len(LANES)):
        found.hurry = True
    return found


@pytest.fixture
def pane(make_pane: Any) -> Any:
    pane = make_pane(SPEC)
    draft = TrainDraft(kilobytes="20", vocab_size="330", lanes=LANES)
    pane.mode.draft.begin(draft)
    return pane


# words and numbers


def test_titles_cards_and_inspector_count_the_pieces_of_unigram_alike(recording: Recording) -> None:
    counted = 0
    for index in range(len(recording)):
        state = recording.state(1, index)
        special = state.vocab_size - state.step.vocab_size
        assert special == 4
        title, card = text.step_title(state), step_card("unigram", state)
        told = f"{state.vocab_size:,}"
        if "pieces" in title and not isinstance(state.step, ExpectStep | MaximizeStep):
            assert f"{told} pieces (4 special)" in title
            assert told in card.sentence or "M step" in card.sentence
            counted += 1
        if "trained" in title:
            assert f"{state.step.vocab_size:,} trained pieces" in title
        rows = {row.name: row for row in inspection(recording, 1, index).rows[1:]}
        number = next(row for name, row in rows.items() if name.startswith("pieces"))
        if not isinstance(state.step, PruneStep) or "kept" in number.name:
            assert number.value == state.vocab_size and "4 of them special" in number.note
    assert counted > 2


def test_what_the_first_pieces_are_is_named(recording: Recording) -> None:
    first = recording.state(0, 0)
    assert isinstance(first.step, AlphabetStep)
    title = text.step_title(first)
    assert "257 pieces (all 256 bytes and 1 special token)" in title
    assert step_card("bpe", first).caption == "most frequent bytes"
    other = replace(first, step=replace(first.step, algorithm="wordpiece"))
    assert "the characters of the text" in text.step_title(other)
    assert step_card("wordpiece", other).caption == "most frequent characters"


def test_one_is_no_plural() -> None:
    step = PruneStep(0, ["a"], [0.0], [("b", 1.0)], [1.0])
    assert text.step_title(LaneState(step, 1, 1)) == "round 1 drops 1 piece and keeps 1 piece"
    rare = MaximizeStep(0, 0, ["a"], [0.0], [("b", 0.1)])
    assert text.step_title(LaneState(rare, 1, 1)).endswith("drops 1 rare piece")
    survey = Survey()
    survey.limits[LANES[0]] = type("Limits", (), {"smallest": 1, "largest": 1})()
    assert text.lane_note(survey, LANES[0], 1) == ("this text allows 1 to 1 piece", "")


def test_what_is_too_few_says_of_what(recording: Recording) -> None:
    survey = Survey()
    told = ("all 256 bytes and 2 special tokens", "the characters of the text and the special ")
    for lane, least in zip(LANES, told, strict=True):
        survey.limits[lane] = type("Limits", (), {"smallest": 258, "largest": None})()
        _, error = text.lane_note(survey, lane, 3)
        assert f"at least 258 pieces here: {least}" in error


@pytest.mark.parametrize("lane", [Lane(o.kind, v.id) for o in ALGORITHMS for v in o.variants])
def test_no_rival_is_a_pair_that_stands_nowhere(lane: Lane) -> None:
    """A tiny text, so that few pairs are left at its end."""
    for item in lockstep_steps([lane.plan], "abab abc cab bca", 270, rivals=6):
        for state in getattr(item, "lanes", ()):
            for rival in getattr(state.step, "rivals", ()):
                assert rival.count > 0


# marks and the steps inside a merge


def test_the_scrubber_marks_where_unigram_drops_pieces(pane: Any, run_async: Any) -> None:
    async def scenario() -> None:
        mode = pane.mode
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        recording, marks = mode.trainer.recording, pane.player.track.marks
        pruned = {
            index
            for index in range(1, len(recording))
            if isinstance(recording.state(1, index).step, PruneStep)
            and recording.state(1, index).number != recording.state(1, index - 1).number
        }
        drops = {index for index, said in marks.items() if "drops" in said}
        assert drops == pruned and pruned
        for index in pruned:
            gone = len(recording.state(1, index).step.removed)
            assert f"Unigram drops {gone:,} piece" in marks[index]
        assert any("is finished" in said for said in marks.values())

    run_async(scenario())


def test_a_merge_is_gone_into_step_by_step(pane: Any, run_async: Any) -> None:
    async def scenario() -> None:
        mode, player, told = pane.mode, pane.player, []
        pane.inspection.connect(told.append)
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        player.seek(20)
        merge = mode.trainer.recording.state(0, 20).step
        before = mode.trainer.recording.state(0, 19).tokens
        by_id = {action.id: action for action in pane.actions()}
        assert by_id["tokenizers.train.merge"].enabled()
        by_id["tokenizers.train.merge"].run()
        assert player.depth == 1 and player.length == 3
        names = []
        for step in range(3):
            player.seek(step)
            mode.inspect()
            names.append(told[-1].step.name)
            assert pane.headline == told[-1].step.title
            assert mode.place() == (19, 20, min(1.0, float(step)))
        assert names == ["training.choose", "training.merge", "training.update"]
        rows = {row.name: row.value for row in told[-1].rows[1:]}
        assert rows["n"] == f"{merge.tokens:,}" and rows["n before"] == f"{before:,.0f}"
        assert not by_id["tokenizers.train.merge"].enabled()
        mode.view.charts.compression.clicked.emit(8.2)  # the 8th step, which a person points at
        assert player.depth == 0 and player.position == 7
        mode.view.cards[0].entered.emit()
        assert player.depth == 1
        assert pane.cancel() and player.depth == 0 and player.position == 7
        mode.set_focus_lane(1)
        pruned = next(index for index, said in player.track.marks.items() if "drops" in said)
        player.seek(pruned)
        assert mode.tracks[0].inside(pruned) is None, "pruning is one step"

    run_async(scenario())


def test_the_headline_counts_steps_as_the_transport_does(pane: Any, run_async: Any) -> None:
    async def scenario() -> None:
        mode, player = pane.mode, pane.player
        mode.start(until=12)
        await until(lambda: player.length == 12 and mode.trainer.state == "paused", "12 moments")
        assert player.at_live_edge and player.step + 1 == 12
        await until(lambda: pane.headline.startswith("Paused at step 12"), "the headline")
        player.seek(4)
        assert pane.headline.startswith("Step 5 of about ")

    run_async(scenario())


# what a person reads


def test_the_names_of_algorithms_and_variants_are_whole(qtbot: Any, qapp: Any) -> None:
    form = TrainForm()
    qtbot.addWidget(form)
    form.show()
    variants = max(ALGORITHMS, key=lambda one: len(one.variants)).variants
    for zoom in (0.8, 1.0, 2.0):
        theme.apply(qapp, "light", zoom, "off")
        form.resize(theme.current().px(900), theme.current().px(600))
        for variant in range(len(variants)):
            kinds = {
                one.kind: one.variants[min(variant, len(one.variants) - 1)].id for one in ALGORITHMS
            }
            lanes = tuple(Lane(*one) for one in kinds.items())
            form.set_draft(TrainDraft(lanes=lanes), {}, [("", "")] * 4)
            QApplication.processEvents()
            for row in form.algorithms.rows:
                for box in (row.kind, row.variant):
                    words = box.fontMetrics().horizontalAdvance(box.currentText())
                    assert box.width() >= words + theme.current().px(34), (zoom, box.currentText())
                assert row.geometry().right() <= form.algorithms.width()
    theme.apply(qapp, "light", 1.0, "full")


def test_a_long_sentence_is_read_to_its_end_on_a_narrow_card(qtbot: Any) -> None:
    now = theme.current()
    card = LaneCard(0)
    qtbot.addWidget(card)
    card.resize(now.px(172), now.px(200))
    seen = []
    for last in ("exhausted", "exhaustee"):
        said = f"loses 29\u2009% of the text; the text is {last}"
        card.set_card(Card("BPE", "600 pieces", state="done", sentence=said))
        seen.append(card.grab().toImage())
    assert seen[0] != seen[1]


def test_the_button_of_a_finished_card_covers_no_words(qtbot: Any) -> None:
    now = theme.current()
    card = LaneCard(2)
    qtbot.addWidget(card)
    card.resize(card.minimumSizeHint())
    card.set_card(Card("SentencePiece BPE", "100,000 pieces", "3.10 bytes per token"))
    card.set_usable(True)
    wide = now.metrics("label", 600).horizontalAdvance(card.card.pieces)
    assert now.px(12) + wide <= card.use.x() and card.use.geometry().right() < card.width()
    assert card.use.geometry().top() >= now.px(8) + now.metrics("body", 600).height()


# what is kept


def test_what_is_kept_is_called_as_people_call_it_and_never_written_over(
    monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path))
    one = train_tokenizer("bpe", "one two one two", 258)
    other = train_tokenizer("bpe", "three four three four", 258)
    path = keep(one, "BPE 258, stories")
    assert path.parent.name == "BPE 258, stories"
    content = path.read_bytes()
    assert keep(one, "BPE 258, stories") == path
    second = keep(other, "BPE 258, stories")
    assert second.parent.name == "BPE 258, stories (2)" and path.read_bytes() == content
    assert keep(other, "BPE 258, stories") == second
    left = sorted(one.name for one in path.parent.parent.iterdir())
    assert left == ["BPE 258, stories", "BPE 258, stories (2)"]


def test_two_texts_that_give_the_same_tokenizer_are_both_kept(
    monkeypatch: Any, tmp_path: Path
) -> None:
    """A run that reads the first would go on with another text."""
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path))
    title, texts = "BPE 258, your text", ("one two one two", "one two one two\n\u00e9")
    one, other = (train_tokenizer("bpe", text, 258) for text in texts)
    assert one.vocabulary == other.vocabulary
    first, second = (keep(one, title, text) for text in texts)
    assert (first.parent.name, second.parent.name) == (title, f"{title} (2)")
    kept = [path.with_name(TEXT).read_bytes().decode() for path in (first, second)]
    assert kept == list(texts) and first.read_bytes() == second.read_bytes()
    assert [keep(one, title, text) for text in texts] == [first, second]
    assert keep(one, title) == first  # a run that needs no text does not mind one


@pytest.mark.parametrize("title", ["a/b:c?", "..", "x" * 500, "BPE 500, my text. "])
def test_a_folder_may_be_called_so(title: str) -> None:
    name = folder_name(title)
    assert 0 < len(name) <= 80 and not re.search(r'[\\/:*?"<>|]', name)
    assert name.strip(" .") == name


def test_at_the_end_the_tokens_are_those_of_the_finished_tokenizer():
    merge = MergeStep(0, 1, 2, 5, 7, "a", "##b", "ab", 8, 5.0, 100, (), "wordpiece")
    rows = numbers("wordpiece", LaneState(step=merge, tokens=96, done=True))
    assert [row.value for row in rows[-2:]] == [100, 96]
    rows = numbers("wordpiece", LaneState(step=merge, tokens=100, done=True))
    assert rows[-1].name == "tokens in the text"
