"""Inside: shows how a text passes through a fine-tuned matrix, forward and backward."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core import finetuning
from explorer.engine.latest import Latest
from explorer.panes.finetuning.inside import compute, text
from explorer.panes.finetuning.inside.draft import InsideDraft
from explorer.panes.finetuning.inside.scene import Scene, kind_of
from explorer.panes.finetuning.inside.view import NAME, PICTURES, InsideView
from explorer.panes.finetuning.matrix_names import matrix_name
from explorer.panes.finetuning.tuned_mode import TunedInputs, TunedMode
from explorer.panes.step_inspection import inspection_of
from explorer.runs.sources import model_name
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.drop_down import DropDown
from explorer.widgets.push_button import push_buttons

CHOSEN = ("position", "output", "step")  # selected by the user


class InsideMode(TunedMode):
    """Follows one token and one output through a chosen matrix; the steps are one forward and one
    backward pass.
    """

    id = "inside"
    title = "Inside"
    teaches = "How can so few parameters change a model?"
    second_title = text.COMPARE

    def __init__(self, desk: Any, parent: QObject) -> None:
        titles = {"compare": (text.COMPARE, text.COMPARE_HELP)}
        buttons, matrix = push_buttons(NAME, titles, {}), DropDown("Matrix", text.MATRIX_HELP)
        inputs = TunedInputs(NAME, text.READS, buttons["compare"], matrix)
        super().__init__(desk, parent, inputs)
        self.view = InsideView()
        self.draft = Draft(self.workspace, NAME, InsideDraft, self)
        self.scene: Scene | None = None
        self.position: int | None = None  # of a token; None: the last one that is read
        self.output: int | None = None  # None: the one that changes most
        self.step: int | None = None  # of a checkpoint; None: the current model
        self._read: Any = None  # the current model, text and checkpoint
        self._heads: tuple[Any, Any] = (None, None)  # what was read, and its heads
        self.finds = False  # the steps are those that find the directions
        view, inputs = self.view, self.inputs
        view.text.chosen.connect(lambda _, place: self.choose("position", place))
        view.passage.outputChosen.connect(partial(self.choose, "output"))
        view.strength.picked.connect(self._on_strength)
        view.heads.picked.connect(self._on_head)
        view.spectrum.picked.connect(lambda _: self.play_finding())
        view.spectrum.stepChosen.connect(partial(self.choose, "step"))
        inputs.matrix.picked.connect(self.look_at)
        view.buttons = buttons
        self.connect_buttons(titles, {"compare": self.ask_compared})
        self._examines, self._compares = Latest(self.engine, self), Latest(self.engine, self)
        self._examines.came.connect(self._on_examined)
        self._examines.failed.connect(self._on_failed)
        self._compares.came.connect(self._on_compared)
        self.connect_line(inputs.line, "text", text.CHANGE_TEXT)
        self.draft.changed.connect(self._on_draft)
        self.begin()

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        return {name: getattr(self.view, name) for name in PICTURES}

    def state(self) -> dict[str, Any]:
        return {"version": 1} | {name: getattr(self, name) for name in CHOSEN}

    def restore(self, state: dict[str, Any]) -> None:
        for name in CHOSEN:
            value = state.get(name)
            setattr(self, name, value if type(value) is int and value >= 0 else None)
        self.read()

    def cancel(self) -> bool:
        """Handles Esc: returns to the pass, then to the last token, the output that changes most,
        and the newest checkpoint.
        """
        if self.finds:
            self._play_pass()
        elif any(getattr(self, name) is not None for name in CHOSEN):
            self.restore({})
        else:
            return False
        return True

    def caption(self) -> str:
        return f"{getattr(self.source, 'name', '')}: {self.scene.found.name}" if self.scene else ""

    # choices

    def look_at(self, name: str) -> None:
        """Shows another matrix."""
        self.draft.change({"matrix": name}, text.LOOK.format(matrix_name(name)))

    def choose(self, name: str, value: int) -> None:
        """Selects another token ("position"), "output" or checkpoint ("step")."""
        setattr(self, name, value)
        if name == "output" and self.scene is not None:
            self.view.set_cursor(self.view.position, self.row)
            self.inspect()
        else:
            self.read()

    def ask_compared(self) -> None:
        """Asks for a second adapter, or removes the current one."""
        if self.draft.value.other:
            self._on_compared("")
        else:
            self.ask_second(self.view.buttons["compare"])

    def take_second(self, folder: str) -> None:
        """Takes a second adapter, which must fit the model."""
        asked = finetuning.check_second, folder
        self._compares.ask(lambda: self.source.ask(*asked), f"opening {model_name(folder)}")

    def _on_compared(self, folder: str) -> None:
        title = text.COMPARE_WITH.format(model_name(folder)) if folder else text.STOP
        self.draft.change({"other": folder}, title)
        self.spawn(self.warn_of_base(folder))

    def _on_strength(self, cell: int) -> None:
        if self.scene is not None:
            self.look_at(str(self.scene.grid[3].flat[cell]))

    def _on_head(self, cell: int) -> None:
        if self.scene is not None:
            head = divmod(cell, self.scene.found.heads.shape[1])
            self.spawn(self.show_head(self.draft.value.text, *head))

    # model

    def _on_draft(self, draft: InsideDraft) -> None:
        name, button = model_name(draft.other), self.view.buttons["compare"]
        button.setText(text.COMPARED.format(name) if name else text.COMPARE)
        button.setToolTip(text.STOP_HELP.format(draft.other) if name else text.COMPARE_HELP)
        self.read()

    def forget(self) -> None:
        self.scene = self.position = self.output = self.step = None
        self._heads, self.finds = (None, None), False
        super().forget()

    def clear(self) -> None:
        self._examines.stop()
        self.scene = None
        super().clear()

    def why_empty(self) -> str:
        return "" if self.draft.value.text.strip() else text.NO_TEXT

    async def answer(self) -> list[int]:
        self._examines.stop()
        return await self.engine.io(self.source.tokenizer.encode_ids, self.draft.value.text)

    def show_answer(self, answer: list[int]) -> None:
        """Examines the model on the text's tokens."""
        source, draft = self.source, self.draft.value
        if self.scene is not None and not draft.matrix:  # another may have changed most elsewhere
            draft = replace(draft, matrix=self.scene.found.name)
        ids = answer[-(source.config.block_size + 1) :]
        last = len(ids) - 2
        at = last if self.position is None else min(self.position, last)
        self._read = source.address, ids, self.step
        heads = self._heads[1] if self._heads[0] == self._read else None
        where = {"folder": source.address, "step": self.step, "heads": heads}
        asked = partial(compute.examined_steps, **where), ids, draft, max(at, 0)
        job = partial(source.model_steps, *asked)
        self._examines.ask(job, f"looking into {source.name}", is_told=False)

    def _on_examined(self, answer: Any) -> None:
        if not isinstance(answer, tuple):
            self.clear()
            is_method = isinstance(answer, str)
            why = text.unchanged(answer) if is_method else text.nearest([*map(self.piece, answer)])
            self.view.body.show_empty(why)
            self.set_headline(why)
            return
        (found, contents), before = answer, self.scene
        self._heads = self._read, found.heads
        self.scene = Scene(found, contents, self.piece)
        names = [(matrix_name(one.name), one.name) for one in found.strengths]
        self.inputs.matrix.fill(names, found.name)
        self.view.buttons["compare"].setEnabled(found.trace.about["rank"] > 0)
        self.view.set_scene(self.scene)
        is_same = before is not None and len(before.steps) == len(self.scene.steps)
        self._play_pass(keep_position=is_same and not self.finds)

    # display

    def _play_pass(self, *, keep_position: bool = False) -> None:
        """Plays the forward and backward pass."""
        assert self.scene is not None
        self.finds = False
        self.set_tracks([TraceTrack(self.scene.found.trace)], keep_position=keep_position)
        if self.active and not keep_position:
            self.player.seek(self.scene.matrix_step)
        self.on_position(self.player.position)
        self.inspect()

    def play_finding(self) -> None:
        """Plays the steps that find the directions of the change; Esc goes back."""
        if self.scene is not None and self.scene.found.finding is not None:
            self.on_position(self.scene.matrix_step)
            self.finds = True
            self.set_tracks([TraceTrack(self.scene.found.finding)])
            self.inspect()

    @property
    def row(self) -> int:
        """The index of the selected output."""
        assert self.scene is not None
        last = len(self.scene.found.weight) - 1
        return self.scene.largest if self.output is None else min(self.output, last)

    def on_position(self, position: float) -> None:
        if self.scene is not None and not self.finds:
            self.view.set_cursor(position, self.row)

    def inspect(self) -> None:
        step, scene = self.step_shown, self.scene
        if step is None or scene is None:
            return
        if self.finds:
            self.set_headline(step.title)
            self.inspection.emit(inspection_of(step))
            return
        about, changed = scene.found.trace.about, float(scene.found.relative_change[scene.position])
        told = kind_of(step), about, scene.found.name, scene.needed > 0, changed
        self.set_headline(text.headline(*told, scene.token))
        self.inspection.emit(inspection_of(step, scene.cell_of(step, self.row)))
