"""The lines of examples, a bar for each number of them, and the text that the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from core.data.few_shot_tasks import TASKS
from explorer import theme
from explorer.panes.prompt_header import ModelButton
from explorer.panes.transformer.examples import text
from explorer.panes.transformer.examples.compute import Found
from explorer.panes.transformer.examples.draft import MOST, ExamplesDraft
from explorer.widgets.bars import draw_named_bar
from explorer.widgets.base import Columns, Label
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.drop_down import DropDown
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.text_input import TextInput
from explorer.widgets.token_flow import TokenFlow
from explorer.widgets.wrap_row import labelled

SIDE, PITCH = 190, 48  # px: the lines; a bar


@dataclass(frozen=True, eq=False)
class Scene:
    """How many examples each row is of; the first rows are found by now."""

    counts: tuple[int, ...]
    found: tuple[Found, ...]


class ShotBars(ScenePicture[Scene]):
    """`rowClicked(row)`."""

    NAME, WANTED, LEAST = "The right answer's probability", (520, 200), (330, 120)
    rowClicked = Signal(int)

    def line(self, place: int) -> QRectF:
        """Where a row stands."""
        count = len(self.scene.counts) if self.scene is not None else 1
        pitch = min(self.height() / count, theme.current().px(PITCH))
        return QRectF(0, place * pitch, self.width(), pitch)

    def draw(self, painter: QPainter) -> None:
        if self.scene is None:
            return
        now, at = theme.current(), int(self.position)
        for place, count in enumerate(self.scene.counts):
            line, chosen = self.line(place), place == at
            if chosen:
                painter.fillRect(line, now.color("selected"))
            is_found = place < len(self.scene.found)
            shot = self.scene.found[place].shot if is_found else None
            share, told = (shot.probability, text.number(shot)) if shot else (0.0, text.WAITS)
            color = now.color("accent") if chosen else now.series(0)
            draw_named_bar(painter, line, text.name(count), share, told, color, chosen=chosen)

    def displayed(self) -> dict[str, np.ndarray]:
        shots = [one.shot for one in self.scene.found] if self.scene is not None else []
        return Columns(
            {
                "examples": np.array([one.count for one in shots]),
                "probability": np.array([one.probability for one in shots]),
                "said": np.array([one.said for one in shots]),
            }
        )

    def row_at(self, point: QPointF) -> int:
        """The row at a point that is found; -1: none."""
        rows = range(len(self.scene.found)) if self.scene is not None else ()
        return next((one for one in rows if self.line(one).contains(point)), -1)

    def said_at(self, point: QPointF) -> str:
        place = self.row_at(point)
        return text.tip(self.scene.found[place].shot) if place >= 0 and self.scene else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.row_at(event.position())
        if place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.rowClicked.emit(place)


class ExamplesHeader(QWidget):
    """`model`; `taskPicked(lines)`; `formPicked(name)`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformer.examples.inputs")
        self.model = ModelButton("transformer.examples")
        self.task, self.form = DropDown(text.TASK), DropDown(text.FORM)
        name_parts(self, "transformer.examples", "task", "form")
        wrap(self.model, labelled(text.TASK, self.task), labelled(text.FORM, self.form), of=self)

    def set_draft(self, draft: ExamplesDraft) -> None:
        titles = {lines: title for title, lines in TASKS.items()}
        own = [] if draft.lines in titles else [("your own", draft.lines)]
        self.task.fill([(title, lines) for lines, title in titles.items()] + own, draft.lines)
        self.form.fill([(words, name) for name, words in text.FORMS.items()], draft.form)


class ExamplesView(QWidget):
    """`linesEdited(text)`: once a person has stopped typing; `rowClicked(row)`."""

    linesEdited = Signal(str)
    rowClicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transformer.examples")
        self.lines, self.bars, self.read = TextInput(MOST), ShotBars(), TokenFlow(text.READS)
        self.lines.setAccessibleName(text.LINES)
        name_parts(self, "transformer.examples", "lines", "bars", "read")
        self.body = StatefulPicture(self.bars, "lines")
        self._side = card(Label(text.LINES, "label", "muted", wrap=True), (self.lines, 1))
        below = card(Label(text.READS, "label", "muted"), (self.read, 1))
        shown = column((card(self.body), 3), (below, 2))
        page((row(self._side, (shown, 1), spacing=16), 1), of=self)
        self.lines.rested.connect(lambda: self.linesEdited.emit(self.lines.text))
        self.bars.rowClicked.connect(self.rowClicked)

    def resizeEvent(self, event: object) -> None:
        """Its width follows the zoom."""
        self._side.setFixedWidth(theme.current().px(SIDE))

    def set_scene(self, counts: Sequence[int], found: Sequence[Found]) -> None:
        self.bars.set_scene(Scene(tuple(counts), tuple(found)))
        self.body.show_ready()

    def set_found(self, found: Found) -> None:
        """The text of one number of examples, its answer framed."""
        self.read.set_tokens(found.tokens)
        start = int(found.tokens.starts[found.shot.answer_at])
        self.read.set_marked(start, len(found.tokens.data))
        self.read.scroll_to(start)
