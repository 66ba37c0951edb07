"""The head of one tokenizer: its name and kind, how many tokens, what they cost, what is lost."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from core.numbers import format_number
from core.tokenization.analysis.rates import cost
from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.choices import Choices
from explorer.panes.tokenizers.compare.model import Split, said_cost
from explorer.panes.tokenizers.compare.text import lost
from explorer.theme import icons
from explorer.widgets.base import IconButton, Label, elide
from explorer.widgets.card import Glyph
from explorer.widgets.cut_label import CutLabel

ROOM = 152  # px of a head in which "tokens" stands beside its number
GAP = 4
SMALL = 112  # px for a name: below it is written smaller
TWO_LINES = 36  # px high
TIGHT = 80  # and below these there is no arrow beside it
REMOVE, ONLY_ONE = "Remove this tokenizer", "One tokenizer has to stay"
PARTS = re.compile(r"(?<=[ _/-])(?=\S)|(?<=[a-z])(?=[A-Z])")  # where a name may be parted


class NameButton(QToolButton):
    """The tokenizer's name, cut where there is no room; a click opens what can be done with it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = ""
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_name(self, name: str) -> None:
        self._name = name
        self.setAccessibleName(f"Tokenizer {name}: choose another")
        self._fit()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """In narrow columns all names are smaller, and one that is too long for a line stands on
        two; in the narrowest they take the room of the arrow."""
        now = theme.current()
        room = self.width() - now.px(32)
        whole = now.metrics("body", 600).horizontalAdvance(self._name)
        small = room < max(now.px(SMALL), whole)
        font = now.font("label" if small else "body", 600)
        self.setFixedHeight(now.px(TWO_LINES if small else "control"))
        styles = Qt.ToolButtonStyle
        style = styles.ToolButtonTextBesideIcon
        if room < now.px(TIGHT):
            style, room = styles.ToolButtonTextOnly, room + now.px(24)
        self.setToolButtonStyle(style)
        self.setFont(font)
        self.setText("\n".join(lines_of(self._name, font, room)))

    def _restyle(self) -> None:
        now = theme.current()
        self.setIcon(icons.icon("chevron-down", "muted", 14))
        self.setIconSize(QSize(now.px(14), now.px(14)))
        self._fit()


def lines_of(name: str, font: QFont, room: float) -> list[str]:
    """A name on one line, or on two where it is too long: parted at a space, a hyphen, or before a
    capital ("SentencePiece"). A line that is still too long is without its middle.
    """
    wide = QFontMetricsF(font).horizontalAdvance
    if wide(name) <= room:
        return [name]
    places = [part.start() for part in PARTS.finditer(name)]
    pairs = [(name[:at].rstrip(), name[at:]) for at in places]
    lines = min(pairs, key=lambda pair: max(wide(line) for line in pair), default=(name,))
    return [elide(line, font, room) for line in lines]


class ColumnHead(QWidget):
    """`menuRequested` from the name, `removeRequested` from the cross."""

    menuRequested = Signal()
    removeRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = NameButton()
        self.name.clicked.connect(self.menuRequested)
        self._remove = IconButton("close", REMOVE)
        self._remove.clicked.connect(self.removeRequested)
        self._kind = CutLabel("label", "muted")
        self.count = Label("", "title", weight=600)
        self.unit = Label("", "label", "muted")
        self.glyph = Glyph("success", "success", 16)
        self.badge = Label("", "label")
        self.ratio = CutLabel("label", "muted")
        self.cost = CutLabel("label", "muted")
        self.other = CutLabel("label", "muted")
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self.name, 1)
        top.addWidget(self._remove)
        numbers = QHBoxLayout()
        numbers.setSpacing(GAP)
        numbers.addWidget(self.count)
        numbers.addWidget(self.unit, 0, Qt.AlignmentFlag.AlignVCenter)
        numbers.addStretch(1)
        numbers.addWidget(self.glyph)
        numbers.addWidget(self.badge)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self._kind)
        column.addLayout(numbers)
        column.addWidget(self.ratio)
        column.addWidget(self.cost)
        column.addWidget(self.other)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The number is whole whatever the room: it says by itself that it is one of tokens, and
        the badge's words give way, whose sign and tooltip stay."""
        shown, room = not self.count.isHidden(), self.width()
        for part in (self.count, self.glyph):
            if not part.isHidden():
                room -= part.sizeHint().width() + GAP
        badge = self.badge.sizeHint().width() + GAP
        has_badge = not self.glyph.isHidden() and badge <= room
        self.badge.setVisible(has_badge)
        room -= badge if has_badge else 0
        wide = self.width() >= theme.current().px(ROOM)
        self.unit.setVisible(shown and wide and self.unit.sizeHint().width() + GAP <= room)

    def set_name(self, name: str, opened: Opened | None) -> None:
        self.name.set_name(name)
        entry = opened.entry if opened is not None else None
        words = opened.words.removeprefix(f"{name}, ") if opened is not None else ""
        self._kind.set_text(words)
        self._kind.setVisible(bool(words))
        if opened is not None and entry is not None:
            by = "runs on this program's own code" if opened.ours else "runs on the library"
            facts = [entry.maker, opened.words, by, entry.license, entry.where]
            self.name.setToolTip("\n".join(filter(None, [entry.name, *facts])))
        else:
            self.name.setToolTip(name)

    def set_removable(self, on: bool) -> None:
        self._remove.setEnabled(on)
        self._remove.setToolTip(REMOVE if on else ONLY_ONE)

    def set_split(self, split: Split | None, choices: Choices) -> None:
        """Counts and badge of a split; None clears them."""
        there = split is not None and not split.error
        for part in (self.count, self.ratio, self.cost):
            part.setVisible(there)
        self._show_badge(split if there else None)
        if split is None or split.error:
            self.other.set_text("")
            self.other.hide()
            self._fit()
            return
        self.count.setText(f"{split.count:,}")
        self.unit.setText("token" if split.count == 1 else "tokens")
        self.count.setToolTip(f"{split.count:,} {self.unit.text()}")
        self._fit()
        rate = format_number(split.bytes_per_token)
        ratio = f"{rate} byte{'' if rate == '1' else 's'} per token" if split.count else ""
        price = said_cost(cost(split.count, choices.price)) if choices.price > 0 else ""
        price = f"costs {price}" if price else ""
        brief = choices.layout == "rows"  # so that as many rows as can be stand below one another
        self._kind.setVisible(not brief)
        self.ratio.set_text(", ".join(filter(None, (ratio, price))) if brief else ratio)
        self.cost.set_text(price)
        self.cost.setVisible(bool(price) and not brief)
        told = (lost(split.lost), self._other_words(split, choices))
        self.other.set_text("; ".join(filter(None, told)))
        self.other.setVisible(not brief)

    def _other_words(self, split: Split, choices: Choices) -> str:
        if split.other is None:
            return ""
        if choices.specials:
            return f"{split.other:,} with specials as text"
        return f"{split.other:,} with specials parsed"

    def _show_badge(self, split: Split | None) -> None:
        known = split is not None and split.lossless is not None and split.count > 0
        self.glyph.setVisible(known)
        if split is None or not known:
            return
        if split.lossless:
            self.glyph.set("success", "success")
            words, why = "lossless", "The ids alone give the text back, byte for byte."
        elif split.unknown:
            self.glyph.set("warning", "warning")
            words = f"{split.unknown:,} unknown"
            why = "These tokens only say “unknown”: the text they stand for is lost."
        else:
            self.glyph.set("warning", "warning")
            words = "lossy"
            why = "The ids do not give the text back: letters, accents or spaces were changed."
        if split.lost:
            why = f"{why}\nIt {lost(split.lost)}"
        self.badge.setText(words)
        for part in (self.badge, self.glyph):
            part.setToolTip(why)
