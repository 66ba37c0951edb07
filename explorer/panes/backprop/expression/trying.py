"""What is tried out: an input nudged, every gradient checked by nudging, steps downhill."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from core.autograd import ExpressionError, NumericGradient
from explorer import theme
from explorer.engine import tasks
from explorer.engine.latest import Latest
from explorer.panes.backprop.expression.cells import cell_name
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.draft import RATES
from explorer.panes.backprop.expression.explaining import agree
from explorer.panes.backprop.expression.verdict import verdict
from explorer.panes.backprop.expression.whatif import (
    WhatIf,
    along,
    check,
    is_cheap,
    is_cheap_to_check,
    try_steps,
    what_if,
)
from explorer.panes.backprop.expression.writing import compared, numeral

if TYPE_CHECKING:
    from explorer.panes.backprop.expression.mode import ExpressionMode

NUDGE = 0.1
LARGEST_NUDGE = 1e6
WORSE = 10.0  # times the first loss: the steps lead away


class Trying(QObject):
    """Keeps which leaf is tried and by how much; fills the two cards of the mode's view."""

    def __init__(self, mode: ExpressionMode) -> None:
        super().__init__(mode)
        self.mode = mode
        self.leaf = ""
        self.element = 0
        self.nudge = NUDGE
        self.what: WhatIf | None = None
        self._tried: Computed | None = None  # with whose numbers `what` was found
        self._checked: Computed | None = None  # whose gradients were found by nudging as well
        self._latest = Latest(mode.engine, mode)
        self._latest.progressed.connect(self._on_tried)
        self._latest.came.connect(self._on_checked)
        self._latest.failed.connect(self._on_failed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(theme.MOTION["live_number"])
        self._timer.timeout.connect(self._ask)
        self._moving = QTimer(self)  # live numbers change at most eight times a second
        self._moving.setSingleShot(True)
        self._moving.setInterval(theme.MOTION["live_number"])
        self._moving.timeout.connect(self._show_moved)
        one, two = mode.view.what_if, mode.view.learn
        one.curve.moved.connect(lambda value: mode.lab.move_leaf(self.leaf, self.element, value))
        one.curve.released.connect(mode.lab.draft.end_merge)
        one.leafChosen.connect(lambda name: self.try_leaf(name, 0))
        one.value.changed.connect(self._on_value)
        one.value.fits = self._check_rows
        one.nudge.changed.connect(self.set_nudge)
        one.nudge.set_limits(-LARGEST_NUDGE, LARGEST_NUDGE)
        two.stepRequested.connect(mode.lab.step_downhill)
        two.resetRequested.connect(mode.lab.reset_steps)
        two.rate.set_limits(*RATES)
        two.rate.changed.connect(mode.lab.set_rate)
        two.rate.refused.connect(self._on_rate_refused)
        two.learningChosen.connect(lambda on: mode.lab.set_fixed(self.leaf, not on))

    @property
    def computed(self) -> Computed | None:
        return self.mode.computed

    def restore(self, state: dict[str, Any]) -> None:
        leaf, nudge = state.get("leaf"), state.get("nudge")
        if isinstance(leaf, list) and len(leaf) == 2 and isinstance(leaf[0], str):
            self.leaf = leaf[0]
            self.element = leaf[1] if type(leaf[1]) is int and leaf[1] >= 0 else 0
        if type(nudge) in (int, float) and abs(nudge) <= LARGEST_NUDGE:
            self.nudge = float(nudge)

    # which leaf

    def try_leaf(self, name: str, element: int) -> None:
        """Another leaf, or another number of a tensor; the graph shows it chosen."""
        if self.computed is not None and name in self.computed.leaves:
            self.leaf, self.element = name, max(0, element)
            self.mode.choose(self.computed.leaves[name], self.element)
            self.refresh()

    def follow(self, name: str, element: int) -> None:
        """The graph has another leaf chosen."""
        computed = self.computed
        there = computed is not None and name in computed.leaves
        if there and (self.leaf, self.element) != (name, element):
            self.leaf, self.element = name, element
            self.refresh()

    def edit(self, name: str, element: int) -> None:
        """Puts the cursor where the value of a leaf is typed."""
        self.try_leaf(name, element)
        field = self.mode.view.what_if.value
        field.setFocus()
        field.selectAll()

    def refresh(self) -> None:
        """The formula has other values, or is another one."""
        computed = self.computed
        if computed is None:
            return
        self._latest.stop()  # it was asked about other numbers
        if self.leaf not in computed.leaves:
            self.leaf = next(iter(self._by_preference(computed)), "")
            self.element = 0
        value = computed.value(computed.leaves[self.leaf])
        self.element = min(self.element, value.size - 1)
        card = self.mode.view.what_if
        number = computed.leaves[self.leaf]
        card.set_leaves(list(computed.leaves), cell_name(computed, number, self.element))
        card.value.set_value(float(value.reshape(-1)[self.element]))
        card.nudge.set_value(self.nudge)
        card.set_error("")
        self._fill_learning(computed)
        if is_cheap_to_check(computed):
            self._show_checked(computed, check(computed))
        elif self._checked is not computed:  # those of other numbers tell nothing
            self._show_checked(computed, {})
            card.set_numeric("", "")
        is_done = False
        if is_cheap(computed):
            what = what_if(computed, self.leaf, self.element, self.nudge, self.what)
            is_done = what.curve.is_fine
            self._show(what)
        elif not self._moving.isActive():
            self._moving.start()
        if not (is_done and is_cheap_to_check(computed)):
            self._timer.start()

    def _show_checked(self, computed: Computed, numeric: dict[int, NumericGradient]) -> None:
        self._checked = computed
        self.mode.show_numeric(numeric)

    def _show_moved(self) -> None:
        """While an input of a large formula is dragged: where it has come on its curve."""
        what, computed = self.what, self.computed
        if what is None or computed is None or self._tried in (None, computed):
            return
        moved = along(what, computed)
        if moved is not None:
            self._show(moved)

    def _by_preference(self, computed: Computed) -> list[str]:
        """What learns comes first."""
        return sorted(computed.leaves, key=self.mode.lab.draft.value.is_fixed)

    # the engine

    def _ask(self) -> None:
        """What is too much for one frame: curves of large graphs, and checks."""
        computed = self.computed
        if not tasks.in_loop():  # the program stands still: later
            self._timer.start()
        elif computed is not None and self.mode.active:
            about = self.leaf, self.element, self.nudge, self.what
            self._latest.ask(lambda: try_steps(computed, *about), "trying an input", is_told=False)

    def _on_tried(self, found: list[WhatIf | None]) -> None:
        for what in found:
            if what is not None:
                self._tried = self.computed
                self._show(what)

    def _on_checked(self, numeric: dict[int, NumericGradient]) -> None:
        assert self.computed is not None
        self._show_checked(self.computed, numeric)
        if self.what is not None:
            self._show(self.what)

    def _on_failed(self, message: str) -> None:
        """What is shown is of other numbers, or of another input."""
        self.what = None
        self.mode.view.what_if.set_what_if(None, "")
        self.mode.view.what_if.set_error(message)

    def stop(self) -> None:
        self._timer.stop()
        self._moving.stop()
        self._latest.stop()

    # filling the cards

    def _show(self, what: WhatIf) -> None:
        computed = self.computed
        if computed is None or what.name not in computed.leaves:
            return
        self.what = what
        output = computed.graph.nodes[computed.output].label
        self.mode.view.what_if.set_what_if(what, output, *self._numeric_words(computed, what))

    def _numeric_words(self, computed: Computed, what: WhatIf) -> tuple[str, str, str]:
        """What nudging says of the gradient, in short and in a sentence, and the gradient with as
        many digits.
        """
        number = computed.leaves[what.name]
        numeric = self.mode.numeric.get(number)
        if numeric is None or computed.value(number).shape != numeric.slopes.shape:
            return "", "", numeral(what.gradient)
        one = float(numeric.slopes.reshape(-1)[what.element])
        error = float(numeric.errors.reshape(-1)[what.element])
        short, sentence = verdict(what, one, error)
        slope, nudged = compared(what.gradient, one, agree(what.gradient, one))
        return f"numeric gradient: {nudged}, {short}", sentence, slope

    def _fill_learning(self, computed: Computed) -> None:
        one, card = self.mode.lab.draft.value, self.mode.view.learn
        output = computed.graph.nodes[computed.output].label
        card.rate.set_value(one.rate)
        card.set_learning(self.leaf, not one.is_fixed(self.leaf))
        card.set_losses(one.losses, output)
        learning = one.learning(computed)
        if not learning:
            card.set_can_step(False, "Every input is fixed: let one take steps")
        elif not math.isfinite(computed.result):
            told = f"{output} is not finite here: {'reset, or ' * bool(one.begin)}move an input"
            card.set_can_step(False, told)
            if len(one.losses) < 2:
                card.set_words(told)
                return
        elif steep := one.endless(computed):
            told = f"The gradient of {steep} is not finite here: move an input, or fix {steep}"
            card.set_can_step(False, told)
            card.set_words(told)
            return
        else:
            card.set_can_step(True)
        card.set_words(self._told(computed, output, learning))

    def _told(self, computed: Computed, output: str, learning: list[str]) -> str:
        """How learning goes, and the remedy where it goes wrong."""
        losses = self.mode.lab.draft.value.losses
        if len(losses) < 2:
            if not learning:
                return "Every input is fixed."
            return f"Moves {', '.join(learning[:5])}{' ...' if len(learning) > 5 else ''}"
        steps = len(losses) - 1
        counted = "1 step" if steps == 1 else f"{steps} steps"
        if not math.isfinite(losses[-1]):
            return f"{output} is not finite after {counted}: lower the rate and reset"
        told = f"{numeral(losses[0])} \u2192 {numeral(losses[-1])} in {counted}"
        rising = losses[-1] > losses[-2]
        if rising and abs(losses[-1]) > WORSE * max(abs(losses[0]), 1e-12):
            return f"{told}: it diverges; lower the rate and reset"
        return f"{told}: it rose, so the rate is too large here" if rising else told

    # what is typed

    def _on_value(self, value: float | list[Any]) -> None:
        """A number for the chosen element, or rows of numbers for the whole leaf."""
        if self.computed is None:
            return
        if isinstance(value, float):
            self.mode.lab.move_leaf(self.leaf, self.element, value)
            self.mode.lab.draft.end_merge()
        else:
            self.mode.lab.set_leaf(self.leaf, value)

    def _check_rows(self, rows: list[Any]) -> None:
        try:
            self.mode.lab.check_leaf(self.leaf, rows)
        except ExpressionError as error:
            raise ValueError(f"this shape does not fit {self.leaf}: {error}") from None

    def set_nudge(self, nudge: float) -> None:
        self.nudge = nudge
        self.refresh()

    def _on_rate_refused(self, why: str) -> None:
        if why:
            self.mode.view.learn.set_words(why)
        elif self.computed is not None:
            self._fill_learning(self.computed)
