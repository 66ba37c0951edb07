"""Replaces the style sheet: visible widgets are styled at once, hidden ones a few at a time.

A window with all panes has 20 hidden widgets for each visible one. Styling them together would
block the window for 0.4 s.
"""

from __future__ import annotations

import time

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from explorer.turns import next_turn

TURN = 0.008  # seconds of each turn of the event loop
STYLED = Qt.WidgetAttribute.WA_WState_Polished
OWN_FONT = Qt.WidgetAttribute.WA_SetFont
CHILDREN = Qt.FindChildOption.FindDirectChildrenOnly


class StyleUpdate(QObject):
    """Replaces the sheet with `start`; call `finish` before many hidden widgets are shown.

    There is no event filter for shown widgets: one on the whole application would run Python at
    every event of every object, even of those that Qt is deleting.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[QWidget, None] = {}
        self._at_work = False

    def start(self, app: QApplication, sheet: str) -> None:
        """Makes Qt drop the rules of all widgets first: otherwise it would restyle each widget that
        has rules, once for each of its parents.
        """
        app.style().unpolish(app)
        app.setStyleSheet(sheet)
        seen = []
        for widget in QApplication.allWidgets():
            ours = shiboken6.createdByPython(widget)
            if widget.isVisible() if ours else widget.parentWidget() is None:
                seen.append(widget)
            elif ours:
                self._waiting[widget] = None
        for widget in seen:
            self._style(widget)
        if self._waiting and not self._at_work:
            self._at_work = True
            next_turn(self, self._style_some)

    def finish(self) -> None:
        """Styles all remaining widgets."""
        while self._waiting:
            self._style_next()

    def _style_some(self) -> None:
        end = time.perf_counter() + TURN
        while self._waiting and time.perf_counter() < end:
            self._style_next()
        self._at_work = bool(self._waiting)
        if self._at_work:
            next_turn(self, self._style_some)

    def _style_next(self) -> None:
        widget = next(iter(self._waiting))
        del self._waiting[widget]
        if shiboken6.isValid(widget):
            self._style(widget)

    def _style(self, widget: QWidget) -> None:
        """Styles a widget and its parts made by Qt, whose wrappers may become invalid later."""
        if widget.testAttribute(STYLED):  # otherwise Qt does it at the first show
            font = widget.font() if widget.testAttribute(OWN_FONT) else None
            label = isinstance(widget, QLabel) and shiboken6.createdByPython(widget)
            palette = widget.palette() if label else None
            widget.style().polish(widget)
            # Qt restores what the widget had at its first style sheet. Ours has no fonts, and no
            # colors for labels.
            if font is not None:
                widget.setFont(font)
            if palette is not None:
                widget.setPalette(palette)
            QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))
        for child in widget.findChildren(QWidget, options=CHILDREN):
            if not shiboken6.createdByPython(child):
                self._style(child)
