"""The setup form of a run (text, size, steps), with the cost of the run next to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import Rule
from core.optimization.schedules import SCHEDULES, Schedule
from core.training.config import BUILT_IN, CHARACTERS, STORIES
from explorer import theme
from explorer.panes.training.run.draft import ABOUT, SETTINGS, SIZES, TrainingDraft, size_of
from explorer.panes.training.run.text import WHY_COPYING
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import column, grid, name_parts, row
from explorer.widgets.fields import ChoiceField, Deepest, Field, TextField
from explorer.widgets.form import CorpusField, Fact, FactsCard, TakesFiles, fill, scrolling
from explorer.widgets.more_button import MoreButton
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.push_button import push_button
from explorer.widgets.setting_fields import TYPED, SettingFields, Values

NAME = "training.setup"
WIDTH = 372  # px of the form
PLACES = [("thread", "In the app"), ("process", "1 process"), ("2", "2 ranks"), ("own", "Other")]
TOKENS = [(STORIES, "Trained on our stories"), (CHARACTERS, "Letters")]
STRATEGIES = [("ddp", "DDP"), ("fsdp2", "FSDP2")]
LESSONS = [("copying", "First copying, then text"), ("text", "Text only")]
STARTS = [("random", "Random numbers"), ("sinusoids", "Sinusoids")]
PRECISIONS = [(one, one) for one in ABOUT["precision"].choices]


def titles(known: Mapping[str, Rule] | Mapping[str, Schedule]) -> list[tuple[str, str]]:
    """Returns (name, title) pairs for a menu."""
    return [(name, one.title) for name, one in known.items()]


SHOWN = ("steps", "learning_rate")
SCALING = ("loss_scale", "loss_scale_growth_interval")  # for fp16 only
MENUS: dict[str, Values] = {
    "device": [("auto", "Auto"), ("cpu", "CPU"), ("cuda", "GPU"), ("mps", "Mac GPU")],
    "precision": PRECISIONS,
    "parallel": STRATEGIES,
    "optimizer": titles(OPTIMIZERS),
    "schedule": titles(SCHEDULES),
    "tokenizer": TOKENS,
    "positions_start": STARTS,
    "activation_checkpointing": None,
}
VALUES = {name: MENUS.get(name, TYPED) for name in SETTINGS if name != "corpus"}


class SetupForm(TakesFiles):
    """Emits `changed(field, value)`, `typed` when a field is left, `fileRequested`,
    `fileDropped(path)`, `startRequested`.
    """

    changed = Signal(str, object)
    typed = Signal()
    fileRequested = Signal()
    startRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(NAME)
        self._draft = TrainingDraft()
        self.settings = SettingFields(NAME, ABOUT, VALUES, {}, self)
        self.corpus = CorpusField()
        sizes = [(size.id, size.id.capitalize()) for size in SIZES] + [("own", "Own")]
        self.model = ChoiceField("size", "Model", sizes)
        self.where = ChoiceField("where", "Train on this machine", PLACES)
        self.lessons = ChoiceField("lessons", "Lessons", LESSONS, WHY_COPYING)
        self.fields = {
            "corpus": self.corpus,
            "size": self.model,
            "where": self.where,
            "lessons": self.lessons,
            **self.settings.widgets,
        }
        self.start = push_button("Start training", look="primary")
        self.plot = LinePlot("Learning rate schedule")
        self.plot.set_axes("step", "learning rate")
        self.plot.set_empty_text("no schedule yet")
        self.facts = {
            "parameters": Fact("parameters"),
            "memory": Fact("memory needed"),
            "time": Fact("estimated time"),
        }
        self.shape = Label("", "body", "muted", wrap=True)
        self.computes = Label("", "label", "muted", wrap=True)
        self.why = Label("", "label", "error", wrap=True)
        self.note = Label("", "label", "muted", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Beginning of the text")
        self.text.setReadOnly(True)
        self.text.setMinimumHeight(theme.current().px(64))
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        set_look(self.text, "plain")
        self._excerpt, self._deep = QWidget(), QWidget()
        self.more = MoreButton(f"{NAME}.more", self._deep, "Device, precision, more")
        name_parts(self, NAME, "corpus", "where", "start", "text")
        self.model.setObjectName(f"{NAME}.size")
        self.lessons.setObjectName(f"{NAME}.lessons")
        self.plot.setObjectName(f"{NAME}.schedule")
        self._build()
        self._connect()
        self.set_why("")
        self.set_draft(self._draft, {})

    def _build(self) -> None:
        of = self.settings.widgets
        of["sample_prompt"].editor.setPlaceholderText("the text's own words")
        column(
            Label("Beginning of the text", "label", "muted"),
            (self.text, 1),
            of=self._excerpt,
            spacing=4,
        )
        deep = [of[name] for name in VALUES if name not in SHOWN]
        pairs = [deep[at : at + 2] for at in range(0, len(deep), 2)]
        grid(pairs, of=self._deep, spacing=(12, 12)).setContentsMargins(0, 8, 0, 0)
        form = column(
            *(self.corpus, self.model, self.shape),
            grid([[of[name] for name in SHOWN]]),
            *(self.lessons, self.where, self.computes),
            row(self.start, self.more, 1),
            *(self.why, self._deep, (self._excerpt, 1), 0),
            spacing=12,
        )
        form.setContentsMargins(0, 0, 12, 0)
        self._form = scrolling(form)
        card = FactsCard(self.facts.values(), 16, 12)
        card.column.addWidget(self.note)
        card.column.addWidget(self.plot, 1)
        fill(self, self._form, card)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _connect(self) -> None:
        enter = Deepest(self)
        for field in self.fields.values():
            if isinstance(field, TextField):
                field.editor.installEventFilter(enter)
        enter.entered.connect(self._on_start)
        self.settings.changed.connect(self.changed)
        self.settings.released.connect(self.typed)
        self.corpus.changed.connect(partial(self.changed.emit, "corpus"))
        self.corpus.fileRequested.connect(self.fileRequested)
        for choice in (self.model, self.lessons, self.where):
            choice.changed.connect(partial(self._on_choice, choice.name))
        self.start.clicked.connect(self._on_start)
        self.more.toggled.connect(lambda _: self.set_excerpt(self.excerpt))

    def _restyle(self) -> None:
        self._form.setFixedWidth(theme.current().px(WIDTH))

    # Content -------------------------------------------------------------------------------------

    def set_draft(self, draft: TrainingDraft, errors: Mapping[str, str]) -> None:
        """Shows the fields, each with its error."""
        self._draft = draft
        file = draft.tokenizer not in BUILT_IN
        trained = [(draft.tokenizer, Path(draft.tokenizer).parent.name)] if file else []
        self.fields["tokenizer"].set_choices([*TOKENS, *trained])
        self.settings.show(draft)
        self.corpus.set_value(draft.corpus)
        self._show_choices()
        for name, field in self.fields.items():
            if isinstance(field, Field):
                field.set_error(errors.get(name, ""))
        for name in SCALING:
            self.fields[name].setVisible(draft.precision == "fp16" or name in errors)
        if errors.keys() & (VALUES.keys() - set(SHOWN)):
            self.more.setChecked(True)
        size = size_of(draft.size)
        shape = f"{draft.n_layer} layers, {draft.n_head} heads, width {draft.n_embd}"
        if file:
            shape = f"{shape}, tokens of {trained[0][1]}"
        if size is not None and draft.corpus == STORIES:  # the descriptions hold for our stories
            shape = f"{shape}: {size.what}"
        self.shape.setText(shape)
        self.start.setEnabled(not errors)
        why = next(iter(errors.values()), "")
        self.start.setToolTip(why or "Starts training right away (Enter)")

    def _show_choices(self) -> None:
        for field in (self.model, self.lessons, self.where):
            value = getattr(self._draft, field.name)
            known = dict(field.control.segments)
            field.control.set_current(value if value in known else "own")

    def set_machine(self, told: str, gpus: int) -> None:
        """Describes this machine; with more than two GPUs, adds a choice that uses all of them."""
        self.where.set_note(told)
        every = [(str(gpus), f"{gpus} ranks")] if gpus > 2 else []
        self.where.control.set_segments([*PLACES[:-1], *every, PLACES[-1]])

    def set_where(self, told: str) -> None:
        """Shows on which device the run computes; "" hides the line."""
        self.computes.setText(told)
        self.computes.setVisible(bool(told))

    def set_schedule(self, steps: np.ndarray, rates: np.ndarray) -> None:
        """Draws the planned learning rate; empty arrays clear the plot."""
        self.plot.set_series([Series("rate", steps, rates, 2)] if len(steps) else [])
        if len(steps):
            self.plot.set_x_range(0, float(steps[-1]))

    def set_cost(
        self, parameters: str, memory: str, time: str, note: str, shared: bool = False
    ) -> None:
        """Shows the cost of the run; `shared` if `memory` is per rank."""
        self.facts["memory"].set_title("memory per rank" if shared else "memory needed")
        for name, text in (("parameters", parameters), ("memory", memory), ("time", time)):
            self.facts[name].set(text)
        self.note.setText(note)

    @property
    def excerpt(self) -> str:
        """The beginning of the text, as shown."""
        return self.text.toPlainText()

    def set_excerpt(self, text: str) -> None:
        """Shows the beginning of the text, unless More is open."""
        if text != self.excerpt:
            self.text.setPlainText(text)
        self._excerpt.setVisible(bool(text) and not self.more.isChecked())

    def set_why(self, text: str) -> None:
        """Shows below Start why the run was refused."""
        self.why.setText(text)
        self.why.setVisible(bool(text))

    # Intents -------------------------------------------------------------------------------------

    def _on_choice(self, name: str, choice: str) -> None:
        """Emits the choice; "own" opens More, where a shape or number of ranks can be typed."""
        if choice != "own":
            self.changed.emit(name, choice)
            return
        self.more.setChecked(True)
        if name == "where":
            self.fields["ranks"].editor.setFocus()
        self._show_choices()

    def _on_start(self) -> None:
        if self.start.isEnabled():
            self.startRequested.emit()
