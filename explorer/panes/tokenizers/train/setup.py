"""The setup: which text, how many pieces, which algorithms; and what the text allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.panes.tokenizers.train.draft import AMOUNTS, LONGEST_TYPED, TrainDraft
from explorer.panes.tokenizers.train.lane_rows import LaneRows
from explorer.widgets.base import Label, set_look
from explorer.widgets.fields import Deepest, Field, TextField
from explorer.widgets.form import CorpusField, Fact, FactsCard, TakesFiles, fill, scrolling
from explorer.widgets.text_input import TextInput

WIDTH, LESS = 496, 468  # px of the form
NARROW = 800  # px: below it the form gives some of its own


class SetupView(TakesFiles):
    """Emits `changed(field, value)`, `fileRequested`, `fileDropped(path)`, `startRequested`."""

    changed = Signal(str, object)
    fileRequested = Signal()
    startRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.train.setup")
        self._draft = TrainDraft()
        self.corpus = CorpusField(typed=True)
        self.pieces, self.kilobytes = (
            TextField(name, about.label, about.help) for name, about in AMOUNTS.items()
        )
        self.fields: dict[str, Field] = {
            field.name: field for field in (self.corpus, self.kilobytes, self.pieces)
        }
        self.lanes = LaneRows()
        self.start = QPushButton("Train them")
        self.start.setObjectName("tokenizers.train.setup.start")
        set_look(self.start, "primary")
        self.facts = {
            "size": Fact("of text", small=True),
            "words": Fact("words", small=True),
            "different": Fact("different words", small=True),
        }
        self._note = Label("", "label", "muted", wrap=True)
        self.text = TextInput(LONGEST_TYPED)
        self.text.setAccessibleName("How the text begins")
        self.text.setObjectName("tokenizers.train.setup.text")
        self.text.setPlaceholderText("Type or paste a text to learn from")
        self.text.setReadOnly(True)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        set_look(self.text, "plain")
        self._enter = Deepest(self)
        self._build()
        self._connect()
        self.set_draft(self._draft, {}, [], [])

    def _build(self) -> None:
        form = QVBoxLayout()
        form.setContentsMargins(0, 0, 12, 0)
        form.setSpacing(12)
        form.addWidget(self.corpus)
        numbers = QHBoxLayout()
        numbers.setSpacing(8)
        for field in (self.pieces, self.kilobytes):
            numbers.addWidget(field, 1, Qt.AlignmentFlag.AlignTop)
        form.addLayout(numbers)
        form.addWidget(self.lanes)
        form.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeft)
        form.addStretch(1)
        self._form = scrolling(form)
        fill(self, self._form, self._text_card())

    def _text_card(self) -> QWidget:
        card = FactsCard(self.facts.values(), 16, 8)
        card.column.addWidget(self._note)
        card.column.addWidget(self.text, 1)
        return card

    def _connect(self) -> None:
        for field in self.fields.values():
            field.setObjectName(f"tokenizers.train.setup.{field.name}")
            field.changed.connect(lambda text, name=field.name: self.changed.emit(name, text))
            if isinstance(field, TextField):
                field.editor.installEventFilter(self._enter)
        for row in self.lanes.rows:
            row.pieces.installEventFilter(self._enter)
        self.lanes.changed.connect(lambda lanes: self.changed.emit("lanes", lanes))
        self.text.textEdited.connect(lambda text: self.changed.emit("typed", text))
        self.corpus.fileRequested.connect(self.fileRequested)
        self._enter.entered.connect(self._on_start)
        self.start.clicked.connect(self._on_start)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        now = theme.current()
        width = WIDTH if self.width() >= now.px(NARROW) else LESS
        self._form.setFixedWidth(now.px(width))

    # what is shown

    def set_draft(
        self,
        draft: TrainDraft,
        errors: Mapping[str, str],
        notes: Sequence[str],
        lane_errors: Sequence[str],
        fits: bool = True,
    ) -> None:
        """Shows the fields and, beside each, what is wrong with it. fits: no size is too small for
        its algorithm."""
        self._draft = draft
        self.corpus.set_value(draft.corpus)
        self.kilobytes.set_value(draft.kilobytes)
        self.pieces.set_value(draft.vocab_size)
        for name, field in self.fields.items():
            field.set_error(errors.get(name, ""))
        count = len(draft.chosen)
        self.lanes.set_lanes(
            draft.chosen,
            notes or [""] * count,
            lane_errors or [""] * count,
            "" if "vocab_size" in errors else draft.vocab_size,
            fits,
        )
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
        """How the text begins that is read from elsewhere."""
        self._show_text(text, own=False)

    def set_typed(self, text: str) -> None:
        """The text that a person types; emits nothing."""
        self._show_text(text, own=True)

    def _show_text(self, text: str, own: bool) -> None:
        box = self.text
        if box.isReadOnly() == own:
            box.setReadOnly(not own)
            box.setAccessibleName("Your text" if own else "How the text begins")
            set_look(box, "" if own else "plain")
            box.setFrameShape(QFrame.Shape.StyledPanel if own else QFrame.Shape.NoFrame)
        box.set_text(text)

    # intents

    def _on_start(self) -> None:
        if self.start.isEnabled():
            self.startRequested.emit()
