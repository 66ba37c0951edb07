"""The phases of an optimizer step, as a row of names to choose from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.training.phases import PHASES, TITLES
from explorer import theme
from explorer.widgets.base import LEFT, put_text
from explorer.widgets.choice_picture import ChoicePicture

BEFORE, APART = 60, 12  # px of the label before the names, and between two names
HIGH = 24  # px, height of a name


class PhaseStrip(ChoicePicture[Sequence[str]]):
    """Shows the names of the phases; `set_current(None)` highlights none."""

    NAME = "Phases of one optimizer step"
    WANTED = (480, 30)
    LEAST = (240, 30)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("training.view.phases")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.scene = PHASES
        self.current: float | None = None
        self._hint = ""

    def set_scene(self, scene: Sequence[str] | None) -> None:
        if scene != self.scene:
            super().set_scene(scene)

    def set_hint(self, hint: str) -> None:
        """Sets the tooltip's line on the effect of a click."""
        self._hint = hint

    def set_current(self, position: float | None) -> None:
        """Highlights the phase under the cursor; a fractional position, two of them."""
        if position != self.current:
            self.current = position
            names = self.scene or PHASES
            self.setAccessibleDescription(
                "none chosen" if position is None else TITLES[names[round(position)]]
            )
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {"current": np.array(np.nan if self.current is None else self.current)}

    def told(self, thing: int) -> str:
        if not self.isEnabled():
            return "No step is recorded yet"
        return "\n".join(filter(None, (TITLES[(self.scene or PHASES)[thing]], self._hint)))

    def draw_scene(self, painter: QPainter, scene: Sequence[str]) -> None:
        now = theme.current()
        painter.setOpacity(1.0 if self.isEnabled() else theme.DISABLED_OPACITY)
        place = QRectF(0, 0, now.px(BEFORE), self.height())
        put_text(painter, place, "One step:", now.font("label"), now.color("muted"), LEFT)
        for index, rect in enumerate(self.rects(scene)):
            near = 0.0 if self.current is None else max(0.0, 1 - abs(self.current - index))
            painter.setPen(now.pen("accent" if near > 0.5 else "divider", 1.5 if near > 0.5 else 1))
            fill = theme.mix(now.color("surface"), now.color("selected"), near)
            painter.setBrush(now.color("raised") if index == self.hovered and not near else fill)
            painter.drawRoundedRect(rect, 6, 6)
            ink = now.color("text" if near > 0.5 or index == self.hovered else "muted")
            put_text(painter, rect, scene[index], now.font("label", 600), ink)
            if index:
                y, x = round(rect.center().y()), round(rect.left())
                painter.setPen(now.pen("outline", 1))
                painter.drawLine(x - round(now.px(APART)) + 2, y, x - 2, y)

    def rects(self, scene: Sequence[str]) -> list[QRectF]:
        """Returns boxes as wide as their names, or narrower if there is too little room."""
        now = theme.current()
        metrics, left, apart = now.metrics("label", 600), now.px(BEFORE), now.px(APART)
        wide = [metrics.horizontalAdvance(name) + now.px(20) for name in scene]
        room = self.width() - left - apart * (len(scene) - 1) - 4
        share = min(1.0, room / sum(wide))
        found, x, high = [], float(left), now.px(HIGH)
        for width in wide:
            found.append(QRectF(x, (self.height() - high) / 2, width * share, high))
            x += width * share + apart
        return found
