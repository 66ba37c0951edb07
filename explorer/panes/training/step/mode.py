"""Step: wires the recorded steps of a run to the picture of each phase."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.training.phases import load_sources
from explorer.panes.training.step import inspector, text
from explorer.panes.training.step.commands import commands
from explorer.panes.training.step.compute import Choice, Reading, Seen
from explorer.panes.training.step.pictures import ALL
from explorer.panes.training.step.scene import Scene
from explorer.panes.training.step.view import StepHeader, StepView
from explorer.state.actions import Action
from explorer.state.tracks import TraceTrack

LOOK = 400  # ms between two looks at a run
INSIDE = [f"core.transformer.gpt:GPT.forward#{line}" for line in ("embed", "block", "unembed")]


def create(desk: Desk, parent: QObject) -> Mode:
    return StepMode(desk, parent)


class StepMode(Mode):
    """A recorded step of the run that is looked at: the newest, or a chosen one."""

    id = "step"
    title = "Step"
    teaches = "What happens in one optimizer step, from the batch to the weights that move"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = StepHeader(), StepView()
        self.choice = Choice()
        self.seen: Seen | None = None
        self.token, self.weight = (0, 0), 0
        self._wish = ""  # the phase to go to once the step is there
        self._asked: tuple[int, ...] | None = None  # what was recorded when one more was asked for
        self._reading: Reading | None = None
        self._folder: Path | None = None
        self._sources_read = False
        self._looks, self._sources = Latest(self.engine, self), Latest(self.engine, self)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._connect()
        self._sources.call(load_sources, *INSIDE, name="the lines of code")
        self._on_run(self.workspace.run)

    def _connect(self) -> None:
        view, inputs = self.view, self.inputs
        inputs.stepChosen.connect(lambda step: self.choose(step=step))
        inputs.rankChosen.connect(lambda rank: self.choose(rank=rank))
        inputs.recordRequested.connect(self.record)
        view.parameterChosen.connect(lambda name: self.choose(parameter=name))
        view.strip.phaseClicked.connect(self.go_to)
        view.tokenChosen.connect(self.choose_token)
        view.picture.weightChosen.connect(self.choose_weight)
        view.picture.partChosen.connect(self.go_inside)
        view.body.actionRequested.connect(self._on_action)
        view.body.retryRequested.connect(lambda: self.look(again=True))
        self._timer.timeout.connect(self.look)
        self._looks.came.connect(self._on_seen)
        self._looks.failed.connect(self._on_failed)
        self._sources.came.connect(self._on_sources)
        self.workspace.runChanged.connect(self._on_run)
        self.context.runs.changed.connect(lambda _: self.look())

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        chosen = {"step": self.choice.step, "rank": self.choice.rank}
        chosen["parameter"] = self.choice.parameter  # type: ignore[assignment]
        return {"version": 1, **chosen, "weight": self.weight, "token": list(self.token)}

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"step": int(step), "rank": int(rank), "parameter": str(parameter)}:
                self.choose(step=max(step, 0), rank=max(rank, 0), parameter=parameter)
        match state:
            case {"weight": int(weight), "token": [int(sequence), int(place)]}:
                self.choose_weight(weight)
                self.choose_token(sequence, place)

    def actions(self) -> list[Action]:
        return commands(self)

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        return {
            "phase": view.picture,
            "text": view.text,
            "likeliest": view.likeliest,
            "schedule": view.plot,
            "memory": view.memory,
        }

    def take(self, wish: dict[str, Any]) -> None:
        """{"step": 813, "phase": "backward"}: a recorded step, at one of its phases."""
        self._wish = str(wish.get("phase", ""))
        self.choose(step=int(wish.get("step", 0)))
        self._fulfil()

    def shown(self) -> None:
        self._timer.start()
        self.look()

    def left(self) -> None:
        self._timer.stop()

    def on_position(self, position: float) -> None:
        self._place()

    def on_step(self, step: int) -> None:
        self._place()
        super().on_step(step)

    def on_playing(self, playing: bool) -> None:
        if not playing:
            self.look()

    # choices

    def choose(self, **changes: Any) -> None:
        """Another `step` (0: the newest), `rank` or `parameter`."""
        choice = replace(self.choice, **changes)
        if choice != self.choice:
            self.choice = choice
            self.look(again=True)

    def choose_token(self, sequence: int, place: int) -> None:
        """The token whose likeliest alternatives are shown."""
        if self.scene is not None:
            sequences, places = self.scene.batch("losses").shape
            sequence, place = min(sequence, sequences - 1), min(place, places - 1)
        self.token = max(sequence, 0), max(place, 0)
        if self.scene is not None:
            self.view.set_token(self.scene, *self.token)

    def choose_weight(self, weight: int) -> None:
        """One of the kept weights of the parameter."""
        kept = len(self.scene.kept) if self.scene is not None else weight + 1
        self.weight = min(max(weight, 0), max(kept - 1, 0))
        self.view.picture.set_weight(self.weight)
        self.inspect()

    def go_to(self, phase: int) -> None:
        """To a phase, out of what the cursor was inside of."""
        while self.player.leave():
            pass
        self.player.seek(phase)

    def go_inside(self, inner: int) -> None:
        """To a part of the model, inside the phase under the cursor."""
        if self.player.depth or self.player.enter():
            self.player.seek(inner)

    # the run

    def _on_run(self, folder: str | None) -> None:
        self._folder = Path(folder) if folder else None
        self._reading, self.seen, self._asked = None, None, None
        self.choice = replace(self.choice, step=0, rank=0)
        self._looks.stop()
        if folder is None:
            self._show_nothing()
        else:
            self.view.body.show_loading()
            self.look()

    def look(self, again: bool = False) -> None:
        """Reads what is new, where somebody sees it and nothing is played; `again`: at once."""
        folder = self._folder
        busy = self._looks.running or self.player.playing
        if folder is None or not self.active or (busy and not again):
            return
        asked = folder, self.choice, None if again else self.seen
        self._looks.ask(lambda: self.engine.io(self._read, *asked), "reading steps", is_told=False)

    def _read(self, folder: Path, choice: Choice, seen: Seen | None) -> Seen | None:
        """In the I/O pool."""
        reading = self._reading
        if reading is None or reading.folder != folder:
            self._reading = reading = Reading(folder)
        return reading.read(choice, seen)

    def _on_failed(self, message: str) -> None:
        self.seen = None
        self.view.set_there(False)
        self.set_tracks([])
        self.view.body.show_error(message)
        self.set_headline(message)

    def record(self) -> None:
        """The next step of the run; it is shown as soon as it is there."""
        if self._folder is not None and self.seen is not None and self.seen.active:
            self._asked = self.seen.steps
            self.choose(step=0)
            self.spawn(self._send(self.context.runs.steer(self._folder, "record")))

    async def _send(self, sent: Any) -> None:
        try:
            await sent
        except (ValueError, OSError) as error:
            self._asked = None
            self.statusRequested.emit(str(error))
        else:
            self.statusRequested.emit(text.ASKED)

    def _on_action(self) -> None:
        """The button where nothing is recorded."""
        if self.seen is not None and self.seen.active:
            self.record()
        else:
            self.modeRequested.emit("run", {})

    # what is seen

    @property
    def scene(self) -> Scene | None:
        return self.seen.scene if self.seen is not None else None

    def _on_seen(self, seen: Seen | None) -> None:
        if seen is None:
            return
        before, self.seen = self.scene, seen
        if self._asked is not None and seen.steps and seen.steps != self._asked:
            self._asked = None
            self.statusRequested.emit(f"Step {seen.steps[-1]:,} is recorded")
        rank = seen.scene.recording.facts.rank if seen.scene is not None else self.choice.rank
        self.inputs.set_choices(seen.steps, self.choice.step, seen.ranks, rank)
        self.inputs.set_live(seen.active)
        if seen.scene is None:
            self._show_nothing()
            return
        same = before is not None and before.recording.facts == seen.scene.recording.facts
        if same and before is not None and before.parameter == seen.scene.parameter:
            return
        self.view.set_there(True)
        self.view.set_scene(seen.scene, seen.parameters)
        self.view.body.show_ready()
        self._bind(seen.scene)
        self.choose_token(*self.token)
        self.choose_weight(self.weight)
        self._fulfil()
        self._place()

    def _show_nothing(self) -> None:
        seen = self.seen
        self.view.set_there(False)
        self.set_tracks([])
        if seen is not None and seen.error:
            self.view.body.show_error(seen.error)
            self.set_headline(f"Step {seen.step:,} cannot be shown")
        else:
            known = (seen.active, seen.foreign) if seen is not None else (False, False)
            sentence, button = text.empty(self._folder is not None, *known)
            self.view.body.show_empty(sentence, button)
            self.set_headline(sentence)
        if self._folder is None:
            self.inputs.set_choices((), 0, 0, 0)
            self.inputs.set_live(False)
        self.inspect()

    def _bind(self, scene: Scene) -> None:
        """The same place in another recording, as deep as it was."""
        path = self.player.path if self.active and self.player.length else []
        self.set_tracks([TraceTrack(scene.trace)])
        for level, position in enumerate(path):
            if level and not self.player.enter():
                return
            self.player.seek(position)

    def _fulfil(self) -> None:
        """Goes to the phase that was wished for, once its step is there."""
        scene = self.scene
        if scene is None or self.seen is None or self.seen.choice != self.choice:
            return
        wish, self._wish = self._wish, ""
        if self.active and wish in scene.phases:
            self.go_to(scene.phases.index(wish))

    def cursor(self) -> tuple[int, int | None, float]:
        """The phase, the step inside it, and how many of these have happened."""
        assert self.scene is not None
        outer, *inside = self.player.path
        phase = min(math.ceil(outer - 1e-9), len(self.scene.phases) - 1)
        if inside:
            return phase, math.ceil(inside[0] - 1e-9), inside[0] + 1
        fraction = outer - math.floor(outer)
        count = len(self.scene.trace.children(self.scene.trace.children()[phase]))
        return phase, None, fraction * count if fraction else ALL

    def _place(self) -> None:
        scene = self.scene
        if scene is None or not self.active or not self.player.length:
            return
        phase, inner, shown = self.cursor()
        name, seconds = scene.phases[phase], scene.moment(phase, inner)
        self.view.set_moment(name, phase, shown, seconds)
        self.set_headline(text.headline(scene, name, inner))

    def _on_sources(self, _: object) -> None:
        self._sources_read = True
        self.inspect()

    def inspect(self) -> None:
        if not self.active or not self._sources_read:
            return
        scene, numbers = self.scene, self.seen.numbers if self.seen is not None else None
        track = self.player.track
        if scene is None or numbers is None or track is None or not self.player.length:
            self.inspection.emit(None)
            return
        phase, inner, _ = self.cursor()
        name, step = scene.phases[phase], track.item(self.player.step)
        if inner is None:
            self.inspection.emit(inspector.of_phase(scene, numbers, name, step))
        elif name == "optimizer":
            self.inspection.emit(inspector.of_line(scene, self.weight, step))
        else:
            self.inspection.emit(inspector.of_part(scene, name, inner, step))
