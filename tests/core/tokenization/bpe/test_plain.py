"""The plain twin of BPE against the code that runs, on texts full of ties and on real ones."""

import random

from core.data import story_text
from core.jobs import to_the_end
from core.tokenization.bpe.merging import merge_long, merge_short
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.bpe.plain import Merge, encode, train
from core.tokenization.bpe.training import bpe_steps
from core.tokenization.steps import MergeStep
from tests.core.tokenization.bpe.test_ties import texts_full_of_ties
from tests.core.tokenization.reference import prose


def words_of(texts: list[str]) -> list[list[int]]:
    cut = word_pattern("gpt2").split
    return [list(word.encode()) for text in texts for word in cut(text)]


def merges_of(texts: list[str], n_merges: int) -> list[Merge]:
    """As the trainer tells them; its ids of bytes are the bytes themselves."""
    steps = bpe_steps(texts, 256 + n_merges, tie="rustbpe")
    told = [step for step in steps if isinstance(step, MergeStep)]
    assert [step.token for step in told] == list(range(256, 256 + len(told)))
    return [Merge((step.left, step.right), step.count, step.tokens) for step in told]


def test_it_learns_the_same_merges_with_the_same_counts() -> None:
    for seed in range(200):
        texts = texts_full_of_ties(seed)
        assert train(words_of(texts), 60, 256) == merges_of(texts, 60), texts
    for texts in ([story_text(3, 4_000)], [prose(5, 200), prose(6, 100)]):
        assert train(words_of(texts), 150, 256) == merges_of(texts, 150)


def test_it_encodes_every_word_alike() -> None:
    rng = random.Random(1)
    for seed in range(100):
        texts = texts_full_of_ties(seed)
        merges = to_the_end(bpe_steps(texts, 300, tie="rustbpe")).merges
        ranks = {pair: (rank, 256 + rank) for rank, pair in enumerate(merges)}
        for _ in range(5):
            word = list("".join(rng.choices("ab é", k=rng.randint(0, 40))).encode())
            tokens = encode(word, ranks)
            assert tokens == merge_short(word, ranks) == merge_long(word, ranks)


def test_it_encodes_alike_whatever_the_ranks_say() -> None:
    """A later pair may be more urgent than the one that it came from: ranks from elsewhere."""
    rng = random.Random(2)
    for _ in range(300):
        pairs = {(rng.randrange(9), rng.randrange(9)) for _ in range(rng.randint(1, 30))}
        order = rng.sample(sorted(pairs), len(pairs))
        ranks = {pair: (rank, rng.randrange(3, 9)) for rank, pair in enumerate(order)}
        word = rng.choices(range(3), k=rng.randint(0, 30))
        assert encode(word, ranks) == merge_short(word, ranks), (word, ranks)
