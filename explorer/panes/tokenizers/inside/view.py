"""The picture of Inside: the stages of the text, and below them the word that is worked on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.numbers import format_percent
from explorer import theme
from explorer.panes.tokenizers.encoding.compute import EncodingStep, ExplainedText
from explorer.panes.tokenizers.encoding.word_picture import WordPicture
from explorer.panes.tokenizers.inside.stages_picture import StagesPicture
from explorer.widgets.base import IconButton, Label
from explorer.widgets.scroll_area import scrolled
from explorer.widgets.stateful import StatefulPicture

ZOOM = 1.25  # one press of a button


class InsideView(QWidget):
    """`set_inside` for another text, `set_step` for every position of the cursor."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.inside")
        self.stages = StagesPicture()
        self.stages.setObjectName("tokenizers.inside.stages")
        self.word = WordPicture()
        self.word.setObjectName("tokenizers.inside.word")
        self.note = Label("", "body", "muted", wrap=True)
        self.smaller = IconButton("minus", "A smaller picture of the word")
        self.larger = IconButton("plus", "A larger picture of the word", "Ctrl+wheel")
        self.zoom = Label(format_percent(1), "label", "muted")
        self._upper = scrolled(self.stages)
        self._lower = scrolled(self.word)
        both = self._both_widget = QWidget()
        self._both = QVBoxLayout(both)
        self._both.setContentsMargins(0, 0, 0, 0)
        self._both.addWidget(self._upper)
        self._both.addWidget(self.note)
        self._both.addWidget(self._lower, 1)
        self.body = StatefulPicture(both, "grid")
        self.body.skeleton.set_grid(5, 6)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.body)
        self._zoom_box = self._zooming()
        self._lower.installEventFilter(self)
        self.smaller.clicked.connect(lambda: self.zoom_by(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.zoom_by(ZOOM))
        self.word.zoomed.connect(self._on_zoomed)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_controls(self, controls: QWidget) -> None:
        """What steers how the word is cut stands above it."""
        self._both.insertWidget(1, controls)

    def _zooming(self) -> QWidget:
        """Floats above the corner of the word's picture, which needs all the height there is."""
        box = QWidget(self._both_widget)
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.smaller, self.zoom, self.larger):
            row.addWidget(widget)
        return box

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._lower and event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self._zoom_box.adjustSize()
        corner = self._lower.geometry().topRight()
        size = self._zoom_box.size()
        self._zoom_box.move(corner.x() - size.width(), corner.y() - size.height())
        self._zoom_box.raise_()

    def _on_zoomed(self, zoom: float) -> None:
        self.zoom.setText(format_percent(zoom))
        self._place()

    def zoom_by(self, factor: float) -> None:
        """Draws the word larger or smaller."""
        self.word.set_zoom(self.word.zoom * factor)

    def set_inside(self, inside: ExplainedText | None) -> None:
        self.stages.set_inside(inside)
        self._fit()
        why = inside.why if inside is not None else ""
        self.note.setText(why[:1].upper() + why[1:])
        self.note.setVisible(bool(self.note.text()))
        self.body.show_ready()

    def set_step(
        self, moment: EncodingStep | None, share: float = 1.0, coming: EncodingStep | None = None
    ) -> None:
        """None where there are no steps: all stages are there at once. What is `coming` is drawn
        faintly where the moment has no picture of its own.
        """
        shown = moment if moment is not None and moment.scene is not None else coming
        self._zoom_box.setVisible(shown is not None)
        if moment is None:
            self.stages.set_stage(3)
            self.word.set_scene(None, None)
            return
        self.stages.set_stage(moment.stage, moment.word)
        self.word.setAccessibleDescription(moment.step.title)
        if shown is None:
            self.word.set_scene(None, None)
            return
        self.word.set_scene(shown.scene, shown.frame, share, faint=shown is not moment)
        newest = self.word.focus()
        center, room = newest.center().toPoint(), newest.size().toSize() / 2
        self._lower.ensureVisible(center.x(), center.y(), room.width() + 40, room.height() + 20)

    def _fit(self) -> None:
        """The stages have their rows' height, and a scroll bar's where they are wide."""
        bar = self._upper.horizontalScrollBar().sizeHint().height()
        self._upper.setFixedHeight(self.stages.sizeHint().height() + bar)

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._both.setSpacing(now.px(12))
        self._fit()
