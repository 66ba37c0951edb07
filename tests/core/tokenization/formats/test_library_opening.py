"""A BPE that the library gets in pieces is the very tokenizer that it reads from the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers

from core.tokenization.formats import library_opening
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.formats.library_opening import is_large_bpe, library_tokenizer
from tests.core.tokenization.reference import prose

TEXT = prose(0, 1500) + "\n\n Hello wörld, 漢字 🙂 <turn>naïve<x>"


def like_gemma() -> tokenizers.Tokenizer:
    """Spaces are letters, what is unknown becomes bytes, and tokens of all kinds are added."""
    made = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Replace(" ", "\u2581")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback()])
    specials = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=specials, show_progress=False)
    made.train_from_iterator([prose(0, 3000)], trainer)
    made.add_special_tokens([AddedToken("<turn>", normalized=False)])
    made.add_tokens([AddedToken("<x>", single_word=True, lstrip=True), "\n\n"])
    return made


def document() -> Any:
    return json.loads(like_gemma().to_str())


@pytest.fixture
def whole_reads(monkeypatch) -> list[bytes]:
    """What is read in one call; every BPE counts as a large one."""
    reads: list[bytes] = []
    read = tokenizers.Tokenizer.from_buffer

    class Watched:
        from_str = tokenizers.Tokenizer.from_str

        @staticmethod
        def from_buffer(raw: bytes) -> tokenizers.Tokenizer:
            reads.append(raw)
            return read(raw)

    monkeypatch.setattr(library_opening, "LARGE", 1)
    monkeypatch.setattr(library_opening, "HANDFUL", 100)
    monkeypatch.setattr(library_opening, "Tokenizer", Watched)
    return reads


def changed(change: Callable[[Any], object]) -> Any:
    described = document()
    change(described)
    return described


PIECES = {
    "as it is": lambda d: None,
    "whole words first": lambda d: d["model"].update(ignore_merges=True),
    "nothing unknown": lambda d: d["model"].update(unk_token=None, byte_fallback=False),
    "an end of words": lambda d: d["model"].update(end_of_word_suffix="</w>"),
    "no added tokens": lambda d: d.update(added_tokens=[]),
}
WHOLE = {
    "merges as lines": lambda d: d["model"].update(
        merges=[" ".join(pair) for pair in d["model"]["merges"]]
    ),
    "a key of the future": lambda d: d["model"].update(more=None),
    "ids that do not follow": lambda d: d["added_tokens"][-1].update(id=5000),
}


@pytest.mark.parametrize("what", [*PIECES, *WHOLE])
def test_in_pieces_or_whole_it_is_the_same_tokenizer(whole_reads, what):
    described = changed({**PIECES, **WHOLE}[what])
    raw = json.dumps(described).encode()
    made = library_tokenizer(described, raw)
    assert bool(whole_reads) == (what in WHOLE)
    expected = tokenizers.Tokenizer.from_str(raw.decode())
    assert json.loads(made.to_str()) == json.loads(expected.to_str())
    for text in (TEXT, "", " ", "a" * 300):
        assert made.encode(text).ids == expected.encode(text).ids
        assert made.encode(text).offsets == expected.encode(text).offsets


def test_only_a_large_bpe_is_given_in_pieces():
    described = document()
    assert not is_large_bpe(described["model"])
    many = [["a", "b"]] * library_opening.LARGE
    assert is_large_bpe({**described["model"], "merges": many})
    assert not is_large_bpe({**described["model"], "type": "WordPiece", "merges": many})
    assert not is_large_bpe({**described["model"], "vocab": [], "merges": many})
    assert not is_large_bpe(None)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["model"]["merges"].append(["nowhere", "to be found"]),
        lambda d: d["model"]["vocab"].update(x=-1),
        lambda d: d["model"]["merges"].append(["a", 5]),
        lambda d: d["added_tokens"].append({"content": None}),
    ],
)
def test_what_is_broken_says_the_remedy(whole_reads, change):
    with pytest.raises(ValueError, match="get the file again"):
        LibraryTokenizer(changed(change), "file")
