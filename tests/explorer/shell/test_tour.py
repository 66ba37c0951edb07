"""The first tips: each goes when its deed is done, none hides the prompt, Esc ends them."""

from __future__ import annotations

import gc
import weakref

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.engine import errors
from explorer.panes.specs import built
from explorer.shell import tour
from explorer.shell.session import Session
from explorer.widgets.callout import Callout, best_place
from explorer.widgets.formula import FormulaView
from tests.explorer.conftest import dispose
from tests.explorer.demo import spec
from tests.explorer.waiting import HANGS


@pytest.fixture
def window(qapp, tmp_path, run_async):
    """The app's window with the attention pane, no torch and no model; its tour has begun."""
    theme.apply(qapp, "light", 1.0, "off")
    errors.reports().problems.clear()
    session = Session(
        folder=tmp_path / "config",
        runs_folder=tmp_path / "runs",
        specs=(built()[0], spec("other", "Other")),
        with_torch=False,
    )
    window = session.open()
    window.resize(1280, 720)
    window.show()
    window.settings = session.settings
    window.pane.view.panel.set_grid(4, 6)
    window.pane.view.panel.picture.show_ready()
    window.tour = tour.start(window, session.settings)
    QTest.qWait(1)
    yield window
    run_async(session.close(HANGS))
    dispose(session)
    theme.apply(qapp, "light", 1.0, "full")


def shown(window):
    tips = [w for w in window.children() if w.objectName() == "callout" and not w.isHidden()]
    return tips[-1] if tips else None


def text_of(window):
    tip = shown(window)
    return tip.accessibleName() if tip is not None else ""


def nudge(window):
    """The window is resized a little: the tip finds its place anew."""
    window.resize(window.width() + 1, window.height())
    QTest.qWait(1)


def test_each_tip_goes_when_its_deed_is_done(window):
    assert "Type here" in text_of(window)
    QTest.keyClicks(window.pane.inputs.prompt, "M")
    assert "Pick a head" in text_of(window)
    window.pane.view.panel.mosaic.headClicked.emit(1, 0)
    assert "Play" in text_of(window)
    window.pane.player.playingChanged.emit(False)
    assert "Play" in text_of(window)
    window.pane.player.playingChanged.emit(True)
    assert shown(window) is None and window.settings.callouts_seen


def test_what_was_done_before_its_turn_is_not_asked_for(window):
    window.pane.player.playingChanged.emit(True)
    assert "Type here" in text_of(window)
    window.pane.view.panel.mosaic.currentChanged.emit(1, 0)
    shown(window).dismissed.emit()
    assert shown(window) is None and window.settings.callouts_seen


def test_escape_ends_the_tour_wherever_the_keyboard_is(window):
    window.activateWindow()
    window.pane.inputs.prompt.setFocus()
    QTest.keyClick(window.pane.inputs.prompt, Qt.Key.Key_Escape)
    assert shown(window) is None and window.settings.callouts_seen
    again = tour.start(window, window.settings)
    assert "Type here" in text_of(window)
    again.end()


def test_the_end_of_the_tips_is_told_so_that_it_is_kept_at_once(window):
    told = []
    window.tour.ended.connect(lambda: told.append(window.settings.callouts_seen))
    window.tour.end()
    assert told == [True]


def test_a_tip_goes_and_comes_with_its_pane(window):
    window.show_pane("other")
    assert shown(window) is None and not window.settings.callouts_seen
    window.show_pane("attention")
    assert "Type here" in text_of(window)


def test_tab_leaves_the_widgets_that_a_tip_follows_valid(window):
    """The viewport that Qt made around the heads counted as the child of whatever was before it in
    Qt's order of focus, and went invalid with that.
    """
    QTest.keyClicks(window.pane.inputs.prompt, "M")
    assert "Pick a head" in text_of(window)
    gone = QWidget(window)
    QTest.keyClick(window.pane.inputs.prompt, Qt.Key.Key_Tab)
    gone.deleteLater()
    QCoreApplication.sendPostedEvents(gone, QEvent.Type.DeferredDelete)
    window.pane.view.panel.mosaic.headClicked.emit(1, 0)
    assert "Play" in text_of(window)


@pytest.mark.parametrize("size", [(1100, 680), (1280, 720), (1440, 900)])
def test_no_tip_covers_its_target_or_the_prompt_after_a_resize(window, size):
    prompt = window.pane.inputs.prompt
    for _ in range(3):
        for wanted in ((1300, 800), size):
            window.resize(*wanted)
            QTest.qWait(1)
        tip = shown(window)
        target = window.tour.shown.target(window.pane, window)
        assert window.rect().contains(tip.geometry())
        for widget in (target, prompt):
            place = QRect(widget.mapTo(window, QPoint()), widget.size())
            assert not tip.geometry().intersects(place), (tip.accessibleName(), size)
        reach = QRect(target.mapTo(window, QPoint()), target.size()).adjusted(-3, -3, 3, 3)
        assert tip.geometry().intersects(reach)  # it stands beside what it points at
        tip.dismissed.emit()


def test_the_first_tip_leaves_the_tokens_free_while_there_is_room(window):
    tokens = window.pane.view.tokens
    tokens.setVisible(True)
    tokens.set_tokens(list(range(12)), ["token"] * 12)
    nudge(window)
    place = tokens.occupied().translated(tokens.mapTo(window, QPoint()))
    assert place.width() > 300
    nudge(window)
    assert not shown(window).geometry().intersects(place)


def test_a_tip_leaves_an_error_and_its_buttons_free(window):
    errors.report(ValueError("Choose a smaller model, or free some memory. " * 3), "here")
    QTest.qWait(1)
    (card,) = window.notices.cards.values()
    place = QRect(card.mapTo(window, QPoint()), card.size())
    assert not shown(window).geometry().intersects(place)


def test_a_place_hides_as_little_as_it_can():
    area, target = QRect(0, 0, 800, 600), QRect(300, 150, 200, 30)
    size = QSize(200, 100)
    below = best_place(size, target, area, [], [])
    assert below.side == "below" and below.corner.y() == target.bottom() + 1
    text = QRect(0, 180, 420, 40)
    beside = best_place(size, target, area, [], [(text, 1.0)])
    assert not QRect(beside.corner, size).intersects(text)
    forbidden = [QRect(0, 180, 800, 420)]
    above = best_place(size, target, QRect(0, 0, 800, 600), forbidden, [])
    assert not QRect(above.corner, size).intersects(forbidden[0])
    assert not QRect(above.corner, size).intersects(target)


def test_a_card_is_narrower_where_that_leaves_text_free(qtbot):
    page = QWidget()
    page.resize(900, 600)
    qtbot.addWidget(page)
    card = Callout("Type here: the model reads your text as tokens.", "1 of 3, Esc ends", page)
    target = QRect(100, 60, 700, 30)
    card.point_at(target)
    assert card.width() == 288
    beside = [(QRect(100, 90, 400, 200), 1.0), (QRect(710, 90, 190, 200), 1.0)]
    card.point_at(target, keep=beside)
    assert card.width() < 288
    assert not any(card.geometry().intersects(text) for text, _ in beside)


def test_a_formula_is_text_as_far_as_its_symbols_go(qtbot):
    formula = FormulaView(r"a = b")
    qtbot.addWidget(formula)
    formula.resize(400, 60)
    assert 0 < formula.occupied().width() < 100


def test_an_ended_tour_is_not_kept_by_what_it_listened_to(window):
    kept = weakref.ref(window.tour)
    window.tour.end()
    window.tour = None
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert kept() is None
