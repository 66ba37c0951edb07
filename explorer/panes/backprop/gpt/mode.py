"""The GPT mode: connects a text and a model to the list, the pictures and the player."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.autograd.flows import Edge
from explorer import theme
from explorer.panes.backprop.gpt import inspector, text
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.inputs import GPTInputs
from explorer.panes.backprop.gpt.inspector import prepare_formulas
from explorer.panes.backprop.gpt.runner import Runner
from explorer.panes.backprop.gpt.scene import (
    Cell,
    cell_from,
    has_cell,
    highway_at,
    json_of,
    scene_of,
    states_at,
)
from explorer.panes.backprop.gpt.track import Played, PlayedTrack
from explorer.panes.backprop.gpt.view import GPTView
from explorer.panes.model_menu import ModelMenu
from explorer.panes.modes import Desk, Mode

SAVED = ("step", "inner", "folded", "pinned", "highway")  # in a session


class GPTMode(Mode):
    """Text, model and head are the workspace's: every pane follows, and changes can be undone."""

    id = "gpt"
    title = "GPT"
    teaches = "How a text passes through a real GPT, and how the gradients flow back"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = GPTView()
        self.inputs = GPTInputs()
        self.worked: Worked | None = None
        self.pinned: Cell | None = None
        self.hovered: Cell | None = None
        self._share: Edge | None = None  # the contribution that was last hovered
        self._later = True  # asks when the mode is shown
        self._wanted: dict[str, Any] = {}  # saved state of a session, until it is restored
        self._source: Any = None
        self.position = 0.0
        self.computing = Runner(desk.context, self)
        self.models = ModelMenu(desk.context, self.inputs.source.menu(), "The model", self)
        self.models.named.connect(self.inputs.set_model)
        self.models.refresh()
        self._inspecting = QTimer(self)
        self._inspecting.setSingleShot(True)
        self._inspecting.timeout.connect(self.inspect)
        self._connect()
        self._set_source(self.workspace.model_source)
        self.inputs.prompt.set_prompt(self.workspace.prompt)

    def _connect(self) -> None:
        view, computing = self.view, self.computing
        self.inputs.promptEdited.connect(self.workspace.set_prompt)
        self.workspace.promptChanged.connect(self._on_prompt)
        self.workspace.modelChanged.connect(self._on_model)
        self.workspace.selectionChanged.connect(self._on_selection)
        computing.asked.connect(self._on_asked)
        computing.came.connect(self._on_came)
        computing.failed.connect(self._on_failed)
        computing.emptied.connect(self._on_emptied)
        view.body.retryRequested.connect(self.ask)
        view.body.actionRequested.connect(self.inputs.prompt.setFocus)
        self.show_one_answer(view.body, stop=self._give_up)
        view.newer.clicked.connect(self.explain_newer)
        view.operations.operationChosen.connect(self.go_to)
        view.highway.placeClicked.connect(self.go_to_place)
        view.highway.lossClicked.connect(self.go_to_loss)
        view.inside.clicked.connect(self.turn_inside)
        view.head.chosen.connect(lambda head: self.workspace.select(head=head))
        view.stage.cellHovered.connect(self._on_hovered)
        view.stage.cellClicked.connect(self.pin)

    # pane interface

    def pictures(self) -> dict[str, QWidget]:
        return {
            "gpt-operation": self.view.stage,
            "gpt-highway": self.view.highway,
        }

    def state(self) -> dict[str, Any]:
        return {"version": 1, **(self._wanted if self.worked is None else self._saved())}

    def restore(self, state: dict[str, Any]) -> None:
        self._wanted = {name: state[name] for name in SAVED if name in state}
        if self.worked is not None:
            self._return_to_wanted()

    def shown(self) -> None:
        if self._later:
            self.ask()
        elif self._wanted and self.worked is not None:
            self._return_to_wanted()

    def left(self) -> None:
        self._inspecting.stop()

    def cancel(self) -> bool:
        if self.pinned is not None:
            self.pin(self.pinned)
            return True
        return bool(self.player.leave())

    # requests

    def ask(self) -> None:
        """Explains the prompt with the open model, once the mode is shown."""
        self._later = not self.active
        if not self._later:
            self.computing.ask(self.workspace.prompt, self.workspace.model_source)

    def _on_prompt(self, text: str) -> None:
        self.inputs.prompt.set_prompt(text)
        self.ask()

    def _on_model(self, source: Any) -> None:
        self._set_source(source)
        self.ask()

    def _on_asked(self, reason: str) -> None:
        self.view.body.show_loading(self.engine.activity or reason)

    def _on_failed(self, message: str) -> None:
        self._forget()
        self.view.body.show_error(message)
        self.set_headline("This example cannot be explained")

    def _give_up(self) -> None:
        self.computing.cancel()
        self._forget()

    def _on_emptied(self, why: str) -> None:
        self._forget()
        longer = self.workspace.prompt.strip()
        self.view.body.show_empty(why, "Type a longer text" if longer else "Type a text")
        self.set_headline(text.IDLE)

    def _forget(self) -> None:
        """Clears the pictures; the next example starts from the current state."""
        if self.worked is not None:
            self._wanted = self._saved()
        self.worked = self.pinned = self.hovered = None
        self.set_tracks([])
        self.view.stage.set_scene(None, None, 0)
        self.view.stage.set_pinned(None)
        if self.active:
            self.inspection.emit(None)

    def _on_came(self, worked: Worked) -> None:
        same = self.worked is not None and len(worked.timeline) == len(self.worked.timeline)
        self.worked = worked
        self.hovered = None
        view = self.view
        if self.pinned is not None and not (same and has_cell(worked, self.pinned)):
            self.pinned = None
            view.stage.set_pinned(None)
        view.operations.set_worked(worked)
        view.highway.set_scene(worked)
        view.highway.set_token(self.workspace.selection.token)
        view.summary.setText(text.summary(worked))
        view.summary.setToolTip(text.NATS)
        view.agreement.setText(text.agreement(worked))
        view.agreement.setToolTip(
            "All gradients are computed twice in 64-bit precision: by this app\u2019s own code and "
            "by PyTorch. Each difference is relative to the largest gradient of its parameter."
        )
        self._show_step()
        view.body.show_ready()
        self.set_tracks([PlayedTrack(worked.timeline, self._title)], keep_position=same)
        self.spawn(self.engine.io(prepare_formulas, worked))
        if self._wanted:
            self._return_to_wanted()
        self.on_position(self.player.position if self.active else self.position)
        self.inspect()

    def _title(self, played: Played) -> str:
        return "" if self.worked is None else text.title(self.worked, played)

    def _return_to_wanted(self) -> None:
        if self.active:
            wanted, self._wanted = self._wanted, {}
            self._bring_back(wanted)

    def _saved(self) -> dict[str, Any]:
        """Returns the state for a session: the steps, the pinned number, what is folded."""
        outer = self.outer_step
        return {
            "step": self.position if outer is None else outer,
            "inner": None if outer is None else self.position,
            "folded": self.view.operations.folded(),
            "pinned": None if self.pinned is None else json_of(self.pinned),
            "highway": not self.view.folded,
        }

    @property
    def outer_step(self) -> int | None:
        """Inside an operation, the step of that operation; else None."""
        if self.worked is None or not self.active or not self.player.depth:
            return None
        track, timeline = self.player.track, self.worked.timeline
        inner = track.timeline if isinstance(track, PlayedTrack) else ()
        return next((step for step, one in enumerate(timeline) if one.inner == inner), 0)

    def _bring_back(self, wanted: dict[str, Any]) -> None:
        """Restores a saved state; parts that this example lacks are skipped."""
        worked = self.worked
        assert worked is not None
        step, inner, folded = wanted.get("step"), wanted.get("inner"), wanted.get("folded")
        if type(step) in (int, float) and 0 <= step < len(worked.timeline):
            self.player.seek(step)
            if type(inner) in (int, float) and self.player.enter():
                self.player.seek(inner)
        self.view.set_folded(wanted.get("highway") is False)
        if isinstance(folded, list):
            self.view.operations.fold([one for one in folded if isinstance(one, str)])
        self.pinned = cell_from(worked, wanted.get("pinned"))
        self.view.stage.set_pinned(self.pinned)

    # a model in training

    def _set_source(self, source: Any) -> None:
        if source is not self._source and self._source is not None:
            self._source.changed.disconnect(self._show_step)
        if source is not self._source and source is not None:
            source.changed.connect(self._show_step)
        self._source = source
        self._show_step()

    @property
    def is_live(self) -> bool:
        """True if the model belongs to a run, which may have a newer one."""
        return bool(self._source is not None and self._source.is_live)

    def _show_step(self) -> None:
        """Shows which step of a run is explained, and which step the run has reached."""
        reached = self._source.step if self.is_live else None
        self.view.newer.setVisible(self.is_live)
        self.view.note.set_text("" if self.worked is None else text.example(self.worked, reached))

    def explain_newer(self) -> None:
        """Asks the run for a checkpoint and explains it; only this replaces the explained model."""
        if self.is_live:
            self.computing.ask(self.workspace.prompt, self._source, newer=True)

    # playback

    @property
    def played(self) -> Played | None:
        track = self.player.track
        if not self.active or not isinstance(track, PlayedTrack) or not track.length:
            return None
        return track.timeline[min(max(0, self.player.step), track.length - 1)]

    @property
    def head(self) -> int:
        count = self.worked.n_head if self.worked is not None else 1
        chosen = self.workspace.selection.head
        return chosen if chosen is not None and 0 <= chosen < count else 0

    def on_position(self, position: float) -> None:
        self.position = position
        worked, played = self.worked, self.played
        if worked is None or played is None:
            return
        view = self.view
        if view.stage.scene is None or view.stage.scene.played is not played:
            self.hovered = None
            view.operations.set_progress(played.operation, states_at(worked, played))
            reached, here = highway_at(worked, played)
            view.highway.set_reached(reached, here)
            self.set_headline(text.headline(worked, played))
            view.set_inside(len(played.inner), self.player.depth > 0)
        self._show_scene(worked, played)
        view.stage.set_share(theme.ease_out((position - math.floor(position)) or 1.0))

    def _show_scene(self, worked: Worked, played: Played) -> None:
        stage, head = self.view.stage, self.head
        scene = stage.scene
        if scene is None or scene.played is not played or stage.worked is not worked:
            scene = scene_of(worked, played)
        stage.set_scene(worked, scene, head)
        self.view.head.set_head(head, worked.n_head, worked.has_heads(played))

    def _on_selection(self, _: Any) -> None:
        if self.worked is not None and self.played is not None:
            self._show_scene(self.worked, self.played)
            self.view.highway.set_token(self.workspace.selection.token)
            self._inspect_soon()

    def turn_inside(self) -> None:
        """Enters the operation's own steps, or leaves them."""
        if not self.player.leave():
            self.player.enter()

    def go_to(self, operation: int) -> None:
        """Goes to an operation of the list, in the current direction."""
        if self.worked is None or self.played is None:
            return
        backward = self.played.phase != "forward"
        while self.player.leave():
            pass
        place = self.worked.first_played(operation, backward)
        if place is not None:
            self.player.seek(place)

    def go_to_place(self, place: int, token: int) -> None:
        """Goes to the step that passes back the gradient at a place of the residual stream."""
        worked = self.worked
        if worked is None:
            return
        self.workspace.select(token=token)
        label = f"residual.{place}"
        node = next(n for n, one in enumerate(worked.graph.nodes) if one.label == label)
        while self.player.leave():
            pass
        found = worked.first_played(worked.operation_of(node).number, backward=True)
        if found is not None:
            self.player.seek(found)

    def go_to_loss(self) -> None:
        if self.worked is not None:
            self.go_to(len(self.worked.operations) - 1)

    # inspection

    def pin(self, cell: Cell | None) -> None:
        """Pins a number for the inspector; the same one again unpins it."""
        self.pinned = None if cell == self.pinned else cell
        self.view.stage.set_pinned(self.pinned)
        self.inspect()

    def _on_hovered(self, cell: Cell | None) -> None:
        self.hovered = cell
        self._inspect_soon()

    def on_step(self, step: int) -> None:
        self._inspect_soon()

    def _inspect_soon(self) -> None:
        """Updates the inspector after the picture, at most 8 times a second while playing."""
        if self.active and not self._inspecting.isActive():
            self._inspecting.start(theme.MOTION["live_number"] if self.player.playing else 0)

    def inspect(self) -> None:
        worked, played = self.worked, self.played
        if not self.active or worked is None or played is None:
            return
        cell = self.pinned or (None if self.player.playing else self.hovered)
        if cell is None or not self.view.stage.shows(cell):
            self.inspection.emit(inspector.of_played(worked, played, self._share))
            return
        if cell.what[0] == "flow":
            self._share = cell.what[1]
        place = self.view.stage.describe(cell)
        pinned = cell is self.pinned
        self.inspection.emit(inspector.of_cell(worked, played, cell, pinned, place))
