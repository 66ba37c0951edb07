"""The drawer below the columns: how the chosen token or piece came to be, one step at a time."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.compare.making import Making
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.panes.tokenizers.encoding.word_picture import WordPicture
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.scroll_area import scrolled

LEAST, SHARE = 120, 0.3  # px of the picture, and its share of the mode's height at most


class Drawer(QFrame):
    """`set_making(name, making)` for another token, `set_moment` for every position of the cursor;
    `closeRequested`, `insideRequested`."""

    closeRequested = Signal()
    insideRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.drawer")
        set_look(self, "card")
        self.making: Making | None = None
        self._title = Label("", "body", weight=600)
        self._said = CutLabel("body", "muted")
        self.inside = QPushButton("Look inside")
        self.inside.setToolTip("The whole stretch of text under this tokenizer, in Inside")
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

    def set_making(self, name: str, making: Making | None) -> None:
        """None closes the drawer."""
        self.making = making
        self.setVisible(making is not None)
        if making is None:
            self.word.set_scene(None, None)
            return
        self._title.setText(f"{making.shown} in {name}")
        self._note.setText(making.note)
        self._note.setVisible(bool(making.note))
        self.inside.setVisible(bool(making.text))
        drawn = any(moment.scene is not None for moment in making.moments)
        self._area.setVisible(drawn)
        self.setAccessibleName(f"How {making.shown} came to be in {name}")

    def set_moment(self, moment: EncodingStep | None, share: float = 1.0) -> None:
        if moment is None:
            self._said.set_text("")
            self.word.set_scene(None, None)
            return
        self._said.set_text(moment.step.title)
        scene, frame = moment.scene, moment.frame
        if scene is None and self.making is not None:  # before and after the word: its first and
            told = [one for one in self.making.moments if one.scene is not None]  # last picture
            if told:
                first = moment.stage < 2
                scene = told[0 if first else -1].scene
                frame = told[0 if first else -1].frame
        self.word.set_scene(scene, frame, share)
        self.word.setAccessibleDescription(moment.step.title)
        newest = self.word.focus()
        center, room = newest.center().toPoint(), newest.size().toSize() / 2
        self._area.ensureVisible(center.x(), center.y(), room.width() + 40, room.height() + 20)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closeRequested.emit()
        else:
            super().keyPressEvent(event)

    def fit(self, room: int) -> None:
        """As tall as the picture, at most a share of the `room` there is."""
        wanted = self.word.sizeHint().height() + theme.current().px(12)
        most = max(theme.current().px(LEAST), round(room * SHARE))
        self._area.setFixedHeight(min(wanted, most))

    def _restyle(self) -> None:
        now = theme.current()
        side = now.px(8)
        self._column.setContentsMargins(now.px(12), side, side, side)
        self._column.setSpacing(now.px(4))
