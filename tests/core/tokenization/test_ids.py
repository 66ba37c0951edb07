"""The tokenizer of a model that came without one."""

from pathlib import Path

import pytest

from core.tokenization import Tokenizer, open_tokenizer
from core.tokenization.ids import IdTokenizer


def test_numbers_are_tokens_and_tokens_are_numbers() -> None:
    tokenizer = IdTokenizer(50)
    encoding = tokenizer.encode(" 12 5\u2003 49\n")
    assert encoding.ids == tokenizer.encode_ids(" 12 5\u2003 49\n") == [12, 5, 49]
    assert encoding.pieces == ["12", "5", "49"]
    assert encoding.slices() == [b" 12", b" 5", "\u2003 49".encode()]
    assert tokenizer.decode([12, 5, 49]) == " 12 5 49"
    assert tokenizer.encode_ids(tokenizer.decode(range(50))) == list(range(50))
    assert tokenizer.vocabulary[7] == "7" and tokenizer.vocab_size == 50
    assert tokenizer.encode("  ").ids == [] and tokenizer.encode("").ids == []
    assert isinstance(tokenizer, Tokenizer)


@pytest.mark.parametrize("text", ["Once", "1 50", "-1", "3x", "1.5", "1 " + "9" * 40, "²"])
def test_what_is_no_token_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="is no token.*numbers from 0 to 49.*tokenizer.json"):
        IdTokenizer(50).encode(text)
    with pytest.raises(ValueError, match="outside the vocabulary"):
        IdTokenizer(50).decode([50])


@pytest.mark.parametrize("size", [0, -1, 1 << 40])
def test_a_vocabulary_of_no_size_that_can_be_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="has 1 to 2,097,152 ids, not"):
        IdTokenizer(size)


def test_its_file_is_read_as_the_same_numbers(tmp_path: Path) -> None:
    IdTokenizer(50).save(tmp_path / "tokenizer.json")
    opened = open_tokenizer(tmp_path / "tokenizer.json")
    assert opened.encode_ids("12 5 49") == [12, 5, 49] and opened.vocab_size == 50
    with pytest.raises(ValueError):
        opened.encode_ids("Once")
