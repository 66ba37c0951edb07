"""The setup: which text, how many pieces, which algorithms; and what the text allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.panes.tokenizers.train.lane_rows import LaneRows
from explorer.panes.tokenizers.train.options import TrainOptions
from explorer.widgets.base import Label, set_look
from explorer.widgets.fields import ChoiceField, Deepest, Field, TextField

WIDTH = 400  # px of the form
NARROW = 800  # px: below it the form gives some of its own


class Fact(QWidget):
    """A headline number with its name."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._name = title
        self._number = Label("\u2013", "title", weight=600)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._number)
        column.addWidget(Label(title, "label", "muted"))

    def set(self, text: str) -> None:
        self._number.setText(text)
        self.setAccessibleName(f"{self._name}: {text}")


class SetupView(QWidget):
    """Emits `changed(field, value)`, `fileRequested`, `fileDropped(path)`, `startRequested`."""

    changed = Signal(str, object)
    fileRequested = Signal()
    fileDropped = Signal(str)
    startRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.train.setup")
        self.setAcceptDrops(True)
        self._options = TrainOptions()
        self.corpus = ChoiceField(
            "corpus", "Learn from", [("stories", "Our stories"), ("file", "A text file")]
        )
        self.kilobytes = TextField("kilobytes", "Read at most (kB)", "How much of the text is read")
        self.pieces = TextField(
            "vocab_size", "Pieces in each vocabulary", "Special tokens included"
        )
        self.fields: dict[str, Field] = {
            field.name: field for field in (self.corpus, self.kilobytes, self.pieces)
        }
        self.lanes = LaneRows()
        self.start = QPushButton("Train them")
        self.start.setObjectName("tokenizers.train.setup.start")
        set_look(self.start, "primary")
        self.facts = {
            "size": Fact("of text"),
            "words": Fact("words"),
            "different": Fact("different words"),
        }
        self._note = Label("", "label", "muted", wrap=True)
        self._excerpt = QPlainTextEdit()
        self._excerpt.setAccessibleName("How the text begins")
        self._excerpt.setReadOnly(True)
        self._excerpt.setFrameShape(QFrame.Shape.NoFrame)
        set_look(self._excerpt, "plain")
        self._enter = Deepest(self)
        self._build()
        self._connect()
        self.set_options(self._options, {}, [], [])

    def _build(self) -> None:
        form = QVBoxLayout()
        form.setContentsMargins(0, 0, 12, 0)
        form.setSpacing(12)
        form.addWidget(self.corpus)
        form.addWidget(self._file_line())
        numbers = QHBoxLayout()
        numbers.setSpacing(8)
        for field in (self.pieces, self.kilobytes):
            numbers.addWidget(field, 1, Qt.AlignmentFlag.AlignTop)
        form.addLayout(numbers)
        form.addWidget(self.lanes)
        form.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeft)
        form.addStretch(1)
        inner = QWidget()
        inner.setLayout(form)
        self._form = QScrollArea()
        self._form.setWidgetResizable(True)
        self._form.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._form.setWidget(inner)
        self._form.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(16)
        row.addWidget(self._form)
        row.addWidget(self._text_card(), 1)

    def _file_line(self) -> QWidget:
        self._file = Label("", "body", "text")
        self._choose = QPushButton("Choose\u2026")
        self._choose.setAccessibleName("Choose a text file")
        self._line = QWidget()
        row = QHBoxLayout(self._line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._choose)
        row.addWidget(self._file, 1)
        return self._line

    def _text_card(self) -> QWidget:
        card = QFrame()
        set_look(card, "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        facts = QHBoxLayout()
        facts.setSpacing(24)
        for fact in self.facts.values():
            facts.addWidget(fact)
        facts.addStretch(1)
        column.addLayout(facts)
        column.addWidget(self._note)
        column.addWidget(self._excerpt, 1)
        return card

    def _connect(self) -> None:
        for field in self.fields.values():
            field.setObjectName(f"tokenizers.train.setup.{field.name}")
            field.changed.connect(lambda text, name=field.name: self._on_field(name, text))
            if isinstance(field, TextField):
                field.editor.installEventFilter(self._enter)
        self.lanes.changed.connect(lambda lanes: self.changed.emit("lanes", lanes))
        self._choose.clicked.connect(self.fileRequested)
        self._enter.entered.connect(self._on_start)
        self.start.clicked.connect(self._on_start)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        now = theme.current()
        width = WIDTH if self.width() >= now.px(NARROW) else WIDTH - 60
        self._form.setFixedWidth(now.px(width))

    # what is shown

    def set_options(
        self,
        options: TrainOptions,
        errors: Mapping[str, str],
        notes: Sequence[str],
        lane_errors: Sequence[str],
    ) -> None:
        """Shows the fields and, beside each, what is wrong with it."""
        self._options = options
        own = options.corpus == "stories"
        self.corpus.set_value("stories" if own else "file")
        self.kilobytes.set_value(options.kilobytes)
        self.pieces.set_value(options.vocab_size)
        for name, field in self.fields.items():
            field.set_error(errors.get(name, ""))
        count = len(options.chosen)
        self.lanes.set_lanes(options.chosen, notes or [""] * count, lane_errors or [""] * count)
        self._line.setVisible(not own)
        self._file.setText(Path(options.corpus).name if options.corpus else "or drop a text here")
        self._file.setToolTip("" if own else options.corpus)
        why = next((text for text in (*errors.values(), *lane_errors) if text), "")
        self.start.setEnabled(not why)
        self.start.setText("Train it" if count == 1 else "Train them")
        self.start.setToolTip(why or "They learn in lock step (Enter)")

    def set_text(self, size: str, words: str, different: str, note: str) -> None:
        """What is known of the text."""
        for name, text in (("size", size), ("words", words), ("different", different)):
            self.facts[name].set(text)
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def set_excerpt(self, text: str) -> None:
        if text != self._excerpt.toPlainText():
            self._excerpt.setPlainText(text)

    # intents

    def _on_field(self, name: str, text: str) -> None:
        if name == "corpus" and text == "file":
            own = self._options.corpus == "stories"
            self.corpus.set_value("stories" if own else "file")
            self.fileRequested.emit()
        else:
            self.changed.emit(name, text)

    def _on_start(self) -> None:
        if self.start.isEnabled():
            self.startRequested.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.fileDropped.emit(paths[0])
