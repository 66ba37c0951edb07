"""Which format a file or folder has, and which tokenizer a name means."""

from pathlib import Path

import pytest

from core.tokenization import ByteLevelBPE, RankedBPE, open_tokenizer
from core.tokenization.opening import recognize_kind
from tests.core.tokenization.formats.making import (
    WORDS,
    put,
    ranks,
    tekken_file,
    tiktoken_file,
    trained,
)


def test_a_folder_is_searched_for_the_file_that_tells_most(tmp_path: Path) -> None:
    put(tmp_path, "\n".join(WORDS), "vocab.txt")
    assert open_tokenizer(tmp_path).kind == "wordpiece"
    put(tmp_path, tekken_file(), "tekken.json")
    assert isinstance(open_tokenizer(tmp_path), RankedBPE)
    trained().save(tmp_path / "tokenizer.json")
    assert type(open_tokenizer(tmp_path)) is ByteLevelBPE
    other = tmp_path / "other"
    put(other, tiktoken_file(ranks()), "x.tiktoken")
    assert isinstance(open_tokenizer(other), RankedBPE)


def test_a_place_without_a_tokenizer_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no tokenizer.*tokenizer.json"):
        open_tokenizer(tmp_path)
    with pytest.raises(FileNotFoundError, match="no tokenizer 'nowhere'.*gpt2, cl100k"):
        open_tokenizer("nowhere")


def test_a_well_known_one_is_opened_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="GPT-2 is not on this machine.*vocabularies gpt2"):
        open_tokenizer("gpt2")
    folder = tmp_path / "hub" / "models--gpt2" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    trained().save(folder / "tokenizer.json")
    assert open_tokenizer("gpt2").vocabulary == trained().vocabulary


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"GGUF\3\0\0\0", "gguf"),
        (b"IQ== 0\nIg== 1\n", "ranks"),
        (b' {"model": 1}', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"[[1]]", "json"),
        (b"[PAD]\n[unused0]\n", "wordlist"),
        (b"[PAD]\r\n[UNK]\r\n", "wordlist"),
        (b"#version: 0.2\n\xc4\xa0 t\n", "merges"),
        ("Ġ t\nĠ a\n".encode(), "merges"),
        ("é" * 5000 + "\n", "wordlist"),
    ],
)
def test_a_file_is_known_by_how_it_begins(tmp_path: Path, content: bytes | str, kind: str) -> None:
    assert recognize_kind(put(tmp_path, content)) == kind


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"PK\x03\x04\0\0", "archive or a pickle"),
        (b"\x80\x02}q\0.", "never opened"),
        (b"\x80\x04\x95\0\0\0", "never opened"),
        (b"\x1f\x8b\x08", "compressed"),
        (b'\x10\0\0\0\0\0\0\0{"a":1}', "a model's weights"),
        (b"\x93NUMPY\x01\0v\0", "no tokenizer file of a known format"),
        (b"\0" * 5000, "no tokenizer file of a known format"),
        (b"just\nsome\ntext\n", "no vocabulary: it has no line"),
        (b"[1, 2]", "describes no tokenizer"),
        (b'{"vocab": []}', "describes no tokenizer"),
        (b"{}", "describes no tokenizer"),
    ],
)
def test_another_file_is_refused_with_what_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, content))
