"""The further views of Compare: search, overlap, glitch tokens."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.download import Progress
from core.tensor_files import write_tensors
from core.tokenization import ByteLevelBPE
from core.tokenization.analysis import vocabulary_overlap
from core.tokenization.analysis.glitches import glitch_candidates, never_written
from explorer.panes.tokenizers.compare.vocabulary import search_all
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

BIG = small_bpe()
SMALL = ByteLevelBPE(BIG.vocabulary[:-8], BIG.merges[:-8], BIG.special_tokens)


def checkpoint(folder):
    """A model whose piece 270 looks like the bytes that no text holds."""
    folder.mkdir()
    table = np.random.default_rng(0).normal(size=(BIG.vocab_size + 4, 16)).astype(np.float32)
    table[never_written(BIG)] = 0.01 * table[never_written(BIG)] + 3
    table[270] = 3.05
    write_tensors(folder / "model.safetensors", {"wte.weight": table})
    BIG.save(folder / "tokenizer.json")
    return folder, table


@pytest.fixture
def pane(make_pane, context, tmp_path):
    folder, table = checkpoint(tmp_path / "model")
    source = SimpleNamespace(
        name="mine", tokenizer=BIG, close=lambda: None, folder=lambda: folder, table=table
    )
    context.workspace.set_model_source(source)

    def begin(pane):
        pane.catalogue.add_trained("small", SMALL)
        pane.mode.shown_ones.add("trained:small")

    return make_pane(MODES[0], then=begin)


def tool(pane, name):
    return pane.mode.tools.by_name[name]


def test_a_download_that_failed_says_so_in_every_view_and_is_tried_again(
    pane, run_async, monkeypatch
):
    tries = []

    def steps(name):
        tries.append(name)
        raise ValueError("GPT-2 could not be had: the connection is gone; try again later")
        yield

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)

    async def body():
        pane.mode.choose(view="vocabulary")
        pane.mode.shown_ones.add("known:gpt2")
        await pane.settled()
        column = tool(pane, "vocabulary").view.columns[2]
        assert column.body.state == "error" and "try again later" in column.body._error.message
        assert [one.body.state for one in tool(pane, "vocabulary").view.columns[:2]] == [
            "ready"
        ] * 2
        column.body.retryRequested.emit()
        await pane.settled()
        assert tries == ["gpt2", "gpt2"] and column.body.state == "error"
        pane.mode.choose(view="overlap")
        await pane.settled()
        view = tool(pane, "overlap").view
        assert view.body.state == "ready" and len(view.displayed()["values"]) == 2
        (card,) = view.cards
        assert "try again later" in card.message and card.accessibleName().startswith("GPT-2")
        card.actionTriggered.emit("Retry")
        await pane.settled()
        assert tries == ["gpt2"] * 3 and len(view.cards) == 1
        pane.mode.shown_ones.remove(2)
        await pane.settled()
        assert not view.cards
        pane.grab()

    run_async(body())


def test_a_download_on_its_way_is_told_in_search_and_overlap(pane, run_async, monkeypatch):
    def steps(name):
        while True:
            yield Progress(1, 4)

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)

    async def body():
        pane.mode.choose(view="overlap")
        pane.mode.shown_ones.add("known:gpt2")
        view = tool(pane, "overlap").view
        async with asyncio.timeout(100):
            while not any("downloading, 25%" in card.message for card in view.cards):
                await asyncio.sleep(0.02)
        pane.mode.choose(view="vocabulary")
        column = tool(pane, "vocabulary").view.columns[2]
        assert column.body.state == "loading" and column.body._veil._reason == "downloading, 25%"
        column.body.cancelRequested.emit()
        await pane.settled()
        assert len(tool(pane, "vocabulary").view.columns) == 2

    run_async(body())


@pytest.mark.parametrize("query", ["\u0120the", "\u2581the", "\u2423the", "\u00b7the", " the"])
def test_a_space_is_searched_by_any_of_its_signs(pane, run_async, query):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search(query, "is", False)
        await pane.settled()
        (wanted,) = [i for i in range(BIG.vocab_size) if BIG.piece_bytes(i) == b" the"]
        column = tool(pane, "vocabulary").view.columns[0]
        assert column.list.displayed()["ids"] == [wanted]
        index = column.list.pieces.index(0)
        assert index.data() == "\u2423the"
        assert pane.headline == "1 piece of mine is \u201c\u2423the\u201d"
        assert index.data(Qt.ItemDataRole.ToolTipRole).startswith("\u2423the  id ")

    run_async(body())


@pytest.mark.parametrize(
    ("query", "way", "said"),
    [
        (" the", "is", "1 piece of mine is \u201c\u2423the\u201d"),
        ("at", "ends", "pieces of mine end with"),
        ("zqx", "contains", "No piece of these vocabularies holds"),
    ],
)
def test_one_piece_is_told_otherwise_than_two(pane, run_async, query, way, said):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search(query, way, False)
        await pane.settled()
        assert said in pane.headline

    run_async(body())


def test_six_overlaps_have_their_numbers_and_whole_names_in_the_smallest_window(qtbot):
    from explorer import theme
    from explorer.panes.tokenizers.compare.overlap_view import OverlapView

    names = ["stories (bundled)", "GPT-2", "BERT base, uncased", "GPT-4o (o200k)", "A", "B"]
    view = OverlapView()
    qtbot.addWidget(view)
    view.resize(976, 450)  # what a window of 1100 x 680 leaves
    view.show()
    view.set_shares(np.full((6, 6), 0.5), names)
    qtbot.wait(1)
    now = theme.current()
    assert view.map.cell_rect(0, 0).width() >= now.px("cell_numbers")
    room = view.map._label_room()[0] - now.px(32)
    assert all(now.metrics("label").horizontalAdvance(name) <= room for name in names)
    assert all(column.width() > 150 for column in view.sets)


def test_a_search_shows_the_pieces_of_every_vocabulary(pane, run_async):
    async def body():
        told = []
        pane.inspection.connect(told.append)
        pane.mode.choose(view="vocabulary")
        view = tool(pane, "vocabulary").view
        view.field.setText("")
        QTest.keyClicks(view.field, "at")
        QTest.keyClick(view.field, Qt.Key.Key_Return)
        await pane.settled()
        for column, tokenizer in zip(view.columns, (BIG, SMALL), strict=True):
            expected = [i for i in range(tokenizer.vocab_size) if b"at" in tokenizer.piece_bytes(i)]
            assert column.list.displayed()["ids"] == expected
            assert column._count.text().startswith(f"{len(expected)} of {tokenizer.vocab_size}")
        assert "hold \u201cat\u201d" in pane.headline
        assert told[-1].step.name == "vocabulary.match" and len(told[-1].rows) == 2
        view.way.chosen.emit("regex")  # the control says what it has chosen before it tells
        pane.grab()

    run_async(body())


def test_a_piece_that_is_chosen_shows_its_merge_tree(pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search("the", "contains", False)
        await pane.settled()
        pieces = tool(pane, "vocabulary").view.columns[0].list
        pieces.setCurrentIndex(pieces.pieces.index(0))
        await pane.settled()
        making, drawer = pane.mode.chosen.making, pane.mode.view.drawer
        assert making.token == pieces.pieces.ids[0] and drawer.isVisible()
        assert pane.player.length == len(making.moments)
        pane.player.seek(0)
        assert pane.headline == making.moments[0].step.title
        pane.grab()
        assert pane.cancel() and not drawer.isVisible()

    run_async(body())


def test_what_cannot_be_searched_says_why(pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        search = tool(pane, "vocabulary")
        for query, way, said in (("(", "regex", "regular"), ("zz", "bytes", "hexadecimal")):
            search.search(query, way, False)
            await pane.settled()
            assert said in search.view.error.text and search.view.error.isVisible()
        search.search("6174", "bytes", False)
        await pane.settled()
        assert not search.view.error.text and search.view.columns[0].list.displayed()["ids"]
        search.search("", "contains", False)
        await pane.settled()
        assert search.view._hint.isVisible()

    run_async(body())


def test_a_search_runs_on_the_engine(pane, run_async, monkeypatch):
    from explorer.panes.tokenizers.compare import vocabulary

    threads = set()

    def watched(*arguments):
        threads.add(threading.current_thread())
        yield from search_all(*arguments)

    monkeypatch.setattr(vocabulary, "search_all", watched)

    async def body():
        pane.mode.choose(view="vocabulary")
        await pane.settled()
        assert threads and threading.main_thread() not in threads

    run_async(body())


def test_a_tokenizer_taken_away_while_another_view_is_seen_takes_its_overlap_along(pane, run_async):
    async def body():
        pane.mode.choose(view="overlap")
        await pane.settled()
        pane.mode.choose(view="text")
        await pane.settled()
        pane.mode.shown_ones.remove(1)
        await pane.settled()
        seen = tool(pane, "overlap")
        assert seen.names and seen.headline() and seen.inspection(0)
        pane.mode.choose(view="overlap")
        await pane.settled()
        assert seen.overlap is None and "two or more" in seen.headline()

    run_async(body())


def test_the_overlap_of_every_pair_and_the_pieces_of_one(pane, run_async):
    async def body():
        told = []
        pane.inspection.connect(told.append)
        pane.mode.choose(view="overlap")
        await pane.settled()
        overlap = vocabulary_overlap(BIG, SMALL)
        view = tool(pane, "overlap").view
        shares = view.displayed()["values"]
        np.testing.assert_allclose(shares[0, 1], overlap.share_of_first, rtol=1e-6)
        np.testing.assert_allclose(shares[1, 0], overlap.share_of_second, rtol=1e-6)
        only_first, both, _ = (one.list.displayed()["ids"] for one in view.sets)
        assert only_first == overlap.only_first.tolist()
        assert both == overlap.common[:, 0].tolist()
        assert told[-1].step.name == "overlap.share"
        pane.player.seek(1)
        assert told[-1].step.name == "overlap.jaccard"
        view.map.cellClicked.emit(1, 0)
        assert tool(pane, "overlap").pair == (1, 0)
        assert view.sets[2].list.displayed()["ids"] == overlap.only_first.tolist()
        assert f"{overlap.share_of_second:.0%}" in pane.headline
        pane.grab()
        pane.mode.shown_ones.remove(1)
        await pane.settled()
        assert view.body.state == "empty"

    run_async(body())


def test_glitch_tokens_of_the_open_model(pane, context, run_async):
    async def body():
        told = []
        pane.inspection.connect(told.append)
        pane.mode.choose(view="glitches")
        await pane.settled()
        found = tool(pane, "glitches")
        table = context.workspace.model_source.table
        expected = glitch_candidates(table, BIG, never_written(BIG), 200)
        assert found.view.displayed()["ids"].tolist() == [one.token for one in expected]
        assert expected[0].token == 270 and "looks least trained" in pane.headline
        assert found.view.displayed()["counts"].sum() == BIG.vocab_size
        assert told[-1].step.name == "glitches.similarity"
        assert float(told[-1].step.value("similarity")[0]) == pytest.approx(
            expected[0].similarity, abs=1e-5
        )
        suspects = found.view.list
        suspects.setCurrentIndex(suspects.pieces.index(1))
        await pane.settled()
        assert pane.mode.chosen.making.token == expected[1].token
        pane.grab()

    run_async(body())


@pytest.mark.parametrize("learned", ["the same one", "another one"])
def test_a_model_that_has_changed_is_asked_again(pane, context, run_async, learned):
    """A run goes on in its folder; or another model is opened where the old one lay."""
    source = context.workspace.model_source

    async def body():
        pane.mode.choose(view="glitches")
        await pane.settled()
        found = tool(pane, "glitches")
        before = found.found
        found.look()
        await pane.settled()
        assert found.found is before  # nothing is another
        table = source.table.copy()
        table[[270, 271]] = table[[271, 270]]
        write_tensors(source.folder() / "model.safetensors", {"wte.weight": table})
        if learned == "the same one":
            source.version = 1
            found.look()
        else:
            context.workspace.set_model_source(SimpleNamespace(**vars(source)))
        await pane.settled()
        assert found.found.candidates[0].token == 271

    run_async(body())


def test_glitch_tokens_of_a_folder_and_of_one_without_a_model(pane, run_async, tmp_path):
    async def body():
        found = tool(pane, "glitches")
        pane.mode.choose(view="glitches")
        await pane.settled()
        other, _ = checkpoint(tmp_path / "other")
        found.open_folder(str(other))
        await pane.settled()
        assert found.found.opened.name == "other" and found.view.body.state == "ready"
        empty = tmp_path / "empty"
        empty.mkdir()
        found.open_folder(str(empty))
        await pane.settled()
        assert found.view.body.state == "error"

    run_async(body())


def test_the_view_comes_back_with_a_session(pane, make_pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search("cat", "ends", True)
        await pane.settled()

    run_async(body())
    other = make_pane(MODES[0])

    async def back():
        other.restore(pane.state())
        await other.settled()
        assert other.mode.choices.view == "vocabulary"
        view = tool(other, "vocabulary").view
        assert (view.field.text(), view.way.current) == ("cat", "ends") and view.columns
        assert view.any_case.isChecked()

    run_async(back())


def test_closing_while_a_view_works(pane, run_async):
    async def body():
        for name in ("overlap", "glitches", "vocabulary"):
            pane.mode.choose(view=name)

    run_async(body())
