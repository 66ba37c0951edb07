"""Tokenizers of GGUF and SentencePiece model files, opened by what the file holds."""

from pathlib import Path

import pytest

from core.tokenization import ByteLevelBPE, open_tokenizer
from core.tokenization.formats.sentencepiece.charsmap import table_of
from core.tokenization.sentencepiece import SentencePieceBPE
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, meta_pieces
from core.tokenization.unigram import Unigram
from tests.core.gguf_files import gguf
from tests.core.tokenization.formats.making import (
    MIXED,
    WORDS,
    gguf_bpe,
    put,
    trained,
)


def test_a_model_file_holds_a_byte_level_bpe(tmp_path: Path) -> None:
    opened = open_tokenizer(put(tmp_path, gguf(gguf_bpe())))
    assert isinstance(opened, ByteLevelBPE)
    assert opened.pattern == "qwen"
    assert opened.special_tokens == {"<|endoftext|>": 0, "<|im_start|>": 400}
    ours = trained()
    same = ByteLevelBPE(ours.vocabulary, ours.merges, ours.special_tokens, pattern="qwen")
    assert opened.encode_ids(MIXED) == same.encode_ids(MIXED)


def test_a_model_file_may_begin_every_text_with_a_token(tmp_path: Path) -> None:
    changes = {"tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.bos_token_id": 400}
    opened = open_tokenizer(put(tmp_path, gguf(gguf_bpe(**changes))))
    assert opened.encode_ids("ba")[0] == 400
    assert opened.encode_ids("ba", specials=False)[0] != 400


def test_a_model_file_holds_a_wordpiece(tmp_path: Path) -> None:
    spelled = [
        word.removeprefix("##") if word.startswith("##") else word if word[0] == "[" else f"▁{word}"
        for word in WORDS
    ]
    metadata = {"tokenizer.ggml.model": "bert", "tokenizer.ggml.tokens": spelled}
    opened = open_tokenizer(put(tmp_path, gguf(metadata)))
    assert opened.kind == "wordpiece"
    assert opened.vocabulary == WORDS


def scored(kind: str) -> SentencePieceBPE | Unigram:
    special = meta_pieces(byte_fallback=True)
    pieces = ["▁", "t", "h", "e", "▁t", "he", "▁the"]
    normal = [Piece(piece, -float(rank) / 2) for rank, piece in enumerate(pieces)]
    maker = SentencePieceBPE if kind == "bpe" else Unigram
    normalizer = SentencePieceNormalizer("identity", remove_extra_whitespaces=False)
    return maker([*special, *normal], normalizer, byte_fallback=True)


@pytest.mark.parametrize(("kind", "model"), [("bpe", "llama"), ("unigram", "t5")])
def test_a_model_file_holds_a_sentencepiece_tokenizer(
    tmp_path: Path, kind: str, model: str
) -> None:
    ours = scored(kind)
    metadata = {
        "tokenizer.ggml.model": model,
        "tokenizer.ggml.tokens": ours.vocabulary,
        "tokenizer.ggml.scores": [piece.score for piece in ours.pieces.pieces],
        "tokenizer.ggml.token_type": [int(piece.type) for piece in ours.pieces.pieces],
        "tokenizer.ggml.remove_extra_whitespaces": False,
    }
    opened = open_tokenizer(put(tmp_path, gguf(metadata)))
    assert type(opened) is type(ours)
    text = "the  the het 漢"
    assert opened.encode(text) == ours.encode(text)
    assert opened.decode(opened.encode_ids(text)) == text
    for change in ({"tokenizer.ggml.scores": [0.0]}, {"tokenizer.ggml.scores": None}):
        damaged = {k: v for k, v in (metadata | change).items() if v is not None}
        with pytest.raises(ValueError, match="a score for every piece"):
            open_tokenizer(put(tmp_path, gguf(damaged)))
    strange = metadata | {"tokenizer.ggml.token_type": [9] * ours.vocab_size}
    with pytest.raises(ValueError, match="an unknown type"):
        open_tokenizer(put(tmp_path, gguf(strange)))


def test_the_normalizer_s_table_of_a_model_file_is_read(tmp_path: Path) -> None:
    ours = scored("unigram")
    table = table_of(SentencePieceNormalizer("nmt_nfkc"))
    metadata = {
        "tokenizer.ggml.model": "t5",
        "tokenizer.ggml.tokens": ours.vocabulary,
        "tokenizer.ggml.scores": [piece.score for piece in ours.pieces.pieces],
        "tokenizer.ggml.token_type": [int(piece.type) for piece in ours.pieces.pieces],
        "tokenizer.ggml.precompiled_charsmap": list(table),
    }
    opened = open_tokenizer(put(tmp_path, gguf(metadata)))
    assert opened.encode_ids("ｔｈｅ\u3000 the") == opened.encode_ids("the the")


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_a_sentencepiece_model_opens_under_any_name(tmp_path: Path, kind: str) -> None:
    ours = scored(kind)
    ours.save(tmp_path / "x.model")
    (tmp_path / "x.model").rename(tmp_path / "file.v3")
    opened = open_tokenizer(tmp_path / "file.v3")
    assert type(opened) is type(ours)
    assert opened.encode(MIXED) == ours.encode(MIXED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokenizer.ggml.model": None}, "without a tokenizer"),
        ({"tokenizer.ggml.model": "rwkv"}, "of the kind 'rwkv'"),
        ({"tokenizer.ggml.tokens": None}, "without a tokenizer"),
        ({"tokenizer.ggml.tokens": [1, 2]}, "without a tokenizer"),
        ({"tokenizer.ggml.tokens": ["a", "a"], "tokenizer.ggml.token_type": None}, "piece twice"),
        ({"tokenizer.ggml.token_type": [1, 2]}, "400 tokens, but 2 types|401 tokens"),
        ({"tokenizer.ggml.pre": "new"}, r"not known \('new'\).*tokenizer.json"),
        ({"tokenizer.ggml.merges": None}, "no list of merges"),
        ({"tokenizer.ggml.merges": [1]}, "no list of merges"),
        ({"tokenizer.ggml.merges": ["a b c"]}, "line 1 is not a pair"),
        ({"tokenizer.ggml.merges": ["q Q"]}, "needs the piece 'qQ'"),
    ],
)
def test_a_model_file_whose_tokenizer_is_damaged(
    tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, gguf(gguf_bpe(**changes))))
