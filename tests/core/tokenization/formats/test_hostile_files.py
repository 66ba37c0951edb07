"""Files made to do harm: what an error says of them stays short, and none is waited for."""

import base64
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.files import QUOTED, quoted
from core.tokenization import open_tokenizer, train_tokenizer
from tests.core.gguf_files import gguf

LONG = "x" * 200_000


def document(change: Callable[[Any], object]) -> str:
    """A trained tokenizer.json, changed."""
    described = json.loads(TRAINED)
    change(described)
    return json.dumps(described)


@pytest.fixture(scope="module", autouse=True)
def trained(tmp_path_factory: pytest.TempPathFactory) -> None:
    global TRAINED
    path = tmp_path_factory.mktemp("hostile") / "tokenizer.json"
    train_tokenizer("bpe", "low lower lowest", 262).save(path)
    TRAINED = path.read_text(encoding="utf-8")


TRAINED = ""
RANK = base64.b64encode(LONG.encode()).decode()
HOSTILE: dict[str, Callable[[], str | bytes]] = {
    "kind": lambda: json.dumps({"model": {"type": LONG, "vocab": {}}}),
    "kind that is a list": lambda: json.dumps({"model": {"type": [LONG], "vocab": {}}}),
    "merge": lambda: document(lambda d: d["model"]["merges"].append([LONG, "b"])),
    "pre-tokenizer": lambda: document(lambda d: d.update(pre_tokenizer={"type": LONG})),
    "normalizer": lambda: document(lambda d: d.update(normalizer={"type": LONG})),
    "piece of a word list": lambda: f"[UNK]\n{LONG}\n{LONG}\n",
    "rank": lambda: f"YQ== 0\n{RANK} 1\n{RANK} 2\n",
    "score": lambda: json.dumps(
        {"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], [LONG, "x"]]}}
    ),
    "unknown piece": lambda: json.dumps(
        {"model": {"type": "WordPiece", "unk_token": LONG, "vocab": {"a": 0}}}
    ),
    "id": lambda: document(lambda d: d["model"]["vocab"].update(far=int("9" * 4000))),
    "kind in GGUF": lambda: gguf(
        {"tokenizer.ggml.model": LONG, "tokenizer.ggml.tokens": ["a"]},
    ),
    "words in GGUF": lambda: gguf(
        {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.tokens": ["a"],
            "tokenizer.ggml.pre": LONG,
        }
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_an_error_quotes_no_more_than_a_person_reads(tmp_path: Path, what: str) -> None:
    path = tmp_path / "file"
    content = HOSTILE[what]()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError) as told:
        open_tokenizer(path)
    assert len(str(told.value)) < 400 + len(str(path))


def test_what_is_quoted_says_how_much_is_left_out() -> None:
    assert quoted("a" * QUOTED) == repr("a" * QUOTED)
    assert quoted("a" * (QUOTED + 1200)) == f"'{'a' * 12}…{'a' * 27}' (1,240 characters)"
    assert quoted(b"a" * (QUOTED + 1)) == f"b'{'a' * 12}...{'a' * 27}' (41 bytes)"
    assert quoted(None) == "None" and quoted(1000) == "1,000"
    assert quoted(["a" * 1000]) == repr(["a" * 1000])[:QUOTED] + "…"


def test_a_long_path_shows_the_name_of_the_file(tmp_path: Path) -> None:
    missing = tmp_path / ("a" * 60) / "tokenizer.json"
    with pytest.raises(FileNotFoundError, match="no tokenizer '.*…a*/tokenizer.json' "):
        open_tokenizer(missing)


def test_a_file_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(TRAINED, encoding="utf-8")

    def refused(opened: object, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(opened))

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError) as told:
        open_tokenizer(path)
    assert str(told.value) == (
        f"{path} cannot be read (Permission denied): choose a file that you may read"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    from core.tokenization.opening import is_tokenizer

    pipe = tmp_path / "tokenizer.json"
    os.mkfifo(pipe)
    for look in (open_tokenizer, is_tokenizer):
        with pytest.raises(ValueError, match="a pipe or a device, not a file: put"):
            look(pipe)
    with pytest.raises(FileNotFoundError, match="holds no tokenizer"):
        open_tokenizer(tmp_path)
