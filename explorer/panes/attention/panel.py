"""The left column: all heads, how they are sorted and filtered, and what the chosen one scores."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.numbers import format_number
from explorer import theme
from explorer.panes.attention.model import MEANINGS, SCORES
from explorer.theme import icons
from explorer.widgets.base import LEFT, RIGHT, IconButton, Label, Picture, put_text, set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import Switch

WHICH = "Which score the bars in the small pictures show"
COMPARED = "While two texts are compared, the bars show how much each head differs"
OFF = "Head off"
ENOUGH = 0.9  # of the height that the mosaic wants: more room goes to the scores first
LOWEST = 128  # px of the mosaic; where there is less the pane scrolls
THRESHOLDS = (0.0, 0.1, 0.3, 0.5, 0.7)


class ScoreList(Picture):
    """The five scores of one head, as bars with their values; a click on a row sorts by it."""

    scoreClicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Scores of this head", parent)
        self._title = ""
        self._note = ""
        self._scores: dict[str, float] = {}
        self._chosen = "induction"
        self._hover = ""
        self._brief = False
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_scores(self, title: str, note: str, scores: dict[str, float], chosen: str) -> None:
        news = (title, note, scores, chosen)
        if news != (self._title, self._note, self._scores, self._chosen):
            self._title, self._note, self._scores, self._chosen = news
            words = ", ".join(f"{SCORES[n].lower()} {format_number(v)}" for n, v in scores.items())
            self.setAccessibleDescription(f"{title}: {words}")
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        return {name: np.array(value) for name, value in self._scores.items()}

    def set_brief(self, brief: bool) -> None:
        """One line with the chosen score alone."""
        if brief != self._brief:
            self._brief = brief
            self.updateGeometry()
            self.update()

    def height_of(self, brief: bool) -> int:
        now = theme.current()
        return now.px(22) if brief else now.px(26) + now.px(22) * len(SCORES)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(240), self.height_of(self._brief))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(200), self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        if not self._scores:
            return
        now = theme.current()
        bold, font, small = now.font("body", 600), now.font("body"), now.font("label")
        width = float(self.width())
        line = QRectF(0, 0, width, now.px(22))
        put_text(painter, line, self._title, bold, now.color("text"), LEFT)
        if self._brief:
            value = format_number(self._scores[self._chosen])
            words = f"{SCORES[self._chosen]} {value}"
            put_text(painter, line, words, font, now.color("text"), RIGHT)
            return
        put_text(painter, line, self._note, small, now.color("muted"), RIGHT)
        label, number = now.px(108), now.px(60)
        room = width - label - number
        for place, (name, value) in enumerate(self._scores.items()):
            row = QRectF(0, now.px(26) + place * now.px(22), width, now.px(22))
            chosen = name == self._chosen
            if name == self._hover:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(now.color("raised"))
                painter.drawRoundedRect(row, 4, 4)
            ink = now.color("text" if chosen else "muted")
            put_text(painter, row, SCORES[name], bold if chosen else font, ink, LEFT)
            bar = QRectF(label, row.center().y() - now.px(3), room, now.px(6))
            # High contrast has one color for all lines: there the groove is hollow.
            painter.setPen(now.pen("outline") if now.contrast else Qt.PenStyle.NoPen)
            painter.setBrush(now.color("surface" if now.contrast else "divider"))
            painter.drawRoundedRect(bar, 3, 3)
            painter.setPen(Qt.PenStyle.NoPen)
            bar.setWidth(max(room * min(1.0, max(0.0, value)), 0.01))
            painter.setBrush(now.color("accent" if chosen else "outline"))
            painter.drawRoundedRect(bar, 3, 3)
            text = format_number(value)
            put_text(painter, row, text, bold if chosen else font, ink, RIGHT)

    def occupied(self) -> QRect:
        """All of it is text."""
        return self.rect() if self._scores else QRect()

    def _name_at(self, y: float) -> str:
        place = int((y - theme.current().px(26)) // theme.current().px(22))
        names = [] if self._brief else list(self._scores)
        return names[place] if 0 <= place < len(names) else ""

    def mouseMoveEvent(self, event) -> None:
        hover = self._name_at(event.position().y())
        if hover != self._hover:
            self._hover = hover
            self.setToolTip(f"{SCORES[hover]}: {MEANINGS[hover]}" if hover else "")
            self.update()

    def leaveEvent(self, event) -> None:
        self._hover = ""
        self.update()

    def mousePressEvent(self, event) -> None:
        name = self._name_at(event.position().y())
        if name:
            self.scoreClicked.emit(name)


class HeadsPanel(QWidget):
    """Intents: which score, sorted or not, the filter's threshold. The mosaic has its own."""

    scoreChosen = Signal(str)
    sortToggled = Signal(bool)
    thresholdChosen = Signal(float)
    offToggled = Signal()
    allOnRequested = Signal()
    updateRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mosaic = HeadMosaic()
        self.mosaic.setObjectName("attention.view.mosaic")
        self.picture = StatefulPicture(self.mosaic, "grid")
        self.scores = ScoreList()
        self.scores.setObjectName("attention.view.scores")
        self.score_button = QToolButton()
        self.score_button.setObjectName("attention.view.score")
        self.score_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.score_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.score_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.score_button.setToolTip(WHICH)
        set_look(self.score_button, "outlined")
        self.sort_button = IconButton("sort", "Sort each layer by this score", "Ctrl+Shift+S")
        self.sort_button.setCheckable(True)
        self.filter_button = IconButton("filter", "Dim heads that score less")
        self.filter_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._score_menu, self._filter_menu = QMenu(self), QMenu(self)
        self.score_button.setMenu(self._score_menu)
        self.filter_button.setMenu(self._filter_menu)
        self._build_menus()
        tools = QHBoxLayout()
        tools.setSpacing(4)
        tools.addWidget(self.score_button)
        tools.addStretch(1)
        tools.addWidget(self.sort_button)
        tools.addWidget(self.filter_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(tools)
        column.addWidget(self.picture)
        column.addWidget(self.scores)
        column.addLayout(self._build_off())
        column.addWidget(self.off_line)
        column.addLayout(self._build_version())
        column.addStretch(1)
        self.sort_button.toggled.connect(self.sortToggled)
        self.scores.scoreClicked.connect(self.scoreChosen)
        theme.changed.connect(self._restyle)
        self.set_choice("induction", False, 0.0)
        self._restyle()

    def _build_menus(self) -> None:
        self._score_group, self._filter_group = QActionGroup(self), QActionGroup(self)
        for name, text in SCORES.items():
            action = self._score_menu.addAction(text, lambda name=name: self.scoreChosen.emit(name))
            action.setCheckable(True)
            action.setData(name)
            action.setToolTip(MEANINGS[name])
            self._score_group.addAction(action)
        self._score_menu.setToolTipsVisible(True)
        for least in THRESHOLDS:
            text = f"Below {least:.1f}" if least else "Dim none"
            action = self._filter_menu.addAction(
                text, lambda least=least: self.thresholdChosen.emit(least)
            )
            action.setCheckable(True)
            action.setData(least)
            self._filter_group.addAction(action)

    def set_choice(self, score: str, is_sorted: bool, least: float) -> None:
        """What the controls show; emits nothing."""
        self.score_button.setText(SCORES[score])
        self.score_button.setAccessibleName(f"Score: {SCORES[score]}")
        for group, value in ((self._score_group, score), (self._filter_group, least)):
            for action in group.actions():
                action.setChecked(action.data() == value)
        self.sort_button.blockSignals(True)
        self.sort_button.setChecked(is_sorted)
        self.sort_button.blockSignals(False)
        role = "accent" if least else "text"
        text = f"Heads below {least:.1f} are dimmed" if least else "Dim heads that score less"
        self.filter_button.set_icon("filter", text, role=role)

    def set_fixed_score(self, name: str) -> None:
        """The bars show this for now, whatever score is chosen; "": they show that one."""
        self.score_button.setEnabled(not name)
        self.score_button.setToolTip(COMPARED if name else WHICH)
        if name:
            self.score_button.setText(name)
            self.score_button.setAccessibleName(f"Score: {name}")

    def _build_off(self) -> QHBoxLayout:
        self._head = ""
        self.off = Switch(OFF)
        self.off.setObjectName("attention.view.off")
        self.all_on = QPushButton("All on")
        self.all_on.setObjectName("attention.view.all_on")
        self.all_on.setToolTip("Switch every head on again")
        set_look(self.all_on, "quiet")
        self.off_line = CutLabel("label")
        self.off.clicked.connect(self.offToggled)
        self.all_on.clicked.connect(self.allOnRequested)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.off)
        row.addStretch(1)
        row.addWidget(self.all_on)
        self.set_off("", False, False)
        return row

    def set_head(self, name: str) -> None:
        """Which head is chosen; the switch names it where the scores have no room to."""
        self._head = name
        self._name_switch()

    def _name_switch(self) -> None:
        name = f"{self._head} off" if self._head and self.scores.isHidden() else OFF
        if name != self.off.text():
            self.off.setText(name)
            self.off.setAccessibleName(name)
            self.off.updateGeometry()

    def set_off(self, words: str, is_off: bool, possible: bool, tip: str = "") -> None:
        """Which heads are off, in words; whether the chosen one is, and why none can be."""
        self.off.setChecked(is_off)
        self.off.setEnabled(possible)
        self.off.setToolTip(
            tip
            or "What this head read is written no more; see what the model expects then "
            "(Ctrl+Shift+X)"
        )
        self.off_line.set_text(words)
        self.off_line.setVisible(bool(words))
        self.all_on.setVisible(bool(words))
        self._fit()

    def _build_version(self) -> QHBoxLayout:
        self.version = Label("", "label", "muted")
        self.update_button = QPushButton("Update")
        self.update_button.setObjectName("attention.view.update")
        self.update_button.setToolTip("Look at the model as it is now (F5)")
        set_look(self.update_button, "quiet")
        self.update_button.clicked.connect(self.updateRequested)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.version)
        row.addWidget(self.update_button)
        row.addStretch(1)
        self.set_version("")
        return row

    def set_version(self, told: str, is_old: bool = False) -> None:
        """Which step of a run the heads are from; an old one offers to look again."""
        self.version.setText(told)
        self.version.setVisible(bool(told))
        self.update_button.setVisible(is_old)
        self._fit()

    def set_grid(self, layers: int, heads: int) -> None:
        """The final geometry, before the first maps."""
        self.mosaic.set_shape(layers, heads)
        self.picture.skeleton.set_grid(layers, heads)
        self._fit()

    def resizeEvent(self, event) -> None:
        self._fit()

    def _fit(self) -> None:
        """The mosaic takes the height that its square cells need; the scores take the rest: all
        five, the chosen one alone, or none."""
        now = theme.current()
        layers, heads = self.mosaic.displayed()["maps"].shape[:2]
        if not layers:
            return
        pitch = min((self.width() - now.px(32)) / max(1, heads), float(now.px(96)))
        wanted = int(pitch) * layers + now.px(36)
        room = self.height() - 2 * (now.px("control") + 8)
        if not self.off_line.isHidden():
            room -= self.off_line.sizeHint().height() + 8
        if not self.version.isHidden():
            room -= now.px("control") + 8
        full, brief = (self.scores.height_of(one) + 8 for one in (False, True))
        taken = next((one for one in (full, brief) if room - one >= wanted * ENOUGH), 0)
        self.scores.set_brief(taken != full)
        self.scores.setVisible(taken > 0)
        self._name_switch()
        self.picture.setFixedHeight(max(now.px(LOWEST), min(wanted, room - taken)))

    def _restyle(self) -> None:
        now = theme.current()
        self.score_button.setIcon(icons.icon("chevron-down", "muted", 16))
        self.score_button.setFont(now.font("body"))
        self._fit()
