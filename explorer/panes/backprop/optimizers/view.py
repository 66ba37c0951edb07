"""The layout: formula, map, loss and moments on the left, the form on the right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from core.optimization import surfaces
from explorer import theme
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.compute import Recording
from explorer.panes.backprop.optimizers.draft import (
    TYPED,
    OptimizersDraft,
    settings_error,
    values_of,
)
from explorer.panes.backprop.optimizers.form import CommonForm, RacerList, SettingsForm
from explorer.panes.backprop.optimizers.line_style import is_dashed, series_of
from explorer.panes.backprop.optimizers.map_picture import MapPicture
from explorer.panes.backprop.optimizers.moments_picture import MomentsPicture
from explorer.panes.backprop.optimizers.scene import Memory
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.boxes import column, row
from explorer.widgets.card import Card
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.fade import Fade
from explorer.widgets.fields import ErrorLine
from explorer.widgets.form import scrolling
from explorer.widgets.formula_editor import FormulaEditor
from explorer.widgets.plots.line_plot import LinePlot, Mark, Series
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface

ZOOM = 1.25
SIDE, PLOTS = 286, 162  # px: width of the form, height of the plots
NOTICE = 640  # px: largest width of a notice
HIGHEST = 1e30  # larger heights are gaps in the plot
MOST_NAMED = 5  # up to so many curves all have their names, else only the selected one
FLOOR = 1e-9  # of the descent: smaller heights are drawn at the floor of the log plot


class OptimizersView(QWidget):
    """Contains the parts of the mode and shows its data in them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers")
        self.editor = FormulaEditor()
        self.editor.field.setObjectName("backprop.optimizers.formula")
        self.editor.field.setAccessibleName("Formula of x and y")
        self.editor.field.setPlaceholderText("x**2 + 3*sin(y)")
        self.editor.field.setToolTip(
            "A formula for the height at x and y, with numbers, + \u2212 * / **, sin, ..."
        )
        self.map = MapPicture()
        self.map.setObjectName("backprop.optimizers.map")
        self.body = StatefulPicture(self.map, "plot")
        self.body.show_ready()  # trails are visible before the map is drawn
        self.smaller = IconButton("minus", "Zoom out", "\u2212")
        self.whole = IconButton("fit", "Fit the surface", "F; W fits all paths")
        self.larger = IconButton("plus", "Zoom in", "+")
        self.tools = Surface("surface", parent=self.body)
        self.notice = Card(
            "warning", "", title="Out of the race", closable=True, compact=True, parent=self.body
        )
        self.notice.hide()
        self.trouble = ErrorLine()
        self.loss = LinePlot("Height")
        self.loss.setObjectName("backprop.optimizers.loss")
        self.loss.set_axes("step", "")
        self.loss_title = Label("", "label", "muted")
        self._set_height(above_bottom=True)
        self.loss.set_empty_text("no optimizer races")
        self.moments = MomentsPicture()
        self.moments.setObjectName("backprop.optimizers.moments")
        self.moments_title = CutLabel("label", "muted")
        self.into = QPushButton("Open step")
        self.into.setObjectName("backprop.optimizers.into")
        self.into.setToolTip("Show the selected optimizer\u2019s step line by line (Enter)")
        set_look(self.into, "quiet")
        self._dismissed = ""
        self._trouble = ""
        self.racers = RacerList()
        self.settings = SettingsForm()
        self.common = CommonForm()
        self._build()
        self.smaller.clicked.connect(lambda: self.map.zoom_by(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.map.zoom_by(ZOOM))
        self.whole.clicked.connect(self.map.fit)
        self.notice.closed.connect(self._on_dismissed)
        self.body.stateChanged.connect(lambda _: self._place())
        theme.changed.connect(self._restyle)
        self._restyle()

    # the draft

    def set_formula(self, one: OptimizersDraft) -> None:
        """Shows the formula, even if invalid, in the editor of a typed surface."""
        self.editor.setVisible(one.surface == TYPED)
        self.editor.set_text(one.text)

    def set_draft(
        self, one: OptimizersDraft, surface: surfaces.Surface | None, chosen: str
    ) -> None:
        """Shows the draft's values in all fields."""
        self.racers.set_chosen(chosen)
        self.settings.set_optimizer(chosen)
        self.common.set_values(one.schedule, one.steps, one.warmup_steps)
        self.common.noise.setVisible(surface is not None and surface.noise > 0)
        if surface is None:
            return
        for name, racer in self.racers.rows.items():
            racer.set_races(name in one.racers)
            racer.rate.set_value(values_of(one, surface, name)["learning_rate"])
        self.settings.set_values(values_of(one, surface, chosen), chosen not in one.settings)
        errors = [said for name in one.racers if (said := settings_error(one, surface, name))]
        self.settings.error.set_text(errors[0] if errors else "")

    # the race

    def set_recording(self, recording: Recording) -> None:
        """Sets the race; a call of `set_chosen` must follow."""
        self.map.set_recording(recording)
        self.loss.set_x_range(0, recording.course.steps)
        lost = [lane for lane in recording.lanes if lane.lost_at is not None]
        self.loss.set_marks(
            [Mark(lane.lost_at, f"{lane.title} {text.went(lane)}") for lane in lost]
        )

    def set_chosen(self, name: str, recording: Recording | None, memory: Memory | None) -> None:
        """Selects the optimizer to explain, and shows its memory."""
        if recording is not None:
            self._set_heights(recording, name)
        self.map.set_chosen(name)
        lane = recording.lane(name) if recording is not None else None
        title = lane.title if lane is not None else ""
        self.moments_title.set_text(f"{title}\u2019s memory" if title else "Moments")
        raced = recording is None or not recording.trouble
        self.moments.set_empty_text(text.TO_CHOOSE if raced else text.NO_RACE)
        self.moments.set_lane(name, title, memory.quantities if memory is not None else ())

    def _set_heights(self, recording: Recording, chosen: str) -> None:
        """Draws the heights above the bottom on a log scale, or else the heights themselves."""
        floor, known = FLOOR * recording.descent, recording.descent > 0
        bottom = recording.bottom if known else 0.0
        self._set_height(above_bottom=known)
        empty = "no optimizer starts above the minimum" if recording.lanes else "no optimizer races"
        self.loss.set_empty_text("there is no race" if recording.trouble else empty)
        series, cut = [], False
        for lane in recording.lanes:
            named = len(recording.lanes) <= MOST_NAMED or lane.name == chosen
            exact = lane.heights - bottom
            exact[~(np.abs(exact) < HIGHEST)] = np.nan
            exact[lane.lost_at or len(exact) :] = np.nan
            seen = np.maximum(exact, floor) if known else exact
            cut = cut or bool((seen > exact).any())
            steps, color = np.arange(recording.length, dtype=np.float64), series_of(lane.name)
            series.append(
                Series(
                    lane.title, steps, seen, color,
                    named=named, dashed=is_dashed(lane.name), exact=exact,
                )
            )  # fmt: skip
        self.loss.set_note(f"cut off below {text.short(floor)}" if cut else "")
        self.loss.set_series(series)

    def _set_height(self, above_bottom: bool) -> None:
        self.loss_title.setText("Height above the minimum" if above_bottom else "Height")
        self.loss.set_log(above_bottom)

    def set_position(self, place: float, places: Mapping[str, float]) -> None:
        """Sets the position in the race; inside a step, each kind of quantity has its own."""
        self.map.set_position(place)
        self.moments.set_position(place, places)

    def set_numbers(self, recording: Recording, one: OptimizersDraft, place: float) -> None:
        """Updates the numbers, cursors and notices, which are read rather than watched."""
        self.loss.set_cursor(place)
        self.common.curve.set_cursor(place)
        step = min(math.ceil(place - 1e-9), recording.length - 1)
        for name, racer in self.racers.rows.items():
            lane = recording.lane(name) if name in one.racers else None
            height = text.short(lane.heights[step]) if lane is not None else ""
            racer.set_height("out" if lane is not None and lane.is_lost(step) else height)
        gone = recording.lost(step)
        has_own = any("learning_rate" in one.settings.get(lane.name, {}) for lane in gone)
        actions = [text.USUAL_RATE, text.TENTH] if has_own else [text.TENTH]
        self.set_notice(text.lost(gone) if gone else "", actions)
        self.map.setAccessibleDescription(text.described(recording, step))
        self.moments.describe()

    def set_inside(self, inside: bool, possible: bool) -> None:
        """Updates the button that opens or closes a step; `possible` if there is a step."""
        self.into.setText("Close step" if inside else "Open step")
        self.into.setEnabled(possible)

    # errors

    def set_notice(self, message: str, actions: Sequence[str] = ()) -> None:
        """Shows a notice over the map on diverged optimizers and remedies; "" hides it."""
        if not message:
            self._dismissed = ""
            self.notice.hide()
        elif message != self._dismissed and (
            message != self.notice.message or self.notice.isHidden()
        ):
            self.notice.set_message(message)
            self.notice.set_actions(list(actions))
            self.notice.show()
            self._place()

    def set_stale(self, stale: bool) -> None:
        """Fades the picture if the settings allow no race: the one shown has other settings."""
        self.map.set_stale(stale)
        self.fade_plots(stale)

    def fade_plots(self, stale: bool) -> None:
        for fade in self.fades:
            fade.show_stale(stale)

    def set_trouble(self, text: str) -> None:
        """Shows why there is no race."""
        self._trouble = text
        self.trouble.set_text(text)

    def set_unreadable(self, unreadable: bool) -> None:
        """Hides the trouble while a formula is unreadable, which has a message of its own."""
        self.trouble.set_text("" if unreadable else self._trouble)

    def _on_dismissed(self) -> None:
        """Hides the notice and does not show the same message again."""
        self._dismissed = self.notice.message
        self.notice.hide()

    # layout

    def _build(self) -> None:
        tools = row(self.smaller, self.whole, self.larger, of=self.tools, spacing=2)
        tools.setContentsMargins(2, 2, 2, 2)
        self._cards = [
            _card(self.loss, self.loss_title),
            _card(self.moments, self.moments_title, self.into),
        ]
        self.fades = [Fade(card, "surface") for card in self._cards]
        plots = row(*((card, 1) for card in self._cards))
        left = column(self.editor, self.trouble, (self.body, 1), plots)
        form = column(
            _captions(), self.racers, _rule(), self.settings, _rule(), self.common, 1, spacing=10
        )
        form.setContentsMargins(0, 0, 12, 0)
        self.side = scrolling(form)
        self.side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._row = row((left, 1), self.side, of=self, spacing=12)

    def _place(self) -> None:
        self.tools.setVisible(self.body.state in ("ready", "stale"))
        self.tools.adjustSize()
        self.tools.move(self.body.width() - self.tools.width() - 5, 5)
        self.tools.raise_()
        now = theme.current()
        wide = min(now.px(NOTICE), self.body.width() - self.tools.width() - now.px(24))
        self.notice.setFixedWidth(wide)
        self.notice.layout().activate()
        self.notice.resize(wide, self.notice.heightForWidth(wide))
        self.notice.move(8, 8)
        self.notice.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layout().activate()
        self._place()

    def _restyle(self) -> None:
        now = theme.current()
        for card in self._cards:
            card.setFixedHeight(now.px(PLOTS))
        self.side.setFixedWidth(now.px(SIDE))
        margin, above = now.px("margin"), now.px(12)
        self._row.setContentsMargins(margin, above, now.px(10), above)  # the form has a scroll bar
        self._place()


def _card(picture: QWidget, title: QWidget, *buttons: QWidget) -> QFrame:
    card = QFrame()
    set_look(card, "card")
    above = 2 if buttons else 6
    head = row((title, 1), *buttons)
    column(head, (picture, 1), of=card, spacing=0).setContentsMargins(12, above, 8, 6)
    return card


def _captions() -> QHBoxLayout:
    races, height = Label("Optimizers", weight=600), Label("height", "label", "muted")
    captions = row(races, 1, height, Label("learning rate", "label", "muted"), spacing=0)
    captions.setContentsMargins(6, 0, 2, 0)
    captions.insertSpacing(3, 46)
    return captions


def _rule() -> QWidget:
    line = Surface("divider")
    line.setFixedHeight(1)
    return line
