"""The graph under mouse, wheel and keyboard."""

from __future__ import annotations

import itertools
import math

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest

from explorer import theme
from explorer.panes.backprop.expression.compute import compute, with_names
from explorer.panes.backprop.expression.draw_nodes import node_box, part
from explorer.panes.backprop.expression.draw_overflow import hidden
from explorer.panes.backprop.expression.graph_picture import GRASP
from explorer.panes.backprop.expression.layout import Layout
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.scene import instant_at, scene_of
from explorer.panes.backprop.expression.viewport import MARGIN, Camera, fitting, room_in
from tests.explorer.panes.backprop.expression.conftest import heard, scene, show
from tests.explorer.waiting import wait_until


def center(picture, label, element=None):
    scene = picture.scene
    number = next(n for n, face in enumerate(scene.nodes) if face.label == label)
    box = node_box(scene, number)
    if element is not None:
        face = scene.nodes[number]
        area = part(scene, number, face.grid(False))
        row, column = divmod(element, face.columns)
        at = area.topLeft() + QPointF((column + 0.5) * face.cell[0], (row + 0.5) * face.cell[1])
    else:
        at = box.center()
    x, y = picture.camera.seen(at.x(), at.y())
    return QPoint(round(x), round(y))


def wheel(picture, point, notches, modifier=Qt.KeyboardModifier.NoModifier):
    event = QWheelEvent(
        QPointF(point),
        QPointF(point),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    picture.wheelEvent(event)


def test_the_whole_graph_is_in_sight(picture):
    for face in picture.scene.nodes:
        assert picture.rect().contains(center(picture, face.label))
        assert picture.hit(QPointF(center(picture, face.label)))[0] >= 0
    assert picture.hit(QPointF(2, 2)) == (-1, -1)


def test_a_graph_that_was_moved_out_of_sight_is_drawn(picture):
    """Wholly, or so that a node but no edge of it is seen."""
    node = picture.scene.layout.places[0]
    for camera in (Camera(1.0, 9000.0, 9000.0), Camera(40.0, -40.0 * node[0], -40.0 * node[1])):
        picture.set_by_hand(camera)
        assert not picture.grab().isNull() and picture.broken is None
    picture.fit()
    picture.grab()
    assert picture.broken is None


def test_the_last_number_of_a_tensor_ends_at_its_border(picture):
    show(picture, scene("attention"))
    picture.set_by_hand(Camera(1.0, 0.0, 0.0))
    number = next(n for n, face in enumerate(picture.scene.nodes) if face.is_grid)
    area = part(picture.scene, number, picture.scene.nodes[number].grid(False))
    size = picture.scene.computed.value(number).size
    assert picture.hit(area.bottomRight()) == (number, size - 1)


def test_what_is_wheeled_in_one_go_is_over_after_a_pause(picture):
    """Else it would be one change with what is wheeled there later."""
    moved, released = heard(picture.leafMoved), heard(picture.leafReleased)
    place = center(picture, "x1")
    wheel(picture, place, 1)
    wheel(picture, place, 1)
    assert len(moved) == 2 and not released
    wait_until(lambda: released, "the pause")
    assert len(released) == 1


def test_a_leaf_is_dragged_sideways(picture):
    moved, released = heard(picture.leafMoved), heard(picture.leafReleased)
    start = center(picture, "w1")
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(picture, start + QPoint(2, 30))
    assert moved == []
    QTest.mouseMove(picture, start + QPoint(60, 0))
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 0))
    assert moved == [("w1", 0, pytest.approx(-1.5))] and len(released) == 1


def test_the_wheel_moves_a_leaf_or_the_view_and_zooms_with_control(picture):
    moved = heard(picture.leafMoved)
    wheel(picture, center(picture, "w1"), 1)
    assert moved == [("w1", 0, pytest.approx(-2.9))]
    before = picture.camera
    wheel(picture, QPoint(4, 4), 1)
    assert picture.camera == before.moved(0, 60) and not picture.fits
    at = center(picture, "o")
    wheel(picture, at, 1, Qt.KeyboardModifier.ControlModifier)
    assert picture.camera.scale > before.scale
    assert (center(picture, "o") - at).manhattanLength() <= 2
    picture.fit()
    assert picture.fits


def test_the_ground_is_dragged(picture):
    before = picture.camera
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    QTest.mouseMove(picture, QPoint(45, 25))
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=QPoint(45, 25))
    assert picture.camera == before.moved(40, 20)


def test_a_double_click_asks_for_a_value(picture):
    asked = heard(picture.editRequested)
    QTest.mouseDClick(picture, Qt.MouseButton.LeftButton, pos=center(picture, "b"))
    assert asked == [("b", 0)]


def test_an_element_of_a_tensor_is_taken_hold_of(picture):
    show(picture, scene("matrices"))
    clicked, moved = heard(picture.nodeClicked), heard(picture.leafMoved)
    start = center(picture, "W", 3)
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(picture, start + QPoint(120, 0))
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=start)
    assert clicked[0][1] == 3 and moved[0] == ("W", 3, pytest.approx(1.3))


def test_what_a_step_is_about_comes_into_sight(picture):
    show(picture, scene("micrograd"))
    computed = picture.scene.computed
    for moment in range(1, len(computed.plan), 7):
        picture.set_position(float(moment))
        place = instant_at(computed, moment).place
        box = node_box(picture.scene, place.node)
        x, y = picture.camera.seen(box.center().x(), box.center().y())
        assert 0 <= x <= picture.width() and 0 <= y <= picture.height()


def test_a_camera_shows_and_fits():
    wide, high = room_in((800, 400))
    assert (wide, high) == (800 - 2 * MARGIN, 400 - 2 * MARGIN)
    assert fitting((2000, 300), (800, 400)).scale == pytest.approx(wide / 2000)
    assert fitting((2000, 640), (800, 400), least=1.0) == Camera(1.0, MARGIN, MARGIN)
    assert fitting((wide, high), (800, 400), least=1.0) == Camera(1.0, MARGIN, MARGIN)
    assert fitting((wide, 100), (800, 400), least=1.0) == Camera(1.0, MARGIN, 150)
    assert fitting((2 * wide, 100), (1600, 400), 2.0, 1.0).scale == 1.0 * 2
    near = Camera(1.0, 0, 0).showing((900, 50, 100, 40), 800, 400)
    assert near.seen(1000, 70)[0] <= 800 and near.seen(900, 70)[0] >= 0
    zoomed = Camera(1.0, 10, 20).zoomed(2.0, 100, 100)
    assert zoomed.at(100, 100) == pytest.approx((90, 80))


def test_a_view_that_shows_nothing_is_not_restored(picture):
    show(picture, scene("micrograd"))
    left = picture.camera.moved(-30, -20)
    picture.set_camera(left)
    assert picture.camera == left and not picture.fits
    picture.set_camera(Camera(1.0, -2500.0, 30.0))  # of a window so wide that all stood in one row
    assert picture.fits and picture.camera.scale >= 1


def test_hovering_tells_the_node(picture):
    hovered = heard(picture.nodeHovered)
    QTest.mouseMove(picture, center(picture, "b"))
    assert hovered[-1] == (picture.scene.computed.leaves["b"],)
    assert "Drag sideways" in picture.toolTip()


def test_an_edge_is_pointed_at_and_clicked(picture):
    edge = next(edge for edge in picture.routes.by_edge if edge[1] == 0)
    middle = picture.routes.middles[edge]
    at = QPointF(*picture.camera.seen(middle.x(), middle.y())).toPoint()
    assert picture.edge_at(QPointF(at)) == edge and picture.edge_at(QPointF(3, 3)) is None
    clicked = heard(picture.edgeClicked)
    QTest.mouseMove(picture, at)
    assert picture.hovered_edge == edge and "Click to see this step" in picture.toolTip()
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=at)
    assert clicked == [edge]


def test_an_edge_that_the_pointer_has_left_stands_out_no_more(picture):
    edge = next(edge for edge in picture.routes.by_edge if edge[1] == 0)
    middle = picture.routes.middles[edge]
    before = picture.grab().toImage()
    QTest.mouseMove(picture, QPoint(3, 3))
    QTest.mouseMove(picture, QPointF(*picture.camera.seen(middle.x(), middle.y())).toPoint())
    assert picture.grab().toImage() != before
    asked = []
    picture.update = lambda: asked.append(True)
    picture.leaveEvent(QEvent(QEvent.Type.Leave))
    assert asked


def test_the_nearest_edge_is_pointed_at(picture):
    web = "\n".join(f"v{n} = tanh(a * v{n - 1} + b) * v{n // 2}" for n in range(1, 8))
    text = f"v0 = c * 2\n{web}"
    show(picture, scene_of(compute(text, with_names(text, {}))))
    picture.zoom_by(1.4)
    routes, found = picture.routes, 0
    paths = {edge: routes.path(edge, whole=False) for edge in routes.by_edge}
    for x in range(2, 900, 89):
        for y in range(2, 400, 43):
            at = QPointF(*picture.camera.at(x, y))
            away = {edge: distance(path, at) for edge, path in paths.items()}
            edge = picture.edge_at(QPointF(x, y))
            reach = GRASP / picture.camera.scale
            if edge is None:
                assert min(away.values()) > reach - 0.1
            else:
                found += 1
                assert away[edge] <= min(min(away.values()), reach) + 0.1
    assert found > 12


def distance(path, at):
    """From a point to a path, as Qt makes lines of it."""
    found = []
    for polygon in path.toSubpathPolygons():
        for one, other in itertools.pairwise(polygon):
            along, away = other - one, at - one
            square = QPointF.dotProduct(along, along) or 1.0
            share = min(1.0, max(0.0, QPointF.dotProduct(along, away) / square))
            rest = away - along * share
            found.append(math.hypot(rest.x(), rest.y()))
    return min(found)


def test_what_rests_during_a_step_is_drawn_once(picture):
    for position in (7.25, 7.3):
        picture.set_position(position)
        picture.grab()
    picture.set_position(7.5)
    picture.grab()
    assert picture.static_layer.drawn == []
    picture.set_choice(0, 0)
    picture.grab()
    assert 0 in picture.static_layer.drawn


@pytest.mark.parametrize("motion", ["full", "reduced", "off"])
def test_every_motion_and_theme_is_drawn(picture, qapp, motion):
    try:
        for look in ("light", "dark", "contrast-light"):
            theme.apply(qapp, look if look != "contrast-light" else "contrast", 1.0, motion)
            for position in (0.3, 6.5, 9.5, 15.0):
                picture.set_position(position)
                assert not picture.grab().isNull() and picture.broken is None
    finally:
        theme.apply(qapp, "light", 1.0, "full")


def test_it_says_where_the_graph_goes_on_out_of_sight():
    layout = Layout(((0.0, 0.0, 100.0, 50.0), (900.0, 250.0, 100.0, 50.0)), (), (), 1000.0, 300.0)
    room = (600.0, 400.0)
    assert hidden(Camera(1.0, 20.0, 50.0), layout, room) == {"right": 1}
    assert hidden(Camera(1.0, -300.0, -80.0), layout, room) == {"left": 1, "right": 1, "above": 1}
    assert hidden(Camera(0.5, 20.0, 200.0), layout, room) == {}
    assert hidden(Camera(1.0, -500.0, 150.0), layout, room) == {"left": 1, "below": 1}


def test_numbers_of_a_tensor_move_while_a_step_is_under_way(picture):
    one = next(one for one in EXAMPLES if one.id == "matrices")
    before = compute(one.text, one.values)
    show(picture, scene_of(before))
    picture.set_position(4.5)
    for _ in range(2):
        picture.grab()
    assert picture.static_layer.drawn == []
    after = compute(one.text.replace("0.5", "2.5"), one.values, before)
    picture.set_scene(scene_of(after, picture.scene, picture.scene.room))
    picture.grab()
    assert picture.broken is None
    assert picture.static_layer.drawn
