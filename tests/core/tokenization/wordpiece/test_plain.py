"""The plain twin of WordPiece against the code that runs."""

import random
from collections import Counter

from tokenizers import normalizers, pre_tokenizers

from core.data import story_text
from core.tokenization.steps import MergeStep
from core.tokenization.wordpiece.plain import Merge, encode, train
from core.tokenization.wordpiece.tokenizer import UNKNOWN, WordPiece
from core.tokenization.wordpiece.training import wordpiece_steps
from tests.core.tokenization.reference import prose


def words_of(texts: list[str]) -> Counter[str]:
    """As the Hugging Face library cuts them."""
    cut = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    normalized = [normalizers.BertNormalizer().normalize_str(text) for text in texts]
    return Counter(word for text in normalized for word, _ in cut(text))


def merges_of(texts: list[str], n_merges: int) -> list[Merge]:
    """The first merges, as the trainer tells them."""
    merges: list[Merge] = []
    for step in wordpiece_steps(texts, 10_000, score="likelihood"):
        if len(merges) == n_merges:
            break
        if isinstance(step, MergeStep):
            merges.append(Merge((step.left_piece, step.right_piece), step.score))
    return merges


def test_it_learns_the_same_merges_with_the_same_scores() -> None:
    """Also where almost everything is a tie."""
    rng = random.Random(3)
    for _ in range(200):
        alphabet = rng.choice(["ab ", "abc ", "abcdefghi ", "a  "])
        texts = ["".join(rng.choices(alphabet, k=rng.randint(1, 50))) + "a" for _ in range(3)]
        assert train(words_of(texts), 60) == merges_of(texts, 60), texts
    texts = [story_text(4, 5_000), prose(3, 150)]
    merges = train(words_of(texts), 300)
    assert len(merges) == 300 and merges == merges_of(texts, 300)


def test_it_spells_every_word_alike() -> None:
    rng = random.Random(4)
    unknown = 0
    for _ in range(300):
        pieces = {"".join(rng.choices("abc", k=rng.randint(1, 4))) for _ in range(12)}
        more = {"##" + "".join(rng.choices("abc", k=rng.randint(1, 3))) for _ in range(12)}
        tokenizer = WordPiece([UNKNOWN, *sorted(pieces), *sorted(more)], {UNKNOWN: 0})
        vocabulary = {piece: token for token, piece in enumerate(tokenizer.vocabulary)}
        word = "".join(rng.choices("abc", k=rng.randint(1, 12)))
        ids = encode(word, vocabulary, 0)
        assert ids == tokenizer.match(word)[0], (word, tokenizer.vocabulary)
        unknown += ids == [0]
    assert 0 < unknown < 300
