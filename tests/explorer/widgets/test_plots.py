"""What a plot holds, marks and names: limits with spikes, checkpoints, names that cover nothing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.plots import labels, line_plot
from explorer.widgets.plots.ends import End, leader, place_names
from explorer.widgets.plots.labels import readout_left, title_left, x_numbers, y_numbers
from explorer.widgets.plots.limits import MovingLimits, held_span, wanted_limits
from explorer.widgets.plots.line_plot import LinePlot, Mark, Series
from explorer.widgets.plots.math import linear_ticks, smooth
from explorer.widgets.plots.view import PlotView
from tests.explorer.waiting import turn, wait_until


def losses(count: int, noise: float = 0.25) -> np.ndarray:
    """A run as it is: a steep start, then slowly down, with noise."""
    steps = np.arange(1, count + 1)
    start = 3.6 + 7.2 * np.exp(-steps / max(3, count / 60)) - 1.5 * steps / count
    return start + np.random.default_rng(1).normal(0, noise, count)


def limits_of(y: np.ndarray, log: bool = False, smoothing: float = 0.9) -> tuple[float, float]:
    series = Series("train", np.arange(1, len(y) + 1), y, smoothed=True)
    found = wanted_limits([series], [smooth(y, smoothing)], None, log)
    assert found is not None
    return found[2:]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("count", [3, 12, 60, 400, 5000, 100_000])
def test_the_axis_holds_every_value_of_a_run_from_its_first(count, log):
    y = losses(count)
    low, high = limits_of(y, log)
    assert low <= y.min() and y.max() <= high


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("at", [0, 1, 700, 1998])
@pytest.mark.parametrize("count", [2000, 100_000])
def test_a_lone_spike_flattens_nothing(count, at, log):
    y = losses(count)
    rest_low, rest_high = limits_of(y, log)
    y[at] = 5000.0
    low, high = limits_of(y, log)
    assert high < 5000 and low <= np.delete(y, at).min()
    assert (rest_high - rest_low) / (high - low) > 0.9, "the rest is as tall as it was"
    assert high >= np.delete(y, at).max()


def test_a_level_that_lasts_is_no_spike():
    y = np.ones(300)
    y[150:] = 40.0
    assert held_span(y) == (1.0, 40.0)
    y = np.ones(300)
    y[7] = 1.5
    assert held_span(y) == (1.0, 1.5), "nothing but one value differs: it is what there is to see"


def test_a_plot_says_how_many_values_it_cannot_hold(qtbot, monkeypatch):
    said = []
    monkeypatch.setattr(labels, "put_text", lambda _, rect, text, *__: said.append(text))
    plot, y = LinePlot(), losses(500)
    qtbot.addWidget(plot)
    y[[100, 300]] = 900.0
    plot.set_smoothing(0.9)
    plot.set_series([Series("train", np.arange(500), y, smoothed=True)])
    painted(plot)
    assert any("2 spikes beyond the axis" in text for text in said)
    said.clear()
    plot.set_series([Series("train", np.arange(500), losses(500), smoothed=True)])
    painted(plot)
    assert said and not any("beyond" in text for text in said)


def pixel(plot: LinePlot, x: float, y: float = 0.0) -> QPointF:
    """Where a point lies in a plot whose axes are at rest."""
    rect, (low_x, high_x, low_y, high_y) = plot.plot_rect(), plot.limits
    across, up = (x - low_x) / (high_x - low_x), (y - low_y) / (high_y - low_y)
    return QPointF(rect.left() + across * rect.width(), rect.bottom() - up * rect.height())


def painted(plot: LinePlot, width: int = 600, height: int = 300) -> np.ndarray:
    plot.resize(width, height)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    plot.render(image)
    return np.frombuffer(image.constBits(), np.uint32).reshape(height, -1).copy()


def two_runs() -> LinePlot:
    plot, x = LinePlot(), np.arange(1, 401)
    plot.set_axes("step", "loss (nats per token)")
    plot.set_series(
        [
            Series("train stories-2", x[:120], losses(120), 2, smoothed=True, dashed=True),
            Series("validation", x[::20], losses(400, 0)[::20] + 0.3, 1, marks=True),
            Series("train", x, losses(400), 0, smoothed=True),
        ]
    )
    plot.set_x_range(0, 512)
    return plot


def pointer(plot: LinePlot, x: float, y: float, kind: QEvent.Type) -> None:
    place, left = QPointF(x, y), Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, place, place, left, left, Qt.KeyboardModifier.NoModifier)
    deeds = {
        QEvent.Type.MouseMove: plot.mouseMoveEvent,
        QEvent.Type.MouseButtonPress: plot.mousePressEvent,
        QEvent.Type.MouseButtonRelease: plot.mouseReleaseEvent,
        QEvent.Type.MouseButtonDblClick: plot.mouseDoubleClickEvent,
    }
    deeds[kind](event)


def click(plot: LinePlot, x: float, y: float) -> None:
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        pointer(plot, x, y, kind)


def test_a_mark_is_drawn_named_under_the_pointer_and_meant_by_a_click_near_it(qtbot):
    plot = two_runs()
    qtbot.addWidget(plot)
    before = painted(plot)
    marks = [Mark(100, "checkpoint, step 100"), Mark(300, "checkpoint, step 300")]
    plot.set_marks(marks)
    after = painted(plot)
    rect, left, right = plot.plot_rect(), pixel(plot, 100).x(), pixel(plot, 300).x()
    rows, columns = np.nonzero(before != after)
    assert (abs(rows - rect.bottom()) < 8).all(), "on the axis, in nobody's way"
    assert {round((column - left) / (right - left)) for column in columns} == {0, 1}
    clicked, hovered = [], []
    plot.clicked.connect(clicked.append)
    plot.hovered.connect(hovered.append)
    pointer(plot, right + 4, rect.bottom() + 3, QEvent.Type.MouseMove)
    click(plot, right + 4, rect.bottom() - 20)
    click(plot, (left + right) / 2, rect.bottom() - 20)
    assert (hovered, clicked[0]) == ([300.0], 300.0)
    assert clicked[1] == pytest.approx(200, abs=1)


@pytest.fixture
def zooming(qtbot):
    """A plot of 1,000 steps that zooms, drawn once."""
    plot = LinePlot()
    qtbot.addWidget(plot)
    plot.zooms = True
    plot.set_x_range(0, 1000)
    plot.set_series([Series("train", np.arange(1, 1001), losses(1000), smoothed=True)])
    painted(plot)
    return plot


def wheel(plot: LinePlot, x: float, notches: int) -> QWheelEvent:
    place = QPointF(pixel(plot, x).x(), plot.plot_rect().center().y())
    turned = QWheelEvent(
        place, place, QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    plot.wheelEvent(turned)
    return turned


def test_the_wheel_zooms_about_the_pointer_and_y_fits_what_is_seen(zooming):
    high = zooming.limits[3]
    wheel(zooming, 800, 8)
    low_x, high_x = zooming.limits[:2]
    assert high_x - low_x == pytest.approx(1000 / 1.2**8)
    assert (800 - low_x) / (high_x - low_x) == pytest.approx(0.8)
    assert zooming.limits[3] < high / 2, "the steep start is out of sight"
    wheel(zooming, 800, 99)
    assert zooming.limits[1] - zooming.limits[0] == pytest.approx(5)
    wheel(zooming, 800, -99)
    assert zooming.span is None and zooming.limits[:2] == (0, 1000)


def test_a_drag_moves_along_the_axis_to_its_ends_and_is_no_click(zooming):
    clicked = []
    zooming.clicked.connect(clicked.append)
    zooming.set_span((400.0, 600.0))
    rect = zooming.plot_rect()
    middle, y = rect.center().x(), rect.center().y()
    pointer(zooming, middle, y, QEvent.Type.MouseButtonPress)
    pointer(zooming, middle + rect.width() / 4, y, QEvent.Type.MouseMove)
    assert zooming.span == pytest.approx((350, 550))
    pointer(zooming, middle - 9 * rect.width(), y, QEvent.Type.MouseMove)
    assert zooming.span == pytest.approx((800, 1000))
    pointer(zooming, middle, y, QEvent.Type.MouseButtonRelease)
    assert clicked == []
    click(zooming, middle, y)
    assert clicked == [pytest.approx(900)]


def test_a_double_click_or_home_shows_all_again(zooming, qtbot):
    for go_back in (
        lambda: pointer(zooming, 200, 60, QEvent.Type.MouseButtonDblClick),
        lambda: qtbot.keyClick(zooming, Qt.Key.Key_Home),
    ):
        qtbot.keyClicks(zooming, "+++")
        assert zooming.span is not None
        first = zooming.span
        qtbot.keyClick(zooming, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert zooming.span[0] > first[0]
        go_back()
        assert zooming.span is None and zooming.limits[:2] == (0, 1000)


def test_a_run_that_grows_leaves_the_part_that_is_looked_at(zooming):
    zooming.set_span((400.0, 600.0))
    zooming.set_x_range(0, 2000)
    zooming.set_series([Series("train", np.arange(1, 1501), losses(1500), smoothed=True)])
    assert zooming.limits[:2] == (400, 600)
    zooming.set_span(None)
    assert zooming.limits[:2] == (0, 2000)


def test_a_plot_that_does_not_zoom_leaves_the_wheel_to_what_holds_it(zooming):
    zooming.zooms = False
    assert not wheel(zooming, 500, 3).isAccepted() and zooming.span is None


def test_a_level_line_is_told_without_a_place_and_a_smoothed_one_as_smoothed(qtbot):
    plot, x = LinePlot(), np.arange(1, 11)
    qtbot.addWidget(plot)
    plot.set_axes("step", "loss")
    guess = Series("guess", np.array([0.0, 16.0]), np.full(2, 7.25))
    train = Series("train", x, np.linspace(7, 2, 10), smoothed=True)
    plot.set_series([guess, train])
    assert plot.describe() == "guess: 7.25, train: 2 at step 10"
    plot.set_smoothing(0.9)
    assert plot.describe().startswith("guess: 7.25, train (smoothed): ")


def test_a_faint_line_is_told_only_where_it_is_pointed_at_and_a_click_on_it_names_it(qtbot):
    plot, x = LinePlot(), np.arange(0, 101, 10)
    qtbot.addWidget(plot)
    plot.picks_lines = True
    faint = Series("L0 H0", x, np.full(11, 0.2), "muted", named=False, faint=True)
    plot.set_series([faint, Series("L1 H2", x, np.linspace(0, 1, 11), 2)])
    painted(plot)
    picked, clicked = [], []
    plot.lineClicked.connect(lambda *one: picked.append(one))
    plot.clicked.connect(clicked.append)
    assert [name for name, _, _ in plot.readout(50)] == ["L1 H2"]
    assert "L1 H2" in plot.describe() and "L0 H0" not in plot.describe()
    for x, y in ((50, 0.2), (50, 0.5), (50, 0.8)):
        at = pixel(plot, x, y)
        pointer(plot, at.x(), at.y() + 2, QEvent.Type.MouseMove)
        click(plot, at.x(), at.y() + 2)
        if y == 0.2:
            assert {name for name, _, _ in plot.readout(50)} == {"L0 H0", "L1 H2"}
    assert [name for name, _ in picked] == ["L0 H0", "L1 H2"]
    assert picked[0][1] == pytest.approx(50, abs=1) and len(clicked) == 1
    assert set(plot.displayed()) == {"L0 H0", "L1 H2"}, "a table has them all"


def test_plots_above_one_another_have_the_same_x_axis_while_both_are_shown(qtbot):
    both = QWidget()
    qtbot.addWidget(both)
    column = QVBoxLayout(both)
    above, below = two_runs(), LinePlot()
    below.set_axes("step", "score")
    below.set_series([Series("L1 H2", np.arange(3), np.array([0.001, 0.002, 0.003]))])
    above.share_margins(below)
    for plot in (above, below):
        column.addWidget(plot)
    both.resize(500, 400)
    both.show()
    rects = [plot.plot_rect() for plot in (above, below)]
    assert len({(rect.left(), rect.right()) for rect in rects}) == 1
    above.hide()
    assert below.plot_rect().width() > rects[1].width(), "nothing to make room for"


def test_the_readout_leaves_out_lines_that_do_not_come_there(qtbot):
    plot = two_runs()
    qtbot.addWidget(plot)
    painted(plot)
    assert {name for name, _, _ in plot.readout(60)} == {"train", "train stories-2", "validation"}
    assert {name for name, _, _ in plot.readout(350)} == {"train", "validation"}
    values = [float(value) for _, value, _ in plot.readout(60)]
    assert values == sorted(values, reverse=True), "in the order in which they lie"


def test_a_line_given_later_lies_on_top(qtbot):
    plot, x = LinePlot(), np.arange(50)
    qtbot.addWidget(plot)
    lines = [Series("a", x, np.full(50, 2.0), 0), Series("b", x, np.full(50, 2.0), 1)]
    for shown in (lines, lines[::-1]):
        plot.set_series(shown)
        pixels = painted(plot)
        row = round(pixel(plot, 0, 2.0).y())
        ink = theme.current().series(shown[-1].color).rgb()
        assert ink in pixels[row - 1 : row + 2, 200]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_names_cover_no_line_and_no_other_name(seed, count):
    random = np.random.default_rng(seed)
    area, height = QRectF(40, 24, 500, 250), 13.0
    lines, ends = [], []
    for index in range(count):
        last = random.uniform(80, 520)
        x = np.linspace(40, last, 60)
        y = np.clip(np.cumsum(random.normal(0, 6, 60)) + random.uniform(60, 240), 30, 265)
        lines.append(np.stack([x, y], axis=1))
        ends.append(End(last, float(y[-1]), f"line {index}", random.uniform(30, 120)))
    places = place_names(ends, lines, area, height)
    boxes = [
        QRectF(place.x(), place.y() - height / 2, end.wide, height)
        for place, end in zip(places, ends, strict=True)
    ]
    for one, other in itertools.combinations(boxes, 2):
        overlap = one.intersected(other)
        assert overlap.height() < 1e-6 or overlap.width() < 1e-6
    for box, line in itertools.product(boxes, lines):
        x = np.linspace(box.left(), min(box.right(), line[-1, 0]), 200)
        x = x[(x >= box.left()) & (x <= line[-1, 0])]
        y = np.interp(x, *line.T)
        assert not ((y > box.top()) & (y < box.bottom())).any()


def test_a_name_far_left_stands_at_its_end_where_nothing_is_in_its_way():
    area = QRectF(40, 24, 500, 250)
    short = np.array([[40.0, 200.0], [200.0, 180.0]])
    long = np.array([[40.0, 60.0], [500.0, 70.0]])
    ends = [End(200, 180, "short", 40), End(500, 70, "long", 40)]
    near = place_names(ends, [short, long], area, 13)
    assert (near[0].x(), near[0].y()) == (206, 180) and near[1].x() == 506
    through = np.array([[40.0, 180.0], [500.0, 181.0]])
    moved = place_names(ends, [short, long, through], area, 13)
    assert moved[0].x() == 206 and abs(moved[0].y() - 180) > 6.5


def test_a_low_plot_names_only_the_lines_for_whose_names_it_has_room():
    """The others would stand over the title of the axis."""
    area = QRectF(40, 24, 300, 20)
    lines = [np.array([[40.0, y], [340.0, y]]) for y in (30.0, 34.0, 38.0)]
    ends = [End(340, float(line[-1, 1]), "line", 40) for line in lines]
    places = place_names(ends, lines, area, 13)
    assert places[0] is None and [place.y() for place in places[1:]] == [24.5, 37.5]


def test_the_number_at_the_end_of_the_x_axis_is_written(qtbot):
    plot = LinePlot("Schedule")
    qtbot.addWidget(plot)
    plot.resize(420, 220)
    plot.set_axes("step", "learning rate")
    x = np.linspace(0, 1500, 50)
    plot.set_series([Series("rate", x, 1e-3 * np.ones(50), 2)])
    plot.set_x_range(0, 1500)
    rect = plot.plot_rect()
    ticks = linear_ticks(0, 1500, 5)
    numbers = x_numbers(ticks, (0.0, 1500.0), rect, "step", plot.width())
    assert numbers[-1][0] == 1500 and numbers[-1][1]
    half = theme.current().metrics("label").horizontalAdvance(numbers[-1][1]) / 2
    assert rect.right() + half < title_left("step", rect, plot.width())
    image = QImage(plot.size(), QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    plot.render(image)
    place = QRectF(rect.right() - half, rect.bottom() + 5, 2 * half, 12).toRect()
    inks = {
        image.pixel(x, y)
        for x in range(place.left(), place.right())
        for y in range(place.top(), place.bottom())
    }
    assert len(inks) > 3, "its digits are there"


def test_numbers_of_a_narrow_axis_do_not_touch(qapp):
    ticks = linear_ticks(0, 200, 5)
    for wide in (30, 60, 90, 120, 300):
        numbers = x_numbers(ticks, (0.0, 200.0), QRectF(0, 0, wide, 80), "step", wide + 80)
        assert numbers[0][1] and [tick for tick, _ in numbers] == ticks
        advance = theme.current().metrics("label").horizontalAdvance
        ends = [
            (tick / 200 * wide - advance(text) / 2, tick / 200 * wide + advance(text) / 2)
            for tick, text in numbers
            if text
        ]
        assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))


@pytest.mark.parametrize(("log", "limits"), [(False, (1.0, 7.0)), (True, (0.001, 1200.0))])
def test_numbers_of_a_low_axis_do_not_touch(qapp, log, limits):
    counts = []
    for height in (40, 60, 80, 120, 300):
        numbers = y_numbers(limits, log, height)
        low, high = (np.log10(limits) if log else limits)[:2]
        pixel = max(1.0, height - theme.current().px(46)) / (high - low)
        seen = [place * pixel for place, text in numbers if text]
        least = theme.current().metrics("label").ascent()
        assert all(after - before >= least for before, after in itertools.pairwise(seen))
        counts.append(len(seen))
    assert counts == sorted(counts) and counts[0] <= 1 < counts[-1]


@pytest.mark.parametrize("log", [False, True])
def test_values_that_no_axis_can_hold_are_gaps_and_the_rest_is_drawn(qtbot, log):
    plot = LinePlot("loss")
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    y = np.array([1.0, 3.0, 1e200, 1.7e308, np.inf, 2.0])
    plot.set_log(log)
    plot.set_series([Series("loss", np.arange(6.0), y)])
    plot.grab()
    shown = plot.displayed()["loss"][:, 1]
    assert np.isnan(shown[2:5]).all() and shown[[0, 1, 5]].tolist() == [1.0, 3.0, 2.0]


def test_a_change_is_painted_once(qtbot, monkeypatch):
    """To bring the scene up to date while it is painted had it painted twice."""
    plot = LinePlot("Losses")
    qtbot.addWidget(plot)
    plot.set_x_range(0, 100)
    plot.glides = False  # no axis moves
    plot.resize(400, 240)
    plot.show()
    plot.set_series([Series("train", np.arange(50.0), np.linspace(3, 1, 50))])
    turn()
    painted, draw = [], line_plot.draw_names

    def noted(painter, ends, curves, *room):
        painted.append(len(curves[0]))
        draw(painter, ends, curves, *room)

    monkeypatch.setattr(line_plot, "draw_names", noted)
    plot.set_series([Series("train", np.arange(60.0), np.linspace(3, 1, 60))])
    wait_until(lambda: painted)
    turn()
    assert painted == [60]


def test_limits_on_a_log_axis_never_pass_zero_on_their_way(qapp):
    """From 1e22 back to 1 an eased height once was negative: a logarithm that there is not."""
    moving, x, seen = MovingLimits(), np.arange(10.0), []
    moving.moved.connect(lambda: seen.append(moving.now[2:]))
    for last in (1e22, 1e-3):
        y = np.geomspace(1, last, 10)
        wanted = wanted_limits([Series("Adam", x, y)], [y], None, True)
        moving.show(wanted, fixed=False, travel=True, log=True)
        assert not seen
    wait_until(lambda: moving.now == moving.target)
    assert len(seen) > 1
    assert all(0 < low < high for low, high in seen)
    assert all(after[1] < before[1] for before, after in itertools.pairwise(seen))


def test_a_plot_that_cannot_be_arranged_while_it_is_painted_says_so(qtbot, monkeypatch, caplog):
    """Its view was hidden in the middle of its own painting: the process ended."""
    plot = LinePlot("Losses")
    qtbot.addWidget(plot)
    plot.resize(400, 240)
    plot.show()
    series = [Series("train", np.arange(50.0), np.linspace(3, 1, 50))]
    plot.set_series(series)
    turn()
    failed = []
    plot.paintFailed.connect(failed.append)

    def broken(*_):
        raise ValueError("no such axis")

    view = plot.findChild(PlotView)
    monkeypatch.setattr(view, "set_ticks", broken)
    plot.set_series(series)
    view.viewport().repaint()  # before its turn
    turn()
    assert [str(error) for error in failed] == ["no such axis"]
    assert not view.isVisible()
    monkeypatch.undo()
    plot.set_series(series)
    turn()
    assert view.isVisible()
    caplog.clear()


@pytest.mark.parametrize("log", [False, True])
def test_axes_of_growing_lines_are_rescaled_seldom_and_hold_them(log):
    """Air that grew with the other end once had both ends rescaled in turn, at each new value."""
    moving = MovingLimits()
    y = losses(4000, noise=0.02)
    y -= y.min() - 0.01
    targets = []
    for count in range(10, 4000, 40):
        x = np.arange(count, dtype=float)
        wanted = wanted_limits([Series("train", x, y[:count])], [y[:count]], None, log)
        moving.show(wanted, False, False, log)
        x_low, x_high, low, high = moving.now
        assert x_low <= 0 and count - 1 <= x_high
        assert low <= y[:count].min() and y[:count].max() <= high
        if not targets or moving.target != targets[-1]:
            targets.append(moving.target)
    assert len(targets) <= 20


def test_a_badge_says_as_much_as_has_room_beside_the_title(qapp, monkeypatch):
    said = []
    monkeypatch.setattr(labels, "put_text", lambda _, rect, text, *__: said.append(text))
    for width in (150, 600):
        labels.draw_badge(None, labels.badge_parts(4, 0, "flat below 1"), "log scale", width)
    assert said == ["flat below 1", "flat below 1, range of every 4 values"]


def test_a_readout_stays_inside_its_plot():
    """Also a wide one beside a rule near the left of a narrow plot."""
    assert [readout_left(x, 100, 300) for x in (0, 150, 280)] == [8, 158, 172]
    assert readout_left(20, 290, 300) == 0


def test_a_leader_goes_level_through_the_plot_and_rises_only_beside_the_names():
    far, near = End(40, 80, "short run", 50), End(300, 80, "whole run", 50)
    start, bend, end = leader(far, QPointF(306, 20))
    assert start.y() == bend.y() == 80 and (bend.x(), end.y()) == (300, 20)
    start, bend, end = leader(near, QPointF(306, 60))
    assert start.x() <= bend.x() < end.x()
