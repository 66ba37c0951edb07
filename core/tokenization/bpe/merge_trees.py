"""How a token came to be: the merges that made it, back to its bytes.

A byte-level BPE's token is two tokens joined, each of which is two joined again. The tree of it
says which parts training found frequent first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.tokenization.tokenizer import check_id


class Merged(Protocol):
    """A tokenizer whose tokens are made of two others."""

    @property
    def vocabulary(self) -> list[str]: ...

    def piece_bytes(self, token: int) -> bytes: ...

    def parents(self, token: int) -> tuple[int, int] | None: ...


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One piece of the tree.

    start, end   the bytes of the whole token that it stands for
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
    """All nodes; the first is the token itself, and parts come after what they are parts of."""

    nodes: Sequence[TreeNode]

    @property
    def depth(self) -> int:
        """How many merges lie one above the other."""
        return max(node.depth for node in self.nodes)

    @property
    def leaves(self) -> list[TreeNode]:
        """What is not merged, from left to right: single bytes, in a trained vocabulary."""
        return sorted(
            (node for node in self.nodes if node.children is None), key=lambda node: node.start
        )


def merge_tree(tokenizer: Merged, token: int) -> MergeTree:
    """The tree of one token. A special token, or one that no merge makes, is a leaf.

    Raises ValueError for an id outside the vocabulary.
    """
    check_id(token, len(tokenizer.vocabulary))
    found: list[tuple[int, int, int]] = [(token, 0, 0)]  # (token, start, depth)
    children: list[tuple[int, int] | None] = []
    while len(children) < len(found):
        part, start, depth = found[len(children)]
        parents = tokenizer.parents(part)
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
