"""The layout of the tree of a beam search. Plain numbers, no Qt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.inference.beam_search import BeamNode, BeamTree
    from core.trace import Trace


@dataclass(frozen=True, eq=False)
class BeamScene:
    """A tree with one column per token.

    pieces      the bytes of each node's token
    rows        its row in its column, from the middle: children in their parents' order
    moments     for each step: the column it is about, and what happens there
    best        the nodes of the text that was found
    greedy      the nodes of the greedy text that the tree contains
    texts       (the text found, the greedy text), with their log-probabilities and scores
    """

    tree: BeamTree
    root: bytes
    pieces: tuple[bytes, ...]
    rows: tuple[float, ...]
    moments: tuple[tuple[int, str], ...]
    best: tuple[int, ...]
    greedy: tuple[int, ...]
    texts: tuple[tuple[bytes, float, float], ...]
    tallest: int = 1  # nodes in a column
    ends: dict[int, set[int]] = field(default_factory=dict)  # by depth: nodes that lead to beams

    def moment(self, step: int) -> tuple[int, str]:
        return self.moments[min(max(step, 0), len(self.moments) - 1)]

    def text_of(self, node: int) -> str:
        """Returns the text up to a node."""
        written = b"".join(self.pieces[one] for one in self.tree.path(node))
        return written.decode("utf-8", "replace")

    def column(self, step: int) -> list[int]:
        """Returns the nodes of a step's column, from top to bottom."""
        depth = self.moment(step)[0]
        nodes = (node for node, one in enumerate(self.tree.nodes) if one.depth == depth)
        return sorted(nodes, key=lambda node: self.rows[node])

    def told(self, step: int) -> tuple[int, int]:
        """Returns the step and node whose numbers are described at a step: the likeliest candidate,
        or at the end of the search the text found, at the step where it was finished.
        """
        best = self.tree.best
        finish = (self.tree.nodes[best].depth, "finish")
        if step >= len(self.moments) - 1 and finish in self.moments:
            return self.moments.index(finish), best
        return step, min(self.column(step), key=lambda node: self.tree.nodes[node].place)

    def state(self, node: int, step: int) -> str:
        """Returns a node's state at a step: "hidden", "new", "dropped", "passed" if none of its
        descendants is left, "alive", or "best" at the end of the search.
        """
        one, (depth, what) = self.tree.nodes[node], self.moment(step)
        if one.depth > depth:
            return "hidden"
        if one.depth == depth and what in ("score", "choose"):
            return "new"
        if one.fate == "dropped":
            return "dropped"
        if step >= len(self.moments) - 1 and node in self.best:
            return "best"
        seen = depth - 1 if what in ("score", "choose") else depth
        return "alive" if node in self.ends[max(seen, one.depth)] else "passed"


def scene_of(
    tree: BeamTree,
    trace: Trace,
    greedy: BeamTree,
    root: int,
    piece: Callable[[int], bytes],
) -> BeamScene:
    """Builds the scene of the search recorded so far in `trace`; `greedy` is the tree of a single
    beam and `root` the token before the tree.
    """
    names = [step.name.removeprefix("beams.") for step in trace]
    places: dict[int, float] = {-1: 0.0}
    by_depth: dict[int, list[int]] = {}
    for node, one in enumerate(tree.nodes):
        by_depth.setdefault(one.depth, []).append(node)
    for nodes in by_depth.values():
        nodes.sort(key=lambda node: (places[tree.nodes[node].parent], tree.nodes[node].place))
        places |= {node: at - (len(nodes) - 1) / 2 for at, node in enumerate(nodes)}
    depths = [sum(name == "score" for name in names[: at + 1]) for at in range(len(names))]
    ends = [(one.text(one.best), one.nodes[one.best]) for one in (tree, greedy)]
    return BeamScene(
        tree=tree,
        root=piece(root),
        pieces=tuple(piece(one.token) for one in tree.nodes),
        rows=tuple(places[node] for node in range(len(tree.nodes))),
        moments=tuple(zip(depths, names, strict=True)),
        best=tuple(tree.path(tree.best)),
        greedy=tuple(_followed(tree, ends[1][0])),
        texts=tuple((b"".join(map(piece, text)), end.sum, end.score) for text, end in ends),
        tallest=max(map(len, by_depth.values())),
        ends={depth: _alive(tree, depth) for depth in by_depth},
    )


def _followed(tree: BeamTree, tokens: Sequence[int]) -> list[int]:
    """Returns the nodes of the longest prefix of a text that the tree contains."""
    nodes, last = [], -1
    for token in tokens:
        children = (
            n for n, one in enumerate(tree.nodes) if (one.parent, one.token) == (last, token)
        )
        last = next(children, -2)
        if last == -2:
            break
        nodes.append(last)
    return nodes


def _alive(tree: BeamTree, depth: int) -> set[int]:
    """Returns the nodes that lead to a beam of this depth or to a text finished by then."""

    def counts(one: BeamNode) -> bool:
        return one.fate == "finished" if one.depth < depth else one.fate != "dropped"

    shown = [n for n, one in enumerate(tree.nodes) if one.depth <= depth and counts(one)]
    return {node for end in shown for node in tree.path(end)}


def share(one: BeamNode) -> float:
    """Returns the probability of a node's token."""
    return math.exp(one.log_probability)
