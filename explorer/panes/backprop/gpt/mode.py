"""GPT: wires a text and a model to the list, the stage, the highway and the player."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.autograd.flows import Edge
from explorer import theme
from explorer.panes.backprop.gpt import demo, explaining, keeping, text
from explorer.panes.backprop.gpt.commands import commands
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.following import Following
from explorer.panes.backprop.gpt.header import GPTHeader
from explorer.panes.backprop.gpt.moments import Moment, MomentTrack
from explorer.panes.backprop.gpt.preparing import prepare_formulas
from explorer.panes.backprop.gpt.progress import highway_at, states_at
from explorer.panes.backprop.gpt.runner import Runner
from explorer.panes.backprop.gpt.scene import Cell, scene_of
from explorer.panes.backprop.gpt.view import GPTView
from explorer.panes.model_menu import ModelMenu
from explorer.panes.modes import Desk, Mode


class GPTMode(Mode):
    """Text, model and head are the workspace's, so every pane follows and each can be undone."""

    id = "gpt"
    title = "GPT"
    teaches = "How one training example goes through a real GPT, and its gradients back"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = GPTView()
        self.inputs = GPTHeader()
        self.worked: Worked | None = None
        self.pinned: Cell | None = None
        self.hovered: Cell | None = None
        self._share: Edge | None = None  # what flows back there was looked at last
        self._later = True  # asked for once it is shown
        self._wanted: dict[str, Any] = {}  # where a session was left
        self.position = 0.0
        self.computing = Runner(desk.context, self)
        self.models = ModelMenu(desk.context, self.inputs.source.menu(), "The model", self)
        self.models.named.connect(self.inputs.set_model)
        self.models.refresh()
        self._inspecting = QTimer(self)
        self._inspecting.setSingleShot(True)
        self._inspecting.timeout.connect(self.inspect)
        self.following = Following(self)
        self._connect()
        self.following.set_source(self.workspace.model_source)
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
        computing.cancelled.connect(self._on_cancelled)
        view.body.retryRequested.connect(self.ask)
        view.body.actionRequested.connect(self.inputs.prompt.setFocus)
        view.body.set_cancellable(True)
        view.body.cancelRequested.connect(computing.cancel)
        view.operations.operationChosen.connect(self.go_to)
        view.highway.placeClicked.connect(self.go_to_place)
        view.highway.lossClicked.connect(self.go_to_loss)
        view.inside.clicked.connect(self.turn_inside)
        view.head.chosen.connect(lambda head: self.workspace.select(head=head))
        view.stage.cellHovered.connect(self._on_hovered)
        view.stage.cellClicked.connect(self.pin)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def pictures(self) -> dict[str, QWidget]:
        return {
            "transformer-operation": self.view.stage,
            "transformer-highway": self.view.highway,
        }

    def actions(self) -> list[Any]:
        return commands(self)

    def views(self) -> dict[str, Callable[[], Any]]:
        return demo.views(self)

    def state(self) -> dict[str, Any]:
        return {"version": 1, **(self._wanted if self.worked is None else keeping.kept(self))}

    def restore(self, state: dict[str, Any]) -> None:
        self._wanted = {name: state[name] for name in keeping.NAMES if name in state}
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

    # asking

    def ask(self) -> None:
        """Explains the prompt by the model that is open, once the mode is shown."""
        self._later = not self.active
        if not self._later:
            self.computing.ask(self.workspace.prompt, self.workspace.model_source)

    def _on_prompt(self, text: str) -> None:
        self.inputs.prompt.set_prompt(text)
        self.ask()

    def _on_model(self, source: Any) -> None:
        self.following.set_source(source)
        self.ask()

    def _on_asked(self, reason: str) -> None:
        self.view.body.show_loading(self.engine.activity or reason)

    def _on_failed(self, message: str) -> None:
        self._forget()
        self.view.body.show_error(message)
        self.set_headline("This example cannot be explained")

    def _on_cancelled(self) -> None:
        """What was explained before is there again."""
        if self.worked is not None:
            self.view.body.show_ready()
        else:
            self._on_failed("You cancelled it; Retry asks again.")

    def _on_emptied(self, why: str) -> None:
        self._forget()
        longer = self.workspace.prompt.strip()
        self.view.body.show_empty(why, "Type a longer text" if longer else "Type a text")
        self.set_headline(text.IDLE)

    def _forget(self) -> None:
        """What was looked at is found again in the next text that can be explained."""
        if self.worked is not None:
            self._wanted = keeping.kept(self)
        self.worked = self.pinned = self.hovered = None
        self.set_tracks([])
        self.view.stage.set_scene(None, None, 0)
        self.view.stage.set_pinned(None)
        if self.active:
            self.inspection.emit(None)

    def _on_came(self, worked: Worked) -> None:
        same = self.worked is not None and len(worked.moments) == len(self.worked.moments)
        self.worked = worked
        self.hovered = None
        view = self.view
        if self.pinned is not None and not (same and keeping.is_there(worked, self.pinned)):
            self.pinned = None
            view.stage.set_pinned(None)
        view.operations.set_worked(worked)
        view.highway.set_worked(worked)
        view.share_room_anew()
        view.highway.set_token(self.workspace.selection.token)
        view.summary.setText(text.summary(worked))
        view.agreement.setText(text.agreement(worked))
        view.agreement.setToolTip(
            "All gradients are computed twice, by core\u2019s engine and by torch, in 64 bits; "
            "each difference is relative to the largest gradient of its parameter"
        )
        self.following.show()
        view.body.show_ready()
        self.set_tracks([MomentTrack(worked.moments, self._title)], keep_position=same)
        self.spawn(self.engine.io(prepare_formulas, worked))
        if self._wanted:
            self._return_to_wanted()
        self.on_position(self.player.position if self.active else self.position)
        self.inspect()

    def _title(self, moment: Moment) -> str:
        return "" if self.worked is None else text.title(self.worked, moment)

    def _return_to_wanted(self) -> None:
        if self.active:
            wanted, self._wanted = self._wanted, {}
            keeping.bring_back(self, wanted)

    # playing

    @property
    def moment(self) -> Moment | None:
        track = self.player.track
        if not self.active or not isinstance(track, MomentTrack) or not track.length:
            return None
        return track.moments[min(max(0, self.player.step), track.length - 1)]

    @property
    def head(self) -> int:
        count = self.worked.n_head if self.worked is not None else 1
        chosen = self.workspace.selection.head
        return chosen if chosen is not None and 0 <= chosen < count else 0

    def on_position(self, position: float) -> None:
        self.position = position
        worked, moment = self.worked, self.moment
        if worked is None or moment is None:
            return
        view = self.view
        if view.stage.scene is None or view.stage.scene.moment is not moment:
            self.hovered = None
            view.operations.set_progress(moment.operation, states_at(worked, moment))
            reached, here = highway_at(worked, moment)
            view.highway.set_reached(reached, here)
            self.set_headline(text.headline(worked, moment))
            view.set_inside(len(moment.inner), self.player.depth > 0)
        self._show_scene(worked, moment)
        view.stage.set_share(theme.ease_out((position - math.floor(position)) or 1.0))

    def _show_scene(self, worked: Worked, moment: Moment) -> None:
        stage, head = self.view.stage, self.head
        scene = stage.scene
        if scene is None or scene.moment is not moment or stage.worked is not worked:
            scene = scene_of(worked, moment)
        stage.set_scene(worked, scene, head)
        self.view.head.set_head(head, worked.n_head, worked.has_heads(moment))

    def _on_selection(self, _: Any) -> None:
        if self.worked is not None and self.moment is not None:
            self._show_scene(self.worked, self.moment)
            self.view.highway.set_token(self.workspace.selection.token)
            self._inspect_soon()

    def turn_inside(self) -> None:
        """Into the operation's own steps, or out of them."""
        if not self.player.leave():
            self.player.enter()

    def go_to(self, operation: int) -> None:
        """An operation of the list, in the phase that is played."""
        if self.worked is None or self.moment is None:
            return
        backward = self.moment.phase != "forward"
        while self.player.leave():
            pass
        place = self.worked.first_moment(operation, backward)
        if place is not None:
            self.player.seek(place)

    def go_to_place(self, place: int, token: int) -> None:
        """A place of the residual stream: where its gradient is handed on, backward."""
        worked = self.worked
        if worked is None:
            return
        self.workspace.select(token=token)
        label = f"residual.{place}"
        node = next(n for n, one in enumerate(worked.graph.nodes) if one.label == label)
        while self.player.leave():
            pass
        found = worked.first_moment(worked.operation_of(node).number, backward=True)
        if found is not None:
            self.player.seek(found)

    def go_to_loss(self) -> None:
        if self.worked is not None:
            self.go_to(len(self.worked.operations) - 1)

    # inspecting

    def pin(self, cell: Cell | None) -> None:
        """The same again lets it go."""
        self.pinned = None if cell == self.pinned else cell
        self.view.stage.set_pinned(self.pinned)
        self.inspect()

    def _on_hovered(self, cell: Cell | None) -> None:
        self.hovered = cell
        self._inspect_soon()

    def on_step(self, step: int) -> None:
        self._inspect_soon()

    def _inspect_soon(self) -> None:
        """Apart from the picture, so that neither waits; while playing at most 8 times a second."""
        if self.active and not self._inspecting.isActive():
            self._inspecting.start(theme.MOTION["live_number"] if self.player.playing else 0)

    def inspect(self) -> None:
        worked, moment = self.worked, self.moment
        if not self.active or worked is None or moment is None:
            return
        cell = self.pinned or (None if self.player.playing else self.hovered)
        if cell is None or not self.view.stage.shows(cell):
            self.inspection.emit(explaining.of_moment(worked, moment, self._share))
            return
        if cell.what[0] == "flow":
            self._share = cell.what[1]
        place = self.view.stage.describe(cell)
        pinned = cell is self.pinned
        self.inspection.emit(explaining.of_cell(worked, moment, cell, pinned, place))
