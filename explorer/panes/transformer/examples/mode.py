"""Examples: wires the lines and the model to the bars and the player."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.data.few_shot_tasks import doubling, pairs_of
from explorer.engine.jobs import Superseded
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import ModelMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.examples import compute, text
from explorer.panes.transformer.examples.draft import ExamplesDraft
from explorer.panes.transformer.examples.view import ExamplesHeader, ExamplesView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack


def create(desk: Desk, parent: QObject) -> Mode:
    return ExamplesMode(desk, parent)


class ExamplesMode(ModelMode):
    """A step for each number of examples; they come one after the other, the fewest first."""

    id = "examples"
    title = "Examples"
    teaches = "A task told by examples in the prompt: nothing is trained, and the answers improve"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, ExamplesHeader())
        self.view = ExamplesView()
        self.draft = Draft(self.workspace, "transformer.examples", ExamplesDraft, self)
        self.found: list[compute.Found] = []
        self.inputs.task.picked.connect(lambda lines: self.set_up(lines=lines))
        self.inputs.form.picked.connect(lambda form: self.set_up(form=form))
        self.view.linesEdited.connect(lambda lines: self.set_up(lines=lines))
        self.view.bars.rowClicked.connect(self.player.seek)
        self.draft.changed.connect(self._on_draft)
        self._on_draft(self.draft.value)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"examples": self.view.bars, "read": self.view.read}

    def on_position(self, position: float) -> None:
        self.view.bars.set_position(position)

    def on_step(self, step: int) -> None:
        self._show_step()
        super().on_step(step)

    def set_up(self, **changes: str) -> None:
        """Other lines, or another form."""
        if any(getattr(self.draft.value, name) != value for name, value in changes.items()):
            self.draft.change(changes, text.CHANGE)

    def _on_draft(self, draft: ExamplesDraft) -> None:
        self.inputs.set_draft(draft)
        self.view.lines.set_text(draft.lines)
        self.forget()
        self.read()

    def forget(self) -> None:
        self.found = []
        self.view.body.show_loading()
        super().forget()

    async def answer(self) -> Any:
        source, draft, found = self.source, self.draft.value, []
        pairs = pairs_of(draft.lines)
        counts = doubling(len(pairs) - 1)
        for count in counts:
            asked = compute.found, source.tokenizer, pairs, count, draft.form
            one = await source.ask(*asked, name=f"{source.name} answers after examples")
            if isinstance(one, Superseded):
                return one
            found.append(one)
            self.view.set_scene(counts, found)
            self.view.set_found(one)
        return found

    def show_answer(self, answer: list[compute.Found]) -> None:
        from core.inference.few_shot import trace_few_shot

        self.found = answer
        self.set_tracks([TraceTrack(trace_few_shot([one.shot for one in answer]))])
        if self.active:
            self.player.seek(len(answer) - 1)
        self._show_step()
        self.inspect()

    def _show_step(self) -> None:
        if self.found:
            step = min(self.player.step if self.active else 0, len(self.found) - 1)
            shots = [one.shot for one in self.found]
            self.view.set_found(self.found[step])
            self.set_headline(text.headline(shots[step], shots))

    def inspect(self) -> None:
        track = self.player.track
        if self.active and self.found and track is not None and self.player.step < track.length:
            self.inspection.emit(inspection_of(track.item(self.player.step)))
