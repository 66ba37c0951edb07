"""Map: wires the forward pass of the text to the picture that zooms, and to the player."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.substitution import Arithmetic
from core.tokenization.telling import quoted, visible
from core.transformer.presets import preset
from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.transformer.map import compute, text
from explorer.panes.transformer.map.draft import OPEN, MapDraft
from explorer.panes.transformer.map.inspector import inspection
from explorer.panes.transformer.map.scene import (
    Place,
    block_scene,
    model_scene,
    place_of,
    steps_scene,
    way_to,
)
from explorer.panes.transformer.map.view import MapView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.live_numbers import in_a_line
from explorer.widgets.token_strip import chip

COMPONENT = {
    "attention": "attention", "mlp": "mlp", "embed": "tokens", "norm": "norms", "ln_1": "norms",
    "ln_2": "norms", "unembed": "head",
}  # fmt: skip


def create(desk: Desk, parent: QObject) -> Mode:
    return MapMode(desk, parent)


class MapMode(PromptMode):
    """Where one is stays the same when the text or the model is another."""

    id = "map"
    title = "Map"
    teaches = "What is in a transformer, and what happens to a text on its way through it"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = MapView()
        self.draft = Draft(self.workspace, "transformer.map", MapDraft, self)
        self.found: compute.Found | None = None
        self.level: compute.Level | None = None
        self.told: Arithmetic | None = None
        self.head = 0
        self.cell: tuple[int, int] | None = None  # None: the chosen token's largest number
        self._way: list[str] = ["next"]  # the names of the steps that are to be shown
        self._reads, self._levels, self._tells = (Latest(self.engine, self) for _ in range(3))
        self._connect()
        self.view.set_draft(self.draft.value)
        self.begin()

    def _connect(self) -> None:
        view = self.view
        view.settingChanged.connect(lambda name, value: self.set(**{name: value}))
        view.outRequested.connect(self.go_out)
        view.headChosen.connect(self.choose_head)
        view.picture.stepClicked.connect(self.click)
        view.picture.cellClicked.connect(self.choose_cell)
        view.body.retryRequested.connect(self.read)
        self.draft.changed.connect(self._on_draft)
        self._reads.came.connect(self._on_read)
        self._reads.failed.connect(self._on_failed)
        self._levels.came.connect(self._on_level)
        self._tells.came.connect(self._on_told)

    # what the pane asks

    def pictures(self) -> dict[str, QWidget]:
        return {"map": self.view.picture, "costs": self.view.costs, "presets": self.view.table}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "way": self.way, "head": self.head}

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"way": list(way), "head": int(head)} if all(type(one) is str for one in way):
                self.head = max(head, 0)
                self.go_to(*way)

    def shown(self) -> None:
        if self.found is None:
            self.read()

    def cancel(self) -> bool:
        """Esc: out of the step, then from the presets back to the model."""
        if self.player.depth:
            return self.player.leave()
        if self.draft.value.compared:
            self.set(compared=False)
            return True
        return False

    def on_position(self, position: float) -> None:
        self.view.picture.set_position(position)
        if self.found is not None and self._place() != self._drawn:
            self._draw()

    # choices

    @property
    def way(self) -> list[str]:
        """The names of the steps from the outermost to the one under the cursor; a block has its
        number.
        """
        if self.found is None or not self.active or (place := self.place) is None:
            return self._way
        return [self._name(index) for index in way_to(self.found, place.at)]

    def _name(self, index: int) -> str:
        assert self.found is not None
        part = self.found.parts[index]
        kind = part.name.partition(".")[2]
        return f"{kind} {part.layer}" if kind == "block" else kind

    def set(self, **changes: Any) -> None:
        """Of the draft: what is drawn; a preset that is chosen is drawn at once."""
        if changes.get("shown") and "compared" not in changes:
            changes["compared"] = False
        draft = replace(self.draft.value, **changes)
        if draft != self.draft.value:
            name, value = next(iter(changes.items()))
            self.draft.change(asdict(draft), text.change(name, value))

    def toggle_compare(self) -> None:
        self.set(compared=not self.draft.value.compared)

    def go_to(self, *names: str) -> None:
        """To a step, by the names of those that it is inside of and its own; "block" is the first
        one. As far as they are there.
        """
        self._way = list(names) or self._way
        if self.found is None or not self.active:
            return
        while self.player.leave():
            pass
        parent: int | None = None
        for depth, name in enumerate(self._way):
            level = self.found.children.get(parent, ())
            here = [self._name(index) for index in level]
            if name == "block" and here:
                name = next((one for one in here if one.startswith("block")), name)
            if name not in here or (depth and not self.player.enter()):
                break
            self.player.seek(here.index(name))
            parent = level[here.index(name)]

    def click(self, index: int) -> None:
        """A step was clicked: inside, or, where there is nothing inside, to it."""
        place = self.place
        if place is not None and index in place.level:
            self.player.seek(place.level.index(index))
            self.player.enter()

    def go_in(self) -> None:
        self.player.enter()

    def go_out(self, depth: int) -> None:
        """Until so many levels are left."""
        while self.player.depth > depth:
            self.player.leave()

    def choose_head(self, head: int) -> None:
        if head != self.head:
            self.head = head
            self._ask_level()

    def choose_cell(self, row: int, column: int) -> None:
        """The cell whose numbers are told."""
        self.cell = row, column
        self._tell()

    # text and model

    def read(self) -> None:
        """Runs the text through the model, once it is shown."""
        shown = self.draft.value.shown
        if not self.active or (self.source is None and not shown):
            return
        if shown:
            self._reads.call(compute.outlined, preset(shown), name=f"drawing {shown}")
        elif self.workspace.prompt:
            self._reads.ask(self._read, "running the text through the model", is_told=False)
        else:
            self._reads.stop()
            self.forget()
            self.set_tracks([])
            self.view.body.show_empty(text.NO_TEXT)
            self.set_headline(text.NO_TEXT)

    async def _read(self) -> compute.Found | Superseded:
        ids = (await self.encode())[-self.source.config.block_size :]
        name = "running the text through the model"
        return await self.source.ask(compute.read, ids, -1, key="transformer.map", name=name)

    def forget(self) -> None:
        super().forget()
        if self.draft.value.shown == OPEN:
            self._way = self.way
            self.found = self.level = self.told = None

    def _on_draft(self, draft: MapDraft) -> None:
        self.view.set_draft(draft)
        if draft.compared:
            self.set_headline(text.preset_headline(""))
        if self.found is None or draft.shown != self._shown:
            self._way = ["next"] if draft.shown != self._shown else self._way
            self.found = self.level = self.told = None
            self.read()

    _shown = OPEN  # of what was read last

    def _on_read(self, found: compute.Found | Superseded) -> None:
        if found is SUPERSEDED or isinstance(found, Superseded):
            return
        self.found, self.level, self.told = found, None, None
        self._shown = self.draft.value.shown
        self.cell = None
        self.head = min(self.head, found.config.n_head - 1)
        self.view.costs.set_scene(found)
        self.set_tracks([TraceTrack(found.trace)])
        self.go_to()
        self.view.body.show_ready()
        self._draw()

    def _on_failed(self, message: str) -> None:
        self.found = self.level = None
        self.set_tracks([])
        self.view.body.show_error(message)
        self.set_headline(message)

    # what is seen

    _drawn: tuple[int | None, int] | None = None

    @property
    def place(self) -> Place | None:
        """Where the cursor is; None where nothing is seen."""
        if self.found is None or not self.active or not self.player.length:
            return None
        return place_of(self.found, self.player.path)

    def _place(self) -> tuple[int | None, int] | None:
        place = self.place
        return None if place is None else (place.parent, place.at)

    def _pieces(self, name: str) -> list[str]:
        """What the tokens say that the trace is about, or the likeliest next ones."""
        if self.found is None or name not in self.found.about:
            return []
        return [chip(0, self.piece(int(token))).text for token in self.found.about[name]]

    def _draw(self) -> None:
        place, found, view = self.place, self.found, self.view
        if place is None or found is None:
            return
        moved, self._drawn = self._drawn, (place.parent, place.at)
        level = self.level if self.level is not None and self.level.parent == place.parent else None
        pieces, likely = self._pieces("ids"), self._pieces("likeliest")
        inside = way_to(found, place.parent)
        if not inside:
            scene: Any = model_scene(found, pieces, likely)
        elif found.parts[inside[-1]].name == "forward.block":
            scene = block_scene(found, place, level)
        else:
            line = in_a_line(self.told) if self.told is not None and self.told.pieces else ""
            scene = steps_scene(found, place, level, self._cell, line, pieces, likely)
        view.picture.set_scene(scene)
        view.picture.set_position(self.player.position)
        view.set_way([text.WHOLE, *(text.crumb(found, index) for index in inside)])
        kinds = [found.parts[index].name.partition(".")[2] for index in (*inside, place.at)]
        bright = next((COMPONENT[kind] for kind in kinds if kind in COMPONENT), "")
        view.costs.set_bright(bright if inside else "")
        heads = (
            found.config.n_head if "attention" in kinds[:-1] and found.stripes is not None else 0
        )
        view.set_heads(heads, self.head)
        if not self.draft.value.compared:
            self._say(kinds[-1])
        if moved is None or moved[0] != place.parent or self.level is None:
            self._ask_level()
        elif moved[1] != place.at:
            self._tell()

    def _say(self, kind: str) -> None:
        assert self.found is not None and self.place is not None
        if self._shown and not self.player.depth:
            self.set_headline(text.preset_headline(self._shown))
            return
        likely, share = self._pieces("likeliest"), 0.0
        word = ""
        if likely:
            share = float(self.found.about["probabilities"].max())
            piece = self.piece(int(self.found.about["likeliest"][0])).decode("utf-8", "replace")
            word = quoted(piece.strip() or visible(piece))
        title = self.found.parts[self.place.at].title
        self.set_headline(text.headline(self.found, kind, title, word, share))

    @property
    def _cell(self) -> tuple[int, int]:
        assert self.found is not None
        if self.told is not None and len(self.told.cell) >= 2:
            return self.told.cell[-2], self.told.cell[-1]
        return self.cell or (self.found.about.get("position", 0), 0)

    def _ask_level(self) -> None:
        place, found = self.place, self.found
        if place is None or found is None or found.stripes is None:
            self.inspect()
            return
        name = "looking inside the step"
        key = "transformer.map.level"
        asked = compute.level, found, place.parent, self.head
        self._levels.ask(lambda: self.engine.call(*asked, key=key, name=name), name, is_told=False)

    def _on_level(self, level: compute.Level | Superseded) -> None:
        place = self.place
        if isinstance(level, Superseded) or place is None or level.parent != place.parent:
            return
        self.level = level
        self._draw()
        self._tell()

    def _tell(self) -> None:
        """The numbers of the chosen cell."""
        self.told = None
        place, found = self.place, self.found
        if place is None or found is None or self.level is None:
            return
        step = self.level.steps.get(place.at)
        if step is None:
            self.inspect()
            return
        name, key = "working out a cell", "transformer.map.cell"
        row, column = self.cell or (found.about["position"], None)
        asked = compute.told, step, self.head, row, column, found.config
        self._tells.ask(lambda: self.engine.call(*asked, key=key, name=name), name, is_told=False)

    def _on_told(self, told: Arithmetic | Superseded | None) -> None:
        if not isinstance(told, Superseded):
            self.told = told
            self._draw()
            self.inspect()

    def inspect(self) -> None:
        place, found = self.place, self.found
        if place is None or found is None:
            return
        level = self.level if self.level is not None and self.level.parent == place.parent else None
        step = found.trace[place.at]
        matrices = level.matrices.get(place.at, {}) if level is not None else {}
        cell = f"row {self._cell[0]}, column {self._cell[1]}" if self.told is not None else ""
        self.view.picture.show_values({name: one.values for name, one in matrices.items()})
        self.inspection.emit(inspection(step, matrices, self.told, cell))
