"""Map: wires the forward pass of the text to the picture that zooms, and to the player."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import quoted, visible
from core.transformer.config import EncoderDecoderConfig
from core.transformer.presets import preset
from explorer.engine.jobs import Superseded
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.transformer.map import compute, text
from explorer.panes.transformer.map.draft import NAMES, MapDraft
from explorer.panes.transformer.map.inspector import inspection, line_of
from explorer.panes.transformer.map.scene import (
    Place,
    block_scene,
    kind_of,
    model_scene,
    place_of,
    steps_scene,
    way_to,
)
from explorer.panes.transformer.map.view import MapView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.token_strip import chip

COMPONENT = {"cross": "attention", "embed": "tokens", "norm": "norms", "ln_1": "norms",
             "ln_2": "norms", "ln_cross": "norms", "unembed": "head"}  # fmt: skip


def create(desk: Desk, parent: QObject) -> Mode:
    return MapMode(desk, parent)


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
        self._shown = self.draft.value.shown  # of what was read last
        self._way = ["next"]  # the names of the steps that are to be shown
        self._asked: Any = None  # what of the level is on its way, or there
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
        view.picture.stepClicked.connect(self.click)
        view.picture.cellClicked.connect(self.choose_cell)
        self.draft.changed.connect(self._on_draft)
        self._levels.came.connect(self._on_level)
        self._levels.failed.connect(self.statusRequested)
        self.workspace.selectionChanged.connect(lambda _: self._draw())

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
        if self.player.leave():
            return True
        if self.draft.value.compared:
            self.set(compared=False)
            return True
        return False

    def on_position(self, position: float) -> None:
        place, drawn = self.place, self._drawn
        if place is not None and drawn is not None and drawn[:2] == (self.found, place.parent):
            self.view.picture.set_position(position)  # else this is not yet the picture of it
        self._draw(only_moved=True)

    # choices

    @property
    def place(self) -> Place | None:
        """Where the cursor is; None where nothing is seen."""
        if self.found is None or not self.active or not self.player.length:
            return None
        return place_of(self.found, self.player.path)

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
        name = f"block {part.layer}" if part.name == "forward.block" else kind_of(part)
        return f"encoder {name}" if part.stack == "encoder" and part.parent is None else name

    def set(self, **changes: Any) -> None:
        """Of the draft: what is drawn; a preset that is chosen is drawn at once."""
        if changes.get("shown"):
            changes.setdefault("compared", False)
        draft = replace(self.draft.value, **changes)
        if draft != self.draft.value:
            self.draft.change(asdict(draft), text.change(*next(iter(changes.items()))))

    def toggle_compare(self) -> None:
        self.set(compared=not self.draft.value.compared)

    def go_to(self, *names: str) -> None:
        """To a step, by the names of those that it is inside of and its own; "block" is the first
        one. As far as they are there.
        """
        self._way = list(names) or self._way
        if self.found is None or not self.active:
            return
        self.go_out(0)
        parent: int | None = None
        for depth, name in enumerate(self._way):
            level = self.found.children.get(parent, ())
            here = [self._name(index) for index in level]
            at = next((at for at, one in enumerate(here) if name in (one, one.split()[0])), None)
            if at is None or (depth and not self.player.enter()):
                break
            self.player.seek(at)
            parent = level[at]

    def click(self, index: int) -> None:
        """A step was clicked: inside, or, where there is nothing inside, to it."""
        if (place := self.place) is not None and index in place.level:
            self.player.seek(place.level.index(index))
            self.player.enter()

    def go_out(self, depth: int) -> None:
        """Until so many levels are left."""
        while self.player.depth > depth:
            self.player.leave()

    @property
    def head(self) -> int:
        """The one that is chosen in all panes."""
        heads = self.found.config_of(self.found.parts[0]).n_head if self.found is not None else 1
        return min(self.workspace.selection.head or 0, heads - 1)

    def choose_cell(self, row: int, column: int) -> None:
        """The cell whose numbers are told."""
        self.cell = row, column
        self._ask()

    # text and model

    @property
    def drawn(self) -> Any:
        """The config of what is drawn without weights: a preset's, or an encoder-decoder's."""
        shown, config = self.draft.value.shown, getattr(self.source, "config", None)
        pair = config if isinstance(config, EncoderDecoderConfig) else None
        return preset(shown) if shown else pair

    def why_empty(self) -> str:
        return "" if self.drawn is not None else super().why_empty()

    async def answer(self) -> compute.Found | Superseded:
        """The forward pass of the text."""
        key, name = "transformer.map", "running the text through the model"
        if self.drawn is not None:
            return await self.engine.call(compute.outlined, self.drawn, key=key, name=name)
        ids = (await self.encode())[-self.source.config.block_size :]
        return await self.source.ask(compute.read, ids, -1, key=key, name=name)

    def show_answer(self, answer: compute.Found | Superseded) -> None:
        if isinstance(answer, Superseded):
            return
        self.found, self.levels, self._asked, self.cell = answer, {}, None, None
        self._shown = self.draft.value.shown
        self.view.set_costs(answer)
        self.view.body.show_ready()
        self.set_tracks([TraceTrack(answer.trace)])
        self.go_to()
        self._draw()

    def forget(self) -> None:
        super().forget()
        self._way = self.way
        self.found, self.levels, self._asked, self._drawn = None, {}, None, None
        if not self.active:  # else what comes takes its place; a trace holds its model
            self.set_tracks([])

    def clear(self) -> None:
        self.found, self.levels, self._asked = None, {}, None
        super().clear()

    def _on_draft(self, draft: MapDraft) -> None:
        self.view.set_draft(draft)
        if draft.shown != self._shown:
            self.forget()
            self._way = ["next"]
            self.read()
        else:
            self._draw()

    # what is seen

    _drawn: Any = None

    def _words(self, name: str) -> tuple[str, ...]:
        """What the tokens say that the trace is about, or the likeliest next ones."""
        about = self.found.about if self.found is not None else {}
        return tuple(chip(0, self.piece(int(token))).text for token in about.get(name, ()))

    @property
    def level(self) -> compute.Level | None:
        """What is known of the level where one is."""
        return None if (place := self.place) is None else self.levels.get(place.parent)

    def _draw(self, only_moved: bool = False) -> None:
        place, found, view = self.place, self.found, self.view
        if place is None or found is None:
            return
        now = found, place.parent, place.at
        if only_moved and now == self._drawn:
            return
        before, self._drawn = self._drawn, now
        level, inside = self.level, way_to(found, place.parent)
        tokens, likely = self._words("ids"), self._words("likeliest")
        scene: Any
        if not inside:
            scene = model_scene(found, tokens, likely)
        elif found.parts[inside[-1]].name == "forward.block":
            scene = block_scene(found, place, level)
        else:
            line = line_of(level) if level is not None and level.at == place.at else ""
            scene = steps_scene(found, place, level, self._cell(place), line, tokens, likely)
        self._show(scene, place, before)
        view.picture.set_position(self.player.position)
        view.set_way([text.WHOLE, *(text.crumb(found.parts[index]) for index in inside)])
        kinds = [kind_of(found.parts[index]) for index in (*inside, place.at)]
        bright = next((COMPONENT.get(kind, kind) for kind in kinds if kind in
                       (*COMPONENT, "attention", "mlp")), "")  # fmt: skip
        view.costs.set_bright(text.COMPONENTS.get(bright, "") if inside else "")
        has_heads = "attention" in kinds[:-1] and found.stripes is not None
        view.set_heads(found.config_of(found.parts[0]).n_head if has_heads else 0, self.head)
        self._say(found, place)
        self._ask()

    def _show(self, scene: Any, place: Place, before: Any) -> None:
        """One level further in or out, by the step that was gone into; else it is a cut."""
        picture, outer = self.view.picture, place.parent
        assert self.found is not None
        same = before is not None and before[0] is self.found
        inner = before[1] if same else None
        if same and outer is not None and self.found.parts[outer].parent == inner != outer:
            picture.go_through(scene, outer, inward=True)
        elif inner is not None and self.found.parts[inner].parent == outer:
            picture.go_through(scene, inner, inward=False)
        else:
            picture.set_scene(scene)

    def _say(self, found: compute.Found, place: Place) -> None:
        if self.draft.value.compared:
            self.set_headline(text.compared(len(NAMES)))
            return
        likeliest, share = "", 0.0
        if len(tokens := found.about.get("likeliest", ())):
            piece = self.piece(int(tokens[0])).decode("utf-8", "replace")
            likeliest = quoted(piece.strip() or visible(piece))
            share = float(found.about["probabilities"].max())
        part = found.parts[place.at]
        self.set_headline(text.headline(found, part, likeliest, share, self._shown))

    def _cell(self, place: Place) -> tuple[int, int]:
        """The chosen one of what the step makes, as far as it is known."""
        assert self.found is not None
        told = self.level.told if self.level is not None and self.level.at == place.at else None
        if told is not None and len(told.cell) > 1:
            return told.cell[-2], told.cell[-1]
        return self.cell or (self.found.row, 0)

    def _ask(self) -> None:
        """What is inside of the level, and the numbers of the chosen cell."""
        place, found = self.place, self.found
        if place is None or found is None or found.stripes is None:
            self.inspect()
            return
        asked = found, place.parent, place.at, self.head, self.cell
        if asked == self._asked:
            return
        self._asked = asked
        given = found, self.level, place.parent, place.at, self.head, self.cell or (found.row, None)
        name, key = "looking inside the step", "transformer.map.level"
        self._levels.ask(
            lambda: self.engine.call(compute.looked, *given, key=key, name=name),
            name, is_told=False,
        )  # fmt: skip

    def _on_level(self, level: compute.Level | Superseded) -> None:
        if not isinstance(level, Superseded) and self._asked is not None:
            self.levels[level.parent] = level
            around = way_to(self.found, level.parent) if self.found is not None else []
            self.levels = {at: one for at, one in self.levels.items() if at in (None, *around)}
            self._draw()
            self.inspect()

    def inspect(self) -> None:
        place, found = self.place, self.found
        if place is None or found is None:
            return
        level = self.level if self.level is not None and self.level.at == place.at else None
        shown = level.matrices[place.at] if level is not None else {}
        values = {name: one.values for name, one in shown.items()}
        if place.parent is None:  # what the picture of the whole model shows
            values |= {
                name: found.about[name] for name in ("reads", "writes") if name in found.about
            }
        self.view.picture.values = values
        self.view.picture.setAccessibleDescription(found.parts[place.at].title)
        self.inspection.emit(inspection(found.trace[place.at], level))
