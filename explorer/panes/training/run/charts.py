"""The run's charts: a large one of the losses; below it small ones of learning rate, gradient norm,
speed and memory, or one of the heads' scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSlider, QWidget

from core.numbers import byte_unit, format_bytes, format_number, format_percent
from explorer import theme
from explorer.panes.training.run.ancestry import comparable, names_apart, validation_of
from explorer.panes.training.run.generalization_gap import evaluated, gap_note
from explorer.panes.training.run.head_scores import (
    SCORES,
    TEST,
    axis,
    birth_marks,
    head_of,
    head_series,
)
from explorer.panes.training.run.track import checkpoint_text
from explorer.runs.run_data import RunData
from explorer.widgets.base import Label
from explorer.widgets.boxes import column, row
from explorer.widgets.drop_down import DropDown
from explorer.widgets.pages import Pages
from explorer.widgets.plots.line_plot import LinePlot, Mark, Series
from explorer.widgets.plots.small_plot import SmallPlot
from explorer.widgets.toggle import Switch
from explorer.widgets.wrap_row import labelled

# name, field of a step's record, title, color, format of a value
SMALL: tuple[tuple[str, str, str, int, Callable[[float], str]], ...] = (
    ("rate", "learning_rate", "learning rate", 2, format_number),
    ("norm", "grad_norm", "gradient norm", 3, format_number),
    ("speed", "speed", "tokens/s", 4, lambda value: f"{value:,.0f}"),
    ("memory", "memory", "process RAM", 5, format_bytes),
)
LEAST = 160  # px of the losses' height: lower lines are hard to read
LEAST_HEADS = 128  # px of the heads' scores
NEAR_GUESSING = 0.7  # of the guess's loss: its line is drawn if the first loss is above
UNITS = {"memory": byte_unit}
LESSON = 4  # color of the first lesson's loss
RATES = "rates"
BELOW = [(f"Heads: {title.lower()}", name) for name, title in SCORES.items()]
NOISY = ("norm", "speed")


class Charts(QWidget):
    """Emits `clicked(step)`. `tools` (smoothing, log axis, lower chart) join the pane's inputs."""

    clicked = Signal(float)
    headClicked = Signal(int, int, float)  # layer, head, step
    looksChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._train = ""  # name of the run's training loss series
        self.loss = LinePlot("Losses")
        self.loss.setObjectName("training.view.loss")
        self.loss.set_axes("step", "loss (nats per token)")
        self.small = {
            name: SmallPlot(title, ink, put, UNITS.get(name), noisy=name in NOISY)
            for name, _, title, ink, put in SMALL
        }
        for name, plot in self.small.items():
            plot.setObjectName(f"training.view.{name}")
        self.heads = LinePlot("Scores of the heads")
        self.heads.setObjectName("training.view.scores")
        self.heads.picks_lines = True
        self.heads.set_note(TEST)
        self.loss.share_margins(self.heads)
        for plot in (self.loss, self.heads):
            plot.zooms = True
            plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            plot.spanChanged.connect(self.set_span)
        self.below = DropDown("Below the losses", "What is drawn below the losses")
        self.below.setObjectName("training.view.below")
        self.below.fill([("Rate, norm, speed", RATES), *BELOW], RATES)
        self._run: RunData | None = None
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("training.view.smoothing")
        self.smoothing.setRange(0, 99)
        self.smoothing.setValue(60)
        self.smoothing.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # on all platforms
        self.smoothing.setSingleStep(5)
        self.smoothing.setPageStep(20)
        self.smoothing.setAccessibleName("Smoothing of the training loss")
        self.log = Switch("Log axis")
        self.log.setObjectName("training.view.log")
        self.tools, self._rates = QWidget(), QWidget()
        below = labelled("below", self.below)
        row(Label("smoothing", "label", "muted"), self.smoothing, self.log, below, of=self.tools)
        row(*((plot, 1) for plot in self.small.values()), of=self._rates, spacing=12)
        self._pages = Pages(self._rates, self.heads)
        self._column = column(self.loss, self._pages, of=self)
        self.set_below(RATES)
        for plot in (self.loss, self.heads, *self.small.values()):
            plot.clicked.connect(self.clicked)
        self.heads.lineClicked.connect(
            lambda name, step: self.headClicked.emit(*head_of(name), step)
        )
        self.below.picked.connect(self.set_below)
        self.smoothing.valueChanged.connect(self._on_looks)
        self.log.toggled.connect(self._on_looks)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._on_looks()

    def _restyle(self) -> None:
        now = theme.current()
        self.loss.setMinimumHeight(now.px(LEAST))
        self.heads.setMinimumHeight(now.px(LEAST_HEADS))
        self.smoothing.setFixedWidth(now.px(72))
        self.smoothing.setMinimumHeight(now.px("hit"))

    @property
    def score(self) -> str:
        """The head score that is drawn below the losses; "" for none."""
        return "" if self.below.currentData() == RATES else str(self.below.currentData())

    def set_below(self, below: str) -> None:
        """Draws the small plots (RATES) or a score of the heads below the losses."""
        self.below.setCurrentIndex(self.below.findData(below))
        self._pages.setCurrentWidget(self.heads if self.score else self._rates)
        for place, share in enumerate((5, 4) if self.score else (7, 2)):
            self._column.setStretch(place, share)
        self._draw_heads()
        self.looksChanged.emit()

    def set_span(self, span: tuple[float, float] | None) -> None:
        """Zooms both large plots to a range of steps; None shows all steps."""
        for plot in (self.loss, self.heads):
            plot.set_span(span)

    def _draw_heads(self) -> None:
        if self.score:
            self.heads.set_axes("step", axis(self.score))
            known = self._run is not None and self._run.head_scores.get(self.score)
            self.heads.set_series(head_series(*known) if known else [])
            born = self._run if self.score == "induction" else None
            self.heads.set_marks([] if born is None else birth_marks(born))

    def set_runs(
        self, run: RunData | None, other: RunData | None = None, past: RunData | None = None
    ) -> None:
        """Shows a run, a second run below it (dashed), and the past before a branch (muted)."""
        self._run = run
        if run is None:
            self.set_span(None)
            self._draw_heads()
            self.loss.set_series([])
            self.loss.set_marks([])
            self.loss.set_note("")
            for plot in self.small.values():
                plot.set_line(np.empty(0), np.empty(0))
            return
        self.loss.set_marks(marks_of(run))
        self.loss.set_note(gap_note(run) if other is None else why_not_drawn(run, other))
        series = all_losses(run, other, past)
        self._train = series[-1].name
        high = max(run.config.steps, other.config.steps if other else 0)
        shown = max(run.step, other.step if other else 0, 10)
        # The axis doubles until the whole run fits, so that the first steps fill it, too.
        edge = min(high, 2 ** math.ceil(math.log2(shown)))
        for plot in (self.loss, self.heads):
            plot.set_x_range(0, edge)
        self._draw_heads()
        self.loss.set_series([*guessing(run, edge), *series])
        for name, field, *_ in SMALL:
            plot = self.small[name]
            plot.set_x_range(0, edge)
            below = past if other is None else other
            drawn = below is not None and len(below.steps)
            plot.set_line(*run.series(field), below.series(field) if drawn else None)

    def set_cursor(self, step: float | None) -> None:
        for plot in (self.loss, self.heads, *self.small.values()):
            plot.set_cursor(step)

    @property
    def smoothed_loss(self) -> float | None:
        """The last value of the smoothed training loss; None without smoothing."""
        return self.loss.ends.get(self._train) if self.smoothing.value() else None

    def state(self) -> dict[str, object]:
        looks = {"smoothing": self.smoothing.value(), "log": self.log.isChecked()}
        return {**looks, "below": self.below.currentData()}

    def restore(self, state: dict[str, object]) -> None:
        smoothing, log = state.get("smoothing"), state.get("log")
        if type(smoothing) is int and 0 <= smoothing <= self.smoothing.maximum():
            self.smoothing.setValue(smoothing)
        if isinstance(log, bool):
            self.log.setChecked(log)
        if (below := state.get("below")) in (RATES, *SCORES):
            self.set_below(str(below))

    def _on_looks(self, _: object = None) -> None:
        share = format_percent(self.smoothing.value() / 100)
        self.smoothing.setToolTip(f"Smoothing {share}; the faint line shows the measured losses")
        self.smoothing.setAccessibleDescription(f"{share}; arrow keys change it")
        strength = 1 - (1 - self.smoothing.value() / 100) ** 2
        self.loss.set_smoothing(strength)
        for name in NOISY:
            self.small[name].set_smoothing(strength)
        self.loss.set_log(self.log.isChecked())
        self.looksChanged.emit()


def marks_of(run: RunData) -> list[Mark]:
    """Returns the marks of checkpoints, skipped steps, and the step of the branch."""
    kept = [Mark(step, checkpoint_text(step)) for step in sorted(run.checkpoints)]
    kept += [Mark(step, f"step {step:,} was skipped", cross=True) for step in sorted(run.skips)]
    if 0 < run.config.copying_steps < run.step:
        kept.append(Mark(run.config.copying_steps, "the text alone", rule=True))
    if run.parent is None:
        return kept
    name, step = Path(str(run.parent["run"])).name, int(run.parent["step"])
    return [Mark(step, f"branched from {name} at step {step:,}", rule=True), *kept]


def why_not_drawn(run: RunData, other: RunData) -> str:
    if comparable(run, other):
        return ""
    name = names_apart(run, other)[1]
    return f"{name} is not drawn: with another tokenizer, losses per token cannot be compared"


def all_losses(run: RunData, other: RunData | None, past: RunData | None) -> list[Series]:
    """Returns the lines from bottom to top: past, other run (if comparable), the run itself; alone,
    also its evaluations on training text, if the curve counts more than that.
    """
    series: list[Series] = []
    drawn = other if other is not None and comparable(run, other) else None
    if past is not None and (drawn is None or drawn.folder.resolve() != past.folder.resolve()):
        series += past_series(past)
    own = ""
    if other is None and len(evaluated(run)[0]):
        steps, values = evaluated(run)
        marks = len(steps) < 80
        series.append(Series("train, evaluated", steps, values, dashed=True, marks=marks))
    if drawn is not None:
        own, its = names_apart(run, drawn)
        series += loss_series(drawn, f" {its}", dashed=True, first=2)
    return series + loss_series(run, own and f" {own}")


def guessing(run: RunData, edge: float) -> list[Series]:
    """Returns the line of the uniform guess's loss, if the run began near it."""
    level = math.log(run.vocabulary) if run.vocabulary else math.inf
    _, losses = run.series("loss")
    if not len(losses) or not level * NEAR_GUESSING < losses[0] < math.inf:
        return []
    name = f"blind guess (ln {run.vocabulary:,})"
    return [Series(name, np.array([0.0, edge]), np.full(2, level), "muted", dashed=True)]


def past_series(past: RunData) -> list[Series]:
    """Returns the lines before a branch, unnamed, because the branch's mark names their run."""
    before = "before the branch"
    measured, losses = validation_of(past), past.series("loss")
    validation = Series(f"validation {before}", *measured, "muted", dashed=True, named=False)
    train = Series(before, *losses, "muted", smoothed=True, named=False)
    return [one for one in (validation, train) if len(one.x)]


def loss_series(run: RunData, suffix: str, dashed: bool = False, first: int = 0) -> list[Series]:
    """Returns the training loss of every step, that of a first lesson as a line of its own, and the
    validation loss where measured.
    """
    x, y = run.series("loss")
    begun = int(np.searchsorted(x, run.config.copying_steps, side="right"))
    train = [Series(f"train{suffix}", x[begun:], y[begun:], first, smoothed=True, dashed=dashed)]
    if begun:  # copying is easier or harder than the text: one line would compare them
        name = f"copying{suffix}"
        part = Series(name, x[:begun], y[:begun], LESSON, smoothed=True, dashed=dashed)
        train = [part, *train] if begun < len(x) else [part]
    made = []
    if len(run.evaluations):
        steps, values = validation_of(run)
        name = f"validation{suffix}"
        made.append(Series(name, steps, values, first + 1, dashed=dashed, marks=len(steps) < 80))
    return [*made, *train]
