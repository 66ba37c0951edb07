"""A field for one number: typed, or stepped through 1, 2, 5, 10, ... by wheel and keys."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from core.numbers import format_general
from explorer.state.typed_numbers import read_number, read_whole
from explorer.widgets.typed_field import TypedField

LARGEST = 1e12
DIGITS = 6  # significant digits of a number that was not typed
_BEGUN = re.compile(r"[+\-\u2212]?[\d.,\s]*(e[+\-\u2212]?)?", re.IGNORECASE)


def turned(value: float, up: bool) -> float:
    """Returns the next value of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... above or below; 0 is unchanged."""
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
    """Returns the next share by stepping its distance to 1: 0.9 to 0.95 to 0.98 to 0.99."""
    if value <= 0:
        return 0.5 if up else 0.0
    if value >= 1:
        return 0.999
    rest = turned(1 - value, not up)
    return round(1 - rest, 9) if rest < 1 else 0.0


class NumberField(TypedField):
    """A finite number within limits. `word` is a text that represents a number: ("all", 0) shows a
    0 as "all", ("", 0) as an empty field.
    """

    changed = Signal(float)

    def __init__(
        self,
        name: str,
        *,
        share: bool = False,
        whole: bool = False,
        word: tuple[str, float] | None = None,
        digits: int = DIGITS,
        at_once: bool = True,
        width: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, at_once=at_once, width=width, parent=parent)
        self.setMaxLength(24)
        self._share, self._whole, self._word, self._digits = share, whole, word, digits
        self._limits = (-LARGEST, LARGEST)

    def set_limits(self, least: float, most: float) -> None:
        """Sets the limits; values outside them are rejected."""
        self._limits = (least, most)

    def turn(self, up: bool) -> None:
        self.finish()
        if self._whole:
            value = self._value + (1 if up else -1)
        elif self._share:
            value = turned_share(self._value, up)
        else:
            value = turned(self._value, up)
        self.choose(min(max(self._limits[0], value), self._limits[1]))

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
            event.ignore()  # so that the form scrolls

    def read(self, text: str) -> float:
        if self._word is not None and text.strip().lower() == self._word[0]:
            return self._word[1]
        value = read_whole(text) if self._whole else read_number(text)
        least, most = self._limits
        if value < least:
            raise ValueError(f"use {self._plain(least)} or more")
        if value > most:
            raise ValueError(f"use {self._plain(most)} or less")
        return abs(value) if value == least == 0 else value  # -0 is below a limit of 0

    def tell(self, value: float) -> str:
        if self._word is not None and value == self._word[1]:
            return self._word[0]
        return self._plain(value)

    def _plain(self, value: float) -> str:
        return str(int(value)) if self._whole else format_general(value, self._digits)

    def finish(self) -> None:
        """Normalizes the text: a number with a word is shown as that word, and -0 as 0."""
        super().finish()
        if not self._says(self._value):
            self._show(self._value)

    def _says(self, value: float) -> bool:
        if self._word is not None and value == self._word[1]:
            return self.text().strip().lower() == self._word[0]
        unsigned = value == 0 and math.copysign(1.0, value) > 0
        if unsigned and self.text().strip()[:1] in ("-", "\u2212"):
            return False
        return super()._says(value)

    def is_begun(self, text: str) -> bool:
        return _BEGUN.fullmatch(text) is not None
