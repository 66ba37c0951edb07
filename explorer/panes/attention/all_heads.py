"""The left column: the grid of all heads, sorting, dimming, and the scores of the chosen head."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.panes.attention import text
from explorer.panes.attention.compute import Head
from explorer.panes.attention.draft import ViewSettings
from explorer.widgets.bar_table import BarRow, BarTable
from explorer.widgets.base import IconButton, Label
from explorer.widgets.boxes import column, name_parts, row
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import Switch

ENOUGH = 0.9  # fraction of the mosaic's full height that it needs before the scores get any room
THRESHOLDS = (0.0, 0.1, 0.3, 0.5, 0.7)


class AllHeads(QWidget):
    """The panel of all heads and its controls. Its signals ask for other settings, to switch the
    chosen head off or all heads on, and to read the model again; the mosaic has its own signals.
    """

    changed = Signal(str, object)  # name of a view setting, new value
    offToggled = Signal()
    allOnRequested = Signal()
    updateRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mosaic = HeadMosaic()
        self.picture = StatefulPicture(self.mosaic, "grid")
        self.scores = BarTable("Scores of this head", [""], "", linear=True, bar=0.8, least=200)
        self.score = DropDown("Score", text.WHICH_SCORE)
        self.sort = IconButton("sort", text.SORT, "Ctrl+Shift+S")
        self.sort.setCheckable(True)
        self.dim = IconButton("filter", text.DIM)
        self.dim.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._thresholds = self._menu_of_thresholds()
        self.off = Switch(text.OFF)
        self.all_on = push_button(text.ALL_ON, text.ALL_ON_HELP, "quiet")
        self.off_line = CutLabel("label")
        self.version = Label("", "label", "muted")
        self.update_button = push_button(text.UPDATE, text.UPDATE_HELP, "quiet")
        column(
            row(self.score, 1, self.sort, self.dim, spacing=4),
            self.picture,
            self.scores,
            row(self.off, 1, self.all_on, spacing=4),
            self.off_line,
            row(self.version, self.update_button, 1, spacing=4),
            1,
            of=self,
        )
        name_parts(self, "attention.view", "mosaic", "scores", "score", "off", "all_on")
        self.update_button.setObjectName("attention.view.update")
        self.score.picked.connect(lambda name: self.changed.emit("score", name))
        self.sort.toggled.connect(lambda on: self.changed.emit("sorted", on))
        self.scores.picked.connect(lambda at: self.changed.emit("score", list(text.SCORES)[at]))
        self.off.clicked.connect(self.offToggled)
        self.all_on.clicked.connect(self.allOnRequested)
        self.update_button.clicked.connect(self.updateRequested)
        theme.changed.connect(self._fit)
        self.show_settings(ViewSettings())
        self.show_off((), None, False, False)
        self.set_version("")

    def _menu_of_thresholds(self) -> QActionGroup:
        menu, group = QMenu(self), QActionGroup(self)
        for least in THRESHOLDS:
            action = menu.addAction(f"Below {least:.1f}" if least else "Dim none")
            action.setCheckable(True)
            action.setData(least)
            group.addAction(action)
        group.triggered.connect(lambda action: self.changed.emit("least", action.data()))
        self.dim.setMenu(menu)
        return group

    def show_settings(self, settings: ViewSettings) -> None:
        """Updates the controls without emitting a signal. A comparison has a score of its own."""
        items = [(title, name) for name, title in text.SCORES.items()]
        chosen, compares = settings.score, settings.mode == "compare"
        if compares:
            items, chosen = [(text.DIFFERENCE, "")], ""
        self.score.fill(items, chosen)
        self.score.setEnabled(not compares)
        self.score.setToolTip(text.COMPARED_SCORE if compares else text.WHICH_SCORE)
        with QSignalBlocker(self.sort):
            self.sort.setChecked(settings.sorted)
        for action in self._thresholds.actions():
            action.setChecked(action.data() == settings.least)
        said = text.DIMMED.format(settings.least) if settings.least else text.DIM
        self.dim.set_icon("filter", said, role="accent" if settings.least else "text")

    def show_scores(self, title: str, scores: Mapping[str, float], chosen: str) -> None:
        """Shows the scores of the head that `title` names; `chosen` is the score to highlight."""
        self.scores.set_titles([title])
        self.scores.set_scene(
            [
                BarRow(text.SCORES[name], score, (format_number(score),), help=text.MEANINGS[name])
                for name, score in scores.items()
            ]
        )
        self.scores.set_chosen(text.SCORES[chosen])
        said = (f"{text.SCORES[name].lower()} {format_number(one)}" for name, one in scores.items())
        self.scores.setAccessibleDescription(f"{title}: {', '.join(said)}")

    def show_off(
        self, off: tuple[Head, ...], head: Head | None, possible: bool, trains: bool
    ) -> None:
        """Shows which heads are off, and if the chosen one is; while a run trains, none can be."""
        words = text.heads_off(off, trains)
        off = () if trains else off
        self.off.setChecked(head in off)
        self.off.setEnabled(possible)
        self.off.setToolTip(text.TRAINS if trains else text.OFF_HELP)
        self.off_line.set_text(words)
        self.off_line.setVisible(bool(words))
        self.all_on.setVisible(bool(words))
        self.mosaic.set_off(off)
        self._fit()

    def set_version(self, told: str, is_old: bool = False) -> None:
        """Shows the step of the run that the heads are from; old heads can be read again."""
        self.version.setText(told)
        self.version.setVisible(bool(told))
        self.update_button.setVisible(is_old)
        self._fit()

    def set_grid(self, layers: int, heads: int) -> None:
        """Lays out the grid in its final size before the first maps arrive."""
        self.mosaic.set_shape(layers, heads)
        self.picture.skeleton.set_grid(layers, heads)
        self._fit()

    def resizeEvent(self, event) -> None:
        self._fit()

    def _fit(self) -> None:
        """Gives the mosaic the height that its square cells need, and the rest to the scores if
        they fit.
        """
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
        scores = self.scores.minimumSizeHint().height() + 8
        self.scores.setVisible(room - scores >= wanted * ENOUGH)
        room -= scores if self.scores.isVisibleTo(self) else 0
        self.picture.setFixedHeight(max(0, min(wanted, room)))
