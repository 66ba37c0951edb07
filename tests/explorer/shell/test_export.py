"""Numbers and pictures out of the app are exact, and a failed export harms no file."""

from __future__ import annotations

import csv
import errno
import io
import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtSvg import QSvgRenderer

from explorer.engine import errors
from explorer.panes.base import Context
from explorer.shell import export
from explorer.state.settings import Settings
from explorer.state.tracks import TraceTrack
from explorer.state.workspace import Workspace
from explorer.widgets import encoding
from explorer.widgets.plots.line_plot import LinePlot, Series
from tests.explorer.demo import DemoPane, demo_trace


@pytest.fixture
def pane(qapp, engine, qtbot):
    pane = DemoPane(Context(engine, Workspace(), Settings(), None))
    qtbot.addWidget(pane)
    pane.resize(200, 100)
    return pane


class Strip:
    """What an export needs of the window: its words."""

    def __init__(self):
        self.status, self.messages = self, []

    def set_message(self, text):
        self.messages.append(text)

    say = set_message


@pytest.fixture
def threads(monkeypatch):
    """The threads on which files are written and frames encoded."""
    found = {}

    def watch(module, name):
        real = getattr(module, name)

        def watched(*args):
            found.setdefault(name, set()).add(threading.current_thread().name)
            return real(*args)

        monkeypatch.setattr(module, name, watched)

    for name in ("write_csv", "write_png", "write_gif", "gif_frame", "as_csv"):
        watch(encoding, name)
    watch(export, "write_atomically")
    watch(export, "drawn")
    return found


def is_io(names):
    return all(name.startswith("engine-io") for name in names)


def test_csv_holds_the_exact_numbers():
    arrays = {"a": np.array([[1 / 3, -np.inf]]), "b": np.array(2, dtype=np.int64)}
    rows = list(csv.reader(io.StringIO(encoding.as_csv(arrays))))
    assert rows[0] == ["name", "index_0", "index_1", "value"]
    assert float(rows[1][3]) == 1 / 3
    assert rows[2][1:] == ["0", "1", "-inf"]
    assert rows[3] == ["b", "", "", "2"]


def test_a_long_csv_is_whole_across_its_pieces(tmp_path):
    points = np.random.default_rng(0).normal(size=(encoding.VALUES_AT_ONCE + 1, 2))
    encoding.write_csv(tmp_path / "a.csv", {"points": points})
    text = (tmp_path / "a.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text)))[1:]
    assert [float(row[3]) for row in rows] == points.reshape(-1).tolist()
    assert rows[-1][1:3] == [str(encoding.VALUES_AT_ONCE), "1"]
    assert text == encoding.as_csv({"points": points})


def test_a_plot_is_one_table_by_its_x_with_the_lines_as_columns(qtbot):
    plot = LinePlot("Losses")
    qtbot.addWidget(plot)
    plot.set_axes("step", "loss (nats per token)")
    measured = Series("validation", np.array([0.0, 2.0]), np.array([7.5, 6.25]))
    plot.set_series([measured, Series("train", np.array([1.0, 2.0]), np.array([7.0, np.nan]))])
    assert encoding.as_csv(plot.as_columns()).splitlines() == [
        "step,train,validation",
        "0,,7.5",
        "1,7.0,",
        "2,nan,6.25",
    ]
    assert plot.table_labels()["train"][1] == ("step", "train")


def test_png_has_twice_the_pixels_and_svg_is_drawn_by_qt(pane, tmp_path, run_async):
    run_async(export.save(pane, pane.picture, "png", tmp_path / "a.png"))
    image, margin = QImage(str(tmp_path / "a.png")), 2 * export.MARGIN
    assert image.size() == (pane.picture.size() + QSize(margin, margin)) * 2
    edge = {image.pixel(x, y) for x in range(margin) for y in range(image.height())}
    assert len(edge) == 1, "nothing touches the edge"
    run_async(export.save(pane, pane.picture, "svg", tmp_path / "a.svg"))
    assert QSvgRenderer(str(tmp_path / "a.svg")).isValid()


def test_widgets_are_drawn_on_the_gui_thread_and_the_rest_is_done_elsewhere(
    pane, tmp_path, run_async, threads
):
    for kind in ("png", "svg", "csv", "gif"):
        run_async(export.save(pane, pane.picture, kind, tmp_path / f"a.{kind}"))
        assert (tmp_path / f"a.{kind}").stat().st_size > 100
    assert threads.pop("drawn") == {threading.current_thread().name}
    assert set(threads) == {"write_csv", "write_png", "write_gif", "gif_frame", "write_atomically"}
    assert all(map(is_io, threads.values()))


def test_numbers_are_copied_without_holding_the_window_up(pane, run_async, threads):
    run_async(export.copy_numbers(pane, pane.picture))
    assert QGuiApplication.clipboard().text().startswith("name,index_0,index_1,value")
    assert is_io(threads["as_csv"])


def test_a_trace_becomes_a_gif_at_its_own_pace(pane, tmp_path, run_async):
    pane.player.seek(1)
    strip = Strip()
    run_async(export.save_and_tell(strip, pane, pane, "gif", tmp_path / "a.gif"))
    shots = export.shooting(pane.player)
    assert shots[0][0] == 0 and shots[-1][0] == 2
    assert sum(ms for _, ms in shots) == pytest.approx(1000 * (3 * 0.9 + 2 * 0.6), abs=5)
    with Image.open(tmp_path / "a.gif") as image:
        margin = export.MARGIN
        assert image.size == (200 + 2 * margin, 100 + 2 * margin)
        edge = image.convert("RGB").crop((0, 0, margin, image.height))
        assert len(edge.getcolors()) == 1, "nothing touches the edge"
    assert pane.player.position == 1
    assert strip.messages[0] == "Exporting a.gif"
    assert strip.messages[-2:] == ["Exporting a.gif, 100 %", f"Saved {tmp_path / 'a.gif'}"]


def test_a_gif_shows_every_step_for_its_time(pane, tmp_path, run_async):
    pane.picture.draw = lambda painter: painter.fillRect(
        0, 0, int(200 * pane.player.position / 2), 100, "#ff0000"
    )
    pane.player.positionChanged.connect(lambda _: pane.picture.update())
    path = tmp_path / "a.gif"
    run_async(export.save(pane, pane.picture, "gif", path))
    red, total = {}, 0
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            pixels = np.asarray(image.convert("RGB")).astype(int)
            wide = int((pixels[50, :, 0] - pixels[50, :, 1] > 200).sum())
            red[wide] = red.get(wide, 0) + image.info["duration"]
            total += image.info["duration"]
    assert list(red) == sorted(red) and {0, 100, 200} <= set(red)
    assert red[0] == 900 and total == pytest.approx(3900, abs=5)


def test_a_run_of_many_moments_is_thinned_at_the_same_pace(pane):
    trace = demo_trace()
    pane.player.set_track(TraceTrack(trace))
    track = pane.player.track
    whole = export.shooting(pane.player)

    class Long:
        transition, rest = track.transition, track.rest

    class Player:
        track, length = Long, 1000

    shots = export.shooting(Player)
    assert len(whole) < len(shots) <= export.MOST_FRAMES
    assert shots[0][0] == 0 and shots[-1][0] == 999
    seconds = 1000 * Long.rest + 999 * Long.transition
    assert sum(ms for _, ms in shots) == pytest.approx(1000 * seconds, abs=5)


def test_the_cursor_stays_where_the_person_put_it(pane, tmp_path, run_async):
    """Between two frames the window is alive: what it shows there is not a frame of the film."""
    pane.player.seek(1)
    seen = []
    real = pane.engine.io

    async def io(function, *args):
        seen.append(pane.player.position)
        return await real(function, *args)

    pane.engine.io = io
    run_async(export.save(pane, pane, "gif", tmp_path / "a.gif"))
    assert len(seen) > 5 and set(seen) == {1.0}


@pytest.mark.parametrize("what", ["track", "size"])
def test_a_picture_that_changes_meanwhile_ends_the_film(what, pane, tmp_path, run_async):
    def change(share):
        if what == "track":
            pane.player.set_track(TraceTrack(demo_trace()))
        else:
            pane.resize(300, 100)

    target = tmp_path / "a.gif"
    target.write_text("old")
    with pytest.raises(ValueError, match="export it again"):
        run_async(export.save(pane, pane, "gif", target, change))
    assert target.read_text() == "old"


def test_a_failed_export_leaves_the_old_file(pane, tmp_path, run_async):
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(ValueError, match="choose png, svg, csv or gif"):
        run_async(export.save(pane, pane.picture, "bmp", target))
    with pytest.raises(OSError):
        run_async(export.save(pane, pane.picture, "csv", target / "below"))
    pane.player.set_track(None)
    with pytest.raises(ValueError, match="choose a head"):
        run_async(export.save(pane, pane.picture, "gif", target))
    assert target.read_text() == "old"


@pytest.mark.parametrize("kind", ["png", "svg", "csv", "gif"])
def test_a_full_disk_makes_a_card_and_harms_nothing(kind, pane, tmp_path, run_async, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    cards = []
    monkeypatch.setattr(errors, "report", lambda error, where: cards.append((error, where)))
    target, strip = tmp_path / f"a.{kind}", Strip()
    target.write_text("old")
    run_async(export.save_and_tell(strip, pane, pane.picture, kind, target))
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]
    assert cards[0][0].errno == errno.ENOSPC and cards[0][1] == f"exporting {kind}"
    assert strip.messages[-1] == ""


def test_the_menu_copies_and_exports(pane, tmp_path, run_async, monkeypatch):
    def chosen(window, title, name, then):
        then(str(tmp_path / name))

    monkeypatch.setattr("explorer.widgets.dialogs.ask_target", chosen)
    words = Strip()
    pane.status, pane.say = words, words.set_message  # the pane stands in for the window

    async def body():
        for text in ("Copy numbers", "Copy picture", "Export CSV\u2026", "Export GIF\u2026"):
            menu = export.menu(pane, pane, "picture", pane.picture)
            next(action for action in menu.actions() if action.text() == text).trigger()
            menu.close()
            menu.deleteLater()
            await pane.settled()

    run_async(body())
    assert not QGuiApplication.clipboard().image().isNull()
    assert (tmp_path / "demo-picture.csv").read_text().startswith("name,index_0")
    assert (tmp_path / "demo-picture.gif").read_bytes().startswith(b"GIF89a")
    assert words.messages[-1] == f"Saved {tmp_path / 'demo-picture.gif'}"


def test_a_picture_says_below_itself_what_it_is_of(pane, monkeypatch):
    picture = next(iter(pane.pictures().values()))
    plain = export.drawn(picture, 1, export.MARGIN)
    monkeypatch.setattr(pane, "caption", lambda: "stories, layer 2, head 3: Once upon a time")
    told = export.drawn(picture, 1, export.MARGIN, pane.caption())
    assert told.width() == plain.width() and told.height() > plain.height()
    line = told.copy(0, plain.height(), told.width(), told.height() - plain.height())
    colors = {line.pixelColor(x, y).name() for x in range(line.width()) for y in range(9)}
    assert len(colors) > 2, "there is text on the ground"
    assert b"Once upon a" in export.svg(picture, export.MARGIN, pane.caption())
    words = "Once upon a time " * 9
    heights = [export.drawn(picture, 1, 0, text).height() for text in ("Once", words)]
    assert heights[1] > heights[0] > picture.height()
    drawn = export.svg(picture, 0, words + "the end").decode()
    assert "the end" in drawn and "\u2026" not in drawn
