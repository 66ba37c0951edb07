"""NFC before a text is cut, as Qwen has it: against the Hugging Face library and byte by byte."""

import itertools
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Reference

from core.tokenization import ByteLevelBPE, RankedBPE, open_tokenizer, train_tokenizer
from core.tokenization.bpe.composing import byte_sources, compose
from core.tokenization.encoding_trace import trace_encoding
from tests.core.test_trace import MarkedLines
from tests.core.tokenization.reference import any_text, prose

SPECIAL = "<|end|>"
# Letters in parts, whole ones that NFC takes apart (क़, K), Hangul in parts, marks in any order.
PARTS = ["e\u0301", "\u0301", "o\u0323\u0302", "o\u0302\u0323", "\u0958", "\u212a", "한", "\u1112"]
PARTS += ["\u1161", "\u11ab", ">\u0338", "é", "漢", "🙂\u200d", " ", "the", "\r\n", SPECIAL]
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=12).map("".join)


def composing() -> ByteLevelBPE:
    plain = train_tokenizer("bpe", prose(3, 4000), 600, (SPECIAL,), pattern="qwen")
    assert isinstance(plain, ByteLevelBPE)
    return ByteLevelBPE(
        plain.vocabulary, plain.merges, plain.special_tokens, pattern="qwen", normalizer="nfc"
    )


OURS = composing()


@given(texts)
def test_every_byte_of_a_composed_text_has_its_source(text: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    sources = list(byte_sources(text))
    assert len(sources) == len(compose(text).encode())
    assert sources == sorted(sources)
    assert all(0 <= place < len(text.encode()) for place in sources)
    if compose(text) == text:
        assert sources == list(range(len(sources)))


def test_a_composed_letter_comes_from_its_first_bytes() -> None:
    assert list(byte_sources("ae\u0301b")) == [0, 1, 2, 4]
    assert list(byte_sources("\u0958")) == [0, 1, 2, 2, 2, 2]  # three bytes become six


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("composing") / "tokenizer.json"
    OURS.save(path)
    return path


def test_ids_equal_the_reference(saved: Path) -> None:
    reference = Reference.from_file(str(saved))
    rng = random.Random(8)
    made = ["".join(rng.choices(PARTS, k=9)) for _ in range(300)]
    for text in [*made, *(any_text(rng, 40) for _ in range(100)), "", f"{SPECIAL}\u0338"]:
        assert OURS.encode_ids(text) == reference.encode(text).ids, text


def test_what_was_saved_is_opened_alike(saved: Path) -> None:
    opened = open_tokenizer(saved)
    assert isinstance(opened, ByteLevelBPE)
    assert opened.normalizer == "nfc"
    assert opened.encode_ids("cafe\u0301") == OURS.encode_ids("caf\u00e9")


@given(texts, st.booleans())
def test_spans_and_stages_are_those_of_the_text_as_it_was_written(text: str, find: bool) -> None:
    encoding = OURS.encode(text, specials=find)
    assert encoding.ids == OURS.encode_ids(text, specials=find)
    size = len(encoding.text.encode())
    normalizer, cut, model, last = encoding.stages
    for stage in (cut, model, last):
        edges = list(itertools.chain.from_iterable(stage.spans))
        assert edges == sorted(edges) and edges[:1] in ([], [0]) and edges[-1:] in ([], [size])
        assert all(end == start for (_, end), (start, _) in itertools.pairwise(stage.spans))
    assert normalizer.spans == [(0, size)]
    assert OURS.decode(encoding.ids) == normalizer.parts[0]


def test_special_tokens_are_found_before_a_mark_can_change_them() -> None:
    encoding = OURS.encode(f"e\u0301{SPECIAL}\u0338")
    assert SPECIAL in encoding.pieces
    assert encoding.spans[encoding.pieces.index(SPECIAL)] == (3, 10)


def test_ranks_alone_compose_too() -> None:
    ranks = {bytes([byte]): byte for byte in range(256)}
    ours = RankedBPE(ranks, pattern="qwen", normalizer="nfc")
    assert ours.encode_ids("e\u0301") == list("é".encode())
    assert ours.sample("e\u0301", 0.0, np.random.default_rng(0)).ids == [195, 169]


def test_the_marked_lines_computed_the_values_of_the_trace() -> None:
    text = f"cafe\u0301 {SPECIAL} o\u0302\u0323"
    with MarkedLines() as watched:
        trace = trace_encoding(OURS, text)
    for step in trace:
        watched.left(step)
    assert trace[0].value("normalized").item() == unicodedata.normalize("NFC", text)


def test_an_unknown_normalizer_is_refused() -> None:
    with pytest.raises(ValueError, match="choose nfc"):
        ByteLevelBPE(OURS.vocabulary, OURS.merges, OURS.special_tokens, normalizer="nfd")
