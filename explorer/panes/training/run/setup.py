"""The setup: what to learn from, how large, how long; and what that will cost, before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import Rule
from core.optimization.schedules import SCHEDULES, Schedule
from core.training.config import CHARACTERS, STORIES
from explorer import theme
from explorer.panes.training.run.draft import ABOUT, SIZES, TrainingDraft, size_of
from explorer.widgets.base import Label, set_look
from explorer.widgets.boxes import grid
from explorer.widgets.fields import ChoiceField, Deepest, Field, MenuField, TextField
from explorer.widgets.form import CorpusField, Fact, FactsCard, TakesFiles, fill, scrolling
from explorer.widgets.plots.line_plot import LinePlot, Series

MORE = (
    "n_layer",
    "n_head",
    "n_embd",
    "block_size",
    "warmup_steps",
    "min_learning_rate",
    "weight_decay",
    "clip",
    "repeated_fraction",
    "seed",
    "evaluate_every",
    "sample_every",
    "checkpoint_every",
    "sample_prompt",
)
SCALING = ("loss_scale", "loss_scale_growth_interval")  # of fp16 alone
STRATEGIES = [("ddp", "DDP"), ("fsdp2", "FSDP2")]
DEVICES = [("auto", "Auto"), ("cpu", "CPU"), ("cuda", "GPU"), ("mps", "Mac GPU")]
PLACES = [("thread", "In the app"), ("process", "1 process"), ("2", "2 ranks"), ("own", "Other")]
MORE_TEXT = "Device, precision, more"
NARROW = 720  # px: below it the inspector has left the center little more than it must have
TOKENS = [(STORIES, "Pieces"), (CHARACTERS, "Letters"), ("own", "A file's")]


def _typed(name: str) -> TextField:
    return TextField(name, ABOUT[name].label, ABOUT[name].help)


def _chosen(name: str, titles: list[tuple[str, str]]) -> MenuField:
    return MenuField(name, ABOUT[name].label, titles, ABOUT[name].help)


def _titles(known: Mapping[str, Rule] | Mapping[str, Schedule]) -> list[tuple[str, str]]:
    return [(name, one.title) for name, one in known.items()]


class SetupView(TakesFiles):
    """Emits `changed(field, text)`, `fileRequested`, `fileDropped(path)`, `startRequested`."""

    changed = Signal(str, str)
    fileRequested = Signal()
    startRequested = Signal()
    moreToggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.setup")
        self.fields: dict[str, Field] = {}
        self._draft = TrainingDraft()
        self.plot = LinePlot("Learning rate schedule")
        self.plot.setObjectName("training.setup.schedule")
        self.plot.set_axes("step", "learning rate")
        self.plot.set_empty_text("no schedule yet")
        self.facts = {
            "parameters": Fact("parameters"),
            "memory": Fact("memory of the model"),
            "time": Fact("time, about"),
        }
        self.start = QPushButton("Start training")
        self.start.setObjectName("training.setup.start")
        set_look(self.start, "primary")
        self.more = QPushButton(MORE_TEXT)
        self.more.setObjectName("training.setup.more")
        self.more.setCheckable(True)
        set_look(self.more, "quiet")
        self._deep = QWidget()
        self._wrong = False  # a field behind More is wrong
        self._unfolded = False  # for its sake, not because a person asked
        self._why = Label("", "label", "error", wrap=True)
        self._excerpt = QPlainTextEdit()
        self._excerpt.setObjectName("training.setup.excerpt")
        self._excerpt.setAccessibleName("How the text begins")
        self._excerpt.setReadOnly(True)
        self._excerpt.setMinimumHeight(theme.current().px(64))
        self._excerpt.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self._excerpt.setFrameShape(QFrame.Shape.NoFrame)
        set_look(self._excerpt, "plain")
        self._excerpt_box = QWidget()
        box = QVBoxLayout(self._excerpt_box)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(Label("It will read", "label", "muted"))
        box.addWidget(self._excerpt, 1)
        self._what = Label("", "body", "muted", wrap=True)
        self._computes = Label("", "label", "muted", wrap=True)
        self._enter = Deepest(self)
        self._build()
        self._enter.entered.connect(self._on_start)
        self.start.clicked.connect(self._on_start)
        self.more.toggled.connect(self.set_more)
        self.more.clicked.connect(self._on_more)
        self.set_more(False)
        self.set_why("")
        self.set_draft(self._draft, {})

    def _build(self) -> None:
        choices = [(size.id, size.title) for size in SIZES] + [("own", "Own")]
        top = (
            CorpusField(),
            ChoiceField("size", "Model", choices),
            *map(_typed, ("batch_size", "steps", "learning_rate")),
            ChoiceField("where", "Train on this machine", PLACES),
        )
        checkpointing = ABOUT["activation_checkpointing"]
        deep = [
            _chosen("device", DEVICES),
            _chosen("precision", [(one, one) for one in ABOUT["precision"].choices]),
            _typed("ranks"),
            ChoiceField("parallel", ABOUT["parallel"].label, STRATEGIES, ABOUT["parallel"].help),
            _typed("micro_batches"),
            ChoiceField(
                checkpointing.name,
                checkpointing.label,
                [("off", "Off"), ("on", "On")],
                checkpointing.help,
            ),
            *map(_typed, SCALING),
            *map(_typed, MORE),
            ChoiceField("tokenizer", "Tokens", TOKENS),
            _chosen("optimizer", _titles(OPTIMIZERS)),
            _chosen("schedule", _titles(SCHEDULES)),
        ]
        self._deep_names = [field.name for field in deep]
        for field in (*top, *deep):
            self.fields[field.name] = field
            field.setObjectName(f"training.setup.{field.name}")
            field.changed.connect(lambda text, name=field.name: self._on_field(name, text))
            if isinstance(field, TextField):
                field.editor.installEventFilter(self._enter)
                field.editor.editingFinished.connect(self._fold_back)
        self.fields["sample_prompt"].editor.setPlaceholderText("the text's own words")
        corpus, size, batch, steps, rate, where = top
        corpus.fileRequested.connect(self.fileRequested)
        form = QVBoxLayout()
        form.setSpacing(12)
        form.addWidget(corpus)
        form.addWidget(size)
        form.addWidget(self._what)
        numbers = QHBoxLayout()
        numbers.setSpacing(8)
        for field in (batch, steps, rate):
            numbers.addWidget(field, 1, Qt.AlignmentFlag.AlignTop)
        form.addLayout(numbers)
        form.addWidget(where)
        form.addWidget(self._computes)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.start)
        buttons.addWidget(self.more)
        buttons.addStretch(1)
        form.addSpacing(4)
        form.addLayout(buttons)
        form.addWidget(self._why)
        pairs = [deep[at : at + 2] for at in range(0, len(deep), 2)]
        grid(pairs, of=self._deep, spacing=(12, 12)).setContentsMargins(0, 8, 0, 0)
        form.addWidget(self._deep)
        form.addWidget(self._excerpt_box, 1)
        form.addStretch(0)
        form.setContentsMargins(0, 0, 12, 0)
        self._form = scrolling(form)
        fill(self, self._form, self._cost())

    def _cost(self) -> QWidget:
        card = FactsCard(self.facts.values(), 16, 12)
        self._note = Label("", "label", "muted", wrap=True)
        card.column.addWidget(self._note)
        card.column.addWidget(self.plot, 1)
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the form gives some of its own and the facts shrink."""
        super().resizeEvent(event)
        now = theme.current()
        narrow = self.width() < now.px(NARROW)
        self._form.setFixedWidth(now.px(348 if narrow else 372))
        for fact in self.facts.values():
            fact.set_small(narrow)

    # What is shown -------------------------------------------------------------------------------

    def set_draft(self, draft: TrainingDraft, errors: dict[str, str]) -> None:
        """Shows the fields and, beside each, what is wrong with it."""
        self._draft = draft
        for name, field in self.fields.items():
            value = getattr(draft, name)
            if isinstance(field, ChoiceField) and value not in dict(field.control.segments):
                value = "own"
            field.set_value(value)
            field.set_error(errors.get(name, ""))
            if name in SCALING:
                field.setVisible(draft.precision == "fp16" or name in errors)
        size = size_of(draft.size)
        shape = f"{draft.n_layer} layers, {draft.n_head} heads, width {draft.n_embd}"
        if self.fields["tokenizer"].value == "own":
            shape = f"{shape}, tokens of {Path(draft.tokenizer).parent.name}"
        if size is not None and draft.corpus == "stories":  # with which it was found out
            shape = f"{shape}: {size.what}"
        self._what.setText(shape)
        self._show_hidden(any(name in errors for name in self._deep_names))
        self.start.setEnabled(not errors)
        why = next(iter(errors.values()), "")
        self.start.setToolTip(why or "Trains at once (Enter)")

    def _show_hidden(self, wrong: bool) -> None:
        """Unfolds the fields behind More while one of them is wrong."""
        self._wrong = wrong
        if wrong and not self.more.isChecked():
            self._unfolded = True
            self.set_more(True)
        self._fold_back()

    def _fold_back(self) -> None:
        """Once it is right, and nobody is typing there."""
        focus = self.window().focusWidget()
        typing = focus is not None and self._deep.isAncestorOf(focus)
        if self._unfolded and not self._wrong and not typing:
            self._unfolded = False
            self.set_more(False)

    def _on_more(self) -> None:
        self._unfolded = False

    def set_machine(self, told: str, gpus: int) -> None:
        """What this machine has; with more GPUs than two, all of them are one click away."""
        where = self.fields["where"]
        assert isinstance(where, ChoiceField)
        where.set_note(told)
        every = [(str(gpus), f"{gpus} ranks")] if gpus > 2 else []
        where.control.set_segments([*PLACES[:-1], *every, PLACES[-1]])

    def set_where(self, told: str) -> None:
        """What computes the run, in a sentence; "" while the fields say nothing that can be."""
        self._computes.setText(told)
        self._computes.setVisible(bool(told))

    def set_schedule(self, steps: np.ndarray, rates: np.ndarray) -> None:
        """The planned learning rate; empty arrays where the fields say none."""
        self.plot.set_series([Series("rate", steps, rates, 2)] if len(steps) else [])
        if len(steps):
            self.plot.set_x_range(0, float(steps[-1]))

    def set_cost(
        self, parameters: str, memory: str, time: str, note: str, shared: bool = False
    ) -> None:
        """`shared`: by several ranks, so that the memory is that of each."""
        self.facts["memory"].set_title("memory of each rank" if shared else "memory of the model")
        for name, text in (("parameters", parameters), ("memory", memory), ("time", time)):
            self.facts[name].set(text)
        self._note.setText(note)

    @property
    def excerpt(self) -> str:
        """How the text begins, as it is shown."""
        return self._excerpt.toPlainText()

    def set_excerpt(self, text: str) -> None:
        """How the text begins that it will read."""
        self._excerpt.setPlainText(text)
        self._excerpt_box.setVisible(bool(text) and not self.more.isChecked())

    def set_why(self, text: str) -> None:
        """One more line below Start: why the run was refused."""
        self._why.setText(text)
        self._why.setVisible(bool(text))

    def set_more(self, on: bool) -> None:
        self._deep.setVisible(on)
        self._excerpt_box.setVisible(bool(self._excerpt.toPlainText()) and not on)
        self.more.setText("Less" if on else MORE_TEXT)
        if self.more.isChecked() != on:
            self.more.setChecked(on)
        self.moreToggled.emit(on)

    # Intents -------------------------------------------------------------------------------------

    def _on_field(self, name: str, text: str) -> None:
        if name == "tokenizer" and text == "own":  # it comes from the tokenizers pane
            self.set_draft(self._draft, {})
            return
        if name in ("size", "where") and text == "own":
            self.set_more(True)
        if name == "where" and text == "own":
            self.fields["ranks"].editor.setFocus()
            self.set_draft(self._draft, {})
            return
        self.changed.emit(name, text)

    def _on_start(self) -> None:
        if self.start.isEnabled():
            self.startRequested.emit()
