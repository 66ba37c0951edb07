"""Expression: wires formula, graph and player."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.autograd import ExpressionError, NumericGradient
from core.fields import lenient, to_json
from explorer.panes.backprop.expression import demo, text
from explorer.panes.backprop.expression.camera import SCALES, Camera
from explorer.panes.backprop.expression.commands import commands
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.draft import ExpressionDraft, are_numbers
from explorer.panes.backprop.expression.header import ExpressionHeader
from explorer.panes.backprop.expression.inspecting import Inspecting
from explorer.panes.backprop.expression.lab import ExpressionLab
from explorer.panes.backprop.expression.scene import scene_of, with_values
from explorer.panes.backprop.expression.track import MomentTrack
from explorer.panes.backprop.expression.trying import Trying
from explorer.panes.backprop.expression.view import ExpressionView
from explorer.panes.modes import Desk, Mode
from explorer.state.actions import Action


class ExpressionMode(Mode):
    """`lab` has the draft and what comes of it, `trying` what is tried out with it."""

    id = "expression"
    title = "Expression"
    teaches = "How a formula's derivatives are found, one operation at a time, back from its end"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = ExpressionView()
        self.inputs = ExpressionHeader()
        self.numeric: dict[int, NumericGradient] = {}
        self._position = 0.0
        self._wanted: float | None = None  # where a session was left
        self._view: dict[str, Any] = {}  # and what was looked at, until the formula is worked out
        self._left: ExpressionDraft | None = None  # of which both are
        self.inspecting = Inspecting(self)
        self.lab = ExpressionLab(self)
        self.trying = Trying(self)
        self._connect()
        self.lab.refresh()

    def _connect(self) -> None:
        graph, lab = self.view.graph, self.lab
        self.view.editor.edited.connect(lab.set_text)
        self.view.editor.rested.connect(lab.draft.end_merge)
        self.view.body.retryRequested.connect(lab.refresh)
        self.inputs.checkToggled.connect(self.toggle_check)
        self.inputs.exampleChosen.connect(lab.show_example)
        graph.nodeClicked.connect(self.choose)
        graph.nodeHovered.connect(self._on_hovered)
        graph.leafMoved.connect(lab.move_leaf)
        graph.edgeClicked.connect(self.show_edge)
        graph.leafReleased.connect(lab.draft.end_merge)
        graph.editRequested.connect(self.trying.edit)
        lab.changed.connect(self._on_another)
        lab.solved.connect(self._on_solved)
        lab.failed.connect(self._on_failed)
        lab.settled.connect(self._show_settings)
        lab.redrawn.connect(self._draw)
        graph.outgrown.connect(lab.draw_soon)
        lab.room = lambda: graph.room
        lab.scene = lambda: graph.scene
        lab.broke.connect(self.view.body.show_error)
        lab.waiting.connect(self._on_waiting)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def actions(self) -> list[Action]:
        return commands(self)

    def views(self) -> dict[str, Callable[[], Any]]:
        return demo.views(self)

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        return {
            "expression-graph": view.graph,
            "expression-curve": view.what_if.curve,
            "expression-losses": view.learn.spark,
        }

    def state(self) -> dict[str, Any]:
        graph = self.view.graph
        camera = None if graph.fits else [graph.camera.scale, graph.camera.x, graph.camera.y]
        seen = {"chosen": list(graph.chosen), "camera": camera}
        shown = self.lab.graph_of
        return {
            "version": 1,
            "shown": None if shown is None else to_json(shown),
            "step": self._position if self._wanted is None else self._wanted,
            **(self._view or seen),
            "leaf": [self.trying.leaf, self.trying.element],
            "nudge": self.trying.nudge,
        }

    def restore(self, state: dict[str, Any]) -> None:
        shown = state.get("shown")
        graph_of = lenient(ExpressionDraft, shown) if isinstance(shown, dict) else None
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self.trying.restore(state)
        self._view = {name: state.get(name) for name in ("chosen", "camera")}
        self._left = graph_of or self.lab.draft.value
        self.lab.restore(graph_of)
        self._seek_wanted()
        self._restore_view()

    def _restore_view(self) -> None:
        """What a session looked at, once its formula is worked out."""
        if not self._view or self.computed is None or not self.lab.is_solved:
            return
        chosen, camera = self._view["chosen"], self._view["camera"]
        self._view = {}
        if are_numbers(chosen, 2):
            node, element = int(chosen[0]), int(chosen[1])
            if -1 <= node < len(self.computed.graph.nodes):
                size = self.computed.value(node).size if node >= 0 else 0
                self.view.graph.set_choice(node, element if -1 <= element < size else -1)
        if are_numbers(camera, 3) and SCALES[0] <= camera[0] <= SCALES[1]:
            self.view.graph.set_camera(Camera(*map(float, camera)))

    def cancel(self) -> bool:
        if self.view.graph.chosen[0] < 0:
            return False
        self.choose(-1, -1)
        return True

    def shown(self) -> None:
        self._seek_wanted()
        self.trying.refresh()

    def left(self) -> None:
        self.inspecting.stop()
        self.trying.stop()

    # how it is seen

    @property
    def computed(self) -> Computed | None:
        return self.lab.computed

    def checks(self) -> bool:
        """Whether every gradient is shown a second time, by nudging."""
        return self.lab.draft.value.checks

    def toggle_check(self) -> None:
        self.lab.set_checks(not self.checks())

    def seek_backward(self) -> None:
        """To the moment at which backward begins."""
        if self.computed is not None:
            places = enumerate(self.computed.plan.places)
            self.player.seek(next(at for at, one in places if one and one.phase == "seed"))

    def show_edge(self, node: int, index: int) -> None:
        """The step that goes back along an edge."""
        if self.computed is not None:
            wanted = ("backward", node, index)
            for at, one in enumerate(self.computed.plan.places):
                if one is not None and (one.phase, one.node, one.input) == wanted:
                    self.player.seek(at)

    def _on_hovered(self, _: int) -> None:
        self._show_part()
        self.inspecting.soon()

    # what the lab tells

    def _on_another(self) -> None:
        """What is still wanted of a session is of its formula alone."""
        self.inputs.set_checks(self.checks())
        if self._left is None or not self.lab.draft.value.same_numbers(self._left):
            self._wanted, self._view = None, {}

    def _on_waiting(self) -> None:
        self.view.editor.set_text(self.lab.draft.value.text)
        self.view.body.set_waiting("computing the formula")

    def _on_failed(self, error: ExpressionError) -> None:
        """The old graph stays, faint, until the formula can be read again."""
        self.view.editor.set_text(self.lab.draft.value.text)
        self.view.editor.set_error(str(error), error.start, error.length)
        self.view.graph.set_faint(True)
        self.view.set_can_try(False)
        self.view.body.set_waiting("")
        self.set_headline("This formula cannot be read yet; the reason is below it")
        if self.computed is None:
            self.view.body.show_empty("A formula becomes a graph here.", "", "math")

    def _on_solved(self, new: bool) -> None:
        computed, graph = self.computed, self.view.graph
        assert computed is not None
        self.view.editor.set_text(computed.text)
        self.view.editor.set_error("")
        graph.set_faint(False)
        self.view.set_can_try(True)
        self._draw()
        self.view.body.show_ready()
        if new:
            self.show_numeric({})
            graph.set_choice(-1, -1)
            self.set_tracks([MomentTrack(computed)])
        else:
            for track in self.tracks:
                track.computed = computed  # type: ignore[attr-defined]
        self._seek_wanted()
        if new and self.active:
            self.inspecting.ahead(self.player.step)
        self.on_position(self.player.position if self.active else 0.0)
        self._restore_view()
        self._show_settings()
        self.inspecting.soon()

    def _draw(self) -> None:
        """As the engine has laid it out; what is small here."""
        graph, drawn, computed = self.view.graph, self.lab.drawn, self.computed
        assert computed is not None
        if drawn is not None:
            graph.set_scene(with_values(drawn.scene, computed), drawn.ways)
        else:
            graph.set_scene(scene_of(computed, graph.scene, self.checks(), graph.room))

    def _seek_wanted(self) -> None:
        """Where a session was left, once its formula is worked out."""
        if self._wanted is not None and self.active and self.lab.is_solved:
            self.player.seek(self._wanted)
            self._wanted = None

    def _show_settings(self) -> None:
        """What does not change the graph: who takes steps, the rate, what was learned."""
        computed, one = self.computed, self.lab.draft.value
        if computed is not None:
            fixed = frozenset(name for name in computed.leaves if one.is_fixed(name))
            self.view.graph.set_fixed(fixed)
            self.trying.refresh()

    def show_numeric(self, numeric: dict[int, NumericGradient]) -> None:
        """Every gradient once more, by nudging."""
        self.numeric = numeric
        self.view.graph.set_numeric(numeric)
        if self.view.graph.chosen[0] >= 0:
            self.inspecting.soon()

    # looking

    def choose(self, number: int, element: int) -> None:
        """A node to look at, and which of its numbers; -1 for none."""
        self.view.graph.set_choice(number, element)
        if self.computed is not None and number >= 0 and element >= 0:
            self.trying.follow(self.computed.graph.nodes[number].label, element)
        self._show_part()
        self.inspect()

    def on_step(self, step: int) -> None:
        self.inspecting.ahead(step)
        super().on_step(step)

    def _show_part(self) -> None:
        """What is looked at, or what the step is about, stands out in the formula."""
        computed = self.computed
        if computed is None:
            return
        about = self.view.graph.about()
        self.view.editor.field.show_parts(computed.places(about) if about >= 0 else [])

    def on_position(self, position: float) -> None:
        if self.computed is None:
            return
        if self.active and self._wanted is None:
            self._position = position
        self.view.graph.set_position(position)
        moment = min(max(0, math.ceil(position - 1e-9)), len(self.computed.plan) - 1)
        if self.lab.is_readable:
            self.set_headline(text.headline(self.computed, moment))
        self._show_part()

    def inspect(self) -> None:
        self.inspecting.now()
