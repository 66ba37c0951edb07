"""Somebody who does anything at all in the window: clicks, keys, words, drags, commands, sizes.

What is done depends on the seed and on what is on the screen, so a seed brings a session near the
same places again, not to the same ones: how fast answers come decides what is there to be clicked.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import urllib.error
import urllib.request
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from explorer.shell.session import Session
from tests.explorer.extreme_texts import extreme_text

Key, Button, Modifier = Qt.Key, Qt.MouseButton, Qt.KeyboardModifier

KEYS = (
    *(Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down, Key.Key_Home, Key.Key_End),
    *(Key.Key_PageUp, Key.Key_PageDown, Key.Key_Space, Key.Key_Return, Key.Key_Escape),
    *(Key.Key_Tab, Key.Key_Backtab, Key.Key_Backspace, Key.Key_Delete, Key.Key_F6, Key.Key_F1),
    *(Key.Key_Plus, Key.Key_Minus, Key.Key_Comma, Key.Key_Period, Key.Key_Slash, Key.Key_Question),
    *(Key.Key_A, Key.Key_B, Key.Key_E, Key.Key_G, Key.Key_L, Key.Key_P, Key.Key_S, Key.Key_X),
    *(Key.Key_0, Key.Key_1, Key.Key_2, Key.Key_3, Key.Key_9),
)
WORDS = (
    *("a", "0", "-1", "1e9", "0.001", "1e400", "nan", "-", "", "the cat sat", "Mira saw a kite."),
    *("x*y + tanh(w)", "softmax(q @ k.T)", "(", "a = [1, 2]", "emoji \N{GRINNING FACE}", "日本語"),
    *("\u202eabc", "line\nline", "\t", "e\u0301", "x" * 300, "1/0", "<|endoftext|>", "%s{}\\"),
)
SIZES = ((1100, 680), (1280, 720), (1440, 900), (1920, 1080))
LEFT_OUT = ("app.quit",)
SLOW_STEP = 0.05  # seconds; a run whose steps take longer is not started
REMEMBERED = 12


class RandomActions:
    """`await act()` does one thing; `last` says what was done of late.

    Mouse and keys go to the window, as from the system: a widget that is sent an event and deleted
    by it, in the loop of a menu say, would be used by QTest afterwards.
    """

    def __init__(self, session: Session, seed: int) -> None:
        assert session.window is not None
        self.session = session
        self.window: Any = session.window
        self.random = random.Random(seed)
        self.last: deque[str] = deque(maxlen=REMEMBERED)
        self._popups = QTimer(self.window)
        self._popups.timeout.connect(self._use_popup)
        self._popups.start(10)
        self._kinds: dict[Callable[[], str], int] = {
            self._click: 30,
            self._press_keys: 16,
            self._run_command: 12,
            self._drag: 8,
            self._turn_wheel: 8,
            self._type: 8,
            self._fill: 12,
            self._show_mode: 5,
            self._show_pane: 4,
            self._choose: 4,
            self._move_mouse: 4,
            self._undo: 4,
            self._select: 2,
            self._resize: 2,
            self._look_otherwise: 1,
        }

    def close(self) -> None:
        self._popups.stop()

    async def act(self) -> str:
        """Does one thing and lets the window answer for a moment; returns what it was."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def do() -> None:  # as Qt brings it: in no task, for a menu may have a loop of its own
            try:
                self._do()
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        QTimer.singleShot(0, self.window, do)
        await done
        await asyncio.sleep(self.random.choice((0, 0, 0, 0.005, 0.02)))
        return self.last[-1]

    def _do(self) -> None:
        self._close_dialogs()
        kind = self.random.choices(list(self._kinds), list(self._kinds.values()))[0]
        self.last.append(kind.__name__.strip("_"))
        told = kind()
        self.last[-1] = told

    # what may be done

    def _show_pane(self) -> str:
        name = self.random.choice(self.session.specs).id
        self.window.show_pane(name)
        return f"pane {name}"

    def _show_mode(self) -> str:
        pane = self.window.pane
        names = [name for name, _ in pane.inputs.choice.segments] if hasattr(pane, "modes") else []
        if not names:
            return self._show_pane()
        name = self.random.choice(names)
        pane.show_mode(name)
        return f"mode {name}"

    def _run_command(self) -> str:
        names = [name for name in self.window.actions_list.items if name not in LEFT_OUT]
        name = self.random.choice(names)
        self.window.actions_list.run(name)
        self.window.refresh_actions()
        return f"command {name}"

    def _undo(self) -> str:
        name = self.random.choice(("undo", "undo", "redo"))
        getattr(self.session.workspace, name)()
        return name

    def _select(self) -> str:
        name, place = (
            self.random.choice(("layer", "head", "token", "step")),
            self.random.randrange(6),
        )
        self.session.workspace.select(**{name: place})
        return f"select {name} {place}"

    def _click(self) -> str:
        widget, at = self._place()
        button = self.random.choice((Button.LeftButton,) * 8 + (Button.RightButton,))
        keys = self.random.choice((Modifier.NoModifier,) * 6 + (Modifier.ShiftModifier,))
        what = self.random.choice((QTest.mouseClick,) * 7 + (QTest.mouseDClick,))
        told = f"{what.__name__} {button.name} {named(widget)} at {at.x()}, {at.y()}"
        self.last[-1] = told
        what(self._handle, button, keys, self._near(widget.mapTo(self.window, at), 0))
        return told

    def _use_popup(self) -> None:
        """Chooses from a menu or a list, or closes it. A button's menu has a loop of its own inside
        the click, so a timer looks for it.
        """
        popup = QApplication.activePopupWidget()
        if popup is None:
            return
        key = self.random.choice((Key.Key_Return, Key.Key_Escape))
        self.last.append(f"popup {named(popup)} {key.name}")
        for _ in range(self.random.randrange(8)):
            QTest.keyClick(self._handle, Key.Key_Down)
        QTest.keyClick(self._handle, key)
        if (left := QApplication.activePopupWidget()) is not None:
            left.close()

    def _move_mouse(self) -> str:
        widget, at = self._place()
        told, at = f"move over {named(widget)}", self._near(widget.mapTo(self.window, at), 0)
        for _ in range(3):
            QTest.mouseMove(self._handle, at)
            at = self._near(at, 20)
        return told

    def _drag(self) -> str:
        widget, at = self._place()
        told, at = f"drag {named(widget)}", self._near(widget.mapTo(self.window, at), 0)
        self.last[-1] = told
        left, nothing = Button.LeftButton, Modifier.NoModifier
        QTest.mousePress(self._handle, left, nothing, at)
        for _ in range(self.random.randrange(1, 6)):
            at = self._near(at, 60)
            QTest.mouseMove(self._handle, at)
        QTest.mouseRelease(self._handle, left, nothing, at)
        return told

    def _turn_wheel(self) -> str:
        widget, at = self._place()
        keys = self.random.choice((Modifier.NoModifier, Modifier.ControlModifier))
        turn = QPoint(0, self.random.choice((-120, 120, -360, 360)))
        where, phase = QPointF(widget.mapToGlobal(at)), Qt.ScrollPhase.NoScrollPhase
        nothing = Button.NoButton
        event = QWheelEvent(QPointF(at), where, QPoint(), turn, nothing, keys, phase, False)
        QApplication.sendEvent(widget, event)
        return f"wheel {named(widget)}"

    def _press_keys(self) -> str:
        widget = QApplication.focusWidget() or self.window
        keys = self.random.choices(KEYS, k=self.random.randrange(1, 4))
        held = self.random.choice(
            (Modifier.NoModifier,) * 6 + (Modifier.ShiftModifier, Modifier.ControlModifier)
        )
        told = f"keys {held.name} {' '.join(key.name for key in keys)} in {named(widget)}"
        self.last[-1] = told
        for key in keys:
            QTest.keyClick(self._handle, key, held)
        return told

    def _type(self) -> str:
        kinds = (QLineEdit, QPlainTextEdit, QAbstractSpinBox)
        fields = [field for kind in kinds for field in self._seen(kind)]
        if not fields:
            return self._press_keys()
        field, words = self.random.choice(fields), self.random.choice(WORDS)
        told = f"type {words[:20]!r} in {named(field)}"
        self.last[-1] = told
        field.setFocus()
        if self.random.random() < 0.5:
            field.selectAll()
        if words.isascii() and words.isprintable() and len(words) < 40:
            for letter in words:
                QTest.keyClick(self._handle, letter)
        else:
            QApplication.clipboard().setText(words)
            QTest.keyClick(self._handle, Key.Key_V, Modifier.ControlModifier)
        if self.random.random() < 0.5:
            QTest.keyClick(self._handle, Key.Key_Return)
        return told

    def _fill(self) -> str:
        """Pastes what is at a field's limits or beyond; may cut a pair of code units in half."""
        fields = [field for kind in (QLineEdit, QPlainTextEdit) for field in self._seen(kind)]
        if not fields:
            return self._press_keys()
        field = self.random.choice(fields)
        limit = field.maxLength() if isinstance(field, QLineEdit) else getattr(field, "longest", 0)
        text = extreme_text(self.random, limit)
        told = f"fill {text[:12]!a} of {len(text)} in {named(field)}"
        self.last[-1] = told
        field.setFocus()
        if self.random.random() < 0.9:
            field.selectAll()
        if text:
            QApplication.clipboard().setText(text)
            QTest.keyClick(self._handle, Key.Key_V, Modifier.ControlModifier)
        else:
            QTest.keyClick(self._handle, Key.Key_Delete)
        if isinstance(field, QLineEdit) and self.random.random() < 0.2 and field.text():
            field.setCursorPosition(self.random.randrange(min(9, len(field.text()))))
            QTest.keyClick(self._handle, "q")
        if self.random.random() < 0.5:
            QTest.keyClick(self._handle, Key.Key_Return)
        return told

    def _choose(self) -> str:
        boxes = [box for box in self._seen(QComboBox) if box.count()]
        if not boxes:
            return self._click()
        box = self.random.choice(boxes)
        place = self.random.randrange(box.count())
        box.setCurrentIndex(place)
        box.activated.emit(place)
        return f"choose {place} in {named(box)}"

    def _resize(self) -> str:
        width, height = self.random.choice(SIZES)
        self.window.resize(width, height)
        return f"size {width} x {height}"

    def _look_otherwise(self) -> str:
        names = [name for name in self.window.actions_list.items if name.startswith("view.")]
        name = self.random.choice(names)
        self.window.actions_list.run(name)
        return f"look {name}"

    # what is there

    def _place(self) -> tuple[QWidget, QPoint]:
        """A widget that is seen, and a place in it."""
        at = QPoint(
            self.random.randrange(self.window.width()), self.random.randrange(self.window.height())
        )
        if self.random.random() < 0.5:  # what can be used is a small part of what is seen
            useful = [one for one in self._seen(QWidget) if one.focusPolicy()]
            if useful:
                widget = self.random.choice(useful)
                return widget, QPoint(
                    self.random.randrange(max(1, widget.width())),
                    self.random.randrange(max(1, widget.height())),
                )
        widget = self.window.childAt(at) or self.window
        return widget, widget.mapFrom(self.window, at)

    @property
    def _handle(self) -> QWindow:
        """The window for QTest, anew each time: a wrapper that is kept may die before it."""
        return self.window.windowHandle()

    def _near(self, at: QPoint, far: int) -> QPoint:
        """A place in the window at most `far` px from `at` in each direction."""
        x, y = (place + self.random.randint(-far, far) for place in (at.x(), at.y()))
        inside = self.window.rect()
        return QPoint(min(max(0, x), inside.right()), min(max(0, y), inside.bottom()))

    def _seen(self, kind: type) -> list[Any]:
        return [
            one for one in self.window.findChildren(kind) if one.isVisible() and one.isEnabled()
        ]

    def _close_dialogs(self) -> None:
        """No file is opened or written; of other dialogs a look is enough."""
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                widget.reject()


def named(widget: QWidget) -> str:
    """A widget by its name, or that of what it lies in."""
    inner = type(widget).__name__
    outer: Any = widget
    while outer is not None and (not outer.objectName() or outer.objectName().startswith("qt_")):
        outer = outer.parentWidget()
    return f"{inner} in {outer.objectName()}" if outer is not None else inner


# -- where it is done -----------------------------------------------------------------------------


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Without the network, and without runs that a machine would work on for long."""
    from core.training import RunReader
    from core.training.launch import ProcessLauncher
    from core.training.sizes import step_seconds
    from explorer.runs.live import ThreadLauncher

    def offline(*given: Any, **named: Any) -> Any:
        raise urllib.error.URLError("there is no network")

    start = ThreadLauncher.start

    def start_small(launcher: ThreadLauncher, folder: Path, resume: bool) -> None:
        if step_seconds(RunReader(folder).config) < SLOW_STEP:
            start(launcher, folder, resume)

    director = urllib.request.OpenerDirector
    before = director.open, ProcessLauncher.start
    director.open = offline  # type: ignore[method-assign]
    ThreadLauncher.start = start_small  # type: ignore[method-assign]
    ProcessLauncher.start = lambda *given, **named: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        director.open, ProcessLauncher.start = before  # type: ignore[method-assign]
        ThreadLauncher.start = start  # type: ignore[method-assign]


@contextlib.asynccontextmanager
async def sitting(folder: Path, run: Path | None = None) -> AsyncIterator[Session]:
    """The real window with all panes, in folders of its own; `run` is opened."""
    with harmless():
        session = Session(folder=folder / "config", runs_folder=folder / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        window.resize(1280, 720)
        window.show()
        await session.begin()
        if run is not None:
            session.open_run(run)
        try:
            yield session
        finally:
            while popup := QApplication.activePopupWidget():
                popup.close()
            await session.close(60)
