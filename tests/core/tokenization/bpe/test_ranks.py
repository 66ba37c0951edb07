"""Tokenizers of ranks alone against tiktoken; the merges that they hide; trees of tokens."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization import ByteLevelBPE, RankedBPE, merge_tree, train_tokenizer
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.bpe.ranks import recover_merges_steps
from core.tokenization.byte_level import to_bytes
from tests.core.tokenization.reference import any_text, prose

SPECIALS = {"<|end|>": 903, "<|pad|>": 905}


def trained(pattern: str, vocab_size: int = 900) -> ByteLevelBPE:
    """Raw bytes first, so that ids are ranks."""
    made = train_tokenizer("bpe", prose(1, 5000), vocab_size, (), tie="rustbpe", pattern=pattern)
    assert isinstance(made, ByteLevelBPE)
    return made


def ranks_of(tokenizer: ByteLevelBPE) -> dict[bytes, int]:
    return {to_bytes(piece): token for token, piece in enumerate(tokenizer.vocabulary)}


MERGES = trained("cl100k")
RANKED = RankedBPE(ranks_of(MERGES), SPECIALS, pattern="cl100k")


def test_the_merges_of_a_trained_tokenizer_are_recovered_from_its_ranks() -> None:
    assert RANKED.merges == MERGES.merges
    counts = list(recover_merges_steps(RANKED))
    assert counts and counts == sorted(counts)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ranks_encode_as_the_merges_do(text: str) -> None:
    ids = RANKED.encode_ids(text)
    assert ids == MERGES.encode_ids(text)
    assert RANKED.decode(ids) == text


@pytest.mark.peers
@pytest.mark.parametrize("pattern", ["cl100k", "o200k"])
def test_ids_equal_tiktoken(pattern: str) -> None:
    """With ranks that were never trained, so that pieces are reached by many routes."""
    tiktoken = pytest.importorskip("tiktoken")
    rng = random.Random(4)
    ranks = {bytes([byte]): byte for byte in rng.sample(range(256), 256)}
    ranks = {data: rank for rank, data in enumerate(ranks)}
    while len(ranks) < 900:
        ranks.setdefault(bytes(rng.choices(b"ab c", k=rng.randint(2, 5))), len(ranks))
    ours = RankedBPE(ranks, SPECIALS, pattern=pattern)
    theirs = tiktoken.Encoding(
        "ours",
        pat_str=word_pattern(pattern).published,
        mergeable_ranks=ranks,
        special_tokens=SPECIALS,
    )
    texts = ["".join(rng.choices("abc c", k=rng.randint(0, 60))) for _ in range(1500)]
    texts += ["".join(rng.choices("abc", k=400)) for _ in range(30)]
    texts += [any_text(rng, rng.randrange(40)) for _ in range(300)] + [prose(7, 500)]
    texts += [text + "<|end|>" + text for text in texts[:50]]
    for text in texts:
        assert ours.encode_ids(text) == theirs.encode(text, allowed_special="all"), text
        assert ours.encode_ids(text, specials=False) == theirs.encode(text, disallowed_special=())


def test_numbers_that_nothing_has_stay_unused() -> None:
    assert RANKED.vocab_size == 906
    assert RANKED.vocabulary[899:] == [
        MERGES.vocabulary[899], "<unused 900>", "<unused 901>", "<unused 902>", "<|end|>",
        "<unused 904>", "<|pad|>",
    ]  # fmt: skip
    assert RANKED.piece_bytes(900) == b"" and RANKED.decode([900]) == ""
    assert RANKED.special_tokens == SPECIALS
    assert RANKED.encode_ids("<unused 900>") == MERGES.encode_ids("<unused 900>")
    assert RANKED.parents(900) is None and RANKED.parents(903) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({b"new": 400}, "an id stands for two pieces"),
        ({b"new": 903}, "an id stands for two pieces"),
        ({b"new": 1 << 40}, "the ids run from 0 to 1099511627776"),
        ({b"new": -1}, "the ids run from -1"),
    ],
)
def test_broken_ranks_are_refused(change: dict[bytes, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RankedBPE(ranks_of(MERGES) | change, SPECIALS)
    with pytest.raises(ValueError, match="of the 256 bytes"):
        RankedBPE({}, {})


@pytest.mark.parametrize("tokenizer", [MERGES, RANKED], ids=["merges", "ranks"])
def test_a_tree_takes_a_token_apart_to_its_bytes(tokenizer: ByteLevelBPE) -> None:
    deepest = 0
    for token in range(900):
        tree = merge_tree(tokenizer, token)
        data = tokenizer.piece_bytes(token)
        whole = tree.nodes[0]
        assert (whole.token, whole.start, whole.end, whole.depth) == (token, 0, len(data), 0)
        assert b"".join(tokenizer.piece_bytes(leaf.token) for leaf in tree.leaves) == data
        assert all(leaf.end - leaf.start == 1 for leaf in tree.leaves)
        assert len(tree.nodes) == 2 * len(data) - 1
        for index, node in enumerate(tree.nodes):
            assert data[node.start : node.end] == tokenizer.piece_bytes(node.token)
            if node.children is not None:
                left, right = (tree.nodes[child] for child in node.children)
                assert min(node.children) > index
                assert left.piece + right.piece == node.piece
                assert (left.start, left.end, right.end) == (node.start, right.start, node.end)
                assert left.depth == right.depth == node.depth + 1
                assert max(left.token, right.token) < node.token, "parts were learned before"
        deepest = max(deepest, tree.depth)
    assert deepest > 2


def test_special_tokens_have_no_parts() -> None:
    assert [node.piece for node in merge_tree(RANKED, 903).nodes] == ["<|end|>"]
    with pytest.raises(ValueError, match="outside the vocabulary"):
        merge_tree(RANKED, 906)
