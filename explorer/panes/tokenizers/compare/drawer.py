"""The drawer below the columns: the derivation of the selected token or piece, step by step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from core.tokenization.telling import quoted
from explorer import theme
from explorer.panes.tokenizers.compare.derivation import Derivation
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.panes.tokenizers.encoding.word_picture import WordPicture
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.push_button import push_button
from explorer.widgets.scroll_area import scrolled

LEAST = 120  # px of the picture's height


class Drawer(QFrame):
    """The drawer; emits `closeRequested` and `insideRequested`. `set_derivation` shows a new token,
    `set_step` a position of the cursor."""

    closeRequested = Signal()
    insideRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.drawer")
        set_look(self, "card")
        self._drawn: list[EncodingStep] = []  # the steps with a picture
        self._title = Label("", "body", weight=600)
        self._said = CutLabel("body", "muted")
        self.inside = push_button("Look inside", "Shows the whole word or line in the Inside mode")
        self.inside.clicked.connect(self.insideRequested)
        close = IconButton("close", "Close", "Esc")
        close.clicked.connect(self.closeRequested)
        self.word = WordPicture("How the token came to be")
        self.word.setObjectName("tokenizers.compare.making")
        self._area = scrolled(self.word)
        self._note = Label("", "body", "muted", wrap=True)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._title)
        top.addWidget(self._said, 1)
        top.addWidget(self.inside)
        top.addWidget(close)
        self._column = QVBoxLayout(self)
        self._column.addLayout(top)
        self._column.addWidget(self._note)
        self._column.addWidget(self._area, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def set_derivation(self, name: str, derivation: Derivation | None) -> None:
        """Opens the drawer with a derivation; None closes it."""
        self.setVisible(derivation is not None)
        self._drawn = [one for one in derivation.steps if one.scene] if derivation else []
        self.word.set_scene(None, None)
        if derivation is None:
            return
        self._title.setText(f"{quoted(derivation.shown)} in {name}")
        self._note.setText(derivation.note)
        self._note.setVisible(bool(derivation.note))
        self.inside.setVisible(bool(derivation.text))
        self._area.setVisible(bool(self._drawn))
        if self._drawn:
            self.word.set_scene(self._drawn[-1].scene, self._drawn[-1].frame)
        self._fit()
        self.setAccessibleName(f"How {quoted(derivation.shown)} came to be in {name}")

    def set_step(self, step: EncodingStep | None, share: float = 1.0) -> None:
        """Draws a step; `share` is the progress of the cursor towards it, 0 to 1."""
        self._said.set_text(step.step.title if step is not None else "")
        if step is None:
            self.word.set_scene(None, None)
            return
        drawn: EncodingStep | None = step
        if step.scene is None:  # the first picture before the word's steps, the last after them
            drawn = self._drawn[0 if step.stage < 2 else -1] if self._drawn else None
        if drawn is not None:
            self.word.set_scene(drawn.scene, drawn.frame, share)
        self.word.setAccessibleDescription(step.step.title)
        self._area.see(self.word.focus().adjusted(-40, -20, 40, 20))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closeRequested.emit()
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        """Limits the height to that of the picture."""
        now = theme.current()
        wanted = self.word.sizeHint().height() + now.px(12)
        self._area.setMinimumHeight(min(wanted, now.px(LEAST)))
        self._area.setMaximumHeight(wanted)

    def _restyle(self) -> None:
        now = theme.current()
        side = now.px(8)
        self._column.setContentsMargins(now.px(12), side, side, side)
        self._column.setSpacing(now.px(4))
        self._fit()
