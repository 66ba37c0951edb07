"""Text files as corpora: chunks that change no token, a cache that is whole or absent."""

import errno
import itertools
import os
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.data import (
    Batches,
    FileCorpus,
    StoriesCorpus,
    character_tokenizer,
    open_corpus,
    prepare_corpus_steps,
    story_characters,
    story_text,
)
from core.data import text as text_module
from core.data.chunks import read_characters, safe_chunks
from core.tokenization import CharacterTokenizer, Tokenizer, train_tokenizer

NASTY = [
    *"ab'stdm 12,.!\n\t-",
    "  ",
    "\r\n",
    "n't",
    "'ll ",
    "<|endoftext|>",
    "<|end",
    "text|>",
    "é",
    "中文字",
    "一二三",
    "²",
    "Ⅷ",
    "\u00a0",
    "\u3000",
    "e\u0301",
    "😀",
]


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    return train_tokenizer("bpe", [story_text(0, 60_000), "中文字 中文字 一二三"], vocab_size=500)


def random_text(generator: random.Random, n: int) -> str:
    return "".join(generator.choice(NASTY) for _ in range(n))


def pieces(text: str, generator: random.Random) -> Iterator[str]:
    while text:
        n = generator.randrange(1, 30)
        yield text[:n]
        text = text[n:]


def test_chunked_tokenization_is_whole_tokenization(bpe: Tokenizer) -> None:
    generator = random.Random(1)
    for _ in range(300):
        text = random_text(generator, 200)
        size = generator.randrange(4, 60)
        chunks = list(
            safe_chunks(pieces(text, generator), list(bpe.special_tokens), False, size=size)
        )
        assert "".join(chunks) == text
        ids = list(itertools.chain.from_iterable(bpe.encode_ids(chunk) for chunk in chunks))
        assert ids == bpe.encode_ids(text)


def test_character_chunks_keep_special_tokens_whole() -> None:
    tokenizer = CharacterTokenizer(
        [*sorted(set("".join(NASTY))), "<|endoftext|>"],
        special_tokens={"<|endoftext|>": len(set("".join(NASTY)))},
    )
    generator = random.Random(2)
    for _ in range(200):
        text = random_text(generator, 100)
        chunks = list(safe_chunks(pieces(text, generator), ["<|endoftext|>"], True, size=20))
        assert len(chunks) > 2
        ids = list(itertools.chain.from_iterable(tokenizer.encode_ids(chunk) for chunk in chunks))
        assert ids == tokenizer.encode_ids(text)


def test_a_file_gives_the_tokens_of_its_two_parts(tmp_path: Path, bpe: Tokenizer) -> None:
    text = random_text(random.Random(3), 60_000)
    path = tmp_path / "nasty.txt"
    path.write_bytes(text.encode())
    corpus = open_corpus(path, bpe, tmp_path / "cache")
    n = int(0.9 * len(text))
    assert corpus.tokens("train").tolist() == bpe.encode_ids(text[:n])
    assert corpus.tokens("validation").tolist() == bpe.encode_ids(text[n:])
    assert corpus.tokens("train").dtype == np.uint16


def test_characters_are_split_as_nanogpt_does(tmp_path: Path) -> None:
    text = story_text(5, 12_345)
    path = tmp_path / "text.txt"
    path.write_text(text, newline="")
    tokenizer = character_tokenizer(path)
    assert tokenizer.vocabulary == sorted(set(text))
    corpus = open_corpus(path, tokenizer, tmp_path / "cache")
    assert len(corpus.tokens("train")) == int(0.9 * 12_345)
    assert len(corpus.tokens("validation")) == 12_345 - int(0.9 * 12_345)
    assert tokenizer.decode(corpus.tokens("train").tolist()) == text[: int(0.9 * 12_345)]


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfMira")
    assert "".join(text for text, _ in read_characters(path)) == "Mira"


def test_opening_again_uses_the_tokens_on_disk(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 20_000))
    first = open_corpus(path, bpe, tmp_path / "cache")
    assert isinstance(first.tokens("train"), np.memmap)
    assert list(prepare_corpus_steps(path, bpe, tmp_path / "cache")) == []


def test_another_text_or_tokenizer_is_tokenized_anew(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 20_000))
    open_corpus(path, bpe, tmp_path / "cache")
    characters = character_tokenizer(path)
    assert len(list(prepare_corpus_steps(path, characters, tmp_path / "cache"))) > 1
    path.write_text(story_text(1, 20_001))
    assert len(list(prepare_corpus_steps(path, bpe, tmp_path / "cache"))) > 1
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_damaged_cache_is_made_again(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 20_000))
    corpus = open_corpus(path, bpe, tmp_path / "cache")
    assert isinstance(corpus, FileCorpus)
    expected = corpus.tokens("train").tolist()
    folder = corpus.folder
    del corpus
    with (folder / "tokens-train.bin").open("r+b") as file:
        file.truncate(11)
    assert open_corpus(path, bpe, tmp_path / "cache").tokens("train").tolist() == expected


def test_closing_midway_leaves_nothing(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 200_000))
    total = len(list(prepare_corpus_steps(path, bpe, tmp_path / "all")))
    assert total > 10
    for stop in range(1, total):
        steps = prepare_corpus_steps(path, bpe, tmp_path / "cache")
        for _ in range(stop):
            next(steps)
        steps.close()
        assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_progress_rises_to_one(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 200_000))
    shares = [share for share, _ in prepare_corpus_steps(path, bpe, tmp_path / "cache")]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < 0.2
    assert shares[-1] == 1.0


def test_a_full_disk_harms_nothing(
    tmp_path: Path, bpe: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 20_000))
    open_corpus(path, bpe, tmp_path / "cache")
    before = sorted((tmp_path / "cache").rglob("*"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(text_module.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        open_corpus(path, character_tokenizer(path), tmp_path / "cache")
    assert sorted((tmp_path / "cache").rglob("*")) == before


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    text = story_text(0, 200_000)
    with path.open("w") as file:
        for _ in range(20):
            file.write(text)
    tokenizer = character_tokenizer(path)
    tracemalloc.start()
    try:
        open_corpus(path, tokenizer, tmp_path / "cache")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000, "the file has 4 MB"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path, bpe: Tokenizer) -> None:
    with pytest.raises(FileNotFoundError, match="choose another"):
        open_corpus(tmp_path / "no.txt", bpe, tmp_path)
    with pytest.raises(IsADirectoryError, match="choose a text file"):
        open_corpus(tmp_path, bpe, tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "empty.txt"
    path.touch()
    with pytest.raises(ValueError, match="is empty: choose a file with text"):
        open_corpus(path, bpe, tmp_path / "cache")
    with pytest.raises(ValueError, match="is empty"):
        character_tokenizer(path)


@pytest.mark.parametrize("before", [0, 1, 65_535, 65_536, 70_001])
@pytest.mark.parametrize(
    "bad", [b"\0", b"\xff", b"\xc3(", b"\xe4\xb8", b"\xed\xa0\x80"], ids=lambda bad: bad.hex()
)
def test_a_binary_file_is_refused_with_the_byte(
    tmp_path: Path, bpe: Tokenizer, before: int, bad: bytes
) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(b"a" * before + bad)
    with pytest.raises(ValueError, match=f"at byte {before:,} there is .* save it again as UTF-8"):
        open_corpus(path, bpe, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_text_too_short_for_a_batch_says_how_long_it_must_be(
    tmp_path: Path, bpe: Tokenizer
) -> None:
    path = tmp_path / "short.txt"
    path.write_text("Mira found a red kite by the river, and that was all.")
    corpus = open_corpus(path, character_tokenizer(path), tmp_path / "cache")
    for split, found in (("train", 47), ("validation", 6)):
        with pytest.raises(ValueError, match=rf"has {found} tokens, but .* needs 65 .* smaller"):
            Batches(corpus, split, block_size=64, batch_size=2, seed=0)
    path.write_text("a")
    with pytest.raises(ValueError, match="too few"):
        open_corpus(path, bpe, tmp_path / "cache")


def test_a_word_without_end_is_refused(tmp_path: Path, bpe: Tokenizer) -> None:
    path = tmp_path / "word.txt"
    path.write_text("a" * 2_500_000)
    with pytest.raises(ValueError, match="break it into lines"):
        open_corpus(path, bpe, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    characters = open_corpus(path, character_tokenizer(path), tmp_path / "cache")
    assert len(characters.tokens("train")) == 2_250_000


def test_stories_are_a_corpus_by_name(tmp_path: Path) -> None:
    tokenizer = character_tokenizer("stories")
    assert tokenizer.vocabulary == story_characters().vocabulary
    corpus = open_corpus("stories", tokenizer, tmp_path)
    assert isinstance(corpus, StoriesCorpus)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_device_or_a_pipe_is_no_text(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ValueError, match="is a device or a pipe.*choose a text file"):
            text_module.check_text_file(path)
