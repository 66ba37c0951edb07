"""The mode Train: set up, live, replayed, ended, handed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest

from core.fields import from_json, lenient, to_json
from core.tokenization import open_tokenizer, vocabulary_limits
from explorer.panes.tokenizers.modes import ModeSpec
from explorer.panes.tokenizers.train import pace
from explorer.panes.tokenizers.train.draft import (
    LONGEST_TYPED,
    USUAL_LANES,
    Lane,
    TrainDraft,
)
from explorer.panes.tokenizers.train.text import EXHAUSTED
from tests.explorer.waiting import HANGS, until

SPEC = ModeSpec("train", "Train", "explorer.panes.tokenizers.train.mode")
SMALL = TrainDraft(
    kilobytes="20", vocab_size="330", lanes=(Lane("bpe", "hf"), Lane("wordpiece", "count"))
)


@pytest.fixture
def pane(make_pane: Any) -> Any:
    pane = make_pane(SPEC)
    pane.mode.draft.begin(SMALL)
    return pane


def test_a_training_is_played_paused_stepped_and_scrubbed_back(pane: Any, run_async: Any) -> None:
    mode, player = pane.mode, pane.player

    async def scenario() -> None:
        mode.start(until=20)
        await until(lambda: len(mode.trainer.recording) == 20, "20 moments")
        await until(lambda: mode.trainer.state == "paused", "the pause")
        await until(lambda: player.step == 19, "the last of them on the screen")
        assert player.at_live_edge and pane.headline.startswith("Paused at step 20")
        plot = mode.view.charts.compression  # it counts as the headline does
        await until(lambda: "at step 20," in plot.accessibleDescription(), "step 20 in the chart")
        player.forward()
        await until(lambda: len(mode.trainer.recording) == 21, "one more")
        await mode.engine.call(int)  # the engine had time for another
        assert len(mode.trainer.recording) == 21
        player.seek(5)
        assert not player.at_live_edge
        shown = mode.view.sample.displayed()["BPE"]
        assert shown.tolist() == [list(s) for s in mode.trainer.recording.split(0, 5).spans]
        assert mode.view.cards[0].card.pieces == "262 pieces"
        player.end()
        player.play()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        assert player.step == len(mode.trainer.recording) - 1
        assert not mode.tracks[0].is_live
        assert {card.card.progress for card in mode.view.cards} == {1.0}
        player.start()
        assert "Press Play to see how" in pane.headline
        assert {card.card.progress for card in mode.view.cards} == {0.0}

    run_async(scenario())


def test_a_settled_pane_shows_and_tells_what_was_recorded(pane: Any, run_async: Any) -> None:
    mode, told = pane.mode, []
    pane.inspection.connect(told.append)

    async def scenario() -> None:
        mode.start(until=20)
        await until(lambda: pane.player.step == 19, "20 moments")
        mode.trainer.blockSignals(True)  # the news of one more is still on its way
        mode.trainer.step()
        await until(lambda: len(mode.trainer.recording) == 21, "one more")
        await pane.settled()
        mode.trainer.blockSignals(False)

    run_async(scenario())
    assert pane.player.step == 20 and mode.view.cards[0].card.pieces == "277 pieces"
    assert next(row.value for row in told[-1].rows[1:] if row.name == "pieces") == 277


def test_a_finished_tokenizer_is_offered_saved_and_given_to_training(
    pane: Any, run_async: Any, tmp_path: Path
) -> None:
    mode, told, saved = pane.mode, [], tmp_path / "t.json"
    mode.workspace.tokenizerOpened.connect(lambda *given: told.append(given))

    async def scenario() -> None:
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        assert "trained:BPE 330, stories" in [one.id for one in mode.catalogue.entries]
        await mode.save(mode.trainer.tokenizer(0), saved)
        mode.use(1, "train")
        await until(lambda: told, "the hand-over")

    run_async(scenario())
    assert open_tokenizer(saved).vocabulary == mode.trainer.tokenizer(0).vocabulary
    [(path, corpus)] = told
    assert open_tokenizer(path).vocabulary == mode.trainer.tokenizer(1).vocabulary
    assert Path(path).parent.name == "WordPiece 330, stories" and corpus == "stories"


def test_another_sample_is_cut_at_every_moment(pane: Any, run_async: Any) -> None:
    mode = pane.mode

    async def scenario() -> None:
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        mode.change("sample", "the king")
        await until(lambda: mode.trainer.recording.sample == "the king", "the other sample")

    run_async(scenario())
    recording = mode.trainer.recording
    encoding = mode.trainer.tokenizer(0).encode("the king")
    assert list(recording.split(0, len(recording) - 1).pieces) == encoding.pieces


def test_a_session_trains_again_to_where_it_was(make_pane: Any, pane: Any, run_async: Any) -> None:
    async def first() -> None:
        pane.mode.start(until=12)
        await until(lambda: len(pane.mode.trainer.recording) == 12, "12 moments")

    run_async(first())
    state = pane.mode.state()
    pane.mode.new_training()
    pane.mode.restore(state)

    async def second() -> None:
        pane.mode.shown()
        await until(lambda: len(pane.mode.trainer.recording or ()) == 12, "12 moments again")

    run_async(second())


def test_another_text_in_the_setup_renames_nothing_that_was_trained(
    make_pane: Any, pane: Any, run_async: Any, tmp_path: Any
) -> None:
    mode, other = pane.mode, tmp_path / "other.txt"
    other.write_text("another text. " * 500)

    async def scenario() -> None:
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        before = mode.trainer.draft
        mode.change("corpus", str(other))
        await mode.surveyor.settled()
        asked = []
        mode.modeRequested.connect(lambda name, wish: asked.append(wish))
        mode.use(0, "compare")
        assert mode.catalogue.entry(asked[0]["add"]) is not None
        state = mode.state()
        assert mode.draft.value.corpus == str(other)
        assert state["training"]["options"] == to_json(before) != to_json(mode.draft.value)
        mode.new_training()
        mode.restore(state)
        mode.shown()
        assert mode.trainer.draft == before

    run_async(scenario())


def test_what_cannot_be_trained_is_said_beside_it(pane: Any, run_async: Any, tmp_path: Any) -> None:
    mode = pane.mode
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")

    async def scenario() -> None:
        mode.new_training()
        mode.change("vocab_size", "100")
        await mode.surveyor.settled()
        rows = mode.form.algorithms.rows
        await until(lambda: "at least 257" in rows[0].error.text, "the smallest")
        assert not mode.form.start.isEnabled()
        mode.change("vocab_size", "90000")
        await mode.surveyor.settled()
        for row in rows[: len(mode.draft.value.chosen)]:  # it trains as far as it goes
            assert "at most" in row.note.text() and not row.error.text
        assert mode.form.start.isEnabled()
        mode.change("corpus", str(empty))
        await until(lambda: "is empty" in mode.form.corpus.error.text, "the empty file")
        assert not mode.form.start.isEnabled()

    run_async(scenario())
    assert "whole number" in TrainDraft(vocab_size="many").errors()["vocab_size"]
    assert "from 1 to 20,000" in TrainDraft(kilobytes="0").errors()["kilobytes"]
    assert "from 1 to 100,000" in TrainDraft(vocab_size="-5").errors()["vocab_size"]
    for text in ("1e3", "1 000", "1,000"):
        assert (
            TrainDraft(vocab_size=text).pieces == 1000 and not TrainDraft(vocab_size=text).errors()
        )


def test_unigram_says_beforehand_how_many_pieces_the_text_yields(pane: Any, run_async: Any) -> None:
    mode = pane.mode

    async def scenario() -> None:
        mode.change("lanes", (Lane("unigram", "plain"),))
        mode.change("vocab_size", "90000")
        mode.shown()
        row = mode.form.algorithms.rows[0]
        await until(lambda: "at most" in row.note.text(), "the largest")
        assert mode.form.start.isEnabled() and not row.error.text
        await mode.surveyor.settled()
        largest = mode.surveyor.survey.limits[Lane("unigram", "plain")].largest
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        state = mode.trainer.recording.moments[-1].lanes[0]
        assert state.vocab_size == largest and not state.error
        assert mode.view.cards[0].card.sentence.endswith(EXHAUSTED)

    run_async(scenario())


def test_a_text_of_ones_own_is_typed_trained_on_and_undone(pane: Any, run_async: Any) -> None:
    mode = pane.mode

    async def scenario() -> None:
        mode.new_training()
        mode.form.corpus.control.chosen.emit("typed")
        await mode.surveyor.settled()
        assert not mode.form.text.isReadOnly()
        assert mode.form.text.toPlainText() == CLASSIC  # something to begin with
        mode.form.text.setPlainText("ab ab ab abc")
        assert mode.draft.value.typed == "ab ab ab abc"
        await mode.surveyor.settled()
        assert mode.surveyor.survey.size == 12 and mode.surveyor.survey.words == 4
        mode.change("lanes", (Lane("wordpiece", "count"),))
        await mode.surveyor.settled()
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        assert "ab" in mode.trainer.tokenizer(0).vocabulary
        assert mode.catalogue.entry(f"trained:{mode.trainer.title(0)}").name.endswith(", your text")
        mode.new_training()
        mode.form.text.setPlainText(" ")
        await until(lambda: "is empty" in mode.form.corpus.error.text, "nothing to learn from")
        assert not mode.form.start.isEnabled()
        pane.workspace.undo()
        await mode.surveyor.settled()
        assert mode.form.text.toPlainText() != " "
        mode.form.corpus.control.chosen.emit("stories")
        await mode.surveyor.settled()
        assert mode.form.text.isReadOnly()

    run_async(scenario())


def test_a_training_before_the_survey_has_ended_ends_where_the_text_ends(
    pane: Any, run_async: Any, tmp_path: Path
) -> None:
    """Also once it is done again, from the session."""
    mode, corpus = pane.mode, tmp_path / "classic.txt"
    corpus.write_text(CLASSIC)

    async def scenario() -> list[Any]:
        mode.new_training()
        mode.surveyor.stop()
        mode.draft.begin(TrainDraft(str(corpus), vocab_size="1000"))
        assert mode.surveyor.limits(mode.draft.value) == [None] * 4
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        return [(card.card.pieces, card.card.sentence) for card in mode.view.cards]

    told = run_async(scenario())
    assert [pieces for pieces, _ in told] == ["272 pieces", "36 pieces", "48 pieces", "20 pieces"]
    assert {said.rpartition("; ")[2] for _, said in told} == {EXHAUSTED}
    state = mode.state()

    async def again() -> list[Any]:
        mode.new_training()
        mode.restore(state)
        mode.shown()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        return [(card.card.pieces, card.card.sentence) for card in mode.view.cards]

    assert run_async(again()) == told


def test_what_is_typed_is_kept_exactly_and_undone_pause_by_pause(pane: Any, run_async: Any) -> None:
    mode, said = pane.mode, []
    mode.statusRequested.connect(said.append)

    async def scenario() -> None:
        mode.new_training()
        mode.change("corpus", "typed")
        mode.change("typed", "ab")
        pane.workspace.end_merge()
        box = mode.form.text
        box.moveCursor(QTextCursor.MoveOperation.End)
        QTest.keyClicks(box, "\u00a0c")
        assert mode.draft.value.typed == "ab\u00a0c"  # a no-break space stays one
        box.rested.emit()
        QTest.keyClicks(box, "d")
        pane.workspace.undo()
        assert mode.draft.value.typed == box.text == "ab\u00a0c"
        box.moveCursor(QTextCursor.MoveOperation.Start)
        mime = QMimeData()
        mime.setText("x" * LONGEST_TYPED)
        box.insertFromMimeData(mime)
        assert box.text == "x" * (LONGEST_TYPED - 4) + "ab\u00a0c"
        assert said == ["That would be 100,004 characters; only the first 100,000 are used"]
        box.undo()
        assert mode.draft.value.typed == box.text == "ab\u00a0c"
        await mode.surveyor.settled()

    run_async(scenario())


def test_what_gave_up_is_no_success(
    pane: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a text so long that nobody asks beforehand what it yields."""
    monkeypatch.setattr(vocabulary_limits, "LONG_TEXT", 1000)
    mode = pane.mode
    unigram, bpe = Lane("unigram", "plain"), Lane("bpe", "hf")

    async def scenario(lanes: tuple[Lane, ...]) -> Any:
        mode.new_training()
        mode.start(TrainDraft(kilobytes="20", vocab_size="5000", lanes=lanes))
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        return mode.trainer.recording

    recording = run_async(scenario((unigram,)))
    assert "Unigram stopped" in pane.headline
    state = recording.state(0, len(recording) - 1)
    assert f"choose at most {state.vocab_size:,}, or a longer text" in state.error
    for plot in (mode.view.charts.compression, mode.view.charts.other):
        assert all(len(values) for values in plot.displayed().values())
    recording = run_async(scenario((unigram, bpe)))
    assert pane.headline.startswith("Done, but Unigram stopped ")


def test_a_training_that_cannot_begin_is_not_live(pane: Any, run_async: Any, tmp_path: Any) -> None:
    mode, short = pane.mode, tmp_path / "short.txt"
    short.write_text("aaaa")

    async def scenario() -> None:
        mode.start(TrainDraft(str(short), vocab_size="4", lanes=(Lane("unigram", "plain"),)))
        await until(lambda: mode.trainer.state == "failed", "the end")

    run_async(scenario())
    assert "choose at least 6" in mode.trainer.error
    assert not any(track.is_live for track in mode.tracks)


def test_closing_while_it_trains_ends_at_once(pane: Any, engine: Any, run_async: Any) -> None:
    async def scenario() -> None:
        pane.mode.start()
        await until(lambda: len(pane.mode.trainer.recording) > 2, "some moments")

    run_async(scenario())
    assert engine.close_now(HANGS)
    assert pane.mode.trainer.state != "done", "it was not waited for"


def test_options_survive_json_and_wrong_values() -> None:
    assert from_json(TrainDraft, to_json(SMALL)) == SMALL
    assert lenient(TrainDraft, {"lanes": [{"kind": "no"}, 3], "vocab_size": 5}) == TrainDraft()
    twice = TrainDraft(lanes=(Lane("bpe", "hf"),) * 2)
    assert twice.names == ("BPE", "BPE #2")


def test_the_pace_grows_faster() -> None:
    times = [pace.seconds(index, 700) for index in range(700)]
    assert times == sorted(times, reverse=True)
    assert 30 < sum(times) < 45


CLASSIC = (
    "low low low low low lower lower newest newest newest newest newest newest widest widest widest"
)


def test_the_classic_text_trains_in_all_four_with_a_size_each(
    pane: Any, run_async: Any, tmp_path: Any
) -> None:
    mode, corpus = pane.mode, tmp_path / "classic.txt"
    corpus.write_text(CLASSIC)

    async def scenario() -> None:
        mode.new_training()
        mode.change("lanes", USUAL_LANES)
        mode.change("corpus", str(corpus))
        await mode.surveyor.settled()
        rows, start = mode.form.algorithms.rows, mode.form.start
        # BPE begins with 256 bytes; Unigram has no more than 20 pieces here: no size is for all.
        assert "at most 20 pieces" in rows[3].note.text() and start.isEnabled()
        mode.change("vocab_size", "20")
        assert "at least 257" in rows[0].error.text and not start.isEnabled()
        rows[0].pieces.setText("300")
        rows[0].pieces.textEdited.emit("300")
        assert "at most 272" in rows[0].note.text() and not rows[0].error.text
        rows[1].pieces.setText("30")
        rows[1].pieces.textEdited.emit("30")
        assert mode.draft.value.chosen[1].pieces == "30"
        rows[1].pieces.textEdited.emit("many")
        assert "whole number" in rows[1].error.text and not start.isEnabled()
        rows[1].pieces.textEdited.emit("")
        assert "at least 24" in rows[1].error.text
        rows[1].pieces.textEdited.emit("30")
        start.click()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()

    run_async(scenario())
    last = mode.trainer.recording.moments[-1]
    assert [state.vocab_size for state in last.lanes] == [272, 30, 20, 20]
    assert not any(state.error for state in last.lanes)
    assert "the most text into a token" in pane.headline


def test_who_loses_text_is_ranked_by_what_it_gives_back(
    pane: Any, run_async: Any, tmp_path: Any
) -> None:
    """A text of capitals: WordPiece makes them small, which is shorter and does not come back."""
    mode, corpus = pane.mode, tmp_path / "capitals.txt"
    corpus.write_text("The CAT and the Cat and the cat SAT. " * 200)
    lanes = (Lane("bpe", "hf"), Lane("wordpiece", "count"))

    async def scenario() -> Any:
        mode.start(TrainDraft(str(corpus), vocab_size="272", lanes=lanes))
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        await pane.settled()
        return mode.trainer.recording

    recording = run_async(scenario())
    last = len(recording) - 1
    rates = [recording.bytes_per_token(lane, last) for lane in (0, 1)]
    assert rates[1] > rates[0] > rates[1] * (1 - recording.lost(1))
    assert "Only BPE" in pane.headline
    assert "but loses 29\u2009%" in pane.headline
    assert mode.view.cards[1].card.sentence == f"loses 29\u2009% of the text; {EXHAUSTED}"
    assert [card.card.state for card in mode.view.cards[:2]] == ["done", "lossy"]
