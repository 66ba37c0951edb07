"""All ways to cut a text into pieces, as a graph, and how to find the best ones.

The positions between characters are the vertices, 0 before the first and N after the last; every
piece that occurs in the text is an edge from its start to its end. A way to cut the text is a path
from 0 to N, and the score of a path is the sum of its pieces' scores. A score is the logarithm of a
probability, so the sum of scores is the log probability of all pieces, each drawn independently:
that is what "unigram" means.

There may be 2^(N-1) paths, but every question about them (the best, the n best, their total
probability, a random one) is answered position by position, in one sweep over the edges.

Source: Kudo 2018, "Subword Regularization", section 3.2; Viterbi 1967; Rabiner 1989, section III.
"""

import heapq
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from core.tokenization.unigram.piece_trie import PieceTrie

START, END = 0, -1
UNKNOWN_PENALTY = np.float32(10.0)  # how far the unknown scores below the least likely piece
DIGITS = 9  # decimals to which the promises of paths are compared


@dataclass(frozen=True, slots=True)
class Node:
    """A piece at a position: text[start:end], its id, and the logarithm of its probability."""

    start: int
    end: int
    piece: str
    id: int
    score: float


@dataclass(frozen=True, slots=True)
class Path:
    """One way to cut the text: consecutive nodes from its start to its end."""

    nodes: tuple[Node, ...]
    score: float

    @property
    def ids(self) -> list[int]:
        """The tokens of the path."""
        return [node.id for node in self.nodes]

    @property
    def pieces(self) -> list[str]:
        """The pieces of the path, as the text spells them."""
        return [node.piece for node in self.nodes]


@dataclass(frozen=True, slots=True)
class Best:
    """The result of Viterbi's search.

    path     the best path
    scores   (N + 1) score of the best path to each position; -inf if no path reaches it
    arrived  N + 1: the last node of the best path to each position, or None if there is no path
    """

    path: Path
    scores: np.ndarray
    arrived: tuple[Node | None, ...]


def reach(best: Sequence[float], nodes: Sequence[Node]) -> tuple[np.ndarray, np.ndarray]:
    """Returns, for each node, the score of the best path to its start, and its own score."""
    return np.array([best[node.start] for node in nodes]), np.array([node.score for node in nodes])


def arrive(best: Sequence[float], nodes: Sequence[Node]) -> tuple[int, float]:
    """Returns the index of the node that ends the best path to a position, and the path's score.

    All `nodes` end at the position; best[p] is the score of the best path to an earlier position p.
    Of equally good nodes, the one that starts first wins. Sums are rounded to 32 bits as in
    SentencePiece, so that near ties are broken in the same way.
    """
    reached, score = reach(best, nodes)
    candidates = reached + score  # step: arrive
    winner, highest = 0, round_to_32_bits(candidates[0])
    for index, candidate in enumerate(candidates.tolist()):
        if candidate > highest:
            winner, highest = index, round_to_32_bits(candidate)
    return winner, highest


def backtrace(arrived: Sequence[Node | None]) -> tuple[Node, ...]:
    """Follows the best path back, from the end of the text to its start.

    `arrived` holds the last node of the best path to each position.
    """
    nodes_back = []
    place = len(arrived) - 1
    while place > START:
        node = arrived[place]
        assert node is not None  # guaranteed by Lattice
        nodes_back.append(node)
        place = node.start  # step: backtrace
    return tuple(reversed(nodes_back))


def add_up(sums: Sequence[float], nodes: Sequence[Node], alpha: float) -> float:
    """Returns the log of the total probability of all paths to the position where the nodes end.

    sums[p] is this logarithm for an earlier position p. An alpha above 1 favors the likely paths
    even more; one below 1 makes all paths more similar.
    """
    ways = ways_to(sums, nodes, alpha)
    total = logsumexp(ways)  # step: forward
    return total


def logsumexp(logarithms: Sequence[float] | np.ndarray) -> float:
    """Returns the logarithm of a sum of numbers, given their logarithms."""
    return float(np.logaddexp.reduce(logarithms))


def shares(sums: Sequence[float], nodes: Sequence[Node], alpha: float) -> np.ndarray:
    """Returns, for each node that ends at a position, the probability that a path there uses it.

    `sums` holds the result of `add_up` for every position.
    """
    ways = ways_to(sums, nodes, alpha)
    total = logsumexp(ways)
    share = np.exp(ways - total)  # step: sample
    return share


def ways_to(sums: Sequence[float], nodes: Sequence[Node], alpha: float) -> np.ndarray:
    """Returns the log of the total probability of all paths that end with each of the nodes."""
    return np.array([sums[node.start] + alpha * node.score for node in nodes])


def round_to_32_bits(number: float) -> float:
    """Returns the nearest 32-bit floating-point number, as SentencePiece computes with them."""
    return array("f", [number])[0]


class Lattice:
    """Every piece of a text at every position where it occurs.

    text   N characters, normalized
    nodes  in any order of starts; of equal starts the shorter come first, an unknown node last

    Raises ValueError, with a remedy, if no path leads through the text.
    """

    def __init__(self, text: str, nodes: Sequence[Node]) -> None:
        self.text = text
        self.nodes = sorted(nodes, key=lambda node: node.start)
        self._ending: list[list[Node]] = [[] for _ in range(len(text) + 1)]
        for node in self.nodes:
            if not 0 <= node.start < node.end <= len(text):
                raise ValueError(
                    f"the node {node} does not lie in a text of {len(text)} characters"
                )
            self._ending[node.end].append(node)
        self._check_that_a_path_leads_through()

    def _check_that_a_path_leads_through(self) -> None:
        reached = [True] + [False] * len(self.text)
        for place, nodes in enumerate(self._ending):
            reached[place] |= any(reached[node.start] for node in nodes)
        if not reached[END]:
            raise ValueError(
                "no way leads through this text: give every character that no piece covers a node "
                "of its own, such as the unknown token"
            )

    def ending_at(self, place: int) -> list[Node]:
        """Returns the nodes that end at a position, the longest first."""
        return self._ending[place]

    def viterbi(self) -> Best:
        """Finds the best path: the most probable way to cut the text.

        The best path to a position ends with some node; the part before it must be the best path
        to that node's start. So it is enough to compare the nodes that end at each position once.
        """
        best = array("f", [-math.inf]) * len(self._ending)
        best[START] = 0.0
        arrived: list[Node | None] = [None] * len(self._ending)
        for place, nodes in enumerate(self._ending):
            if nodes:
                winner, score = arrive(best, nodes)  # step: keep
                best[place] = score
                arrived[place] = nodes[winner]
        path = Path(backtrace(arrived), best[END])
        return Best(path, np.array(best), tuple(arrived))

    def forward(self, alpha: float = 1.0) -> np.ndarray:
        """Returns the log of the total probability of all paths to each position (N + 1).

        The last one is that of the whole text. Every score is multiplied by alpha.
        """
        _check_alpha(alpha)
        sums = [-math.inf] * len(self._ending)
        sums[START] = 0.0
        for place, nodes in enumerate(self._ending):
            if nodes:
                sums[place] = add_up(sums, nodes, alpha)
        return np.array(sums)

    def backward(self, alpha: float = 1.0) -> np.ndarray:
        """Returns the same for all paths from each position to the end (N + 1)."""
        _check_alpha(alpha)
        sums = np.full(len(self._ending), -math.inf)
        sums[END] = 0.0
        for node in sorted(self.nodes, key=lambda node: -node.start):
            sums[node.start] = np.logaddexp(sums[node.start], sums[node.end] + alpha * node.score)
        return sums

    def posteriors(self, alpha: float = 1.0) -> np.ndarray:
        """Returns the probability that a random path goes through each node (nodes).

        The probability of all paths through a node is that of all ways to its start, times that of
        the node, times that of all ways from its end. It is divided by that of all paths.
        """
        through, whole = self.through(alpha)
        share = np.exp(through - whole)  # step: posterior
        return share

    def through(self, alpha: float) -> tuple[np.ndarray, float]:
        """Returns the log probability of all paths through each node (nodes), and of all paths."""
        before, after = self.forward(alpha), self.backward(alpha)
        starts = [node.start for node in self.nodes]
        ends = [node.end for node in self.nodes]
        scores = alpha * np.array([node.score for node in self.nodes])
        return before[starts] + scores + after[ends], float(before[END])

    def n_best(self, n: int) -> list[Path]:
        """Returns the n best paths, the best first; fewer if the lattice has fewer.

        Raises ValueError for n < 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}: ask for at least one path")
        return list(islice(self.paths(), n))

    def paths(self) -> Iterator[Path]:
        """Yields every path, the best first.

        An A* search from the end of the text. An unfinished path promises its own score plus the
        best score up to its start, which is known exactly. The most promising path is always
        extended first, so paths are finished in the order of their scores. Of equally promising
        ones the longest is extended: a text like "aaaa", with thousands of equally good paths,
        would otherwise take too long.
        """
        best = self._best_scores()
        # An entry: minus the promised total, the start, a serial number that breaks ties, the
        # score, the nodes.
        first = (-round(best[END], DIGITS), len(self.text), 0, 0.0, ())
        heap: list[tuple[float, int, int, float, tuple]] = [first]
        serial = 1
        while heap:
            place, _, score, suffix = heapq.heappop(heap)[1:]
            reached = best[place]
            promise = reached + score  # step: take
            if place == START:
                yield Path(_unlinked(suffix), score)
                continue
            for node in self._ending[place]:
                longer = score + node.score
                reached = best[node.start]
                promise = round(reached + longer, DIGITS)
                if promise > -math.inf:
                    entry = (-promise, node.start, serial, longer, (node, suffix))
                    heapq.heappush(heap, entry)
                    serial += 1

    def _best_scores(self) -> list[float]:
        """Returns the score of the best path to each position (N + 1), in 64 bits."""
        best = [-math.inf] * len(self._ending)
        best[START] = 0.0
        for place, nodes in enumerate(self._ending):
            if nodes:
                best[place] = max(best[node.start] + node.score for node in nodes)
        return best

    def sample(self, alpha: float, generator: np.random.Generator) -> Path:
        """Draws a random path, with a probability proportional to exp(alpha x score).

        alpha 0 makes all paths equally likely, 1 is the model's own distribution, and a large one
        leaves only the best. Forward-filtering, backward-sampling: from the end, each next node is
        drawn by its share of all ways to reach its end.
        """
        sums = self.forward(alpha).tolist()
        nodes_back = []
        place = len(self.text)
        while place > START:
            nodes = self._ending[place]
            share = shares(sums, nodes, alpha)
            drawn = int(
                np.searchsorted(np.cumsum(share), generator.random() * share.sum(), "right")
            )
            node = nodes[min(drawn, len(nodes) - 1)]
            nodes_back.append(node)
            place = node.start
        nodes_back.reverse()
        return Path(tuple(nodes_back), sum(node.score for node in nodes_back))


def build_lattice(
    text: str, trie: PieceTrie, scores: np.ndarray, unknown_id: int, unknown_score: float
) -> Lattice:
    """Builds the lattice of a text and the pieces of a trie; scores (V) are indexed by id.

    A character that is not itself a piece gets an "unknown" node, whose score is so low that a path
    uses it only as a last resort.
    """
    found = trie.matches(text)
    starts, ends, ids = found.starts, found.starts + found.lengths, found.ids
    score = scores[ids]  # step: nodes
    nodes = [
        Node(start, end, text[start:end], id_, of_piece)
        for start, end, id_, of_piece in zip(
            starts.tolist(), ends.tolist(), ids.tolist(), score.tolist()
        )
    ]
    single = {node.start for node in nodes if node.end == node.start + 1}
    unknown = sorted(set(range(len(text))).difference(single))  # step: unknown
    nodes += [Node(place, place + 1, text[place], unknown_id, unknown_score) for place in unknown]
    return Lattice(text, nodes)


def _unlinked(linked: tuple) -> tuple[Node, ...]:
    """Turns (a, (b, (c, ()))) into (a, b, c)."""
    nodes = []
    while linked:
        node, linked = linked
        nodes.append(node)
    return tuple(nodes)


def _check_alpha(alpha: float) -> None:
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ValueError(
            f"alpha {alpha} is no sharpness: choose 0 (all ways alike), 1 (as trained) or any "
            "positive number"
        )
