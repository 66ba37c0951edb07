"""The size of each node, and the positions of its parts. No Qt.

A node of one number is a box of three lines: name, value, gradient. A tensor has two grids of
cells, values and gradients. The operation is on a badge at the left, and below the badge a short
constant that it reads. If space is tight, boxes have two lines: value and gradient share one, and
the legend explains which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.autograd import Graph
from core.autograd.graph import Node

CONSTANT = (46.0, 24.0)
BADGE_LETTER, LETTER = 7.2, 7.0  # px, width of a character on a badge, of a constant
NAME_LETTER, TEXT_LETTER = 7.2, 6.0  # of a name, of an operation's text
WIDEST = 1.4  # greatest width of a node with a long name, relative to others
CELL_WIDTH, CELL_HEIGHT, SMALL_CELL = 46.0, 17.0, 7.0
NUMBERED = (4, 4)  # most rows and columns that show numbers
MOST_FANNED = 9  # edges that leave a node at distinct heights; more share them
MOST_CELLS = 24  # most rows and columns of a grid without numbers; the rest is cut off
BESIDE = 10.0  # px between values and gradients side by side
DOCKED = 3  # most characters of a constant below a badge

Box = tuple[float, float, float, float]  # x, y, width, height


@dataclass(frozen=True)
class Style:
    """Sizes within a node, in px.

    width    of the box of a single number
    caption  height of the words above a grid; 0: there are none
    badge    height of a badge, and its least width
    chip     height of a constant below it
    fan      distance between edges that leave a node
    words    True if "value" and "gradient" are written; if not, both share a line
    """

    width: float
    line: float
    padding: float
    caption: float
    badge: float
    gap: float
    chip: float
    fan: float
    words: bool


ROOMY = Style(114.0, 15.0, 3.0, 13.0, 26.0, 5.0, 16.0, 14.0, True)
TIGHT = Style(88.0, 14.0, 2.0, 2.0, 18.0, 1.0, 13.0, 7.0, False)


@dataclass(frozen=True)
class NodeGeometry:
    """The sizes of one node's parts.

    kind        "leaf", "constant" or "operation"
    badge       width of the badge at the left, 0 for none
    chip        width of the constant below it, 0 for none
    rows, columns  of the visible grid; 0 for a single number
    numbered    True if cells show numbers
    cut         True if the tensor is larger than the visible grid
    """

    kind: str
    label: str
    text: str
    symbol: str
    badge: float
    rows: int
    columns: int
    numbered: bool
    cut: bool
    size: tuple[float, float]
    style: Style = ROOMY
    chip: float = 0.0

    @property
    def is_grid(self) -> bool:
        return self.rows > 0

    @property
    def cell(self) -> tuple[float, float]:
        return (CELL_WIDTH, CELL_HEIGHT) if self.numbered else (SMALL_CELL, SMALL_CELL)

    @property
    def box(self) -> Box:
        """The box relative to the node, right of the badge."""
        left = _stem(self.badge, self.chip, self.style)
        return (left, 0.0, self.size[0] - left, self.size[1])

    @property
    def badge_box(self) -> Box:
        side, chip = self.style.badge, self.style.chip + 1 if self.chip else 0.0
        left = max(self.badge, self.chip) - self.badge
        return (left, (self.size[1] - side - chip) / 2, self.badge, side)

    @property
    def chip_box(self) -> Box:
        """The box of the constant below the badge."""
        left, top, width, high = self.badge_box
        return (left + width - self.chip, top + high + 1, self.chip, self.style.chip)

    def line(self, number: int) -> Box:
        """Returns line 0 (name), 1 (value) or 2 (gradient) of a single number."""
        left, top, width, _ = self.box
        if number and not self.style.words:
            number = 1
        inside, line = self.style.padding, self.style.line
        return (left + inside + 2, top + inside + number * line, width - 2 * inside - 4, line)

    @property
    def is_beside(self) -> bool:
        """True if gradients are right of the values: tall grids must not grow in a tight layout."""
        return _beside(self.rows, self.numbered, self.style)

    def grid(self, gradient: bool) -> Box:
        """Returns the area of the value cells or of the gradient cells, side by side or below."""
        left, top, _, _ = self.box
        style = self.style
        wide, tall = self.columns * self.cell[0], self.rows * self.cell[1]
        x, y = left + style.padding + 2, top + style.padding + style.line + style.caption
        if gradient and self.is_beside:
            x += max(wide, 40) + BESIDE
        elif gradient:
            y += tall + _between(style)
        return (x, y, wide, tall)


def _beside(rows: int, numbered: bool, style: Style) -> bool:
    return not numbered or (rows > 1 and not style.words)


def _between(style: Style) -> float:
    return style.caption + 2


def _stem(badge: float, chip: float, style: Style) -> float:
    """Returns the width of the parts left of the box."""
    return max(badge, chip) + style.gap if badge else 0.0


def geometry_of(node: Node, style: Style = ROOMY, chip: float = 0.0) -> NodeGeometry:
    tensor = node.tensor
    operation = tensor.operation
    kind = "operation" if operation else "leaf" if tensor.requires_grad else "constant"
    symbol = operation.symbol if operation is not None else ""
    symbol = {"**": "^", "transpose": "T", "reshape": "shape"}.get(symbol, symbol)
    badge = 0.0
    if operation is not None:
        badge = style.badge if len(symbol) == 1 else 10 + BADGE_LETTER * len(symbol)
    stem, inside = _stem(badge, chip, style), 2 * style.padding
    box = max(style.width, min(_said(node) + inside + 4, WIDEST * style.width))
    if tensor.ndim == 0 or tensor.data.size == 1:
        size = (stem + box, inside + (3 if style.words else 2) * style.line)
        if kind == "constant":
            size = (max(CONSTANT[0], 14 + 8.0 * len(node.label)), CONSTANT[1])
        made = NodeGeometry(kind, node.label, node.text, symbol, badge, 0, 0, False, False, size)
        return replace(made, style=style, chip=chip)
    columns = tensor.shape[-1]
    rows = tensor.data.size // columns
    numbered = rows <= NUMBERED[0] and columns <= NUMBERED[1]
    shown = min(rows, MOST_CELLS), min(columns, MOST_CELLS)
    cut = shown != (rows, columns)
    cell = (CELL_WIDTH, CELL_HEIGHT) if numbered else (SMALL_CELL, SMALL_CELL)
    wide, tall = shown[1] * cell[0], shown[0] * cell[1]
    grads = tensor.requires_grad
    least = box - inside - 4
    if _beside(shown[0], numbered, style):
        inner = max(wide, 40) * (2 if grads else 1) + (BESIDE if grads else 0), tall
    else:
        inner = wide, tall + (tall + _between(style) if grads else 0)
    inner = max(inner[0], least if numbered else 0), inner[1]
    width = stem + inner[0] + inside + 4
    height = inner[1] + inside + 2 + style.line + style.caption
    size = (width, height)
    made = NodeGeometry(kind, node.label, node.text, symbol, badge, *shown, numbered, cut, size)
    return replace(made, style=style, chip=chip)


def _said(node: Node) -> float:
    """Returns the width of the line with name and operation."""
    return NAME_LETTER * len(node.label) + 8 + TEXT_LETTER * len(node.text) * (not node.is_leaf)


def docked(graph: Graph) -> dict[int, int]:
    """Returns constants to draw below the badge of their reader, with that node: short ones, read
    once, at most one per badge.
    """
    readers: dict[int, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        for one in node.inputs:
            readers.setdefault(one, []).append(number)
    found: dict[int, int] = {}
    for number, node in enumerate(graph.nodes):
        short = node.is_leaf and not node.tensor.requires_grad and len(node.label) <= DOCKED
        if short and node.tensor.ndim == 0 and len(readers.get(number, ())) == 1:
            reader = readers[number][0]
            others = [one for one in graph.nodes[reader].inputs if one not in found]
            if len(others) == len(graph.nodes[reader].inputs) > 1:
                found[number] = reader
    return found


def geometries_of(
    graph: Graph,
    style: Style,
    docks: Mapping[int, int],
) -> tuple[NodeGeometry, ...]:
    """Returns all nodes, each tall enough for the edges that leave it."""
    chips = {reader: _chip(graph.nodes[number]) for number, reader in docks.items()}
    uses = [0] * len(graph.nodes)
    for one in (one for node in graph.nodes for one in node.inputs):
        uses[one] += 1
    found = []
    for number, (node, count) in enumerate(zip(graph.nodes, uses, strict=True)):
        made = geometry_of(node, style, chips.get(number, 0.0))
        if number in docks:
            made = replace(made, size=(_chip(node), style.chip))
        else:
            wanted = style.fan * min(count, MOST_FANNED) + 2 * style.padding
            made = replace(made, size=(made.size[0], max(made.size[1], wanted)))
        found.append(made)
    return tuple(found)


def _chip(node: Node) -> float:
    return max(20.0, LETTER * len(node.label) + 6)
