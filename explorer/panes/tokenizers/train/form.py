"""The form of the setup: text, number of pieces, algorithms; on the right the text itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from core.numbers import format_bytes
from explorer import theme
from explorer.panes.tokenizers.train import text
from explorer.panes.tokenizers.train.algorithm_rows import AlgorithmRows
from explorer.panes.tokenizers.train.compute import Survey
from explorer.panes.tokenizers.train.draft import LONGEST_TYPED, NUMBERS, TYPED, TrainDraft
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import card, column, name_parts, row
from explorer.widgets.fields import Deepest
from explorer.widgets.form import CorpusField, FactRow, TakesFiles, fill, scrolling
from explorer.widgets.push_button import push_button
from explorer.widgets.setting_fields import TYPED as TYPED_NUMBER
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.text_input import TextInput

NAME = "tokenizers.train.form"
WIDTH = 500  # px, width of the fields


class TrainForm(TakesFiles):
    """The form. Emits `changed(field, value)`, `rested` when typing ends, `fileRequested`,
    `fileDropped(path)`, `startRequested`.
    """

    changed = Signal(str, object)
    rested = Signal()
    fileRequested = Signal()
    startRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.corpus = CorpusField(typed=True)
        self.settings = SettingFields(NAME, NUMBERS, dict.fromkeys(NUMBERS, TYPED_NUMBER), {}, self)
        self.algorithms = AlgorithmRows()
        self.start = push_button("Train them", text.START, "primary")
        self.facts = FactRow()
        self._note = Label("", "label", "muted", wrap=True)
        self.text = TextInput(LONGEST_TYPED)
        self.text.setPlaceholderText("Type or paste a text to learn from")
        name_parts(self, NAME, "corpus", "start", "text")
        numbers = row(*((one, 1) for one in self.settings.widgets.values()))
        fields = column(self.corpus, numbers, self.algorithms, row(self.start, 1), 1, spacing=12)
        fields.setContentsMargins(0, 0, 12, 0)
        self._fields = scrolling(fields)
        fill(self, self._fields, card(self.facts, self._note, (self.text, 1)))
        self._connect()
        self._set_own(False)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _connect(self) -> None:
        self.corpus.changed.connect(lambda corpus: self.changed.emit("corpus", corpus))
        self.corpus.fileRequested.connect(self.fileRequested)
        self.settings.changed.connect(self.changed)
        self.algorithms.changed.connect(lambda lanes: self.changed.emit("lanes", lanes))
        self.text.textEdited.connect(lambda typed: self.changed.emit("typed", typed))
        for part in (self.settings.released, self.algorithms.rested, self.text.rested):
            part.connect(self.rested)
        enter = Deepest(self)
        enter.entered.connect(self.start.click)
        sizes = [one.pieces for one in self.algorithms.rows]
        for line in (*(one.editor for one in self.settings.widgets.values()), *sizes):
            line.installEventFilter(enter)
        self.start.clicked.connect(self.startRequested)

    def _restyle(self) -> None:
        self._fields.setFixedWidth(theme.current().px(WIDTH))

    def set_draft(
        self,
        draft: TrainDraft,
        errors: Mapping[str, str],
        notes: Sequence[tuple[str, str]],
    ) -> None:
        """Shows the fields with their errors. `notes` has for each algorithm a note on possible
        sizes and the error of its size.
        """
        self.corpus.set_value(draft.corpus)
        self.corpus.set_error(errors.get("corpus", ""))
        self.settings.show(draft)
        self.settings.set_errors(errors)
        common = "" if "vocab_size" in errors else draft.vocab_size
        self.algorithms.set_lanes(draft.chosen, notes, common)
        why = next((one for one in (*errors.values(), *(error for _, error in notes)) if one), "")
        self.start.setEnabled(not why)
        self.start.setText("Train it" if len(draft.chosen) == 1 else "Train them")
        self.start.setToolTip(why or text.START)

    def set_survey(self, draft: TrainDraft, survey: Survey, error: str) -> None:
        """Shows the text and the facts known so far."""
        known = survey.is_read and not error
        size = format_bytes(survey.size) if known else text.UNKNOWN
        words, different = (
            f"{count:,}" if count else text.UNKNOWN for count in (survey.words, survey.different)
        )
        self.facts.set_facts({"of text": size, "words": words, "different words": different}, {})
        note = text.text_note(survey, draft.corpus) if known else ""
        self._note.setText(note)
        self._note.setVisible(bool(note))
        own = draft.corpus == TYPED
        if own == self.text.isReadOnly():
            self._set_own(own)
        self.text.set_text(draft.typed if own else survey.beginning if known else "")

    def _set_own(self, own: bool) -> None:
        """Makes the text editable (the user's own) or read-only (the beginning of another)."""
        shape = QFrame.Shape.StyledPanel if own else QFrame.Shape.NoFrame
        self.text.setReadOnly(not own)
        self.text.setAccessibleName("Your text" if own else "Beginning of the text")
        set_look(self.text, "" if own else "plain")
        self.text.setFrameShape(shape)
