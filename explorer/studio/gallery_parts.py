"""Gallery sheets of everything around the pictures: states, controls, cards, palette, icons."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.studio.gallery_data import TOKENS, Sample, attention, causal_mask
from explorer.theme import icons
from explorer.widgets.base import IconButton, Picture, put_text, set_look
from explorer.widgets.callout import Callout
from explorer.widgets.card import Card
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.palette import CommandPalette, Entry
from explorer.widgets.rail import Rail
from explorer.widgets.rows_card import Row, RowsCard
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.status_strip import RunStatus, StatusStrip
from explorer.widgets.toggle import SegmentedControl, Switch


def states() -> list[Sample]:
    def wrapped(skeleton: str = "grid", waited: float = 0.0) -> StatefulPicture:
        at = [0.0]
        heat = HeatMap("Attention")
        heat.set_values(attention(), causal_mask(14))
        heat.set_labels(TOKENS, TOKENS)
        picture = StatefulPicture(heat, skeleton, clock=lambda: at[0])
        at_later.append((at, waited))
        return picture

    at_later: list[tuple[list[float], float]] = []
    loading, plot = wrapped(), wrapped("plot")
    empty, error = wrapped(), wrapped()
    stale, long_wait, ready = wrapped(), wrapped(waited=0.4), wrapped(waited=3.2)
    empty.show_empty("Type a prompt to see what the heads look at.", "Use the example", "attention")
    error.show_error("The checkpoint is truncated: 1.2 MB of 4.8 MB. Open another one.")
    for one in (stale, long_wait, ready):
        one.show_ready()
    stale.show_stale("waiting for step 813")
    ready.set_cancellable(True)
    long_wait.set_waiting("waiting for step 813")
    ready.set_waiting("waiting for step 813 (about 1.2 s)")
    for at, waited in at_later:
        at[0] = waited
    return [
        ("loading, grid", loading, 280, 260),
        ("loading, plot", plot, 280, 260),
        ("empty", empty, 280, 260),
        ("error", error, 300, 260),
        ("stale", stale, 280, 260),
        ("waiting 0.4 s", long_wait, 280, 260),
        ("waiting 3 s", ready, 280, 260),
    ]


class IconSheet(Picture):
    """Every icon with its name."""

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        for index, name in enumerate(icons.names()):
            x, y = index % 12 * now.px(94), index // 12 * now.px(56)
            painter.drawPixmap(QPointF(x + now.px(36), y + 6), self.icon_pixmap(name, "text", 20))
            place = QRectF(x, y + now.px(30), now.px(92), now.px(14))
            put_text(painter, place, name, now.font("rail"), now.color("muted"))


NAMES = ("Expression", "Network", "Transformer", "Optimizers")


def controls() -> list[Sample]:
    buttons = QWidget()
    row = QHBoxLayout(buttons)
    for text, look in (("Start", "primary"), ("Pause", ""), ("Learn more", "quiet")):
        button = QPushButton(text)
        if look:
            set_look(button, look)
        row.addWidget(button)
    off = QPushButton("Resume")
    off.setEnabled(False)
    row.addWidget(off)
    for icon in ("filter", "sort", "sink", "copy", "more"):
        row.addWidget(IconButton(icon, icon))
    row.addStretch(1)
    choices = QWidget()
    row = QHBoxLayout(choices)
    row.addWidget(
        SegmentedControl(
            [("map", "Map"), ("arcs", "Arcs")], "View", {"map": "heat-map", "arcs": "arcs"}
        )
    )
    switch = Switch("Hide sink")
    on = Switch("Log axis")
    on.setChecked(True)
    box = QComboBox()
    box.addItems(["stories (bundled)", "Open a folder"])
    line = QLineEdit("2000")
    for widget in (switch, on, box, line):
        row.addWidget(widget)
    row.addStretch(1)
    little = QWidget()
    row = QHBoxLayout(little)
    fewer = SegmentedControl([(one, one) for one in NAMES], "View")
    fewer.setFixedWidth(fewer.minimumSizeHint().width() * 3 // 4)
    row.addWidget(fewer)
    row.addStretch(1)
    cards = QWidget()
    column = QVBoxLayout(cards)
    for kind, message in (
        ("error", "n_embd 65 is not divisible by n_head 4: choose 64 or 68."),
        ("warning", "The prompt is longer than the model reads: the first 12 tokens are cut."),
        ("info", "Run stories-3 stopped at step 812."),
        ("success", "Wrote loss.csv."),
    ):
        card = Card(kind, message, ["Resume", "Look"] if kind == "info" else None, closable=True)
        card.set_count(3 if kind == "error" else 1)
        column.addWidget(card)
    rail = Rail()
    rail.set_entries([("a", "Attention", "attention", ""), ("t", "Training", "training", "")])
    idle, busy = StatusStrip(), StatusStrip()
    idle.set_device("cpu, fp32, 1 rank")
    running = RunStatus("stories-3", "running", 812, 2000, 1.934, "3")
    paused = RunStatus("stories", "paused", 90, 2000, 3.017, "1")
    busy.set_run(running)
    busy.set_training([running, paused])
    busy.set_jobs("reading story.txt, 40 %")
    busy.set_device("cpu, fp32, 1 rank")
    waiting = RowsCard("info", "Runs are waiting", ("Resume", "Look", "Dismiss"))
    names = ("stories-3", "letters", "stories")
    waiting.set_rows([Row(name, name, "stopped at step 812 of 2,000") for name in names])
    host = QWidget()
    host.resize(theme.current().px(560), theme.current().px(300))
    palette = CommandPalette(host)
    entries = [
        ("Play or pause", "Space"),
        ("Go to training", "Ctrl+3"),
        ("Toggle theme", ""),
        ("Export picture", "Ctrl+E"),
    ]
    palette.open([Entry(text, text, keys) for text, keys in entries])
    tip_host = QWidget()
    tip_host.resize(theme.current().px(420), theme.current().px(160))
    target = QPushButton("Play", tip_host)
    target.move(20, 10)
    target.adjustSize()
    tip = Callout("Pick a head: hover previews, a click locks.", "2 of 3", tip_host)
    tip.point_at(target.geometry())
    return [
        ("buttons", buttons, 560, 52),
        ("choices", choices, 640, 52),
        ("choices, little room", little, 420, 52),
        ("status, idle", idle, 600, 26),
        ("status, training", busy, 900, 26),
        ("cards", cards, 460, 440),
        ("runs that wait", waiting, 640, 96),
        ("rail", rail, 56, 200),
        ("palette", host, 560, 340),
        ("callout", tip_host, 420, 160),
        ("icons", IconSheet("Icons"), 1140, 290),
    ]
