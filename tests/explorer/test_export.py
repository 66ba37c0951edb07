"""Numbers and pictures out of the app are exact, and a failed export harms no file."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import shiboken6
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer

from explorer import export
from explorer.panes.base import Context
from explorer.settings import Settings
from explorer.workspace import Workspace
from tests.explorer.demo import DemoPane


@pytest.fixture
def pane(qapp, engine, qtbot):
    pane = DemoPane(Context(engine, Workspace(), Settings(), None))
    qtbot.addWidget(pane)
    pane.resize(200, 100)
    return pane


def test_csv_holds_the_exact_numbers():
    arrays = {"a": np.array([[1 / 3, -np.inf]]), "b": np.array(2, dtype=np.int64)}
    rows = list(csv.reader(io.StringIO(export.as_csv(arrays))))
    assert rows[0] == ["name", "index_0", "index_1", "value"]
    assert float(rows[1][3]) == 1 / 3
    assert rows[2][1:] == ["0", "1", "-inf"]
    assert rows[3] == ["b", "", "", "2"]


def test_png_has_twice_the_pixels_and_svg_is_drawn_by_qt(pane, tmp_path):
    export.save(pane, pane.picture, "png", tmp_path / "a.png")
    assert QImage(str(tmp_path / "a.png")).size() == pane.picture.size() * 2
    export.save(pane, pane.picture, "svg", tmp_path / "a.svg")
    assert QSvgRenderer(str(tmp_path / "a.svg")).isValid()


def test_a_trace_becomes_a_gif_at_its_own_pace(pane, tmp_path):
    pane.player.seek(1)
    export.save(pane, pane, "gif", tmp_path / "a.gif")
    positions = export.positions(pane.player)
    assert positions[0] == 0 and positions[-1] == 2
    seconds = len(positions) * export.GIF_FRAME
    assert seconds == pytest.approx(3 * 0.9 + 2 * 0.6, abs=0.3)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.size == (200, 100)
    assert pane.player.position == 1


def test_a_failed_export_leaves_the_old_file(pane, tmp_path, monkeypatch):
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(ValueError, match="choose png, svg, csv or gif"):
        export.save(pane, pane.picture, "bmp", target)
    pane.player.set_track(None)
    with pytest.raises(ValueError, match="choose a head"):
        export.save(pane, pane.picture, "gif", target)
    with pytest.raises(OSError):
        export.save(pane, pane.picture, "csv", target / "below")
    assert target.read_text() == "old"
    assert shiboken6.isValid(pane)
