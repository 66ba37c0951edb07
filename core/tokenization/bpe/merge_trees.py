"""The merge tree of a token: the merges that made it, down to its bytes.

A token of a byte-level BPE is two tokens joined, each of which is again two tokens joined. Its tree
shows which parts training found frequent first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.tokenization.byte_level import readable
from core.tokenization.telling import arrays, quoted, trace_of
from core.tokenization.tokenizer import check_id
from core.trace import Step, Trace

_PARENTS = "core.tokenization.bpe.merge_trees:merge_tree#parents"


class Merged(Protocol):
    """A tokenizer whose tokens are merged from two others."""

    @property
    def vocabulary(self) -> list[str]: ...

    def piece_bytes(self, token: int) -> bytes: ...

    def parents(self, token: int) -> tuple[int, int] | None: ...


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One piece of the tree.

    start, end   its span in the bytes of the whole token
    children     indices of its two parts among the nodes; None for a leaf
    depth        0 for the whole token
    """

    token: int
    piece: str
    start: int
    end: int
    depth: int
    children: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class MergeTree:
    """All nodes; the first is the token itself, and every node precedes its parts."""

    nodes: Sequence[TreeNode]

    @property
    def depth(self) -> int:
        """Number of merge levels."""
        return max(node.depth for node in self.nodes)

    @property
    def leaves(self) -> list[TreeNode]:
        """The nodes without parts, from left to right: single bytes, in a trained vocabulary."""
        return sorted(
            (node for node in self.nodes if node.children is None), key=lambda node: node.start
        )


def merge_tree(tokenizer: Merged, token: int) -> MergeTree:
    """Returns the tree of one token. A special token, or one that no merge makes, is a leaf.

    Raises ValueError for an id outside the vocabulary.
    """
    check_id(token, len(tokenizer.vocabulary))
    found: list[tuple[int, int, int]] = [(token, 0, 0)]  # (token, start, depth)
    children: list[tuple[int, int] | None] = []
    while len(children) < len(found):
        part, start, depth = found[len(children)]
        parents = tokenizer.parents(part)  # step: parents
        if parents is None:
            children.append(None)
            continue
        left, right = parents
        middle = start + len(tokenizer.piece_bytes(left))
        children.append((len(found), len(found) + 1))
        found += [(left, start, depth + 1), (right, middle, depth + 1)]
    return MergeTree(
        [
            TreeNode(
                token=part,
                piece=tokenizer.vocabulary[part],
                start=start,
                end=start + len(tokenizer.piece_bytes(part)),
                depth=depth,
                children=below,
            )
            for (part, start, depth), below in zip(found, children)
        ]
    )


def trace_merge_tree(tokenizer: Merged, token: int) -> Trace:
    """Traces a token's merges, parts before their results; `about` contains the "tree".

    A token that no merge makes has a single step, which says so. Raises ValueError like merge_tree.
    """
    tree = merge_tree(tokenizer, token)
    steps = []
    for node in reversed(tree.nodes):
        if node.children is not None:
            left, right = (tree.nodes[child] for child in node.children)
            steps.append(_merge_step(node, left, right))
    return trace_of(steps or [_leaf_step(tree.nodes[0])], {"tree": tree, "token": token})


def _merge_step(node: TreeNode, left: TreeNode, right: TreeNode) -> Step:
    values = {"part": node.token, "parents": (left.token, right.token)}
    made = [quoted(readable(part.piece)) for part in (left, right, node)]
    return Step(
        "tree.merge",
        f"{made[0]} + {made[1]} make {made[2]}, which is piece {node.token:,}",
        r"t = t_{\text{left}} \, t_{\text{right}}",
        _PARENTS,
        arrays(values),
    )


def _leaf_step(node: TreeNode) -> Step:
    return Step(
        "tree.leaf",
        f"No merge makes {quoted(readable(node.piece))}: training began with it",
        r"t \in V_0",
        _PARENTS,
        arrays({"part": node.token, "depth": node.depth}),
    )
