"""The head of a column: the tokenizer's name and kind, the number of tokens, what is lost."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare import text
from explorer.panes.tokenizers.compare.compute import Split
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.theme import icons
from explorer.widgets.base import IconButton, Label, elide, set_look
from explorer.widgets.card import Glyph
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.menu_button import MenuButton

SMALL = 112  # px for a name: below it is written smaller
TWO_LINES = 36  # px high
TIGHT = 80  # px for a name: below there is no arrow beside it
PARTS = re.compile(r"(?<=[ _/-])(?=\S)|(?<=[a-z])(?=[A-Z])")  # where a name may be broken


class NameButton(MenuButton):
    """The tokenizer's name, elided where there is no room; its menu offers others in its place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("chevron-down", "", "", parent)
        set_look(self, "")
        self._name = ""
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_name(self, name: str) -> None:
        self._name = name
        self.setAccessibleName(f"Tokenizer {name}: choose another")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """In narrow columns all names are smaller, and a long one stands on two lines; in the
        narrowest it takes the room of the arrow."""
        now = theme.current()
        room = self.width() - now.px(32)
        whole = now.metrics("body", 600).horizontalAdvance(self._name)
        small = room < max(now.px(SMALL), whole)
        font = now.font("label" if small else "body", 600)
        self.setFixedHeight(now.px(TWO_LINES if small else "control"))
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        if room < now.px(TIGHT):
            style, room = Qt.ToolButtonStyle.ToolButtonTextOnly, room + now.px(24)
        self.setToolButtonStyle(style)
        self.setFont(font)
        self.setText("\n".join(lines_of(self._name, font, room)))

    def _restyle(self) -> None:
        now = theme.current()
        self.setIcon(icons.icon("chevron-down", "muted", 14))
        self.setIconSize(QSize(now.px(14), now.px(14)))
        if hasattr(self, "_name"):
            self._fit()


def lines_of(name: str, font: QFont, room: float) -> list[str]:
    """A name on one line, or on two where it is too long: broken at a space, a hyphen, or before a
    capital ("SentencePiece"). A line that is still too long is elided in the middle.
    """
    wide = QFontMetricsF(font).horizontalAdvance
    if wide(name) <= room:
        return [name]
    places = [part.start() for part in PARTS.finditer(name)]
    pairs = [(name[:at].rstrip(), name[at:]) for at in places]
    lines = min(pairs, key=lambda pair: max(wide(line) for line in pair), default=(name,))
    return [elide(line, font, room) for line in lines]


class ColumnHead(QWidget):
    """`name.menuOpening` when the menu of other tokenizers is to be filled; `removeRequested`."""

    removeRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = NameButton()
        self.remove = IconButton("close", text.REMOVE)
        self.remove.clicked.connect(self.removeRequested)
        self._kind = CutLabel("label", "muted")
        self.count = Label("", "title", weight=600)
        self.glyph = Glyph("success", "success", 16)
        self.badge = CutLabel("label")
        self.rate = CutLabel("label", "muted")
        self.cost = CutLabel("label", "muted")
        self.loss = CutLabel("label", "muted")
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self.name, 1)
        top.addWidget(self.remove)
        numbers = QHBoxLayout()
        numbers.setSpacing(4)
        numbers.addWidget(self.count)
        numbers.addSpacing(4)
        numbers.addWidget(self.glyph)
        numbers.addWidget(self.badge, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self._kind)
        column.addLayout(numbers)
        for label in (self.rate, self.cost, self.loss):
            column.addWidget(label)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_name(self, name: str, opened: Opened | None) -> None:
        self.name.set_name(name)
        self._kind.set_text(opened.words.removeprefix(f"{name}, ") if opened is not None else "")
        facts = [name]
        if opened is not None and opened.entry is not None:
            entry = opened.entry
            by = "runs on this program's own code" if opened.ours else "runs on another library"
            facts = [entry.name, entry.maker, opened.words, by, entry.license, entry.where]
        self.name.setToolTip("\n".join(filter(None, facts)))

    def set_removable(self, on: bool) -> None:
        set_removable(self.remove, on)

    def set_split(self, split: Split | None, options: DisplayOptions) -> None:
        """Counts and badge of a split; None clears them. In rows they take three lines, so that
        many rows can be seen at once."""
        is_row = options.layout == "rows"
        split = split if split is not None and not split.error else None
        rate, cost, loss = "", "", ""
        if split is not None:
            rate, cost = text.rate(split), text.costs(split, options.price)
            parts = (text.lost(split.lost), text.other_count(split, options.specials))
            loss = "; ".join(filter(None, parts))
            self.count.setText(f"{split.count:,}")
            self.count.setToolTip(f"{split.count:,} {rate}")
        if is_row:
            rate, cost, loss = ", ".join(filter(None, (rate, cost))), "", ""
        for label, words in ((self.rate, rate), (self.cost, cost), (self.loss, loss)):
            label.set_text(words)
            label.setVisible(bool(words) or (label is self.loss and not is_row))
        self._kind.setVisible(not is_row)
        self.count.setVisible(split is not None)
        self._show_badge(split)

    def _show_badge(self, split: Split | None) -> None:
        known = split is not None and split.lossless is not None and split.count > 0
        self.glyph.setVisible(known)
        if split is None or not known:
            self.badge.set_text("")
            return
        icon, words, why = text.badge(split)
        self.glyph.set(icon, icon)
        self.badge.set_text(words)
        self.setToolTip(why)


def set_removable(button: QToolButton, on: bool) -> None:
    """The last tokenizer cannot be removed, and its button says why."""
    button.setEnabled(on)
    button.setToolTip(text.REMOVE if on else text.ONLY_ONE)
