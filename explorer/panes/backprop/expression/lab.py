"""The draft and what comes of it: every change, and working it out anew."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.autograd import ExpressionError
from core.numbers import format_general
from explorer import theme
from explorer.engine import tasks
from explorer.engine.latest import Latest
from explorer.panes.backprop.expression.arranging import ENDLESS, Size
from explorer.panes.backprop.expression.compute import Computed, compute, is_small
from explorer.panes.backprop.expression.draft import ExpressionDraft, from_example
from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.panes.backprop.expression.scene import GraphScene
from explorer.panes.backprop.expression.solving import (
    Drawn,
    Solved,
    draw_steps,
    grow_steps,
    solve_steps,
)
from explorer.state.draft import Draft, named

if TYPE_CHECKING:
    from explorer.panes.modes import Mode

PATH = "backprop.expression"
SIGNS = str.maketrans(  # as they are printed: the same, typed
    {"\u2212": "-", "\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u00b2": "**2", "\u00b3": "**3"}
)
_GIVEN = re.compile(r"^([ \t]*\w+[ \t]*=)([-+\d.eE\[\], \t]*)$", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")


class ExpressionLab(QObject):
    """The draft lies in the workspace, so that each change of it can be undone.

    changed()     the draft is another, and not worked out yet
    solved(new)   `computed` is another; new: with another graph, not only other values
    failed(error) the formula cannot be read: an ExpressionError
    broke(text)   it could not be worked out for another reason
    waiting()     the engine works it out
    redrawn()     `drawn` is another picture of the same numbers
    settled()     what the graph does not show has changed: the rate, what takes steps, losses
    """

    changed = Signal()
    solved = Signal(bool)
    failed = Signal(object)
    broke = Signal(str)
    waiting = Signal()
    redrawn = Signal()
    settled = Signal()

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self._mode = mode
        self._engine = mode.engine
        self.computed: Computed | None = None
        self._shown_of: ExpressionDraft | None = None
        self.worked_out: ExpressionDraft | None = None  # of which `computed` is
        self._first: ExpressionDraft | None = None  # a graph to be seen before the draft is tried
        self.drawn: Drawn | None = None  # how `computed` is drawn, where the engine has found that
        self.room: Callable[[], Size] = lambda: ENDLESS  # that a picture has
        self.scene: Callable[[], GraphScene | None] = lambda: None  # that it shows
        self._asked: ExpressionDraft | None = None  # what the engine works out
        self._solving = Latest(self._engine, mode, foreground=True)
        self._drawing = Latest(self._engine, mode, foreground=True)
        self._growing = Latest(self._engine, mode)
        self._resting = QTimer(self)  # while a window is resized, nothing large is laid out
        self._resting.setSingleShot(True)
        self._resting.setInterval(theme.MOTION["live_number"])
        self._resting.timeout.connect(self._on_rest)
        self.is_readable = False  # what was said of the formula last: then its inputs can be moved
        self.draft = Draft(mode.workspace, PATH, ExpressionDraft, self)
        self._seen = self.draft.value  # of what all has been told
        self.draft.changed.connect(self._on_changed)
        self._solving.came.connect(self._on_solved)
        self._drawing.came.connect(self._on_drawn)
        for one in (self._solving, self._drawing):
            one.failed.connect(self.broke)

    @property
    def wanted(self) -> ExpressionDraft:
        """What is worked out now."""
        return self._first or self.draft.value

    @property
    def is_solved(self) -> bool:
        """Whether `computed` is of what is wanted now."""
        shown = self._shown_of
        return shown is not None and self.wanted.same_numbers(shown)

    @property
    def graph_of(self) -> ExpressionDraft | None:
        """Whose graph is seen, where the draft's formula cannot be read."""
        return self._first or (None if self.is_readable else self.worked_out)

    def restore(self, shown: ExpressionDraft | None) -> None:
        """Where a session was left: `graph_of` as it was then."""
        self._first = shown
        self.refresh()

    def _go_on(self) -> None:
        """To the formula that cannot be read, once the graph of the other is there."""
        if self._first is not None:
            self._first = None
            if not self.is_solved:
                self.refresh()

    # changes

    def set_text(self, text: str) -> None:
        one = self.draft.value.with_text(text.translate(SIGNS))
        self.draft.change(one, "Change the formula", "text")

    def show_example(self, name: str) -> None:
        example = next(one for one in EXAMPLES if one.id == name)
        one = self.draft.value
        told = f"Show “{example.title}”"
        self.draft.change(from_example(example, one.rate, one.checks), told)

    def move_leaf(self, name: str, element: int, value: float) -> None:
        """One number of a leaf; `element` counts a tensor's numbers."""
        if not self._can_move(name) or not math.isfinite(value):
            return
        assert self.computed is not None
        array = np.array(self.computed.value(self.computed.leaves[name]), dtype=np.float64)
        array.reshape(-1)[max(0, element)] = value
        one = self.draft.value.with_leaf(name, array.tolist())
        told = f"{name} = {format_general(value, 4)}" if array.size == 1 else f"Move {name}"
        self.draft.change(one, told, f"{name} {element}")

    def set_leaf(self, name: str, value: Any) -> None:
        """All numbers of a leaf, which may get another shape; `check_leaf` says whether it fits."""
        if self._can_move(name):
            one = self.draft.value.with_leaf(name, value)
            self.draft.change(one, f"Give {name} another value")

    def check_leaf(self, name: str, value: Any) -> None:
        """Raises ExpressionError where it is found at once that a leaf cannot have this value."""
        if self._can_move(name):
            one = self.draft.value.with_leaf(name, value)
            if _is_quick(one.text, self.computed):
                compute(one.text, one.values, self.computed)

    def _can_move(self, name: str) -> bool:
        """Not while the formula cannot be read: the graph that is seen is that of another."""
        return self.is_readable and self.computed is not None and name in self.computed.leaves

    def step_downhill(self, count: int = 1) -> None:
        """Steps by all inputs that take steps; each can be undone."""
        for _ in range(count):
            computed = self.computed
            if computed is None or not self.is_readable or not math.isfinite(computed.result):
                return
            one = self.draft.value
            if not one.learning(computed) or one.pending or one.endless(computed):
                return
            self.draft.change(self.draft.value.stepped(computed), "Take a gradient step")

    def reset_steps(self) -> None:
        self.draft.change(self.draft.value.at_the_beginning(), "Reset the gradient steps")

    def set_rate(self, rate: float) -> None:
        self.draft.change({"rate": rate}, named("Learning rate", rate))

    def set_fixed(self, name: str, fixed: bool) -> None:
        words = f"Fix {name}" if fixed else f"Let {name} take steps"
        self.draft.change(self.draft.value.with_fixed(name, fixed), words)

    def set_checks(self, on: bool) -> None:
        """Whether every gradient is shown a second time, by nudging."""
        words = "Check the gradients" if on else "Stop checking the gradients"
        self.draft.change({"checks": on}, words)

    def _on_changed(self, one: ExpressionDraft) -> None:
        before, self._seen = self._seen, one
        self._first = None
        self.changed.emit()
        if one.checks != before.checks:
            self.draw_anew()
        if not self.is_solved:
            self.refresh()
            return
        if one.pending and self.computed is not None:  # a step of no length
            self._learned(self.computed.result)
        self.settled.emit()

    def _learned(self, loss: float) -> None:
        """The loss that a step has led to; no change of its own."""
        self.draft.begin(self.draft.value.with_loss(loss))

    # working it out

    def refresh(self) -> None:
        """Works the draft out, at once where that fits into a frame, else on the engine, where
        the newest one takes the place of those before.
        """
        one, known = self.wanted, self.computed
        if not _is_quick(one.text, known):
            self._asked = one
            self.waiting.emit()
            about = one.text, one.values, known, one.checks, self.room()
            self._solving.ask(lambda: solve_steps(*about), "computing a formula", is_told=False)
            return
        self._solving.stop()
        try:
            found = compute(one.text, one.values, known)
        except ExpressionError as error:
            self._fail(error)
        else:
            self._show(Solved(found), one)

    def draw_anew(self) -> None:
        """The picture has a line for checks, or has it no more."""
        if self._solving.running:
            self.refresh()
        elif self.computed is not None and is_small(self.computed.text):
            self.drawn = None
            self.redrawn.emit()
        elif self.computed is not None:
            about = self.computed, self.scene(), self.draft.value.checks, self.room()
            self._drawing.ask(lambda: draw_steps(*about), "drawing a formula", is_told=False)

    def draw_soon(self) -> None:
        """The room for the picture is another; once it stays so, it is laid out for that."""
        self._resting.start()

    def _on_rest(self) -> None:
        if not tasks.in_loop():  # the program stands still: later
            self._resting.start()
        elif not self._solving.running:  # else it is drawn anyway
            self.draw_anew()

    def _on_solved(self, found: Solved | ExpressionError) -> None:
        assert self._asked is not None
        if isinstance(found, ExpressionError):
            self._fail(found)
        else:
            self._show(found, self._asked)

    def _on_drawn(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.redrawn.emit()

    def _fail(self, error: ExpressionError) -> None:
        self._shown_of, self.is_readable = None, False
        self.failed.emit(error)
        self._go_on()

    def _show(self, found: Solved, one: ExpressionDraft) -> None:
        before, computed, self.is_readable = self.computed, found.computed, True
        new = before is None or before.plan is not computed.plan
        if new:  # else it is drawn as it was, or as it is being drawn
            self._drawing.stop()
            self.drawn = found.drawn
        self.computed, self._shown_of = computed, one
        if one.pending:  # undone and done again, it is learned again
            self._learned(computed.result)
        self.worked_out = self.wanted
        self.solved.emit(new)
        self._go_on()

    async def grow(self, computed: Computed) -> None:
        """All steps of a large formula, on the engine; those of a newer one take their place."""
        self._growing.ask(lambda: grow_steps(computed), "putting steps together", is_told=False)
        await self._growing.settled()


def _is_quick(text: str, known: Computed | None) -> bool:
    """A short formula; or the known one with other numbers, where that was worked out quickly."""
    if is_small(text):
        return True
    if known is None or not known.is_quick:
        return False
    return text == known.text or _without_numbers(text) == _without_numbers(known.text)


def _without_numbers(text: str) -> str:
    """A formula without those that its lines give names: with others it has the same graph."""
    return _GIVEN.sub(lambda line: line[1] + _NUMBER.sub("0", line[2]), text)
