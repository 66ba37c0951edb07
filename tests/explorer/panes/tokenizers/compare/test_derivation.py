"""How one token came to be: the stretch of text that is shown gives the very same token."""

from __future__ import annotations

import json

import pytest

from core.tokenization import ByteLevelBPE, train_tokenizer
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.telling import visible
from explorer.panes.tokenizers.compare.derivation import (
    derive_piece,
    derive_token,
    spellings,
    stretches,
)
from tests.explorer.panes.tokenizers.small import TEXTS, small_bpe

TEXT = "the cat, that rat\n  a hat had the mat <3 \U0001f642 na\u00efve"


def made(kind: str, tmp_path):
    if kind == "bpe":
        return small_bpe()
    if kind == "library":
        small_bpe().save(tmp_path / "tokenizer.json")
        document = json.loads((tmp_path / "tokenizer.json").read_text())
        return LibraryTokenizer(document, "tokenizer.json")
    sizes = {"wordpiece": 60, "sentencepiece-bpe": 40, "unigram": 20, "characters": None}
    texts = [*TEXTS, TEXT] if kind == "characters" else TEXTS
    return train_tokenizer(kind, texts, *([sizes[kind]] if sizes[kind] else []))


KINDS = ("bpe", "library", "wordpiece", "sentencepiece-bpe", "unigram", "characters")


@pytest.mark.parametrize("kind", KINDS)
def test_the_stretch_alone_gives_the_token_at_its_place(kind, tmp_path):
    tokenizer = made(kind, tmp_path)
    encoding = tokenizer.encode(TEXT)
    data = encoding.text.encode()
    shown = 0
    for token, (start, end) in zip(encoding.ids, encoding.spans, strict=True):
        making = derive_token(tokenizer, data, start, end, token)
        assert making.token == token and making.data == data[start:end]
        if making.steps:
            shown += 1
            alone = tokenizer.encode(making.text)
            pairs = zip(alone.ids, alone.slices(), strict=True)
            assert (token, data[start:end]) in list(pairs)
            ends = [one.step.title for one in making.steps if one.stage == 3]
            assert all(visible(making.text) in title for title in ends), "not the whole text"
            assert any(moment.stage == 2 for moment in making.steps) or start == end
        else:
            assert making.note
    assert shown == len(encoding.ids)


def test_only_the_word_of_the_token_is_told():
    tokenizer = small_bpe()
    data = b"cat cat cat"
    encoding = tokenizer.encode(data.decode())
    start, end = encoding.spans[-1]
    making = derive_token(tokenizer, data, start, end, encoding.ids[-1])
    assert making.text in (" cat", "cat", "at", "t") and len({m.word for m in making.steps}) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_piece_of_a_vocabulary_can_be_looked_at(kind, tmp_path):
    tokenizer = made(kind, tmp_path)
    for token in range(tokenizer.vocab_size):
        making = derive_piece(tokenizer, token)
        assert making.piece == tokenizer.vocabulary[token]
        assert making.steps, making
        assert all(moment.step.title for moment in making.steps)


def test_a_merge_tree_grows_from_its_bytes_to_the_piece():
    tokenizer = small_bpe()
    token = max(range(1, tokenizer.vocab_size), key=lambda one: len(tokenizer.piece_bytes(one)))
    making = derive_piece(tokenizer, token)
    scene = making.steps[-1].scene
    assert scene.letters == len(tokenizer.piece_bytes(token))
    assert scene.branches[-1].face.data == tokenizer.piece_bytes(token)
    shown = [moment.frame.shown for moment in making.steps]
    assert shown == list(range(scene.letters + 1, len(scene.branches) + 1))


def test_a_word_that_is_taken_whole_shows_the_merges_that_made_it():
    trained = small_bpe()
    whole = ByteLevelBPE(
        trained.vocabulary, trained.merges, trained.special_tokens, ignore_merges=True
    )
    token = whole.encode_ids(" the")
    assert len(token) == 1
    making = derive_token(whole, b"on the mat", 2, 6, token[0])
    names = [moment.step.name for moment in making.steps]
    assert "tree.merge" in names and making.shown == "\u2423the"
    assert making.steps[-1].scene.branches[-1].face.data == b" the"


def test_stretches_hold_the_token_and_are_whole_characters():
    data = TEXT.encode()
    for start in range(len(data)):
        for low, high in stretches(data, start, start + 1):
            assert 0 <= low <= start and high <= len(data)
            data[low:high].decode()
    assert next(iter(stretches(b"", 0, 0))) == (0, 0)


def test_half_a_character_spells_no_text():
    assert list(spellings(b"\xe2")) == [] and list(spellings(b" a"))[:2] == [" a", "a"]
