"""The head of a column: the tokenizer's name and kind, the number of tokens, lost characters."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from core.tokenization.telling import sentence
from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare import text
from explorer.panes.tokenizers.compare.compute import Split
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.widgets.base import IconButton, Label
from explorer.widgets.card import Glyph
from explorer.widgets.cut_label import CutLabel

TWO_LINES = 36  # px high


class NameRow(QWidget):
    """A tokenizer's name, on up to two lines, and the button that removes it."""

    removeRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = 2
        self.name = CutLabel("body", weight=600, lines=2)
        self.remove = IconButton("close", text.REMOVE)
        self.remove.clicked.connect(self.removeRequested)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.name, 1)
        row.addWidget(self.remove)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_removable(self, on: bool) -> None:
        """Enables the remove button, or disables it with a tooltip that explains why."""
        self.remove.setEnabled(on)
        self.remove.setToolTip(text.REMOVE if on else text.ONLY_ONE)

    def set_lines(self, lines: int) -> None:
        """Sets the height of the row to 1 or 2 lines of the name."""
        self._lines = lines
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px("control" if self._lines == 1 else TWO_LINES))


class ColumnHead(QWidget):
    """The head; emits `title.removeRequested`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = NameRow()
        self._kind = CutLabel("label", "muted")
        self.count = Label("", "title", weight=600)
        self.glyph = Glyph("success", "success", 16)
        self.badge = CutLabel("label")
        self.rate = CutLabel("label", "muted")
        self.cost = CutLabel("label", "muted")
        self.loss = CutLabel("label", "muted")
        numbers = QHBoxLayout()
        numbers.setSpacing(4)
        numbers.addWidget(self.count)
        numbers.addSpacing(4)
        numbers.addWidget(self.glyph)
        numbers.addWidget(self.badge, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self._kind)
        column.addLayout(numbers)
        for label in (self.rate, self.cost, self.loss):
            column.addWidget(label)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_name(self, name: str, opened: Opened | None) -> None:
        self.title.name.set_text(name)
        self._kind.set_text(opened.words.removeprefix(f"{name}, ") if opened is not None else "")
        facts = [name]
        if opened is not None and opened.entry is not None:
            entry = opened.entry
            by = "Runs on this program's own code" if opened.ours else "Runs on another library"
            license = f"License: {entry.license}" if entry.license else ""
            facts = [entry.name, entry.maker, opened.words, by, license, sentence(entry.where)]
        self.title.setToolTip("\n".join(filter(None, facts)))

    def set_split(self, split: Split | None, options: DisplayOptions) -> None:
        """Shows the counts and badge of a split; None clears them. In the row layout the head takes
        three lines, so that many rows fit on the screen."""
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
            rate, cost, loss = "; ".join(filter(None, (rate, cost))), "", ""
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
