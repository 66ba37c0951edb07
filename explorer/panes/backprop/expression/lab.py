"""The experiment and what comes of it: every change, and working it out anew."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.autograd import ExpressionError
from explorer import errors
from explorer.engine import SUPERSEDED, EngineDied
from explorer.panes.backprop.expression.computing import (
    Computed,
    compute,
    compute_whole,
    is_small,
)
from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.panes.backprop.expression.experiment import Experiment, from_example

if TYPE_CHECKING:
    from explorer.panes.modes import Mode

EXPERIMENT = "backprop.expression"
SIGNS = str.maketrans("\u2212\u00d7\u00b7\u00f7", "-**/")  # as they are printed: the same, typed
_NUMBERS = re.compile(r"[-+]?[\d.]+(?:e[-+]?\d+)?")


class Lab(QObject):
    """The experiment lies in the workspace, so that each change of it can be undone.

    solved(new)   `computed` is another; new: with another graph, not only other values
    failed(error) the formula cannot be read: an ExpressionError
    broke(text)   it could not be worked out for another reason
    waiting()     the engine works it out
    settled()     what the graph does not show has changed: the rate, what takes steps, losses
    """

    solved = Signal(bool)
    failed = Signal(object)
    broke = Signal(str)
    waiting = Signal()
    settled = Signal()

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self._mode = mode
        self._workspace = mode.workspace
        self._engine = mode.engine
        self.computed: Computed | None = None
        self._shown_of: Experiment | None = None
        self._turn = 0
        self._later = False
        self._merging = ""
        self._workspace.begin(EXPERIMENT, Experiment())
        self._workspace.changed.connect(self._on_changed)
        self._engine.activityChanged.connect(self._on_activity)

    @property
    def experiment(self) -> Experiment:
        return self._workspace.value(EXPERIMENT)

    @property
    def is_solved(self) -> bool:
        """Whether `computed` is of the experiment as it is now."""
        shown = self._shown_of
        return shown is not None and self.experiment.same_numbers(shown)

    def begin(self, experiment: Experiment) -> None:
        """Where a session was left: no change to undo."""
        self._workspace.begin(EXPERIMENT, experiment)

    # changes

    def set_text(self, text: str) -> None:
        self.change(self.experiment.with_text(text.translate(SIGNS)), "Change the formula", "text")

    def show_example(self, name: str) -> None:
        example = next(one for one in EXAMPLES if one.id == name)
        self.change(from_example(example, self.experiment.rate), f"Show “{example.title}”")

    def move_leaf(self, name: str, element: int, value: float) -> None:
        """One number of a leaf; `element` counts a tensor's numbers."""
        if self.computed is None or name not in self.computed.leaves or not math.isfinite(value):
            return
        array = np.array(self.computed.value(self.computed.leaves[name]), dtype=np.float64)
        array.reshape(-1)[max(0, element)] = value
        one = self.experiment.with_leaf(self.computed, name, array.tolist())
        self.change(one, f"Move {name}", f"{name} {element}")

    def set_leaf(self, name: str, value: Any) -> None:
        """All numbers of a leaf, which may get another shape."""
        if self.computed is not None and name in self.computed.leaves:
            one = self.experiment.with_leaf(self.computed, name, value)
            self.change(one, f"Give {name} another value")

    def step_downhill(self, count: int = 1) -> None:
        """Steps by all inputs that take steps; each can be undone."""
        for _ in range(count):
            computed = self.computed
            if computed is None or not math.isfinite(computed.result):
                return
            one = self.experiment
            if not one.learning(computed) or one.pending or one.endless(computed):
                return
            self.change(self.experiment.stepped(computed), "Take a gradient step")

    def reset_steps(self) -> None:
        self.change(self.experiment.at_the_beginning(), "Reset the gradient steps")

    def set_rate(self, rate: float) -> None:
        self.change(replace(self.experiment, rate=rate), "Change the learning rate")

    def set_fixed(self, name: str, fixed: bool) -> None:
        words = f"Fix {name}" if fixed else f"Let {name} take steps"
        self.change(self.experiment.with_fixed(name, fixed), words)

    def change(self, experiment: Experiment, text: str, merging: str = "") -> None:
        """An undoable change; those with the same `merging`, one after the other, are one."""
        if merging != self._merging or not merging:
            self._workspace.end_merge()
        self._merging = merging
        self._workspace.change(EXPERIMENT, experiment, text, merge=bool(merging))

    def end_merge(self) -> None:
        """The drag is over."""
        self._merging = ""
        self._workspace.end_merge()

    def _on_changed(self, path: str, _: Any) -> None:
        if path != EXPERIMENT:
            return
        if not self.is_solved:
            self.refresh()
            return
        if self.experiment.pending and self.computed is not None:  # a step of no length
            self._learned(self.computed.result)
        self.settled.emit()

    def _learned(self, loss: float) -> None:
        """The loss that a step has led to; no change of its own."""
        self.begin(self.experiment.with_loss(loss))

    # working it out

    def refresh(self) -> None:
        """Works the experiment out, at once where that fits into a frame, else on the engine."""
        one, known = self.experiment, self.computed
        self._turn += 1
        self._later = False
        if _is_quick(one.text, known):
            try:
                found = compute(one.text, one.values, known)
            except ExpressionError as error:
                self._fail(error)
            else:
                self._show(found, one)
        elif self._engine.alive:
            self.waiting.emit()
            self._mode.spawn(self._work(self._turn, one))
        else:
            self._later = True

    async def _work(self, turn: int, one: Experiment) -> None:
        if turn != self._turn:
            return
        key = (self._mode.objectName(), "compute")
        try:
            found = await self._engine.call(compute_whole, one.text, one.values, key=key)
        except ExpressionError as error:
            if turn == self._turn:
                self._fail(error)
            return
        except (ValueError, EngineDied) as error:
            if turn == self._turn:
                self.broke.emit(str(error))
            return
        except Exception as error:  # the picture must not wait for ever
            errors.report(error, "working out a formula")
            if turn == self._turn:
                self.broke.emit(str(error))
            return
        if found is not SUPERSEDED and turn == self._turn:
            self._show(found, one)

    def _on_activity(self) -> None:
        if self._later and self._engine.alive:
            self.refresh()

    def _fail(self, error: ExpressionError) -> None:
        self._shown_of = None
        self.failed.emit(error)

    def _show(self, computed: Computed, one: Experiment) -> None:
        before = self.computed
        self.computed, self._shown_of = computed, one
        if one.pending:  # undone and done again, it is learned again
            self._learned(computed.result)
        self.solved.emit(before is None or before.plan is not computed.plan)

    async def grow(self, computed: Computed) -> None:
        """All steps of a large formula, on the engine."""
        key = (self._mode.objectName(), "steps")
        await self._engine.call(computed.step, len(computed.plan), key=key)


def _is_quick(text: str, known: Computed | None) -> bool:
    """A short formula; or the known one with other numbers, where that was worked out quickly."""
    if is_small(text):
        return True
    if known is None or not known.is_quick:
        return False
    if text == known.text:
        return True
    return _NUMBERS.sub("0", text) == _NUMBERS.sub("0", known.text)
