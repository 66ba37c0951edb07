"""The attention pane's picture as a whole: tokens on top, all heads left, the chosen head right."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.attention.choices import Choices
from explorer.panes.attention.head_view import HeadView
from explorer.panes.attention.model import SCORES, Heads, Prompt, announced, hidden_cells, order_by
from explorer.panes.attention.panel import HeadsPanel
from explorer.widgets.base import Label
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_strip import TokenStrip

STACKED = 616  # below this width, at the UI zoom, the chosen head stands below the mosaic
LARGE = 1.5  # a zoom beyond which the window scrolls the pane as a whole
PANEL_LEAST, PANEL_STACKED, HEAD_LEAST = 240, 336, 208  # heights; below them the pane scrolls
COMPARED_LEAST = 340  # of a head on two texts, with the line of the second


class AttentionView(QWidget):
    """Lays out and shows; what to do about a click is the pane's business."""

    exampleRequested = Signal()
    retryRequested = Signal()
    cancelRequested = Signal()
    bundledRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attention.view")
        self.tokens = TokenStrip()
        self.tokens.setObjectName("attention.view.tokens")
        self.warning = Label("", "label", "warning")
        self.panel, self.head = HeadsPanel(), HeadView()
        body = QWidget()
        self._sides = QHBoxLayout(body)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.addWidget(self.panel)
        self._sides.addWidget(self.head, 1)
        self.body = StatefulPicture(body)
        self.body.show_ready()
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.tokens)
        self._column.addWidget(self.warning)
        self._scroll = ScrollArea(self.body)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._column.addWidget(self._scroll, 1)
        self._reason = ""
        self._has_heads = False
        self._unanswered = False  # what the empty state is about
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._on_waited)
        self.body.actionRequested.connect(self._on_action)
        self.body.retryRequested.connect(self.retryRequested)
        for picture in (self.body, self.head.picture):
            picture.cancelRequested.connect(self.cancelRequested)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_prompt(None)

    def set_prompt(self, prompt: Prompt | None) -> None:
        """The tokens at once, before any head is known."""
        if prompt is None:
            self.tokens.set_tokens([], [])
        else:
            self.tokens.set_tokens(list(prompt.ids), list(prompt.pieces), prompt.cut)
        self.tokens.setVisible(prompt is not None and bool(prompt.ids))
        warning = prompt.warning if prompt is not None else ""
        self.warning.setText(warning)
        self.warning.setVisible(bool(warning))

    def forget(self) -> None:
        """No heads any more: what comes next begins with an empty picture and a fresh wait."""
        self._soon.stop()
        self._has_heads = self._unanswered = False
        self.body.show_ready()
        for picture in (self.panel.picture, self.head.picture):
            picture.show_ready()
        self.panel.mosaic.clear()
        self.panel.scores.set_scores("", "", {}, "")
        self.tokens.set_weights(None)
        self.head.heat.set_values(np.zeros((0, 0)))
        self.head.arcs.set_weights(np.zeros((0, 0)), [])

    def show_unanswered(self, name: str, step: int) -> None:
        """A run that has not given its first heads yet."""
        self._unanswered = True
        self.body.show_empty(
            f"{name} is at step {step:,}. Its heads come as soon as it has finished the step that "
            "is under way.",
            "Show the bundled model instead",
            "attention",
        )

    def _on_action(self) -> None:
        if self._unanswered:
            self.bundledRequested.emit()
        else:
            self.exampleRequested.emit()

    def show_empty(self) -> None:
        self._soon.stop()
        self._unanswered = False
        self.body.show_empty(
            "Type a text above, and see which earlier tokens each head reads.",
            "Use the example",
            "attention",
        )

    def show_error(self, message: str) -> None:
        self._soon.stop()
        self._unanswered = False
        self.body.show_error(message)

    def show_blank(self, prompt: Prompt) -> None:
        """The first load: everything in its final place, with no number in it yet."""
        T = len(prompt.ids)
        self.head.heat.set_values(np.zeros((T, T)), hidden_cells(T, False))
        self.head.heat.set_labels(prompt.labels, prompt.labels)
        for picture in (self.panel.picture, self.head.picture):
            picture.show_ready()
            picture.setAccessibleDescription("loading")

    def show_waiting(self, reason: str = "", cancellable: bool = False) -> None:
        """New heads are on their way: a thin line the first time, else the old picture, faint, if
        it takes longer than the eye minds."""
        if self._unanswered:
            return  # its own words say what is waited for, whatever is typed meanwhile
        if self.body.state in ("empty", "error"):
            self.body.show_ready()
        if self._has_heads:
            self._reason = reason
            self.body.set_cancellable(cancellable)
            self._soon.start(theme.MOTION["waiting"])
        else:
            self.head.picture.set_cancellable(cancellable)
            for picture in (self.panel.picture, self.head.picture):
                picture.set_waiting(reason or "reading the heads")

    def show_ready(self) -> None:
        self._soon.stop()
        self._has_heads, self._unanswered = True, False
        self.body.show_ready()
        self.panel.picture.show_ready()
        self.head.picture.show_ready()

    def show_choices(self, choices: Choices, heads: Heads | None) -> None:
        """The controls as they are chosen, and the heads sorted and dimmed by them."""
        mosaic = self.panel.mosaic
        self.panel.set_choice(choices.score, choices.sorted, choices.least)
        self.head.set_hide_first(choices.hide_first)
        self.head.set_mode(choices.mode)
        self._arrange()
        if heads is not None:
            score = heads.score(choices.score)
            mosaic.set_scores(score, SCORES[choices.score].lower())
            mosaic.set_order(order_by(score) if choices.sorted else None)
            mosaic.set_filter(score >= choices.least if choices.least else None)

    def show_head(
        self, heads: Heads, chosen: tuple[int, int, int], window: int | None, choices: Choices
    ) -> None:
        """One head large, its scores, and what the query looks at in the row of tokens."""
        layer, head, query = chosen
        labels = heads.prompt.labels
        weights = heads.weights(layer, head, choices.hide_first)
        heat, arcs = self.head.heat, self.head.arcs
        heat.set_values(weights, hidden_cells(heads.n_tokens, choices.hide_first, window))
        heat.set_labels(labels, labels)
        note = "first token hidden, rows scaled to 1" if choices.hide_first else ""
        heat.set_scale("attention", note=note)
        arcs.set_weights(weights, labels)
        arcs.set_query(query)
        self.tokens.set_weights(weights[query])
        self.tokens.set_selected(query, pinned=choices.pinned)
        mosaic = self.panel.mosaic
        note = "locked, Esc unlocks" if mosaic.locked == (layer, head) else ""
        mosaic.set_chosen((layer, head))
        values = {name: float(heads.score(name)[layer, head]) for name in SCORES}
        name = f"Layer {layer}, head {head}"
        self.panel.scores.set_scores(name, note, values, choices.score)
        self.panel.set_head(name)
        words = announced(heads, layer, head, query, choices.score, choices.hide_first)
        for picture in (heat, arcs, mosaic):
            picture.setAccessibleDescription(words)

    def _on_waited(self) -> None:
        self.body.show_stale(self._reason)

    def hideEvent(self, event) -> None:
        if self._soon.isActive():
            self._soon.stop()
            self._on_waited()
        super().hideEvent(event)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Heads left and the chosen one right; where the zoom leaves too little, one below the
        other. Either scrolls where its height is below what can be read."""
        now = theme.current()
        width = self.width() - 2 * now.px("margin")
        stacked = self.width() < now.px(STACKED)
        share = round(self.width() * 0.31)
        least, most = now.px("mosaic_min"), now.px("mosaic_max")
        wide = min(width, most) if stacked else min(max(share, least), most)
        direction = QBoxLayout.Direction
        self._sides.setDirection(direction.TopToBottom if stacked else direction.LeftToRight)
        self.panel.setFixedWidth(wide)
        self.panel.setMinimumHeight(now.px(PANEL_STACKED if stacked else PANEL_LEAST))
        compares = self.head.modes.current == "compare"
        self.head.setMinimumHeight(now.px(COMPARED_LEAST if compares else HEAD_LEAST))
        needs = now.zoom > LARGE and not stacked
        self._scroll.setMinimumHeight(now.px(PANEL_LEAST) if needs else 0)

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(8))
        self._column.setSpacing(now.px(12))
        self._sides.setSpacing(now.px("section"))
        self._arrange()
