"""Beams: wires the text, the model and the settings to the tree and the player."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import quoted
from explorer.engine.jobs import SUPERSEDED
from explorer.panes.base import Row
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.beams import compute, text
from explorer.panes.transformer.beams.draft import BeamsDraft
from explorer.panes.transformer.beams.view import BeamsView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.beam_scene import BeamScene, scene_of


def create(desk: Desk, parent: QObject) -> Mode:
    return BeamsMode(desk, parent)


class BeamsMode(PromptMode):
    """The tree grows while it is searched; then the cursor stands at its end."""

    id = "beams"
    title = "Beams"
    teaches = "What if it looked further than one token? Beam search and its tree"
    no_text = text.NO_TEXT

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = BeamsView()
        self.draft = Draft(self.workspace, "transformer.beams", BeamsDraft, self)
        self.scene: BeamScene | None = None
        self.view.settingChanged.connect(lambda name, value: self.set_settings(**{name: value}))
        self.view.settled.connect(self.draft.end_merge)
        self.view.useRequested.connect(self.use)
        self.view.tree.picked.connect(self.append)
        self.draft.changed.connect(self._on_draft)
        self.view.set_draft(self.draft.value)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"beams": self.view.tree}

    def on_position(self, position: float) -> None:
        self.view.tree.set_position(position)

    def on_step(self, step: int) -> None:
        self._say()
        super().on_step(step)

    def set_settings(self, **changes: Any) -> None:
        """One or more settings of the draft; the drag of a slider is one change."""
        name, value = next(iter(changes.items()))
        whole = {key: int(changes[key]) for key in ("beams", "depth") if key in changes}
        draft = replace(self.draft.value, **changes | whole)
        if draft != self.draft.value:
            self.draft.change(asdict(draft), text.change(name, value), name)

    def append(self, node: int) -> None:
        """The text that ends with a node comes into the prompt."""
        if self.scene is not None:
            written = self.scene.text_of(node)
            self.workspace.change("prompt", self.workspace.prompt + written, text.appended(written))

    def use(self) -> None:
        """The text that was found comes into the prompt."""
        if self.scene is not None:
            self.append(self.scene.tree.best)

    async def answer(self) -> Any:
        source, draft, key = self.source, self.draft.value, "transformer.beams"
        ids, stop = await self.encode(), compute.ends_of(source.tokenizer, draft.sentences)
        search = await source.ask(compute.begun, ids, draft, stop, key=key, name="searching")
        more: Any = search is not SUPERSEDED
        while more is True:
            more = await source.ask(compute.grown, search, key=key, name="searching")
            if more is True:
                scene = scene_of(search.tree, search.trace, search.greedy, ids[-1], self.piece)
                self._show(scene, search.trace)
        return more or None

    def show_answer(self, answer: Any) -> None:
        self.grown()  # the trace is complete

    def _show(self, scene: BeamScene, trace: Any) -> None:
        self.scene = scene
        self.view.set_scene(scene)
        self.set_tracks([TraceTrack(trace)])
        if self.active:
            self.player.seek(len(trace) - 1)
            self.view.tree.set_position(self.player.position)
        self._say()
        self.inspect()

    def clear(self) -> None:
        super().clear()
        self.scene = None

    def _on_draft(self, draft: BeamsDraft) -> None:
        self.view.set_draft(draft)
        self.read()

    def _say(self) -> None:
        if self.scene is not None and self.active:
            self.set_headline(text.headline(self.scene, self.player.step))

    def inspect(self) -> None:
        """The line with the numbers of the likeliest candidate."""
        track, at = self.player.track, self.player.step
        if not self.active or self.scene is None or track is None or at >= track.length:
            return
        step = track.item(at)
        is_score = step.name == "beams.score"
        cell = int(track.item(at + 1).value("chosen")[0]) if is_score else 0
        shown = inspection_of(step, cell)
        best = min(self.scene.column(at), key=lambda node: self.scene.tree.nodes[node].place)
        rows = [Row(quoted(self.scene.text_of(best).strip())), *shown.rows]
        self.inspection.emit(replace(shown, rows=rows))
