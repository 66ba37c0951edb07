"""The widgets of Tune: the setup, curves of what is learned and forgotten, answers, a card for each
run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Planned
from explorer.panes.finetuning.tune.draft import NUMBERS, SETTINGS, TuneDraft
from explorer.panes.finetuning.tune.draw_methods import MethodList
from explorer.panes.finetuning.tune.draw_targets import TargetPicture
from explorer.panes.finetuning.tune.scene import Asked, Curves
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, grid, name_parts, row
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.fields import ChoiceField, ErrorLine, Field, MenuField, TextField
from explorer.widgets.form import Fact, TakesFiles, scrolling
from explorer.widgets.more_button import MoreButton
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.push_button import push_button
from explorer.widgets.run_card import RunCard
from explorer.widgets.run_card_text import CardText
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture

NAME = "finetuning.tune"
FORM = 268  # px
RANKS = (1, 2, 4, 8, 16, 32, 64)
REPLAYS = (0.0, 0.1, 0.25, 0.5, 0.75)
DEEP = (
    *(("base_data", "quantize"), ("steps", "learning_rate"), ("alpha", "variant")),
    *(("last_layers", "bottleneck_width"), ("prompt_tokens", "broken_lines")),
)


class TuneForm(QWidget):
    """The setup. `changed(field, text)` of a menu or a typed field, `typed`: one was left;
    `startRequested`; `askRequested(field)`: for a folder or a file, which is to be chosen first.
    """

    changed = Signal(str, str)
    typed = Signal()
    startRequested = Signal()
    askRequested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.methods, self.targets = MethodList(), TargetPicture()
        self.settings = SettingFields(
            NAME,
            TuneDraft,
            {"rank": RANKS, "replay": REPLAYS},
            {("replay", 0.0): "none"},
            self,
        )
        self.fields: dict[str, Field] = {one.name: one for one in _fields()}
        self.error = ErrorLine()
        self.start = push_button(text.START, look="primary")
        self.facts = [Fact(str(at), small=True) for at in range(3)]
        for name, field in self.fields.items():
            field.setObjectName(f"{NAME}.{name}")
            field.changed.connect(lambda typed, name=name: self._on_changed(name, typed))
            if isinstance(field, TextField):
                field.editor.editingFinished.connect(self.typed)  # type: ignore[attr-defined]
        name_parts(self, NAME, "methods", "targets", "start")
        deep = QWidget()
        self.more = MoreButton(f"{NAME}.more", deep)
        grid([[self.fields[name] for name in names] for names in DEEP], of=deep)
        form = column(
            row(self.fields["base"], self.fields["data"]),
            self.methods,
            self.error,
            self.targets,
            grid([list(self.settings.widgets.values())], spacing=(16, 0)),
            row(self.more, 1),
            deep,
            1,
        )
        form.setContentsMargins(0, 0, 12, 0)
        column((scrolling(form), 1), row(*self.facts, 1, spacing=12), self.start, of=self)
        self.start.clicked.connect(self.startRequested)

    def _on_changed(self, name: str, typed: str) -> None:
        if typed == text.CHOOSE:
            self.askRequested.emit(name)
        else:
            self.changed.emit(name, typed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setFixedWidth(theme.current().px(FORM))

    def set_draft(self, draft: TuneDraft) -> None:
        """Shows the fields; a folder or a file that was chosen is in its menu."""
        for name, known, title, ask in (
            ("base", text.BASES, text.base_title, "A model folder\u2026"),
            ("data", text.DATA, text.data_title, "A file\u2026"),
            ("base_data", text.BASE_DATA, text.data_title, "A text\u2026"),
        ):
            field, value = self.fields[name], getattr(draft, name)
            assert isinstance(field, MenuField)
            own = [] if value in dict(known) else [(value, title(value))]
            field.box.setMinimumContentsLength(5)
            field.box.clear()
            for identity, words in [*known, *own, (text.CHOOSE, ask)]:
                field.box.addItem(words, identity)
            field.editor.setToolTip(value if own else field.title)
        values = asdict(draft)
        for name, field in self.fields.items():
            field.set_value(str(values[name]))
        self.settings.show(draft)

    def set_planned(self, planned: Planned, data: str) -> None:
        """What the setup means, or, beside each field, what is wrong with it."""
        errors = planned.errors
        for name, field in self.fields.items():
            field.set_error(errors.get(name, ""))
        self.error.set_text(errors.get("methods", ""))
        if errors.keys() & {name for names in DEEP for name in names}:
            self.more.setChecked(True)
        if planned.rows:
            self.methods.set_scene(planned.rows)
            self.targets.set_scene(planned.grid)
            lora = any(one.method == "lora" and one.chosen for one in planned.rows)
            self.targets.setVisible(lora)
            self.settings.widgets["rank"].setEnabled(lora)
        facts = text.facts(() if errors else planned.rows)
        for fact, (number, title) in zip(self.facts, facts, strict=True):
            fact.set_title(title)
            fact.set(number)
        why = next(iter(errors.values()), "")
        self.start.setEnabled(not why and bool(planned.configs))
        self.start.setToolTip(why or text.ready(planned.rows, data))


class Charts(QWidget):
    """Losses on the new skill and on what the base could do; below them the exact answers."""

    def __init__(self) -> None:
        super().__init__()
        self.losses, self.exact = LinePlot("Losses"), LinePlot("Exact answers")
        self.losses.set_axes("step", text.LOSS_AXIS)
        self.exact.set_axes("step", text.EXACT_AXIS)
        self.losses.set_log(True)
        self.losses.share_margins(self.exact)
        name_parts(self, NAME, "losses", "exact")
        column((self.losses, 5), (self.exact, 3), of=self)

    def set_curves(self, curves: Sequence[Curves], note: str = "") -> None:
        """A pair for each run; the last lies on top."""
        losses, exact = [], []
        for one in curves:
            ink = text.color_of(one.color)
            new, old = f"{one.name}, {text.NEW}", f"{one.name}, {text.OLD}"
            losses.append(Series(old, *one.old, ink, dashed=True, marks=len(one.old[0]) < 2))
            losses.append(Series(new, *one.new, ink, marks=len(one.new[0]) < 2))
            steps, shares = one.exact
            exact.append(Series(one.name, steps, 100 * shares, ink, marks=len(steps) < 2))
        steps = max((one.steps for one in curves), default=0)
        for plot, series in ((self.losses, losses), (self.exact, exact)):
            plot.set_x_range(0, steps) if steps else plot.set_x_range(None)
            plot.set_empty_text(text.NO_CURVE)
            plot.set_series([one for one in series if len(one.x)])
        self.losses.set_note(note)
        self.exact.setVisible(any(len(one.exact[0]) for one in curves) or not curves)


class Answers(QWidget):
    """What base and tuned model say to one held-out question. `anotherRequested`."""

    anotherRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.asked: Asked | None = None
        self.title, self.question = CutLabel("label", "muted"), CutLabel("body")
        self.base, self.tuned = CutLabel("body", mono=True), CutLabel("body", mono=True)
        self.tuned_name = Label("tuned", "label", "muted")
        self.another = push_button(text.ANOTHER, "Asks both about another story", "quiet")
        self.another.clicked.connect(self.anotherRequested)
        name_parts(self, NAME, "question", "base", "tuned", "another")
        lines = grid([])
        for at, (name, words) in enumerate(
            ((Label("base", "label", "muted"), self.base), (self.tuned_name, self.tuned))
        ):
            lines.addWidget(name, at, 0)
            lines.addWidget(words, at, 1)
        lines.setColumnStretch(0, 0)
        lines.setColumnStretch(1, 1)
        box = card(row((self.title, 1), self.another), self.question, lines)
        column(box, of=self)

    def set_asked(self, asked: Asked | None, name: str) -> None:
        """`name` of what was learned."""
        self.asked = asked
        self.setVisible(asked is not None)
        if asked is not None:
            self.title.set_text(text.answers_title(asked))
            self.question.set_text(text.question(asked))
            self.base.set_text(asked.base.strip() or "\u2013")
            self.tuned.set_text(asked.tuned.strip() or "\u2013")
            self.tuned_name.setText(name)
            self.another.setEnabled(asked.count > 1)
            self.setAccessibleName(f"Base: {asked.base.strip()}. {name}: {asked.tuned.strip()}")

    def displayed(self) -> Mapping[str, np.ndarray]:
        asked = self.asked
        return {} if asked is None else {"answers": np.array([asked.base, asked.tuned])}


class TuneView(TakesFiles):
    """`asked(folder, what)`: a button of a run's card."""

    asked = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.form, self.charts, self.answers = TuneForm(), Charts(), Answers()
        self.body = StatefulPicture(self.charts, "lines")
        self.cards: dict[str, RunCard] = {}
        self._runs = column(spacing=4)
        picture = column((self.body, 1), self.answers, self._runs)
        row(self.form, (picture, 1), of=self, spacing=16)
        self.layout().setContentsMargins(16, 8, 16, 8)
        self.answers.set_asked(None, "")

    def set_cards(self, cards: Mapping[str, CardText]) -> None:
        """By folder, from top to bottom."""
        for folder in [one for one in self.cards if one not in cards]:
            gone = self.cards.pop(folder)
            self._runs.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for folder, told in cards.items():
            if folder not in self.cards:
                one = self.cards[folder] = RunCard(NAME)
                one.asked.connect(lambda what, folder=folder: self.asked.emit(folder, what))
                self._runs.addWidget(one)
            self.cards[folder].set_text(told)


def _fields() -> list[Field]:
    return [
        MenuField("base", "Base", text.BASES),
        MenuField("data", "Learns from", text.DATA, text.OPEN_FILE),
        ChoiceField("variant", "Kind of LoRA", text.VARIANTS),
        MenuField("base_data", "Old skill", text.BASE_DATA, SETTINGS["base_data"].help),
        MenuField("quantize", "Base in", text.QUANTIZE, SETTINGS["quantize"].help),
        MenuField("broken_lines", "Broken lines", text.BROKEN, SETTINGS["broken_lines"].help),
        *(TextField(name, about.label, about.help) for name, about in NUMBERS.items()),
    ]
