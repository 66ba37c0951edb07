"""Batches depend on numbers alone, and evaluation reads every token once."""

from pathlib import Path

import numpy as np
import pytest

from core.data import (
    NO_TOKEN,
    Batches,
    StoriesCorpus,
    open_corpus,
    rank_rows,
    repeated_ids,
    split_in_order,
    stories,
    story_text,
)
from core.data.corpus import FIRST_VALIDATION_SEED, TRAIN_SEED_LIMIT
from core.resources import resource
from core.tokenization import END_OF_TEXT, Tokenizer, open_tokenizer, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer("bpe", [story_text(0, 100_000)], vocab_size=600)


@pytest.fixture(scope="module")
def corpus(tokenizer: Tokenizer) -> StoriesCorpus:
    return StoriesCorpus(tokenizer)


def test_a_batch_is_a_function_of_its_position(tokenizer: Tokenizer) -> None:
    one = Batches(StoriesCorpus(tokenizer), "train", 64, 4, seed=5, repeated_fraction=0.5)
    two = Batches(StoriesCorpus(tokenizer), "train", 64, 4, seed=5, repeated_fraction=0.5)
    forward = [one.batch(step, micro) for step in range(5) for micro in range(2)]
    backward = [two.batch(step, micro) for step in (4, 3, 2, 1, 0) for micro in (1, 0)]
    for (ids, targets), (ids2, targets2) in zip(forward, reversed(backward), strict=True):
        np.testing.assert_array_equal(ids, ids2)
        np.testing.assert_array_equal(targets, targets2)


def test_every_number_of_the_position_matters(corpus: StoriesCorpus) -> None:
    first = Batches(corpus, "train", 32, 4, seed=1)
    found = [
        first.batch(0, 0),
        first.batch(1, 0),
        first.batch(0, 1),
        Batches(corpus, "train", 32, 4, seed=2).batch(0, 0),
        Batches(corpus, "validation", 32, 4, seed=1).batch(0, 0),
    ]
    assert len({ids.tobytes() for ids, _ in found}) == len(found)


def test_batches_are_those_that_older_runs_have_drawn() -> None:
    """Whoever resumes one, or looks at what it has read, sees the same ids."""
    corpus = StoriesCorpus(open_tokenizer(resource("models", "stories", "tokenizer.json")))
    batches = Batches(corpus, "train", 32, 4, seed=5, repeated_fraction=0.5)
    ids, targets = batches.batch(0, 0)
    assert ids[:, :4].tolist() == [
        [157, 1184, 654, 75],
        [520, 637, 295, 259],
        [126, 506, 670, 381],
        [1184, 986, 532, 1277],
    ]
    assert targets[:, -1].tolist() == [654, 266, 670, 276]
    ids, targets = batches.batch(3, 1)
    assert ids[:, 0].tolist() == [439, 173, 178, 1494]
    assert targets[:, -1].tolist() == [315, 173, 199, 553]


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_the_ranks_share_the_batch_of_one_process(corpus: StoriesCorpus, ranks: int) -> None:
    batches = Batches(corpus, "train", 32, 5, seed=1, repeated_fraction=0.5)
    whole = batches.batch(7, 1)
    shares = [batches.batch(7, 1, rank, ranks) for rank in range(ranks)]
    for part in range(2):
        together = np.concatenate([share[part] for share in shares])
        np.testing.assert_array_equal(together, whole[part])
    sizes = [len(ids) for ids, _ in shares]
    assert max(sizes) - min(sizes) <= 1 and sizes == sorted(sizes, reverse=True)


def test_a_batch_that_cannot_be_shared_is_refused(corpus: StoriesCorpus) -> None:
    batches = Batches(corpus, "train", 32, 2, seed=1)
    with pytest.raises(ValueError, match="use a batch_size of 3 or more, or fewer ranks"):
        batches.batch(0, 0, 0, 3)
    with pytest.raises(ValueError, match="rank 2 is not one of 2 ranks"):
        batches.batch(0, 0, 2, 2)
    assert [rank_rows(1, rank, 3) for rank in range(3)] == [slice(0, 1), slice(1, 1), slice(1, 1)]


def test_targets_are_the_ids_moved_by_one(corpus: StoriesCorpus, tmp_path: Path) -> None:
    for split in ("train", "validation"):
        ids, targets = Batches(corpus, split, 64, 8, seed=0).batch(3)
        assert ids.shape == targets.shape == (8, 64)
        assert ids.dtype == targets.dtype == np.int64
        np.testing.assert_array_equal(ids[:, 1:], targets[:, :-1])


def test_a_file_gives_windows_of_its_own_tokens(tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = tmp_path / "text.txt"
    path.write_text(story_text(0, 30_000))
    corpus = open_corpus(path, tokenizer, tmp_path / "cache")
    tokens = corpus.tokens("train").tolist()
    text = " ".join(map(str, tokens))
    ids, targets = Batches(corpus, "train", 32, 8, seed=0).batch(0)
    for row, target in zip(ids, targets, strict=True):
        assert " ".join(map(str, [*row, target[-1]])) in text


def test_stories_follow_each_other_with_a_separator(
    corpus: StoriesCorpus, tokenizer: Tokenizer
) -> None:
    ids, _ = Batches(corpus, "train", 512, 8, seed=0).batch(0)
    for row in ids:
        parts = tokenizer.decode(row.tolist()).split(END_OF_TEXT)
        assert len(parts) >= 2
        for part in parts[1:]:
            assert part == "" or part.startswith(("Once", "Long", "There")[:3]) or len(part) < 6


def test_half_of_the_windows_begin_as_a_story_does(
    corpus: StoriesCorpus, tokenizer: Tokenizer
) -> None:
    ids, _ = Batches(corpus, "train", 16, 400, seed=0).batch(0)
    begin = [
        tokenizer.decode(row.tolist()).startswith(("Once up", "Long ago", "There once"))
        for row in ids
    ]
    assert 0.4 < np.mean(begin) < 0.6


def test_validation_stories_are_not_trained_on(corpus: StoriesCorpus) -> None:
    assert corpus.n_stories <= TRAIN_SEED_LIMIT < FIRST_VALIDATION_SEED
    held_out = {stories.story(FIRST_VALIDATION_SEED + index) for index in range(400)}
    assert len(held_out) == 400
    assert not held_out & {stories.story(seed) for seed in range(20_000)}
    assert stories.story((256 << 32) + 257) == stories.story(257), "why the limit is as it is"


def test_the_validation_split_is_fixed_stories(corpus: StoriesCorpus, tokenizer: Tokenizer) -> None:
    text = tokenizer.decode(corpus.tokens("validation").tolist())
    parts = text.split(END_OF_TEXT)
    assert len(parts) == 401
    assert parts[0] == stories.story(FIRST_VALIDATION_SEED)
    assert parts[399] == stories.story(FIRST_VALIDATION_SEED + 399)
    with pytest.raises(ValueError, match="no end"):
        corpus.tokens("train")


def test_the_last_training_story_is_followed_by_the_first(tokenizer: Tokenizer) -> None:
    corpus = StoriesCorpus(tokenizer, n_stories=1)
    ids, _ = Batches(corpus, "train", 600, 1, seed=0).batch(0)
    assert stories.story(0) in tokenizer.decode(ids[0].tolist())


def test_repeated_ids_can_be_known_from_the_second_period_on() -> None:
    generator = np.random.default_rng(0)
    periods = set()
    for _ in range(500):
        ids, targets = repeated_ids(generator, 1000, 64)
        assert ids.shape == targets.shape == (64,)
        ignored = int((targets == NO_TOKEN).sum())
        period = ignored + 1
        periods.add(period)
        assert (targets[:ignored] == NO_TOKEN).all()
        np.testing.assert_array_equal(ids[:-period], ids[period:])
        # What a head finds that looks for the same id one period ago and takes what came next:
        np.testing.assert_array_equal(targets[period:], ids[1 : 65 - period])
        np.testing.assert_array_equal(ids[ignored + 1 :], targets[ignored:-1])
    assert min(periods) == 4
    assert max(periods) == 32


def test_the_share_of_repeated_sequences_is_as_asked(corpus: StoriesCorpus) -> None:
    batches = Batches(corpus, "train", 32, 200, seed=3, repeated_fraction=0.1)
    counts = [(batches.batch(step)[1][:, 0] == NO_TOKEN).sum() for step in range(10)]
    assert 0.07 < np.sum(counts) / 2000 < 0.13
    ids = np.concatenate(
        [
            batches.batch(step)[0][batches.batch(step)[1][:, 0] == NO_TOKEN].ravel()
            for step in range(10)
        ]
    )
    assert ids.min() < 10
    assert ids.max() > corpus.vocab_size - 10
    none = Batches(corpus, "train", 32, 200, seed=3)
    assert (none.batch(0)[1] != NO_TOKEN).all()


@pytest.mark.parametrize("n", [2, 9, 32, 33, 64, 65, 100])
def test_the_whole_split_is_read_once(n: int) -> None:
    tokens = np.arange(100, 100 + n, dtype=np.uint16)
    read: list[int] = []
    for ids, targets in split_in_order(tokens, block_size=8, batch_size=4):
        assert ids.shape == targets.shape
        assert ids.shape[0] <= 4
        assert ids.shape[1] == 8
        valid = targets != NO_TOKEN
        np.testing.assert_array_equal(ids[valid] + 1, targets[valid])
        read += targets[valid].tolist()
    assert read == list(range(101, 100 + n))


def test_evaluation_reads_the_whole_validation_split(corpus: StoriesCorpus) -> None:
    batches = Batches(corpus, "validation", 128, 16, seed=0)
    targets = np.concatenate([targets.ravel() for _, targets in batches.whole_split()])
    np.testing.assert_array_equal(targets[targets != NO_TOKEN], corpus.tokens("validation")[1:])


def test_values_that_cannot_be_are_refused(corpus: StoriesCorpus) -> None:
    with pytest.raises(ValueError, match='use "train" or "validation"'):
        Batches(corpus, "test", 8, 2, seed=0)
    with pytest.raises(ValueError, match="1 or more"):
        Batches(corpus, "train", 0, 2, seed=0)
    with pytest.raises(ValueError, match="0 or more"):
        Batches(corpus, "train", 8, 2, seed=-1)
    with pytest.raises(ValueError, match=r"use 0\.0 to 1\.0"):
        Batches(corpus, "train", 8, 2, seed=0, repeated_fraction=1.5)
    with pytest.raises(ValueError, match="use 8 or more"):
        Batches(corpus, "train", 7, 2, seed=0, repeated_fraction=0.1)
    with pytest.raises(ValueError, match="n_stories"):
        StoriesCorpus(corpus._tokenizer, n_stories=0)
    with pytest.raises(ValueError, match="at least 2|needs 2"):
        list(split_in_order(np.zeros(1, np.uint16), 8, 2))
