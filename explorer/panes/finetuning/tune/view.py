"""The widgets of Tune: the setup, curves of learning and forgetting, and below them a row for each
run with its state, buttons and answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from core.finetuning.settings import RATES
from core.numbers import format_count, format_estimate, format_general
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Method, Planned
from explorer.panes.finetuning.tune.draft import FIELDS, NUMBERS, TuneDraft
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS
from explorer.panes.finetuning.tune.scene import Curves
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, row
from explorer.widgets.card import breakable
from explorer.widgets.check_table import CheckRow, CheckTable
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.fields import ChoiceField, ErrorLine, Field
from explorer.widgets.folding_form import FoldingForm
from explorer.widgets.form import TakesFiles
from explorer.widgets.matrix_kinds import kind_words
from explorer.widgets.place_field import PlaceField
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.push_button import push_button
from explorer.widgets.run_rows import RunRows
from explorer.widgets.setting_fields import TYPED, SettingFields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.switch_grid import ALL, Switches, SwitchGrid

if TYPE_CHECKING:
    from core.finetuning.held_out_answers import Asked

NAME = "finetuning.tune"
FORM = 284  # px
VALUES = {
    "rank": (1, 2, 4, 8, 16, 32, 64),
    "replay": (0.0, 0.1, 0.25, 0.5, 0.75),
    "variant": text.VARIANTS,
    "quantize": text.QUANTIZE,
    **dict.fromkeys((*NUMBERS, "classes"), TYPED),
}
DEEP = (
    *(("base_data", "quantize"), ("steps", "learning_rate"), ("alpha", "variant")),
    *(("last_layers", "bottleneck_width"), ("prompt_tokens", "classes")),
)
WIDE = ("base", "data", "methods", "targets")  # fields whose errors take the whole width


def _field(kind: type[Field], name: str, choices: list[tuple[str, str]]) -> Any:
    return kind(name, FIELDS[name].label, choices, FIELDS[name].help)  # type: ignore[arg-type]


class TuneForm(FoldingForm):
    """The form of the setup. Emits `askRequested(name)` to choose a folder or a file."""

    askRequested = Signal(str)

    def __init__(self) -> None:
        self.planned = Planned()
        self.methods = CheckTable("What is trained", text.COLUMNS, self._tell_method)
        self.targets = SwitchGrid("Matrices that LoRA changes", "Matrices", self._tell_matrix)
        self.error, self.told = ErrorLine(), Label("", "label", "muted", wrap=True)
        self.count = Label("", "label", "muted", wrap=True)
        self.get = push_button("", text.GET_HELP)
        self.start = push_button(text.START, text.START_HELP, "primary")
        self.costs = Label("", "label", "muted")
        places: list[Field] = [_field(PlaceField, *one) for one in text.PLACES.items()]
        places.append(_field(ChoiceField, "broken_lines", text.BROKEN))
        self.settings = SettingFields(NAME, FIELDS, VALUES, {("replay", 0.0): "none"}, self.start)
        shown = (
            *(("base", "data"), (self.error,), (self.get,), (self.told,), ("broken_lines",)),
            *((self.methods,), (self.targets,), (self.count,), ("rank", "replay")),
        )
        foot = self.costs, self.start
        super().__init__(NAME, places, shown, DEEP, FORM, self.settings, foot)
        self.places = {one.name: one for one in places}
        for place in places:
            if isinstance(place, PlaceField):
                place.askRequested.connect(partial(self.askRequested.emit, place.name))
                place.box.setMinimumContentsLength(5)
        name_parts(self, NAME, "methods", "targets", "get", "start")
        for rare in (self.get, self.told, self.count, self.fields["broken_lines"]):
            rare.hide()

    def _tell_method(self, at: int) -> str:
        return text.method_tip(self.planned.methods[at])

    def _tell_matrix(self, kind: int, layer: int, is_on: bool) -> str:
        matrices = self.planned.matrices
        name = "" if kind == ALL or matrices is None else matrices.kinds[kind]
        is_joined = matrices is not None and any(
            cell in matrices.joined for cell in ((kind, layer), (kind + 1, layer))
        )
        return text.matrix_tip(name, None if layer == ALL else layer, is_on, is_joined)

    def set_draft(self, draft: TuneDraft) -> None:
        for name, field in self.places.items():
            field.set_value(getattr(draft, name))
        self.settings.show(draft)

    def set_waiting(self) -> None:
        """Shows that the previous estimates are outdated."""
        self.costs.setText(text.WORKS_OUT)
        waits = ("\u2026",) * (len(text.COLUMNS) - 1)
        rows = [replace(one, cells=waits) for one in self.methods.scene or ()]
        self.methods.set_scene(rows)

    def set_planned(self, planned: Planned) -> None:
        """Shows the plan, or each field's error next to it."""
        self.planned, errors = planned, planned.errors
        self.settings.set_errors(errors)
        self.places["base_data"].set_error(errors.get("base_data", ""))
        self.error.set_text(next((why for name, why in errors.items() if name in WIDE), ""))
        self.told.setText(breakable(planned.told))
        self.told.setVisible(bool(planned.told))
        self.fields["broken_lines"].setVisible(planned.broken > 0)
        self.open_for(errors)
        if planned.methods:
            self.methods.set_scene([check_row(one) for one in planned.methods])
        if (found := planned.matrices) is not None:
            layers = 1 + max(at for _, at in found.cells)
            names = tuple(map(kind_words, found.kinds))
            self.targets.set_scene(Switches(names, layers, found.chosen, found.joined))
        is_lora = any(one.name == "lora" and one.chosen for one in planned.methods)
        usual = [format_general(RATES[one.name]) for one in planned.methods if one.chosen]
        self.fields["learning_rate"].editor.setPlaceholderText(", ".join(usual))
        self.targets.setEnabled(is_lora and "base" not in errors)
        self.fields["rank"].setEnabled(is_lora)
        self.count.setText(text.count_sum(planned.counts))
        self.count.setVisible(bool(planned.counts))
        self.costs.setText(text.costs(planned))
        why = next(iter(errors.values()), "")
        self.start.setEnabled(not why and bool(planned.configs))
        self.start.setToolTip(why or text.START_HELP)


def check_row(method: Method) -> CheckRow:
    """Returns the row of a method with its costs."""
    about, cells, why = METHOD_TEXTS[method.name], (), "impossible"
    if (found := method.estimate) is not None:
        costs = format_count(found.trainable), format_estimate(found.seconds)
        cells, why = (costs[0], format_general(method.rate), costs[1]), ""
    return CheckRow(about.title, about.color, method.chosen, cells, why)


class Charts(QWidget):
    """Draws the losses on the new and the base's skill; below them the share of right answers."""

    def __init__(self) -> None:
        super().__init__()
        self.losses, self.exact = LinePlot("Losses"), LinePlot("Exact answers")
        self.losses.set_axes("step", text.LOSS_AXIS)
        self.losses.set_log(True)
        self.exact.set_axes("step", text.EXACT_AXIS)
        self.exact.set_y_range(0, 104)  # with some space above 100 %
        self.losses.share_margins(self.exact)
        for plot in (self.losses, self.exact):
            plot.set_empty_text(text.NO_CURVE)
        name_parts(self, NAME, "losses", "exact")
        column((self.losses, 5), (self.exact, 3), of=self)

    def set_curves(self, curves: Sequence[Curves], note: str = "") -> None:
        """Draws two curves for each run, the last on top; of many runs, only one curve is named."""
        losses, exact, few = [], [], len(curves) <= text.MOST_LISTED
        for one, ink in zip(curves, text.inks(curves), strict=True):
            steps, shares = one.exact
            before = one.base_data if one.base_data != one.data else f"{one.data} before"
            losses.append(Series(f"{one.name} on {before}", *one.old, ink, dashed=True, named=few))
            losses.append(Series(f"{one.name} on {one.data}", *one.new, ink))
            exact.append(Series(f"{one.name} on {one.data}", steps, 100 * shares, ink))
        last = max((one.steps for one in curves), default=1)
        for plot, series in ((self.losses, losses), (self.exact, exact)):
            plot.set_x_range(0, last)
            plot.set_series([one for one in series if len(one.x)])
        self.losses.set_note(note if few else text.DASHED)
        self.exact.setVisible(bool(self.exact.series))

    def set_cursor(self, step: int | None) -> None:
        for plot in (self.losses, self.exact):
            plot.set_cursor(step)


class Answers(QWidget):
    """Shows one held-out question, and a row for each run with its state, buttons and answer. Emits
    `anotherRequested` for another question.
    """

    anotherRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.question, self.runs = CutLabel("label", "muted"), RunRows(NAME)
        self.another = push_button(text.ANOTHER, "Ask every model about another story", "quiet")
        self.another.clicked.connect(self.anotherRequested)
        self.answers: Asked | None = None
        name_parts(self, NAME, "question", "another")
        column(card(row((self.question, 1), self.another), self.runs), of=self)

    def set_asked(self, asked: Asked | None, data: str = "") -> None:
        """Shows answers; `tuned` is by the run's folder; `data` is the question's data set."""
        self.answers = asked
        self.another.setEnabled(asked is not None and asked.count > 1)
        self.question.set_text(text.question(asked, data) if asked is not None else "")
        self.runs.set_said(*((asked.base, asked.tuned) if asked is not None else ("", {})))


class TuneView(TakesFiles):
    """Lays out the setup on the left, and the picture and the answers on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName(NAME)
        self.form, self.charts, self.answers = TuneForm(), Charts(), Answers()
        self.body = StatefulPicture(self.charts, "lines")
        row(self.form, (column((self.body, 1), self.answers), 1), of=self, spacing=16)
        self.layout().setContentsMargins(16, 8, 16, 8)
