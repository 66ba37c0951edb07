"""What Compare shows on a fresh home without a network."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QFileDialog, QPushButton

from core.data.bundled import VOCAB_SIZE, bundled_tokenizer_file
from core.download import broken_line
from core.tokenization import open_tokenizer
from explorer.panes.tokenizers.entries import BUNDLED, MODEL
from tests.explorer.panes.tokenizers.compare.conftest import COMPARE, columns
from tests.explorer.panes.tokenizers.small import small_bpe
from tests.explorer.waiting import turn

NO_NAME = OSError(-3, "Temporary failure in name resolution")


@pytest.fixture(autouse=True)
def fresh_home(monkeypatch, tmp_path):
    """Nothing is on this machine, and nobody answers."""
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktoken"))

    def refuse(name):
        raise broken_line("https://openaipublic.blob.core.windows.net/r50k", NO_NAME, kept=False)
        yield

    monkeypatch.setattr("core.tokenization.getting.get_steps", refuse)


def test_all_of_a_failed_download_is_seen_in_the_smallest_window_with_four_columns(pane, run_async):
    async def body():
        pane.mode.shown_ones.replace(3, "known:gpt2")
        pane.resize(824, 582)  # what a window of 1280 x 720 leaves beside the inspector
        await pane.settled()
        turn()
        body = columns(pane)[3].body
        card = body.card
        for part in (card.title_label, card.message_label, *card.findChildren(QPushButton)):
            place = QRect(part.mapTo(body, QPoint()), part.size())
            assert body.rect().contains(place), part
            assert part.height() >= max(part.heightForWidth(part.width()), 1)

    run_async(body())


def test_a_frozen_app_says_where_the_file_is(pane, run_async, monkeypatch):
    monkeypatch.setattr("explorer.panes.tokenizers.shown_tokenizers.is_checkout", lambda: False)

    async def body():
        pane.mode.shown_ones.add("known:gpt2")
        await pane.settled()
        said = columns(pane)[4].body.message
        assert said.startswith(f"Or get {pane.catalogue.entry('known:gpt2').address} in a browser")

    run_async(body())


def test_the_search_opens_on_what_all_four_hold(pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        await pane.settled()
        lists = [one.list for one in pane.mode.submodes["vocabulary"].view.columns]
        assert len(lists) == 4 and all(one.displayed()["ids"] for one in lists)

    run_async(body())


def model(tokenizer):
    return SimpleNamespace(name="mine", tokenizer=tokenizer, close=lambda: None)


@pytest.fixture
def pane(make_pane):
    return make_pane(COMPARE, first=True)


def test_four_algorithms_of_one_text_and_one_size_stand_side_by_side(pane):
    heads = [column.head for column in columns(pane)]
    assert [one.title.name.whole for one in heads] == [
        "BPE",
        "WordPiece",
        "SentencePiece BPE",
        "Unigram",
    ]
    opened = [pane.mode.shown_ones.get(one) for one in BUNDLED]
    assert {one.vocab_size for one in opened} == {VOCAB_SIZE}
    assert all(column.body.state == "ready" and column.split.count for column in columns(pane))
    lossless, unknown = columns(pane)[0].split, columns(pane)[1].split
    assert lossless.lossless and unknown.unknown
    # Who emits [UNK] has the fewest tokens, and is not called the thriftiest.
    assert unknown.count < lossless.count
    assert pane.headline.startswith("Only BPE ") and f"({lossless.count:,} tokens)" in pane.headline
    assert "; WordPiece " in pane.headline and "loses" in pane.headline


def test_the_bundled_models_tokenizer_is_not_shown_twice(pane, context, run_async):
    async def body():
        context.workspace.set_model_source(model(open_tokenizer(bundled_tokenizer_file("bpe"))))
        await pane.settled()
        assert pane.mode.shown_ones.ids == list(BUNDLED)

    run_async(body())


def test_the_tokenizer_of_another_model_stands_before_them(pane, context, run_async):
    async def body():
        context.workspace.set_model_source(model(small_bpe()))
        await pane.settled()
        assert pane.mode.shown_ones.ids == [MODEL, *BUNDLED]
        assert len(columns(pane)) == 5

    run_async(body())


def test_what_is_shown_can_be_the_four_again(pane, run_async):
    async def body():
        shown = pane.mode.shown_ones
        shown.remove(0)
        ((title, ids),) = shown.sets()
        shown.show_set(title, ids)
        await pane.settled()
        assert shown.ids == list(BUNDLED)
        assert len(columns(pane)) == 4

    run_async(body())


def test_a_download_that_failed_has_its_card_on_top_of_its_column(pane, run_async, tmp_path):
    async def body():
        pane.mode.shown_ones.add("known:gpt2")
        await pane.settled()
        column = columns(pane)[4]
        assert column.body.state == "error"
        said = column.body.message
        assert said.startswith("Or run python3 dev.py vocabularies gpt2 in a terminal.")
        assert "openaipublic.blob.core.windows.net does not answer (Temporary failure" in said
        card = column.body.card
        assert card.title_label.text() == "GPT-2 could not be fetched"
        assert card.mapTo(column.body, card.rect().topLeft()).y() < 20
        buttons = card.findChildren(QPushButton)
        assert [one.text() for one in buttons] == ["Retry", "Open a file"]
        for one in buttons:  # whole, and in sight in a narrow column
            place = one.mapTo(column.body, one.rect().bottomRight())
            assert one.width() >= one.sizeHint().width()
            assert column.body.rect().contains(place)
        card.actionTriggered.emit("Retry")
        await pane.settled()
        assert column.body.state == "error"
        card.actionTriggered.emit("Open a file")
        dialog = pane.window().findChild(QFileDialog)
        dialog.fileSelected.emit(str(bundled_tokenizer_file("wordpiece")))
        dialog.close()
        await pane.settled()
        assert len(columns(pane)) == 5
        assert columns(pane)[4].body.state == "ready"
        assert pane.mode.shown_ones.ids[4].startswith("file:")

    run_async(body())
