"""The attention pane: wires text, model and selection to the picture, the player, the inspector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import tasks, theme
from explorer.actions import Action
from explorer.panes.attention import model
from explorer.panes.attention.choices import Choices
from explorer.panes.attention.commands import pane_actions, pane_views
from explorer.panes.attention.explain import cell_inspection, step_inspection
from explorer.panes.attention.header import AttentionHeader
from explorer.panes.attention.looking import Looker
from explorer.panes.attention.model import Heads, Prompt
from explorer.panes.attention.opening import Opening
from explorer.panes.attention.playback import Playback
from explorer.panes.attention.view import AttentionView
from explorer.panes.attention.walk import LENGTH
from explorer.panes.base import Context, Pane
from explorer.workspace import DEFAULT_PROMPT, Selection


def create(context: Context) -> Pane:
    return AttentionPane(context)


class AttentionPane(Pane):
    """What is chosen lies in the workspace (text, model, layer, head, token); how it is shown, in
    `choices`."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, "attention", parent)
        self.choices = Choices()
        self.view = AttentionView()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.inputs = AttentionHeader()
        self.opening = Opening(context, self.inputs, self)
        self.looker = Looker(self.engine, self)
        self.playback = Playback(self.engine, self.player, self)
        self._preview: tuple[int, int] | None = None
        self._hovered: tuple[int, int] | None = None  # row and column of the heat map
        self._pinned: tuple[int, int] | None = None
        self._picked_token = False  # by the person: another text keeps it
        self._seen: tuple[Any, ...] = ()  # source and ids of the heads that are shown
        self._mode_before = "map"
        self._inspect_soon = QTimer(self)
        self._inspect_soon.setSingleShot(True)
        self._inspect_soon.timeout.connect(self.inspect)
        self._connect()
        self.set_headline("Which earlier tokens each head reads")
        self._show_choices()
        self.inputs.prompt.set_prompt(self.workspace.prompt)
        self.looker.read(self.workspace.prompt)
        self._on_model(self.workspace.model_source)

    def _connect(self) -> None:
        workspace, panel, head = self.workspace, self.view.panel, self.view.head
        workspace.promptChanged.connect(self._on_prompt)
        workspace.modelChanged.connect(self._on_model)
        workspace.selectionChanged.connect(self._on_selection)
        self.inputs.promptEdited.connect(
            lambda text: workspace.change("prompt", text, "Change prompt", merge=True)
        )
        self.inputs.prompt.editingFinished.connect(workspace.end_merge)
        for signal, slot in (
            (self.looker.promptRead, self._on_prompt_read),
            (self.looker.emptied, self._on_emptied),
            (self.looker.asked, self.view.show_waiting),
            (self.looker.headsCame, self._on_heads),
            (self.looker.mosaicCame, panel.mosaic.set_pooled),
            (self.looker.failed, self._on_failed),
            (self.looker.moved, self._show_version),
            (self.playback.trackChanged, self._on_track),
            (self.playback.queryReached, self._on_query_reached),
            (self.playback.walkingChanged, head.set_walking),
            (self.player.positionChanged, self._on_position),
            (self.player.stepChanged, self._on_step),
            (self.player.playingChanged, self._on_playing),
            (panel.mosaic.headHovered, self._on_head_hovered),
            (panel.mosaic.headClicked, self._on_head_clicked),
            (panel.mosaic.headUnlocked, self._on_unlocked),
            (panel.mosaic.currentChanged, self._choose_head),
            (panel.mosaic.cellPixelsChanged, self._on_cell_pixels),
            (panel.scoreChosen, lambda name: self.choose(score=name)),
            (panel.sortToggled, lambda on: self.choose(sorted=on)),
            (panel.thresholdChosen, lambda least: self.choose(least=least)),
            (head.heat.cellHovered, self._on_cell_hovered),
            (head.heat.cellClicked, self._on_cell_clicked),
            (head.heat.currentChanged, self._on_cell_hovered),
            (head.arcs.tokenHovered, self._on_arc_hovered),
            (head.arcs.tokenClicked, self.pick_query),
            (head.stage.keyHovered, lambda key: self._on_cell_hovered(0, key)),
            (head.stage.keyClicked, self._on_key_clicked),
            (head.modeChosen, self.set_mode),
            (head.hideToggled, lambda on: self.choose(hide_first=on)),
            (head.walkToggled, self.set_walking),
            (head.updateRequested, self.update_heads),
            (self.view.tokens.tokenClicked, self.pick_query),
            (self.view.exampleRequested, lambda: workspace.set_prompt(DEFAULT_PROMPT)),
            (self.view.retryRequested, self.looker.again),
        ):
            signal.connect(slot)

    # what the window asks

    def header(self) -> QWidget:
        return self.inputs

    def actions(self) -> list[Action]:
        return pane_actions(self)

    def pictures(self) -> dict[str, QWidget]:
        head = self.view.head
        return {
            "heat-map": head.heat,
            "arcs": head.arcs,
            "steps": head.stage,
            "heads": self.view.panel.mosaic,
            "scores": self.view.panel.scores,
            "tokens": self.view.tokens,
        }

    def views(self) -> dict[str, Callable[[], None]]:
        return pane_views(self)

    def state(self) -> dict[str, Any]:
        locked = self.view.panel.mosaic.locked
        return {"version": 1, **self.choices.state(), "locked": list(locked) if locked else None}

    def restore(self, state: dict[str, Any]) -> None:
        self.choices = self.choices.restored(state)
        locked = state.get("locked")
        if isinstance(locked, list) and len(locked) == 2 and all(type(i) is int for i in locked):
            self.workspace.select(layer=locked[0], head=locked[1])
        self._show_choices()

    async def settled(self) -> None:
        await tasks.wait_for(self)
        if self._inspect_soon.isActive():
            self._inspect_soon.stop()
            self.inspect()

    def cancel(self) -> bool:
        """Esc: the pinned cell, then the steps, then the locked head."""
        if self._pinned is not None:
            self._pin(None)
        elif self.choices.mode == "steps":
            self.set_mode(self._mode_before)
        elif self.view.panel.mosaic.locked is not None:
            self.view.panel.mosaic.set_locked(None)
            self._on_unlocked()
        else:
            return super().cancel()
        return True

    def left(self) -> None:
        super().left()
        self.looker.set_watching(False)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.looker.set_watching(True)

    def hideEvent(self, event: Any) -> None:
        self.looker.set_watching(False)
        self._inspect_soon.stop()
        super().hideEvent(event)

    # text and model

    def _on_prompt(self, text: str) -> None:
        self.inputs.prompt.set_prompt(text)
        self.looker.read(text)

    def _on_model(self, source: Any) -> None:
        config = getattr(source, "config", None)
        if config is not None and self.looker.heads is None:
            self.view.panel.set_grid(config.n_layer, config.n_head)
        self.looker.set_source(source)
        self._show_version()

    def _on_prompt_read(self, prompt: Prompt) -> None:
        self.view.set_prompt(prompt)

    def _on_emptied(self) -> None:
        self.view.set_prompt(None)
        self.view.show_empty()
        self.playback.clear()
        self.set_headline("There is no text to read yet")
        self.inspection.emit(None)

    def _on_failed(self, message: str) -> None:
        self.view.show_error(message)
        self.set_headline("The heads could not be read")

    def _on_heads(self, heads: Heads, pooled: np.ndarray) -> None:
        panel, seen = self.view.panel, (self.workspace.model_source, heads.prompt.ids)
        panel.set_grid(*heads.shape)
        panel.mosaic.set_pooled(pooled)
        self.view.set_prompt(heads.prompt)
        self._show_choices()
        self._choose_for(heads, seen)
        self._seen = seen
        self.view.show_ready()
        self._show_version()
        self.show_chosen()

    def _choose_for(self, heads: Heads, seen: tuple[Any, ...]) -> None:
        """Keeps a choice that still makes sense; else the strongest induction head and the query
        that shows best what it does."""
        chosen = self.workspace.selection
        layers, n_heads = heads.shape
        other_model = bool(self._seen) and seen[0] is not self._seen[0]
        fits = chosen.layer is not None and chosen.head is not None
        fits = fits and chosen.layer < layers and chosen.head < n_heads
        if not fits or (other_model and self.view.panel.mosaic.locked is None):
            layer, head = model.strongest(heads.score("induction"))
            self.view.panel.mosaic.set_locked(None)
        else:
            layer, head = chosen.layer, chosen.head
        token = chosen.token
        other_text = bool(self._seen) and seen[1] != self._seen[1]
        if token is None or token >= heads.n_tokens or (other_text and not self._picked_token):
            token = model.telling_query(heads, layer, head)
        self.workspace.select(layer=layer, head=head, token=token)

    def update_heads(self) -> None:
        """Looks at the model as it is now; steps that were under way end."""
        if self.choices.mode == "steps":
            self.set_mode(self._mode_before)
        self.looker.again()

    def _show_version(self) -> None:
        source, heads = self.workspace.model_source, self.looker.heads
        if heads is None or source is None or not source.is_live:
            self.view.head.set_version("", False)
            return
        newer = self.looker.newer
        text = f"heads at step {heads.version:,}" + (f", now {newer:,}" if newer else "")
        self.view.head.set_version(text, newer is not None)

    # choices

    @property
    def chosen(self) -> tuple[int, int, int] | None:
        """Layer, head and query that are chosen and there; None before the first heads."""
        heads, one = self.looker.heads, self.workspace.selection
        if heads is None or one.layer is None or one.head is None or one.token is None:
            return None
        layers, n_heads = heads.shape
        if one.layer >= layers or one.head >= n_heads:
            return None
        return one.layer, one.head, min(one.token, heads.n_tokens - 1)

    def choose(self, **changes: Any) -> None:
        """Changes one or more of `choices`."""
        self.choices = replace(self.choices, **changes)
        self._show_choices()
        self.show_chosen()

    def _show_choices(self) -> None:
        panel, head, choices = self.view.panel, self.view.head, self.choices
        panel.set_choice(choices.score, choices.sorted, choices.least)
        head.set_hide_first(choices.hide_first)
        head.set_mode(choices.mode)
        self.looker.repool(panel.mosaic.cell_pixels, choices.hide_first)
        heads = self.looker.heads
        if heads is not None:
            score = heads.score(choices.score)
            panel.mosaic.set_scores(score, model.SCORES[choices.score].lower())
            panel.mosaic.set_order(model.order_by(score) if choices.sorted else None)
            panel.mosaic.set_filter(score >= choices.least if choices.least else None)

    def set_mode(self, mode: str) -> None:
        """Heat map, arcs, or the steps in their place."""
        if mode == "steps" and self.playback.track is None:
            self.view.head.set_mode(self.choices.mode)
            return
        if mode != self.choices.mode:
            self._pinned = self._hovered = None
            if mode == "steps":
                self._mode_before = self.choices.mode
            self.choices = replace(self.choices, mode=mode)
            self.playback.keeps_step = mode == "steps"
            self.looker.live_allowed = mode != "steps"
            if mode != "steps":
                self.set_walking(False)
                self.player.seek(0)
            self.view.head.set_mode(mode)
            self.view.head.stage.set_pinned(-1)
            self.show_chosen()

    def set_walking(self, walking: bool) -> None:
        if walking:
            self.set_mode("steps")
        self.playback.set_walking(walking)
        self.view.head.set_walking(self.playback.walking)

    def choose_strongest(self) -> None:
        """The head that has the most of the chosen score, with the query that shows it."""
        heads = self.looker.heads
        if heads is not None:
            layer, head = model.strongest(heads.score(self.choices.score))
            self.workspace.select(
                layer=layer, head=head, token=model.telling_query(heads, layer, head)
            )

    def pick_query(self, token: int) -> None:
        self._picked_token = True
        self.workspace.select(token=token)

    def move_query(self, by: int) -> None:
        heads, chosen = self.looker.heads, self.chosen
        if heads is not None and chosen is not None:
            self.pick_query(min(max(chosen[2] + by, 0), heads.n_tokens - 1))

    def focus_prompt(self) -> None:
        self.inputs.prompt.setFocus()
        self.inputs.prompt.selectAll()

    def _on_selection(self, selection: Selection) -> None:
        self._pinned = None
        self.show_chosen()

    def _choose_head(self, layer: int, head: int) -> None:
        self._preview = None
        self.workspace.select(layer=layer, head=head)
        self.show_chosen()

    def _on_head_clicked(self, layer: int, head: int) -> None:
        self._choose_head(layer, head)
        self.statusRequested.emit(f"Layer {layer}, head {head} is locked. Esc unlocks it.")

    def _on_unlocked(self) -> None:
        self.statusRequested.emit("Unlocked: pointing at a head shows it")
        self.show_chosen()

    def _on_head_hovered(self, layer: int, head: int) -> None:
        mosaic = self.view.panel.mosaic
        preview = (layer, head) if layer >= 0 and mosaic.locked is None else None
        if preview != self._preview:
            self._preview = preview
            self.show_chosen()

    def _on_cell_pixels(self, pixels: int) -> None:
        self.looker.repool(pixels, self.choices.hide_first)

    # the picture

    def show_chosen(self) -> None:
        """Draws the chosen head (or the one under the pointer) and asks for its Trace."""
        heads, chosen = self.looker.heads, self.chosen
        if heads is None or chosen is None:
            return
        layer, head, query = chosen
        self.playback.show(heads, chosen, self._window(layer))
        if self._preview is not None and self.choices.mode != "steps":
            layer, head = self._preview
        self.view.show_head(heads, (layer, head, query), self._window(layer), self.choices)
        self._frame()
        self._say_headline()
        self.inspect_soon()

    def _window(self, layer: int) -> int | None:
        config = getattr(self.workspace.model_source, "config", None)
        return config.window_of(layer) if config is not None else None

    def _frame(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            column = self._pinned[1] if self._pinned is not None else None
            self.view.head.heat.set_highlight(chosen[2], column)

    def _say_headline(self) -> None:
        heads, chosen, track = self.looker.heads, self.chosen, self.playback.track
        if heads is None or chosen is None:
            return
        step = self.player.step
        if self.choices.mode == "steps" and track is not None and 0 <= step < track.length:
            self.set_headline(track.title(step))
            return
        layer, head, query = chosen
        if self._preview is not None:
            layer, head = self._preview
        self.set_headline(model.sentence(heads, layer, head, query))

    # the steps

    def _on_track(self) -> None:
        track = self.playback.track
        if track is None:
            self.view.head.stage.set_story(None)
            return
        self._on_position(self.player.position)
        self._say_headline()
        self.inspect_soon()

    def _on_position(self, position: float) -> None:
        track = self.playback.track
        if track is None:
            return
        if position > 0 and self.choices.mode != "steps":
            self.set_mode("steps")
        place, local = track.at(position)
        following = track.stories[place + 1] if place + 1 < len(track.stories) else None
        self.view.head.stage.set_story(track.stories[place], following)
        self.view.head.stage.set_position(local)

    def _on_step(self, step: int) -> None:
        self._say_headline()
        self.inspect_soon()

    def _on_playing(self, playing: bool) -> None:
        if playing:
            self._hovered = None
            self.set_mode("steps")
        self.inspect_soon()

    def _on_query_reached(self, query: int) -> None:
        self.workspace.select(token=query)

    # the inspector: pinned cell, else the hovered one while paused, else the step

    def _on_cell_hovered(self, row: int, column: int) -> None:
        self._hovered = (row, column) if column >= 0 else None
        self.inspect_soon()

    def _on_arc_hovered(self, token: int) -> None:
        chosen = self.chosen
        if chosen is not None:
            self._on_cell_hovered(*((chosen[2], token) if 0 <= token <= chosen[2] else (-1, -1)))

    def _on_cell_clicked(self, row: int, column: int) -> None:
        again = self._pinned == (row, column)
        self.pick_query(row)
        self._pin(None if again else (row, column))

    def _on_key_clicked(self, key: int) -> None:
        chosen = self.chosen
        if chosen is not None:
            self._pin(None if self._pinned == (chosen[2], key) else (chosen[2], key))

    def _pin(self, cell: tuple[int, int] | None) -> None:
        self._pinned = cell
        self.view.head.stage.set_pinned(cell[1] if cell is not None else -1)
        self._frame()
        self.inspect_soon()

    def inspect_soon(self) -> None:
        """Numbers change at most eight times a second."""
        if self.isVisible() and not self._inspect_soon.isActive():
            self._inspect_soon.start(theme.MOTION["live_number"] if self.player.playing else 0)

    def inspect(self) -> None:
        heads, chosen, track = self.looker.heads, self.chosen, self.playback.track
        if heads is None or chosen is None:
            return
        layer, head, query = chosen
        cell = self._pinned or (None if self.player.playing else self._hovered)
        pinned = self._pinned is not None
        step = self.player.step
        if self.choices.mode == "steps" and track is not None and 0 <= step < track.length:
            place = step // LENGTH
            story = track.stories[place]
            key = cell[1] if cell is not None and cell[1] < story.n_tokens else story.target
            trace = track.traces[place]
            self.inspection.emit(step_inspection(trace, story, step % LENGTH, key, pinned))
            return
        if self._preview is not None:
            layer, head = self._preview
        if cell is None or max(cell) >= heads.n_tokens:
            row = heads.weights(layer, head, self.choices.hide_first)[query]
            cell = (query, int(np.argmax(row)))
        trace = track.traces[0] if track is not None else None
        hide = self.choices.hide_first
        self.inspection.emit(cell_inspection(heads, trace, layer, head, *cell, hide, pinned))
