"""Traces how Unigram encodes a sentence: the lattice, the best way to each position, other ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np

from core.numbers import format_share
from core.tokenization.sentencepiece.normalizer import readable
from core.tokenization.sentencepiece.trace import finish_steps, said
from core.tokenization.telling import (
    Told,
    arrays,
    count,
    quoted,
    real,
    refuse_longer,
    shortened,
    trace_of_told,
    verb,
)
from core.tokenization.unigram.lattice import (
    END,
    Best,
    Lattice,
    Node,
    Path,
    add_up,
    logsumexp,
    reach,
    shares,
    ways_to,
)
from core.tokenization.unigram.tokenizer import Unigram
from core.trace import Step, Trace

LONGEST_SENTENCE = 4000  # characters, each with steps of its own

_HERE = "core.tokenization.unigram.lattice"


def trace_lattice(
    tokenizer: Unigram,
    sentence: str,
    *,
    n: int = 5,
    alpha: float = 1.0,
    generator: np.random.Generator | None = None,
    normalized: bool = False,
) -> Trace:
    """Traces one sentence from its lattice to its tokens.

    First come all nodes, then the best way to each position (inside: all ways to it), the way
    back, and the tokens of the best path; then the n best paths, and the probability of each node
    if scores are multiplied by alpha (inside: the sum of all ways to each position); with a
    generator, one path is drawn, from the end to the start.

    normalized  True if the sentence is already normalized

    The trace's `about` holds the text, the `lattice`, Viterbi's `best`, the `n_best` paths, the
    `posteriors` of the nodes and the `sample`, which is None without a generator.

    Raises ValueError for more than 4,000 characters, n < 1, and an alpha below 0.
    """
    text = sentence if normalized else tokenizer.normalizer.normalize(sentence)
    refuse_longer("sentence", len(text), "characters", LONGEST_SENTENCE, "position by position")
    lattice = tokenizer.lattice_of(text)
    best = lattice.viterbi()
    paths = lattice.n_best(n)
    sums = lattice.forward(alpha)
    posteriors = lattice.posteriors(alpha)
    sample = lattice.sample(alpha, generator) if generator is not None else None
    about = {
        "kind": tokenizer.kind,
        "text": text,
        "alpha": alpha,
        "lattice": lattice,
        "best": best,
        "n_best": paths,
        "posteriors": posteriors,
        "sample": sample,
    }
    parts: list[Iterator[Told]] = [
        _nodes(tokenizer, lattice),
        _arrivals(lattice, best),
        _way_back(best.path),
        ((step, []) for step in finish_steps(tokenizer.pieces, best.path.pieces)),
        _n_best(paths, float(lattice.forward()[END])),
        _posteriors(lattice, sums, alpha, posteriors),
        _drawn(lattice, sums, alpha, sample),
    ]
    return trace_of_told(chain.from_iterable(parts), about)


def _nodes(tokenizer: Unigram, lattice: Lattice) -> Iterator[Told]:
    unknown = [node for node in lattice.nodes if node.id == tokenizer.pieces.unknown]
    known = [node for node in lattice.nodes if node.id != tokenizer.pieces.unknown]
    yield _told(
        "nodes",
        f"{verb(len(known), 'A piece', 'Pieces')} of the vocabulary "
        f"{verb(len(known), 'fits', 'fit')} the text in {count(len(known), 'place')}",
        r"\{ (i, j) : x_{i:j} \in V \}",
        "build_lattice",
        {
            "starts": [node.start for node in known],
            "ends": [node.end for node in known],
            "ids": [node.id for node in known],
            "score": [node.score for node in known],
        },
    )
    if unknown:
        score = unknown[0].score
        yield _told(
            "unknown",
            f"{count(len(unknown), 'character')} {verb(len(unknown), 'is', 'are')} not in the "
            f"vocabulary: unknown characters score {real(score)}, so they are a last resort",
            r"\log p_\text{unk} = \min_x \log p_x - 10",
            "build_lattice",
            {"unknown": [node.start for node in unknown]},
        )


def _arrivals(lattice: Lattice, best: Best) -> Iterator[Told]:
    scores = best.scores.tolist()
    for place, node in enumerate(best.arrived):
        if node is None:
            continue
        nodes = lattice.ending_at(place)
        reached, score = reach(scores, nodes)
        inside = [
            _step(
                "arrive",
                f"{count(len(nodes), 'piece')} {verb(len(nodes), 'ends', 'end')} at position "
                f"{place}: " + ", ".join(said(other.piece) for other in nodes),
                r"f_i + \log p(x_{i:j})",
                "arrive",
                {"candidates": reached + score, "reached": reached, "score": score},
            )
        ]
        title = f"Only {said(node.piece)} ends at position {place}, with a total score of"
        if len(nodes) > 1:
            title = (
                f"Of the {len(nodes)} pieces that end at position {place}, {said(node.piece)} "
                "gives the best total score:"
            )
        yield (
            _step(
                "keep",
                f"{title} {real(scores[place])}",
                r"f_j = \max_{i < j} \; f_i + \log p(x_{i:j})",
                "Lattice.viterbi",
                {"place": place, "winner": nodes.index(node), "score": scores[place]},
            ),
            inside,
        )


def _way_back(path: Path) -> Iterator[Told]:
    for node in reversed(path.nodes):
        yield _told(
            "backtrace",
            f"The best way to reach position {node.end} ends with {said(node.piece)}, which starts "
            f"at position {node.start}",
            r"j \;\to\; i^*(j)",
            "backtrace",
            {"place": node.start},
        )


def _n_best(paths: list[Path], total: float) -> Iterator[Told]:
    for rank, path in enumerate(paths, 1):
        pieces = quoted(shortened(" ".join(map(readable, path.pieces))))
        way = "The best way to cut the text:"
        if rank > 1:
            way = f"Way {rank} of the {len(paths)} best:"
        yield _told(
            "take",
            f"{way} {pieces} (score {real(path.score)}, "
            f"probability {format_share(float(np.exp(path.score - total)))})",
            r"\max_s \; f_{i(s)} + \sum_{x \in s} \log p_x",
            "Lattice.paths",
            {"promise": path.score, "reached": 0.0, "score": path.score},
        )


def _posteriors(
    lattice: Lattice, sums: np.ndarray, alpha: float, share: np.ndarray
) -> Iterator[Told]:
    inside = []
    through, whole = lattice.through(alpha)
    before = sums.tolist()
    for place in range(len(lattice.text) + 1):
        nodes = lattice.ending_at(place)
        if not nodes:
            continue
        ways, total = ways_to(before, nodes, alpha), add_up(before, nodes, alpha)
        inside.append(
            _step(
                "forward",
                f"Over all ways to reach position {place}, the log of the summed weights is "
                f"{real(total)}",
                r"a_j = \log \sum_{i < j} e^{\, a_i + \alpha \log p(x_{i:j})}",
                "add_up",
                {"ways": ways, "total": total},
            )
        )
    yield (
        _step(
            "posterior",
            "How likely each piece is to be used, over all ways to cut the text",
            r"P(i, j) = e^{\, a_i + \alpha \log p(x_{i:j}) + b_j - a_N}",
            "Lattice.posteriors",
            {"share": share, "through": through, "whole": whole},
        ),
        inside,
    )


def _drawn(lattice: Lattice, sums: np.ndarray, alpha: float, path: Path | None) -> Iterator[Told]:
    for node in reversed(path.nodes if path is not None else ()):
        nodes = lattice.ending_at(node.end)
        before = sums.tolist()
        ways, share = ways_to(before, nodes, alpha), shares(before, nodes, alpha)
        yield _told(
            "sample",
            f"A random draw gives {said(node.piece)} as the last piece before position {node.end} "
            f"(probability {format_share(_share_of(node, nodes, share))})",
            r"P(i \mid j) = e^{\, a_i + \alpha \log p(x_{i:j}) - a_j}",
            "shares",
            {"share": share, "ways": ways, "total": logsumexp(ways)},
        )


def _share_of(node: Node, nodes: list[Node], share: np.ndarray) -> float:
    return float(share[nodes.index(node)])


def _step(name: str, title: str, formula: str, function: str, values: Mapping[str, object]) -> Step:
    return Step(f"unigram.{name}", title, formula, f"{_HERE}:{function}#{name}", arrays(values))


def _told(name: str, title: str, formula: str, function: str, values: Mapping[str, object]) -> Told:
    return _step(name, title, formula, function, values), []
