"""A field for one number: typed, or turned by wheel and keys through 1, 2, 5, 10, ..."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme
from explorer.typed_numbers import read_number, read_whole

LARGEST = 1e12
_BEGUN = re.compile(r"[+\-\u2212]?[\d.,\s]*(e[+\-\u2212]?)?", re.IGNORECASE)


def turned(value: float, up: bool) -> float:
    """The next of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... above or below; 0 stays where it is."""
    if value <= 0 or not math.isfinite(value):
        return value
    exponent = math.floor(math.log10(value) + 1e-9)
    steps = [
        float(f"{digit}e{power}")
        for power in range(exponent - 1, exponent + 2)
        for digit in (1, 2, 5)
    ]
    if up:
        return next(step for step in steps if step > value * (1 + 1e-9))
    return next(step for step in reversed(steps) if step < value * (1 - 1e-9))


def turned_share(value: float, up: bool) -> float:
    """The next share: what stays apart from 1 is turned, 0.9 to 0.95 to 0.98 to 0.99."""
    if value <= 0:
        return 0.5 if up else 0.0
    if value >= 1:
        return 0.999
    rest = turned(1 - value, not up)
    return round(1 - rest, 9) if rest < 1 else 0.0


def _told(value: float) -> str:
    """As a person types it: 1e-8, not 1e-08."""
    return re.sub(r"e([+-])0*", lambda found: "e" + found[1].strip("+"), f"{value:.6g}")


class NumberField(QLineEdit):
    """`changed(value)` for each number that a person has typed, once there is a pause, or turned
    to; `refused(why)` for what is none, with the remedy, and `refused("")` once that is mended or
    given up. What is refused leaves the number that was there before the typing began, and no other
    that stood there on the way.
    """

    changed = Signal(float)
    entered = Signal()  # it has the keyboard's focus
    refused = Signal(str)

    def __init__(
        self, name: str, *, share: bool = False, whole: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMaxLength(24)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value = 0.0
        self._before: float | None = None  # the typing began
        self._refuses = False  # what stands there
        self._share, self._whole = share, whole
        self._limits = (-LARGEST, LARGEST)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(theme.MOTION["move"])
        self._pause.timeout.connect(lambda: self._take(last=False))
        self.textEdited.connect(self._on_edited)
        self.editingFinished.connect(self.finish)

    @property
    def value(self) -> float:
        return self._value

    def set_value(self, value: float) -> None:
        """Shows a number; one that is being typed stays as it is typed."""
        if self._before is None or value != self._value:
            self._show(value)

    def set_limits(self, least: float, most: float) -> None:
        """What is less or more is refused."""
        self._limits = (least, most)

    def finish(self) -> None:
        """Takes what is still being typed, as when the field is left."""
        if self._before is not None:
            self._take(last=True)

    def turn(self, up: bool) -> None:
        self.finish()
        if self._whole:
            value = self._value + (1 if up else -1)
        elif self._share:
            value = turned_share(self._value, up)
        else:
            value = turned(self._value, up)
        value = min(max(self._limits[0], value), self._limits[1])
        if value != self._value:
            self._show(value)
            self.changed.emit(value)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.turn(event.key() == Qt.Key.Key_Up)
        elif event.key() == Qt.Key.Key_Escape and self._before is not None:
            self._go_back(self._before)
            self._mended()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus() and event.angleDelta().y():
            self.turn(event.angleDelta().y() > 0)
            event.accept()
        else:
            event.ignore()  # the form scrolls

    # what is typed

    def _on_edited(self, text: str) -> None:
        if self._before is None:
            self._before = self._value
        self._pause.start()

    def _take(self, last: bool) -> None:
        """What stands there now; `last`: the field is left."""
        self._pause.stop()
        before = self._value if self._before is None else self._before
        try:
            value = self._read(self.text())
        except ValueError as error:
            if not last and _BEGUN.fullmatch(self.text().strip()):
                return  # it may become a number
            if last:
                self._go_back(before)
            else:
                self._go_to(before)
            self._refuses = not last
            self.refused.emit(f"{error}; {_told(before)} stays")
            return
        self._mended()
        if last:
            self._before = None
        self._go_to(value)

    def _mended(self) -> None:
        if self._refuses:
            self._refuses = False
            self.refused.emit("")

    def _go_to(self, value: float) -> None:
        """Without touching what is typed."""
        if value != self._value:
            self._value = value
            self.changed.emit(value)

    def _go_back(self, before: float) -> None:
        was = self._value
        self._show(before)
        if was != before:
            self.changed.emit(before)

    def _show(self, value: float) -> None:
        self._pause.stop()
        self._before, self._value = None, value
        self.setText(_told(value))

    def _read(self, text: str) -> float:
        value = read_whole(text) if self._whole else read_number(text)
        least, most = self._limits
        if value < least:
            raise ValueError(f"use {least:g} or more")
        if value > most:
            raise ValueError(f"use {most:g} or less")
        return value
