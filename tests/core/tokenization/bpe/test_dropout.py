"""BPE-dropout: between the usual merges and none at all, as often as its probability says."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization import ByteLevelBPE, train_tokenizer
from core.tokenization.bpe.dropout import merge_with_dropout
from core.tokenization.byte_level import clean_text
from tests.core.tokenization.reference import prose


def trained() -> ByteLevelBPE:
    made = train_tokenizer("bpe", prose(0, 2000), 500)
    assert isinstance(made, ByteLevelBPE)
    return made


TOKENIZER = trained()
TEXT = prose(5, 200) + "<|endoftext|>the"


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_without_dropout_it_is_the_usual_encoding() -> None:
    assert TOKENIZER.sample(TEXT, 0.0, generator()) == TOKENIZER.encode(TEXT)


def test_with_certain_dropout_only_bytes_are_left() -> None:
    encoding = TOKENIZER.sample(TEXT, 1.0, generator(), specials=False)
    assert encoding.slices() == [bytes([byte]) for byte in TEXT.encode()]


@given(st.text(st.characters()), st.floats(0, 1), st.integers(0, 9))
def test_every_sample_is_the_text(text: str, dropout: float, seed: int) -> None:
    encoding = TOKENIZER.sample(text, dropout, generator(seed))
    assert TOKENIZER.decode(encoding.ids) == clean_text(text)
    assert b"".join(encoding.slices()) == clean_text(text).encode()
    assert encoding.ids == TOKENIZER.sample(text, dropout, generator(seed)).ids, "seeded"


def test_samples_are_as_frequent_as_their_probability() -> None:
    # 0 a, 1 b, 2 ab, 3 abb: "abb" becomes ab+b with 1 - p, then abb with 1 - p again.
    ranks = {(0, 1): (0, 2), (2, 1): (1, 3)}
    p, n = 0.3, 4000
    random = generator(7)
    found = Counter(tuple(merge_with_dropout([0, 1, 1], ranks, p, random)) for _ in range(n))
    expected = {(0, 1, 1): p, (2, 1): (1 - p) * p, (3,): (1 - p) ** 2}
    assert found.keys() == expected.keys()
    for ids, share in expected.items():
        assert abs(found[ids] / n - share) < 4 * (share * (1 - share) / n) ** 0.5


def test_a_merge_that_was_skipped_is_tried_again() -> None:
    # 0 a, 1 b, 2 c, 3 bc, 4 ab. When ab is dropped and bc is done, ab no longer fits; of "abxbc"
    # the other word's merge lets ab be asked a second time.
    ranks = {(0, 1): (0, 4), (1, 2): (1, 3)}
    p, n = 0.5, 4000
    random = generator(1)
    found = Counter(tuple(merge_with_dropout([0, 1, 5, 1, 2], ranks, p, random)) for _ in range(n))
    # Neither: p p. Only bc: ab dropped, bc done, ab dropped again.
    expected = {(0, 1, 5, 1, 2): p * p, (0, 1, 5, 3): p * (1 - p) * p}
    for ids, share in expected.items():
        assert abs(found[ids] / n - share) < 4 * (share * (1 - share) / n) ** 0.5


def test_a_long_word_is_no_trap() -> None:
    text = "ba" * 20_000
    for dropout in (0.1, 0.9):
        assert TOKENIZER.decode(TOKENIZER.sample(text, dropout, generator()).ids) == text


@pytest.mark.parametrize("dropout", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(dropout: float) -> None:
    with pytest.raises(ValueError, match="choose a number from 0 to 1"):
        TOKENIZER.sample("text", dropout, generator())
