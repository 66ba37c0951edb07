"""Styles hidden widgets after a new style sheet a few at a time, or all before they are shown.

A window with all panes has 20 hidden widgets to a visible one. Styled together with those that are
seen, they would hold it for 0.4 s.
"""

from __future__ import annotations

import time

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

TURN = 0.008  # seconds of each turn of the event loop
STYLED = Qt.WidgetAttribute.WA_WState_Polished


class HiddenWidgets(QObject):
    """`leave_out` before a style sheet is set, and `finish` before many of them are shown.

    No event filter tells of each that is shown: one on the whole application would have to look,
    in Python, at every event of every object, those that Qt is taking apart as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[QWidget, None] = {}
        self._at_work = False

    def leave_out(self) -> None:
        """Qt styles none of our hidden widgets with the next style sheet: they are as if new. Those
        that Qt has made are left to it: their wrappers may go invalid before their turn comes.
        """
        for widget in QApplication.allWidgets():
            ours = shiboken6.createdByPython(widget)
            if ours and not widget.isVisible() and widget.testAttribute(STYLED):
                widget.style().unpolish(widget)
                widget.setAttribute(STYLED, False)
                self.waiting[widget] = None
        if self.waiting and not self._at_work:
            self._at_work = True
            QTimer.singleShot(0, self, self._style_some)

    def finish(self) -> None:
        """Styles all that wait."""
        while self.waiting:
            self._style(next(iter(self.waiting)))

    def _style_some(self) -> None:
        end = time.perf_counter() + TURN
        while self.waiting and time.perf_counter() < end:
            self._style(next(iter(self.waiting)))
        self._at_work = bool(self.waiting)
        if self._at_work:
            QTimer.singleShot(0, self, self._style_some)

    def _style(self, widget: QWidget) -> None:
        """Its parents first: it has their font."""
        del self.waiting[widget]
        if not shiboken6.isValid(widget):
            return
        parent = widget.parentWidget()
        if parent in self.waiting:
            self._style(parent)
        own = widget.font() if widget.testAttribute(Qt.WidgetAttribute.WA_SetFont) else None
        widget.setAttribute(STYLED)
        widget.style().polish(widget)
        if own is not None:  # Qt puts back the font that the widget had at its first style sheet
            widget.setFont(own)
        QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))
