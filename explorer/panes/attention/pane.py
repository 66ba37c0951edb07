"""The attention pane: wires text, model and selection to the picture, the player, the inspector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import tasks
from explorer.actions import Action
from explorer.panes.attention import model
from explorer.panes.attention.choices import Choices
from explorer.panes.attention.commands import pane_actions, pane_views
from explorer.panes.attention.header import AttentionHeader
from explorer.panes.attention.inspecting import Inspecting
from explorer.panes.attention.looking import Looker
from explorer.panes.attention.model import Heads, Prompt
from explorer.panes.attention.opening import Opening
from explorer.panes.attention.playback import Playback
from explorer.panes.attention.view import AttentionView
from explorer.panes.attention.wiring import connect
from explorer.panes.base import Context, Pane
from explorer.workspace import Selection


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
        self.preview: tuple[int, int] | None = None
        self.inspecting = Inspecting(self)
        self._picked_token = False  # by the person: another text keeps it
        self._seen: tuple[Any, ...] = ()  # source and ids of the heads that are shown
        self._mode_before = "map"
        self._to_lock: tuple[int, int] | None = None  # the last session's, until its heads come
        connect(self)
        self.set_headline("Which earlier tokens each head reads")
        self._show_choices()
        self.inputs.prompt.set_prompt(self.workspace.prompt)
        self.looker.read(self.workspace.prompt)
        self.on_model(self.workspace.model_source)

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
            self._to_lock = (locked[0], locked[1])
        self._show_choices()

    async def settled(self) -> None:
        await tasks.wait_for(self)
        self.inspecting.flush()

    def cancel(self) -> bool:
        """Esc: the pinned cell, then the steps, then the locked head."""
        if self.inspecting.pinned is not None:
            self.inspecting.pin(None)
        elif self.choices.mode == "steps":
            self.set_mode(self._mode_before)
        elif self.view.panel.mosaic.locked is not None:
            self.view.panel.mosaic.set_locked(None)
            self.on_unlocked()
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
        self.inspecting.stop()
        super().hideEvent(event)

    # text and model

    def on_prompt(self, text: str) -> None:
        self.inputs.prompt.set_prompt(text)
        self.looker.read(text)

    def on_model(self, source: Any) -> None:
        config = getattr(source, "config", None)
        if config is not None and self.looker.heads is None:
            self.view.panel.set_grid(config.n_layer, config.n_head)
        self.looker.set_source(source)
        self.show_version()

    def on_prompt_read(self, prompt: Prompt) -> None:
        self.view.set_prompt(prompt)
        if self.looker.heads is None:
            self.view.show_blank(prompt)

    def on_emptied(self) -> None:
        self.view.set_prompt(None)
        self.view.show_empty()
        self.playback.clear()
        self.set_headline("There is no text to read yet")
        self.inspection.emit(None)

    def on_failed(self, message: str) -> None:
        self.view.show_error(message)
        self.set_headline("The heads could not be read")

    def on_heads(self, heads: Heads, pooled: np.ndarray) -> None:
        panel, seen = self.view.panel, (self.workspace.model_source, heads.prompt.ids)
        panel.set_grid(*heads.shape)
        panel.mosaic.set_pooled(pooled)
        self.view.set_prompt(heads.prompt)
        self._show_choices()
        self._choose_for(heads, seen)
        self._seen = seen
        self.view.show_ready()
        self.show_version()
        self.show_chosen()

    def _choose_for(self, heads: Heads, seen: tuple[Any, ...]) -> None:
        """Keeps a choice that still makes sense, else takes what tells most."""
        one, mosaic = self.workspace.selection, self.view.panel.mosaic
        other_model = bool(self._seen) and seen[0] is not self._seen[0]
        other_text = bool(self._seen) and seen[1] != self._seen[1]
        wanted = (one.layer, one.head)
        if other_model and mosaic.locked is None:
            wanted = (None, None)
        token = None if other_text and not self._picked_token else one.token
        layer, head, token = model.sensible_choice(heads, *wanted, token)
        if mosaic.locked != (layer, head):
            mosaic.set_locked(None)
        if self._to_lock == (layer, head):
            mosaic.set_locked(self._to_lock)
        self._to_lock = None
        self.workspace.select(layer=layer, head=head, token=token)

    def update_heads(self) -> None:
        """Looks at the model as it is now; steps that were under way end."""
        if self.choices.mode == "steps":
            self.set_mode(self._mode_before)
        self.looker.again()

    def show_version(self) -> None:
        """A live model's heads say which step they are from; steps stay with theirs."""
        heads = self.looker.heads
        live = heads is not None and getattr(self.workspace.model_source, "is_live", False)
        newer = self.looker.newer if live and not self.looker.live_allowed else None
        self.view.panel.set_version(heads.version if live else None, newer)

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
        self.view.show_choices(self.choices, self.looker.heads)
        self.looker.repool(self.view.panel.mosaic.cell_pixels, self.choices.hide_first)

    def set_mode(self, mode: str) -> None:
        """Heat map, arcs, or the steps in their place."""
        if mode == "steps" and self.playback.track is None:
            self.view.head.set_mode(self.choices.mode)
            return
        if mode != self.choices.mode:
            self.inspecting.forget()
            if mode == "steps":
                self._mode_before = self.choices.mode
            self.choices = replace(self.choices, mode=mode)
            self.playback.keeps_step = mode == "steps"
            self.looker.live_allowed = mode != "steps"
            if mode != "steps":
                self.set_walking(False)
                self.player.seek(0)
            self.view.head.set_mode(mode)
            self.show_version()
            self.show_chosen()

    def set_walking(self, walking: bool) -> None:
        if walking:
            self.set_mode("steps")
        self.playback.set_walking(walking)
        self.view.head.set_walking(self.playback.walking)

    def pick_query(self, token: int) -> None:
        self._picked_token = True
        self.workspace.select(token=token)

    def on_selection(self, selection: Selection) -> None:
        self.inspecting.forget()
        self.show_chosen()

    def choose_head(self, layer: int, head: int) -> None:
        self.preview = None
        self.workspace.select(layer=layer, head=head)
        self.show_chosen()

    def on_head_clicked(self, layer: int, head: int) -> None:
        self.choose_head(layer, head)
        self.statusRequested.emit(f"Layer {layer}, head {head} is locked. Esc unlocks it.")

    def on_unlocked(self) -> None:
        self.statusRequested.emit("Unlocked: pointing at a head shows it")
        self.show_chosen()

    def on_head_hovered(self, layer: int, head: int) -> None:
        mosaic = self.view.panel.mosaic
        preview = (layer, head) if layer >= 0 and mosaic.locked is None else None
        if preview != self.preview:
            self.preview = preview
            self.show_chosen()

    def on_cell_pixels(self, pixels: int) -> None:
        self.looker.repool(pixels, self.choices.hide_first)

    # the picture

    def show_chosen(self) -> None:
        """Draws the chosen head (or the one under the pointer) and asks for its Trace."""
        heads, chosen = self.looker.heads, self.chosen
        if heads is None or chosen is None:
            return
        layer, head, query = chosen
        self.playback.show(heads, chosen, self._window(layer))
        if self.preview is not None and self.choices.mode != "steps":
            layer, head = self.preview
        self.view.show_head(heads, (layer, head, query), self._window(layer), self.choices)
        self.frame_cell()
        self._say_headline()
        self.inspecting.soon()

    def _window(self, layer: int) -> int | None:
        config = getattr(self.workspace.model_source, "config", None)
        return config.window_of(layer) if config is not None else None

    def frame_cell(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            pinned = self.inspecting.pinned
            column = pinned[1] if pinned is not None else None
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
        if self.preview is not None:
            layer, head = self.preview
        self.set_headline(model.sentence(heads, layer, head, query))

    # the steps

    def on_track(self) -> None:
        track = self.playback.track
        if track is None:
            self.view.head.stage.set_story(None)
            return
        self.inspecting.prepare(track.traces[0])
        self.on_position(self.player.position)
        self._say_headline()
        self.inspecting.soon()

    def on_position(self, position: float) -> None:
        track = self.playback.track
        if track is None:
            return
        if position > 0 and self.choices.mode != "steps":
            self.set_mode("steps")
        place, local = track.at(position)
        following = track.stories[place + 1] if place + 1 < len(track.stories) else None
        self.view.head.stage.set_story(track.stories[place], following)
        self.view.head.stage.set_position(local)

    def on_step(self, step: int) -> None:
        self._say_headline()
        self.inspecting.soon()

    def on_playing(self, playing: bool) -> None:
        if playing:
            self.inspecting.point_at(-1, -1)
            self.set_mode("steps")
        self.inspecting.soon()

    def on_query_reached(self, query: int) -> None:
        self.workspace.select(token=query)
