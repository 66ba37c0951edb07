"""The widgets of Plan: preset plans, the form, the bars, and the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QPushButton, QWidget

from core.fields import fields_of
from core.training.estimates.devices import DEVICES
from core.training.estimates.plan import Setup
from core.training.estimates.report import UNKNOWN
from explorer.panes.training.plan import text
from explorer.panes.training.plan.draft import ABOUT, STAGES, PlanDraft
from explorer.panes.training.plan.draw_bars import BarLayout, draw_bars
from explorer.panes.training.plan.scene import PARTS, Scene
from explorer.widgets.base import Columns, Label, set_look
from explorer.widgets.boxes import name_parts, row, wrap
from explorer.widgets.fields import ChoiceField, Field, MenuField, TextField
from explorer.widgets.folding_form import FoldingForm
from explorer.widgets.form import Fact, FactsCard
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.stateful import StatefulPicture

FORM = 236  # px
SETUP = fields_of(Setup)
MAIN = ("memory", "time", "cost")
SMALL = 9  # number of small facts
# The rows of fields: seven fields that are always visible, and those behind More.
SHOWN = (("model",), ("device",), ("devices", "batch_size"), ("stage",), ("tokens", "price"))
DEEP = (("precision",), ("recompute",), ("micro_batch", "efficiency"), ("pipeline", "link"))


class PlanInputs(QWidget):
    """Buttons for preset plans; that of the run is visible while a run is open."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        titles = (text.GPT3, text.BUNDLED_HERE, text.THIS_RUN)
        self.gpt3, self.bundled, self.run = map(QPushButton, titles)
        name_parts(self, "training.plan", "gpt3", "bundled", "run")
        set_look(self.gpt3, "primary")
        wrap(self.gpt3, self.bundled, self.run, of=self)


class Bars(ScenePicture[Scene]):
    """Draws the bars. Emits `stageChosen(stage)` when a bar is clicked."""

    NAME = "Memory of one device"
    stageChosen = Signal(str)

    def layout_now(self) -> BarLayout | None:
        return BarLayout(QRectF(self.rect()), self.scene) if self.scene is not None else None

    def draw(self, painter: QPainter) -> None:
        if (layout := self.layout_now()) is not None:
            draw_bars(painter, layout, self.position)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        sizes, count = self.scene.sizes, len(self.scene.sizes)
        titles = np.array([text.bar_title(place, count) for place in range(count)])
        return Columns(
            {"stage": titles, **{text.PARTS[one]: sizes[:, at] for at, one in enumerate(PARTS)}}
        )

    def said_at(self, point: QPointF) -> str:
        layout = self.layout_now()
        bar, part = layout.at(point) if layout is not None else (None, None)
        if bar is None or part is None or self.scene is None:
            return ""
        several = len(self.scene.sizes) > 1
        return text.part_tip(bar, several, PARTS[part], self.scene.sizes[bar, part])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        bar = layout.at(event.position())[0] if layout is not None else None
        if bar is not None and event.button() == Qt.MouseButton.LeftButton:
            self.stageChosen.emit(STAGES[bar])


class PlanView(QWidget):
    """Contains the form, and a card of facts and bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.plan")
        self.form = FoldingForm("training.plan", _fields(), SHOWN, DEEP, FORM)
        self.bars, self.note = Bars(), Label("", "label", "muted", wrap=True)
        self.body = StatefulPicture(self.bars, "lines")
        self.facts = [Fact(name) for name in MAIN]
        self.small = [Fact(str(place), small=True) for place in range(SMALL)]
        name_parts(self, "training.plan", "bars")
        card = FactsCard(self.facts, 24, 8)
        card.column.addWidget(self.note)
        card.column.addWidget(self.body, 1)
        card.column.addLayout(wrap(*self.small, spacing=16))
        row(self.form, (card, 1), of=self, spacing=16)
        self.layout().setContentsMargins(16, 8, 16, 8)

    def set_draft(self, draft: PlanDraft, errors: Mapping[str, str]) -> None:
        """Shows the fields; replaces the picture with the first error, if any."""
        self.form.set_values(asdict(draft), errors)
        alone, stage = draft.devices.strip() == "1", self.form.fields["stage"].editor
        stage.setEnabled(not alone)
        stage.setToolTip(text.ALONE if alone else text.STAGE_HELP)
        for fact in self.facts + self.small:
            fact.setEnabled(not errors)
        self.body.show_ready()
        if errors:  # the numbers of an earlier draft say nothing about this one
            for name, fact in zip(MAIN, self.facts, strict=True):
                fact.set_title(name)
            for fact in self.facts + self.small:
                fact.set(UNKNOWN)
            self.note.setText("")
            self.body.show_empty(next(iter(errors.values())), icon="warning")

    def set_facts(self, facts: Sequence[tuple[str, str, str]], note: str) -> None:
        """Shows (number, title, help) of three main facts, then of the small ones, and a note."""
        for fact, (number, title, help) in zip(self.facts + self.small, facts, strict=True):
            fact.set_title(title)
            fact.set(number, help)
        self.note.setText(note)
        self.note.setVisible(bool(note))


def _fields() -> list[Field]:
    return [
        MenuField("model", "Model", text.model_titles()),
        MenuField("device", "Device", text.device_titles(list(DEVICES))),
        ChoiceField("stage", "ZeRO stage", [(one, one) for one in STAGES], text.STAGE_HELP),
        MenuField("precision", "Precision", text.PRECISION_TITLES),
        MenuField(
            "recompute", "Recompute", text.RECOMPUTE_TITLES, fields_of(Setup)["recompute"].help
        ),
        *(TextField(name, about.label, about.help) for name, about in ABOUT.items()),
    ]
