"""The layout: layers, few crossings, nothing on top of anything else, the same every time."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from explorer.panes.backprop.expression.layering import LayeredGraph
from explorer.panes.backprop.expression.layout import Spacing, place


def graph(seed: int, nodes: int, leaves: int) -> list[tuple[int, ...]]:
    chance = random.Random(seed)
    inputs: list[tuple[int, ...]] = [()] * leaves
    for number in range(leaves, nodes):
        near = range(max(0, number - 12), number)
        inputs.append(tuple(chance.choice(near) for _ in range(chance.choice((1, 2, 2)))))
    return inputs


SIZES = (100.0, 60.0)


def lay_out(inputs, sizes, room=math.inf):
    return place(LayeredGraph(inputs), sizes, room, Spacing())


@pytest.mark.parametrize("seed", range(6))
def test_nothing_overlaps_and_inputs_stand_left(seed):
    inputs = graph(seed, 60, 12)
    layout = lay_out(inputs, [SIZES] * len(inputs))
    assert min(layout.layers) == 0
    for number, before in enumerate(inputs):
        assert all(layout.layers[one] < layout.layers[number] for one in before)
    for layer in set(layout.layers):
        places = sorted(
            place for place, at in zip(layout.places, layout.layers, strict=True) if at == layer
        )
        tops = sorted(place[1] for place in places)
        for above, below in itertools.pairwise(tops):
            assert below - above >= SIZES[1] + Spacing().row - 1e-6
    for x, y, width, height in layout.places:
        assert x >= 0 and y >= -1e-6
        assert x + width <= layout.width + 1e-6 and y + height <= layout.height + 1e-6


def test_a_leaf_stands_beside_what_reads_it():
    # (a * b) + c: c is needed in the last layer only
    layout = lay_out([(), (), (0, 1), (), (2, 3)], [SIZES] * 5)
    assert layout.layers == (0, 0, 1, 1, 2)


def test_inputs_stand_in_the_order_in_which_they_are_read():
    layout = lay_out([(), (), (), (), (0, 1), (2, 3), (4, 5)], [SIZES] * 7)
    tops = [place[1] for place in layout.places]
    assert tops[0] < tops[1] < tops[2] < tops[3] and tops[4] < tops[5]


def test_two_inputs_that_are_crossed_are_uncrossed():
    # 2 and 3 read 1 and 0: read from the end, 1 stands above 0
    layout = lay_out([(), (), (1,), (0,), (2, 3)], [SIZES] * 5)
    tops = [place[1] for place in layout.places]
    assert tops[1] < tops[0] and tops[2] < tops[3]


def test_a_long_edge_passes_beside_the_nodes_of_its_layers():
    # 0 is read by 1 and, three layers on, by 4
    inputs = [(), (0,), (1,), (2,), (3, 0)]
    layout = lay_out(inputs, [SIZES] * 5)
    way = layout.routes[4][1]
    assert len(way) == 2 + 2 * 3
    for x, y in way[1:-1]:
        for left, top, width, height in layout.places[1:4]:
            assert not (left < x < left + width and top < y < top + height)


def test_the_same_graph_has_the_same_layout():
    inputs = graph(3, 80, 10)
    sizes = [SIZES] * len(inputs)
    assert lay_out(inputs, sizes) == lay_out(inputs, sizes)


def test_a_chain_stays_low():
    # ((a + b) + c) + ...: long ways run straight, so the height does not grow with the length
    inputs: list[tuple[int, ...]] = [()]
    last = 0
    for _ in range(40):
        inputs.append(())
        inputs.append((last, len(inputs) - 1))
        last = len(inputs) - 1
    layout = lay_out(inputs, [SIZES] * len(inputs))
    assert layout.height < 600
