"""Expression: wires formula, graph and player."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.autograd import ExpressionError
from explorer import errors, theme
from explorer.engine import SUPERSEDED, EngineDied
from explorer.panes.backprop.expression import explaining, words
from explorer.panes.backprop.expression.computing import (
    Computed,
    compute,
    compute_whole,
    is_small,
)
from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.panes.backprop.expression.experiment import Experiment, from_example, restored
from explorer.panes.backprop.expression.header import ExpressionHeader
from explorer.panes.backprop.expression.scene import scene_of
from explorer.panes.backprop.expression.track import MomentTrack
from explorer.panes.backprop.expression.view import ExpressionView
from explorer.panes.modes import Desk, Mode

EXPERIMENT = "backprop.expression"


def create(desk: Desk, parent: QObject) -> Mode:
    return ExpressionMode(desk, parent)


class ExpressionMode(Mode):
    """The experiment lies in the workspace, so that each change of it can be undone."""

    id = "expression"
    title = "Expression"
    teaches = "How a formula's derivatives are found, one operation at a time, back from its end"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = ExpressionView()
        self.inputs = ExpressionHeader()
        self.computed: Computed | None = None
        self.numeric: dict[int, np.ndarray] = {}
        self._turn = 0
        self._later = False
        self._wanted: float | None = None  # where a session was left
        self._merging = ""
        self.workspace.begin(EXPERIMENT, Experiment())
        self._inspecting = QTimer(self)
        self._inspecting.setSingleShot(True)
        self._inspecting.setInterval(theme.MOTION["live_number"])
        self._inspecting.timeout.connect(self.inspect)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        graph = self.view.graph
        self.view.editor.edited.connect(self.set_text)
        self.view.body.retryRequested.connect(self.refresh)
        self.inputs.exampleChosen.connect(self.show_example)
        graph.nodeClicked.connect(self.choose)
        graph.nodeHovered.connect(lambda _: self._inspecting.start())
        graph.leafMoved.connect(self.move_leaf)
        graph.leafReleased.connect(self._end_merge)
        self.workspace.changed.connect(self._on_changed)
        self.engine.activityChanged.connect(self._on_activity)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def pictures(self) -> dict[str, QWidget]:
        return {"expression-graph": self.view.graph}

    def state(self) -> dict[str, Any]:
        graph = self.view.graph
        camera = None if graph.fits else [graph.camera.scale, graph.camera.x, graph.camera.y]
        return {
            "version": 1,
            "experiment": self.experiment.state(),
            "step": self.player.position if self.active else self._wanted or 0.0,
            "chosen": list(graph.chosen),
            "camera": camera,
        }

    def restore(self, state: dict[str, Any]) -> None:
        saved = state.get("experiment")
        one = restored(saved) if isinstance(saved, dict) else None
        if one is not None:
            self.workspace.begin(EXPERIMENT, one)
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self.refresh()

    def cancel(self) -> bool:
        if self.view.graph.chosen[0] < 0:
            return False
        self.choose(-1, -1)
        return True

    # the experiment

    @property
    def experiment(self) -> Experiment:
        return self.workspace.value(EXPERIMENT)

    def set_text(self, text: str) -> None:
        self.change(self.experiment.with_text(text), "Change the formula", "text")

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

    def change(self, experiment: Experiment, text: str, merging: str = "") -> None:
        """An undoable change; those with the same `merging`, one after the other, are one."""
        if merging != self._merging or not merging:
            self.workspace.end_merge()
        self._merging = merging
        self.workspace.change(EXPERIMENT, experiment, text, merge=bool(merging))

    def _end_merge(self) -> None:
        self._merging = ""
        self.workspace.end_merge()

    def _on_changed(self, path: str, _: Any) -> None:
        if path == EXPERIMENT:
            self.refresh()

    # working it out

    def refresh(self) -> None:
        """Works the experiment out, at once where that fits into a frame, else on the engine."""
        one, known = self.experiment, self.computed
        self.view.editor.set_text(one.text)
        self._turn += 1
        self._later = False
        same = known is not None and known.text == one.text
        quick = known.is_quick if same and known is not None else is_small(one.text)
        if quick:
            try:
                self._show(compute(one.text, one.values, known))
            except ExpressionError as error:
                self._fail(error)
        elif self.engine.alive:
            self.view.body.set_waiting("working the formula out")
            self.spawn(self._work(self._turn, one))
        else:
            self._later = True

    async def _work(self, turn: int, one: Experiment) -> None:
        if turn != self._turn:
            return
        try:
            found = await self.engine.call(
                compute_whole, one.text, one.values, key=(self.objectName(), "compute")
            )
        except ExpressionError as error:
            if turn == self._turn:
                self._fail(error)
            return
        except (ValueError, EngineDied) as error:
            if turn == self._turn:
                self.view.body.show_error(str(error))
            return
        except Exception as error:  # the picture must not wait for ever
            errors.report(error, "working out a formula")
            if turn == self._turn:
                self.view.body.show_error(str(error))
            return
        if found is not SUPERSEDED and turn == self._turn:
            self._show(found)

    def _on_activity(self) -> None:
        if self._later and self.engine.alive:
            self.refresh()

    def _fail(self, error: ExpressionError) -> None:
        """The old graph stays, faint, until the formula can be read again."""
        self.view.editor.set_error(str(error), error.start, error.length)
        self.view.graph.set_faint(True)
        self.view.body.set_waiting("")
        if self.computed is None:
            self.view.body.show_empty("A formula becomes a graph here.", "", "math")

    def _show(self, computed: Computed) -> None:
        before = self.computed
        self.computed = computed
        self.view.editor.set_error("")
        graph = self.view.graph
        graph.set_faint(False)
        graph.set_scene(scene_of(computed, graph.scene))
        graph.set_fixed(frozenset(n for n in computed.leaves if self.experiment.is_fixed(n)))
        self.view.body.show_ready()
        if before is None or before.plan is not computed.plan:
            self.numeric = {}
            graph.set_choice(-1, -1)
            self.set_tracks([MomentTrack(computed)])
            if self._wanted is not None and self.active:
                self.player.seek(self._wanted)
                self._wanted = None
        else:
            for track in self.tracks:
                track.computed = computed  # type: ignore[attr-defined]
        self.on_position(self.player.position if self.active else 0.0)
        if not self._inspecting.isActive():
            self._inspecting.start()

    # looking

    def choose(self, number: int, element: int) -> None:
        """A node to look at; -1 for none. The same one again lets it go."""
        self.view.graph.set_choice(number, element)
        self.inspect()

    def on_position(self, position: float) -> None:
        if self.computed is None:
            return
        self.view.graph.set_position(position)
        moment = min(max(0, math.ceil(position - 1e-9)), len(self.computed.plan) - 1)
        self.set_headline(words.headline(self.computed, moment))

    def inspect(self) -> None:
        if self.active:
            self.inspection.emit(self._inspection())

    def _inspection(self) -> Any:
        computed, graph = self.computed, self.view.graph
        if computed is None:
            return None
        looked = graph.chosen[0]
        if looked < 0 and not self.player.playing:
            looked = graph.hovered
        if 0 <= looked < len(computed.graph.nodes):
            pinned = looked == graph.chosen[0]
            return explaining.of_node(computed, looked, self.numeric, pinned=pinned)
        return explaining.of_step(computed, max(0, self.player.step))

    def left(self) -> None:
        self._inspecting.stop()
