"""One small tokenizer of each format, opened by what the file holds, under any name."""

from dataclasses import replace
from pathlib import Path

import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from core.tokenization import ByteLevelBPE, RankedBPE, open_tokenizer
from core.tokenization.bpe.patterns import PATTERNS
from core.tokenization.formats.pieces import guess_pattern
from core.tokenization.formats.tekken import FIRST_SPECIALS
from core.tokenization.known import known
from tests.core.tokenization.formats.making import (
    MIXED,
    SPECIALS,
    TEXT,
    WORDS,
    put,
    ranks,
    tekken_file,
    tiktoken_file,
    trained,
)


def test_ranks_encode_as_the_merges_that_they_come_from(tmp_path: Path) -> None:
    path = put(tmp_path, tiktoken_file(ranks()))
    opened = open_tokenizer(path, pattern="gpt2")
    assert isinstance(opened, RankedBPE)
    assert opened.special_tokens == {}
    expected = trained()
    pieces = [expected.vocabulary[i] for i in expected.encode_ids(MIXED, specials=False)]
    assert opened.encode(MIXED).pieces == pieces
    assert opened.decode(opened.encode_ids(MIXED)) == MIXED


def test_ranks_take_the_pattern_and_special_tokens_that_are_given(tmp_path: Path) -> None:
    path = put(tmp_path, tiktoken_file(ranks()).replace(b"\n", b"\r\n"))
    specials = {"<|endoftext|>": 1000}
    opened = open_tokenizer(path, pattern="qwen", special_tokens=specials)
    assert isinstance(opened, RankedBPE)
    assert (opened.pattern, opened.special_tokens) == ("qwen", specials)
    assert opened.encode_ids("<|endoftext|>") == [1000]
    assert opened.vocab_size == 1001
    composing = open_tokenizer(path, pattern="qwen", normalizer="nfc")
    assert composing.encode_ids("e\u0301") == opened.encode_ids("é") != opened.encode_ids("e\u0301")
    with pytest.raises(ValueError, match=r"file.bin: there is no word pattern 'gpt5'"):
        open_tokenizer(path, pattern="gpt5")


def test_a_well_known_rank_file_is_read_as_its_makers_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, tiktoken_file(ranks()))
    qwen = replace(known("qwen"), special_tokens={"<|endoftext|>": 1000})
    monkeypatch.setattr("core.tokenization.known.recognize", lambda _: qwen)
    opened = open_tokenizer(path)
    assert isinstance(opened, RankedBPE)
    assert (opened.pattern, opened.normalizer) == ("qwen", "nfc")
    assert opened.special_tokens == {"<|endoftext|>": 1000}
    assert opened.encode_ids("e\u0301<|endoftext|>") == [*opened.encode_ids("é"), 1000]


@pytest.mark.parametrize("name", ["tekken", "qwen", "o200k", "llama3", "smollm2", "gpt2"])
def test_pieces_tell_by_which_pattern_their_words_were_cut(name: str) -> None:
    text = " it's WE'LL theCat TheCat's 12345 12 67 ) -> ;\n ;\n\n !/ !\n\n\n x\n    y\n" * 3
    words = {word.encode() for word in PATTERNS[name].split(text)}
    assert guess_pattern(words) == name


def test_tekken_ids_follow_its_special_tokens(tmp_path: Path) -> None:
    opened = open_tokenizer(put(tmp_path, tekken_file()))
    assert isinstance(opened, RankedBPE)
    assert opened.pattern == "tekken"
    assert opened.vocab_size == 30 + len(ranks()) - 5
    assert list(opened.special_tokens)[:20] == list(FIRST_SPECIALS)
    assert list(opened.special_tokens)[20:] == [f"<SPECIAL_{i}>" for i in range(20, 30)]
    assert opened.encode_ids("[INST]a") == [3, 30 + ord("a")]
    assert opened.decode(opened.encode_ids(MIXED)) == MIXED


def test_tekken_names_its_special_tokens_itself_since_version_7(tmp_path: Path) -> None:
    named = [{"rank": 0, "token_str": "<unk>"}, {"rank": 1, "token_str": "<s>"}]
    opened = open_tokenizer(put(tmp_path, tekken_file(4) | {"special_tokens": named}))
    assert list(opened.special_tokens) == ["<unk>", "<s>", "<SPECIAL_2>", "<SPECIAL_3>"]


def reference_wordpiece(lowercase: bool, words: list[str] = WORDS) -> tokenizers.Tokenizer:
    vocab = {word: i for i, word in enumerate(words)}
    made = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_word_list_is_wordpiece_as_bert_has_it(tmp_path: Path, ending: str) -> None:
    opened = open_tokenizer(put(tmp_path, ending.join(WORDS) + ending))
    assert opened.kind == "wordpiece"
    assert opened.vocabulary == WORDS
    assert opened.unknown_id == 1
    text = "The unaffable, A 漢 unknown thé"
    expected = reference_wordpiece(True).encode(text, add_special_tokens=False).ids
    assert opened.encode(text, specials=False).ids == expected
    assert opened.special_tokens == {word: i for i, word in enumerate(SPECIALS)}


def test_a_word_list_with_capitals_leaves_text_as_it_is(tmp_path: Path) -> None:
    words = [*WORDS, "The", "th", "##é"]
    opened = open_tokenizer(put(tmp_path, "\n".join(words)))
    text = "The the thé THE"
    expected = reference_wordpiece(False, words).encode(text, add_special_tokens=False).tokens
    assert opened.encode(text, specials=False).pieces == expected
    assert expected[0] == "The"


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
@pytest.mark.parametrize("opened_by", [0, 1])
@pytest.mark.parametrize("prefix", ["", "gpt2-"])
def test_a_vocabulary_with_its_merges(
    tmp_path: Path, names: tuple[str, str], opened_by: int, prefix: str
) -> None:
    ours = trained()
    put(tmp_path, {p: i for i, p in enumerate(ours.vocabulary)}, prefix + names[0])
    lines = ["#version: 0.2", *(" ".join(pair) for pair in ours.merges)]
    put(tmp_path, "\n".join(lines) + "\n", prefix + names[1])
    opened = open_tokenizer(tmp_path / (prefix + names[opened_by]))
    assert isinstance(opened, ByteLevelBPE)
    assert opened.vocabulary == ours.vocabulary
    assert opened.special_tokens == ours.special_tokens
    ids = opened.encode_ids(TEXT)
    assert opened.decode(ids) == TEXT


def test_half_a_tokenizer_says_what_is_missing(tmp_path: Path) -> None:
    for path in (
        put(tmp_path, {"a": 0}, "vocab.json"),
        put(tmp_path, "#version: 0.2\na b\n", "lonely.txt"),
    ):
        with pytest.raises(ValueError, match="half of a tokenizer.*vocab.json with merges.txt"):
            open_tokenizer(path)
