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
from explorer.panes.prompt_header import ModelHeader
from explorer.panes.transformer.examples import text
from explorer.panes.transformer.examples.compute import Found
from explorer.panes.transformer.examples.draft import MOST, ExamplesDraft
from explorer.widgets.base import LEFT, Columns, Label, elide, put_text
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.drop_down import DropDown
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.text_input import TextInput
from explorer.widgets.token_flow import TokenFlow
from explorer.widgets.wrap_row import labelled

SIDE, PITCH, NAME = 190, 48, 92  # px: the lines; a row; its name


@dataclass(frozen=True, eq=False)
class Scene:
    """How many examples each row is of; the first rows are found by now."""

    counts: tuple[int, ...]
    found: tuple[Found, ...]


class ShotBars(ScenePicture[Scene]):
    """`rowClicked(row)`."""

    NAME, WANTED, LEAST = "The right answer's probability", (520, 240), (240, 180)
    rowClicked = Signal(int)

    def line(self, place: int) -> QRectF:
        """Where a row stands."""
        count = len(self.scene.counts) if self.scene is not None else 1
        pitch = min(self.height() / count, theme.current().px(PITCH))
        return QRectF(0, place * pitch, self.width(), pitch)

    def draw(self, painter: QPainter) -> None:
        for place, count in enumerate(self.scene.counts if self.scene is not None else ()):
            self._draw_row(painter, place, text.name(count))

    def _draw_row(self, painter: QPainter, place: int, name: str) -> None:
        """Its words, and below them the bar in a track of 0 to 1."""
        now, line, chosen = theme.current(), self.line(place), place == int(self.position)
        if chosen:
            painter.fillRect(line, now.color("selected"))
        line = line.adjusted(now.px(8), now.px(2), -now.px(8), -now.px(4))
        words = line.adjusted(0, 0, 0, -line.height() / 3)
        track = QRectF(line.left(), words.bottom(), line.width(), line.height() / 3)
        painter.fillRect(track, now.color("raised"))
        font = now.font("body", 600 if chosen else 400)
        put_text(painter, words, name, font, now.color("text"), LEFT)
        told = words.adjusted(now.px(NAME), 0, 0, 0)
        if place >= len(self.scene.found):
            put_text(painter, told, text.WAITS, font, now.color("muted"), LEFT)
            return
        shot = self.scene.found[place].shot
        put_text(
            painter,
            told,
            elide(text.number(shot), font, told.width()),
            font,
            now.color("muted"),
            LEFT,
        )
        track.setWidth(max(track.width() * shot.probability, 1.0))
        painter.fillRect(track, now.color("accent") if chosen else now.series(0))

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


class ExamplesHeader(ModelHeader):
    """`task.picked(lines)`, `form.picked(name)`."""

    def __init__(self) -> None:
        self.task, self.form = DropDown(text.TASK), DropDown(text.FORM)
        controls = labelled(text.TASK, self.task), labelled(text.FORM, self.form)
        super().__init__("transformer.examples", *controls)
        name_parts(self, "transformer.examples", "task", "form")

    def set_draft(self, draft: ExamplesDraft) -> None:
        tasks = [*TASKS.items()]
        own = [] if draft.lines in TASKS.values() else [(text.OWN, draft.lines)]
        self.task.fill(tasks + own, draft.lines)
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
