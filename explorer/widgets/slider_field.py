"""A slider over a few values: its name, the slider, and the value as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QSlider, QWidget

from explorer import theme
from explorer.widgets.base import Label
from explorer.widgets.boxes import column, row


class SliderField(QWidget):
    """Emits `changed(value)` during a drag, `released` afterwards."""

    changed = Signal(object)
    released = Signal()

    def __init__(
        self,
        title: str,
        values: Sequence[float],
        words: Callable[[float], str],
        help: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Creates the slider; `values` go from left to right, `words` formats one."""
        super().__init__(parent)
        self._words, self.value = words, values[0]
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # on every platform
        self._title = Label("", "label", "muted")
        self._told = Label("", "label", weight=600)
        self.setToolTip(help)
        column(
            row(self._title, 1, self._told, spacing=4),
            self.slider,
            of=self,
            spacing=0,
        )
        self.slider.valueChanged.connect(self._on_moved)
        self.slider.sliderReleased.connect(self.released)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_values(values, title)

    def _restyle(self) -> None:
        self.slider.setMinimumHeight(theme.current().px("hit"))

    def set_values(self, values: Sequence[float], title: str) -> None:
        """Replaces the values and the title; the value stays."""
        self.values = list(values)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, len(self.values) - 1)
        self.slider.setPageStep(max(1, len(self.values) // 5))
        self.title = title
        self.slider.setAccessibleName(title)
        self._title.setText(title)
        self.set_value(self.value)

    def set_value(self, value: float) -> None:
        """Shows a value without emitting a signal; the knob is at the slider's nearest value."""
        self.value = value
        near = min(range(len(self.values)), key=lambda at: abs(self.values[at] - value))
        with QSignalBlocker(self.slider):
            self.slider.setValue(near)
        self._tell()

    def _on_moved(self, place: int) -> None:
        self.value = self.values[place]
        self._tell()
        self.changed.emit(self.value)
        if not self.slider.isSliderDown():  # moved by a key or a click
            self.released.emit()

    def _tell(self) -> None:
        self._told.setText(self._words(self.value))
        self.slider.setAccessibleDescription(self._words(self.value))
