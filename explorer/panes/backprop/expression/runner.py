"""Evaluates and lays out a formula: immediately if it is small, else on the engine."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from core.autograd import ExpressionError
from core.jobs import to_the_end
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.backprop.expression.compute import Computed, compute
from explorer.panes.backprop.expression.draft import ExpressionDraft
from explorer.panes.backprop.expression.edge_routing import Routes, routes_of
from explorer.panes.backprop.expression.layout import Size
from explorer.panes.backprop.expression.scene import GraphScene, scene_of

SMALL_TEXT = 200  # characters that can be evaluated and laid out within a frame
SMALL_NUMBERS = 4_000  # elements of a laid-out graph that can be evaluated again within a frame
_GIVEN = re.compile(r"^([ \t]*\w+[ \t]*=)([-+\d.eE\[\], \t]*)$", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, eq=False)
class Solved:
    """The formula of a draft with all values, gradients and steps, laid out."""

    draft: ExpressionDraft
    scene: GraphScene
    routes: Routes

    @property
    def computed(self) -> Computed:
        return self.scene.computed


class Runner(QObject):
    """Stores the newest result in `solved`.

    came(new)      `solved` has other numbers; new: it has another graph
    laid_out()     `solved` has the same numbers in another layout
    refused(error) the formula is invalid: an ExpressionError
    broke(text)    the evaluation failed for another reason
    waiting()      the engine is at work
    """

    came = Signal(bool)
    laid_out = Signal()
    refused = Signal(object)
    broke = Signal(str)
    waiting = Signal()

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self.solved: Solved | None = None
        self.error: ExpressionError | None = None  # of the newest formula
        self._newest = ExpressionDraft()
        self._asked = self._newest, (0.0, 0.0)  # draft and room of the engine's layout
        self._latest = Latest(engine, owner, foreground=True)
        self._latest.came.connect(self._on_laid_out)
        self._latest.failed.connect(self.broke)

    @property
    def computed(self) -> Computed | None:
        return self.solved.computed if self.solved is not None else None

    def has_solved(self, draft: ExpressionDraft) -> bool:
        """True if `solved` belongs to this draft, apart from settings that no graph shows."""
        known = self.solved
        if known is None or self.error is not None:
            return False
        return known.draft.same_numbers(draft)

    def solve(self, draft: ExpressionDraft, room: Size) -> None:
        """Evaluates a draft and lays its graph out for `room`, the size of the picture."""
        known, asked, self._newest = self.solved, self._asked, draft
        small = len(draft.text) <= SMALL_TEXT
        if small or (known is not None and _has_same_graph(draft, known)):
            at_once = room if small or known is None else known.scene.room
            self._take(to_the_end(solve_steps(draft, known, at_once)))
            if at_once == room:
                self._latest.stop()
                return
            if self._latest.running and asked[1] == room and _is_like(draft, asked[0]):
                return  # _on_laid_out adds the newest numbers
            known = self.solved
        else:
            self.waiting.emit()
        self._asked = draft, room
        self._latest.ask(
            lambda: solve_steps(draft, known, room), "computing a formula", is_told=False
        )

    def stop(self) -> None:
        """Cancels the computation; the next one starts from nothing."""
        self._latest.stop()
        self.solved = None

    def _on_laid_out(self, found: Solved | ExpressionError) -> None:
        """Takes a layout, with newer numbers if an input has changed meanwhile."""
        if isinstance(found, Solved) and not found.draft.same_numbers(self._newest):
            found = to_the_end(solve_steps(self._newest, found, found.scene.room))
        self._take(found)

    def _take(self, found: Solved | ExpressionError) -> None:
        if isinstance(found, ExpressionError):
            self.error = found
            self.refused.emit(found)
            return
        known = self.computed if self.error is None else None
        plan = None if self.computed is None else self.computed.plan
        self.solved, self.error = found, None
        if known is found.computed:
            self.laid_out.emit()
        else:
            self.came.emit(plan is not found.computed.plan)


def solve_steps(
    draft: ExpressionDraft, known: Solved | None, room: Size
) -> Generator[None, None, Solved | ExpressionError]:
    """Solves a draft as a job; reuses whatever has not changed since `known`, the last result."""
    try:
        computed = compute(draft.text, draft.values, known.computed if known is not None else None)
    except ExpressionError as error:
        return error
    yield
    scene = scene_of(computed, known.scene if known is not None else None, room)
    yield
    if known is not None and scene.layout is known.scene.layout:
        return Solved(draft, scene, known.routes)
    return Solved(draft, scene, routes_of(scene))


def _has_same_graph(draft: ExpressionDraft, known: Solved) -> bool:
    """True if only a moderate count of numbers differs from the known result."""
    return known.computed.numbers <= SMALL_NUMBERS and _is_like(draft, known.draft)


def _is_like(draft: ExpressionDraft, other: ExpressionDraft) -> bool:
    """True if both have the same graph."""
    return without_numbers(draft.text) == without_numbers(other.text)


def without_numbers(text: str) -> str:
    """Returns a formula with 0 for the numbers its lines assign: the graph depends on the rest."""
    return _GIVEN.sub(lambda line: line[1] + _NUMBER.sub("0", line[2]), text)
