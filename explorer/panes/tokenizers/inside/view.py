"""The view of Inside: the stages of the text, and below them the current word."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from core.numbers import format_percent
from explorer import theme
from explorer.panes.tokenizers.encoding.compute import EncodingStep, ExplainedText
from explorer.panes.tokenizers.encoding.word_picture import WordPicture
from explorer.panes.tokenizers.inside.draw_stages import StagesPicture
from explorer.panes.tokenizers.inside.form import ChanceForm
from explorer.widgets.base import IconButton, Label
from explorer.widgets.boxes import column, row
from explorer.widgets.scroll_area import scrolled
from explorer.widgets.stateful import StatefulPicture

ZOOM = 1.25  # factor of one press of a button


class InsideView(QWidget):
    """The view: `set_inside` shows a new text, `set_step` a position of the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tokenizers.inside")
        self.stages, self.word, self.form = StagesPicture(), WordPicture(), ChanceForm()
        self.word.setObjectName("tokenizers.inside.word")
        self.note = Label("", "body", "muted", wrap=True)
        self.smaller = IconButton("minus", "Shrink the picture of the word")
        self.larger = IconButton("plus", "Enlarge the picture of the word", "Ctrl+wheel")
        self.zoom = Label(format_percent(1), "label", "muted")
        self._stages_area, self._word_area = scrolled(self.stages), scrolled(self.word)
        self._zoom_row = QWidget()
        row(self.smaller, self.zoom, self.larger, of=self._zoom_row)
        body = QWidget()
        column(
            self._stages_area,
            row(self.form, 1, self._zoom_row),
            self.note,
            (self._word_area, 1),
            of=body,
        )
        self.body = StatefulPicture(body, "grid")
        self.body.skeleton.set_grid(5, 6)
        column((self.body, 1), of=self, margins=(16, 12))
        self.smaller.clicked.connect(self.zoom_out)
        self.larger.clicked.connect(self.zoom_in)
        self.word.zoomed.connect(lambda zoom: self.zoom.setText(format_percent(zoom)))
        theme.changed.connect(self._fit)

    def zoom_in(self) -> None:
        self.word.set_zoom(self.word.zoom * ZOOM)

    def zoom_out(self) -> None:
        self.word.set_zoom(self.word.zoom / ZOOM)

    def set_inside(self, inside: ExplainedText | None) -> None:
        self.stages.set_inside(inside)
        self._fit()
        why = inside.why if inside is not None else ""
        self.note.setText(why[:1].upper() + why[1:])
        self.note.setVisible(bool(why))
        self.body.show_ready()

    def set_step(
        self,
        step: EncodingStep | None,
        share: float = 1.0,
        coming: EncodingStep | None = None,
    ) -> None:
        """Shows a step; None shows all stages at once, for a text without steps. A step without a
        picture shows that of `coming`, faintly.
        """
        shown = step if step is not None and step.scene is not None else coming
        self._zoom_row.setVisible(shown is not None)
        if step is None:
            self.stages.set_stage(3)
        else:
            self.stages.set_stage(step.stage, step.word)
            self.word.setAccessibleDescription(step.step.title)
        if step is None or shown is None:
            self.word.set_scene(None, None)
            return
        self.word.set_scene(shown.scene, shown.frame, share, faint=shown is not step)
        self._word_area.see(self.word.focus().adjusted(-40, -20, 40, 20))

    def _fit(self) -> None:
        """Sets the height of the stages to that of their rows and a scroll bar."""
        bar = self._stages_area.horizontalScrollBar().sizeHint().height()
        self._stages_area.setFixedHeight(self.stages.sizeHint().height() + bar)
