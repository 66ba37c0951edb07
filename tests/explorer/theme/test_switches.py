"""What another theme, zoom or motion does to the widgets that are there."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.theme.colors import PALETTES
from explorer.widgets.base import Label, set_look
from tests.explorer.waiting import turn, wait_until

DEEP = 12
Type = QEvent.Type


class Heard(QObject):
    """Counts what a widget is told, by the type of the event."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.events: Counter[QEvent.Type] = Counter()
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        self.events[event.type()] += 1
        return False


def nested() -> QWidget:
    """Widgets in widgets; the innermost lie `DEEP` levels down."""
    outer = inner = QWidget()
    for _ in range(DEEP):
        layout = QVBoxLayout(inner)
        inner = QFrame()
        set_look(inner, "card")
        layout.addWidget(inner)
    layout = QVBoxLayout(inner)
    made_by_qt = QPlainTextEdit("\n" * 99), QSpinBox(), QComboBox()  # in parts
    label = Label("label", "label", "muted")
    for widget in (QLineEdit("text"), QPushButton("button"), label, *made_by_qt):
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # only one window has the focus
        layout.addWidget(widget)
    return outer


@pytest.fixture
def show(qapp, qtbot):
    """Shows a new nest."""
    theme.apply(qapp, "light", 1.0, "full")

    def shown() -> QWidget:
        nest = nested()
        qtbot.addWidget(nest)
        nest.show()
        turn()
        return nest

    return shown


@pytest.fixture
def nest(show):
    return show()


@pytest.mark.parametrize("kind", [QLineEdit, QPushButton, Label])
def test_a_switch_styles_a_widget_as_often_however_deep_it_lies(qapp, nest, kind):
    """Qt styles a widget again for each of its parents where one sheet replaces another."""
    heard = Heard(nest.findChild(kind))
    theme.apply(qapp, "dark")
    assert 1 <= heard.events[Type.StyleChange] <= 2


@pytest.mark.parametrize("at_once", [False, True])
def test_what_is_hidden_is_styled_later_or_before_a_pane_is_shown(qapp, show, at_once):
    """All panes at once held the window for 0.4 s."""
    nest = show()
    nest.hide()
    heard = [Heard(one) for one in (nest, *nest.findChildren(QWidget))]
    theme.apply(qapp, "dark")
    assert not any(one.events[Type.StyleChange] for one in heard)
    if at_once:
        theme.style_hidden()
    else:
        wait_until(lambda: all(one.events[Type.StyleChange] for one in heard))
    assert all(one.events[Type.StyleChange] == 1 for one in heard)


def test_motion_styles_nothing_and_is_seen(qapp, nest):
    heard = [Heard(widget) for widget in nest.findChildren(QWidget) if widget.isVisible()]
    told = []
    theme.changed.connect(lambda: told.append(1))
    theme.apply(qapp, "light", motion="off")
    turn()
    assert theme.current().motion == "off" and not told
    for one in heard:
        assert not {Type.StyleChange, Type.PaletteChange, Type.FontChange} & set(one.events)
    assert all(one.events[Type.Paint] for one in heard)


def test_a_label_has_the_color_of_its_role_in_every_theme_and_is_fainter_when_disabled(qapp, nest):
    label = nest.findChild(Label)
    for name in PALETTES:
        theme.apply(qapp, name)
        for enabled, color in (
            (True, theme.current().color("muted")),
            (False, theme.current().faint("muted")),
        ):
            label.setEnabled(enabled)
            assert label.palette().color(label.foregroundRole()) == color
        label.setEnabled(True)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("zoom", [0.8, 1.0, 2.0])
@pytest.mark.parametrize("name", PALETTES)
def test_what_was_there_before_a_switch_looks_as_if_it_were_new(
    qapp, nest, show, name, zoom, hidden
):
    nest.setHidden(hidden)
    theme.apply(qapp, "contrast", 1.5)
    theme.apply(qapp, name, zoom)
    theme.style_hidden()
    nest.show()
    turn()
    new = show()
    nest.resize(new.size())
    turn()
    assert nest.grab().toImage() == new.grab().toImage()
    for one in (nest, new):
        set_look(one.findChild(QPushButton), "primary")
    turn()
    assert nest.grab().toImage() == new.grab().toImage()
