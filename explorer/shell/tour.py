"""The three tips of the first start, the list of keys, and the About dialog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMetaObject, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.state.actions import MENUS, shortcut_text
from explorer.widgets.base import Label, Picture
from explorer.widgets.callout import Callout, Kept
from explorer.widgets.scroll_area import ScrollArea

if TYPE_CHECKING:
    from explorer.panes.base import Pane
    from explorer.shell.window import MainWindow
    from explorer.state.settings import Settings


def _first_pane(window: MainWindow) -> Pane | None:
    """Returns the first pane if it is visible; all tips are about it."""
    first = window.specs[0].id if window.specs else ""
    shown = window.pane is not None and window.pane is window.panes.get(first)
    return window.pane if shown else None


def _prompt(pane: Pane, _: MainWindow) -> QWidget | None:
    strip = pane.input_strip()
    return None if strip is None else strip.findChild(QLineEdit) or strip


def _heads(pane: Pane, _: MainWindow) -> QWidget | None:
    return pane.pictures().get("heads")


def _play(_: Pane, window: MainWindow) -> QWidget | None:
    return window.transport.play_button


@dataclass(frozen=True)
class Tip:
    """A tip: its text, its target, and the signals that report its action (of the target, or else
    of the pane's player).
    """

    text: str
    target: Callable[[Pane, MainWindow], QWidget | None]
    deeds: tuple[str, ...]


TIPS = (
    Tip("Type here: the model reads your text as tokens.", _prompt, ("textEdited",)),
    Tip(
        "Pick a head: each small picture shows which tokens it reads. A click locks it.",
        _heads,
        ("headClicked", "currentChanged"),
    ),
    Tip(
        "Play: see how this head computes its attention, step by step.", _play, ("playingChanged",)
    ),
)
MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
PICTURE, TOKENS = 0.3, 50.0  # cost of covering them; 1 for other text


class Tour(QObject):
    """Shows one tip after another, each until the user does it or closes it; Esc ends all tips.

    A tip is hidden with its pane, and its position avoids its target, the prompt and cards.
    """

    ended = Signal()

    def __init__(self, window: MainWindow, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._left = list(TIPS)
        self._heard: set[str] = set()  # texts of the tips whose signals are connected
        self._hearing: list[QMetaObject.Connection] = []
        self._watched: list[QWidget] = []
        self._callout: Callout | None = None
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._put)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.activated.connect(self._on_escape)
        window.paneShown.connect(self._show)
        theme.changed.connect(self._soon.start)
        self._show()

    @property
    def shown(self) -> Tip | None:
        """The current tip, even while another pane is visible."""
        return self._left[0] if self._left else None

    def _show(self, *_: object) -> None:
        """Shows the next tip on its pane; ends the tour after the last one."""
        pane = _first_pane(self._window)
        if pane is not None:
            self._left = [t for t in self._left if t.target(pane, self._window) is not None]
            self._listen(pane)
        tip = self.shown
        if tip is None:
            self.end()
            return
        if self._callout is None:
            place = f"{TIPS.index(tip) + 1} of {len(TIPS)}"
            self._callout = Callout(tip.text, f"{place}, Esc ends", self._window)
            self._callout.setObjectName("callout")
            self._callout.dismissed.connect(lambda: self._done(tip))
        self._put()

    def _listen(self, pane: Pane) -> None:
        """Connects the signals of all tips, because actions may happen in any order."""
        for tip in self._left:
            if tip.text in self._heard:
                continue
            self._heard.add(tip.text)
            target = tip.target(pane, self._window)
            for name in tip.deeds:
                told = getattr(target, name, None) or getattr(pane.player, name, None)
                if told is not None:
                    deed = told.connect(lambda *what, tip=tip: self._on_deed(tip, what))
                    self._hearing.append(deed)

    def _on_deed(self, tip: Tip, what: tuple[object, ...]) -> None:
        if what[:1] != (False,):  # False: playing has ended
            self._done(tip)

    def _done(self, tip: Tip) -> None:
        if tip not in self._left:
            return  # closed or done before
        was_shown = tip is self.shown
        self._left.remove(tip)
        if was_shown:
            self._drop()
            self._show()

    def _drop(self) -> None:
        if self._callout is not None:
            self._callout.hide()
            self._callout.deleteLater()
            self._callout = None

    def end(self) -> None:
        """Ends the tour, now and for later starts."""
        self._settings.callouts_seen = True
        self.ended.emit()
        self._left = []
        for deed in self._hearing:  # the connections would keep this object alive
            self.disconnect(deed)
        self._hearing = []
        self._soon.stop()
        self._drop()
        self._watch(None)
        self._escape.setEnabled(False)
        self._escape.deleteLater()
        self.deleteLater()

    def _on_escape(self) -> None:
        if self._window.palette_popover.isVisible():
            self._window.palette_popover.dismiss()
        elif self._callout is not None and self._callout.isVisible():
            self.end()
        else:
            self._window.escape()

    # position

    def _put(self) -> None:
        pane, tip, callout = _first_pane(self._window), self.shown, self._callout
        if callout is None or tip is None:
            return
        target = tip.target(pane, self._window) if pane is not None else None
        self._watch(target)
        seen = _seen(target, self._window) if target is not None else QRect()
        if pane is None or seen.isEmpty():
            callout.hide()
            return
        parts = _prompt(pane, self._window), *self._window.notices.cards.values()
        never = [_seen(part, self._window) for part in parts if part is not None]
        tokens = pane.pictures().get("tokens")
        callout.point_at(seen, never, self._kept(callout, tokens))

    def _kept(self, callout: Callout, tokens: QWidget | None) -> list[Kept]:
        """Returns the rectangles to avoid with their costs: the prompt's tokens cost most, then
        text and controls, and pictures least.
        """
        kept: list[Kept] = []
        for kind in (QLabel, QAbstractButton, QLineEdit, Picture):
            for widget in self._window.findChildren(kind):
                if widget.isVisible() and not callout.isAncestorOf(widget):
                    occupied = getattr(widget, "occupied", None)
                    rect = _seen(widget, self._window, occupied() if occupied else None)
                    low = rect.height() <= theme.current().px("inputs")  # a control or a line
                    text = kind is not Picture or occupied is not None or low
                    weight = TOKENS if widget is tokens else 1.0 if text else PICTURE
                    kept.append((rect, weight))
        return kept

    def _watch(self, target: QWidget | None) -> None:
        """Filters the events of the target, the widgets around it, and the cards."""
        chain: list[QWidget] = [] if target is None else [self._window.notices]
        while target is not None:
            chain.append(target)
            target = target.parentWidget()
        for widget in self._watched:
            if widget not in chain:
                widget.removeEventFilter(self)
        for widget in chain:
            if widget not in self._watched:
                widget.installEventFilter(self)
        self._watched = chain

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in MOVES and self._left:
            self._soon.start()
        return False


def _seen(widget: QWidget, window: QWidget, part: QRect | None = None) -> QRect:
    """Returns the visible part of a widget, in the window's coordinates."""
    seen = widget.visibleRegion().boundingRect()
    if part is not None:
        seen = seen.intersected(part)
    return QRect(widget.mapTo(window, seen.topLeft()), seen.size())


def start(window: MainWindow, settings: Settings) -> Tour:
    """Starts the tour at its first tip."""
    for running in window.findChildren(Tour):
        running.end()
    return Tour(window, settings)


def show_keys(window: MainWindow) -> QDialog:
    """Shows every action that has a key, by menu."""
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
            "MIT license. Fonts: Inter and JetBrains Mono (SIL Open Font License).",
            "label",
            "muted",
            wrap=True,
        )
    )
    column.addStretch(1)
    return page


def _dialog(window: MainWindow, title: str, build: Callable[[], QWidget]) -> QDialog:
    """Opens a dialog as wide as its content, or raises it if it is open."""
    opened = window.findChild(QDialog, title)
    if opened is not None:
        opened.raise_()
        return opened
    dialog = QDialog(window)
    dialog.setObjectName(title)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    page = build()
    scroll = ScrollArea(page)
    layout = QVBoxLayout(dialog)
    layout.addWidget(scroll)
    margins = layout.contentsMargins()
    beside = margins.left() + margins.right() + scroll.verticalScrollBar().sizeHint().width()
    dialog.resize(max(420, page.sizeHint().width() + beside), 480)
    dialog.show()
    return dialog
