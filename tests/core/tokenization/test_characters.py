"""The character tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization import CharacterTokenizer, train_tokenizer, train_tokenizer_steps


def test_the_vocabulary_is_every_character_sorted() -> None:
    text = "hello, Wörld\n"
    tokenizer = train_tokenizer("characters", text)
    assert tokenizer.vocabulary == sorted(set(text))
    assert tokenizer.encode_ids("hello") == [sorted(set(text)).index(c) for c in "hello"]


def test_special_tokens_come_before_the_characters() -> None:
    tokenizer = train_tokenizer("characters", ["ab", "bc"], special_tokens=("<|endoftext|>",))
    assert tokenizer.vocabulary == ["<|endoftext|>", "a", "b", "c"]
    assert tokenizer.encode_ids("a<|endoftext|>c") == [1, 0, 3]
    with pytest.raises(ValueError, match="'<'"):
        tokenizer.encode_ids("<|endoftext|>", specials=False)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_spans_tile_the_bytes_and_decode_gives_the_text_back(text: str) -> None:
    tokenizer = train_tokenizer("characters", text)
    encoding = tokenizer.encode(text)
    assert encoding.ids == tokenizer.encode_ids(text)
    assert tokenizer.decode(encoding.ids) == text
    assert b"".join(encoding.slices()) == text.encode()
    assert encoding.slices() == [tokenizer.piece_bytes(token) for token in encoding.ids]


def test_an_unknown_character_is_named_with_the_remedy() -> None:
    tokenizer = train_tokenizer("characters", "abc")
    with pytest.raises(ValueError, match=r"'é' \(U\+00E9\) at position 2.*byte-level BPE"):
        tokenizer.encode("abé")


def test_a_token_may_stand_for_unknown_characters() -> None:
    tokenizer = CharacterTokenizer(["<unk>", "a", "b"], {"<unk>": 0}, unknown="<unk>")
    encoding = tokenizer.encode("aéb\ud800")
    assert encoding.ids == [1, 0, 2, 0] == tokenizer.encode_ids("aéb\ud800")
    assert encoding.spans == [(0, 1), (1, 3), (3, 4), (4, 7)]


def test_too_small_a_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="3 different characters.*at least 3"):
        train_tokenizer("characters", "abc", 2)
    assert train_tokenizer("characters", "abc", 50).vocab_size == 3


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(ValueError, match="text is empty"):
        train_tokenizer("characters", "")


def test_impossible_vocabularies_are_refused() -> None:
    with pytest.raises(ValueError, match="vocabulary is empty"):
        CharacterTokenizer([])
    with pytest.raises(ValueError, match="'ab' is not one character"):
        CharacterTokenizer(["ab"])
    with pytest.raises(ValueError, match="a piece twice"):
        CharacterTokenizer(["a", "a"])
    with pytest.raises(ValueError, match="must agree"):
        CharacterTokenizer(["a", "<s>"], {"<s>": 1, "<t>": 0})
    with pytest.raises(ValueError, match="is no special token"):
        CharacterTokenizer(["a"], unknown="a")
    with pytest.raises(ValueError, match="half a character"):
        CharacterTokenizer(["\ud800"])
    with pytest.raises(ValueError, match="outside the vocabulary"):
        CharacterTokenizer(["a"]).decode([1])


def test_training_reports_progress() -> None:
    steps = list(train_tokenizer_steps("characters", ["ab", "bc"]))
    assert [step.characters for step in steps] == [2, 4]
