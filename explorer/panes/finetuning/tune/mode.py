"""Tune: wires the setup, the runs that it starts, their curves and what the model answers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.finetuning.settings import METHODS
from core.training.sizes import USUAL_SPEED, measure_speed
from explorer.engine.latest import Latest
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.compute import Planned, answer_steps, bundled_record, plan
from explorer.panes.finetuning.tune.draft import TuneDraft
from explorer.panes.finetuning.tune.inspector import inspection
from explorer.panes.finetuning.tune.scene import Asked, Curves, recorded_curves
from explorer.panes.finetuning.tune.view import NAME, TuneView
from explorer.panes.finetuning.tune.watched_runs import WatchedRuns
from explorer.panes.modes import Mode
from explorer.runs.steering import Steering
from explorer.state.draft import Draft, named
from explorer.widgets import dialogs
from explorer.widgets.choice_picture import NONE

MOST_RUNS = 6  # whose curves are told apart
FILES = "Examples and texts (*.jsonl *.txt *.md);;All files (*)"


class TuneMode(Mode):
    """Sets fine-tunings up, starts them and draws what each learns and forgets. What the other
    modes look at is the newest checkpoint of the run that was started last.
    """

    id = "tune"
    title = "Tune"
    teaches = "What does a model learn by fine-tuning, and what does it forget?"

    def __init__(self, desk: Any, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view, self.tuned = TuneView(), desk.tuned
        self.draft = Draft(self.workspace, NAME, TuneDraft, self)
        self.planned, self.number = Planned(), 0
        self.recorded: Curves | None = None
        self.runs = WatchedRuns(self.context.runs, self)
        self.steering = Steering(self.engine, self.context.runs, self.context.settings, self)
        self._speed = 0.0  # FLOP/s of this machine; 0: not measured yet
        self._followed = ""  # the run whose checkpoints are looked at
        self._answered = ("", -1)
        self._plans, self._reads, self._asks, self._measures = (
            Latest(self.engine, self) for _ in range(4)
        )
        self._connect()
        self.refresh()
        self._reads.ask(lambda: self.engine.io(bundled_record), "reading the bundled record")

    def _connect(self) -> None:
        form, view = self.view.form, self.view
        form.changed.connect(self.change)
        form.typed.connect(self.draft.end_merge)
        form.methods.picked.connect(self.toggle_method)
        form.methods.pointed.connect(lambda _: self.inspect())
        form.targets.toggled.connect(self.toggle_targets)
        form.settings.changed.connect(self._on_slid)
        form.settings.released.connect(self.draft.end_merge)
        form.startRequested.connect(self.start)
        form.askRequested.connect(self.ask_for)
        view.fileDropped.connect(lambda path: self.change("data", path))
        view.asked.connect(self.answer_card)
        view.answers.anotherRequested.connect(self.ask_another)
        self.draft.changed.connect(lambda _: self.refresh())
        self._plans.came.connect(self._on_planned)
        self._plans.failed.connect(self.statusRequested)
        self._reads.came.connect(self._on_record)
        self._asks.came.connect(self._on_answered)
        self._asks.failed.connect(self._on_no_answer)
        self._measures.came.connect(self._on_measured)
        self.runs.changed.connect(self._on_runs)
        self.runs.refused.connect(self.statusRequested)
        self.steering.opened.connect(self._on_started)
        self.steering.refused.connect(self.statusRequested)
        self.steering.changed.connect(self.show_runs)
        self.context.runs.changed.connect(lambda _: self.runs.look())
        self.tuned.draft.changed.connect(lambda _: self.ask())

    # what the pane asks

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        pictures: dict[str, QWidget] = {"losses": view.charts.losses, "exact": view.charts.exact}
        return {**pictures, "methods": view.form.methods, "targets": view.form.targets}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "runs": self.runs.folders, "question": self.number}

    def restore(self, state: dict[str, Any]) -> None:
        folders, number = state.get("runs"), state.get("question")
        if isinstance(folders, list):
            for folder in [one for one in folders if isinstance(one, str)][:MOST_RUNS]:
                self.runs.add(folder)
        self.number = number if type(number) is int and number >= 0 else 0

    def shown(self) -> None:
        self.runs.poll(True)
        if not self._speed:
            self._measures.call(measure_speed, name="measuring this machine")
        self.ask()

    def left(self) -> None:
        self.runs.poll(False)

    # the setup

    def change(self, name: str, value: str) -> None:
        """One field of the draft; what is typed into one field is one change."""
        if value != getattr(self.draft.value, name):
            title = self.view.form.fields[name].title
            self.draft.change({name: value}, named(title, value), name)

    def toggle_method(self, row: int) -> None:
        method = METHODS[row]
        methods = self.draft.value.with_method(method)
        if methods != self.draft.value.methods:
            verb = "Train" if method in methods else "Do not train"
            self.draft.change({"methods": methods}, f"{verb} {text.TITLES[method]}")

    def toggle_targets(self, cells: list[tuple[int, int]]) -> None:
        if self.planned.grid is not None:
            targets = self.planned.grid.toggled(cells)
            if targets != self.draft.value.targets:
                self.draft.change({"targets": targets}, "Change LoRA's matrices")

    def _on_slid(self, name: str, value: Any) -> None:
        settings = self.view.form.settings
        self.draft.change({name: value}, f"{name.capitalize()} {settings.words(name, value)}", name)

    def ask_for(self, name: str) -> None:
        """A folder or a file of the setup; until there is one, nothing else is chosen."""
        self.view.form.set_draft(self.draft.value)
        then = partial(self.change, name)
        if name == "base":
            dialogs.ask_folder(self.view, "Choose a model", then)
        else:
            dialogs.ask_file(self.view, "Choose examples or a text", then, FILES)

    def refresh(self) -> None:
        """Works out what the setup takes."""
        draft, speed = self.draft.value, self._speed or USUAL_SPEED
        self.view.form.set_draft(draft)
        self._plans.ask(lambda: self.engine.io(plan, draft, speed), "what a fine-tuning takes")

    def _on_planned(self, planned: Planned) -> None:
        kept = planned if planned.rows else self.planned
        self.planned = Planned(kept.rows, kept.grid, planned.configs, planned.errors)
        self.view.form.set_planned(self.planned, self.draft.value.data)
        self.inspect()
        self._tell()

    def _on_measured(self, speed: float) -> None:
        self._speed = speed
        self.refresh()

    # runs

    def start(self) -> None:
        """Trains each chosen method, as a run of its own."""
        if self.planned.errors:
            self.statusRequested.emit(next(iter(self.planned.errors.values())))
            return
        for method, config in self.planned.configs.items():
            self.steering.begin(config, text.run_name(method), "")

    def _on_started(self, folder: str, _: str) -> None:
        for old in self.runs.folders[: -(MOST_RUNS - 1)]:
            self.runs.dismiss(old)
        self._followed = folder
        self.runs.add(folder)

    def answer_card(self, folder: str, what: str) -> None:
        """A button of a run's card."""
        match what:
            case "pause":
                self.steering.pause(Path(folder))
            case "resume":
                self.steering.resume(Path(folder))
            case "stop":
                self.steering.stop(Path(folder))
            case "continue":
                self._followed = folder
                self.steering.start(Path(folder))
            case "open":
                self.workspace.begin("pane", "training")  # built before it is told
                self.workspace.set_run(folder)
                self.workspace.runOpened.emit(folder)
            case "dismiss":
                self.runs.dismiss(folder)

    def _on_runs(self) -> None:
        self.show_runs()
        data = self.runs.known.get(self._followed)
        if data is not None and data.checkpoints:
            newest = str(data.checkpoints[max(data.checkpoints)])
            if newest != self.tuned.draft.value.address:
                self.tuned.draft.begin({"address": newest})

    def show_runs(self) -> None:
        """Curves, cards and the headline as they are now."""
        known, curves = self.runs.known, self.runs.curves()
        cards = {}
        for folder, one in curves.items():
            data = known[folder]
            cards[folder] = text.card_text(data, self.steering.state(data), one, len(curves) == 1)
        self.view.set_cards(cards)
        if curves:
            self.view.charts.set_curves(list(curves.values()))
        elif self.recorded is not None:
            self.view.charts.set_curves([self.recorded], text.recorded(self.recorded))
        self._tell()

    def _on_record(self, record: Any) -> None:
        self.recorded = recorded_curves(record, text.RECORDED, METHODS.index("lora"))
        self.view.body.show_ready()
        self.show_runs()

    def _tell(self) -> None:
        curves, errors = self.runs.curves(), self.planned.errors
        if errors:
            name, why = next(iter(errors.items()))
            field = self.view.form.fields.get(name)
            self.set_headline(why if field is None else f"{field.title}: {why}")
        elif curves:
            self.set_headline(text.headline(list(curves.values()), list(self.runs.known.values())))
        elif self.planned.rows:
            self.set_headline(text.ready(self.planned.rows, self.draft.value.data))

    # answers

    def ask(self) -> None:
        """Asks base and tuned model the question that is looked at."""
        address = self.tuned.draft.value.address
        if self.active and (address, self.number) != self._answered:
            self._answered = address, self.number
            number = self.number
            self._asks.ask(lambda: answer_steps(address, number), "asking both", is_told=False)

    def ask_another(self) -> None:
        self.number += 1
        self.ask()

    def _on_answered(self, asked: Asked) -> None:
        self.view.answers.set_asked(asked, self._tuned_name())

    def _tuned_name(self) -> str:
        """What answers: the bundled adapter, or a run and its step."""
        address = self.tuned.draft.value.address
        curves = self.runs.curves().get(self._followed)
        return text.tuned_name(address, curves.name if curves is not None else "")

    def _on_no_answer(self, message: str) -> None:
        self._answered = ("", -1)
        self.view.answers.set_asked(None, "")
        self.statusRequested.emit(message)

    # the inspector

    def inspect(self) -> None:
        """The method that is pointed at, else the first that is chosen."""
        rows = self.planned.rows
        if self.active and rows:
            at = self.view.form.methods.hovered
            chosen = [row for row in rows if row.chosen] or rows
            self.inspection.emit(inspection(rows[at] if at != NONE else chosen[0]))
