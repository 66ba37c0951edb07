"""The three first tips, the list of keys, and what this app is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from explorer.actions import MENUS, shortcut_text
from explorer.widgets.base import Label
from explorer.widgets.callout import Callout

if TYPE_CHECKING:
    from explorer.panes.base import Pane
    from explorer.settings import Settings
    from explorer.window import MainWindow


def _first_pane(window: MainWindow) -> Pane | None:
    """The tips speak of the first pane alone."""
    first = window.specs[0].id if window.specs else ""
    shown = window.pane is not None and window.pane is window.panes.get(first)
    return window.pane if shown else None


def _prompt(window: MainWindow) -> QWidget | None:
    pane = _first_pane(window)
    header = pane.header() if pane is not None else None
    if header is None:
        return None
    return header.findChild(QLineEdit) or header


def _heads(window: MainWindow) -> QWidget | None:
    pane = _first_pane(window)
    return pane.pictures().get("heads") if pane is not None else None


def _play(window: MainWindow) -> QWidget | None:
    return window.transport.play_button if _first_pane(window) is not None else None


TIPS: tuple[tuple[str, Callable[[MainWindow], QWidget | None]], ...] = (
    ("Type here: the model reads your text as tokens.", _prompt),
    ("Pick a head: each small picture shows which tokens it reads. A click locks it.", _heads),
    ("Play: see how this head computes its attention, step by step.", _play),
)


class Tour(QObject):
    """The tips one after the other, each until it is answered; hidden with its pane."""

    def __init__(self, window: MainWindow, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._place = -1
        self._callout: Callout | None = None
        window.paneShown.connect(self._place_callout)
        window.installEventFilter(self)
        self._next()

    def _next(self) -> None:
        """The next tip whose widget is on the screen; after the last one never again."""
        self._place += 1
        while self._place < len(TIPS) and TIPS[self._place][1](self._window) is None:
            self._place += 1
        if self._callout is not None:
            self._callout.hide()
            self._callout.deleteLater()
            self._callout = None
        if self._place >= len(TIPS):
            self._settings.callouts_seen = True
            self.deleteLater()
            return
        count = f"{self._place + 1} of {len(TIPS)}"
        self._callout = Callout(TIPS[self._place][0], count, self._window)
        self._callout.setObjectName("callout")
        self._callout.dismissed.connect(self._next)
        self._place_callout()

    def _place_callout(self) -> None:
        if self._callout is None:
            return
        target = TIPS[self._place][1](self._window)
        if target is None:
            self._callout.hide()
        else:
            self._callout.point_at(target)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            QTimer.singleShot(0, self, self._place_callout)
        return False


def start(window: MainWindow, settings: Settings) -> Tour:
    """Shows the first tips."""
    return Tour(window, settings)


def show_keys(window: MainWindow) -> QDialog:
    """Every action that has a key, by menu."""
    return _dialog(window, "Keys", lambda: _keys(window))


def _keys(window: MainWindow) -> QWidget:
    page = QWidget()
    grid = QGridLayout(page)
    grid.setColumnStretch(0, 1)
    row = 0
    for menu in (*MENUS, ""):
        with_keys = [a for a in window.actions_list.of_menu(menu) if a.shortcut]
        if with_keys:
            grid.addWidget(Label(menu or "More", "body", weight=600), row, 0)
            row += 1
        for action in with_keys:
            grid.addWidget(Label(action.text), row, 0)
            key = Label(shortcut_text(action), "body", "muted")
            grid.addWidget(key, row, 1, Qt.AlignmentFlag.AlignRight)
            row += 1
    return page


def show_about(window: MainWindow) -> QDialog:
    return _dialog(window, "About LLM Explorer", _about)


def _about() -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.addWidget(Label("LLM Explorer", "title", weight=600))
    column.addWidget(
        Label(
            "Step, scrub and change a real transformer. Every step is shown three ways: a picture,"
            " the math with its numbers, and the lines of code that computed it.",
            wrap=True,
        )
    )
    column.addWidget(
        Label(
            "MIT licence. Fonts: Inter and JetBrains Mono (SIL Open Font License).",
            "label",
            "muted",
            wrap=True,
        )
    )
    column.addStretch(1)
    return page


def _dialog(window: MainWindow, title: str, build: Callable[[], QWidget]) -> QDialog:
    """A sheet as wide as what is on it; asked for again, the open one comes to the front."""
    opened = window.findChild(QDialog, title)
    if opened is not None:
        opened.raise_()
        return opened
    dialog = QDialog(window)
    dialog.setObjectName(title)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page = build()
    scroll.setWidget(page)
    layout = QVBoxLayout(dialog)
    layout.addWidget(scroll)
    margins = layout.contentsMargins()
    beside = margins.left() + margins.right() + scroll.verticalScrollBar().sizeHint().width()
    dialog.resize(max(420, page.sizeHint().width() + beside), 480)
    dialog.show()
    return dialog
