"""Map: connects the forward pass of the text with the zoomable picture and the player."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.inference.outline_parts import axes_of, find
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.transformer.map import compute, text
from explorer.panes.transformer.map.draft import NAMES, OPEN, MapDraft
from explorer.panes.transformer.map.inspector import inspection
from explorer.panes.transformer.map.scene import Choice, cell_of, scene_at
from explorer.panes.transformer.map.view import MapView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.token_strip import chip


class MapMode(PromptMode):
    """Shows a forward pass; the visible step stays when the text or the model changes."""

    id = "map"
    title = "Map"
    teaches = "The parts of a transformer, and how a text passes through them"
    no_text = text.NO_TEXT

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = view = MapView()
        self.draft = Draft(self.workspace, "transformer.map", MapDraft, self)
        self.found: compute.Found | None = None
        self.choice: Choice | None = None  # None: the largest number of the last token
        self._way = ["next"]  # names of the steps to open
        self._drawn: int | None = None  # the visible step
        self._levels = Latest(self.engine, self)
        deeds = {"compare": self.toggle_compare, "open": self.show_model}
        self.connect_buttons(text.BUTTONS, deeds)
        view.shown.picked.connect(self.show_model)
        view.table.picked.connect(lambda row: self.show_model(NAMES[row]))
        view.outRequested.connect(self.go_out)
        view.heads.picked.connect(lambda head: self.workspace.select(head=head))
        view.picture.tips = lambda index: text.tip(self.found, index) if self.found else ""
        view.picture.picked.connect(self.click)
        view.picture.cellClicked.connect(self.choose_cell)
        self.draft.changed.connect(self._on_draft)
        self._levels.came.connect(self._on_level)
        self._levels.failed.connect(self.statusRequested)
        self.workspace.selectionChanged.connect(lambda _: self._look())
        view.set_draft(self.draft.value)
        self.begin()

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        return {"map": self.view.picture, "costs": self.view.costs, "presets": self.view.table}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "way": self.way}

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"way": list(way)} if all(type(one) is str for one in way):
                self.go_to(*way)

    def cancel(self) -> bool:
        """Handles Esc: leaves a step, then goes back from the presets to the model."""
        left, compared = self.player.leave(), self.draft.value.compared
        if compared and not left:
            self.toggle_compare()
        return left or compared

    def on_position(self, position: float) -> None:
        if self._drawn == self.at:
            self.view.picture.set_position(position)
        else:
            self._look()

    # position

    @property
    def at(self) -> int | None:
        """The step under the cursor, as an index into the trace; None if no step is visible."""
        track, found = self.player.track, self.found
        if not self.active or found is None or not isinstance(track, TraceTrack):
            return None
        return track.indices[self.player.step] if track.trace is found.trace else None

    @property
    def way(self) -> list[str]:
        """The names of the steps from the outermost to the one under the cursor."""
        if self.found is None or (at := self.at) is None:
            return self._way
        return [self.found.parts[index].label for index in self.found.inside(at)[1:]]

    def go_to(self, *names: str) -> None:
        """Opens a step by the names of those around it and its own, as deep as they exist; "block"
        is the first block.
        """
        self._way = list(names) or self._way
        self.go_out(0)
        if self.found is not None and self.at is not None:
            for depth, index in enumerate(find(self.found.parts, self._way)):
                if depth:
                    self.player.enter()
                self._seek(index)

    def _seek(self, index: int) -> None:
        """Moves to a step of the current level."""
        track = self.player.track
        if isinstance(track, TraceTrack) and index in track.indices:
            self.player.seek(track.indices.index(index))

    def click(self, index: int) -> None:
        """Moves to the clicked step, and opens it if it is the current one and has steps inside."""
        self._seek(index)
        if self.at == index:
            self.player.enter()

    def go_out(self, depth: int) -> None:
        """Leaves levels until the depth is reached."""
        while self.at is not None and self.player.depth > depth:
            self.player.leave()

    # choices

    def show_model(self, name: str = OPEN) -> None:
        """Draws a preset, or the loaded model."""
        change = f"Show {name or text.OPENED.lower()}"
        self.draft.change({"shown": name, "compared": False}, change)
        self.go_to("next")

    def toggle_compare(self) -> None:
        """Shows the presets in one table, or one model."""
        self.draft.change({"compared": not self.draft.value.compared}, text.COMPARE)

    @property
    def head(self) -> int:
        """The head that is chosen in all panes."""
        heads = self.found.n_head if self.found is not None else 1
        return min(self.workspace.selection.head or 0, heads - 1)

    def choose_cell(self, row: int, column: int) -> None:
        """Inspects a cell of the step's result, also in steps where it means the same."""
        if self.found is not None and (at := self.at) is not None:
            self.choice = Choice((row, column), axes_of(self.found.parts, at))
            self._draw()
            self.inspect()

    # text and model

    def why_empty(self) -> str:
        return "" if self.draft.value.shown else super().why_empty()

    async def answer(self) -> Any:
        """Runs the forward pass of the text, or lists the steps of a preset."""
        key, name = "transformer.map", "running the text through the model"
        if shown := self.draft.value.shown:
            return await self.engine.call(compute.outlined, shown, key=key, name=name)
        ids = (await self.encode())[-self.most_read :]
        asked = compute.read, ids, lambda token: chip(0, self.piece(token)).text
        return await self.source.ask(*asked, key=key, name=name)

    def show_answer(self, answer: compute.Found) -> None:
        self.found, self.choice = answer, None
        self.view.set_costs(answer)
        self.view.body.show_ready()
        self.set_tracks([TraceTrack(answer.trace)])
        self.go_to()
        self._look()

    def forget(self) -> None:
        super().forget()
        self._way = self.way
        self.found = self._drawn = None
        self.view.picture.way = ()
        if not self.active:  # otherwise the answer replaces them; a trace holds its model
            self.set_tracks([])

    def clear(self) -> None:
        self.found = None
        super().clear()

    def _on_draft(self, draft: MapDraft) -> None:
        self.view.set_draft(draft)
        if self.found is None or draft.shown != self.found.shown:
            self.forget()
            self.read()
        else:
            self._draw()

    # display

    def _draw(self) -> None:
        at, found, view = self.at, self.found, self.view
        self._drawn = at
        if at is None or found is None:
            return
        part = found.parts[at]
        inside = found.inside(part.parent)
        view.picture.show_inside(scene_at(found, at, self.choice), inside)
        view.picture.set_position(self.player.position)
        outer = [found.parts[index] for index in inside[1:]]
        view.set_way([text.WHOLE, *map(text.crumb, outer)])
        known = [one.component for one in (*outer, part) if one.component]
        view.costs.set_bright(text.COMPONENTS[known[0]] if known and outer else "")
        has_heads = found.stripes is not None and "attention" in [one.kind for one in outer]
        view.set_heads(found.n_head if has_heads else 0, self.head)
        row, _ = cell_of(found, at, self.choice)
        told = self.tell_length(text.headline(found, part, row), len(self.prompt_ids))
        self.set_headline(text.COMPARED if self.draft.value.compared else told)

    def _look(self) -> None:
        """Draws the current step, and requests the numbers of its level if they are missing."""
        self._draw()
        self._levels.stop()  # a pending answer belongs to another level, head or text
        at, found, name = self.at, self.found, "looking inside the step"
        if at is None or found is None or found.stripes is None:
            return
        level = found.level_of(at)
        if level is None or level.head != self.head:
            asked = compute.looked, found, at, self.head
            call = partial(self.engine.call, *asked, key="transformer.map.level", name=name)
            self._levels.ask(call, name, is_told=False)

    def _on_level(self, level: compute.Level) -> None:
        if self.found is not None:
            self.found.keep(level)
            self._draw()
            self.inspect()

    def inspect(self) -> None:
        at, found = self.at, self.found
        if at is None or found is None:
            return
        level = found.level_of(at)
        self.view.picture.setAccessibleDescription(found.parts[at].title)
        matrices = level.matrices[at] if level is not None else {}
        cell = cell_of(found, at, self.choice)
        where = text.row_words(found, at, cell), text.cell_words(found, at, cell)
        self.inspection.emit(inspection(found.trace[at], matrices, cell, where))
