"""Puts a run, as the cursor looks at it, on the screen and into the inspector."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.training.config import TrainingConfig
from core.training.this_machine import Machine
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.training.phases import (
    PhaseTrack,
    moment_inspection,
    phase_inspection,
    plan_inspection,
    schedule,
)
from explorer.panes.training.run import text
from explorer.panes.training.run.ancestry import Ancestry
from explorer.panes.training.run.batches import Batch, BatchReading, data_inspection
from explorer.panes.training.run.cursor import Cursor
from explorer.panes.training.run.head_lines import SCORES, scores_at, sentence, why_none
from explorer.panes.training.run.heads import HeadFilm, first_look
from explorer.panes.training.run.view import RunView
from explorer.runs.run_data import RunData


class Screen(QObject):
    """`headline` is the pane's sentence for what is shown."""

    headline = Signal(str)

    def __init__(self, engine: Engine, view: RunView, cursor: Cursor, owner: QObject) -> None:
        super().__init__(owner)
        self._view = view
        self._cursor = cursor
        self.here: Machine | None = None  # once it is known
        self._attempts = 0
        self._read = ""  # the text that the heads read
        self._scores: tuple[np.ndarray | None, str] = (None, "")  # of the heads, and their name
        self.batches = BatchReading(engine, owner)
        self.film = HeadFilm(engine, view.mosaic, owner)
        self.film.shown.connect(self._on_heads)
        self._ancestry = Ancestry(engine, owner)
        self._ancestry.found.connect(self._draw_lines)
        self._lines: tuple[RunData | None, RunData | None] = (None, None)
        self._likeness = ""  # of a branch and its parent
        self._shown: tuple[PhaseTrack, str, Batch | None, Inspection] | None = None

    def clear(self, name: str) -> None:
        """Another run, or none: nothing of the one before stays."""
        self.film.clear()
        self._lines, self._likeness = (None, None), ""
        self._shown = None
        self._cursor.track.ended = ""
        self._view.clear(text.opening(name))
        self.headline.emit(f"Opening {name}." if name else text.SETUP)

    def show_lines(self, data: RunData | None, other: RunData | None) -> None:
        self._lines = data, other
        self._likeness = text.likeness(data, other) if data is not None else ""
        self._draw_lines()

    def _draw_lines(self) -> None:
        data, other = self._lines
        past = self._ancestry.of(data) if data is not None else None
        self._view.charts.set_runs(data, other, past)

    def _on_heads(self, step: int) -> None:
        self._view.set_heads(text.heads_title(self._read, step))
        self._view.mosaic.set_scores(*self._scores)  # heads of another shape have none
        self._view.heads.show_ready()

    def show_moment(self, data: RunData, state: str) -> None:
        """What depends on the cursor: numbers, sentence, heads, samples."""
        cursor, view = self._cursor, self._view
        if data.attempts != self._attempts:  # later snapshots may be written again
            self._attempts = data.attempts
            self.film.clear()
        if not cursor.moments:
            return
        cursor.track.ended = text.ended(data, state)
        score = view.charts.score
        scores = scores_at(data, score, cursor.step) if score else None
        view.phases.set_phases(data.numbers.phases)
        view.phases.setEnabled(len(data.steps) > 0 and not data.log)
        near = min(data.recorded, key=lambda step: abs(step - cursor.step), default=0)
        view.set_recorded(near)
        inside, moment, replaying = cursor.inside, cursor.moment, cursor.replaying
        looked_at = inside.step if inside is not None else None
        also = self._likeness, self.refused(data)
        view.card.set_text(text.card_text(data, state, moment, replaying, looked_at, *also))
        if inside is not None:
            view.phases.set_current(cursor.phase_position)
            place = inside.names, cursor.phase, inside.step, inside.skipped
            self.headline.emit(text.phase_headline(*place))
        else:
            view.phases.set_current(None)
            smoothed = view.charts.smoothed_loss
            told = text.headline(data, state, moment, replaying, smoothed)
            if replaying and scores is not None and moment.step not in data.skips:
                told = sentence(score, scores, moment.step)
            self.headline.emit(told)
        view.charts.set_cursor(cursor.step if replaying or inside is not None else None)
        view.charts.loss.set_empty_text(text.no_loss(data, state))
        view.charts.heads.set_empty_text(why_none(data, state))
        self._scores = scores, f"{SCORES[score].lower()} score" if score else ""
        view.samples.set_empty_text(text.no_sample(data, state, cursor.step))
        view.samples.set_samples([s for s in data.samples if s.step <= cursor.step + 0.5])
        self._read = data.probe_text
        if not self.film.show(cursor.moments, cursor.position):
            view.set_heads(text.heads_title(data.probe_text, None))
            view.heads.show_empty(text.no_heads(data, state) or first_look(data))
        elif self.film.step is not None:
            self._on_heads(self.film.step)

    def refused(self, data: RunData) -> str:
        """Why this machine cannot train such a run; "" where it can, and before it is known."""
        return self.here.refusal(data.config.device, data.config.ranks) if self.here else ""

    def inspection(self, data: RunData) -> Inspection | None:
        """The phase or the moment under the cursor."""
        inside, moment = self._cursor.inside, self._cursor.moment
        if inside is not None:
            return self._inside(inside, inside.names[self._cursor.phase], data)
        if moment is None:
            return None
        gap = text.gap(data, moment.step)
        return moment_inspection(data.numbers, moment.step, gap, self.here)

    def _inside(self, inside: PhaseTrack, phase: str, data: RunData) -> Inspection:
        """The same one as long as nothing of it is new: a table that is read is not begun again."""
        batch = self.batches.batch(data.folder, inside.step) if phase == "data" else None
        if self._shown is None or self._shown[:3] != (inside, phase, batch):
            if phase == "data":
                made = data_inspection(inside.numbers, inside.step, batch)
            else:
                made = phase_inspection(phase, inside.numbers, inside.step)
            self._shown = (inside, phase, batch, made)
        return self._shown[3]


def planned_inspection(config: TrainingConfig) -> Inspection:
    """Before a run: its schedule."""
    return plan_inspection(config, *schedule(config))
