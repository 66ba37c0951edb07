"""The optimizers by name: who races, at which learning rate, how high each is now."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.backprop.optimizers.looks import color_of, trail_pen
from explorer.widgets.base import Label, Picture
from explorer.widgets.number_field import LARGEST, NumberField

ROW = 30


class Swatch(Picture):
    """A piece of an optimizer's trail."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._name = name
        self.on = True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(22), theme.current().px(14))

    def draw(self, painter: QPainter) -> None:
        middle = self.height() / 2
        if self.on:
            painter.setPen(trail_pen(self._name, 2.5))
            painter.drawLine(QPointF(1, middle), QPointF(self.width() - 6, middle))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color_of(self._name))
            painter.drawEllipse(QPointF(self.width() - 5, middle), 4, 4)


class LaneRow(QWidget):
    """`chosen()`, `raced(on)`, `rateChanged(value)`."""

    chosen = Signal()
    raced = Signal(bool)
    rateChanged = Signal(float)
    rateRefused = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = OPTIMIZERS[name].title
        self.setObjectName(f"backprop.optimizers.{name}")
        self._is_chosen = False
        self.box = QCheckBox(title)
        self.box.setAccessibleName(f"{title} races")
        self.box.setToolTip(f"{title} ({OPTIMIZERS[name].source})")
        self.swatch = Swatch(name)
        self.height_label = Label("", "label", "muted", mono=True)
        self.height_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.rate = NumberField(f"Learning rate of {title}")
        self.rate.set_limits(0, LARGEST)
        self.rate.setToolTip("Learning rate: type it, or turn it with the wheel or Up and Down")
        row = QHBoxLayout(self)
        row.setSpacing(5)
        row.addWidget(self.box)
        row.addStretch(1)
        row.addWidget(self.height_label)
        row.addWidget(self.swatch)
        row.addWidget(self.rate)
        self._row = row
        self.box.clicked.connect(self.raced)
        self.box.clicked.connect(lambda on: self.chosen.emit() if on else None)
        self.rate.entered.connect(self.chosen)
        self.rate.changed.connect(self.rateChanged)
        self.rate.refused.connect(self.rateRefused)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_chosen(self, chosen: bool) -> None:
        if chosen != self._is_chosen:
            self._is_chosen = chosen
            self.setAccessibleDescription("chosen" if chosen else "")
            self.update()

    def set_races(self, races: bool) -> None:
        self.box.setChecked(races)
        if races != self.swatch.on:
            self.swatch.on = races
            self.swatch.update()
        self.rate.setEnabled(races)
        if not races:
            self.height_label.setText("")

    def set_height(self, text: str) -> None:
        if text != self.height_label.text():
            self.height_label.setText(text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()

    def paintEvent(self, event) -> None:
        if self._is_chosen:
            now = theme.current()
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(now.pen("accent") if now.contrast else Qt.PenStyle.NoPen)
            painter.setBrush(now.color("selected"))
            painter.drawRoundedRect(self.rect(), 6, 6)
            painter.end()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px(ROW))
        self._row.setContentsMargins(now.px(6), 0, now.px(2), 0)
        self.swatch.setFixedSize(self.swatch.sizeHint())
        self.rate.setFixedWidth(now.px(72))
        self.height_label.setFixedWidth(now.px(54))


class Lanes(QWidget):
    """`chosen(name)`, `raced(name, on)`, `rateChanged(name, value)`, `rateRefused(name, why)`."""

    chosen = Signal(str)
    raced = Signal(str, bool)
    rateChanged = Signal(str, float)
    rateRefused = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.racers")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.rows: dict[str, LaneRow] = {}
        for name in OPTIMIZERS:
            row = self.rows[name] = LaneRow(name)
            row.chosen.connect(lambda name=name: self.chosen.emit(name))
            row.raced.connect(lambda on, name=name: self.raced.emit(name, on))
            row.rateChanged.connect(lambda value, name=name: self.rateChanged.emit(name, value))
            row.rateRefused.connect(lambda why, name=name: self.rateRefused.emit(name, why))
            column.addWidget(row)

    def finish_typing(self, but: str) -> None:
        """Rates that are still being typed are taken now, `but` that one's."""
        for name, row in self.rows.items():
            if name != but:
                row.rate.finish()

    def set_narrow(self, narrow: bool) -> None:
        """Leaves the heights out, where there is little room."""
        for row in self.rows.values():
            row.height_label.setHidden(narrow)

    def set_chosen(self, name: str) -> None:
        for one, row in self.rows.items():
            row.set_chosen(one == name)
