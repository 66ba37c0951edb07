"""Beams: connects the text, the model and the settings with the tree and the player."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import quoted, shortened
from explorer.engine.jobs import SUPERSEDED
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.beams import compute, text
from explorer.panes.transformer.beams.draft import BeamsDraft
from explorer.panes.transformer.beams.view import BeamsView
from explorer.state.tracks import TraceTrack
from explorer.widgets.beam_scene import BeamScene, scene_of


class BeamsMode(PromptMode):
    """Shows the tree while it grows, then moves the cursor to the end of the search."""

    id = "beams"
    title = "Beams"
    teaches = "How beam search writes several texts at once and keeps the likeliest"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = BeamsView()
        self.scene: BeamScene | None = None
        self.connect_buttons(text.BUTTONS, {"use": lambda: self.append()}, of_answer=["use"])
        self.view.tree.picked.connect(self.append)
        self.connect_draft(BeamsDraft)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"beams": self.view.tree}

    def on_position(self, position: float) -> None:
        self.view.tree.set_position(position)

    def append(self, node: int | None = None) -> None:
        """Appends the text that ends at a node to the prompt; None: the best text found."""
        if (scene := self.scene) is not None and self.is_current:
            written = scene.text_of(scene.tree.best if node is None else node)
            title = text.APPENDED.format(shortened(written.strip()))
            self.workspace.change("prompt", self.workspace.prompt + written, title)

    @property
    def most_read(self) -> int:
        """Leaves room in the context for the tokens that the search writes."""
        return max(super().most_read - self.draft.value.depth, 1)

    async def answer(self) -> Any:
        source = self.source
        ids = (await self.encode())[-self.most_read :]
        told = {"key": self.objectName(), "name": "searching"}
        asked = compute.search, ids, self.draft.value, source.tokenizer
        found = steps = await source.ask(*asked, **told)
        while found is not SUPERSEDED and found is not None:  # adds a token to every beam
            found = await source.ask(lambda _: next(steps, None), **told)
            if isinstance(found, tuple):
                self._show(found, ids[-1])
        return found

    def show_answer(self, answer: Any) -> None:
        self.view.body.show_ready()
        self.grown()  # the trace is complete

    def _show(self, found: Any, last: int) -> None:
        self.scene = scene_of(found.tree, found.trace, found.greedy, last, self.piece)
        self.view.set_scene(self.scene)
        self.set_tracks([TraceTrack(found.trace)])
        if self.active:
            self.player.seek(len(found.trace) - 1)
        self.view.body.set_waiting(text.SEARCHING)
        self.inspect()

    def clear(self) -> None:
        super().clear()
        self.scene = None
        self.view.set_scene(None)

    def show_step(self, step: Any) -> None:
        """Inspects the numbers of the likeliest candidate of a step."""
        assert self.scene is not None
        at, scene = self.player.step, self.scene
        self.set_headline(self.tell_length(text.headline(scene, at), len(self.prompt_ids)))
        at, node = scene.told(at)
        step, cell = self.tracks[0].item(at), scene.tree.nodes[node].place
        if step.name == "beams.score":
            cell = int(self.tracks[0].item(at + 1).value("chosen")[0])
        said = quoted(scene.text_of(node).strip())
        shown = inspection_of(step, cell, said)
        if at != self.player.step:
            shown = replace(shown, title=text.FOUND.format(scene.tree.nodes[node].depth))
        self.inspection.emit(shown)
