"""The widgets of Plan: ready plans, the form, the bars, and the numbers about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QToolTip, QVBoxLayout, QWidget

from core.training.estimates.devices import DEVICES
from core.training.estimates.memory import RECOMPUTATIONS
from core.training.estimates.plan import PRECISIONS
from explorer import theme
from explorer.panes.training.plan import text
from explorer.panes.training.plan.draft import NUMBERS, STAGES, PlanDraft
from explorer.panes.training.plan.draw_bars import BarLayout, draw_bars
from explorer.panes.training.plan.scene import PARTS, Scene
from explorer.widgets.base import Columns, Label, Picture, set_look
from explorer.widgets.fields import ChoiceField, Field, MenuField, TextField
from explorer.widgets.form import Fact, FactsCard, scrolling

FORM = 236  # px
SMALL = 8  # facts
# The fields in their rows: seven that are always seen, and those behind More.
SHOWN = (("model",), ("device",), ("devices", "batch_size"), ("stage",), ("tokens", "price"))
DEEP = (("precision",), ("recompute",), ("micro_batch", "efficiency"), ("link",))


class PlanHeader(QWidget):
    """Buttons for ready plans; that of the run is there where a run is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.gpt3, self.bundled, self.run = (
            QPushButton(title) for title in (text.GPT3, text.BUNDLED_HERE, text.THIS_RUN)
        )
        set_look(self.gpt3, "primary")
        for name in ("gpt3", "bundled", "run"):
            button = getattr(self, name)
            button.setObjectName(f"training.plan.{name}")
            row.addWidget(button)
        row.addStretch(1)

    def whole_width(self) -> int:
        """px that its buttons need side by side."""
        return self.layout().sizeHint().width()


class Bars(Picture):
    """`stageChosen(stage)`: a bar was clicked."""

    stageChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Memory of one device", parent)
        self.setObjectName("training.plan.bars")
        self.scene, self.position = Scene(), 0.0
        self.setMouseTracking(True)

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene
        self.data_changed()

    def set_position(self, position: float) -> None:
        """Where the cursor is in the sum."""
        self.position = position
        self.update()

    def layout_now(self) -> BarLayout:
        return BarLayout(QRectF(self.rect()), self.scene)

    def draw(self, painter: QPainter) -> None:
        if self.scene.bars:
            draw_bars(painter, self.layout_now(), self.position)

    def displayed(self) -> dict[str, np.ndarray]:
        bars = self.scene.bars
        sizes = {text.PARTS[part]: np.array([bar.sizes[place] for bar in bars])
                 for place, part in enumerate(PARTS)}  # fmt: skip
        return Columns({"stage": np.array([bar.title for bar in bars]), **sizes})

    def said_at(self, point: QPointF) -> str:
        """What a tooltip says there."""
        found = self.layout_now().part_at(point)
        if found is None:
            return ""
        bar, part = self.scene.bars[found[0]], found[1]
        several = len(self.scene.bars) > 1
        return text.part_tip(bar.stage, several, PARTS[part], bar.sizes[part])

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.said_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.layout_now().bar_at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.stageChosen.emit(str(self.scene.bars[place].stage))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(160))


class PlanView(QWidget):
    """`changed(field, text)`; `typed`: a field was left."""

    changed = Signal(str, str)
    typed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.plan")
        self.bars = Bars()
        self.facts = [Fact(name) for name in ("memory", "time", "cost")]
        self.small = [Fact(str(place), small=True) for place in range(SMALL)]
        self.note = Label("", "label", "muted", wrap=True)
        self.more = QPushButton("More")
        self.more.setObjectName("training.plan.more")
        self.more.setCheckable(True)
        set_look(self.more, "quiet")
        self._deep, self._run = QWidget(), QWidget()
        self.compared: list[tuple[str, str, str]] = []
        self.fields = {field.name: field for field in _fields()}
        for name, field in self.fields.items():
            field.setObjectName(f"training.plan.{name}")
            field.changed.connect(lambda text, name=name: self.changed.emit(name, text))
            if isinstance(field, TextField):
                field.editor.editingFinished.connect(self.typed)  # type: ignore[attr-defined]
        self.bars.stageChosen.connect(lambda stage: self.changed.emit("stage", stage))
        self.more.toggled.connect(self.set_more)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(16)
        self._area = self._form()
        row.addWidget(self._area)
        row.addWidget(self._card(), 1)
        self.set_more(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The form's width follows the zoom."""
        super().resizeEvent(event)
        self._area.setFixedWidth(theme.current().px(FORM))

    def _form(self) -> QWidget:
        form = QVBoxLayout()
        form.setContentsMargins(0, 0, 12, 0)
        form.setSpacing(8)
        self._deep.setLayout(_rows(self.fields, DEEP))
        form.addLayout(_rows(self.fields, SHOWN))
        form.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        form.addWidget(self._deep)
        form.addStretch(1)
        return scrolling(form)

    def _card(self) -> QWidget:
        card = FactsCard(self.facts, 24, 8)
        card.column.addWidget(self.note)
        card.column.addWidget(self.bars, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        for place, fact in enumerate(self.small):
            grid.addWidget(fact, place // 4, place % 4)
        card.column.addLayout(grid)
        table = QGridLayout(self._run)
        table.setContentsMargins(0, 0, 0, 0)
        table.setVerticalSpacing(0)
        roles = [["text" if row and column else "muted" for column in range(5)] for row in range(3)]
        self._cells = [[Label("", "label", role) for role in row] for row in roles]
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                table.addWidget(cell, row, column)
        card.column.addWidget(self._run)
        return card

    def set_more(self, on: bool) -> None:
        self._deep.setVisible(on)
        self.more.setText("Less" if on else "More")
        self.more.setChecked(on)

    def set_draft(self, draft: PlanDraft, errors: Mapping[str, str]) -> None:
        """Shows the fields and, beside each, what is wrong with it."""
        for name, field in self.fields.items():
            field.set_value(getattr(draft, name))
            field.set_error(errors.get(name, ""))
        alone = draft.devices.strip() == "1"
        self.fields["stage"].editor.setEnabled(not alone)
        self.fields["stage"].editor.setToolTip(text.ALONE if alone else text.STAGE_HELP)
        if any(name in errors for row in DEEP for name in row):
            self.set_more(True)

    def set_numbers(
        self, facts: Sequence[tuple[str, str]], small: Sequence[tuple[str, str]], note: str
    ) -> None:
        """(number, title) of the headlines, then of what is told in small; a note below."""
        for fact, (number, title) in zip((*self.facts, *self.small), (*facts, *small), strict=True):
            fact.set_title(title)
            fact.set(number, text.FACT_HELP.get(title, ""))
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def set_run(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """(what, predicted, measured) of a run; no rows: none is planned."""
        self.compared = list(rows)
        columns = [("", "predicted", "measured"), *rows]
        for place, words in enumerate(columns[:5] if rows else []):
            for row, cell in enumerate(self._cells):
                cell[place].setText(words[row])
        self._run.setVisible(bool(rows))
        self._run.setToolTip(text.COMPARED_NOTE)


def _fields() -> Iterator[Field]:
    titles = {"bf16": "bf16, mixed", "fp16": "fp16, mixed"}
    yield MenuField("model", "Model", text.model_titles())
    yield MenuField("device", "Device", text.device_titles(list(DEVICES)))
    yield ChoiceField("stage", "ZeRO stage", [(one, one) for one in STAGES], text.STAGE_HELP)
    yield MenuField("precision", "Precision", [(one, titles.get(one, one)) for one in PRECISIONS])
    yield MenuField("recompute", "Recompute", [(one, one.capitalize()) for one in RECOMPUTATIONS],
                    "Activations that are computed again, to keep fewer")  # fmt: skip
    for name, about in NUMBERS.items():
        yield TextField(name, about.label, about.help)


def _rows(fields: Mapping[str, Field], rows: Sequence[Sequence[str]]) -> QGridLayout:
    """Fields in rows of one or two."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(8)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(1, 1)
    for place, names in enumerate(rows):
        for column, name in enumerate(names):
            wide = 2 // len(names)
            grid.addWidget(fields[name], place, column, 1, wide, Qt.AlignmentFlag.AlignTop)
    return grid
