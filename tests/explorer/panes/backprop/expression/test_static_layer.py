"""What is drawn less, or less often, looks the same."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from core.autograd import NumericGradient
from explorer import theme
from explorer.panes.backprop.expression.colors import sign_color, sign_text
from explorer.panes.backprop.expression.compute import compute, with_names
from explorer.panes.backprop.expression.draw_graph import GraphDrawing, Looked
from explorer.panes.backprop.expression.draw_nodes import shade
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.panes.backprop.expression.scene import instant_at, scene_of
from explorer.panes.backprop.expression.static_layer import StaticLayer
from explorer.panes.backprop.expression.viewport import Camera
from explorer.widgets.rendering import svg
from tests.explorer.panes.backprop.expression.conftest import show

WEB = "\n".join(f"v{n} = tanh(a * v{n - 1} + b) * v{n // 2}" for n in range(1, 12))
FORMULAS = {
    "chain": " + ".join(f"tanh(w{number} * x{number})" for number in range(8)),
    "web": f"v0 = c * 2\n{WEB}",
    "matrices": "W = randn(2, 3)\nsum(tanh(x * W + b) * W) * x",
}
FEW = 12  # pixels where many edges lie above one another
NEAR = 16  # of 255: an edge that is cut out of sight is rounded otherwise at its rim


def picture(qtbot, text):
    made = GraphPicture()
    qtbot.addWidget(made)
    made.resize(500, 300)
    show(made, scene_of(compute(text, with_names(text, {}))))
    made.show()
    return made


def pixels(picture) -> np.ndarray:
    image = picture.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    whole = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return whole[..., :3].astype(int)


def usual(cases, few):
    """A few of the cases, and with --full the others."""
    rest = [one for one in cases if one not in few]
    return [*few, *(pytest.param(*one, marks=pytest.mark.full) for one in rest)]


@pytest.mark.parametrize(
    ("which", "scale"), usual(product(FORMULAS, (0.3, 0.6, 1.1)), [("matrices", 0.6), ("web", 0.3)])
)
def test_after_any_change_the_picture_is_the_one_that_is_drawn_anew(qtbot, which, scale):
    text = FORMULAS[which]
    one = picture(qtbot, text)
    one.set_camera(Camera(scale, 10, 10))
    generator = np.random.default_rng(3)
    last = len(one.scene.computed.plan) - 1
    one.set_position(last)
    for turn in range(40):
        kind = turn % 5
        computed = one.scene.computed
        number = int(generator.integers(len(computed.graph.nodes)))
        if kind in (0, 1):
            name = str(generator.choice(list(computed.leaves)))
            moved = computed.value(computed.leaves[name]) + generator.choice([0.5, 1e-7, np.inf])
            moved = np.where(np.isfinite(moved), moved, -1.0)
            found = compute(text, computed.values | {name: moved}, computed)
            one.set_scene(scene_of(found, one.scene, one.scene.room))
        elif kind == 2:
            one.set_position(float(generator.integers(2 * last)) / 2)
        elif kind == 3:
            one.set_choice(number, 0 if generator.random() < 0.5 else -1)
            one.set_fixed(frozenset(list(computed.leaves)[: int(generator.integers(3))]))
        else:
            one.hovered = number, -1
            gradient = computed.gradient(number)
            checked = turn % 2 and gradient is not None
            one.set_numeric(
                {number: NumericGradient(gradient, np.zeros_like(gradient))} if checked else {}
            )
            one.update()
        found = pixels(one)
        kept, one.static_layer = one.static_layer, StaticLayer()
        anew, one.static_layer = pixels(one), kept
        assert (abs(found - anew).max(axis=2) > NEAR).sum() <= FEW, (turn, kind)


@pytest.mark.parametrize(("name",), usual(product(FORMULAS), [("chain",)]))
def test_of_another_formula_the_picture_is_the_one_that_is_drawn_anew(qtbot, name):
    """As with each letter that is typed."""
    text = FORMULAS[name]
    one = picture(qtbot, text)
    one.set_scene(scene_of(one.scene.computed, None, one.room))
    known = one.scene
    for end in ("", " + x1", " + x11", " + x1", " * x1", " * x1 - c", "", " + tanh(x1) * c", ""):
        found = compute(text + end, with_names(text + end, {}), known.computed)
        one.set_scene(scene_of(found, None, one.room))
        one.set_position(len(found.plan) - 1)
        shown = pixels(one)
        kept, one.static_layer = one.static_layer, StaticLayer()
        anew, one.static_layer = pixels(one), kept
        assert (abs(shown - anew).max(axis=2) > NEAR).sum() <= FEW, end


def test_after_a_letter_the_rest_of_a_long_formula_is_not_drawn_again(qtbot):
    text = FORMULAS["chain"]
    one = picture(qtbot, text)
    for end in (" + x11", " + x12", " + x13"):
        found = compute(text + end, with_names(text + end, {}))
        one.set_scene(scene_of(found, None, one.room))
        one.resize(1500, 900)
        one.set_camera(Camera(0.6, 10, 10))
        pixels(one)
    nodes = one.scene.computed.graph.nodes
    names = {nodes[number].label for number in one.static_layer.drawn}
    assert "x13" in names and "w0" not in names and len(names) < 0.4 * len(nodes)


def test_only_what_has_changed_is_drawn(qtbot):
    one = picture(qtbot, FORMULAS["chain"])
    one.set_camera(Camera(0.6, 10, 10))
    one.set_position(len(one.scene.computed.plan) - 1)
    pixels(one)
    computed = one.scene.computed
    found = compute(computed.text, computed.values | {"w2": np.array(0.125)}, computed)
    one.set_scene(scene_of(found, one.scene, one.scene.room))
    pixels(one)
    drawn = one.static_layer.drawn
    assert found.leaves["w2"] in drawn and found.leaves["w3"] not in drawn
    pixels(one)
    assert one.static_layer.drawn == []


def test_an_edge_is_drawn_whole_where_none_that_runs_farther_carries_more(qtbot):
    one = picture(qtbot, FORMULAS["web"])
    one.set_camera(Camera(0.6, 10, 10))
    scene, looked = one.scene, Looked((-1, -1), None, (-1, -1), frozenset(), frozenset(), {})
    last = instant_at(scene.computed, len(scene.computed.plan) - 1)
    drawing = GraphDrawing(scene, one.routes, one.camera, QRectF(one.rect()), last, looked)
    whole, flowing = 0, scene.computed.plan.flows
    for fan in one.routes.fans:
        for at, edge in enumerate(fan):
            farther = [abs(scene.peaks[other]) for other in fan[:at] if other in flowing]
            if edge in flowing and abs(scene.peaks[edge]) > 2 * max([1e-3, *farther]):
                assert drawing.paths[edge] == one.routes.path(edge)
                whole += one.routes.by_edge[edge].shares
    assert whole, "else the test is of nothing"
    assert any(drawing.paths[edge] != one.routes.path(edge) for edge in drawing.paths)


def test_exported_as_vectors_it_holds_no_pixels(qtbot):
    one = picture(qtbot, FORMULAS["chain"])
    one.set_position(len(one.scene.computed.plan) - 1)
    assert b"<image" not in svg(one) and b"<text" in svg(one)


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
def test_what_is_infinite_keeps_the_color_of_its_sign(qapp, name):
    theme.apply(qapp, name)
    for color in (sign_color, sign_text):
        assert color(np.inf) == color(2.0) != color(-2.0) == color(-np.inf)
        assert color(np.nan) not in (color(2.0), color(-2.0), color(0.0))
    assert shade(-np.inf, 1.0) == sign_color(-1.0) and shade(np.nan, 1.0) == sign_color(np.nan)
