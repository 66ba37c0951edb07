"""A field for one number: typed, or turned by wheel and keys through 1, 2, 5, 10, ..."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer.typed_numbers import read_number, read_whole

LARGEST = 1e12


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


class NumberField(QLineEdit):
    """`changed(value)` for each number that a person types or turns to, `refused(why)` for what is
    none, with the remedy.
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
        self._share, self._whole = share, whole
        self.textEdited.connect(self._on_edited)
        self.editingFinished.connect(self._tidy)

    @property
    def value(self) -> float:
        return self._value

    def set_value(self, value: float) -> None:
        """Shows a number; one that is being typed stays as it is typed."""
        same = value == self._value and self._typed() == value
        self._value = value
        if not same:
            self.setText(f"{value:.6g}")

    def turn(self, up: bool) -> None:
        if self._whole:
            value = self._value + (1 if up else -1)
        elif self._share:
            value = turned_share(self._value, up)
        else:
            value = turned(self._value, up)
        if value != self._value:
            self.set_value(value)
            self.changed.emit(value)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.turn(event.key() == Qt.Key.Key_Up)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus() and event.angleDelta().y():
            self.turn(event.angleDelta().y() > 0)
            event.accept()
        else:
            event.ignore()  # the form scrolls

    def _on_edited(self, text: str) -> None:
        try:
            value = self._read(text)
        except ValueError as error:
            self.refused.emit(str(error))
            return
        self._value = value
        self.changed.emit(value)

    def _tidy(self) -> None:
        """Left with what is no number: it shows the last one again."""
        if self._typed() is None:
            self.setText(f"{self._value:.6g}")
            self.changed.emit(self._value)

    def _typed(self) -> float | None:
        """The number that stands there; None for what is none."""
        try:
            return self._read(self.text())
        except ValueError:
            return None

    def _read(self, text: str) -> float:
        value = read_whole(text) if self._whole else read_number(text)
        if abs(value) > LARGEST:
            raise ValueError(f"use a number up to {LARGEST:g}")
        return value
