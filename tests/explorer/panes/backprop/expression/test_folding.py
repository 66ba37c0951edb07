"""A graph that is wider than its room goes on in the next row, and its edges can be followed."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QRectF

from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.edge_routing import routes_of
from explorer.panes.backprop.expression.layout import Spacing, arranged, plot_of
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.scene import scene_of
from tests.explorer.panes.backprop.expression.test_layout import SIZES, graph, lay_out

CHAIN = [(), *((number,) for number in range(30))]
ROOM = (935.0, 382.0)


def scene(name, room=ROOM):
    one = next(one for one in EXAMPLES if one.id == name)
    return scene_of(compute(one.text, one.values), room=room)


def rows_of(layout):
    return [
        next(row for row, (top, bottom) in enumerate(layout.rows) if top <= y + 1e-6 <= bottom)
        for _, y, _, _ in layout.places
    ]


def test_a_chain_is_read_like_a_text():
    layout = lay_out(CHAIN, [SIZES] * len(CHAIN), 700)
    assert layout.width <= 700 and len(layout.rows) > 5
    row, left = 0, -1.0
    for at, (x, _, _, _) in zip(rows_of(layout), layout.places, strict=True):
        assert (at == row and x > left) or (at == row + 1 and x < 20)
        row, left = at, x


@pytest.mark.parametrize("seed", range(6))
def test_rows_stay_in_their_room_and_overlap_nowhere(seed):
    inputs = graph(seed, 60, 12)
    layout = lay_out(inputs, [SIZES] * len(inputs), 900)
    assert layout.width <= 900 + 1e-6
    for (_, bottom), (top, _) in itertools.pairwise(layout.rows):
        assert top > bottom
    for one, other in itertools.combinations(layout.places, 2):
        apart = abs(one[0] - other[0]) >= SIZES[0] or abs(one[1] - other[1]) >= SIZES[1]
        assert apart
    for folds in layout.folds.values():
        for fold in folds:
            assert 0 <= fold.left < fold.right <= layout.width + 1e-6
            assert any(above < fold.lane < below for above, below in between(layout.rows))


def between(rows):
    return [(above[1], below[0]) for above, below in itertools.pairwise(rows)]


@pytest.mark.parametrize("seed", range(6))
def test_lanes_are_apart_and_cross_no_other(seed):
    inputs = graph(seed, 60, 12)
    layout = lay_out(inputs, [SIZES] * len(inputs), 900)
    lanes = {
        (fold.lane, fold.right, fold.left) for folds in layout.folds.values() for fold in folds
    }
    assert len(lanes) == len({lane for lane, _, _ in lanes})
    for one, other in itertools.combinations(lanes, 2):
        same = any(
            top < one[0] < bottom and top < other[0] < bottom
            for top, bottom in between(layout.rows)
        )
        if same:  # the lower one turns outside at its right end, inside at its left end
            low, high = max(one, other), min(one, other)
            assert low[1] > high[1] and low[2] > high[2]


def test_a_node_whose_neighbors_stand_in_other_rows_stands_close_to_the_others():
    # 5 reads 3 and 4, which end the first row: 4 is a leaf
    inputs = [(), (), (0, 1), (2,), (), (3, 4), (5,)]
    layout = lay_out(inputs, [SIZES] * len(inputs), 450)
    assert len(layout.rows) == 2 and layout.layers[3] == layout.layers[4] == 2
    (_, above, _, high), (_, below, _, _) = layout.places[3:5]
    assert below - above - high == pytest.approx(Spacing().row)


def test_what_fits_in_one_row_is_not_folded():
    inputs = graph(1, 30, 6)
    sizes = [SIZES] * len(inputs)
    whole = lay_out(inputs, sizes)
    assert lay_out(inputs, sizes, whole.width) == whole and len(whole.rows) == 1


def test_an_edge_goes_to_its_end_by_way_of_its_lane():
    made = scene("micrograd")
    ways = routes_of(made)
    assert len(made.layout.rows) == 2 and made.layout.folds
    for edge, (fold,) in made.layout.folds.items():
        path = ways.path(edge)
        box = path.boundingRect()
        assert box.left() == pytest.approx(fold.left, abs=1) and box.right() >= fold.right - 1
        entry = made.nodes[edge[0]].badge_box
        x, y, _, _ = made.layout.places[edge[0]]
        assert path.currentPosition().x() == pytest.approx(x + entry[0])
        assert y <= path.currentPosition().y() <= y + made.nodes[edge[0]].size[1]


def test_no_edge_runs_through_a_node():
    made = scene("micrograd")
    boxes = [
        (x + 3, y + 3, x + width - 3, y + height - 3)
        for number, (x, y, width, height) in enumerate(made.layout.places)
        if number not in made.plot.docks
    ]
    numbers = [n for n in range(len(made.nodes)) if n not in made.plot.docks]
    routes = routes_of(made)
    for node, index in routes.by_edge:
        path = routes.path((node, index))
        ends = {node, made.computed.graph.nodes[node].inputs[index]}
        if ends & set(made.plot.docks):
            continue
        for share in range(101):
            at = path.pointAtPercent(share / 100)
            for number, (left, top, right, bottom) in zip(numbers, boxes, strict=True):
                inside = left < at.x() < right and top < at.y() < bottom
                assert number in ends or not inside, (node, index, number)


@pytest.mark.parametrize("name", ["neuron", "product", "error"])
def test_the_factor_of_a_short_edge_stands_beside_it(name):
    made = scene(name, (2000.0, 800.0))
    assert not made.is_tight
    ways, beside = routes_of(made), 0
    for edge in ways.by_edge:
        path = ways.path(edge)
        middle, box = ways.middles[edge], path.boundingRect()
        if (
            box.width() > 80
            or len(made.uses[made.computed.graph.nodes[edge[0]].inputs[edge[1]]]) > 1
        ):
            continue
        label = QRectF(middle.x() - 25, middle.y() - 7.5, 50, 15)
        seen = [one / 50 for one in range(51) if not label.contains(path.pointAtPercent(one / 50))]
        assert len(seen) >= 15, "of each edge enough is seen to tell how wide it is"
        beside += len(seen) == 51
    assert beside


def test_a_constant_stands_at_the_badge_that_reads_it():
    made = scene("micrograd")
    labels = [node.label for node in made.computed.graph.nodes]
    assert sorted(labels[one] for one in made.plot.docks) == [
        "1",
        "1",
        "10",
        "2",
        "2",
        "2",
        "3",
        "3",
    ]
    for number, reader in made.plot.docks.items():
        x, y, _, height = made.layout.places[number]
        left, top, _, tall = made.layout.places[reader]
        assert left - 1 <= x and top - 1e-6 <= y and y + height <= top + tall + 1e-6
        assert made.layout.layers[number] == made.layout.layers[reader]


def test_roomy_nodes_give_way_to_tight_ones_where_all_can_be_seen_so():
    assert not scene("entropy").is_tight and len(scene("entropy").layout.rows) == 2
    assert scene("matrices").is_tight
    assert not scene("matrices", (2000.0, 400.0)).is_tight


def test_another_room_changes_the_rows_and_the_same_one_nothing():
    made = scene("matrices")
    wide = scene_of(made.computed, made, (2000.0, 382.0))
    assert len(wide.layout.rows) == 1 and len(made.layout.rows) == 2
    assert scene_of(made.computed, wide, ROOM).layout == made.layout
    for room in (ROOM, (ROOM[0] + 2, ROOM[1]), (ROOM[0], ROOM[1] - 40)):
        assert scene_of(made.computed, made, room).layout is made.layout


def test_a_small_change_of_the_formula_leaves_the_rest_where_it_is():
    text = next(one for one in EXAMPLES if one.id == "micrograd").text
    places = []
    for one in (text, text.replace("f / 2.0", "f / 4.0"), text.replace("g + 10.0", "g - 10.0")):
        plot = plot_of(compute(one, {}).graph)
        _, layout = arranged(plot, ROOM)
        places.append([box[:2] for box in layout.places])
    assert places[0] == places[1] == places[2]
