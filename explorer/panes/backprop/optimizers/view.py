"""Where things stand: formula, map, loss and moments at the left, who races at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.backprop.optimizers.common_form import CommonForm
from explorer.panes.backprop.optimizers.lanes import Lanes
from explorer.panes.backprop.optimizers.map_picture import MapPicture
from explorer.panes.backprop.optimizers.moments import MomentsView
from explorer.panes.backprop.optimizers.settings_form import SettingsForm
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.card import Card
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.fields import ErrorLine
from explorer.widgets.fold_line import FoldLine
from explorer.widgets.form import scrolling
from explorer.widgets.formula_editor import FormulaEditor
from explorer.widgets.plots.line_plot import LinePlot
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface

ZOOM = 1.25
UNBOUND = 16777215  # pixels: as high as Qt lets a widget be
SIDE = 286
LOW = 560  # pixels high, below which the plots are lower
TIGHT = 340  # pixels high, below which there is room for the map or the plots
PLOTS, LOW_PLOTS = 176, 144
NARROW, NARROW_SIDE = 720, 236  # of the whole, below which the heights are told by the map alone
BESIDE = 300  # pixels that a notice has beside the buttons; where there are fewer, it is below them


class OptimizersView(QWidget):
    """Holds the parts; the mode fills them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers")
        self.editor = FormulaEditor()
        self.editor.field.setObjectName("backprop.optimizers.formula")
        self.editor.field.setAccessibleName("Formula of x and y")
        self.editor.field.setPlaceholderText("x**2 + 3*sin(y)")
        self.editor.field.setToolTip(
            "A height for each x and y: numbers, + \u2212 * / ** and sin, ..."
        )
        self.map = MapPicture()
        self.map.setObjectName("backprop.optimizers.map")
        self.body = StatefulPicture(self.map, "plot")
        self.body.show_ready()  # ways are drawn before the map is there
        self.smaller = IconButton("minus", "Smaller", "\u2212")
        self.whole = IconButton("fit", "Fit the surface", "F; all ways: W")
        self.larger = IconButton("plus", "Larger", "+")
        self.tools = Surface("surface", parent=self.body)
        self.notice = Card(
            "warning", "", title="Lost", closable=True, compact=True, parent=self.body
        )
        self.notice.hide()
        self.trouble = ErrorLine()
        self.loss = LinePlot("Height")
        self.loss.setObjectName("backprop.optimizers.loss")
        self.loss.set_axes("step", "")
        self.loss_title = Label("", "label", "muted")
        self.set_height(above_lowest=True)
        self.loss.set_empty_text("no optimizer races")
        self.moments = MomentsView()
        self.moments.setObjectName("backprop.optimizers.moments")
        self.moments_title = CutLabel("label", "muted")
        self.into = QPushButton("Into this step")
        self.into.setObjectName("backprop.optimizers.into")
        self.into.setToolTip("The chosen optimizer's step, line by line (Enter)")
        set_look(self.into, "quiet")
        self._dismissed = ""
        self._trouble, self._note, self._unreadable = "", "", False
        self.lanes = Lanes()
        self.settings = SettingsForm()
        self.common = CommonForm()
        self._build()
        self.smaller.clicked.connect(lambda: self.map.zoom_by(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.map.zoom_by(ZOOM))
        self.whole.clicked.connect(self.map.fit)
        self.fold.turned.connect(lambda _: self._restyle())
        self.notice.closed.connect(self._on_dismissed)
        self.body.stateChanged.connect(lambda _: self._place())
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_height(self, above_lowest: bool) -> None:
        """What the curves are: how far above the minimum, on a log axis, or the height itself."""
        self.loss_title.setText("Loss above the minimum" if above_lowest else "Height")
        self.loss.set_log(above_lowest)

    def _build(self) -> None:
        tools = QHBoxLayout(self.tools)
        tools.setContentsMargins(2, 2, 2, 2)
        tools.setSpacing(2)
        for button in (self.smaller, self.whole, self.larger):
            tools.addWidget(button)
        self._plots = QHBoxLayout()
        self._plots.setSpacing(8)
        self._cards = [
            _card([self.loss_title], self.loss),
            _card([self.moments_title, self.into], self.moments),
        ]
        self._fades = [_Fade(card) for card in self._cards]
        self._plots.addWidget(self._cards[0], 1)
        self._plots.addWidget(self._cards[1], 1)
        self._left = QVBoxLayout()
        self._left.setSpacing(8)
        self._left.addWidget(self.editor)
        self._left.addWidget(self.trouble)
        self._left.addWidget(self.body, 1)
        self._left.addLayout(self._plots)
        form = QVBoxLayout()
        form.setContentsMargins(0, 0, 12, 0)
        form.setSpacing(10)
        self._height = Label("height", "label", "muted")
        form.addLayout(_captions(self._height))
        form.addWidget(self.lanes)
        for part in (self.settings, self.common):
            form.addWidget(_rule())
            form.addWidget(part)
        form.addStretch(1)
        self.side = scrolling(form)
        self.side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.fold = FoldLine("Loss and moments", [self.body, self.side], self._cards)
        self.fold.setObjectName("backprop.optimizers.fold")
        self._left.insertWidget(3, self.fold)
        self._row = QHBoxLayout(self)
        self._row.addLayout(self._left, 1)
        self._row.addWidget(self.side)

    def set_notice(self, message: str, actions: Sequence[str] = ()) -> None:
        """Over the map: what went wrong, and the ways out; "" takes it back."""
        if not message:
            self._dismissed = ""
            self.notice.hide()
            self._cover()
        elif message != self._dismissed and (
            message != self.notice.message or self.notice.isHidden()
        ):
            self.notice.set_message(message)
            self.notice.set_actions(list(actions))
            self.notice.show()
            self._place()

    def set_stale(self, stale: bool) -> None:
        """The race that is shown is not that of the settings."""
        self.map.set_stale(stale)
        for fade in self._fades:
            fade.setVisible(stale)
            fade.raise_()
        self._fit()

    def set_trouble(self, text: str) -> None:
        """Why there is no race."""
        self._trouble = text
        self._say()

    def set_note(self, text: str) -> None:
        """What is to be known of the surface itself, in the middle of its map."""
        self._note = text
        self._say()

    def set_unreadable(self, unreadable: bool) -> None:
        """A formula that cannot be read has its own message: what was wrong with the surface before
        is not said beside it.
        """
        self._unreadable = unreadable
        self._say()

    def _say(self) -> None:
        self.trouble.set_text("" if self._unreadable else self._trouble)
        self.map.set_note("" if self._unreadable else self._note)

    def set_inside(self, inside: bool, possible: bool) -> None:
        """Whether a step is looked at from the inside, and whether there is one to go into."""
        self.into.setText("Back to the race" if inside else "Into this step")
        self.into.setEnabled(possible)

    def _on_dismissed(self) -> None:
        """What has been read is not said again."""
        self._dismissed = self.notice.message
        self.notice.hide()
        self._cover()

    def _place(self) -> None:
        self.tools.setVisible(self.body.state in ("ready", "stale"))
        self.tools.adjustSize()
        self.tools.move(self.body.width() - self.tools.width() - 5, 5)
        self.tools.raise_()
        now = theme.current()
        wide = min(now.px(640), self.body.width() - self.tools.width() - now.px(24))
        beside = wide >= now.px(BESIDE)
        self.notice.setFixedWidth(wide if beside else self.body.width() - 16)
        self.notice.layout().activate()
        wide = self.notice.width()
        self.notice.resize(wide, self.notice.heightForWidth(wide))
        below = self.tools.geometry().bottom() + 8
        self.body.set_words_top(None if beside else below)
        self.notice.move(8, 8 if beside else below)
        self.notice.raise_()
        self._cover()

    def _cover(self) -> None:
        """The map's words stand where nothing lies over them."""
        over = [one for one in (self.tools, self.notice) if one.isVisibleTo(self.body)]
        self.map.set_covered([QRectF(one.geometry()) for one in over])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        self.layout().activate()
        self._place()

    def _fit(self) -> None:
        now = theme.current()
        low = self.height() < now.px(LOW)
        self.fold.set_tight(self.height() < now.px(TIGHT))
        for card in self._cards:
            card.setMinimumHeight(now.px(LOW_PLOTS if low else PLOTS))
            card.setMaximumHeight(UNBOUND if self.fold.is_tight else card.minimumHeight())
        narrow = self.width() < now.px(NARROW)
        self._height.setVisible(not narrow)
        self.lanes.set_narrow(narrow)
        self.side.setFixedWidth(now.px(NARROW_SIDE if narrow else SIDE))
        margin = now.px("margin")
        right = margin if self.side.isHidden() else now.px(10)  # its bar stands beside it
        self._row.setContentsMargins(margin, now.px(12), right, now.px(12))
        for fade, card in zip(self._fades, self._cards, strict=True):
            fade.setGeometry(card.rect().adjusted(1, 1, -1, -1))

    def _restyle(self) -> None:
        self._row.setSpacing(theme.current().px(12))
        self._fit()
        self._place()


class _Fade(QWidget):
    """Over a card whose picture is that of other settings."""

    def __init__(self, card: QWidget) -> None:
        super().__init__(card)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        now = theme.current()
        QPainter(self).fillRect(self.rect(), now.color("surface", 1 - theme.STALE_OPACITY))


def _card(heads: Sequence[QWidget], picture: QWidget) -> QFrame:
    card = QFrame()
    card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
    set_look(card, "card")
    column = QVBoxLayout(card)
    column.setContentsMargins(12, 6 if len(heads) == 1 else 2, 8, 6)
    column.setSpacing(2 if len(heads) == 1 else 0)
    row = QHBoxLayout()
    for place, head in enumerate(heads):
        row.addWidget(head, 0 if place else 1)
    column.addLayout(row)
    column.addWidget(picture, 1)
    return card


def _captions(height: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(6, 0, 2, 0)
    row.addWidget(Label("Who races", "body", weight=600))
    row.addStretch(1)
    row.addWidget(height)
    row.addSpacing(46)
    row.addWidget(Label("learning rate", "label", "muted"))
    return row


def _rule() -> QWidget:
    line = Surface("divider")
    line.setFixedHeight(1)
    return line
