"""Tune: connects the setup with the runs that it starts, their curves and the models' answers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.fields import lenient, to_json
from core.finetuning.settings import METHODS, QUESTIONS
from core.training.sizes import USUAL_SPEED, measure_speed
from explorer.engine.latest import Latest
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Planned, bundled_record, measures_of, plan
from explorer.panes.finetuning.tune.draft import USUAL, TuneDraft, TuneState
from explorer.panes.finetuning.tune.inspector import inspection
from explorer.panes.finetuning.tune.methods import METHOD_TEXTS
from explorer.panes.finetuning.tune.scene import Curves, all_curves, recorded_curves
from explorer.panes.finetuning.tune.view import NAME, TuneView
from explorer.panes.modes import Mode
from explorer.runs.hub_models import REAL, REAL_TITLE
from explorer.runs.row_text import row_text
from explorer.runs.steering import Steering
from explorer.runs.watched_runs import WatchedRuns
from explorer.state.draft import Draft, named
from explorer.state.tracks import ListTrack
from explorer.widgets import dialogs
from explorer.widgets.choice_picture import NONE
from explorer.widgets.run_card_text import CardText

if TYPE_CHECKING:
    from core.finetuning.held_out_answers import Asked

MOST_RUNS = 8  # of all methods, and one more
FILES = "Examples and texts (*.jsonl *.txt *.md);;All files (*)"


class TuneMode(Mode):
    """Sets up and starts fine-tunings, and draws what each learns and forgets. The other modes show
    the newest checkpoint of the first of the runs started last. The player moves over the
    checkpoints, and the answers follow.
    """

    id = "tune"
    title = "Tune"
    teaches = "What does a model learn from fine-tuning, and what does it forget?"

    def __init__(self, desk: Any, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = TuneView()
        self.steps: list[int] = []  # of the checkpoints that the player moves over
        self.draft = Draft(self.workspace, NAME, TuneDraft, self)
        self.runs = WatchedRuns(self.context.runs, self, measures_of, text.why_not)
        self.steering = Steering(self.engine, self.context.runs, self.context.settings, self)
        self.planned = Planned()
        self.recorded: Curves | None = None
        self._note = ""  # on the recorded run
        self.number = 0  # of the question
        self.begun = 0  # number of starts
        self._speed = 0.0  # FLOP/s of this machine; 0: not measured yet
        self._starts = False  # start once the setup is planned
        self._followed: set[str] = set()  # the runs that were started last
        self._asked: tuple[dict[str, str], int] = ({}, -1)
        self._steps: dict[str, tuple[int, str]] = {}  # of the checkpoints that were asked
        self._plans, self._reads, self._asks, self._measures, self._gets = (
            Latest(self.engine, self) for _ in range(5)
        )
        self._connect()
        self.refresh()
        self._reads.ask(lambda: self.engine.io(bundled_record), "reading the bundled record")

    def _connect(self) -> None:
        form, view, runs = self.view.form, self.view, self.runs
        form.changed.connect(self.change)
        form.typed.connect(self.draft.end_merge)
        form.methods.picked.connect(self.toggle_method)
        form.methods.pointed.connect(lambda _: self.inspect())
        form.targets.toggled.connect(self.toggle_targets)
        form.start.clicked.connect(self.start)
        form.askRequested.connect(self.ask_for)
        form.get.clicked.connect(self.get_base)
        self.context.hub_models.progressed.connect(self._offer)
        self._gets.came.connect(lambda _: self.refresh())
        view.fileDropped.connect(lambda path: self.change("data", path))
        view.answers.runs.asked.connect(self.answer_row)
        view.answers.anotherRequested.connect(self.ask_another)
        self.draft.changed.connect(lambda _: self.refresh())
        self._plans.came.connect(self._on_planned)
        self._plans.failed.connect(self.statusRequested)
        self._reads.came.connect(self._on_record)
        self._asks.came.connect(self._on_answered)
        self._asks.failed.connect(self._on_no_answer)
        self._measures.came.connect(self._on_measured)
        runs.changed.connect(self._on_runs)
        runs.refused.connect(self.statusRequested)
        self.context.runs.changed.connect(lambda _: runs.look())
        self.steering.opened.connect(self._on_started)
        self.steering.refused.connect(self.statusRequested)
        self.steering.changed.connect(self.show_runs)

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        charts, form = self.view.charts, self.view.form
        pictures: dict[str, QWidget] = {"losses": charts.losses, "exact": charts.exact}
        return {**pictures, "methods": form.methods, "targets": form.targets}

    def state(self) -> dict[str, Any]:
        kept = TuneState(tuple(self.runs.folders), self.number, self.begun)
        return {"version": 1, **to_json(kept)}

    def restore(self, state: dict[str, Any]) -> None:
        kept = lenient(TuneState, state)
        for folder in kept.runs[:MOST_RUNS]:
            self.runs.add(folder)
        self.number, self.begun = kept.question, kept.begun

    def shown(self) -> None:
        self.runs.poll(True)
        if not self._speed:
            self._measures.call(measure_speed, name="measuring this machine")
        self.ask()

    def left(self) -> None:
        self.runs.poll(False)

    def on_step(self, step: int) -> None:
        self.view.charts.set_cursor(self.step_shown)
        self.ask()

    def inspect(self) -> None:
        """Inspects the hovered method, or else the first chosen one."""
        methods, at = self.planned.methods, self.view.form.methods.hovered
        if self.active and methods:
            chosen = [one for one in methods if one.chosen]
            told = methods[at] if at != NONE else chosen[0]
            self.inspection.emit(inspection(told, self.planned.counts))

    # setup

    def change(self, name: str, value: Any) -> None:
        """Changes one field of the draft; typing or a drag in one field is one change."""
        if value != getattr(self.draft.value, name):
            usual = USUAL.get(value, {}) if name == "data" else {}
            title = named(self.view.form.fields[name].title, value)
            self.draft.change({name: value, **usual}, title, name)

    def toggle_method(self, row: int) -> None:
        methods = self.draft.value.with_method(method := METHODS[row])
        if methods != self.draft.value.methods:
            verb = "Train" if method in methods else "Do not train"
            self.draft.change({"methods": methods}, f"{verb} {METHOD_TEXTS[method].title}")

    def toggle_targets(self, cells: list[tuple[int, int]]) -> None:
        if (matrices := self.planned.matrices) is not None:
            self.draft.change({"targets": matrices.toggled(cells)}, "Change LoRA's matrices")

    def ask_for(self, name: str) -> None:
        """Asks for a folder or a file of the setup; nothing changes until the user chooses one."""
        then = partial(self.change, name)
        if name == "base":
            dialogs.ask_folder(self.view, "Choose a model", then)
        else:
            dialogs.ask_file(self.view, "Choose examples or a text", then, FILES)

    def refresh(self) -> None:
        """Plans the setup."""
        draft, speed, before = self.draft.value, self._speed or USUAL_SPEED, self.planned.draft
        self.view.form.set_draft(draft)
        if before is not None and (before.base, before.data) != (draft.base, draft.data):
            self.view.form.set_waiting()  # large files may have to be read first
        self._plans.ask(lambda: self.engine.io(plan, draft, speed), "what a fine-tuning takes")

    def _on_planned(self, planned: Planned) -> None:
        """Shows a plan; an invalid field keeps the previous estimates, except for a new base."""
        methods = planned.methods or self.planned.methods
        if why := planned.errors.get("base"):
            methods = tuple(replace(one, estimate=None, error=why) for one in methods)
        matrices = planned.matrices or self.planned.matrices
        self.planned = replace(planned, methods=methods, matrices=matrices)
        self.view.form.set_planned(self.planned)
        self._offer()
        self.inspect()
        self._tell()
        if self._starts:
            self.start()

    def _offer(self) -> None:
        """Shows a button to download a missing base, or to cancel its download."""
        get = self.view.form.get
        get.setVisible("base" in self.planned.errors and self.draft.value.base == REAL)
        get.setText(self.context.hub_models.offer)

    def get_base(self) -> None:
        hub = self.context.hub_models
        if hub.coming:
            hub.cancel()
        else:
            get = partial(hub.get, REAL, REAL_TITLE, large=True)
            self._gets.ask(get, f"getting {REAL_TITLE}")

    def _on_measured(self, speed: float) -> None:
        self._speed = speed
        self.refresh()

    # runs

    def start(self) -> None:
        """Starts a run for each chosen method, once the setup is planned. Runs that start together
        see the same batches; each start has another seed, so that two LoRA runs do not begin with
        the same A.
        """
        self._starts = self.planned.draft != self.draft.value
        if self._starts:
            return
        if self.planned.errors:
            self.statusRequested.emit(next(iter(self.planned.errors.values())))
            return
        self.begun, self._followed = self.begun + 1, set()
        for method, config in self.planned.configs.items():
            seeded = config.change({"seed": config.seed + self.begun})
            self.steering.begin(seeded, METHOD_TEXTS[method].title, "")

    def _on_started(self, folder: str, _: str) -> None:
        for old in self.runs.folders[: 1 - MOST_RUNS]:
            self.runs.dismiss(old)
        self._followed.add(folder)
        self.runs.add(folder)

    def answer_row(self, folder: str, what: str) -> None:
        """Runs the action of a run row's button."""
        if what in ("continue", "again"):
            self._followed = {folder}
        if what == "open":
            self.workspace.begin("pane", "training")  # the pane must exist before the signal
            self.workspace.set_run(folder)
            self.workspace.runOpened.emit(folder)
        elif what == "correct":
            self.correct(folder)
        elif what == "dismiss":
            self.runs.dismiss(folder)
        else:
            self.steering.press(Path(folder), what)

    def correct(self, folder: str) -> None:
        """Replaces a failed run by one with the current setup."""
        if not self.planned.errors:
            self.runs.dismiss(folder)
        self.start()

    def _on_runs(self) -> None:
        self.show_runs()
        kept = {folder: data.checkpoints for folder, data in self.runs.known.items()}
        followed = (kept[one] for one in self.curves() if one in self._followed)
        if newest := next(filter(None, followed), None):
            self.desk.tuned.draft.begin({"address": str(newest[max(newest)])})  # type: ignore[attr-defined]
        steps = sorted({step for one in kept.values() for step in one})
        if steps != self.steps:
            is_last = self.step_shown in (None, *self.steps[-1:])
            self.steps, titles = steps, [f"step {one:,}" for one in steps]
            self.set_tracks([ListTrack(titles, steps)] if steps else [], keep_position=True)
            if is_last and steps and self.active:
                self.player.seek(len(steps) - 1)
        self.view.charts.set_cursor(self.step_shown)
        self.ask()

    def curves(self) -> dict[str, Curves]:
        """Returns the curves of each run, by folder."""
        known = self.runs.known
        return all_curves({one: (data, self.runs.extra(one)) for one, data in known.items()})

    def data_of(self, curves: dict[str, Curves]) -> str:
        """Returns the data of the followed runs, or else of the first: its questions are asked."""
        followed = [one.data for folder, one in curves.items() if folder in self._followed]
        return next(iter([*followed, *(one.data for one in curves.values())]), QUESTIONS)

    def show_runs(self) -> None:
        """Updates curves, rows and the headline."""
        known, curves = self.runs.known, self.curves()
        state = self.steering.state
        rows = {one: row_text(known[one], state(known[one]), curves[one].name) for one in curves}
        if curves:
            self.view.charts.set_curves(list(curves.values()))
        elif self.recorded is not None:
            steps = self.recorded.steps
            rows = {QUESTIONS: CardText(self.recorded.name, "finished", steps, steps)}
            self.view.charts.set_curves([self.recorded], self._note)
        self.view.answers.runs.set_rows(rows)
        self._tell()

    def _on_record(self, record: Any) -> None:
        self.recorded = recorded_curves(record["evaluations"], text.RECORDED)
        self._note = text.RECORDED_NOTE.format(record["recipe"]["settings"]["replay"])
        self.view.body.show_ready()
        self.show_runs()

    def _tell(self) -> None:
        curves, errors = self.curves(), self.planned.errors
        failed = [one for one in curves if self.runs.known[one].state == "failed"]
        if failed:
            data, name = self.runs.known[failed[-1]], curves[failed[-1]].name
            self.set_headline(text.FAILED.format(name, data.step, data.message))
        elif errors:
            name, why = next(iter(errors.items()))
            field = self.view.form.fields.get(name)
            self.set_headline(why if field is None else f"{field.title}: {why}")
        elif curves:
            self.set_headline(text.headline(list(curves.values()), self.data_of(curves)))
        elif self.planned.methods:
            self.set_headline(text.ready(self.planned, self.draft.value.data))

    # answers

    def ask(self) -> None:
        """Asks the base, and every run at the cursor's checkpoint, one question."""
        at, curves = self.step_shown, self.curves()
        kept = self.runs.checkpoints(*([] if at is None else [at]))
        data = self.data_of({one: curves[one] for one in kept})
        learned = {one: path for one, (_, path) in kept.items() if curves[one].data == data}
        folders = learned or {QUESTIONS: QUESTIONS}
        if self.active and (folders, self.number) != self._asked:
            from core.finetuning.held_out_answers import ask_steps

            self._asked, self._steps = (folders, self.number), kept
            asked = partial(ask_steps, folders, self.number)
            self._asks.ask(asked, "asking base and tuned", is_told=False)

    def _on_answered(self, asked: Asked) -> None:
        """Shows the answers, each run's with its step."""
        tuned, curves = dict(asked.tuned), self.curves()
        kept = {one: curves[one] for one in self._steps if one in curves}
        for one, curve in kept.items():
            tuned[one] = text.said_at(self._steps[one][0], tuned.get(one), curve.data)
        are_several = len({one.data for one in curves.values()}) > 1
        data = self.data_of(kept) if are_several else ""
        self.view.answers.set_asked(replace(asked, tuned=tuned), data)

    def ask_another(self) -> None:
        self.number += 1
        self.ask()

    def _on_no_answer(self, message: str) -> None:
        self._asked = ({}, -1)
        self.view.answers.set_asked(None)
        self.statusRequested.emit(message)
