"""The view of the pane: tokens on top, all heads on the left, the chosen head on the right."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.attention import text
from explorer.panes.attention.all_heads import AllHeads
from explorer.panes.attention.comparison import Comparison
from explorer.panes.attention.compute import Heads, Prompt, hidden_cells
from explorer.panes.attention.draft import Held, ViewSettings
from explorer.panes.attention.head_view import HeadView
from explorer.widgets.base import Label
from explorer.widgets.boxes import column, row
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_strip import TokenStrip

PANEL_SHARE = 0.31  # of the width


class AttentionView(QWidget):
    """Lays out and displays; the pane handles all clicks."""

    exampleRequested = Signal()
    retryRequested = Signal()
    bundledRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attention.view")
        self.tokens = TokenStrip()
        self.tokens.setObjectName("attention.view.tokens")
        self.warning = Label("", "label", "warning")
        self.panel, self.head = AllHeads(), HeadView()
        body = QWidget()
        self._sides = row(self.panel, (self.head, 1), of=body)
        self.body = StatefulPicture(body)
        self.body.show_ready()
        self._pictures = self.panel.picture, self.head.picture
        self._column = column(self.tokens, self.warning, (self.body, 1), of=self)
        self._has_heads = False
        self._unanswered = False  # True while the empty state reports a run without heads
        self.body.actionRequested.connect(self._on_action)
        self.body.retryRequested.connect(self.retryRequested)
        self.head.picture.cancelRequested.connect(self.body.cancelRequested)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_prompt(None)

    def pictures(self) -> dict[str, QWidget]:
        """Returns all pictures for export, by name."""
        head, panel = self.head, self.panel
        names = "heat-map", "arcs", "steps", "first-map", "second-map", "difference"
        shown = head.heat, head.arcs, head.steps, *head.compared.pictures
        rest = {"heads": panel.mosaic, "scores": panel.scores, "tokens": self.tokens}
        return dict(zip(names, shown, strict=True)) | rest

    # states

    def set_prompt(self, prompt: Prompt | None) -> None:
        """Shows the tokens at once, before the heads are known."""
        ids, pieces, cut = (prompt.ids, prompt.pieces, prompt.cut) if prompt else ((), (), 0)
        self.tokens.set_tokens(list(ids), list(pieces), cut)
        self.tokens.setVisible(bool(ids))
        self.warning.setText(text.cut_warning(prompt))
        self.warning.setVisible(bool(self.warning.text()))

    def forget(self) -> None:
        """Clears the heads; the next ones start from an empty picture and a new wait."""
        self._has_heads = self._unanswered = False
        for picture in (self.body, *self._pictures):
            picture.show_ready()
        self.panel.mosaic.clear()
        self.panel.scores.set_scene([])
        self.tokens.set_weights(None)
        self.head.forget()

    def show_unanswered(self, words: str) -> None:
        """Shows that a run has not given its first heads yet."""
        self._unanswered = True
        self.body.show_empty(words, text.BUNDLED, "attention")

    def show_empty(self) -> None:
        self.body.show_empty(text.EMPTY, text.EXAMPLE, "attention")

    def _on_action(self) -> None:
        (self.bundledRequested if self._unanswered else self.exampleRequested).emit()

    def show_blank(self, prompt: Prompt) -> None:
        """Shows the final layout without numbers, while the first heads are computed."""
        T = len(prompt.ids)
        self.head.heat.set_values(np.zeros((T, T)), hidden_cells(T, False))
        self.head.heat.set_labels(prompt.labels, prompt.labels)
        for picture in self._pictures:
            picture.show_ready()
            picture.setAccessibleDescription("loading")

    def show_waiting(self, reason: str = "", cancellable: bool = False) -> None:
        """Shows that new heads are being computed."""
        if self._unanswered:
            return  # the message about the run stays while the user types
        if self.body.state in ("empty", "error"):
            self.body.show_ready()
        if self._has_heads:
            self.body.set_cancellable(cancellable)
            self.body.show_loading(reason)
        else:
            self.head.picture.set_cancellable(cancellable)
            for picture in self._pictures:
                picture.set_waiting(reason or "running the model")

    def show_ready(self) -> None:
        self._has_heads, self._unanswered = True, False
        for picture in (self.body, *self._pictures):
            picture.show_ready()

    # heads

    def show_settings(
        self, settings: ViewSettings, heads: Heads | None, compared: Comparison | None
    ) -> None:
        """Updates the controls, and sorts and dims the heads: by their score, or in a comparison by
        how much they differ.
        """
        mosaic = self.panel.mosaic
        self.panel.show_settings(settings)
        self.head.show_settings(settings)
        if heads is not None and (compared is not None or settings.mode != "compare"):
            score, name = heads.score(settings.score), text.SCORES[settings.score]
            if compared is not None:
                score, name = compared.difference, text.DIFFERENCE
            mosaic.set_scores(score, name.lower())
            mosaic.set_order(np.argsort(-score, axis=1, kind="stable") if settings.sorted else None)
            mosaic.set_filter(score >= settings.least if settings.least else None)

    def show_head(
        self, heads: Heads, place: tuple[int, int, int], held: Held, settings: ViewSettings
    ) -> None:
        """Shows one head large, its scores, and the query's weights in the row of tokens."""
        layer, head, query = place
        weights = heads.weights(layer, head, settings.hide_first)
        self.head.show_head(heads, place, settings.hide_first)
        self.tokens.set_weights(weights[query])
        self.tokens.set_selected(query, pinned=held.pinned)
        mosaic = self.panel.mosaic
        mosaic.set_chosen((layer, head))
        is_locked = held.locked == (layer, head)
        mosaic.set_locked(held.locked if is_locked else None)
        values = {name: float(heads.score(name)[layer, head]) for name in text.SCORES}
        name = text.head_name(layer, head) + (f", {text.LOCKED}" if is_locked else "")
        self.panel.show_scores(name, values, settings.score)
        words = text.announced(heads, place, settings.score, settings.hide_first)
        for picture in (self.head.heat, self.head.arcs, mosaic):
            picture.setAccessibleDescription(words)

    # layout

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        least, most = theme.current().px("mosaic_min"), theme.current().px("mosaic_max")
        self.panel.setFixedWidth(min(max(round(self.width() * PANEL_SHARE), least), most))

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(8))
        self._column.setSpacing(now.px(12))
        self._sides.setSpacing(now.px("section"))
        self._fit()
