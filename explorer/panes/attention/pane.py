"""The attention pane: text, model and selection lead to its pictures, its player, the inspector."""

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
from explorer.panes.attention import demo, inspector, text
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
from explorer.panes.model_menu import ModelMenu
from explorer.panes.prompt_inputs import PromptInputs
from explorer.state.actions import Action
from explorer.state.workspace import DEFAULT_PROMPT
from explorer.widgets.boxes import column
from explorer.widgets.pacing import Pacing

Cell = tuple[int, int]  # query and key


def create(context: Context) -> Pane:
    return AttentionPane(context)


class AttentionPane(Pane):
    """What is read lies in the workspace (text, model), which heads are off, in `reader`; layer,
    head and query, in `choice`; how all that is shown, in `settings`.
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
        self.mode_before = "map"  # what the steps stand over
        self._place: tuple[int, int, int] | None = None  # the cells below belong to it
        self.hovered: Cell | None = None
        self.pinned: Cell | None = None
        self._pooling = Latest(self.engine, self)
        self._pooled: tuple[Any, ...] = ()  # what the mosaic shows, or will show
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
        """Every signal of the pane's parts, and what it leads to."""
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
            (view.cancelRequested, reader.cancel),
            (view.bundledRequested, self.models.open_bundled),
            (view.body.stateChanged, lambda _: self.inspect()),
            (view.body.stateChanged, lambda _: self._name_view()),
        ):
            signal.connect(slot)

    # what the window asks

    def input_strip(self) -> QWidget:
        return self.inputs

    def actions(self) -> list[Action]:
        return pane_actions(self)

    def views(self) -> dict[str, Callable[[], Any]]:
        return demo.views(self)

    def pictures(self) -> dict[str, QWidget]:
        return self.view.pictures()

    def caption(self) -> str:
        name, place = getattr(self.workspace.model_source, "name", ""), self.choice.place
        if place is None:
            return name
        return f"{name}, layer {place[0]}, head {place[1]}: {self.workspace.prompt}"

    def about(self, picture: QWidget) -> dict[str, object]:
        """The mosaic's numbers have their layer and head themselves; the tokens have none. The
        steps are those of one query.
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
        """`mode` is what the steps stand over, where they are open: `steps`."""
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
        """The steps move in a picture of their own: it stands in for the others meanwhile."""
        mode, pinned = self.settings.mode, self.pinned
        self.set_mode("steps")
        try:
            yield self.view.head.steps if self.settings.mode == "steps" else picture
        finally:
            self.set_mode(mode)
            if pinned != self.pinned:
                self.pin(pinned)

    def cancel(self) -> bool:
        """Esc: the pinned cell, then steps or comparison, then the pinned query, then the locked
        head.
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
        """A person writes: the query follows the end of the text, unless it is pinned."""
        self._typing = True
        try:
            self.workspace.change("prompt", prompt, what, merging=merging)
        finally:
            self._typing = False

    def append(self, token: Likely | None = None) -> None:
        """This token comes after the text, or the one that the model expects."""
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
            # They open again on the new heads; those of a live model would stand in its way.
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
        """What was read holds no longer: the picture, its steps and the inspector go together."""
        self._forget_cells()
        self._pace.stop()
        self.inspection.emit(None)
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
        """Reads the model as it is now; steps that were under way end."""
        if self.settings.mode == "steps":
            self.set_mode(self.mode_before)
        self.reader.again()

    def show_version(self) -> None:
        """The heads of a run say which step they are from; steps stay with theirs."""
        source, newer = self.reader.source, self.reader.newer
        is_live, kept = getattr(source, "is_live", False), getattr(source, "kept", None)
        told = text.version(self.reader.heads, is_live, newer, kept, self.settings.mode)
        self.view.panel.set_version(told, newer is not None)

    def toggle_head(self) -> None:
        """Switches the chosen head off, or on again."""
        if self.choice.place is not None and self.reader.can_switch:
            self.reader.toggle(self.choice.place[:2])
        self._show_off()

    def _show_off(self) -> None:
        reader, place = self.reader, self.choice.place
        trains = reader.heads is not None and not reader.can_switch
        head = None if place is None else place[:2]
        self.view.panel.show_off(reader.off, head, reader.can_switch, trains)

    # what is chosen

    def choose(self, **changes: Any) -> None:
        """Changes one or more of the settings."""
        self.settings = replace(self.settings, **changes)
        self.show_settings()
        self.show_chosen()

    def _on_choice(self) -> None:
        place = self.choice.place
        if place != self._place:
            self._place = place
            self._forget_cells()
        self.show_chosen()

    # the picture

    def set_mode(self, mode: str) -> None:
        """Heat map, arcs, or the steps or a comparison in their place."""
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
        """The mosaic shows the heads, or how they differ, in the pixels that it has."""
        shown = self.comparer.found or self.reader.heads
        asked = shown, self.view.panel.mosaic.cell_pixels, self.settings.hide_first
        if shown is not None and asked != self._pooled:
            self._pooled = asked
            self._pooling.call(mosaic, *asked, name="the mosaic of heads")

    @property
    def _head_shown(self) -> Head:
        """The chosen head, or the one under the pointer, which has no steps."""
        preview = None if self.settings.mode == "steps" else self.choice.preview
        return preview or (self.choice.place or (0, 0))[:2]

    @property
    def _step_shown(self) -> tuple[Scene, int] | None:
        return self.playback.now if self.settings.mode == "steps" else None

    def show_chosen(self) -> None:
        """Draws the chosen head (or the one under the pointer) and asks for its Trace."""
        heads, place, found = self.reader.heads, self.choice.place, self.comparer.found
        if heads is None or place is None:
            return
        self.playback.show(heads, place, self.reader.weights_source)
        head, query, held = self._head_shown, place[2], self.choice.held
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
        """What is seen while no step is shown; "" for the steps."""
        mode, hide = self.settings.mode, self.settings.hide_first
        return text.view_name(mode, hide, self.comparer.found)

    def _name_view(self) -> None:
        """The transport calls what is seen by the inspector's name: a step only in the steps."""
        track = self.playback.track
        if track is not None:
            caption = text.UPDATING if self.view.body.state == "stale" else self._view_name
            if caption != track.caption:
                track.caption = caption
                self.player.refresh()

    def _tell(self, _: int = 0) -> None:
        """The headline now, the inspector's numbers when they can be read."""
        heads, place, head = self.reader.heads, self.choice.place, self._head_shown
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

    # a comparison

    def compare_with_base(self) -> None:
        """How fine-tuning has changed the heads."""
        self.set_mode("compare")
        self.choose(other="base")

    def _on_compared(self, found: Comparison, is_first: bool) -> None:
        """At first the head that differs most is chosen, unless one is locked."""
        line = self.view.head.compared.second_text
        is_typing = line.hasFocus() and line.text()
        if not found.of_base and not self.settings.second and not is_typing:
            line.set_prompt(found.second.prompt.text)  # the suggestion
        if is_first and self.choice.locked is None:
            self.choice.pick_head(*strongest(found.difference))
        self.choose()

    # the steps

    @property
    def open_steps(self) -> OpenSteps | None:
        """The steps that are open, or are to be once they are there."""
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

    # the inspector: the pinned cell, the hovered one while paused, or the step

    def _point_at(self, row: int, column: int) -> None:
        """The pointer (or the keyboard) is at a cell; column -1: at none."""
        self.hovered = (row, column) if column >= 0 else None
        self._inspect_soon()

    def click_cell(self, row: int, column: int) -> None:
        """Pins a cell of the heat map, or unpins it, and makes its row the query."""
        before = self.pinned
        self.choice.pick_query(row)
        self.pinned = before
        self.pin((row, column))

    def pin(self, cell: Cell | None) -> None:
        """Keeps the inspector at a cell; None, or the same one again: lets it go."""
        self.pinned = None if cell == self.pinned else cell
        self.view.head.set_pinned(self.pinned)
        self._inspect_soon()

    def _forget_cells(self) -> None:
        """Another head, another query or another picture: no cell is meant any more."""
        self.hovered = None
        self.pin(None)

    def _inspect_soon(self) -> None:
        if self.isVisible():
            self._pace.soon()

    def inspect(self) -> None:
        heads, place, head = self.reader.heads, self.choice.place, self._head_shown
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
        self.inspection.emit(replace(told, stale=self.view.body.state == "stale"))
