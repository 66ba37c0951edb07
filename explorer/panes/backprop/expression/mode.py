"""The Expression mode: connects the formula, its graph, the cards below it, and the player."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.autograd import ExpressionError
from core.numbers import format_general
from explorer import theme
from explorer.engine.latest import Latest
from explorer.panes.backprop.expression import inspector, text
from explorer.panes.backprop.expression.compute import Computed, compute
from explorer.panes.backprop.expression.draft import (
    RATES,
    ExpressionDraft,
    are_numbers,
)
from explorer.panes.backprop.expression.gradient_check import comparison
from explorer.panes.backprop.expression.inputs import ExpressionInputs
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.runner import SMALL_TEXT, Runner
from explorer.panes.backprop.expression.track import MomentTrack
from explorer.panes.backprop.expression.trial import LARGEST_NUDGE, Trial
from explorer.panes.backprop.expression.view import ExpressionView
from explorer.panes.backprop.expression.viewport import SCALES, Camera
from explorer.panes.modes import Desk, Mode
from explorer.state.draft import Draft, named

SIGNS = str.maketrans(  # typographic signs to the syntax of formulas
    {"\u2212": "-", "\u00d7": "*", "\u00b7": "*", "\u00f7": "/", "\u00b2": "**2", "\u00b3": "**3"}
)


class ExpressionMode(Mode):
    """`draft` has the user's settings, `runner` evaluates them, `trial` nudges an input."""

    id = "expression"
    title = "Expression"
    teaches = "How derivatives are found, one operation at a time, working back from the result"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = ExpressionView()
        self.inputs = ExpressionInputs()
        self.draft = Draft(self.workspace, self.objectName(), ExpressionDraft, self)
        self.runner = Runner(self.engine, self)
        self.trial = Trial(self.engine, self)
        self._formulas = Latest(self.engine, self)
        self._formulas.came.connect(lambda _: self.inspect())
        self._wanted: dict[str, Any] = {}  # saved state of a session, until the formula is solved
        self._wanted_of: ExpressionDraft | None = None
        self._position = 0.0
        self._inspecting = QTimer(self)  # live numbers change at most eight times a second
        self._inspecting.setSingleShot(True)
        self._inspecting.setInterval(theme.MOTION["live_number"])
        self._inspecting.timeout.connect(self.inspect)
        self._connect()
        self._on_draft(self.draft.value)

    def _connect(self) -> None:
        view, graph, runner = self.view, self.view.graph, self.runner
        view.editor.edited.connect(self.set_text)
        view.editor.rested.connect(self.draft.end_merge)
        view.body.retryRequested.connect(self.solve)
        self.show_one_answer(view.body, stop=self._give_up)
        self.inputs.checkToggled.connect(self.toggle_check)
        self.inputs.exampleChosen.connect(self.show_example)
        graph.nodeClicked.connect(self.choose)
        graph.nodeHovered.connect(self._on_hovered)
        graph.edgeClicked.connect(self.show_edge)
        graph.leafMoved.connect(self.move_leaf)
        graph.leafReleased.connect(self.draft.end_merge)
        graph.editRequested.connect(self.edit_leaf)
        graph.roomChanged.connect(self.solve)
        self.draft.changed.connect(self._on_draft)
        runner.waiting.connect(lambda: view.body.show_loading("computing the formula"))
        runner.broke.connect(view.body.show_error)
        runner.refused.connect(self._on_refused)
        runner.came.connect(self._on_solved)
        runner.laid_out.connect(self._draw)
        self.trial.changed.connect(self._show_trial)
        self.trial.failed.connect(view.what_if.set_failed)
        one, two = view.what_if, view.learn
        one.curve.moved.connect(lambda value: self.move_leaf(*self.tried, value))
        one.curve.released.connect(self.draft.end_merge)
        one.leafChosen.connect(self.try_leaf)
        one.value.changed.connect(self._on_value)
        one.value.fits = self._check_rows
        one.nudge.set_limits(-LARGEST_NUDGE, LARGEST_NUDGE)
        one.nudge.changed.connect(self.set_nudge)
        two.rate.set_limits(*RATES)
        two.rate.changed.connect(self.set_rate)
        two.rate.refused.connect(lambda why: two.set_words(why) if why else self._show_learning())
        two.stepRequested.connect(self.step_downhill)
        two.resetRequested.connect(self.reset_steps)
        two.learningChosen.connect(lambda on: self.set_fixed(self.trial.leaf, not on))

    # pane interface

    def pictures(self) -> dict[str, QWidget]:
        return {
            "expression-graph": self.view.graph,
            "expression-curve": self.view.what_if.curve,
            "expression-losses": self.view.learn.losses,
        }

    def state(self) -> dict[str, Any]:
        graph = self.view.graph
        camera = None if graph.fits else [graph.camera.scale, graph.camera.x, graph.camera.y]
        seen = {"step": self._position, "chosen": list(graph.chosen), "camera": camera}
        return {"version": 1, **seen, **self._wanted, **self.trial.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self.trial.restore(state)
        self._wanted = {one: state[one] for one in ("step", "chosen", "camera") if one in state}
        self._wanted_of = self.draft.value
        self._on_draft(self.draft.value)
        self._come_back()

    def _come_back(self) -> None:
        """Restores a session's view once its formula is solved. The player is shared by all modes,
        so its step is restored when this mode is shown.
        """
        wanted, computed, graph = self._wanted, self.computed, self.view.graph
        if computed is None or not self.runner.has_solved(self.draft.value):
            return
        if self.active:
            step = wanted.pop("step", None)
            if type(step) in (int, float) and step >= 0:
                self.player.seek(float(step))
        chosen, camera = wanted.pop("chosen", None), wanted.pop("camera", None)
        if are_numbers(chosen, 2) and -1 <= int(chosen[0]) < len(computed.graph.nodes):
            node, element = int(chosen[0]), int(chosen[1])
            size = computed.value(node).size if node >= 0 else 0
            graph.set_choice(node, element if -1 <= element < size else -1)
        if are_numbers(camera, 3) and SCALES[0] <= camera[0] <= SCALES[1]:
            graph.set_camera(Camera(*map(float, camera)))

    def cancel(self) -> bool:
        """Handles Esc: clears the choice of a node."""
        if self.view.graph.chosen[0] < 0:
            return False
        self.choose(-1, -1)
        return True

    def shown(self) -> None:
        self._come_back()
        self._try_out()

    def left(self) -> None:
        self._inspecting.stop()
        self.trial.stop()

    # draft

    @property
    def computed(self) -> Computed | None:
        return self.runner.computed

    @property
    def is_readable(self) -> bool:
        """True if the graph belongs to the current formula: otherwise its inputs cannot change."""
        return self.computed is not None and self.runner.error is None

    def set_text(self, formula: str) -> None:
        one = self.draft.value.with_text(formula.translate(SIGNS))
        self.draft.change(one, "Change the formula", "text")

    def show_example(self, name: str) -> None:
        example = next(one for one in EXAMPLES if one.id == name)
        one = self.draft.value
        words = f"Show \u201c{example.title}\u201d"
        new = ExpressionDraft(example.text, example.values, rate=one.rate, checks=one.checks)
        self.draft.change(new, words)

    def move_leaf(self, name: str, element: int, value: float) -> None:
        """Changes one element of a leaf; `element` is an index into the flattened tensor."""
        if not self._can_move(name) or not math.isfinite(value):
            return
        assert self.computed is not None
        array = np.array(self.computed.value(self.computed.leaves[name]), dtype=np.float64)
        array.reshape(-1)[max(0, element)] = value
        one = self.draft.value.with_leaf(name, array.tolist())
        words = f"{name} = {format_general(value, 4)}" if array.size == 1 else f"Move {name}"
        self.draft.change(one, words, f"{name} {element}")

    def _on_value(self, value: float | list[Any]) -> None:
        """Handles a typed value: a number for the chosen element, or rows for the whole leaf, which
        may change its shape.
        """
        name = self.trial.leaf
        if isinstance(value, float):
            self.move_leaf(*self.tried, value)
            self.draft.end_merge()
        elif self._can_move(name):
            one = self.draft.value.with_leaf(name, value)
            self.draft.change(one, f"Give {name} another value")

    def _check_rows(self, rows: list[Any]) -> None:
        """Raises ValueError if a quick check shows that the leaf cannot have this value."""
        name = self.trial.leaf
        one = self.draft.value.with_leaf(name, rows)
        if self._can_move(name) and len(one.text) <= SMALL_TEXT:
            try:
                compute(one.text, one.values, self.computed)
            except ExpressionError as error:
                raise ValueError(f"this shape does not fit {name}: {error}") from None

    def _can_move(self, name: str) -> bool:
        return self.is_readable and self.computed is not None and name in self.computed.leaves

    def step_downhill(self, count: int = 1) -> None:
        """Takes gradient steps with all learning inputs; each can be undone."""
        for _ in range(count):
            computed, one = self.computed, self.draft.value
            if computed is None or not self.is_readable or not math.isfinite(computed.result):
                return
            if not one.learning(computed) or one.pending or one.endless(computed):
                return
            self.draft.change(one.stepped(computed), "Take a gradient step")

    def reset_steps(self) -> None:
        self.draft.change(self.draft.value.at_the_beginning(), "Reset the gradient steps")

    def set_rate(self, rate: float) -> None:
        self.draft.change({"rate": rate}, named("Learning rate", rate))

    def set_fixed(self, name: str, fixed: bool) -> None:
        words = f"Fix {name}" if fixed else f"Let {name} take steps"
        self.draft.change(self.draft.value.with_fixed(name, fixed), words)

    def checks(self) -> bool:
        """True if every gradient is compared with its numeric gradient."""
        return self.draft.value.checks

    def toggle_check(self) -> None:
        words = "Stop checking the gradients" if self.checks() else "Check the gradients"
        self.draft.change({"checks": not self.checks()}, words)

    # results

    def _on_draft(self, one: ExpressionDraft) -> None:
        self.inputs.set_checks(one.checks)
        if self._wanted_of is not None and not one.same_numbers(self._wanted_of):
            self._wanted, self._wanted_of = {}, None  # another formula starts with a fresh view
        if self.runner.has_solved(one):
            self._show_settings()
        else:
            self.solve()

    def solve(self) -> None:
        """Evaluates and lays out the draft."""
        self.view.editor.set_text(self.draft.value.text)
        self.runner.solve(self.draft.value, self.view.graph.room)

    def _give_up(self) -> None:
        self.runner.stop()
        self.set_tracks([])
        self.inspection.emit(None)

    def _on_refused(self, error: ExpressionError) -> None:
        """Shows the error; the old graph stays, faded, until the formula is valid again."""
        view = self.view
        view.editor.set_error(str(error), error.start, error.length)
        view.graph.set_faint(True)
        view.set_can_try(False)
        self.set_headline("This formula cannot be read yet; see the reason below it")
        if self.computed is None:
            view.body.show_empty("The graph of your formula appears here.", "", "math")
        else:
            view.body.show_ready()

    def _on_solved(self, new: bool) -> None:
        solved, view = self.runner.solved, self.view
        assert solved is not None
        view.editor.set_error("")
        view.graph.set_faint(False)
        view.set_can_try(True)
        self._draw()
        computed = solved.computed
        if new:
            view.graph.set_choice(-1, -1)
            self.set_tracks([MomentTrack(computed)])
        for track in self.tracks:
            track.computed = computed  # type: ignore[attr-defined]
        self.on_position(self.player.position if self.active else 0.0)
        self._come_back()
        self._show_settings()
        self._inspect_soon()

    def _draw(self) -> None:
        assert self.runner.solved is not None
        self.view.graph.set_scene(self.runner.solved.scene, self.runner.solved.routes)
        self.view.body.show_ready()

    def _show_settings(self) -> None:
        """Updates settings that do not change the graph: fixed inputs, learning rate, losses."""
        computed, one = self.computed, self.draft.value
        if computed is None:
            return
        if one.pending:  # completes a step with its loss
            self.draft.begin(one.with_loss(computed.result))
            return
        self.view.graph.set_fixed(frozenset(filter(one.is_fixed, computed.leaves)))
        self._try_out()

    # trial of an input

    @property
    def tried(self) -> tuple[str, int]:
        """The leaf, and which element of it."""
        return self.trial.leaf, self.trial.element

    def try_leaf(self, name: str, element: int = 0) -> None:
        """Chooses another leaf, or another element of a tensor, also in the graph."""
        if self.computed is not None and name in self.computed.leaves:
            self.choose(self.computed.leaves[name], max(0, element))

    def edit_leaf(self, name: str, element: int) -> None:
        """Focuses the field for the value of a leaf."""
        self.try_leaf(name, element)
        self.view.what_if.value.setFocus()
        self.view.what_if.value.selectAll()

    def set_nudge(self, nudge: float) -> None:
        self.trial.nudge = nudge
        self._try_out()

    def _try_out(self) -> None:
        if self.computed is not None and self.active:
            names = sorted(self.computed.leaves, key=self.draft.value.is_fixed)
            self.trial.try_out(self.computed, names)  # learning inputs first
            assert self.trial.what is not None
            self.view.what_if.set_input(list(self.computed.leaves), self.trial.what)

    def _show_trial(self) -> None:
        computed, what = self.computed, self.trial.what
        if computed is None or what is None:
            return
        self.view.graph.set_numeric(self.trial.numeric if self.checks() else {})
        if self.view.graph.chosen[0] >= 0:
            self._inspect_soon()
        compared = comparison(what, self.trial.numeric.get(computed.leaves[what.name]))
        output = computed.graph.nodes[computed.output].label
        self.view.what_if.set_what_if(what, output, compared)
        self._show_learning()

    def _show_learning(self) -> None:
        computed, one, card = self.computed, self.draft.value, self.view.learn
        if computed is None:
            return
        card.rate.set_value(one.rate)
        card.set_learning(self.trial.leaf, not one.is_fixed(self.trial.leaf))
        card.set_losses(one.losses, computed.graph.nodes[computed.output].label)
        card.set_told(text.learning(computed, one))

    # navigation

    def seek_backward(self) -> None:
        """Moves the player to the start of the backward pass."""
        if self.computed is not None:
            self.player.seek(self.computed.plan.seed)

    def show_edge(self, node: int, index: int) -> None:
        """Moves the player to the backward step of an edge."""
        moment = None if self.computed is None else self.computed.plan.moment_of((node, index))
        if moment is not None:
            self.player.seek(moment)

    def choose(self, number: int, element: int) -> None:
        """Chooses a node and an element of it; -1 for none."""
        self.view.graph.set_choice(number, element)
        if self.computed is not None and number >= 0 and element >= 0:
            name = self.computed.graph.nodes[number].label
            if name in self.computed.leaves and self.tried != (name, element):
                self.trial.leaf, self.trial.element = name, element
                self._try_out()
        self._mark_formula()
        self.inspect()

    def _on_hovered(self, _: int) -> None:
        self._mark_formula()
        self._inspect_soon()

    def _mark_formula(self) -> None:
        """Highlights the node in focus, or the subject of the step, in the formula."""
        about = self.view.graph.about
        if self.computed is not None:
            self.view.editor.field.show_parts(self.computed.places(about) if about >= 0 else [])

    def on_position(self, position: float) -> None:
        if self.computed is None:
            return
        if self.active and "step" not in self._wanted:
            self._position = position
        self.view.graph.set_position(position)
        moment = min(max(0, math.ceil(position - 1e-9)), len(self.computed.plan) - 1)
        if self.is_readable:
            self.set_headline(text.headline(self.computed, moment))
        self._mark_formula()

    def on_step(self, step: int) -> None:
        """Updates the inspector once the formulas of this step and the next ones are typeset."""
        if self.computed is not None:
            work = inspector.set_formulas_ahead, self.computed, max(0, step)
            self._formulas.ask(lambda: self.engine.io(*work), "setting formulas")

    def _inspect_soon(self) -> None:
        if not self._inspecting.isActive():
            self._inspecting.start()

    def inspect(self) -> None:
        computed, graph = self.computed, self.view.graph
        if not self.active:
            return
        if computed is None:
            self.inspection.emit(None)
            return
        hovered = (-1, -1) if self.player.playing else graph.hovered
        moment = min(max(0, self.player.step), len(computed.plan) - 1)
        about = computed, moment, graph.chosen, hovered, self.trial.numeric
        self.inspection.emit(inspector.inspection_of(*about))
