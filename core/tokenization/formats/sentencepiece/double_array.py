"""A tree of strings packed into one array of numbers, which is walked with a few bit operations.

Every node of a trie is one 32-bit unit. It says by which byte it is reached, and where its children
are: the child for the byte c lies at `base ^ c`, so a step is one look-up and one comparison. Equal
subtrees are stored once. A string's value lies at the child for the byte 0.

    unit of a node    bits 0-7 the byte that leads here, bit 8 whether a value follows, the rest how
                      far the base is: base = position ^ offset; bit 9 says offset counts in 256s
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
TRIES = 400  # free places that are tried before a new block is opened

Children = tuple[tuple[int, int], ...]


class DoubleArray:
    """A packed trie, to be walked byte by byte from the node 0.

    units  (n) of uint32
    """

    def __init__(self, units: np.ndarray) -> None:
        self._units: list[int] = units.tolist()
        self._children: dict[int, list[tuple[int, int]]] = {}
        for place, unit in enumerate(self._units):
            byte = unit & LABEL
            if 0 < byte < BLOCK:
                # The byte and the place of a child tell where its parent's base is.
                self._children.setdefault(place ^ byte, []).append((byte, place))

    def _base(self, node: int) -> int:
        unit = self._units[node]
        offset = unit >> 10
        return node ^ (offset << 8 if unit & FAR else offset)

    def children(self, node: int) -> list[tuple[int, int]]:
        """The bytes that go on from a node, and the nodes that they lead to."""
        return self._children.get(self._base(node), [])

    def walk(self, node: int, string: bytes) -> int | None:
        """The node that a string leads to from another; None where there is none."""
        for byte in string:
            node = self._base(node) ^ byte
            if node >= len(self._units) or self._units[node] & LABEL != byte or byte == 0:
                return None
        return node

    def value(self, node: int) -> int | None:
        """The value of the string that ends in this node; None where none ends."""
        if not self._units[node] & HAS_VALUE:
            return None
        place = self._base(node)
        return self._units[place] & (LEAF - 1) if place < len(self._units) else None


class Tree:
    """A trie in which equal subtrees are one node, built from its leaves to its root.

    nodes  each with its value (None where no string ends) and its children by their bytes
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[int | None, Children]] = []
        self._numbers: dict[tuple[int | None, Children], int] = {}

    def node(self, value: int | None, children: Mapping[int, int]) -> int:
        """The number of the node with this value and these children, a new one if need be."""
        key = (value, tuple(sorted(children.items())))
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append(key)
        return self._numbers[key]

    def branch(self, value: int | None, strings: Mapping[bytes, int]) -> int:
        """A node from which strings of bytes lead to other nodes; no string begins with another."""
        groups: dict[int, dict[bytes, int]] = {}
        for string, node in strings.items():
            groups.setdefault(string[0], {})[string[1:]] = node
        children = {
            byte: rest[b""] if b"" in rest else self.branch(None, rest)
            for byte, rest in groups.items()
        }
        return self.node(value, children)


def pack(tree: Tree, root: int) -> np.ndarray:
    """The tree as a double array: (n) of uint32."""
    bases = _find_bases(tree, root)
    size = max(bases.values()) // BLOCK * BLOCK + BLOCK
    # A free place holds what no byte leads to.
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
    """A base for every node, such that no two children fall on one place and no base is shared."""
    taken = bytearray(BLOCK)
    taken[0] = 1  # the root itself
    free = deque(range(1, BLOCK))
    used_bases = {0}  # its child for the byte 0 would be the root, which a text's U+0000 led to
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
                # Nothing fits: the oldest free places are given up for a new block.
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
