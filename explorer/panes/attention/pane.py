"""The attention pane: wires text, model and selection to the picture, the player, the inspector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.fields import to_json
from explorer.engine import tasks
from explorer.panes.attention import model, story
from explorer.panes.attention.choices import Choices, OpenSteps, head_from, steps_from
from explorer.panes.attention.commands import pane_actions, pane_views
from explorer.panes.attention.compared import SEEN
from explorer.panes.attention.comparison import Comparison
from explorer.panes.attention.expected import Expected, expected_of
from explorer.panes.attention.head_selection import HeadSelection
from explorer.panes.attention.head_switch import HeadSwitch
from explorer.panes.attention.heads_off import words
from explorer.panes.attention.inspecting import Inspecting
from explorer.panes.attention.looking import Looker
from explorer.panes.attention.playback import Playback
from explorer.panes.attention.source_controller import SourceController
from explorer.panes.attention.view import AttentionView
from explorer.panes.attention.wiring import connect
from explorer.panes.base import Context, Pane
from explorer.panes.model_menu import ModelMenu
from explorer.panes.prompt_header import PromptHeader
from explorer.state.actions import Action
from explorer.state.workspace import Selection

UPDATING = "Updating: these are the steps of what was read before"


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
        self.inputs = PromptHeader("attention")
        self.models = ModelMenu(context, self.inputs.menu, "The live model", self)
        self.models.named.connect(self.inputs.set_model)
        self.models.refresh()
        self.looker = Looker(self.engine, self)
        self.playback = Playback(self.engine, self.player, self)
        self.preview: tuple[int, int] | None = None
        self.inspecting = Inspecting(self)
        self.mode_before = "map"  # what the steps stand over
        self.head_selection = HeadSelection(self)
        self.comparison = Comparison(self)
        self.source_controller = SourceController(self)
        self.head_switch = HeadSwitch(self)
        connect(self)
        self.set_headline("Which earlier tokens each head reads")
        self.show_choices()
        self.inputs.prompt.set_prompt(self.workspace.prompt)
        self.looker.read(self.workspace.prompt)
        self.source_controller.on_model(self.workspace.model_source)

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
            "first-text": head.compared.first,
            "second-text": head.compared.second,
            "difference": head.compared.change,
            "heads": self.view.panel.mosaic,
            "scores": self.view.panel.scores,
            "tokens": self.view.tokens,
        }

    @property
    def _model_name(self) -> str:
        return getattr(self.workspace.model_source, "name", "")

    def caption(self) -> str:
        chosen = self.chosen
        if chosen is None:
            return self._model_name
        layer, head, _ = chosen
        return f"{self._model_name}, layer {layer}, head {head}: {self.workspace.prompt}"

    def about(self, picture: QWidget) -> dict[str, object]:
        """The mosaic's numbers have their layer and head themselves; the tokens have none. The
        steps are those of one query.
        """
        found: dict[str, object] = {"model": self._model_name, "prompt": self.workspace.prompt}
        if self.head_switch.off:
            found["heads off"] = words(self.head_switch.off)
        compared = self.comparison.found
        if compared is not None and picture in self.view.head.compared.pictures:
            found["second text"] = compared.prompt.text
        of_all = picture in (self.view.panel.mosaic, self.view.tokens)
        if self.chosen is not None and not of_all:
            found["layer"], found["head"], query = self.chosen
            if picture is self.view.head.stage:
                found["query"] = query
        return found

    def views(self) -> dict[str, Callable[[], None]]:
        return pane_views(self)

    def state(self) -> dict[str, Any]:
        """`mode` is the map or the arcs; `steps`, where they are open, stand over it."""
        locked = self.view.panel.mosaic.locked or self.head_selection.to_lock
        steps = self.open_steps
        mode = self.mode_before if self.choices.mode == "steps" else self.choices.mode
        return {
            "version": 1,
            **replace(self.choices, mode=mode).state(),
            "locked": list(locked) if locked is not None else None,
            "steps": to_json(steps) if steps is not None else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        steps = steps_from(state["steps"]) if "steps" in state else self.open_steps
        if self.choices.mode == "steps":
            self.set_mode(self.mode_before)
        self.choices = self.choices.restored(state)
        self.show_choices()
        self.show_chosen()
        locked = state.get("locked")
        if "locked" in state and locked is None:
            self.head_selection.lock(None)
        elif (head := head_from(locked)) is not None:
            self.head_selection.lock(head)
        self.head_selection.open(steps)

    async def settled(self) -> None:
        await tasks.wait_for(self)
        self.inspecting.flush()

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        """The steps move in a picture of their own: it stands in for the others meanwhile."""
        mode, pinned = self.choices.mode, self.inspecting.pinned
        self.set_mode("steps")
        try:
            yield self.view.head.stage if self.choices.mode == "steps" else picture
        finally:
            self.set_mode(mode)
            self.inspecting.pin(pinned)

    def cancel(self) -> bool:
        """Esc: the pinned cell, then steps or comparison, then the pinned query, then the locked
        head.
        """
        if self.inspecting.pinned is not None:
            self.inspecting.pin(None)
        elif self.choices.mode in ("steps", "compare"):
            self.set_mode(self.mode_before)
        elif self.choices.pinned:
            self.unpin_query()
        elif self.view.panel.mosaic.locked is not None:
            self.view.panel.mosaic.set_locked(None)
            self.on_unlocked()
        else:
            return super().cancel()
        return True

    def shown(self) -> None:
        self.inspecting.now()

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

    @property
    def open_steps(self) -> OpenSteps | None:
        """The steps that are open, or are to be once they are there."""
        chosen, track = self.chosen, self.playback.track
        if self.choices.mode != "steps" or chosen is None or track is None:
            return self.head_selection.to_open
        _, step = track.at(self.player.position)
        return OpenSteps(*chosen, min(step, track.each - 1))

    def choose(self, **changes: Any) -> None:
        """Changes one or more of `choices`."""
        self.choices = replace(self.choices, **changes)
        self.show_choices()
        self.show_chosen()

    def show_choices(self) -> None:
        self.view.show_choices(self.choices, self.looker.heads)
        self.comparison.update()
        self.comparison.show_choices()
        self.looker.repool(self.view.panel.mosaic.cell_pixels, self.choices.hide_first)

    def set_mode(self, mode: str) -> None:
        """Heat map, arcs, or the steps or two texts in their place."""
        if mode == "steps" and self.playback.track is None:
            self.view.head.set_mode(self.choices.mode)
            return
        self.head_selection.to_open = None
        if mode != self.choices.mode:
            self.inspecting.forget()
            if self.choices.mode in ("map", "arcs"):
                self.mode_before = self.choices.mode
            self.choices = replace(self.choices, mode=mode)
            self.playback.keeps_step = mode == "steps"
            self.looker.live_allowed = mode != "steps"
            if mode != "steps":
                self.set_walking(False)
                self.player.seek(0)
            self.show_choices()
            self.source_controller.show_version()
            self.show_chosen()

    def set_walking(self, walking: bool) -> None:
        if walking:
            self.set_mode("steps")
        self.playback.set_walking(walking)
        self.view.head.set_walking(self.playback.walking)

    def pick_query(self, token: int) -> None:
        """Pins the query to a token; picking it again lets the query follow the text."""
        heads, chosen = self.looker.heads, self.chosen
        if self.choices.pinned and chosen is not None and token == chosen[2]:
            self.unpin_query()
            return
        self.head_selection.token = None
        self.choose(pinned=True)
        self.workspace.select(token=token)
        if heads is not None and token < heads.n_tokens:
            name = model.quoted(heads.prompt.labels[token])
            self.statusRequested.emit(f"The query is pinned to {name}. Esc lets it follow the text")

    def unpin_query(self) -> None:
        heads = self.looker.heads
        self.choose(pinned=False)
        if heads is not None:
            self.head_selection.token = heads.n_tokens - 1
            self.workspace.select(token=self.head_selection.token)
        self.statusRequested.emit("The query follows the end of the text")

    def on_selection(self, selection: Selection) -> None:
        self.inspecting.forget()
        self.head_selection.on_selection(selection)
        self.show_chosen()

    def choose_head(self, layer: int, head: int) -> None:
        self.preview = None
        self.workspace.select(layer=layer, head=head)
        self.show_chosen()

    def on_head_clicked(self, layer: int, head: int) -> None:
        self.choose_head(layer, head)
        self.statusRequested.emit(f"Layer {layer}, head {head} is locked. Esc unlocks it.")

    def on_unlocked(self) -> None:
        self.head_selection.to_lock = None
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
        self.playback.show(heads, chosen, self.window_of(layer), self.is_rotary, self.asked_source)
        if self.preview is not None and self.choices.mode != "steps":
            layer, head = self.preview
        found = self.comparison.found
        if self.comparison.shown and found is not None:
            heads = found.heads
            pinned = min(query, heads.n_tokens - 1)  # the other text may be shorter
            query = pinned if self.choices.pinned else found.query(layer, head)
        self.view.show_head(heads, (layer, head, query), self.window_of(layer), self.choices)
        self.comparison.show_head(layer, head)
        self.head_switch.show()
        self.frame_cell()
        self.name_what_is_seen()
        self._say_headline()
        self.inspecting.soon()

    def name_what_is_seen(self) -> None:
        """The transport calls what is seen by the inspector's name: a step only in the steps."""
        track = self.playback.track
        if track is not None:
            caption = story.seen(self.choices.mode, self.choices.hide_first)
            caption = SEEN if self.comparison.shown else caption
            if self.view.body.state == "stale":
                caption = UPDATING
            if caption != track.caption:
                track.caption = caption
                self.player.refresh()

    def on_body_state(self, state: str) -> None:
        self.inspecting.set_stale(state == "stale")
        self.name_what_is_seen()

    def window_of(self, layer: int) -> int | None:
        config = getattr(self.workspace.model_source, "config", None)
        return config.window_of(layer) if config is not None else None

    @property
    def asked_source(self) -> Any:
        """The source that has the weights of the heads that are shown; None while it trains."""
        source, heads = self.looker.source, self.looker.heads
        if source is None or heads is None:
            return None
        version = heads.version if heads.vectors is None else heads.vectors
        return source if source.asked_version == version else None

    @property
    def is_rotary(self) -> bool:
        """Whether the open model turns queries and keys by their positions."""
        config = getattr(self.workspace.model_source, "config", None)
        return config is not None and config.positions == "rope"

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
            self.set_headline(track.sentence(step))
            return
        layer, head, query = chosen
        if self.preview is not None:
            layer, head = self.preview
        if self.comparison.shown:
            self.set_headline(self.comparison.sentence(layer, head))
            return
        self.set_headline(model.sentence(heads, layer, head, query, self.choices.hide_first))

    # the steps

    def on_track(self) -> None:
        track = self.playback.track
        if track is None:
            self.view.head.stage.set_story(None)
            self.view.head.set_next("")
            return
        self.inspecting.prepare(track.traces[0])
        self.name_what_is_seen()
        self.on_position(self.player.position)
        self._say_headline()
        self.inspecting.soon()
        self.head_selection.open_wanted()

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
        expected = self.expected
        if expected is None:
            self.view.head.set_next("")
        else:
            self.view.head.set_next(expected.name, expected.why_not)

    @property
    def expected(self) -> Expected | None:
        """What the model expects after the text; None at any other token, and where the steps do
        not tell."""
        track = self.playback.track
        if track is None:
            return None
        one = track.stories[track.at(self.player.position)[0]]
        if one.after is None or one.query < one.n_tokens - 1:
            return None
        return expected_of(one.after.top, self.workspace.tokenizer)

    def on_step(self, step: int) -> None:
        self._say_headline()
        self.inspecting.soon()

    def on_playing(self, playing: bool) -> None:
        if playing:
            self.inspecting.point_at(-1, -1)
            if self.choices.mode != "steps":
                self.set_mode("steps")
                self.player.rest()
        self.inspecting.soon()

    def on_query_reached(self, query: int) -> None:
        self.head_selection.token = query
        self.workspace.select(token=query)
