"""A trie packed into one array of numbers, which is walked with a few bit operations.

Every node of the trie is one 32-bit unit. It holds the byte that leads to it, and the base of its
children: the child for the byte c is at `base ^ c`, so a step is one look-up and one comparison.
Equal subtrees are stored once. A string's value is at the child for the byte 0.

    unit of a node    bits 0-7 the byte that leads here, bit 8 set if a value follows, bits 10-30
                      the offset of the base: base = position ^ offset; in 256s if bit 9 is set
    unit of a value   bit 31 set, bits 0-30 the value

Source: Aoe 1989, "An efficient digital search algorithm by using a double-array structure"; the
layout of units is that of the library Darts-clone, which SentencePiece's files use.
"""

from collections import deque
from collections.abc import Mapping
from itertools import islice

import numpy as np

LEAF = 1 << 31
HAS_VALUE = 1 << 8
FAR = 1 << 9  # the offset counts in 256s
LABEL = LEAF | 0xFF
BLOCK = 256
LONGEST_STEP = 1 << 21  # offsets that fit a unit without FAR
TRIES = 400  # free places that are tried before a new block is added

Children = tuple[tuple[int, int], ...]


class DoubleArray:
    """A packed trie, walked byte by byte from node 0.

    units  (n) of uint32
    """

    def __init__(self, units: np.ndarray) -> None:
        self._units: list[int] = units.tolist()
        self._children: dict[int, list[tuple[int, int]]] = {}
        for place, unit in enumerate(self._units):
            byte = unit & LABEL
            if 0 < byte < BLOCK:
                # The byte and the place of a child give its parent's base.
                self._children.setdefault(place ^ byte, []).append((byte, place))

    def _base(self, node: int) -> int:
        unit = self._units[node]
        offset = unit >> 10
        return node ^ (offset << 8 if unit & FAR else offset)

    def children(self, node: int) -> list[tuple[int, int]]:
        """Returns the bytes that continue from a node, and the nodes that they lead to."""
        return self._children.get(self._base(node), [])

    def walk(self, node: int, string: bytes) -> int | None:
        """Returns the node that a string leads to from another, or None."""
        for byte in string:
            node = self._base(node) ^ byte
            if node >= len(self._units) or self._units[node] & LABEL != byte or byte == 0:
                return None
        return node

    def value(self, node: int) -> int | None:
        """Returns the value of the string that ends in this node, or None if none ends."""
        if not self._units[node] & HAS_VALUE:
            return None
        place = self._base(node)
        return self._units[place] & (LEAF - 1) if place < len(self._units) else None


class Tree:
    """A trie in which equal subtrees share one node, built from its leaves to its root.

    nodes  each with its value (None if no string ends there) and its children by byte
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[int | None, Children]] = []
        self._numbers: dict[tuple[int | None, Children], int] = {}

    def node(self, value: int | None, children: Mapping[int, int]) -> int:
        """Returns the number of the node with this value and these children; adds it if needed."""
        key = (value, tuple(sorted(children.items())))
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append(key)
        return self._numbers[key]

    def branch(self, value: int | None, strings: Mapping[bytes, int]) -> int:
        """Adds a node from which byte strings, none a prefix of another, lead to other nodes."""
        groups: dict[int, dict[bytes, int]] = {}
        for string, node in strings.items():
            groups.setdefault(string[0], {})[string[1:]] = node
        children = {
            byte: rest[b""] if b"" in rest else self.branch(None, rest)
            for byte, rest in groups.items()
        }
        return self.node(value, children)


def pack(tree: Tree, root: int) -> np.ndarray:
    """Packs the tree as a double array: (n) of uint32. Raises ValueError if it is too large."""
    bases = _find_bases(tree, root)
    size = max(bases.values()) // BLOCK * BLOCK + BLOCK
    # A free place holds a unit that no byte leads to.
    units = np.full(size, LEAF, dtype=np.uint32)
    units[0] = _unit(tree, bases, root, 0, 0)
    for number, base in bases.items():
        value, children = tree.nodes[number]
        if value is not None:
            units[base] = LEAF | value
        for byte, child in children:
            units[base ^ byte] = _unit(tree, bases, child, byte, base ^ byte)
    return units


def _unit(tree: Tree, bases: Mapping[int, int], node: int, byte: int, place: int) -> int:
    offset = place ^ bases[node]
    if offset >= LONGEST_STEP:
        raise ValueError("there are too many strings for a double array: leave some out")
    return offset << 10 | byte | (HAS_VALUE if tree.nodes[node][0] is not None else 0)


def _find_bases(tree: Tree, root: int) -> dict[int, int]:
    """Finds a base of its own for every node, such that no two children share a place."""
    taken = bytearray(BLOCK)
    taken[0] = 1  # the root itself
    free = deque(range(1, BLOCK))
    used_bases = {0}  # U+0000 in a text would lead from base 0 back to the root
    bases: dict[int, int] = {}
    waiting = deque([root])
    while waiting:
        number = waiting.popleft()
        if number in bases:
            continue
        value, children = tree.nodes[number]
        bytes_there = [byte for byte, _ in children]
        if value is not None:
            bytes_there.insert(0, 0)
        base = None
        while base is None:
            for place in islice(free, TRIES):
                candidate = place ^ bytes_there[0]
                if candidate not in used_bases and not any(
                    taken[candidate ^ byte] for byte in bytes_there
                ):
                    base = candidate
                    break
            else:
                # Nothing fits: the oldest free places are abandoned for a new block.
                for _ in range(min(TRIES, len(free)) if len(free) > 4 * TRIES else 0):
                    free.popleft()
                free.extend(range(len(taken), len(taken) + BLOCK))
                taken.extend(bytes(BLOCK))
        bases[number] = base
        used_bases.add(base)
        for byte in bytes_there:
            taken[base ^ byte] = 1
        while free and taken[free[0]]:
            free.popleft()
        waiting.extend(child for _, child in children)
    return bases
