"""Train: sets up a training, plays it in all lanes at once, and passes finished tokenizers on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget

from core.fields import lenient
from core.tokenization.byte_level import clean_text
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.text import too_long
from explorer.panes.tokenizers.train import text, tokenizer_files
from explorer.panes.tokenizers.train.draft import LONGEST_TYPED, TYPED, TrainDraft
from explorer.panes.tokenizers.train.form import TrainForm
from explorer.panes.tokenizers.train.inputs import TrainInputs
from explorer.panes.tokenizers.train.inspector import inspection, part_inspection
from explorer.panes.tokenizers.train.runner import Surveyor, Trainer
from explorer.panes.tokenizers.train.scene import Cards, Curves
from explorer.panes.tokenizers.train.track import LaneTrack, MergeTrack, Place
from explorer.panes.tokenizers.train.view import TrainingView
from explorer.state.draft import Draft, named
from explorer.widgets import dialogs
from explorer.widgets.pacing import Pacing

CURVES_EVERY = 250  # ms between updates of the curves during training
TEXTS = "Texts (*.txt *.md *.csv *.json *.py);;All files (*)"


class TrainMode(Mode):
    """The mode: the setup before a training, then the training, live at its last step."""

    id = "train"
    title = "Train"
    takes = ("corpus",)
    teaches = "How four algorithms learn a vocabulary from the same text, step by step"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.form, self.view, self.inputs = TrainForm(), TrainingView(), TrainInputs()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.form)
        self.stack.addWidget(self.view)
        self.draft = Draft(self.workspace, "tokenizers.train", TrainDraft, self)
        self.surveyor, self.trainer = Surveyor(self.engine, self), Trainer(self.engine, self)
        self.focus = 0  # the lane in transport and inspector
        self._cards: Cards | None = None
        self._curves: Curves | None = None
        self._again: dict[str, Any] | None = None  # the training to repeat from a session
        self._curves_soon = QTimer(self, singleShot=True, interval=CURVES_EVERY)
        self._curves_soon.timeout.connect(self._show_curves)
        self._pace = Pacing(self.player, self)
        self._pace.due.connect(self.inspect)
        self._connect()
        self._on_draft(self.draft.value)
        self.set_headline(text.SETUP)

    def _connect(self) -> None:
        form, view, inputs = self.form, self.view, self.inputs
        form.changed.connect(self.change)
        form.rested.connect(self.draft.end_merge)
        form.startRequested.connect(self.start)
        form.fileRequested.connect(self.ask_for_text)
        form.fileDropped.connect(lambda path: self.filesDropped.emit([path]))
        form.text.cut.connect(lambda size: self.statusRequested.emit(too_long(size, LONGEST_TYPED)))
        inputs.sampleChanged.connect(lambda sample: self.change("sample", clean_text(sample)))
        inputs.sample.editingFinished.connect(self.draft.end_merge)
        inputs.hurryRequested.connect(self.hurry)
        inputs.newRequested.connect(self.new_training)
        view.laneChosen.connect(self.set_focus_lane)
        view.laneEntered.connect(self.enter)
        view.laneUsed.connect(self.use)
        view.stepClicked.connect(self.go_to)
        view.states.cancelRequested.connect(self.new_training)
        view.states.retryRequested.connect(self.new_training)
        self.draft.changed.connect(self._on_draft)
        self.surveyor.grown.connect(self._show_setup)
        self.trainer.grown.connect(self._on_grown)
        self.trainer.stateChanged.connect(self._on_state)

    # called by the pane

    def widget(self) -> QWidget:
        return self.stack

    def pictures(self) -> dict[str, QWidget]:
        charts = self.view.charts
        return {
            "sample": self.view.sample,
            "compression": charts.compression,
            "training": charts.other,
        }

    def state(self) -> dict[str, Any]:
        told = {"version": 1, "focus": self.focus, "curve": self.view.charts.kind}
        training = self.trainer.remembered() or self._again
        return {**told, "training": training} if training else told

    def restore(self, state: dict[str, Any]) -> None:
        """Restores a session; repeats its training, up to the same step, once the mode is shown."""
        if isinstance(state.get("curve"), str):
            self.view.charts.set_kind(state["curve"])
        if isinstance(state.get("focus"), int):
            self.focus = max(0, state["focus"])
        again = state.get("training")
        if isinstance(again, dict) and isinstance(again.get("moments"), int):
            if self.trainer.recording is not None and again != self.trainer.remembered():
                self.new_training()
            self._again = again
        if self.active:
            self._train_again()

    async def settled(self) -> None:
        """Waits for the jobs and shows all recorded steps, also those not signaled yet."""
        await self.surveyor.settled()
        await self.trainer.settled()
        self._on_grown()
        self._show_curves()
        await super().settled()

    def shown(self) -> None:
        self._train_again()
        self._show_page()

    def left(self) -> None:
        self.surveyor.stop()

    def take(self, wish: dict[str, Any]) -> None:
        """Uses the text in {"corpus": path}."""
        self.change("corpus", wish["corpus"])

    # the setup

    def change(self, name: str, value: Any) -> None:
        """Changes a field of the setup; continuous typing is one undo step."""
        before = self.draft.value
        if getattr(before, name) == value:
            self._show_setup()  # the form may show another value
            return
        is_size = name == "lanes" and [one.unsized for one in value] == [
            one.unsized for one in before.chosen
        ]
        is_typed = is_size or name not in ("corpus", "lanes")
        told = value if isinstance(value, str) and name != "typed" else ""
        merging = name if is_typed else ""
        self.draft.change({name: value}, named(text.CHANGES[name], told), merging)

    def ask_for_text(self) -> None:
        choose = partial(self.change, "corpus")
        dialogs.ask_file(self.stack, "Choose a text to learn from", choose, TEXTS)

    @property
    def errors(self) -> dict[str, str]:
        """The errors of the setup, by name of the field."""
        error = self.surveyor.error
        return {**({"corpus": error} if error else {}), **self.draft.value.errors()}

    @property
    def _notes(self) -> list[tuple[str, str]]:
        """For each algorithm a note on possible sizes and the error of its size."""
        draft = self.draft.value
        if "corpus" in self.errors:
            return [("", "")] * len(draft.chosen)
        survey = self.surveyor.survey
        return [text.lane_note(survey, lane, draft.pieces) for lane in draft.chosen]

    @property
    def can_start(self) -> bool:
        return not self.errors and not any(error for _, error in self._notes)

    def _on_draft(self, draft: TrainDraft) -> None:
        self.inputs.set_sample(draft.sample)
        self.trainer.set_sample(draft.sample)
        self._look_at_text()

    def _look_at_text(self) -> None:
        """Surveys the text while the setup is visible."""
        if self.active and self.trainer.recording is None:
            self.surveyor.ask(self.draft.value)
        self._show_setup()

    def _show_setup(self) -> None:
        draft, surveyor = self.draft.value, self.surveyor
        self.form.set_draft(draft, self.errors, self._notes)
        self.form.set_survey(draft, surveyor.survey, surveyor.error)

    # the training

    def start(self, draft: TrainDraft | None = None, *, until: int | None = None) -> None:
        """Trains with the current setup or with `draft`.

        With `until`, trains at full speed up to that many moments, then waits.
        """
        draft = draft or self.draft.value
        if not self.can_start:
            return
        limits = self.surveyor.limits(draft)
        self.surveyor.stop()
        self.view.set_lanes(draft.names, [lane.kind for lane in draft.chosen], draft.sample)
        self.view.states.show_loading()
        self.focus = min(self.focus, len(draft.chosen) - 1)
        self.view.set_focus_lane(self.focus)
        recording = self.trainer.start(draft, self.player.speed, until, limits)
        self._cards, self._curves = Cards(recording), Curves(recording)
        self._bind(keep=False)
        self._show_page()
        self._on_grown()

    def _train_again(self) -> None:
        """Repeats the training of a restored session."""
        again, self._again = self._again, None
        if again is not None and self.trainer.recording is None and self.can_start:
            is_done = bool(again.get("done"))
            until = None if is_done else max(1, again["moments"])
            self.start(lenient(TrainDraft, again.get("options")), until=until)
            if is_done:
                self.trainer.hurry()

    def new_training(self) -> None:
        """Returns to the setup and drops the training, except tokenizers in the catalogue."""
        self.trainer.clear()
        self._cards = self._curves = None
        self.set_tracks([])
        self._show_page()
        self.inspection.emit(None)

    def hurry(self) -> None:
        """Trains to the end at full speed, with the cursor at the live edge."""
        self.trainer.hurry()
        if self.active:
            self._leave_merge()
            self.player.end()
            self.player.refresh()

    def _show_page(self) -> None:
        trains = self.trainer.recording is not None
        self.stack.setCurrentWidget(self.view if trains else self.form)
        if not trains:
            self._look_at_text()
        self.inputs.set_state(self.trainer.state)
        self._tell()

    def _on_grown(self) -> None:
        recording, states = self.trainer.recording, self.view.states
        if recording is None:
            return
        if self.active:
            self.trainer.set_speed(self.player.speed)
        if self.trainer.error:
            states.show_error(self.trainer.error, "Back to the setup")
        elif not len(recording):
            states.show_loading(text.busy(recording))
        elif states.state != "ready":
            states.show_ready()
        is_busy = recording.preparing is not None and len(recording) > 0
        states.set_waiting(text.busy(recording) if is_busy else "")
        self.view.sample.set_sample(recording.sample)
        self.grown()
        self._show_moment()
        if not self._curves_soon.isActive():
            self._curves_soon.start()

    def _on_state(self, state: str) -> None:
        self.inputs.set_state(state)
        if state == "done":
            self._offer()
        self.grown()
        if self.active:
            self.player.playingChanged.emit(self.player.playing)
        self._tell()
        self._curves_soon.start()

    # the cursor

    def set_focus_lane(self, lane: int) -> None:
        """Shows a lane in transport and inspector."""
        recording = self.trainer.recording
        if recording is not None and lane != self.focus and lane in recording.lanes:
            self.focus = lane
            self.view.set_focus_lane(lane)
            self._bind(keep=True)
            self.inspect()

    def _bind(self, keep: bool) -> None:
        """Gives the player the focused lane's track; all lanes have the same moments."""
        recording, trainer = self.trainer.recording, self.trainer
        if recording is None:
            return
        track = LaneTrack(
            recording,
            self.focus,
            step_at=lambda: int(self.player.position),
            playing=lambda: trainer.playing,
            play=trainer.play,
            pause=trainer.pause,
            step=trainer.step,
        )
        self.set_tracks([track], keep_position=keep)

    def grown(self) -> None:
        for track in self.tracks:
            if isinstance(track, LaneTrack):
                track.renew()
        super().grown()

    @property
    def merge(self) -> MergeTrack | None:
        """The merge that the cursor is inside of; None at the level of moments."""
        track = self.player.track if self.active else None
        return track if isinstance(track, MergeTrack) else None

    def place(self) -> Place:
        """Returns the cursor's place; the last moment while another mode is shown."""
        track: Any = self.merge or next(iter(self.tracks), None)
        if track is None:
            return Place(0, 0, 1.0)
        return track.place(self.player.position if self.active else track.length)

    def go_to(self, step: float) -> None:
        """Seeks to the nearest moment, outside of any merge."""
        self._leave_merge()
        self.player.seek(round(step))

    def enter(self, lane: int) -> None:
        """Enters the lane's merge at the current moment."""
        self._leave_merge()
        self.set_focus_lane(lane)
        self.player.enter()

    def _leave_merge(self) -> None:
        while self.player.leave():
            pass

    def on_position(self, position: float) -> None:
        self._show_moment()

    def on_step(self, step: int) -> None:
        self._tell()
        self._pace.soon()

    def _show_moment(self) -> None:
        recording, cards = self.trainer.recording, self._cards
        if recording is None or cards is None or not self.tracks or not self.tracks[0].length:
            return
        before, after, share = self.place()
        self.view.set_moment(
            [cards.card(lane, after) for lane in recording.lanes],
            [recording.split(lane, before) for lane in recording.lanes],
            [recording.split(lane, after) for lane in recording.lanes],
            share,
        )
        self.view.charts.set_cursor(before + share if after > before else float(after))

    def _show_curves(self) -> None:
        recording, curves = self.trainer.recording, self._curves
        if recording is not None and curves is not None:
            curves.grow()
            self.view.charts.set_curves(curves, recording.expected)

    def _tell(self) -> None:
        if self.merge is not None:
            self.set_headline(self.merge.title(max(0, self.player.step)))
            return
        at = self.place().after if self.active else 0
        live = self.active and self.player.at_live_edge
        self.set_headline(text.headline(self.trainer.recording, at, self.trainer.state, live))

    def inspect(self) -> None:
        recording, merge = self.trainer.recording, self.merge
        if recording is not None and merge is not None:
            self.inspection.emit(part_inspection(recording, merge, max(0, self.player.step)))
        elif self.active and recording is not None and len(recording):
            self.inspection.emit(inspection(recording, self.focus, self.place().after))

    # finished tokenizers

    def _offer(self) -> None:
        """Makes finished tokenizers available, on the cards and in the catalogue."""
        finished = self.trainer.tokenizers
        self.view.set_finished([one is not None for one in finished])
        for lane, one in enumerate(finished):
            if one is not None:
                self.catalogue.add_trained(self.trainer.title(lane), one)

    def use(self, lane: int, what: str) -> None:
        """Saves a finished tokenizer ("save") or opens it: "train", "compare", "inside"."""
        if self.trainer.tokenizer(lane) is None:
            return
        name = f"trained:{self.trainer.title(lane)}"
        if what == "save":
            self.ask_where_to_save(lane)
        elif what == "train":
            self.spawn(self._train_model(lane))
        elif what == "compare":
            self.modeRequested.emit("compare", {"add": name})
        elif what == "inside":
            self.modeRequested.emit("inside", {"tokenizer": name})

    def ask_where_to_save(self, lane: int) -> None:
        tokenizer = self.trainer.tokenizer(lane)
        name = tokenizer_files.file_name(self.trainer.draft.names[lane], tokenizer.vocab_size)
        dialog = dialogs.ask_target(
            self.stack,
            "Save the tokenizer",
            name,
            lambda path: self.spawn(self.save(tokenizer, Path(path))),
        )
        tokenizer_files.offer_kinds(dialog, tokenizer.kind)

    async def save(self, tokenizer: Any, path: Path) -> None:
        try:
            await self.engine.io(tokenizer_files.save, tokenizer, path)
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))
        else:
            self.statusRequested.emit(f"Saved {path.name}")

    async def _train_model(self, lane: int) -> None:
        """Opens the Training pane with a lane's tokenizer and its text."""
        draft, title = self.trainer.draft, self.trainer.title(lane)
        typed = draft.typed if draft.corpus == TYPED else None
        given = self.trainer.tokenizer(lane), title, typed
        try:
            path = await self.engine.io(tokenizer_files.save_for_runs, *given)
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))
            return
        corpus = draft.corpus if typed is None else str(path.with_name(tokenizer_files.TEXT))
        self.workspace.train_with(str(path), corpus)
