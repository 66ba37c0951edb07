"""The bundled tokenizers are those that their recipe trains."""

import json
from typing import Any

import pytest

from core.data.bundled import (
    OPTIONS,
    READ_STORIES,
    RECORD_FILE,
    VOCAB_SIZE,
    bundled_tokenizer_file,
    train_bundled_tokenizer,
)
from core.data.stories import story
from core.download import file_sha256
from core.resources import resource
from core.tokenization import open_tokenizer

SLOW = {"unigram"}
KINDS = [pytest.param(kind, marks=pytest.mark.full) if kind in SLOW else kind for kind in OPTIONS]


def model_of(path: Any) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))["model"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_retrained_one_equals_the_stored(kind, tmp_path):
    train_bundled_tokenizer(kind).save(tmp_path / "again.json")
    stored = bundled_tokenizer_file(kind)
    if kind != "unigram":
        assert (tmp_path / "again.json").read_bytes() == stored.read_bytes()
        return
    # The same pieces in the same order; the last digit of a score is the machine's.
    again, before = (dict(model_of(path)["vocab"]) for path in (tmp_path / "again.json", stored))
    assert list(again) == list(before)
    assert list(again.values()) == pytest.approx(list(before.values()), rel=1e-9)


def test_all_are_of_one_size_and_as_the_record_says():
    record = json.loads((resource("tokenizers") / RECORD_FILE).read_text(encoding="utf-8"))
    texts = [story(seed) for seed in READ_STORIES]
    size = sum(len(text.encode()) for text in texts)
    assert list(record["tokenizers"]) == list(OPTIONS)
    assert record["vocab_size"] == VOCAB_SIZE
    for kind, told in record["tokenizers"].items():
        path = bundled_tokenizer_file(kind)
        tokenizer = open_tokenizer(path)
        assert (tokenizer.kind, tokenizer.vocab_size) == (kind, VOCAB_SIZE)
        tokens = sum(len(tokenizer.encode_ids(text)) for text in texts)
        assert round(size / tokens, 3) == told["bytes_per_token"]
        assert told.get("sha256", file_sha256(path)) == file_sha256(path)


def test_all_but_wordpiece_can_spell_every_text():
    for kind in OPTIONS:
        tokenizer = open_tokenizer(bundled_tokenizer_file(kind))
        ids = tokenizer.encode_ids("na\u00efve \u6771\u4eac 42")
        assert (tokenizer.unknown_id in ids) == (kind == "wordpiece")


def test_they_are_small():
    assert sum(path.stat().st_size for path in resource("tokenizers").iterdir()) <= 300_000
