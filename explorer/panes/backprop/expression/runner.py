"""Works a formula out and lays it out: at once what is small, else on the engine."""

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

SMALL_TEXT = 200  # characters that can be worked out and laid out within a frame
SMALL_NUMBERS = 4_000  # of a graph that is laid out, that can be worked out again within one
_GIVEN = re.compile(r"^([ \t]*\w+[ \t]*=)([-+\d.eE\[\], \t]*)$", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, eq=False)
class Solved:
    """A draft's formula with all its values, gradients and steps, and where each stands."""

    draft: ExpressionDraft
    scene: GraphScene
    routes: Routes

    @property
    def computed(self) -> Computed:
        return self.scene.computed


class Runner(QObject):
    """Keeps the newest answer in `solved`.

    came(new)      `solved` has other numbers; new: it has another graph
    laid_out()     it has the same ones, otherwise laid out
    refused(error) the formula cannot be read: an ExpressionError
    broke(text)    it could not be worked out for another reason
    waiting()      the engine works it out
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
        self._asked = self._newest, (0.0, 0.0)  # what the engine lays out, and for which room
        self._latest = Latest(engine, owner, foreground=True)
        self._latest.came.connect(self._on_laid_out)
        self._latest.failed.connect(self.broke)

    @property
    def computed(self) -> Computed | None:
        return self.solved.computed if self.solved is not None else None

    def has_solved(self, draft: ExpressionDraft) -> bool:
        """Whether `solved` is of this draft, but for what no graph shows."""
        known = self.solved
        if known is None or self.error is not None:
            return False
        return known.draft.same_numbers(draft)

    def solve(self, draft: ExpressionDraft, room: Size) -> None:
        """`room`: of the picture, which the graph is laid out for."""
        known, asked, self._newest = self.solved, self._asked, draft
        small = len(draft.text) <= SMALL_TEXT
        if small or (known is not None and _has_same_graph(draft, known)):
            at_once = room if small or known is None else known.scene.room
            self._take(to_the_end(solve_steps(draft, known, at_once)))
            if at_once == room:
                self._latest.stop()
                return
            if self._latest.running and asked[1] == room and _is_like(draft, asked[0]):
                return  # it gets the newest numbers when it is laid out
            known = self.solved
        else:
            self.waiting.emit()
        self._asked = draft, room
        self._latest.ask(
            lambda: solve_steps(draft, known, room), "computing a formula", is_told=False
        )

    def _on_laid_out(self, found: Solved | ExpressionError) -> None:
        """Meanwhile an input may have been moved."""
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
    """A job. `known` is what was solved before: what a draft leaves as it was is taken from it."""
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
    """Whether it differs from what is known in a moderate count of numbers alone."""
    return known.computed.numbers <= SMALL_NUMBERS and _is_like(draft, known.draft)


def _is_like(draft: ExpressionDraft, other: ExpressionDraft) -> bool:
    """Whether both have the same graph."""
    return without_numbers(draft.text) == without_numbers(other.text)


def without_numbers(text: str) -> str:
    """A formula without those that its lines give names: with others it has the same graph."""
    return _GIVEN.sub(lambda line: line[1] + _NUMBER.sub("0", line[2]), text)
