"""Plan: connects the form, the plan and its sum to the picture."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.training.config import TrainingConfig
from core.training.estimates.plan_trace import Planned
from core.training.estimates.plan_trace import planned as planned_of
from core.training.estimates.report import verdict
from core.training.this_machine import measured_device, processor
from core.transformer.presets import bundled_config
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk
from explorer.panes.run_watcher import RunWatcher
from explorer.panes.step_inspection import inspection_of
from explorer.panes.training.plan import presets, text
from explorer.panes.training.plan.draft import BUNDLED, RUN, PlanDraft, draft_of, setup_of
from explorer.panes.training.plan.scene import scene_of
from explorer.panes.training.plan.view import PlanInputs, PlanView
from explorer.runs.run_data import RunData
from explorer.state.draft import Draft, named
from explorer.state.tracks import TraceTrack


class PlanMode(RunWatcher):
    """Shows the needs of a training run, or why it cannot be planned."""

    id = "plan"
    title = "Plan"
    teaches = "See before you start how much memory, time and money a training run takes"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = PlanInputs(), PlanView()
        self.draft = Draft(self.workspace, "training.plan", PlanDraft, self)
        self.errors: dict[str, str] = {}
        self.here = processor()
        self.planned: Planned
        self._trouble = ""  # why the run cannot be read
        self._read: Path | None = None  # the last run that was read
        self._measures = Latest(self.engine, self)
        self.inputs.gpt3.clicked.connect(self.take_gpt3)
        self.inputs.bundled.clicked.connect(self.take_bundled)
        self.inputs.run.clicked.connect(self.take_run)
        self.view.form.changed.connect(self.change)
        self.view.form.typed.connect(self.draft.end_merge)
        self.view.bars.stageChosen.connect(lambda stage: self.change("stage", stage))
        self.draft.changed.connect(lambda _: self.refresh())
        self._measures.came.connect(self._on_measured)
        self._plan(presets.BUNDLED)
        self.watch()

    def pictures(self) -> dict[str, QWidget]:
        return {"memory": self.view.bars}

    def shown(self) -> None:
        super().shown()
        if not self.here.peak:
            self._measures.call(measured_device, name="measuring this machine")

    def on_position(self, position: float) -> None:
        self.view.bars.set_position(position)

    def inspect(self) -> None:
        if self.active:
            trace = self.planned.trace
            self.inspection.emit(
                inspection_of(trace[min(max(self.player.step, 0), len(trace) - 1)])
            )

    # changes

    def change(self, name: str, value: str) -> None:
        """Changes a field; consecutive edits of one field merge into one change."""
        draft = replace(self.draft.value, **{name: value})
        if draft != self.draft.value:
            self.draft.change(draft, named(self.view.form.fields[name].title, value), name)

    def take_gpt3(self) -> None:
        self._take(presets.GPT3, text.GPT3)

    def take_bundled(self) -> None:
        self._take(presets.BUNDLED, text.BUNDLED_HERE)

    def take_run(self) -> None:
        """Plans the open run with its own settings."""
        if self.config is not None:
            self._take(draft_of(self.config, self.here), text.THIS_RUN)

    def _take(self, draft: PlanDraft, title: str) -> None:
        if draft != self.draft.value:
            self.draft.change(draft, f"Plan {title}")

    # the run

    @property
    def config(self) -> TrainingConfig | None:
        """The run's config; None if its model is unknown."""
        return self.data.config if self.data is not None and not self.data.log else None

    def on_run(self) -> None:
        self._trouble = ""
        self.refresh()

    def on_data(self, data: RunData) -> None:
        """Plans a newly opened run if the last one was planned; else updates the numbers."""
        self._trouble = text.no_model(data.name) if data.log else ""
        known, self._read = self._read, data.folder
        if known == data.folder:
            if not self.errors:
                self._tell()
            return
        if known is not None and self.draft.value.model == RUN and self.config:
            self.draft.begin(asdict(draft_of(self.config, self.here)))
        self.refresh()

    def on_failed(self, message: str) -> None:
        self._trouble = message
        self.refresh()

    def _on_measured(self, device: Any) -> None:
        self.here = device
        self.refresh()

    # the picture

    def refresh(self) -> None:
        """Computes and shows the plan for the fields."""
        self.errors = self._plan(self.draft.value)
        self.view.set_draft(self.draft.value, self.errors)
        self.inputs.run.setVisible(self.config is not None)
        if self.errors:
            self.set_headline(next(iter(self.errors.values())))

    def _plan(self, draft: PlanDraft) -> dict[str, str]:
        """Shows the plan of a draft and returns {}, or else the errors by field."""
        config = self.config
        models = {BUNDLED: bundled_config()}
        if self.data is not None and config is not None:
            models[RUN] = self.data.numbers.model
        optimizer = config.optimizer if config else "adamw"
        setup, errors = setup_of(draft, models, self.here, optimizer)
        if setup is None:
            if "model" in errors and self._trouble:
                errors["model"] = f"{self._trouble}; choose another model"
            return errors
        self.planned = planned = planned_of(setup)
        self.view.bars.set_scene(scene_of(planned))
        self._tell()
        self.set_headline(verdict(setup, planned.stages))
        same = bool(self.tracks) and self.tracks[0].length == len(planned.trace)
        self.set_tracks([TraceTrack(planned.trace)], keep_position=same)
        self.view.bars.set_position(self.player.position if self.active else 0.0)
        self.inspect()
        return {}

    def _tell(self) -> None:
        """Updates the numbers; adds measured ones if the plan matches the run."""
        draft, is_run = self.draft.value, False
        if self.config is not None:  # the efficiency is measured anew each time
            is_run = draft == replace(draft_of(self.config), efficiency=draft.efficiency)
        facts = text.facts(self.planned, self.data if is_run else None)
        self.view.set_facts(facts, text.missing(self.planned))
