"""The texts that were written after a prompt, as a tree: going back forgets none. Knows no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOT = 0  # the prompt
MOST_BACK = 500  # texts that Back brings again


def is_text(given: object) -> bool:
    """Whether it is a list of tokens: a session may hold anything."""
    return isinstance(given, list) and all(type(one) is int and one >= 0 for one in given)


@dataclass(frozen=True)
class Branch:
    """Tokens in a row without a fork.

    end     the node of the last one
    indent  how many forks lead to it
    tokens  its own
    """

    end: int
    indent: int
    tokens: tuple[int, ...]


class Forks:
    """Nodes are tokens; `here` is where the text ends, `past` where it ended before."""

    def __init__(self) -> None:
        self.tokens, self.parents = [-1], [-1]
        self.children: list[dict[int, int]] = [{}]
        self.here = ROOT
        self.past: list[int] = []

    def go(self, node: int) -> None:
        """The text ends there now."""
        self.past = [*self.past[-MOST_BACK:], self.here]
        self.here = node

    def add(self, text: Sequence[int]) -> int:
        """The node where a text ends, whether or not it was written before."""
        node = ROOT
        for token in text:
            if token not in self.children[node]:
                self.children[node][token] = len(self.tokens)
                self.tokens.append(token)
                self.parents.append(node)
                self.children.append({})
            node = self.children[node][token]
        return node

    def back(self) -> None:
        """Where the text ended before."""
        if self.past:
            self.here = self.past.pop()

    def path(self, node: int) -> list[int]:
        """The nodes that lead to one, itself last; without the prompt."""
        path = []
        while node != ROOT:
            path.append(node)
            node = self.parents[node]
        return path[::-1]

    def text(self, node: int) -> list[int]:
        return [self.tokens[one] for one in self.path(node)]

    def ends(self) -> list[int]:
        """The nodes that nothing comes after."""
        return [node for node, after in enumerate(self.children) if not after and node != ROOT]

    def branches(self) -> list[Branch]:
        """All of them, each before those that fork from it. The text that is looked at ends one."""
        branches = []
        waiting = [(first, 0) for first in reversed(self.children[ROOT].values())]
        while waiting:
            end, indent = waiting.pop()
            tokens = [self.tokens[end]]
            while len(self.children[end]) == 1 and end != self.here:
                (end,) = self.children[end].values()
                tokens.append(self.tokens[end])
            branches.append(Branch(end, indent, tuple(tokens)))
            waiting += [(after, indent + 1) for after in reversed(self.children[end].values())]
        return branches
