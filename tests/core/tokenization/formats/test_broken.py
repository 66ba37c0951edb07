"""Broken and hostile files of every format are refused with what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.tokenization import Tokenizer, open_tokenizer
from tests.core.gguf_files import gguf
from tests.core.tokenization.formats.making import (
    MIXED,
    WORDS,
    gguf_bpe,
    put,
    ranks,
    tekken_file,
    tiktoken_file,
    trained,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"IQ== 0\nIg==\n", "line 2 is not a piece"),
        (b"IQ== 0\nIg== x\n", "line 2 is not a piece"),
        (b"IQ== 0\nIg== -1\n", "line 2 is not a piece"),
        (b"IQ== 0\nI!== 1\n", "line 2 is not a piece"),
        (b"IQ== 0\nIQ== 1\n", "line 2 repeats the piece"),
        (b"IQ== 0\nIg== 0\n", "stands for two pieces"),
        (b"IQ== 0\nIg== 999999999\n", "ids run from 0 to 999999999"),
        (b"IQ== 0\nIg== 99999999999999999999\n", "line 2 is not a piece"),
        (b"IQ== 0\nIg== 1\n", "of the 256 bytes"),
    ],
)
def test_damaged_ranks_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(vocab=None), "no config and vocab"),
        (lambda d: d.update(config=3), "no config and vocab"),
        (lambda d: d["config"].update(pattern=r"\w+"), "a pattern that is not known"),
        (lambda d: d["config"].pop("default_vocab_size"), "how many pieces"),
        (lambda d: d["config"].update(default_vocab_size=10), "how many pieces"),
        (lambda d: d["config"].update(default_vocab_size=1 << 40), "promises"),
        (lambda d: d["config"].update(default_vocab_size=9000), "where 8,970 should be"),
        (lambda d: d["vocab"].append(3), "a piece wrongly"),
        (lambda d: d["vocab"][0].update(rank="0"), "a piece wrongly"),
        (lambda d: d["vocab"][0].update(token_bytes="#"), "a piece wrongly"),
        (lambda d: d["vocab"][0].update(rank=5), "two pieces"),
        (lambda d: d.update(special_tokens=[{"rank": 0}]), "special token wrongly"),
        (lambda d: d.update(special_tokens={"a": 1}), "special token wrongly"),
        (
            lambda d: d.update(special_tokens=[{"rank": r, "token_str": "x"} for r in (0, 1)]),
            "two special tokens alike",
        ),
    ],
)
def test_a_damaged_tekken_is_refused(
    tmp_path: Path, change: Callable[[dict], object], message: str
) -> None:
    document = tekken_file()
    change(document)
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, document))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["[PAD]", "the", "a"], "no line"),
        (["[UNK]", "the", "the"], "'the' twice"),
        (["[UNK]", "", ""], "'' twice"),
    ],
)
def test_a_damaged_word_list_is_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, "\n".join(words) + "\n"))


def every_format(folder: Path) -> list[Path]:
    ours = trained()
    ours.save(folder / "tokenizer.json")
    put(folder, {p: i for i, p in enumerate(ours.vocabulary)}, "vocab.json")
    put(folder, "\n".join(" ".join(pair) for pair in ours.merges), "merges.txt")
    return [
        folder / "tokenizer.json",
        folder / "merges.txt",
        folder / "vocab.json",
        put(folder, tiktoken_file(ranks()), "a.tiktoken"),
        put(folder, tekken_file(), "tekken.json"),
        put(folder, "\n".join(WORDS), "vocab.txt"),
        put(folder, gguf(gguf_bpe()), "a.gguf"),
    ]


def test_a_file_cut_anywhere_opens_as_a_whole_one_or_says_what_is_wrong(tmp_path: Path) -> None:
    for path in every_format(tmp_path):
        whole = path.read_bytes()
        for part in range(1, 20):
            path.write_bytes(whole[: len(whole) * part // 20])
            try:
                opened: Tokenizer | None = open_tokenizer(path)
            except ValueError as error:
                assert str(path) in str(error) or ":" in str(error)
            else:
                assert opened is not None
                opened.encode(MIXED)
        path.write_bytes(whole)


def test_a_file_of_500_megabytes_is_refused_unread(tmp_path: Path) -> None:
    for path in every_format(tmp_path)[:-1]:
        with path.open("r+b") as file:
            file.truncate(500_000_000)  # the rest is a hole: it takes no room on the disk
        with pytest.raises(
            ValueError, match="holds 500,000,000 bytes, more than|no tokenizer file"
        ):
            open_tokenizer(path)


def test_of_a_large_model_only_the_head_is_read(tmp_path: Path) -> None:
    path = put(tmp_path, gguf(gguf_bpe()))
    with path.open("r+b") as file:
        file.truncate(5_000_000_000)
    assert open_tokenizer(path).vocab_size == 401


@pytest.mark.parametrize(
    "content",
    [
        b'{"model": ' + b"[" * 2_000_000,
        b'{"model": {"type": "BPE", "vocab": {}, "merges": [' + b"[]," * 7_000_000,
        b'{"a": ' * 100_000,
        b'{"config": {}, "vocab": [' + b"{}," * 7_000_000,
    ],
)
def test_brackets_do_not_fill_the_memory(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"too deep|nested|more than [\d,]+ values|not valid JSON"):
        open_tokenizer(put(tmp_path, content))


def test_too_many_pieces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lines, more than"):
        open_tokenizer(put(tmp_path, b"[UNK]\n" + b"a\n" * 3_000_000))
