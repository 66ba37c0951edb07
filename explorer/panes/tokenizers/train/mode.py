"""The mode Train: wires setup, trainer, tracks, picture and inspector together."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget

from core.tokenization.byte_level import clean_text
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.text import too_long
from explorer.panes.tokenizers.train import text
from explorer.panes.tokenizers.train.again import draft_of, remembered, until_of
from explorer.panes.tokenizers.train.cursor import MomentCursor
from explorer.panes.tokenizers.train.curves import Lines
from explorer.panes.tokenizers.train.draft import LONGEST_TYPED, TrainDraft
from explorer.panes.tokenizers.train.faces import LaneFaces, lane_words
from explorer.panes.tokenizers.train.header import TrainHeader
from explorer.panes.tokenizers.train.inspecting import inspection, part_inspection
from explorer.panes.tokenizers.train.planning import Planning
from explorer.panes.tokenizers.train.setup import SetupView
from explorer.panes.tokenizers.train.track import LaneTrack
from explorer.panes.tokenizers.train.trainer import Trainer
from explorer.panes.tokenizers.train.using import Using
from explorer.panes.tokenizers.train.view import RunView
from explorer.state.actions import Action
from explorer.widgets import dialogs

CURVES_EVERY = 250  # ms between two looks at the lines while training goes on
INSPECT_EVERY = 0.125  # seconds, while it plays
TEXTS = "Texts (*.txt *.md *.csv *.json *.py);;All files (*)"


class TrainMode(Mode):
    """Setup while nothing is trained; then the training, live at the right-hand edge."""

    id, title = "train", "Train"
    takes = ("corpus",)
    teaches = "How four algorithms learn their pieces from one text, step by step"

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(desk, parent)
        self.setup, self.view, self.inputs = SetupView(), RunView(), TrainHeader()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.setup)
        self.stack.addWidget(self.view)
        self.trainer = Trainer(self.engine, self)
        self.planning = Planning(self.engine, self.workspace, self.setup, self)
        self.using = Using(self)
        self.cursor = MomentCursor(self)
        self.focus = 0  # the lane that transport and inspector speak of
        self._faces: LaneFaces | None = None
        self._lines: Lines | None = None
        self._again: dict[str, Any] | None = None  # a training of the last session
        self._inspected = 0.0
        self._soon = QTimer(self, singleShot=True, interval=CURVES_EVERY)
        self._soon.timeout.connect(self._show_lines)
        self._later = QTimer(self, singleShot=True, interval=round(1000 * INSPECT_EVERY))
        self._later.timeout.connect(self.inspect)
        self._connect()
        self.planning.plan()
        self._on_draft(self.planning.draft.value)
        self.set_headline(text.SETUP)

    def _connect(self) -> None:
        self.setup.startRequested.connect(self.start)
        self.setup.fileRequested.connect(self.ask_for_text)
        self.setup.text.cut.connect(
            lambda size: self.statusRequested.emit(too_long(size, LONGEST_TYPED))
        )
        self.setup.fileDropped.connect(lambda path: self.filesDropped.emit([path]))
        self.inputs.sampleChanged.connect(
            lambda text: self.planning.change("sample", clean_text(text))
        )
        self.inputs.sample.editingFinished.connect(self.planning.draft.end_merge)
        self.inputs.hurryRequested.connect(self.hurry)
        self.inputs.newRequested.connect(self.new_training)
        self.planning.draft.changed.connect(self._on_draft)
        self.view.laneChosen.connect(self.set_focus_lane)
        self.view.laneEntered.connect(self.cursor.go_inside)
        self.view.laneUsed.connect(self.using.use)
        self.view.stepClicked.connect(self.cursor.go_to)
        self.view.states.cancelRequested.connect(self.new_training)
        self.view.states.retryRequested.connect(self.new_training)
        self.trainer.grown.connect(self._on_grown)
        self.trainer.stateChanged.connect(self._on_state)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.stack

    def header(self) -> QWidget:
        return self.inputs

    def pictures(self) -> dict[str, QWidget]:
        return {
            "sample": self.view.sample,
            "compression": self.view.curves.compression,
            "training": self.view.curves.other,
        }

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "version": 1,
            "focus": self.focus,
            "curve": self.view.curves.kind,
        }
        training = remembered(self.trainer) or self._again
        return told if training is None else {**told, "training": training}

    def restore(self, state: dict[str, Any]) -> None:
        """A training is not kept: it is done again up to where it was, when it is looked at."""
        if isinstance(state.get("curve"), str):
            self.view.curves.set_kind(state["curve"])
        if isinstance(state.get("focus"), int):
            self.focus = max(0, state["focus"])
        again = state.get("training")
        if isinstance(again, dict) and isinstance(again.get("moments"), int):
            if self.trainer.recording is not None and again != remembered(self.trainer):
                self.new_training()
            self._again = again
        if self.active:
            self._train_again()

    async def settled(self) -> None:
        """Shows all that was recorded, whether or not the news of it has come."""
        await self.planning.settled()
        await self.trainer.settled()
        self._on_grown()
        self._show_lines()
        await super().settled()

    def actions(self) -> list[Action]:
        from explorer.panes.tokenizers.train.commands import commands

        return commands(self)

    def shown(self) -> None:
        self._train_again()
        self._show_page()

    def _train_again(self) -> None:
        """A training of the last session."""
        again, self._again = self._again, None
        if again is not None and self.trainer.recording is None and self.planning.can_start:
            self.start(draft_of(again, self.planning.draft.value), until=until_of(again))
            if again.get("done"):
                self.trainer.hurry()

    def left(self) -> None:
        self.planning.set_wanted(False)

    # training

    def start(self, draft: TrainDraft | None = None, *, until: int | None = None) -> None:
        """Trains as the setup says, or as it did before by this `draft`.

        `until`: fast up to so many moments, then it waits.
        """
        draft = draft or self.planning.draft.value
        if not self.planning.can_start:
            return
        limits = self.planning.limits(draft)
        self.planning.set_wanted(False)
        kinds = [lane.kind for lane in draft.chosen]
        self.view.set_lanes(draft.names, kinds, draft.sample)
        self.view.states.show_loading()
        self.focus = min(self.focus, len(draft.chosen) - 1)
        self.view.set_focus_lane(self.focus)
        self.trainer.start(draft, self.player.speed, until=until, limits=limits)
        recording = self.trainer.recording
        assert recording is not None
        self._faces, self._lines = LaneFaces(recording), Lines(recording)
        self._bind(keep=False)
        self._show_page()
        self._on_grown()

    def new_training(self) -> None:
        """Back to the setup. What was trained is forgotten, but for what the catalogue holds."""
        self.trainer.clear()
        self._faces = self._lines = None
        self.set_tracks([])
        self._show_page()
        self.inspection.emit(None)

    def hurry(self) -> None:
        """To the end as fast as it goes, watched at the live edge."""
        self.trainer.hurry()
        if self.active:
            self.cursor.go_out()
            self.player.end()
            self.player.refresh()

    def set_focus_lane(self, lane: int) -> None:
        recording = self.trainer.recording
        if recording is None or lane == self.focus or lane >= len(recording.names):
            return
        self.focus = lane
        self.view.set_focus_lane(lane)
        self._bind(keep=True)
        self.inspect()

    def grown(self) -> None:
        for track in self.tracks:
            if isinstance(track, LaneTrack):
                track.renew()
        super().grown()

    def _bind(self, keep: bool) -> None:
        """The lane that is spoken of comes first: the transport tells its titles."""
        recording, trainer = self.trainer.recording, self.trainer
        if recording is None:
            return
        lanes = sorted(range(len(recording.names)), key=lambda lane: lane != self.focus)
        tracks = [
            LaneTrack(
                recording,
                lane,
                place=lambda: int(self.player.position),
                playing=lambda: trainer.playing,
                play=trainer.play,
                pause=trainer.pause,
                step=trainer.step,
            )
            for lane in lanes
        ]
        self.set_tracks(tracks, keep_position=keep)

    def _show_page(self) -> None:
        training = self.trainer.recording is not None
        self.stack.setCurrentWidget(self.view if training else self.setup)
        self.planning.set_wanted(self.active and not training)
        self.inputs.set_state(self.trainer.state)
        self._tell()

    def _on_draft(self, draft: TrainDraft) -> None:
        self.inputs.set_sample(draft.sample)
        if self.trainer.recording is not None:
            self.trainer.set_sample(draft.sample)

    # what comes

    def _on_grown(self) -> None:
        recording, states = self.trainer.recording, self.view.states
        if recording is None:
            return
        if self.active:
            self.trainer.set_speed(self.player.speed)
        if self.trainer.error:
            states.show_error(self.trainer.error, "Back to the setup")
        elif not len(recording):
            states.show_loading(text.busy(recording.preparing, recording))
        elif states.state != "ready":
            states.show_ready()
        busy = recording.preparing is not None and len(recording) > 0
        states.set_waiting(text.busy(recording.preparing, recording) if busy else "")
        self.view.sample.set_sample(recording.sample)
        self.grown()
        self._show_moment()
        if not self._soon.isActive():
            self._soon.start()

    def _on_state(self, state: str) -> None:
        self.inputs.set_state(state)
        if state == "done":
            self.using.offer()
        self.grown()
        if self.active:
            self.player.playingChanged.emit(self.player.playing)
        self._tell()
        self._soon.start()

    def on_position(self, position: float) -> None:
        self._show_moment()

    def on_step(self, step: int) -> None:
        self._tell()
        if time.monotonic() - self._inspected >= INSPECT_EVERY:
            self.inspect()
        elif not self._later.isActive():
            self._later.start()

    def _show_moment(self) -> None:
        recording, faces = self.trainer.recording, self._faces
        if recording is None or faces is None or not self.tracks or not self.tracks[0].length:
            return
        before, after, share = self.cursor.place()
        lanes = range(len(recording.names))
        told = [(lane_words(recording, lane, after), faces.face(lane, after)) for lane in lanes]
        self.view.set_moment(
            told,
            [recording.split(lane, before) for lane in lanes],
            [recording.split(lane, after) for lane in lanes],
            share,
        )
        self.view.curves.set_cursor(before + share if after > before else float(after))

    def _show_lines(self) -> None:
        recording, lines = self.trainer.recording, self._lines
        if recording is not None and lines is not None:
            lines.grow()
            self.view.curves.set_lines(lines, recording.expected)

    def _tell(self) -> None:
        trainer = self.trainer
        index = self.cursor.place()[1] if self.active else 0
        live = self.active and self.player.at_live_edge
        told = text.headline(trainer.recording, index, trainer.state, trainer.error, live)
        if (inside := self.cursor.inside) is not None:
            told = inside.title(max(0, self.player.step))
        self.set_headline(told)

    def inspect(self) -> None:
        recording = self.trainer.recording
        self._inspected = time.monotonic()
        self._later.stop()
        if (inside := self.cursor.inside) is not None and recording is not None:
            self.inspection.emit(part_inspection(recording, inside, max(0, self.player.step)))
        elif self.active and recording is not None and len(recording):
            self.inspection.emit(inspection(recording, self.focus, self.cursor.place()[1]))

    # files

    def take(self, wish: dict[str, Any]) -> None:
        """{"corpus": path of a text}."""
        self.planning.change("corpus", wish["corpus"])

    def ask_for_text(self) -> None:
        dialogs.ask_file(
            self.stack,
            "Choose a text to learn from",
            lambda path: self.planning.change("corpus", path),
            TEXTS,
        )
