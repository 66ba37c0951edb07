"""Examples: wires the lines and the model to the bars and the player."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.data.few_shot_tasks import doubling, pairs_of
from explorer.engine.jobs import Superseded
from explorer.engine.latest import Latest
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

    inputs: ExamplesHeader

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, ExamplesHeader())
        self.view = ExamplesView()
        self.draft = Draft(self.workspace, "transformer.examples", ExamplesDraft, self)
        self.found: list[compute.Found] = []
        self._asks = Latest(self.engine, self)
        self.inputs.task.picked.connect(lambda lines: self.set_up(lines=lines))
        self.inputs.form.picked.connect(lambda form: self.set_up(form=form))
        self.view.linesEdited.connect(lambda lines: self.set_up(lines=lines))
        self.view.rowClicked.connect(self.player.seek)
        self.view.body.retryRequested.connect(self.read)
        self.draft.changed.connect(self._on_draft)
        self._asks.came.connect(self._on_all)
        self._asks.failed.connect(self._on_failed)
        self._on_draft(self.draft.value)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"examples": self.view.bars, "read": self.view.read}

    def shown(self) -> None:
        if not self.found and not self._asks.running:
            self.read()

    def on_position(self, position: float) -> None:
        self.view.bars.set_position(position)

    def on_step(self, step: int) -> None:
        self._show_step()
        super().on_step(step)

    def set_up(self, **changes: str) -> None:
        """Other lines, or another form."""
        if any(getattr(self.draft.value, name) != value for name, value in changes.items()):
            self.draft.change(changes, "Change examples")

    def _on_draft(self, draft: ExamplesDraft) -> None:
        self.inputs.set_draft(draft)
        self.view.lines.set_text(draft.lines)
        self.forget()
        self.read()

    def forget(self) -> None:
        self.found = []

    def read(self) -> None:
        """Asks the question after each number of examples, once it is shown."""
        if self.source is None or not self.active:
            return
        self.view.body.show_stale() if self.view.bars.scene else self.view.body.show_loading()
        self._asks.ask(self._read, "answering after examples", is_told=False)

    async def _read(self) -> list[compute.Found] | Superseded:
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

    def _on_all(self, found: list[compute.Found]) -> None:
        from core.inference.few_shot import trace_few_shot

        self.found = found
        self.set_tracks([TraceTrack(trace_few_shot([one.shot for one in found]))])
        if self.active:
            self.player.seek(len(found) - 1)
        self._show_step()
        self.inspect()

    def _on_failed(self, message: str) -> None:
        self.found = []
        self.set_tracks([])
        self.view.body.show_error(message)
        self.set_headline(message)

    def _show_step(self) -> None:
        if self.found:
            step = min(self.player.step if self.active else 0, len(self.found) - 1)
            self.view.set_found(self.found[step])
            self.set_headline(
                text.headline(self.found[step].shot, [one.shot for one in self.found])
            )

    def inspect(self) -> None:
        track = self.player.track
        if self.active and self.found and track is not None and self.player.step < track.length:
            self.inspection.emit(inspection_of(track.item(self.player.step)))
