"""The attention pane, which connects text, model and selection to pictures, player, inspector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtWidgets import QWidget

from core.fields import to_json
from explorer.engine import tasks
from explorer.engine.latest import Latest
from explorer.panes.attention import inspector, text
from explorer.panes.attention.commands import pane_actions
from explorer.panes.attention.comparison import Comparison
from explorer.panes.attention.compute import Head, Heads, Prompt, mosaic
from explorer.panes.attention.draft import OpenSteps, ViewSettings, restored, steps_from
from explorer.panes.attention.runner import ComparisonReader, HeadReader
from explorer.panes.attention.scene import SOFTMAX, Likely, Scene
from explorer.panes.attention.selected_head import SelectedHead, strongest
from explorer.panes.attention.track import Playback
from explorer.panes.attention.view import AttentionView
from explorer.panes.base import Context, Pane
from explorer.panes.freshness import OLD_STEPS
from explorer.panes.model_menu import ModelMenu
from explorer.panes.prompt_inputs import PromptInputs
from explorer.state.actions import Action
from explorer.state.workspace import DEFAULT_PROMPT
from explorer.widgets.boxes import column
from explorer.widgets.pacing import Pacing

Cell = tuple[int, int]  # query, key


def create(context: Context) -> Pane:
    return AttentionPane(context)


class AttentionPane(Pane):
    """The pane. Text and model are in the workspace; `reader` knows the heads that are off,
    `choice` the chosen layer, head and query, and `settings` how they are shown.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, "attention", parent)
        self.settings = ViewSettings()
        self.view = AttentionView()
        column(self.view, of=self)
        self.inputs = PromptInputs("attention")
        self.models = ModelMenu(context, self.inputs.menu, "The live model", self)
        self.reader = HeadReader(self.engine, self.workspace, self)
        self.choice = SelectedHead(self.workspace, self)
        self.comparer = ComparisonReader(self.engine, self)
        self.playback = Playback(self.engine, self.player, self)
        self.mode_before = "map"  # mode to return to from the steps or a comparison
        self._place: tuple[int, int, int] | None = None  # place that the cells below belong to
        self.hovered: Cell | None = None
        self.pinned: Cell | None = None
        self._pooling = Latest(self.engine, self)
        self._pooled: tuple[Any, ...] = ()  # arguments of the newest mosaic
        self._pace = Pacing(self.player, self)
        self._typing = False
        self._connect()
        self.models.refresh()
        self.set_headline(text.TEACHES)
        self.show_settings()
        self.inputs.prompt.set_prompt(self.workspace.prompt)
        self.reader.read(self.workspace.prompt)
        self._on_model(self.workspace.model_source)

    def _connect(self) -> None:
        """Connects the signals of the pane's parts."""
        workspace, view, reader, player = self.workspace, self.view, self.reader, self.player
        panel, head, compared = view.panel, view.head, view.head.compared
        choice, prompt = self.choice, self.inputs.prompt
        for signal, slot in (
            (workspace.promptChanged, self._on_prompt),
            (workspace.modelChanged, self._on_model),
            (self.models.named, self.inputs.set_model),
            (self.inputs.promptEdited, self._write),
            (prompt.editingFinished, workspace.end_merge),
            (prompt.rested, workspace.end_merge),
            (reader.promptRead, self._on_prompt_read),
            (reader.emptied, self._on_emptied),
            (reader.asked, view.show_waiting),
            (reader.unanswered, self._on_unanswered),
            (reader.came, self._on_heads),
            (reader.failed, self._on_failed),
            (reader.moved, self.show_version),
            (reader.offChanged, self._show_off),
            (choice.changed, self._on_choice),
            (choice.said, self.statusRequested),
            (self.comparer.came, self._on_compared),
            (self.comparer.failed, compared.picture.show_error),
            (self._pooling.came, panel.mosaic.set_pooled),
            (self._pace.due, self.inspect),
            (self.playback.trackChanged, self._on_track),
            (self.playback.queryReached, lambda query: choice.reach(query, query)),
            (self.playback.walkingChanged, head.set_walking),
            (player.positionChanged, self._on_position),
            (player.stepChanged, self._tell),
            (player.playingChanged, self._on_playing),
            (panel.mosaic.headHovered, choice.point_at),
            (panel.mosaic.headClicked, choice.lock),
            (panel.mosaic.headUnlocked, choice.unlock),
            (panel.mosaic.currentChanged, choice.pick_head),
            (panel.mosaic.cellPixelsChanged, self._pool),
            (panel.changed, lambda name, value: self.choose(**{name: value})),
            (panel.offToggled, self.toggle_head),
            (panel.allOnRequested, reader.all_on),
            (panel.updateRequested, self.update_heads),
            (head.cellPointed, self._point_at),
            (head.cellPinned, lambda row, column: self.pin((row, column))),
            (head.heat.cellClicked, self.click_cell),
            (head.arcs.tokenClicked, choice.pick_query),
            (head.steps.tokenClicked, self.append),
            (head.changed, lambda name, value: self.choose(**{name: value})),
            (head.modeChosen, self.set_mode),
            (head.walkToggled, self.set_walking),
            (head.appendRequested, self.append),
            (compared.picture.retryRequested, self.comparer.forget),
            (compared.picture.retryRequested, self.choose),
            (view.tokens.tokenClicked, choice.pick_query),
            (view.exampleRequested, lambda: workspace.set_prompt(DEFAULT_PROMPT)),
            (view.retryRequested, reader.again),
            (view.bundledRequested, self.models.open_bundled),
        ):
            signal.connect(slot)
        self.show_one_answer(view.body, stop=self._forget)

    def _on_freshness(self) -> None:
        super()._on_freshness()
        self.inspect()
        self._name_view()

    # called by the window

    def input_strip(self) -> QWidget:
        return self.inputs

    def actions(self) -> list[Action]:
        return pane_actions(self)

    def views(self) -> dict[str, Callable[[], Any]]:
        from explorer.panes.attention import demo  # late: the window opens sooner

        return demo.views(self)

    def pictures(self) -> dict[str, QWidget]:
        return self.view.pictures()

    def caption(self) -> str:
        name, place = getattr(self.workspace.model_source, "name", ""), self.choice.place
        if place is None:
            return name
        return f"{name}, layer {place[0]}, head {place[1]}: {self.workspace.prompt}"

    def about(self, picture: QWidget) -> dict[str, object]:
        """Returns facts about a picture for its export. The mosaic's values name their layer and
        head themselves; the tokens have neither. The steps belong to one query.
        """
        name = getattr(self.workspace.model_source, "name", "")
        about: dict[str, object] = {"model": name, "prompt": self.workspace.prompt}
        found, place, mosaic = self.comparer.found, self.choice.place, self.view.panel.mosaic
        if self.reader.off:
            about["heads off"] = text.heads_off(self.reader.off)
        if found is not None and picture in (*self.view.head.compared.pictures, mosaic):
            other = found.first.source if found.of_base else found.second.prompt.text
            about["compared with"] = other
        if place is not None and picture not in (mosaic, self.view.tokens):
            about["layer"], about["head"], query = place
            if picture is self.view.head.steps:
                about["query"] = query
        return about

    @property
    def _mode_below(self) -> str:
        return self.mode_before if self.settings.mode == "steps" else self.settings.mode

    def state(self) -> dict[str, Any]:
        """Returns the saved state; while `steps` are open, `mode` is the one below them."""
        steps = self.open_steps
        return {
            "version": 1,
            **to_json(replace(self.settings, mode=self._mode_below)),
            **to_json(self.choice.held),
            "steps": to_json(steps) if steps is not None else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        steps = steps_from(state["steps"]) if "steps" in state else self.open_steps
        settings = restored(replace(self.settings, mode=self._mode_below), state)
        self.settings = replace(settings, mode=self.settings.mode)
        self.set_mode("map" if settings.mode == "steps" else settings.mode)
        self.choice.restore(restored(self.choice.held, state), steps)
        self.choose()
        self._open_wanted()

    async def settled(self) -> None:
        await tasks.wait_for(self)
        self._pace.flush()

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        """Shows the steps while a film of `picture` is made, as only they move."""
        mode, pinned = self.settings.mode, self.pinned
        self.set_mode("steps")
        try:
            yield self.view.head.steps if self.settings.mode == "steps" else picture
        finally:
            self.set_mode(mode)
            if pinned != self.pinned:
                self.pin(pinned)

    def cancel(self) -> bool:
        """Handles Esc: releases the pinned cell, leaves steps or comparison, unpins the query, or
        unlocks the head.
        """
        if self.pinned is not None:
            self.pin(None)
        elif self.settings.mode in ("steps", "compare"):
            self.set_mode(self.mode_before)
        elif self.choice.held.pinned:
            self.choice.unpin()
        elif self.choice.locked is not None:
            self.choice.unlock()
        else:
            return super().cancel()
        return True

    def shown(self) -> None:
        self.inspect()

    def left(self) -> None:
        super().left()
        self._watch(False)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._watch(True)

    def hideEvent(self, event: Any) -> None:
        self._watch(False)
        self._pace.stop()
        super().hideEvent(event)

    def _watch(self, visible: bool) -> None:
        self.reader.visible = visible
        self.reader.follow()

    # text and model

    def _write(self, prompt: str, what: str = text.CHANGE_PROMPT, merging: str = "prompt") -> None:
        """Changes the text as the user's edit: the query follows its end unless it is pinned."""
        self._typing = True
        try:
            self.workspace.change("prompt", prompt, what, merging=merging)
        finally:
            self._typing = False

    def append(self, token: Likely | None = None) -> None:
        """Appends `token` to the text, by default the token that the model expects."""
        one = token or self.playback.expected
        if one is None:
            return
        added, why_not = text.appended(one, self.workspace.tokenizer)
        if why_not:
            self.statusRequested.emit(why_not)
            return
        self.choice.unpin()
        self._write(self.workspace.prompt + added, text.append(text.likely_name(one)), "")

    def _on_prompt(self, prompt: str) -> None:
        self.choice.is_typed = self._typing or self.workspace.is_moving
        self.inputs.prompt.set_prompt(prompt)
        self.reader.read(prompt)

    def _on_model(self, source: Any) -> None:
        config = getattr(source, "config", None)
        if source is not self.reader.source:
            # Open steps reopen on the new heads; those of a live model would block its updates.
            steps = None if getattr(source, "is_live", False) else self.open_steps
            if source is not None and self.reader.heads is not None:
                self.set_headline(text.READING.format(source.name))
            self._forget()
            self.choice.wanted = steps
        if config is not None:
            self.view.panel.set_grid(config.n_layer, config.n_head)
        self.reader.set_source(source)
        self.show_version()

    def _on_prompt_read(self, prompt: Prompt) -> None:
        self.view.set_prompt(prompt)
        if self.reader.heads is None:
            self.view.show_blank(prompt)

    def _forget(self) -> None:
        """Clears the picture, its steps and the inspector, as they no longer fit text or model."""
        self._forget_cells()
        self._pace.stop()
        self.show_inspection(None)
        if self.settings.mode == "steps":
            self.set_mode(self.mode_before)
        self.reader.forget()
        self.choice.forget()
        self.playback.clear()
        self.comparer.forget()
        self._pooling.stop()
        self._pooled = ()
        self.view.forget()
        self.show_version()

    def _on_emptied(self) -> None:
        self._forget()
        self.view.set_prompt(None)
        self.view.show_empty()
        self.set_headline(text.NO_TEXT)

    def _on_failed(self, message: str) -> None:
        self._forget()
        self.view.body.show_error(message)
        self.set_headline(text.FAILED)

    def _on_unanswered(self, name: str, step: int) -> None:
        headline, words = text.unanswered(name, step)
        self.view.show_unanswered(words)
        self.set_headline(headline)

    # heads

    def _on_heads(self, heads: Heads) -> None:
        self.view.panel.set_grid(*heads.shape)
        self.view.set_prompt(heads.prompt)
        self.choice.take(heads)
        self.show_settings()
        self.view.show_ready()
        self.show_version()
        self.show_chosen()

    def update_heads(self) -> None:
        """Reads the current weights of the model again; open steps close."""
        if self.settings.mode == "steps":
            self.set_mode(self.mode_before)
        self.reader.again()

    def show_version(self) -> None:
        """Shows the step of the run that the heads are from; open steps keep their heads."""
        source, newer = self.reader.source, self.reader.newer
        is_live, kept = getattr(source, "is_live", False), getattr(source, "kept", None)
        told = text.version(self.reader.heads, is_live, newer, kept, self.settings.mode)
        self.view.panel.set_version(told, newer is not None)

    def toggle_head(self) -> None:
        """Switches the chosen head off, or back on."""
        if self.choice.place is not None and self.reader.can_switch:
            self.reader.toggle(self.choice.place[:2])
        self._show_off()

    def _show_off(self) -> None:
        reader, place = self.reader, self.choice.place
        trains = reader.heads is not None and not reader.can_switch
        head = None if place is None else place[:2]
        self.view.panel.show_off(reader.off, head, reader.can_switch, trains)

    # selection

    def choose(self, **changes: Any) -> None:
        """Changes one or more settings."""
        self.settings = replace(self.settings, **changes)
        self.show_settings()
        self.show_chosen()

    def _on_choice(self) -> None:
        place = self.choice.place
        if place != self._place:
            self._place = place
            self._forget_cells()
        self.show_chosen()

    # pictures

    def set_mode(self, mode: str) -> None:
        """Shows the heat map, the arcs, the steps or a comparison."""
        if mode == "steps" and self.playback.track is None:
            self.view.head.modes.set_current(self.settings.mode)
            return
        self.choice.wanted = None
        if mode == self.settings.mode:
            return
        self._forget_cells()
        if self.settings.mode in ("map", "arcs"):
            self.mode_before = self.settings.mode
        self.settings = replace(self.settings, mode=mode)
        self.playback.keeps_step = self.reader.steady = mode == "steps"
        if mode != "steps":
            self.reader.follow()
            self.set_walking(False)
            self.player.seek(0)
        self.show_settings()
        self.show_version()
        self.show_chosen()

    def show_settings(self) -> None:
        heads, comparer, compared = self.reader.heads, self.comparer, self.view.head.compared
        if comparer.update(self.reader.source, heads, self.settings):
            compared.picture.set_waiting(text.COMPARING)
        compared.show_settings(self.settings, comparer.other, comparer.has_base)
        self.view.show_settings(self.settings, heads, comparer.found)
        self._pool()

    def _pool(self, _: int = 0) -> None:
        """Requests the mosaic of the heads, or of their differences, at its current pixel size."""
        shown = self.comparer.found or self.reader.heads
        asked = shown, self.view.panel.mosaic.cell_pixels, self.settings.hide_first
        if shown is not None and asked != self._pooled:
            self._pooled = asked
            self._pooling.call(mosaic, *asked, name="the mosaic of heads")

    @property
    def head_shown(self) -> Head:
        """The hovered head, or else the chosen one; in the steps always the chosen one."""
        preview = None if self.settings.mode == "steps" else self.choice.preview
        return preview or (self.choice.place or (0, 0))[:2]

    @property
    def _step_shown(self) -> tuple[Scene, int] | None:
        return self.playback.now if self.settings.mode == "steps" else None

    def show_chosen(self) -> None:
        """Draws the chosen or hovered head and requests the Trace of the chosen one."""
        heads, place, found = self.reader.heads, self.choice.place, self.comparer.found
        if heads is None or place is None:
            return
        self.playback.show(heads, place, self.reader.weights_source)
        head, query, held = self.head_shown, place[2], self.choice.held
        if found is not None:
            heads = found.shown
            pinned = min(query, heads.n_tokens - 1)  # the other text may be shorter
            query = pinned if held.pinned else found.query(*head)
            self.view.head.compared.show_head(found, head, self.settings)
        self.view.show_head(heads, (*head, query), held, self.settings)
        self._show_off()
        self._name_view()
        self._tell()

    @property
    def _view_name(self) -> str:
        """Title of the picture when it shows no step; "" for the steps."""
        mode, hide = self.settings.mode, self.settings.hide_first
        return text.view_name(mode, hide, self.comparer.found)

    def _name_view(self) -> None:
        """Gives the transport the inspector's title of the picture; steps name themselves."""
        track = self.playback.track
        if track is not None:
            caption = OLD_STEPS if self.is_stale else self._view_name
            if caption != track.caption:
                track.caption = caption
                self.player.refresh()

    def _tell(self, _: int = 0) -> None:
        """Updates the headline at once, and the inspector at a readable pace."""
        heads, place, head = self.reader.heads, self.choice.place, self.head_shown
        if heads is None or place is None:
            return
        if (now := self._step_shown) is not None:
            self.set_headline(text.step_sentence(*now))
        elif self.comparer.found is not None:
            self.set_headline(text.comparison_sentence(self.comparer.found, *head))
        elif self.settings.mode == "compare":
            self.set_headline(text.COMPARING)
        else:
            hide = self.settings.hide_first
            self.set_headline(text.head_sentence(heads, (*head, place[2]), hide))
        self._inspect_soon()

    # comparison

    def compare_with_base(self) -> None:
        """Compares the heads with those before fine-tuning."""
        self.set_mode("compare")
        self.choose(other="base")

    def _on_compared(self, found: Comparison, is_first: bool) -> None:
        """Shows a comparison; the first one selects the most changed head if none is locked."""
        line = self.view.head.compared.second_text
        is_typing = line.hasFocus() and line.text()
        if not found.of_base and not self.settings.second and not is_typing:
            line.set_prompt(found.second.prompt.text)  # the suggestion
        if is_first and self.choice.locked is None:
            self.choice.pick_head(*strongest(found.difference))
        self.choose()

    # steps

    @property
    def open_steps(self) -> OpenSteps | None:
        """The open steps, or those that will open as soon as they are computed."""
        now, place = self._step_shown, self.choice.place
        if now is None or place is None:
            return self.choice.wanted
        scene, step = now
        return OpenSteps(*place, min(step + self.player.position % 1, scene.last))

    def _open_wanted(self) -> None:
        steps = self.choice.wanted
        if steps is not None and self.playback.place == steps.place:
            self.set_mode("steps")
            self.player.seek(steps.step)

    def set_walking(self, walking: bool) -> None:
        if walking:
            self.set_mode("steps")
        self.playback.set_walking(walking)
        self.view.head.set_walking(self.playback.walking)

    def _on_track(self) -> None:
        track = self.playback.track
        if track is None:
            self.view.head.steps.set_scene(None)
            self.view.head.set_next("")
            return
        self._name_view()
        self._on_position(self.player.position)
        self._tell()
        self._open_wanted()

    def _on_position(self, position: float) -> None:
        track, one = self.playback.track, self.playback.expected
        if track is None:
            return
        if position > 0 and self.settings.mode != "steps":
            self.set_mode("steps")
        place, local = track.at(position)
        scene, *following = track.scenes[place : place + 2]
        self.view.head.steps.set_scene(scene, following[0] if following else None)
        self.view.head.steps.set_position(local)
        name, why_not = "", ""
        if one is not None:
            name, why_not = text.likely_name(one), text.appended(one, self.workspace.tokenizer)[1]
        self.view.head.set_next(name, why_not)

    def _on_playing(self, playing: bool) -> None:
        if playing:
            self._point_at(-1, -1)
            if self.settings.mode != "steps":
                self.set_mode("steps")
                self.player.rest()
        self._inspect_soon()

    # inspector: shows the pinned cell, the hovered one while paused, or the step

    def _point_at(self, row: int, column: int) -> None:
        """Inspects the cell under the pointer or keyboard cursor; column -1 stands for none."""
        self.hovered = (row, column) if column >= 0 else None
        self._inspect_soon()

    def click_cell(self, row: int, column: int) -> None:
        """Pins or unpins a cell of the heat map, and makes its row the query."""
        before = self.pinned
        self.choice.pick_query(row)
        self.pinned = before
        self.pin((row, column))

    def pin(self, cell: Cell | None) -> None:
        """Pins a cell in the inspector; None or the pinned cell itself unpins it."""
        self.pinned = None if cell == self.pinned else cell
        self.view.head.set_pinned(self.pinned)
        self._inspect_soon()

    def _forget_cells(self) -> None:
        """Unpins and unhovers the cell when head, query or picture change."""
        self.hovered = None
        self.pin(None)

    def _inspect_soon(self) -> None:
        if self.isVisible():
            self._pace.soon()

    def inspect(self) -> None:
        heads, place, head = self.reader.heads, self.choice.place, self.head_shown
        if heads is None or place is None:
            return
        found, hide, name = self.comparer.found, self.settings.hide_first, self._view_name
        cell = self.pinned or (None if self.player.playing else self.hovered)
        is_pinned = self.pinned is not None
        if (now := self._step_shown) is not None:
            told = inspector.step_inspection(*now, None if cell is None else cell[1], is_pinned)
        elif found is not None:
            told = inspector.comparison_inspection(found, *head, cell, hide, name)
        else:
            if cell is None or max(cell) >= heads.n_tokens:
                cell = place[2], int(np.argmax(heads.weights(*head, hide)[place[2]]))
            track = self.playback.track
            made = None if track is None else track.item(SOFTMAX)
            told = inspector.cell_inspection(heads, made, head, cell, hide, is_pinned, name)
        self.show_inspection(told)
