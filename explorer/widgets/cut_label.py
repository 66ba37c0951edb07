"""A line of text elided to its width; the tooltip has all of it."""

from __future__ import annotations

import re
from math import ceil

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from explorer.widgets.base import Label, elide, wrapped

# Control characters of a quoted text must not break the line.
BREAKS = str.maketrans(
    {**dict.fromkeys("\n\x0b\x0c\x85\u2028\u2029", "\u21b5"), "\r": "\u240d", "\t": "\u21e5"}
)

QUOTING = re.compile(r"(.*?)( \w+ \u201c)(.*)(\u201d)(.*)")  # "Heads on “Once upon”, step 17"


class CutLabel(Label):
    """Requests no width, so that a long text displaces nothing. Give it stretch in a layout, or
    another size policy, with which it requests the width of the whole text. `lines` is the greatest
    number of lines if its height allows.
    """

    whole = ""

    def __init__(
        self,
        size: str = "body",
        role: str = "text",
        mono: bool = False,
        weight: int = 400,
        lines: int = 1,
    ) -> None:
        self._most = lines
        super().__init__("", size, role, weight=weight, mono=mono)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_text(self, text: str) -> None:
        whole = text.translate(BREAKS)
        if whole == self.whole:
            return
        self.whole = whole
        self.setAccessibleName(text)
        if self.sizePolicy().horizontalPolicy() != QSizePolicy.Policy.Ignored:
            self.updateGeometry()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _restyle(self) -> None:
        super()._restyle()
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self._width_of(self.whole), super().sizeHint().height())

    def _width_of(self, text: str) -> int:
        return ceil(QFontMetricsF(self.font()).horizontalAdvance(text))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def cut(self, width: float) -> str:
        """Returns the text elided to `width` px."""
        most = min(self._most, self.height() // self.fontMetrics().height())
        if most > 1:
            lines = wrapped(self.whole, self.font(), width, most)
            return "\n".join(elide(one, self.font(), width) for one in lines)
        return elide(self.whole, self.font(), width, Qt.TextElideMode.ElideRight)

    def _fit(self) -> None:
        shown = self.cut(self.width())
        self.setText(shown)
        self.setToolTip(self.whole if shown.replace("\n", " ") != self.whole else "")


class NameLabel(CutLabel):
    """A name, elided in the middle, because names often differ at the end; a prefix `leads` stays
    whole."""

    leads = ""

    def cut(self, width: float) -> str:
        lead = self.leads if self.whole.startswith(self.leads) else ""
        room = width - QFontMetricsF(self.font()).horizontalAdvance(lead)
        return lead + elide(self.whole.removeprefix(lead), self.font(), room)


class PathLabel(CutLabel):
    """A file's path: leading folders are elided first, the file name is always whole and sets the
    requested width.
    """

    def sizeHint(self) -> QSize:
        return QSize(self._width_of(self.cut(0)), super().sizeHint().height())

    def cut(self, width: float) -> str:
        metrics = QFontMetricsF(self.font())
        *folders, file = self.whole.split("/")
        shown = self.whole
        while folders and metrics.horizontalAdvance(shown) > width:
            folders.pop(0)
            shown = "/".join(("\u2026", *folders, file))
        return shown


class QuoteLabel(CutLabel):
    """A sentence with a quotation, which is elided first and, if there is no space left for it,
    dropped with its preposition."""

    def cut(self, width: float) -> str:
        parts = QUOTING.fullmatch(self.whole)
        if parts is None:
            return super().cut(width)
        before, opening, quoted, closing, after = parts.groups()
        around = QFontMetricsF(self.font()).horizontalAdvance(before + opening + closing + after)
        shown = elide(quoted, self.font(), width - around, Qt.TextElideMode.ElideRight)
        if shown in ("", "\u2026"):
            return elide(before + after, self.font(), width, Qt.TextElideMode.ElideRight)
        return f"{before}{opening}{shown}{closing}{after}"
