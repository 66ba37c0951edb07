"""What the inspector is about: the node that is looked at, else the step that is played."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from explorer import theme
from explorer.engine import tasks
from explorer.panes.backprop.expression import explaining
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.scene import subject_at
from explorer.widgets.formula import set_formulas

if TYPE_CHECKING:
    from explorer.panes.backprop.expression.mode import ExpressionMode

AHEAD = 4  # steps whose formulas are set before they are shown
MANY_STEPS = 120  # of more, the steps are put together on the engine


class Inspecting(QObject):
    """Tells the inspector. To set a formula takes most of a frame, so that is done elsewhere first;
    meanwhile what was told before stays.
    """

    def __init__(self, mode: ExpressionMode) -> None:
        super().__init__(mode)
        self._mode = mode
        self._set: set[str] = set()  # formulas
        self._setting: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(theme.MOTION["live_number"])
        self._timer.timeout.connect(self._on_time)

    def soon(self) -> None:
        """Live numbers change at most eight times a second."""
        if not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _on_time(self) -> None:
        if tasks.in_loop():
            self.now()
        else:  # the program stands still: later
            self.soon()

    def now(self) -> None:
        """Tells what is seen, as soon as its formula is set."""
        mode, computed = self._mode, self._mode.computed
        if not mode.active:
            return
        if computed is None:
            mode.inspection.emit(None)
            return
        if len(computed.plan) > MANY_STEPS and not computed.trace.complete:
            mode.spawn(self._grow(computed))
            return
        found = self._found(computed)
        latex = found.step.formula if found.step is not None else ""
        if not latex or latex in self._set:
            mode.inspection.emit(found)
        elif latex not in self._setting:
            mode.spawn(self._set_formulas([latex], tell=True))

    def ahead(self, step: int) -> None:
        """Sets the formulas of the steps that come next."""
        computed = self._mode.computed
        if computed is None:
            return
        few = len(computed.plan) <= MANY_STEPS
        last = len(computed.plan) if few else len(computed.trace) + 1
        coming = range(max(0, step) + 1, min(step + 1 + AHEAD, last))
        steps = [computed.step(moment) for moment in coming]
        wanted = {one.formula for one in steps if one is not None}
        missing = [one for one in wanted if one not in self._set | self._setting]
        if missing:
            self._mode.spawn(self._set_formulas(missing))

    def is_set(self, latex: str) -> bool:
        return latex in self._set

    async def _set_formulas(self, formulas: Iterable[str], tell: bool = False) -> None:
        wanted = set(formulas)
        self._setting |= wanted
        await self._mode.engine.io(set_formulas, wanted, True)
        self._setting -= wanted
        self._set |= wanted
        if tell or self._timer.isActive():
            self.now()

    async def _grow(self, computed: Computed) -> None:
        """The steps of a large formula are put together first."""
        await self._mode.lab.grow(computed)
        if computed is self._mode.computed and computed.trace.complete:
            self.now()

    def _found(self, computed: Computed) -> Any:
        graph, player = self._mode.view.graph, self._mode.player
        looked, element = graph.chosen
        if looked < 0 and not player.playing:
            looked, element = graph.hovered, graph.hovered_element
        step = min(max(0, player.step), len(computed.plan) - 1)
        if not 0 <= looked < len(computed.graph.nodes):
            return explaining.of_step(computed, step)
        pinned = looked == graph.chosen[0]
        if (
            looked == subject_at(computed, step)
            and computed.value(looked).size > 1
            and element >= 0
        ):
            return explaining.of_step(computed, step, element, pinned=pinned)
        return explaining.of_node(computed, looked, self._mode.numeric, element, pinned=pinned)
