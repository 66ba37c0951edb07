"""Shared parts of training setups: a scrolling form, the training text, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from explorer.widgets.base import Label, set_look
from explorer.widgets.dialogs import answer_drop, dragged_files
from explorer.widgets.fields import ChoiceField
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.wrap_row import WrapRow

OWN = "stories"
TYPED = "typed"  # a text that the user types or pastes


class CorpusField(ChoiceField):
    """A choice of the built-in stories, a text file, shown by its name, or if `typed` a text that
    the user writes. Emits `changed("stories")`, `changed("typed")` or `fileRequested`: a file is
    only chosen once it is there.
    """

    fileRequested = Signal()

    def __init__(self, typed: bool = False) -> None:
        choices = [(OWN, "Our stories"), ("file", "A text file")]
        choices += [(TYPED, "Your text")] if typed else []
        super().__init__("corpus", "Learn from", choices)
        self._corpus = OWN
        self.control.chosen.disconnect(self.changed)
        self.control.chosen.connect(self._on_chosen)
        self.file = Label("", "body", "text")
        choose = QPushButton("Choose\u2026")
        choose.setAccessibleName("Choose a text file")
        choose.clicked.connect(self.fileRequested)
        self.line = QWidget()
        row = QHBoxLayout(self.line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(choose)
        row.addWidget(self.file, 1)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(self.error), self.line)

    def set_value(self, text: str) -> None:
        """Shows "stories", "typed" or a file's path; "" for a file still to be chosen."""
        self._corpus = text
        own = text in (OWN, TYPED)
        self.control.set_current(text if own else "file")
        self.line.setVisible(not own)
        self.file.setText(Path(text).name if text else "or drop a text here")
        self.file.setToolTip("" if own else text)

    @property
    def value(self) -> str:
        return self._corpus

    def _on_chosen(self, which: str) -> None:
        if which in (OWN, TYPED):
            self.changed.emit(which)
        else:
            self.set_value(self._corpus)  # until a file is chosen
            self.fileRequested.emit()


class Fact(QWidget):
    """A headline number with its name: 1.0 M parameters."""

    def __init__(self, title: str, small: bool = False) -> None:
        super().__init__()
        self._number = Label("\u2013", "title" if small else "headline", weight=600)
        self._name = title
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._number)
        self._title = Label(title, "label", "muted")
        column.addWidget(self._title)

    def set_title(self, title: str) -> None:
        """Changes what the number means."""
        self._name = title
        self._title.setText(title)

    def set_small(self, small: bool) -> None:
        self._number.set_size("title" if small else "headline")

    def set(self, text: str, note: str = "") -> None:
        self._number.setText(text)
        self.setAccessibleName(f"{self._name}: {text}")
        self.setToolTip(note)


class FactRow(WrapRow):
    """Facts side by side, in further rows if they do not fit in one."""

    def __init__(self, spacing: int = 16) -> None:
        super().__init__(spacing)
        self._facts: dict[str, Fact] = {}

    def set_facts(self, facts: Mapping[str, str], notes: Mapping[str, str]) -> None:
        """Sets values by title, and tooltips for some titles; facts without a value are hidden."""
        for title in facts:
            if title not in self._facts:
                self._facts[title] = Fact(title, small=True)
                self.addWidget(self._facts[title])
        for title, fact in self._facts.items():
            fact.set(facts.get(title, ""), notes.get(title, ""))
            fact.setVisible(title in facts)


class FactsCard(QFrame):
    """Facts side by side, and further content below them in `column`."""

    def __init__(self, facts: Iterable[Fact], apart: int, spacing: int) -> None:
        super().__init__()
        set_look(self, "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 12, 16, 12)
        self.column.setSpacing(spacing)
        row = WrapRow(apart)
        for fact in facts:
            row.addWidget(fact)
        self.column.addLayout(row)


class TakesFiles(QWidget):
    """Emits `fileDropped(path)` for a dropped file; the window handles folders."""

    fileDropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        answer_drop(event, bool(dragged_files(event)))

    def dropEvent(self, event: QDropEvent) -> None:
        paths = dragged_files(event)
        answer_drop(event, bool(paths))
        if paths:
            self.fileDropped.emit(paths[0])


def scrolling(form: QLayout) -> ScrollArea:
    """Returns a form with a width of its own, which scrolls if it is too high."""
    inner = QWidget()
    inner.setLayout(form)
    return ScrollArea(inner)


def fill(setup: QWidget, form: QWidget, card: QWidget) -> None:
    """Lays form and card out side by side; they scroll if they are too wide."""
    page, column = QWidget(), QVBoxLayout(setup)
    row = QHBoxLayout(page)
    row.setContentsMargins(16, 12, 16, 12)
    row.setSpacing(16)
    row.addWidget(form)
    row.addWidget(card, 1)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(ScrollArea(page, sideways=True))
