"""The lines of core that computed the step; the marked one is highlighted, in the middle third."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, IconButton, Picture, put_text
from explorer.widgets.code_text import Row, Span, clean, read, wrap
from explorer.widgets.cut_label import PathLabel
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow, expanding

VERSIONS = {"plain": "Plain", "running": "As it runs"}
ABOUT_VERSIONS = (
    "Plain: as a textbook prints it\n"
    "As it runs: the faster code that computed these numbers\n"
    "Tests prove that both give the same"
)
_COLORS = {
    "comment": "muted",
    "string": "success",
    "number": "accent",
    "keyword": "attention",
    "q": "q",
    "k": "k",
    "v": "v",
    "attention": "attention",
}


class CodePage(Picture):
    """The wrapped lines, as tall as they need to be."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Source code", parent)
        self._lines: list[str] = []
        self._spans: list[list[Span]] = []
        self._rows: list[Row] = []
        self._first = 1
        self._marked = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lines(self, lines: Sequence[str], first: int, marked: int) -> None:
        self._lines, self._spans = read(tuple(lines))
        self._first, self._marked = first, marked
        self._lay_out()
        if 0 <= marked < len(self._lines):
            self.setAccessibleDescription(f"line {first + marked}: {self._lines[marked].strip()}")
        self.data_changed()

    def marked_rect(self) -> QRectF:
        """Returns the rectangle of the marked line, empty if there is none."""
        rows = [index for index, row in enumerate(self._rows) if row.line == self._marked]
        if not rows:
            return QRectF()
        height = self._row_height()
        return QRectF(0, rows[0] * height + 4, self.width(), len(rows) * height)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(320), round(len(self._rows) * self._row_height()) + 8)

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        font, bold = now.font("mono", mono=True), now.font("mono", 600, mono=True)
        small = now.font("label", mono=True)
        height, advance = self._row_height(), self._advance()
        left = self._gutter()
        marked = self.marked_rect()
        if not marked.isEmpty():
            painter.fillRect(marked, now.color("selected"))
            painter.fillRect(QRectF(0, marked.y(), 3, marked.height()), now.color("accent"))
        last = -1
        for index, row in enumerate(self._rows):
            y = index * height + 4
            if y + height < self.exposed.top() or y > self.exposed.bottom():
                continue
            if row.line != last:
                number = QRectF(0, y, left - now.px(10), height)
                ink = now.color("text" if row.line == self._marked else "muted")
                put_text(painter, number, str(self._first + row.line), small, ink, RIGHT)
                last = row.line
            x = left + row.indent * advance
            for start, end, role in self._pieces(row):
                text = self._lines[row.line][start:end]
                use = bold if role == "keyword" else font
                ink = now.color(_COLORS.get(role, "text"))
                place = QRectF(x + (start - row.start) * advance, y, self.width(), height)
                put_text(painter, place, text, use, ink, LEFT)

    def row_top(self, y: float) -> int:
        """Returns the top of the row nearest to `y`, so that the first visible row is whole."""
        row = round((y - 4) / self._row_height())
        return 4 + row * self._row_height() if row > 0 else 0

    def _pieces(self, row: Row) -> list[tuple[int, int, str]]:
        """Cuts the row into (start, end, role); plain text between spans has the role ""."""
        pieces: list[tuple[int, int, str]] = []
        at = row.start
        for span in self._spans[row.line]:
            start, end = max(span.start, at), min(span.end, row.end)
            if start < end:
                if at < start:
                    pieces.append((at, start, ""))
                pieces.append((start, end, span.role))
                at = end
        if at < row.end:
            pieces.append((at, row.end, ""))
        return pieces

    def resizeEvent(self, event) -> None:
        self._lay_out()

    def on_theme_changed(self) -> None:
        self._lay_out()
        super().on_theme_changed()

    def _advance(self) -> float:
        return theme.current().metrics("mono", mono=True).horizontalAdvance("0" * 100) / 100

    def _row_height(self) -> int:
        return theme.current().px(18)

    def _gutter(self) -> float:
        return theme.current().px(40)

    def _lay_out(self) -> None:
        columns = int((self.width() - self._gutter() - 8) / self._advance())
        self._rows = wrap(self._lines, max(24, columns))
        self.setFixedHeight(self.sizeHint().height())


class CodeView(QWidget):
    """A function's source with a caption (file and line), a copy button and, if the function has a
    plain twin, a switch between the two.
    """

    copied = Signal(str)
    versionChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Code of this step")
        self._running: Any = None
        self._plain: Any = None
        self._shown: Any = None
        self.caption = PathLabel("label", "muted", mono=True)
        self.caption.setSizePolicy(expanding())
        self.caption.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.versions = SegmentedControl(list(VERSIONS.items()), "Version of the code")
        self.versions.setToolTip(ABOUT_VERSIONS)
        self.versions.hide()
        self._copy = IconButton("copy", "Copy this code")
        self._page = CodePage()
        self._area = ScrollArea(self._page)
        tools = QWidget()
        side_by_side = QHBoxLayout(tools)
        side_by_side.setContentsMargins(0, 0, 0, 0)
        side_by_side.addWidget(self.versions)
        side_by_side.addWidget(self._copy)
        top = WrapRow(spacing=6)
        top.addWidget(self.caption)
        top.addWidget(tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self._area, 1)
        self._copy.clicked.connect(self.copy)
        self.versions.chosen.connect(self._on_version)

    def set_source(self, source: Any, plain: Any = None) -> None:
        """Shows a `core.trace.Source` and its plain twin, or nothing for None. Scrolls only to a
        new line.
        """
        self._running, self._plain = source, plain
        self.versions.setVisible(plain is not None)
        self._show()

    def set_version(self, version: str) -> None:
        """Shows "plain" code if there is any, or always the code as it is "running"."""
        self.versions.set_current(version)
        self._show()

    def _on_version(self, version: str) -> None:
        self._show()
        self.versionChosen.emit(version)

    def _show(self) -> None:
        plain = self.versions.current == "plain" and self._plain is not None
        source = self._plain if plain else self._running
        if source == self._shown:
            return
        self._shown = source
        if source is None:
            self.caption.set_text("")
            self._page.set_lines([], 1, -1)
            return
        parts = PurePath(source.path).parts
        start = len(parts) - 1 - parts[::-1].index("core") if "core" in parts else -1
        path = "/".join(parts[start:])
        self.caption.set_text(f"{path}:{source.first_line + source.marked}")
        self._page.set_lines(source.lines, source.first_line, source.marked)
        self._center()

    @property
    def marked_text(self) -> str:
        """The highlighted line as displayed."""
        if self._shown is None:
            return ""
        return clean(list(self._shown.lines))[self._shown.marked].strip()

    def copy(self) -> None:
        """Copies the shown function to the clipboard."""
        QGuiApplication.clipboard().setText(self._page.text)
        self.copied.emit(self._page.text)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._center()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._center()

    def _center(self) -> None:
        """Scrolls the marked line into the middle third unless it is there already."""
        self._area.layout() and self._area.layout().activate()
        marked = self._page.marked_rect()
        if marked.isEmpty():
            return
        room = self._area.viewport().height()
        bar = self._area.verticalScrollBar()
        bar.setRange(0, max(0, self._page.height() - room))
        top = marked.y() - bar.value()
        if not room / 3 <= top <= room * 2 / 3 - marked.height():
            bar.setValue(self._page.row_top(marked.center().y() - room / 2))
