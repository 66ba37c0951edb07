"""Map: wires the forward pass of the text to the picture that zooms, and to the player."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.engine.jobs import Superseded
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.transformer.map import compute, text
from explorer.panes.transformer.map.draft import NAMES, OPEN, MapDraft
from explorer.panes.transformer.map.inspector import inspection
from explorer.panes.transformer.map.scene import (
    Place,
    block_scene,
    cell_of,
    model_scene,
    steps_scene,
    way_to,
)
from explorer.panes.transformer.map.view import MapView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.diagrams.scenes import Scene
from explorer.widgets.token_strip import chip

# What a step costs is told as that of a component.
COMPONENT = {
    "embed": "token_embedding", "attention": "attention", "cross": "attention", "mlp": "mlp",
    "norm": "norms", "ln_1": "norms", "ln_2": "norms", "ln_cross": "norms",
    "unembed": "output_head",
}  # fmt: skip


class MapMode(PromptMode):
    """Where one is stays the same when the text or the model is another."""

    id = "map"
    title = "Map"
    teaches = "What is in a transformer, and what happens to a text on its way through it"
    no_text = text.NO_TEXT

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = MapView()
        self.draft = Draft(self.workspace, "transformer.map", MapDraft, self)
        self.found: compute.Found | None = None
        self.levels: dict[int | None, compute.Level] = {}  # of what one is inside of
        self.cell: tuple[int, int] | None = None  # None: the chosen token's largest number
        self._way = ["next"]  # the names of the steps that are to be shown
        self._drawn: Any = (None, None, None)  # the forward pass, the level and the step seen
        self._levels = Latest(self.engine, self)
        self._connect()
        self.view.set_draft(self.draft.value)
        self.begin()

    def _connect(self) -> None:
        view = self.view
        view.settingChanged.connect(lambda name, value: self.set(**{name: value}))
        view.outRequested.connect(self.go_out)
        view.headChosen.connect(lambda head: self.workspace.select(head=head))
        view.picture.tips = lambda index: text.tip(self.found, index) if self.found else ""
        view.picture.picked.connect(self.click)
        view.picture.cellClicked.connect(self.choose_cell)
        self.draft.changed.connect(self._on_draft)
        self._levels.came.connect(self._on_level)
        self._levels.failed.connect(self.statusRequested)
        self.workspace.selectionChanged.connect(lambda _: self._look())

    # what the pane asks

    def pictures(self) -> dict[str, QWidget]:
        return {"map": self.view.picture, "costs": self.view.costs, "presets": self.view.table}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "way": self.way}

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"way": list(way)} if all(type(one) is str for one in way):
                self.go_to(*way)

    def cancel(self) -> bool:
        """Esc: out of the step, then from the presets back to the model."""
        left, compared = self.player.leave(), self.draft.value.compared
        if compared and not left:
            self.set(compared=False)
        return left or compared

    def on_position(self, position: float) -> None:
        if (place := self.place) is None:
            return
        if self._drawn == (self.found, place.parent, place.at):
            self.view.picture.set_position(position)
        else:
            self._look()

    # where one is

    @property
    def place(self) -> Place | None:
        """Where the cursor is; None where nothing is seen."""
        track, found = self.player.track, self.found
        if not self.active or not isinstance(track, TraceTrack):
            return None
        if found is None or track.trace is not found.trace:
            return None
        return Place(track.parent, tuple(track.indices), track.indices[self.player.step])

    @property
    def way(self) -> list[str]:
        """The names of the steps from the outermost to the one under the cursor; a block has its
        number.
        """
        if self.found is None or (place := self.place) is None:
            return self._way
        return [self._name(index) for index in way_to(self.found, place.at)]

    def _name(self, index: int) -> str:
        assert self.found is not None
        part = self.found.parts[index]
        name = f"block {part.layer}" if part.kind == "block" else part.kind
        return f"encoder {name}" if part.stack == "encoder" and part.parent is None else name

    def go_to(self, *names: str) -> None:
        """To a step, by the names of those that it is inside of and its own; "block" is the first
        one. As far as they are there.
        """
        self._way = list(names) or self._way
        self.go_out(0)
        for depth, name in enumerate(self._way):
            if (depth and not self.player.enter()) or (place := self.place) is None:
                break
            here = [self._name(index) for index in place.level]
            at = next((at for at, one in enumerate(here) if name in (one, one.split()[0])), None)
            if at is None:
                self.player.leave()
                break
            self.player.seek(at)

    def click(self, index: int) -> None:
        """A step was clicked: inside, or, where there is nothing inside, to it."""
        if (place := self.place) is not None and index in place.level:
            self.player.seek(place.level.index(index))
            self.player.enter()

    def go_out(self, depth: int) -> None:
        """Until so many levels are left."""
        while self.place is not None and self.player.depth > depth:
            self.player.leave()

    # choices

    def set(self, **changes: Any) -> None:
        """Of the draft: what is drawn; a preset that is chosen is drawn at once."""
        if changes.get("shown"):
            changes.setdefault("compared", False)
        self.draft.change(changes, text.change(*next(iter(changes.items()))))
        if "shown" in changes:
            self.go_to("next")

    def toggle_compare(self) -> None:
        self.set(compared=not self.draft.value.compared)

    def draw_open(self) -> None:
        """The open model in place of a preset."""
        self.set(shown=OPEN, compared=False)

    @property
    def head(self) -> int:
        """The one that is chosen in all panes."""
        heads = self.found.config_of(self.found.parts[0]).n_head if self.found is not None else 1
        return min(self.workspace.selection.head or 0, heads - 1)

    def choose_cell(self, row: int, column: int) -> None:
        """The cell whose numbers are told."""
        self.cell = row, column
        self._draw()
        self.inspect()

    # text and model

    def why_empty(self) -> str:
        return "" if self.draft.value.shown else super().why_empty()

    async def answer(self) -> compute.Found | Superseded:
        """The forward pass of the text, or the steps of a preset."""
        key, name = "transformer.map", "running the text through the model"
        if shown := self.draft.value.shown:
            return await self.engine.call(compute.outlined, shown, key=key, name=name)
        ids = (await self.encode())[-self.most_read :]
        asked = compute.read, ids, lambda token: chip(0, self.piece(token)).text
        return await self.source.ask(*asked, key=key, name=name)

    def show_answer(self, answer: compute.Found | Superseded) -> None:
        if isinstance(answer, Superseded):
            return
        self.found, self.levels, self.cell = answer, {}, None
        self.view.set_costs(answer)
        self.view.body.show_ready()
        self.set_tracks([TraceTrack(answer.trace)])
        self.go_to()
        self._look()

    def forget(self) -> None:
        super().forget()
        self._way = self.way
        self.found, self.levels, self._drawn = None, {}, (None, None, None)
        if not self.active:  # else what comes takes its place; a trace holds its model
            self.set_tracks([])

    def clear(self) -> None:
        self.found, self.levels = None, {}
        super().clear()

    def _on_draft(self, draft: MapDraft) -> None:
        self.view.set_draft(draft)
        if self.found is None or draft.shown != self.found.shown:
            self.forget()
            self.read()
        else:
            self._draw()

    # what is seen

    def _level_of(self, place: Place) -> compute.Level | None:
        """What is known of the step in words, and of those beside it."""
        level = self.levels.get(place.parent)
        return level if level is not None and place.at in level.matrices else None

    def _draw(self) -> None:
        place, found, view = self.place, self.found, self.view
        if place is None or found is None:
            return
        before, self._drawn = self._drawn, (found, place.parent, place.at)
        inside = [found.parts[index] for index in way_to(found, place.parent)]
        self._show(self._scene(found, place), place, before)
        view.picture.set_position(self.player.position)
        view.set_way([text.WHOLE, *map(text.crumb, inside)])
        kinds = [part.kind for part in inside]
        known = [COMPONENT[kind] for kind in (*kinds, found.parts[place.at].kind)
                 if kind in COMPONENT]  # fmt: skip
        view.costs.set_bright(text.COMPONENTS[known[0]] if known and inside else "")
        has_heads = "attention" in kinds and found.stripes is not None
        view.set_heads(found.config_of(found.parts[0]).n_head if has_heads else 0, self.head)
        part, compared = found.parts[place.at], self.draft.value.compared
        told = self.tell_length(text.headline(found, part), len(self.prompt_ids))
        self.set_headline(text.compared(len(NAMES)) if compared else told)

    def _scene(self, found: compute.Found, place: Place) -> Scene:
        level = self._level_of(place)
        if place.parent is None:
            return model_scene(found)
        if found.parts[place.parent].kind == "block":
            return block_scene(found, place, level)
        return steps_scene(found, place, level, cell_of(found, place, level, self.cell))

    def _show(self, scene: Scene, place: Place, before: Any) -> None:
        """One level further in or out, by the step that was gone into; else it is a cut."""
        picture, found, now = self.view.picture, self.found, place.parent
        assert found is not None
        same, was = before[0] is found, before[1]
        if same and now is not None and found.parts[now].parent == was:
            picture.go_through(scene, now, inward=True)
        elif same and was is not None and found.parts[was].parent == now:
            picture.go_through(scene, was, inward=False)
        else:
            picture.set_scene(scene)

    def _look(self) -> None:
        """Draws what one is at, and asks for the numbers of the level where they are not there."""
        self._draw()
        self._levels.stop()  # what is on its way is of another level, head or text
        place, found = self.place, self.found
        if place is None or found is None or found.stripes is None:
            return
        level, name = self._level_of(place), "looking inside the step"
        if level is None or level.head != self.head:
            given = found, place.parent, place.at, self.head
            call = partial(self.engine.call, compute.looked, *given, key="transformer.map.level")
            self._levels.ask(partial(call, name=name), name, is_told=False)

    def _on_level(self, level: compute.Level | Superseded) -> None:
        if not isinstance(level, Superseded) and self.found is not None:
            around = (None, *way_to(self.found, level.parent))
            self.levels = {at: one for at, one in self.levels.items() if at in around}
            self.levels[level.parent] = level
            self._draw()
            self.inspect()

    def inspect(self) -> None:
        place, found = self.place, self.found
        if place is None or found is None:
            return
        level = self._level_of(place)
        matrices = level.matrices[place.at] if level is not None else {}
        values = {name: one.values for name, one in matrices.items()}
        if place.parent is None:  # what the picture of the whole model shows
            names = [name for name in ("reads", "writes") if name in found.about]
            values |= {name: found.about[name] for name in names}
        self.view.picture.values = values
        self.view.picture.setAccessibleDescription(found.parts[place.at].title)
        cell = cell_of(found, place, level, self.cell)
        self.inspection.emit(inspection(found.trace[place.at], matrices, cell))
