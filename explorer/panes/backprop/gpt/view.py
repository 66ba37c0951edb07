"""The widgets of GPT: the list of operations, the picture of one, the gradient highway below."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.backprop.gpt.highway_picture import HighwayPicture
from explorer.panes.backprop.gpt.operation_list import OperationList
from explorer.panes.backprop.gpt.operation_picture import OperationPicture
from explorer.widgets.base import IconButton, Label
from explorer.widgets.boxes import column, name_parts, row
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface

ROAD = ": length of \u2202L/\u2202(residual), hatched until the backward pass gets there"


class SelectedHead(QWidget):
    """Selects a head: chosen(head)."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.gpt.head")
        self.before = IconButton("chevron-left", "Previous head")
        self.after = IconButton("chevron-right", "Next head")
        self.label = Label("", "body")
        self._head, self._count = 0, 1
        row(self.before, self.label, self.after, of=self, spacing=2)
        self.before.clicked.connect(lambda: self.turn(-1))
        self.after.clicked.connect(lambda: self.turn(1))

    def turn(self, by: int) -> None:
        self.chosen.emit((self._head + by) % self._count)

    def set_head(self, head: int, count: int, matters: bool) -> None:
        """Shows the head; `matters`: the current operation has heads."""
        self._head, self._count = head, max(1, count)
        self.label.setText(f"head {head} (of {count})")
        for button in (self.before, self.after):
            button.setEnabled(matters and count > 1)
        self.setToolTip("" if matters else "This operation has no heads")
        self.setAccessibleDescription(self.label.text())


class GPTView(QWidget):
    """Lays out the parts, which the mode fills."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.gpt")
        self.operations = OperationList()
        self.stage = OperationPicture()
        self.highway = HighwayPicture()
        self.head = SelectedHead()
        self.summary = Label("", "body", weight=600)
        self.agreement = Label("", "label", "muted", wrap=True)
        self.note, self.road = CutLabel("label", "muted"), CutLabel("label", "muted")
        self.newer = IconButton("refresh", "Use the latest weights of the training run")
        self.fold = IconButton("chevron-down", "Hide the gradient highway")
        self.inside = push_button("", look="quiet")
        name_parts(self, "backprop.gpt", "agreement", "note", "newer", "fold", "inside")
        content, edge = QWidget(), Surface("window", edges="right")
        content.setAccessibleName("One training example, forward and backward")
        self._edge = column((self.operations, 1), self.summary, self.agreement, of=edge)
        news = row((self.note, 1), self.newer, self.inside, self.head, spacing=4)
        road = row(self.fold, (self.road, 1), spacing=4)
        self._column = column(news, (self.stage, 1), road, self.highway, spacing=4)
        row(edge, (self._column, 1), of=content, spacing=0)
        self.body = StatefulPicture(content, "grid")
        column(self.body, of=self)
        self.fold.clicked.connect(self.turn_highway)
        self.stage.paintFailed.connect(self._on_paint_failed)
        self.highway.paintFailed.connect(self._on_paint_failed)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_folded(False)

    def set_inside(self, count: int, is_inside: bool) -> None:
        """Sets the number of steps inside an operation, and whether the player is inside."""
        text = "Close steps" if is_inside else f"Open {count} steps" if count else "One step"
        self.inside.setText(text)
        self.inside.setEnabled(bool(count) or is_inside)
        hint = (
            "Show the steps of this operation one by one (Enter)"
            if count
            else "This operation is a single step"
        )
        self.inside.setToolTip("Back to the whole operation (Backspace)" if is_inside else hint)

    @property
    def folded(self) -> bool:
        """True if the highway is folded."""
        return self.highway.isHidden()

    def set_folded(self, folded: bool) -> None:
        self.highway.setVisible(not folded)
        icon, verb = ("chevron-right", "Show") if folded else ("chevron-down", "Hide")
        self.fold.set_icon(icon, f"{verb} the gradient highway")
        self.road.set_text(f"Gradient highway{'' if folded else ROAD}")

    def turn_highway(self) -> None:
        self.set_folded(not self.folded)

    def show_highway(self) -> None:
        self.set_folded(False)
        self.highway.setFocus()

    def _on_paint_failed(self, error: object) -> None:
        self.body.show_error(f"This picture could not be drawn: {error}")

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._edge.setContentsMargins(now.px(8), now.px(8), now.px(6), now.px(8))
        self._column.setContentsMargins(margin, now.px(6), margin, now.px(8))
