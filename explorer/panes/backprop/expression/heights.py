"""Coordinate assignment: how high each vertex of a layered graph stands in its row, near to its
neighbors, as the others of its layer let it.
"""

from __future__ import annotations

from collections.abc import Sequence

from explorer.panes.backprop.expression.layering import LayeredGraph

RELAXED = 8  # times that heights are
LIGHT = 1e-3  # the weight of a node that nothing pulls


def assign_heights(
    graph: LayeredGraph, gaps: Sequence[Sequence[float]], row: range, middle: list[float]
) -> None:
    """Fills `middle` for each vertex of a row of layers; gaps: for each layer how far below the one
    above it each must stand.
    """
    heavy, whole = graph.weight, len(row) == graph.count
    left = {one: graph.left[one] for layer in row for one in graph.order[layer]}
    right = {one: graph.right[one] for one in left}
    if not whole:
        for one in graph.order[row[0]]:
            left[one] = []
        for one in graph.order[row[-1]]:
            right[one] = []
    for layer in row:
        at = 0.0
        for one, space in zip(graph.order[layer], gaps[layer], strict=True):
            at += space
            middle[one] = at
        for one in graph.order[layer]:
            middle[one] -= at / 2
    for sweep in range(RELAXED):
        forward = sweep % 2 == 0
        sides = (left, right) if forward else (right, left)
        for layer in row if forward else reversed(row):
            wanted: list[float] = []
            weights = [heavy[one] for one in graph.order[layer]]
            lonely = []  # all that they read and all that reads them stands in other rows
            for index, one in enumerate(graph.order[layer]):
                near = sides[0][one] or sides[1][one]
                if sweep >= RELAXED - 2:  # at last both sides count
                    near = [*left[one], *right[one]]
                weight = pull = 0.0
                for other in near:
                    weight += heavy[other]
                    pull += heavy[other] * middle[other]
                wanted.append(pull / weight if near else middle[one])
                if not near:
                    lonely.append(index)
                    weights[index] = LIGHT
            for index in lonely:
                if index:  # close to the one above
                    wanted[index] = wanted[index - 1] + gaps[layer][index]
            found = _spread(wanted, gaps[layer], weights)
            for one, at in zip(graph.order[layer], found, strict=True):
                middle[one] = at


def _spread(
    wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """The heights nearest to the wanted ones (weighted least squares) that keep order and gaps.

    Without the gaps this is a regression by a rising line: neighbors that would pass each other
    become one block at their mean.
    """
    offset, total = [], 0.0
    for gap in gaps:
        total += gap
        offset.append(total)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, count
    for want, shift, weight in zip(wanted, offset, weights, strict=True):
        blocks.append((want - shift, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, heavy, count = blocks.pop()
            above, more, others = blocks.pop()
            both = heavy + more
            blocks.append(((mean * heavy + above * more) / both, both, count + others))
    heights = [mean for mean, _, count in blocks for _ in range(count)]
    return [height + shift for height, shift in zip(heights, offset, strict=True)]
