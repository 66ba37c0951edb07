"""Training against the Hugging Face BpeTrainer, merge by merge."""

import itertools
import random
from itertools import pairwise

import pytest

from core import jobs
from core.data import story_text
from core.tokenization import (
    END_OF_TEXT,
    ByteLevelBPE,
    CountingStep,
    MergeStep,
    train_tokenizer,
    train_tokenizer_steps,
)
from core.tokenization.bpe.training import bpe_steps
from tests.benchmarks.harness import shared_data
from tests.core.tokenization.reference import merges_and_vocabulary, prose, reference_bpe


def assert_same_as_reference(texts: list[str], vocab_size: int) -> None:
    ours = train_tokenizer("bpe", texts, vocab_size)
    assert isinstance(ours, ByteLevelBPE)
    merges, vocabulary = merges_and_vocabulary(reference_bpe(texts, vocab_size))
    assert ours.merges == merges
    assert {piece: token for token, piece in enumerate(ours.vocabulary)} == vocabulary


@pytest.mark.parametrize("vocab_size", [300, 512, 1000, 2000])
def test_merges_and_ids_equal_the_reference_on_prose(vocab_size: int) -> None:
    assert_same_as_reference([prose(vocab_size, 3000), prose(1, 500)], vocab_size)


@pytest.mark.parametrize("vocab_size", [512, 1024, 2000])
def test_merges_and_ids_equal_the_reference_on_stories(vocab_size: int) -> None:
    assert_same_as_reference([story_text(vocab_size, 100_000)], vocab_size)


def test_merges_equal_the_reference_where_almost_everything_is_a_tie() -> None:
    for seed in range(150):
        rng = random.Random(seed)
        alphabet = rng.choice(["ab", "abc", "ab ", "aé "])
        texts = [
            "".join(rng.choices(alphabet, k=rng.randint(1, 60))) for _ in range(rng.randint(1, 6))
        ]
        assert_same_as_reference(texts, 257 + rng.randint(0, 80))


@pytest.mark.parametrize("vocab_size", [512, 1024, 2000])
def test_merges_equal_the_reference_on_tinyshakespeare(vocab_size: int) -> None:
    path = shared_data() / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip(f"there is no {path}; LLM_EXPLORER_SHARED names the folder of data/")
    assert_same_as_reference([path.read_text(encoding="utf-8")], vocab_size)


def test_every_merge_step_tells_the_most_frequent_pair() -> None:
    text = "low low low low low lower lower newest newest newest newest newest newest widest"
    steps = list(train_tokenizer_steps("bpe", text, 262))
    merges = [step for step in steps if isinstance(step, MergeStep)]
    assert isinstance(steps[0], CountingStep)
    assert (steps[0].characters, steps[0].words, steps[0].different_words) == (len(text), 14, 5)
    # By hand: w-e occurs in lower (2) and newest (6); e-s and s-t in newest (6) and widest (1);
    # l-o and o-w in low (5) and lower (2). So w-e is first, with 8.
    first = merges[0]
    assert (first.left_piece, first.right_piece, first.count) == ("w", "e", 8)
    assert (first.rank, first.token, first.piece, first.vocab_size) == (0, 257, "we", 258)
    assert [step.vocab_size for step in merges] == [258, 259, 260, 261, 262]
    assert all(step.piece == step.left_piece + step.right_piece for step in merges)
    assert all(a.count >= b.count for a, b in pairwise(merges))


def test_no_merge_crosses_two_texts() -> None:
    tokenizer = train_tokenizer("bpe", ["ab"] * 3 + ["ba"] * 2, 400)
    assert tokenizer.vocabulary[257:] == ["ab", "ba"]


def test_rare_pairs_can_be_left_alone() -> None:
    steps = [
        step
        for step in bpe_steps(["ab ab cd"], 400, min_frequency=2)
        if isinstance(step, MergeStep)
    ]
    assert [step.piece for step in steps] == ["ab"]


def test_training_ends_early_when_nothing_is_left_to_join() -> None:
    tokenizer = train_tokenizer("bpe", "aaaa", 5000)
    assert tokenizer.vocabulary[257:] == ["aa", "aaaa"]


def test_an_empty_text_is_refused() -> None:
    for empty in ("", [], ["", ""]):
        with pytest.raises(ValueError, match="the text is empty.*choose another"):
            train_tokenizer("bpe", empty, 5000)


def test_a_vocabulary_smaller_than_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="vocab_size 256 is too small.*choose at least 257"):
        train_tokenizer("bpe", "text", 256)
    assert train_tokenizer("bpe", "text", 257).vocab_size == 257


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'magic'.*choose one of bpe"):
        train_tokenizer("magic", "text", 300)


def test_special_tokens_come_first_and_equal_ones_count_once() -> None:
    tokenizer = train_tokenizer("bpe", "aa", 300, ("<a>", END_OF_TEXT, "<a>"))
    assert tokenizer.vocabulary[:3] == ["<a>", END_OF_TEXT, "!"]
    assert tokenizer.special_tokens == {"<a>": 0, END_OF_TEXT: 1}


def test_training_can_be_left_at_any_step() -> None:
    steps = train_tokenizer_steps("bpe", prose(3, 200), 300)
    for _ in range(5):
        next(steps)
    steps.close()


def test_counting_yields_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()  # so slow is this machine
    monkeypatch.setattr(jobs.time, "perf_counter", lambda: float(next(seconds)))
    steps = train_tokenizer_steps("bpe", prose(5, 100_000), 258)
    characters = [step.characters for step in steps if isinstance(step, CountingStep)]
    assert len(characters) > 2
    assert characters == sorted(set(characters[:-1])) + characters[-1:]
