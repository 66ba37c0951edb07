"""What is drawn less, or less often, looks the same."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage

from explorer import theme
from explorer.panes.backprop.expression.camera import Camera
from explorer.panes.backprop.expression.computing import compute, with_names
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.panes.backprop.expression.scene import scene_of

WEB = "\n".join(f"v{n} = tanh(a * v{n - 1} + b) * v{n // 2}" for n in range(1, 12))
FORMULAS = {
    "chain": " + ".join(f"tanh(w{number} * x{number})" for number in range(8)),
    "web": f"v0 = c * 2\n{WEB}",
    "matrices": "W = randn(2, 3)\nsum(tanh(x * W + b) * W) * x",
}
NEAR = 16  # of 255: an edge that is cut out of sight is rounded otherwise at its rim


def picture(qtbot, text):
    made = GraphPicture()
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.set_scene(scene_of(compute(text, with_names(text, {}))))
    made.show()
    return made


def pixels(picture) -> np.ndarray:
    image = picture.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    whole = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return whole[..., :3].astype(int)


def cameras(picture):
    layout = picture.scene.layout
    for scale in (0.3, 0.7, 1.3):
        for share in (0.0, 0.4, 0.8):
            yield Camera(scale, -layout.width * share * scale, -layout.height * share * scale / 2)


@pytest.mark.parametrize("name", ["light", "contrast"])
@pytest.mark.parametrize("text", FORMULAS.values(), ids=FORMULAS)
def test_an_edge_drawn_only_where_it_is_seen_looks_the_same(qtbot, qapp, text, name):
    theme.apply(qapp, name, 1.0, "full")
    one = picture(qtbot, text)
    last = len(one.scene.computed.plan) - 1
    whole = one._ways.paths
    for position in (2.5, last / 2, last - 0.2, last):
        one.set_position(position)
        for camera in cameras(one):
            one.set_camera(camera)
            one._layer = None
            found = pixels(one)
            key, seen = next(iter(one._ways._sight.items()))
            assert len(seen) <= len(whole)
            one._ways._sight[key] = dict(whole)
            one._layer = None
            assert abs(found - pixels(one)).max() <= NEAR, (position, camera)


def test_the_place_of_the_arithmetic_is_kept_and_found_anew_when_the_view_moves(qtbot):
    one = picture(qtbot, FORMULAS["chain"])
    one.set_position(len(one.scene.computed.plan) - 1)
    first = pixels(one)
    kept = len(one._ways.words)
    assert kept and (pixels(one) == first).all() and len(one._ways.words) == kept
    one.set_by_hand(one.camera.moved(40, 0))
    pixels(one)
    assert len(one._ways.words) == kept + 1
