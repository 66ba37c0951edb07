"""The limits of a vocabulary are those that training itself has."""

import pytest

from core.data.stories import story_text
from core.tokenization import train_tokenizer, vocabulary_limits
from core.tokenization.lockstep import LanePlan, Options
from core.tokenization.training import KINDS
from core.tokenization.vocabulary_limits import Limits, vocabulary_limits_steps

TEXT = story_text(3, 4000)
WATCHED = [kind for kind in KINDS if kind != "characters"]


def limits(plan: LanePlan, text: str, most: int | None = None) -> tuple[Limits, list[object]]:
    steps, told = vocabulary_limits_steps(plan, text, most), []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return end.value, told


@pytest.mark.parametrize("kind", WATCHED)
def test_the_smallest_can_be_trained_and_nothing_below(kind: str) -> None:
    found, told = limits(LanePlan(kind), TEXT)
    assert Limits(found.smallest) in told
    assert train_tokenizer(kind, TEXT, found.smallest).vocab_size == found.smallest
    with pytest.raises(ValueError, match=f"{found.smallest}"):
        train_tokenizer(kind, TEXT, found.smallest - 1)


@pytest.mark.parametrize("kind", WATCHED)
def test_the_largest_is_what_training_ends_with(kind: str) -> None:
    found, _ = limits(LanePlan(kind), TEXT)
    assert found.largest is not None
    assert train_tokenizer(kind, TEXT, found.largest).vocab_size == found.largest
    if kind in ("sentencepiece-bpe", "unigram"):
        with pytest.raises(ValueError, match=f"at most {found.largest:,}"):
            train_tokenizer(kind, TEXT, found.largest + 1)
    else:
        assert train_tokenizer(kind, TEXT, found.largest + 1).vocab_size == found.largest


@pytest.mark.parametrize("kind", WATCHED)
def test_a_limit_is_looked_for_no_further_than_it_is_asked_for(kind: str) -> None:
    whole = limits(LanePlan(kind), TEXT)[0]
    assert whole.largest is not None
    assert limits(LanePlan(kind), TEXT, whole.largest)[0] == Limits(whole.smallest)
    assert limits(LanePlan(kind), TEXT, whole.largest + 1)[0] == whole


def test_special_tokens_count() -> None:
    found, _ = limits(LanePlan("bpe", Options(special_tokens=("<a>", "<b>"))), "low lower")
    assert found.smallest == 258
    # By hand: "low" takes two joins, "Ġlower" with its six letters five, of which it shares two.
    assert found.largest == 258 + 5


@pytest.mark.parametrize("kind", WATCHED)
def test_an_empty_text_is_refused_as_training_does(kind: str) -> None:
    with pytest.raises(ValueError, match="choose"):
        limits(LanePlan(kind), "")


def test_a_largest_above_what_anybody_looks_for_is_not_told(monkeypatch) -> None:
    monkeypatch.setattr(vocabulary_limits, "MOST", 200)
    for kind in ("sentencepiece-bpe", "unigram"):
        assert limits(LanePlan(kind), TEXT)[0].largest is None
    monkeypatch.undo()
    assert limits(LanePlan("unigram"), TEXT)[0].largest is not None
    monkeypatch.setattr(vocabulary_limits, "LONG_TEXT", len(TEXT) - 1000)
    assert limits(LanePlan("unigram"), TEXT)[0].largest is None
