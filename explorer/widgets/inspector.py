"""The inspector: the step as math with live numbers, as lines of core, and as all its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.widgets.base import IconButton, Label
from explorer.widgets.code_view import VERSIONS, CodeView
from explorer.widgets.formula import FormulaView
from explorer.widgets.live_numbers import LiveNumbers
from explorer.widgets.numbers_table import NumbersTable
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface
from explorer.widgets.toggle import SegmentedControl

TABS = ("math", "code", "numbers")


ROOM_FOR_CODE = 440  # below this height (px) the math has the page to itself


class MathView(QWidget):
    """The formula and live numbers of a step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.formula = FormulaView()
        self.rows = LiveNumbers()
        self._place = Label("", "label", "muted", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.formula)
        layout.addWidget(self._place)
        layout.addWidget(self.rows)
        layout.addStretch(1)

    def set_math(self, latex: str, rows: Any, place: str, plain: bool = False) -> None:
        self.formula.set_formula(latex, plain=plain)
        self._place.setText(place)
        self._place.setVisible(bool(place))
        self.rows.set_rows(rows)


class MathPage(QWidget):
    """The math and, if the page is tall enough for both, the lines that computed it below.

    Each takes half of the page whatever its content, so that nothing moves from step to step.
    """

    def __init__(self, math: MathView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.code = CodeView()
        self._below = Surface("surface", edges="top")
        inner = QVBoxLayout(self._below)
        inner.setContentsMargins(0, 4, 0, 0)
        inner.addWidget(self.code)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(ScrollArea(math), 1)
        layout.addWidget(self._below, 1)
        self._has_code = False

    def set_source(self, source: Any, plain: Any) -> None:
        self.code.set_source(source, plain)
        self._has_code = source is not None
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.height() >= theme.current().px(ROOM_FOR_CODE)
        self._below.setVisible(room and self._has_code)


class Inspector(QWidget):
    """Tabs Math, Code and Numbers over one Inspection; collapses to a 36 px strip.

    `set_inspection` takes an object with step, rows, table, cell (and pinned, title, labels,
    stale); None clears the inspector.
    """

    tabChanged = Signal(str)
    collapsedChanged = Signal(bool)
    codeVersionChanged = Signal(str)
    unpinRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Inspector")
        self.setObjectName("inspector")
        self._collapsed = False
        self._blank = True
        self._tab = "math"
        self._code_version = "plain"
        self._inspection: Any = None
        self._waiting: tuple[Any, Any] | None = None  # tables not yet shown by a hidden page
        self._tabs = SegmentedControl(
            [("math", "Math"), ("code", "Code"), ("numbers", "Numbers")], "Inspector tabs"
        )
        self._fold = IconButton("inspector", "Hide the inspector", "Ctrl+I")
        self.title = Label("", "body", weight=600, wrap=True)
        self._pin = IconButton("pin", "Unpin this cell", "Esc", role="accent")
        self.math, self.code, self.numbers = MathView(), CodeView(), NumbersTable()
        idle = "Step through a computation, or point at a part of it: its explanation appears here."
        self._empty = Label(idle, "body", "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget()
        self._states = StatefulPicture(self._stack, ground="surface")
        self._states.show_ready()
        self.math_page = MathPage(self.math)
        for page in (self.math_page, self.code, self.numbers, self._empty):
            self._stack.addWidget(page)
        self._surface = Surface("surface", edges="left")
        self._build()
        self._tabs.chosen.connect(self.set_tab)
        self._fold.clicked.connect(lambda: self.set_collapsed(not self._collapsed))
        self._pin.clicked.connect(self.unpinRequested)
        for view in (self.code, self.math_page.code):
            view.versionChosen.connect(self.set_code_version)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_inspection(None)

    def _build(self) -> None:
        self._bar = QHBoxLayout()
        self._bar.setSpacing(8)
        self._bar.addWidget(self._tabs)
        self._bar.addStretch(1)
        self._bar.addWidget(self._fold)
        self._head = QHBoxLayout()
        self._head.setSpacing(4)
        self._head.addWidget(self.title, 1)
        self._head.addWidget(self._pin, 0, Qt.AlignmentFlag.AlignTop)
        self._inner = QVBoxLayout(self._surface)
        self._inner.addLayout(self._bar)
        self._inner.addLayout(self._head)
        self._inner.addWidget(self._states, 1)
        self._inner.addStretch(0)  # keeps the button of the collapsed strip at the top
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._surface)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    # State ---------------------------------------------------------------------------------------

    def set_inspection(self, inspection: Any) -> None:
        """Shows a step: its formula, rows, code line and named arrays."""
        if inspection is self._inspection and inspection is not None:
            return
        self._inspection = inspection
        step = getattr(inspection, "step", None)
        self._blank = inspection is None or (
            step is None and not inspection.rows and not inspection.table
        )
        if getattr(inspection, "stale", False):
            self._states.show_stale()
        else:
            self._states.show_ready()
        if self._blank:
            self.title.setText("")
            self.title.hide()
            self._pin.hide()
            self._stack.setCurrentIndex(3)
            return
        title = getattr(inspection, "title", "") or (step.title if step is not None else "")
        self.title.setText(title)
        self.title.setVisible(bool(title) and not self._collapsed)
        pinned = bool(getattr(inspection, "pinned", False))
        self._pin.setVisible(pinned and not self._collapsed)
        place = inspection.cell or ""
        plain = bool(getattr(inspection, "plain", False))
        latex = step.formula if step is not None else ""
        self.math.set_math(latex, inspection.rows, place, plain)
        self._show_source()
        labels = getattr(inspection, "labels", None)
        self._waiting = (inspection.table or step_table(step), labels)
        if self._tabs.current == "numbers":
            self._show_numbers()
        self._stack.setCurrentIndex(TABS.index(self._tabs.current))

    def _show_source(self) -> None:
        """Updates only the visible page: during playback, both would cost a frame."""
        source, plain = self._sources(getattr(self._inspection, "step", None))
        page = self.code if self._tabs.current == "code" else self.math_page
        page.set_source(source, plain)

    @property
    def inspection(self) -> Any:
        return self._inspection

    def displayed(self) -> dict[str, np.ndarray]:
        self._show_numbers()
        return self.numbers.displayed()

    def _show_numbers(self) -> None:
        """Shows the tables that were deferred while the page was hidden."""
        if self._waiting is not None:
            self.numbers.set_tables(*self._waiting)
            self._waiting = None

    def set_tab(self, tab: str) -> None:
        """Shows "math", "code" or "numbers" and expands the inspector."""
        if tab not in TABS:
            raise ValueError(f"no inspector tab named {tab!r}: use {', '.join(TABS)}")
        self._tabs.set_current(tab)
        if not self._blank:
            self._show_source()
            if tab == "numbers":
                self._show_numbers()
            self._stack.setCurrentIndex(TABS.index(tab))
        self.set_collapsed(False)
        if tab != self._tab:
            self._tab = tab
            self.tabChanged.emit(tab)

    @property
    def tab(self) -> str:
        return self._tab

    def set_code_version(self, version: str) -> None:
        """Shows "plain" code if a step has some, or always the code as it is "running"."""
        if version not in VERSIONS:
            raise ValueError(f"no version {version!r} of the code: use {', '.join(VERSIONS)}")
        for view in (self.code, self.math_page.code):
            view.set_version(version)
        if version != self._code_version:
            self._code_version = version
            self.codeVersionChanged.emit(version)

    @property
    def code_version(self) -> str:
        return self._code_version

    def set_collapsed(self, collapsed: bool) -> None:
        """Collapses to a 36 px strip, or expands."""
        if collapsed != self._collapsed:
            self._collapsed = collapsed
            self._restyle()
            self.collapsedChanged.emit(collapsed)

    @property
    def collapsed(self) -> bool:
        return self._collapsed

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px("inspector"), theme.current().px(480))

    def _sources(self, step: Any) -> tuple[Any, Any]:
        """Returns the code of a step as it runs and its plain twin; None for what is missing."""
        if step is None:
            return None, None
        from core import plain_twins, trace

        try:
            return trace.source(step.code), plain_twins.plain_source(step.code)
        except ValueError:  # the run was recorded by another version of the app
            return None, None

    def _restyle(self) -> None:
        now = theme.current()
        folded = self._collapsed
        for widget in (self._tabs, self._states):
            widget.setVisible(not folded)
        self.title.setVisible(not folded and bool(self.title.text()))
        pinned = bool(getattr(self._inspection, "pinned", False))
        self._pin.setVisible(not folded and pinned)
        side, edge = (now.px(3), now.px(8)) if folded else (now.px(16), now.px(8))
        self._inner.setContentsMargins(side, edge, side, now.px(8))
        self._inner.setSpacing(now.px(12))
        strip = now.px("inspector_strip")
        self.setMinimumWidth(strip if folded else theme.SIZE["inspector_min"])
        self.setMaximumWidth(strip if folded else now.px("inspector_max"))
        self._fold.set_icon(
            "inspector", "Show the inspector" if folded else "Hide the inspector", "Ctrl+I"
        )


def step_table(step: Any) -> dict[str, np.ndarray]:
    """Returns all array values of a step by name (the pane computes callables on the engine)."""
    if step is None:
        return {}
    return {name: value for name, value in step.values.items() if isinstance(value, np.ndarray)}
