"""What Compare shows on a fresh home without a network."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QFileDialog, QPushButton

from core.data.bundled import VOCAB_SIZE, bundled_tokenizer_file
from core.tokenization import open_tokenizer
from explorer.panes.tokenizers.entries import BUNDLED, MODEL
from tests.explorer.panes.tokenizers.compare.conftest import COMPARE, columns
from tests.explorer.panes.tokenizers.small import small_bpe


@pytest.fixture(autouse=True)
def fresh_home(monkeypatch, tmp_path):
    """Nothing is on this machine, and nobody answers."""
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktoken"))

    def refuse(name):
        raise ConnectionError("https://example.org/gpt2 could not be read: no network")
        yield

    monkeypatch.setattr("core.tokenization.getting.get_steps", refuse)


def model(tokenizer):
    return SimpleNamespace(name="mine", tokenizer=tokenizer, close=lambda: None)


@pytest.fixture
def pane(make_pane):
    return make_pane(COMPARE, first=True)


def test_four_algorithms_of_one_text_and_one_size_stand_side_by_side(pane):
    heads = [column.head for column in columns(pane)]
    assert [one.name.text() for one in heads] == [
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
    assert f"{lossless.count:,} tokens for BPE" in pane.headline
    assert "WordPiece" in pane.headline and "loses" in pane.headline


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
        assert said.startswith("https://example.org/gpt2 could not be read")
        assert "python3 dev.py vocabularies gpt2" in said
        assert pane.catalogue.entry("known:gpt2").address in said
        card = column.body.card
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
