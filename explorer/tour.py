"""The three first tips, the list of keys, and what this app is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from explorer.actions import MENUS, shortcut_text
from explorer.widgets.base import Label
from explorer.widgets.callout import Callout

if TYPE_CHECKING:
    from explorer.settings import Settings
    from explorer.window import MainWindow


def _named(window: MainWindow, *names: str) -> QWidget | None:
    for name in names:
        found = window.findChild(QWidget, name)
        if found is not None and found.isVisible():
            return found
    return None


TIPS: tuple[tuple[str, Callable[[MainWindow], QWidget | None]], ...] = (
    (
        "Type here: the model reads your text as tokens.",
        lambda window: (
            _named(window, "attention.view.prompt", "attention.prompt", "prompt")
            or (window.inputs if window.inputs.isVisible() else None)
        ),
    ),
    (
        "Pick a head: each small picture shows which tokens it reads. A click locks it.",
        lambda window: _named(window, "attention.view.mosaic", "attention.mosaic", "mosaic"),
    ),
    (
        "Play: see how this head computes its attention, step by step.",
        lambda window: window.transport.play_button,
    ),
)


def start(window: MainWindow, settings: Settings) -> None:
    """Shows the tips one after the other, each until it is answered; never again after that."""
    _show(window, settings, 0)


def _show(window: MainWindow, settings: Settings, place: int) -> None:
    if place >= len(TIPS):
        settings.callouts_seen = True
        return
    text, find = TIPS[place]
    target = find(window)
    if target is None:
        _show(window, settings, place + 1)
        return
    callout = Callout(text, f"{place + 1} of {len(TIPS)}", window)
    callout.setObjectName("callout")

    def on_dismissed() -> None:
        callout.hide()
        callout.deleteLater()
        _show(window, settings, place + 1)

    callout.dismissed.connect(on_dismissed)
    callout.point_at(target)


def show_keys(window: MainWindow) -> QDialog:
    """Every action that has a key, by menu."""
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
    return _dialog(window, "Keys", page)


def show_about(window: MainWindow) -> QDialog:
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
    return _dialog(window, "About LLM Explorer", page)


def _dialog(window: MainWindow, title: str, page: QWidget) -> QDialog:
    dialog = QDialog(window)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setWidget(page)
    layout = QVBoxLayout(dialog)
    layout.addWidget(scroll)
    dialog.resize(420, 480)
    dialog.show()
    return dialog
