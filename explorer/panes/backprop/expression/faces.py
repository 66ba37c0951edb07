"""How large each node is drawn, and where its numbers stand in it. No Qt here.

A node of one number is a box of three lines: name, value, gradient. A tensor has two grids of
cells, values and gradients. What computes it stands on a badge at its left side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.autograd import Graph
from core.autograd.graph import Node

WIDTH, LINE, PADDING = 114.0, 15.5, 4.0
CONSTANT = (46.0, 24.0)
BADGE, BADGE_LETTER, BADGE_GAP = 26.0, 7.2, 5.0
CELL_WIDTH, CELL_HEIGHT, SMALL_CELL = 46.0, 17.0, 7.0
NUMBERED = (4, 4)  # rows and columns that have room for numbers
FAN, MOST_FANNED = 14.0, 9  # between the edges that leave a node; so many have each a place
MOST_CELLS = 24  # rows and columns of a grid without numbers; of more the first are shown

Box = tuple[float, float, float, float]  # x, y, width, height


@dataclass(frozen=True)
class Face:
    """One node's looks.

    kind        "leaf", "constant" or "operation"
    badge       width of the badge at the left, 0 for none
    rows, columns  of the grid that is shown; 0 for a single number
    numbered    whether the cells hold numbers
    cut         whether the tensor has more than is shown
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

    @property
    def is_grid(self) -> bool:
        return self.rows > 0

    @property
    def cell(self) -> tuple[float, float]:
        return (CELL_WIDTH, CELL_HEIGHT) if self.numbered else (SMALL_CELL, SMALL_CELL)

    @property
    def box(self) -> Box:
        """The box in the node's own place: the badge stands left of it."""
        left = self.badge + BADGE_GAP if self.badge else 0.0
        return (left, 0.0, self.size[0] - left, self.size[1])

    def line(self, number: int) -> Box:
        """0 is the name's line, 1 the value's, 2 the gradient's (of a single number)."""
        left, top, width, _ = self.box
        return (left + PADDING + 2, top + PADDING + number * LINE, width - 2 * PADDING - 4, LINE)

    @property
    def last_line(self) -> Box:
        """Where the numeric gradient stands, if it does."""
        left, top, width, height = self.box
        return (left + PADDING + 2, top + height - PADDING - LINE, width - 2 * PADDING - 4, LINE)

    def grid(self, gradient: bool) -> Box:
        """Where the cells of the values are, or those of the gradients, side by side or below."""
        left, top, _, _ = self.box
        wide, tall = self.columns * self.cell[0], self.rows * self.cell[1]
        x, y = left + PADDING + 2, top + PADDING + LINE + 12
        if gradient and self.numbered:
            y += tall + 14
        elif gradient:
            x += max(wide, 40) + 12
        return (x, y, wide, tall)


def face_of(node: Node, checks: bool = False) -> Face:
    """`checks`: a gradient has a line for the numeric one below it."""
    tensor = node.tensor
    operation = tensor.operation
    kind = "operation" if operation else "leaf" if tensor.requires_grad else "constant"
    symbol = operation.symbol if operation is not None else ""
    symbol = {"**": "^", "transpose": "T", "reshape": "shape"}.get(symbol, symbol)
    more = LINE if checks and tensor.requires_grad else 0.0
    badge = 0.0
    if operation is not None:
        badge = max(BADGE, 12 + BADGE_LETTER * len(symbol))
    if tensor.ndim == 0 or tensor.data.size == 1:
        size = (WIDTH, 2 * PADDING + 3 * LINE + more)
        if kind == "constant":
            size = (max(CONSTANT[0], 14 + 8.0 * len(node.label)), CONSTANT[1])
        elif badge:
            size = (size[0] + badge + BADGE_GAP, size[1])
        return Face(kind, node.label, node.text, symbol, badge, 0, 0, False, False, size)
    columns = tensor.shape[-1]
    rows = tensor.data.size // columns
    numbered = rows <= NUMBERED[0] and columns <= NUMBERED[1]
    shown = min(rows, MOST_CELLS), min(columns, MOST_CELLS)
    cut = shown != (rows, columns)
    cell = (CELL_WIDTH, CELL_HEIGHT) if numbered else (SMALL_CELL, SMALL_CELL)
    wide, tall = shown[1] * cell[0], shown[0] * cell[1]
    grads = tensor.requires_grad
    if numbered:
        inner = max(wide, WIDTH - 14), tall + (tall + 14 if grads else 0)
    else:
        inner = max(wide, 40) * (2 if grads else 1) + (12 if grads else 0), tall
    width = inner[0] + 2 * PADDING + 4 + (badge + BADGE_GAP if badge else 0)
    height = inner[1] + 2 * PADDING + LINE + 12 + more
    return Face(kind, node.label, node.text, symbol, badge, *shown, numbered, cut, (width, height))


def faces_of(graph: Graph, checks: bool = False) -> tuple[Face, ...]:
    """A node that is used often is high enough that each of its edges has a place."""
    uses = [0] * len(graph.nodes)
    for one in (one for node in graph.nodes for one in node.inputs):
        uses[one] += 1
    faces = []
    for node, count in zip(graph.nodes, uses, strict=True):
        face = face_of(node, checks)
        wanted = FAN * min(count, MOST_FANNED) + 2 * PADDING
        faces.append(replace(face, size=(face.size[0], max(face.size[1], wanted))))
    return tuple(faces)
