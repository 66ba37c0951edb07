"""Training by count against the Hugging Face library, by likelihood against plain code."""

import random

import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from core.data import story_text
from core.tokenization import (
    AlphabetStep,
    CountingStep,
    MergeStep,
    WordPiece,
    train_tokenizer,
    train_tokenizer_steps,
)
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS
from core.tokenization.wordpiece.training import cut_at_spaces
from tests.core.tokenization.reference import prose


def reference_vocabulary(
    texts: list[str], vocab_size: int, continuing: list[str]
) -> dict[str, int]:
    """Trains the reference, told the order of the continuing characters, which it leaves to chance
    otherwise.
    """
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*BERT_TOKENS, *continuing],
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made.get_vocab()


def assert_same_as_reference(texts: list[str], vocab_size: int) -> None:
    ours = train_tokenizer("wordpiece", texts, vocab_size)
    continuing = [piece for piece in ours.vocabulary if piece[:2] == "##" and len(piece) == 3]
    expected = reference_vocabulary(texts, vocab_size, continuing)
    assert {piece: token for token, piece in enumerate(ours.vocabulary)} == expected


@pytest.mark.parametrize("vocab_size", [400, 1000])
def test_vocabulary_and_ids_equal_the_reference(vocab_size: int) -> None:
    assert_same_as_reference([story_text(1, 60_000), prose(1, 800), "Ünïcödé ČAFÉ"], vocab_size)


def test_vocabulary_and_ids_equal_the_reference_where_almost_everything_is_a_tie() -> None:
    for seed in range(100):
        rng = random.Random(seed)
        alphabet = rng.choice(["ab ", "abc ", "ab. ", "aé  "])
        texts = ["".join(rng.choices(alphabet, k=rng.randint(2, 60))) + "a" for _ in range(3)]
        assert_same_as_reference(texts, 20 + rng.randint(0, 30))


def likelihood_steps(texts: list[str], vocab_size: int, rivals: int = 0) -> list[MergeStep]:
    steps = train_tokenizer_steps("wordpiece", texts, vocab_size, score="likelihood", rivals=rivals)
    return [step for step in steps if isinstance(step, MergeStep)]


def test_the_example_of_the_course() -> None:
    text = " ".join(["hug"] * 10 + ["pug"] * 5 + ["pun"] * 12 + ["bun"] * 4 + ["hugs"] * 5)
    steps = likelihood_steps([text], 21, rivals=2)
    first = steps[0]
    assert (first.piece, first.count, first.score) == ("##gs", 5, 5 / (20 * 5))
    assert first.rivals[0].score < first.score
    assert [step.piece for step in steps[:2]] == ["##gs", "hu"]
    by_count = train_tokenizer_steps("wordpiece", text, 21)
    first = next(step for step in by_count if isinstance(step, MergeStep))
    assert (first.piece, first.count, first.score) == ("##ug", 20, 20)


@pytest.mark.parametrize("score", ["count", "likelihood"])
def test_steps_tell_what_happens(score: str) -> None:
    text = story_text(2, 4_000)
    steps = list(train_tokenizer_steps("wordpiece", text, 150, score=score, rivals=3))
    assert isinstance(steps[0], CountingStep)
    alphabet = next(step for step in steps if isinstance(step, AlphabetStep))
    assert alphabet.pieces[:5] == list(BERT_TOKENS) and set(alphabet.counts[:5]) == {0}
    assert sum(alphabet.counts) == alphabet.tokens
    merges = [step for step in steps if isinstance(step, MergeStep)]
    assert {step.algorithm for step in (alphabet, *merges)} == {
        {"count": "wordpiece", "likelihood": "wordpiece-likelihood"}[score]
    }
    tokens = alphabet.tokens
    for step in merges:
        assert step.piece == step.left_piece + step.right_piece.removeprefix("##")
        assert step.tokens < tokens
        tokens = step.tokens
        scores = [step.score, *(rival.score for rival in step.rivals)]
        assert scores == sorted(scores, reverse=True) and len(scores) == 4
    assert merges[-1].vocab_size == 150
    alone = list(train_tokenizer_steps("wordpiece", text, 150, score=score))
    assert [s.piece for s in alone if isinstance(s, MergeStep)] == [s.piece for s in merges]


def test_a_trained_tokenizer_knows_its_text() -> None:
    text = story_text(2, 20_000)
    tokenizer = train_tokenizer("wordpiece", text, 600)
    assert isinstance(tokenizer, WordPiece)
    assert tokenizer.vocab_size == 600
    assert tokenizer.unknown_id not in tokenizer.encode_ids(text)
    assert tokenizer.special_tokens == {token: id_ for id_, token in enumerate(BERT_TOKENS)}


def test_training_ends_early_when_nothing_is_left_to_join() -> None:
    for score in ("count", "likelihood"):
        tokenizer = train_tokenizer("wordpiece", "aaaa", 5000, score=score)
        assert tokenizer.vocabulary[5:7] == ["##a", "a"] and tokenizer.vocab_size < 12
        assert train_tokenizer("wordpiece", "a b", 5000, score=score).vocab_size == 7


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(ValueError, match="vocab_size 9 is too small.*choose at least 10"):
        train_tokenizer("wordpiece", "ab ba c", 9)
    assert train_tokenizer("wordpiece", "ab ba c", 10).vocab_size == 10
    for empty in ("", [], [" \n"], "\u200b"):
        with pytest.raises(ValueError, match="has no words"):
            train_tokenizer("wordpiece", empty, 100)
    with pytest.raises(ValueError, match="no rule 'luck': choose one of count, likelihood"):
        train_tokenizer("wordpiece", "text", 100, score="luck")
    with pytest.raises(ValueError, match=r"needs the special token '\[UNK\]'"):
        train_tokenizer("wordpiece", "text", 100, ["[CLS]"])
    with pytest.raises(ValueError, match="score is no option of a tokenizer of the kind 'bpe'"):
        train_tokenizer("bpe", "text", 300, score="count")


def test_parts_of_a_text_end_before_a_space() -> None:
    text = prose(5, 400)
    for size in (1, 50, 10_000):
        parts = list(cut_at_spaces(text, size))
        assert "".join(parts) == text
        assert all(part[0] in " \t\n" for part in parts[1:])
