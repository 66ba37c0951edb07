"""The positions of inputs, neurons, edges and plane in the drawing. No Qt here.

All lengths are in pixels of the widget; `unit` is the zoom.
"""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]  # x, y, width, height
Line = tuple[float, float, float, float]

HEAD = 30.0  # for the buttons above the columns
FOOT = 34.0  # for two lines of text below the columns
GAP = 5.0  # least distance between two neurons
LARGEST, WIDEST = 52.0, 88.0  # largest neuron; largest width of one with numbers
PLANE_SHARE = 0.46  # largest share of the width
LEGEND = 40.0
TOOLS = 36.0  # height above the plane
SIDE = 26.0  # least distance between the last column and the plane
MARGIN = 3.0


@dataclass(frozen=True)
class Layout:
    """The plane, the edges, and the boxes of inputs, hidden layers and (if several) outputs.

    columns  center x of each column; `step` is their distance
    ends     for each layer of weights the points (x, y) at which its edges end
    """

    boxes: tuple[tuple[Box, ...], ...]
    columns: tuple[float, ...]
    step: float
    ends: tuple[tuple[tuple[float, float], ...], ...]
    plane: Box
    foot: float

    def edge(self, layer: int, before: int, after: int) -> Line:
        """Returns the edge of layer `layer` from neuron `before` to neuron `after`."""
        x, y, width, height = self.boxes[layer][before]
        end = self.ends[layer][after]
        return (x + width, y + height / 2, *end)


def lay_out(
    width: float, height: float, sizes: tuple[int, ...], wide: bool, unit: float = 1.0
) -> Layout:
    """Lays out the drawing. `sizes`: inputs, hidden layers, outputs; `wide`: room for numbers."""
    outputs = sizes[-1]
    shown = sizes if outputs > 1 else sizes[:-1]
    tall = height - (HEAD + FOOT) * unit
    side = max(80.0, min(height - (TOOLS + LEGEND) * unit, width * PLANE_SHARE))
    top = (height - (TOOLS + LEGEND) * unit - side) / 2 + TOOLS * unit
    plane = (width - side - MARGIN, max(TOOLS * unit, top), side, side)
    room = plane[0] - SIDE * unit
    most = max(shown)
    size = min(LARGEST * unit, tall / most - GAP * unit)
    size = max(12.0, size)
    step = room / len(shown)
    size = min(size, step * 0.72)
    across = size
    if wide:
        apart = min(22 * unit, max(8 * unit, 0.2 * step))
        across = max(size, min(WIDEST * unit, step - apart))
    columns = tuple(
        MARGIN + across / 2 + _column(n, len(shown), room - across) for n in range(len(shown))
    )
    step = columns[1] - columns[0] if len(columns) > 1 else room
    middle = HEAD * unit + tall / 2
    boxes = []
    for x, count in zip(columns, shown, strict=True):
        pitch = min(tall / count, size + 16 * unit)
        top = middle - pitch * count / 2
        boxes.append(
            tuple(
                (x - across / 2, top + pitch * (place + 0.5) - size / 2, across, size)
                for place in range(count)
            )
        )
    ends = [tuple((box[0], box[1] + box[3] / 2) for box in column) for column in boxes[1:]]
    if outputs == 1:
        ends.append(((plane[0], plane[1] + plane[3] / 2),))
    return Layout(tuple(boxes), columns, step, tuple(ends), plane, height - FOOT * unit)


def _column(number: int, count: int, room: float) -> float:
    return room * number / (count - 1) if count > 1 else 0.0


def distance(line: Line, x: float, y: float) -> float:
    """Returns the distance of a point from a line segment."""
    x1, y1, x2, y2 = line
    across, down = x2 - x1, y2 - y1
    length = across * across + down * down
    along = 0.0 if length == 0 else ((x - x1) * across + (y - y1) * down) / length
    along = min(1.0, max(0.0, along))
    return float(((x - x1 - along * across) ** 2 + (y - y1 - along * down) ** 2) ** 0.5)


def inside(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]
