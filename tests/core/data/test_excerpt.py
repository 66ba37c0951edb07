"""The beginning of a corpus."""

from pathlib import Path

import pytest

from core.data.excerpt import Excerpt, excerpt_of, excerpt_steps
from core.data.stories import story


def read(name: str | Path, n_bytes: int) -> Excerpt:
    steps = excerpt_steps(name, n_bytes)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_stories_come_whole_and_in_their_order() -> None:
    found = read("stories", 5000)
    assert found.texts == [story(seed) for seed in range(len(found.texts))]
    assert 5000 <= found.size == sum(len(text.encode()) for text in found.texts) < 7000
    assert not found.whole


def test_a_file_is_read_up_to_a_word(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("one two thrée four", encoding="utf-8")
    assert read(path, 11) == Excerpt(["one two"], 7, False)
    assert read(path, 1000) == Excerpt(["one two thrée four"], 19, True)


def test_a_long_file_is_read_in_parts_and_joined(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("é word " * 60_000, encoding="utf-8")
    found = read(path, 300_000)
    assert found.texts == [("é word " * 60_000)[: len(found.texts[0])]]
    assert 299_980 < found.size <= 300_000
    assert read(path, 10_000_000).whole


def test_a_word_longer_than_what_is_asked_for_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("é" * 100, encoding="utf-8")
    assert read(path, 9) == Excerpt(["éééé"], 8, False)
    assert read(path, 1).texts == ["é"]


@pytest.mark.parametrize(
    ("data", "n_bytes", "message"),
    [
        (b"", 10, "is empty: choose a file with text"),
        (b"ab\0cd", 10, "at byte 2 there is a zero byte"),
        (b"abc", 0, "at least one byte"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, data: bytes, n_bytes: int, message: str
) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read(path, n_bytes)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no .*choose another file"):
        read(tmp_path / "none.txt", 10)


def test_a_text_that_is_there_is_cut_as_a_file_is() -> None:
    assert excerpt_of("one two thrée four", 11) == Excerpt(["one two"], 7, False)
    assert excerpt_of("one two", 1000) == Excerpt(["one two"], 7, True)
    with pytest.raises(ValueError, match="type or paste"):
        excerpt_of(" \n", 1000)
