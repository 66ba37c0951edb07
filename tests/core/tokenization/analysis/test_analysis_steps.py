"""The marked lines computed what the steps of the analysis tell."""

import numpy as np
import pytest

from core.tokenization import ByteLevelBPE, train_tokenizer
from core.tokenization.analysis import rates
from core.tokenization.analysis.glitches import (
    glitch_candidates,
    glitch_step,
    most_suspicious,
    similarity_steps,
    yardstick_steps,
)
from core.tokenization.analysis.overlap import (
    all_overlaps_steps,
    jaccard_step,
    share_step,
    vocabulary_overlap,
)
from core.tokenization.analysis.search import VocabularyIndex, match_step
from core.tokenization.bpe.merge_trees import merge_tree, trace_merge_tree
from tests.core.test_trace import MarkedLines
from tests.core.tokenization.reference import prose

TEXT = prose(3, 3000)


def small(size: int = 400) -> ByteLevelBPE:
    tokenizer = train_tokenizer("bpe", TEXT, size)
    assert isinstance(tokenizer, ByteLevelBPE)
    return tokenizer


def drained(steps):  # type: ignore[no-untyped-def]
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_the_marked_lines_computed_the_rates() -> None:
    with MarkedLines() as watched:
        steps = [
            rates.bytes_per_token_step(270, 75),
            rates.tokens_per_word_step(75, 40),
            rates.cost_step(75, 2.5),
        ]
    for step in steps:
        watched.left(step)
    assert float(steps[0].value("ratio")) == 3.6 and float(steps[1].value("fertility")) == 1.875
    assert float(steps[2].value("amount")) == pytest.approx(75 * 2.5 / 1e6)
    assert rates.bytes_per_token(0, 0) == 0.0 and rates.tokens_per_word(3, None) is None
    with pytest.raises(ValueError, match="another text"):
        rates.tokens_per_word_step(3, 0)


def test_the_marked_lines_computed_an_overlap() -> None:
    found = vocabulary_overlap(small(400), small(300))
    counts = (len(found.common), len(found.only_first), len(found.only_second))
    with MarkedLines() as watched:
        steps = [jaccard_step(*counts), share_step(counts[0], counts[0] + counts[1])]
    for step in steps:
        watched.left(step)
    assert float(steps[0].value("index")) == found.jaccard
    assert float(steps[1].value("share")) == found.share_of_first


def test_all_pairs_are_compared_as_each_alone() -> None:
    tokenizers = [small(400), small(300), small(350)]
    found = drained(all_overlaps_steps(tokenizers))
    assert sorted(found) == [(i, j) for i in range(3) for j in range(3) if i != j]
    for (i, j), overlap in found.items():
        alone = vocabulary_overlap(tokenizers[i], tokenizers[j])
        for name in ("common", "only_first", "only_second"):
            np.testing.assert_array_equal(getattr(overlap, name), getattr(alone, name))


def test_the_marked_line_found_the_pieces() -> None:
    with MarkedLines() as watched:
        matches = VocabularyIndex(small()).search("th")
    assert matches
    for match in matches:
        watched.left(match_step(match))


def test_the_marked_line_measured_a_suspicious_token() -> None:
    tokenizer = small()
    embeddings = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
    special = list(tokenizer.special_tokens.values())
    embeddings[300] = embeddings[special[0]] + 0.01
    yardstick = drained(yardstick_steps(embeddings, tokenizer))
    similarity = drained(similarity_steps(embeddings, 400, yardstick))
    best = most_suspicious(tokenizer, similarity, yardstick, 3)
    assert best == glitch_candidates(embeddings, tokenizer, count=3) and best[0].token == 300
    with MarkedLines() as watched:
        step = glitch_step(embeddings[300], yardstick, best[0])
    watched.left(step)
    assert float(step.value("similarity")[0]) == pytest.approx(best[0].similarity)


def test_the_marked_line_found_the_parts_of_a_token() -> None:
    tokenizer = small()
    deepest = max(range(1, tokenizer.vocab_size), key=lambda one: len(tokenizer.piece_bytes(one)))
    with MarkedLines() as watched:
        trace = trace_merge_tree(tokenizer, deepest)
        leaf = trace_merge_tree(tokenizer, 5)
    for step in [*trace, *leaf]:
        watched.left(step)
    tree = merge_tree(tokenizer, deepest)
    assert len(trace) == sum(node.children is not None for node in tree.nodes)
    assert int(trace[-1].value("part")) == deepest
    made: set[int] = set()
    for step in trace:  # parts come before what they make
        parents = step.value("parents").tolist()
        inner = {one for one in parents if tokenizer.parents(one) is not None}
        assert inner <= made
        made.add(int(step.value("part")))
    assert [step.name for step in leaf] == ["tree.leaf"]
