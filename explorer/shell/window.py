"""The one window: rail, the focused pane with its inputs, inspector, transport, status bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.engine import errors
from explorer.panes import readings
from explorer.panes.base import Context, Pane, PaneSpec
from explorer.panes.readings import Reading
from explorer.shell import keys
from explorer.shell.focus import FocusKeeper, order_regions
from explorer.shell.folding import Folding
from explorer.shell.menus import Menus, palette_entries
from explorer.shell.notices import Notices
from explorer.state.actions import Action, Actions
from explorer.widgets import dialogs
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.inspector import Inspector
from explorer.widgets.palette import CommandPalette
from explorer.widgets.rail import Rail
from explorer.widgets.scroll_area import scrolled
from explorer.widgets.status_strip import StatusStrip
from explorer.widgets.surface import Surface
from explorer.widgets.transport import TransportBar

MINIMUM = QSize(1000, 600)
DESIGNED = QSize(1280, 720)
PANE_LEAST = QSize(720, 430)  # at zoom 1: the room in a window of 1100 x 680
MESSAGE_TIME = 5000  # ms


class PaneStack(QStackedWidget):
    """Shows one of the panes.

    Never smaller than `PANE_LEAST` and the minimum of its parts: in a smaller window, or at a
    larger zoom, the page around it scrolls.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.currentChanged.connect(self.updateGeometry)
        theme.changed.connect(self.updateGeometry)

    def minimumSizeHint(self) -> QSize:
        least, pane = PANE_LEAST * theme.current().zoom, self.currentWidget()
        return least if pane is None else least.expandedTo(pane.minimumSizeHint())

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def hasHeightForWidth(self) -> bool:
        """Ignores wrapped text, which needs no height beyond the minimum."""
        return False


class MainWindow(QMainWindow):
    """Connects transport and inspector to the visible pane; changes no settings itself."""

    closing = Signal()
    painted = Signal()  # the first paint is done
    paneShown = Signal(object)  # Pane
    inputLeft = Signal()  # another pane or mode is being shown
    filesDropped = Signal(list)  # paths

    def __init__(self, context: Context, specs: Sequence[PaneSpec]) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("LLM Explorer")
        self.context = context
        self.specs = list(specs)
        self.panes: dict[str, Pane] = {}
        self.pane: Pane | None = None
        self.actions_list = Actions()
        self._was_painted = False
        self._menus = Menus(self)
        self._build()
        self._connect()
        context.workspace.live("pane", lambda: self.pane_name, self.show_pane, self)
        self.setMinimumSize(MINIMUM)
        self.resize(DESIGNED)
        self.setAcceptDrops(True)

    def _build(self) -> None:
        self.rail = Rail()
        self.rail.set_entries(
            [
                (spec.id, spec.title, spec.icon, f"{spec.title}: {spec.teaches} (Ctrl+{place})")
                for place, spec in enumerate(self.specs, start=1)
            ]
        )
        self.headline = CutLabel("sentence", weight=600, lines=2)
        self.headline.setObjectName("headline")
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._header = Surface("surface")
        self._header_row = QHBoxLayout(self._header)
        self._header_row.addWidget(self.headline, 1)
        self.inputs = Surface("surface", edges="bottom")
        self._inputs_row = QHBoxLayout(self.inputs)
        self._inputs_stack = QStackedWidget()
        self._inputs_stack.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._inputs_row.addWidget(self._inputs_stack)
        self.notices = Notices()
        self.stack = PaneStack()
        self.transport = TransportBar()
        self.inspector = Inspector()
        self.status = StatusStrip()
        page = QWidget()
        rows = QVBoxLayout(page)
        for widget in (self._header, self.inputs, self.notices):
            rows.addWidget(widget)
        rows.addWidget(self.stack, 1)
        center = Surface("window")
        center.setMinimumWidth(theme.SIZE["center_min"])
        column = QVBoxLayout(center)
        self.room = scrolled(page)
        self.room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(self.room, 1)
        column.addWidget(self.transport)
        for layout in (rows, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(center)
        self.splitter.addWidget(self.inspector)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setSizes([10_000, self.context.settings.inspector_width])
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(0)
        top.addWidget(self.rail)
        top.addWidget(self.splitter, 1)
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addLayout(top, 1)
        rows.addWidget(self.status)
        self.setCentralWidget(whole)
        self.palette_popover = CommandPalette(whole)
        self._restyle()

    def _connect(self) -> None:
        self.rail.chosen.connect(self.show_pane)
        self.folding = Folding(self.splitter, self.inspector, self.context.settings)
        self.inspector.collapsedChanged.connect(lambda _: self.refresh_actions())
        self.installEventFilter(self.folding)
        self._focus_keeper = FocusKeeper(self)
        self.inspector.tabChanged.connect(self._on_tab)
        self.inspector.codeVersionChanged.connect(self._on_code_version)
        self.inspector.unpinRequested.connect(self.escape)
        self.palette_popover.entryChosen.connect(self._on_palette)
        self._message_timer = QTimer(self, singleShot=True)
        self._message_timer.timeout.connect(lambda: self.status.set_message(""))
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        now = theme.current()
        self._share_height()
        self._header_row.setContentsMargins(now.px("margin"), now.px(4), now.px("margin"), 0)
        self._inputs_row.setContentsMargins(now.px("margin"), 0, now.px("margin"), now.px(4))

    def _share_height(self) -> None:
        now = theme.current()
        self._header.setFixedHeight(now.px("header"))
        extra = 0 if self.pane is None else self.pane.extra_input_height
        self.inputs.setFixedHeight(now.px("inputs") + extra)

    # panes

    @property
    def pane_name(self) -> str | None:
        """The id of the visible pane."""
        return next((name for name, pane in self.panes.items() if pane is self.pane), None)

    def show_pane(self, name: str) -> Pane | None:
        """Shows a pane and creates it the first time. One that fails to build shows its error."""
        spec = next((spec for spec in self.specs if spec.id == name), None)
        if spec is None:
            return None
        pane = self.panes.get(name) or self._create(spec)
        if pane is None or pane is self.pane:
            return pane
        self._on_left()
        if self.pane is not None:
            self.pane.left()
            self.pane.inspection.disconnect(self.inspector.set_inspection)
            self.pane.headlineChanged.disconnect(self._on_headline)
        self._show_inputs(pane)  # ends typing in the others while their pane is current
        self.pane = pane
        self._share_height()
        pane.inspection.connect(self.inspector.set_inspection)
        pane.headlineChanged.connect(self._on_headline)
        self.inspector.set_inspection(None)
        self.rail.set_current(name)
        theme.style_hidden()
        self.stack.setCurrentWidget(pane)
        self.transport.bind(pane.player)
        self._on_headline(pane.headline)
        pane.shown()
        self.folding.widen()
        self.paneShown.emit(pane)
        self.refresh_actions()
        return pane

    def quantities(self) -> Iterator[Reading]:
        """Yields what the visible pane and the status bar show (see `explorer.panes.readings`)."""
        if self.pane is not None:
            yield from self.pane.quantities()
        if (run := self.status.run) is not None:
            folder = Path(run.folder)
            of = readings.run_of(folder)
            yield from readings.below(of, {"state": run.state, "step": run.step})
            if run.steps:
                yield readings.path(of, "steps"), run.steps
            if run.loss is not None:
                yield readings.path(readings.run_of(folder, run.step), "loss.training"), run.loss

    def readings(self) -> dict[str, Any]:
        """Returns what is on screen now as one JSON object."""
        return readings.gathered(self.quantities())

    def _create(self, spec: PaneSpec) -> Pane | None:
        try:
            pane = spec.create(self.context)
            self.actions_list.add(pane.actions())
        except Exception as error:
            errors.report(error, f"the pane {spec.title}")
            return None
        self.panes[spec.id] = pane
        pane.statusRequested.connect(lambda text: self.say(text) if pane is self.pane else None)
        pane.modeChanged.connect(lambda: self._on_left() if pane is self.pane else None)
        pane.player.set_motion(self.context.settings.motion)
        self.stack.addWidget(pane)
        strip = pane.input_strip()
        if strip is not None:
            self._inputs_stack.addWidget(strip)
        pane.inputHeightChanged.connect(self._share_height)
        pane.added.connect(lambda actions, pictures: self._add(pane, actions, pictures))
        pane.join_workspace()
        self._add(pane, [], pane.pictures())
        return pane

    def _add(self, pane: Pane, actions: Sequence[Action], pictures: dict[str, QWidget]) -> None:
        """Adds a pane's actions, and the export of its pictures."""
        self.actions_list.add(actions)
        for name, picture in pictures.items():
            self._offer_export(pane, name, picture)
        self.build_menus()

    def _show_inputs(self, pane: Pane) -> None:
        strip = pane.input_strip()
        self.inputs.setVisible(strip is not None)
        if strip is not None:
            self._inputs_stack.setCurrentWidget(strip)

    def _offer_export(self, pane: Pane, name: str, picture: QWidget) -> None:
        """Adds a picture's context menu: Show as table, Copy, Export."""
        from explorer.shell import export

        picture.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        picture.customContextMenuRequested.connect(
            lambda at: export.menu(self, pane, name, picture).popup(picture.mapToGlobal(at))
        )

    def _on_headline(self, text: str) -> None:
        self.headline.set_text(text)

    # messages

    def _on_left(self) -> None:
        """Ends the messages of a pane or mode that is no longer shown."""
        self.say("")
        self.inputLeft.emit()

    def say(self, text: str) -> None:
        """Shows a short message in the status bar."""
        self.status.set_message(text)
        self._message_timer.start(MESSAGE_TIME)

    # actions

    def build_menus(self) -> None:
        """Rebuilds the menus from the list of actions, after every addition."""
        self._menus.build(self.actions_list)

    def refresh_actions(self) -> None:
        self._menus.refresh()

    def open_palette(self) -> None:
        self.palette_popover.open(palette_entries(self.actions_list))

    def _on_palette(self, name: str) -> None:
        self.actions_list.run(name)
        self.refresh_actions()

    # inspector

    def toggle_inspector(self) -> None:
        self.inspector.set_collapsed(not self.inspector.collapsed)

    def _on_tab(self, tab: str) -> None:
        self.context.settings.inspector_tab = tab

    def _on_code_version(self, version: str) -> None:
        self.context.settings.code_version = version

    # keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handles keys that the focused widget has ignored, such as arrows outside a grid."""
        if not self._handle(event):
            super().keyPressEvent(event)

    def _handle(self, event: QKeyEvent) -> bool:
        """Runs the action of a key; returns False if it has none here."""
        if event.text() == "?":
            return self.actions_list.run("help.keys")
        if self.pane is None or not keys.is_plain(event):
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.escape()
            return True
        return keys.move_player(self.pane.player, event.key(), self.focusWidget())

    def escape(self) -> None:
        """Handles Esc: closes the palette, else cancels in the pane, else closes a card."""
        if self.palette_popover.isVisible():
            self.palette_popover.dismiss()
        elif self.pane is None or not self.pane.cancel():
            self.notices.close_last()

    @property
    def _regions(self) -> list[QWidget]:
        """From left to right and top to bottom, the order of F6 and Tab."""
        return [
            self.rail,
            self.inputs,
            self.notices,
            self.stack,
            self.transport,
            self.inspector,
            self.status,
        ]

    def next_region(self) -> None:
        """Handles F6: focuses the next visible region."""
        keys.focus_next(self, self._regions)

    def focusNextPrevChild(self, forward: bool) -> bool:
        order_regions(self._regions)
        return super().focusNextPrevChild(forward)

    # files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        takes = any(url.isLocalFile() for url in event.mimeData().urls())
        dialogs.answer_drop(event, takes)
        if takes:
            self.status.set_message(
                "Drop a text to train on it, a tokenizer, a log, or the folder of a model or run"
            )

    def dragLeaveEvent(self, _: QEvent) -> None:
        self.status.set_message("")

    def dropEvent(self, event: QDropEvent) -> None:
        self.status.set_message("")
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        dialogs.answer_drop(event, bool(paths))
        if paths:
            self.filesDropped.emit(paths)

    # start and end

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self.painted)

    def come_to_front(self) -> None:
        """Shows the window above others, or asks for attention where the system permits no more."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        QApplication.alert(self)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Asks to close and ignores the event: the session closes in order."""
        event.ignore()
        self.closing.emit()

    @property
    def geometry_text(self) -> str:
        """The window's geometry as a session saves it."""
        return bytes(self.saveGeometry().toBase64()).decode("ascii")

    def restore_geometry(self, text: str) -> None:
        """Restores a `geometry_text`; ignores any other text."""
        self.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "ignore")))
