"""What data holds is known before a run: without the base's weights, by the file's beginning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.finetuning import data_check
from core.finetuning.data_check import DataFound, check_data
from core.finetuning.example_files import BrokenLinesError
from core.finetuning.loading import load, vocabulary_of
from core.finetuning.settings import FinetuningSettings
from core.resources import resource
from core.transformer.weights import WEIGHTS_FILE

GOOD = {"prompt": "Who?", "answer": "Mira"}


def _file(folder: Path, *lines: object, name: str = "mine.jsonl") -> str:
    path = folder / name
    path.write_text(
        "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
    )
    return str(path)


def _check(data: str, **settings: Any) -> DataFound:
    return check_data(FinetuningSettings(data=data, **settings), 256)


def test_our_own_skills_need_no_file() -> None:
    assert _check("questions") == _check("fables") == _check("stories") == DataFound()


WHOLE = (
    "2 of 4 lines of mine.jsonl are broken; the first is line 2: it is not valid JSON. Correct the "
    "file, or skip broken lines$"
)


def test_broken_lines_are_counted_and_the_first_is_told(tmp_path: Path) -> None:
    data = _file(tmp_path, GOOD, "{", GOOD, "[]")
    with pytest.raises(BrokenLinesError, match=WHOLE):
        _check(data)
    found = _check(data, broken_lines="skip")
    assert found.broken == 2 and "2 examples, 1 of them held out" in found.told
    assert "2 broken lines skipped, the first is line 2" in found.told


def test_conversations_need_a_base_with_a_chat_template(tmp_path: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}
    with pytest.raises(ValueError, match="stories has no chat template"):
        _check(_file(tmp_path, chat, chat), broken_lines="skip")


def test_a_text_must_be_text_and_long_enough(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the tenth of short.txt that is held out needs"):
        _check(_file(tmp_path, "Once upon a time.", name="short.txt"))
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG\x00")
    with pytest.raises(ValueError, match="not a UTF-8 text"):
        _check(str(picture))
    with pytest.raises(FileNotFoundError, match="there is no .*choose another file"):
        _check(str(tmp_path / "gone.txt"))
    long = _file(tmp_path, "Once upon a time there was a girl. " * 800, name="long.txt")
    assert _check(long).told == "long.txt: a text of 28,001 characters"


def test_of_a_large_file_the_beginning_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(data_check, "MOST_CHECKED", 100)
    data = _file(tmp_path, *[GOOD] * 5, *["{"] * 5)
    assert _check(data).broken == 0
    with pytest.raises(BrokenLinesError, match="of the first 3 lines"):
        _check(_file(tmp_path, *["{" * 40] * 2, *[GOOD] * 9))
    text = _file(tmp_path, "Once upon a time. " * 5_000, name="long.txt")
    assert _check(text).told == "long.txt: a text of 90,001 bytes"


def test_a_vocabulary_is_that_of_the_base_and_needs_no_weights(tmp_path: Path) -> None:
    loaded, words = load("questions"), vocabulary_of("questions")
    assert words.name == "stories" and words.usage == loaded.usage
    assert words.tokenizer.encode_ids("Once upon") == loaded.tokenizer.encode_ids("Once upon")
    for file in resource("models", "stories").iterdir():
        if file.name != WEIGHTS_FILE and file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert vocabulary_of(tmp_path).tokenizer.vocab_size == words.tokenizer.vocab_size
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no tokenizer\.json"):
        vocabulary_of(tmp_path)
