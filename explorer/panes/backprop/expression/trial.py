"""The trial of an input: a nudge, the output's curve along it, and the gradient check."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.autograd import NumericGradient
from core.jobs import to_the_end
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.what_if import Tried, WhatIf, is_cheap, try_steps, what_if

NUDGE = 0.1
LARGEST_NUDGE = 1e6


@dataclass(frozen=True)
class _Rest:
    """Seconds for which the engine pauses a job."""

    idle: float = 0.125


class Trial(QObject):
    """The chosen element of a leaf and its nudge. Small formulas are evaluated immediately; the
    curve and the checks of larger ones come from the engine.

    changed()        `what` or `numeric` has changed
    failed(message)  the engine failed
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self.leaf = ""
        self.element = 0
        self.nudge = NUDGE
        self.what: WhatIf | None = None
        self.numeric: dict[int, NumericGradient] = {}  # gradients by nudging, by node
        self._checked: Computed | None = None  # the formula that `numeric` belongs to
        self._latest = Latest(engine, owner)
        self._latest.came.connect(self._on_tried)
        self._latest.failed.connect(self._on_failed)

    def state(self) -> dict[str, Any]:
        return {"leaf": [self.leaf, self.element], "nudge": self.nudge}

    def restore(self, state: dict[str, Any]) -> None:
        leaf, nudge = state.get("leaf"), state.get("nudge")
        if isinstance(leaf, list) and len(leaf) == 2 and isinstance(leaf[0], str):
            self.leaf = leaf[0]
            self.element = leaf[1] if type(leaf[1]) is int and leaf[1] >= 0 else 0
        if type(nudge) in (int, float) and abs(nudge) <= LARGEST_NUDGE:
            self.nudge = float(nudge)

    def try_out(self, computed: Computed, names: Sequence[str]) -> None:
        """Nudges the current leaf in this formula; if it is missing, the first of `names`."""
        if self.leaf not in computed.leaves:
            self.leaf, self.element = names[0], 0
        self.element = min(self.element, computed.value(computed.leaves[self.leaf]).size - 1)
        before, curve = self.what, None
        if before is not None and before.computed.plan is computed.plan:
            same = (before.name, before.element) == (self.leaf, self.element)
            curve = before.curve if same else None
        self.what = what_if(computed, self.leaf, self.element, self.nudge, curve)
        if is_cheap(computed):
            self._latest.stop()
            self._on_tried((self.what, to_the_end(try_steps(self.what))))
            return
        if self._checked is not computed:  # gradients for other numbers are outdated
            self._checked, self.numeric = None, {}
        self.changed.emit()
        self._ask()

    def _ask(self) -> None:
        if not self._latest.running:
            self._latest.ask(self._newest_steps, "trying an input", is_told=False)

    def _newest_steps(self) -> Generator[_Rest | None, None, tuple[WhatIf, Tried] | None]:
        """Runs as a job: tries the newest input after a short rest, as a drag changes it many times
        a second.
        """
        while (what := self.what) is not None:
            yield _Rest()
            steps = try_steps(what)
            while what is self.what:
                try:
                    next(steps)
                except StopIteration as end:
                    return what, end.value
                yield None
        return None

    def stop(self) -> None:
        self._latest.stop()

    def _on_tried(self, found: tuple[WhatIf, Tried] | None) -> None:
        if found is None or found[0] is not self.what:  # changed again meanwhile
            self._ask()
            return
        what, tried = found
        self.what = replace(what, curve=tried.curve)
        self._checked, self.numeric = what.computed, tried.numeric
        self.changed.emit()

    def _on_failed(self, message: str) -> None:
        self.what = None
        self.failed.emit(message)
