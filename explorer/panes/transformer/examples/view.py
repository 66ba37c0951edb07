"""The example lines, a bar for each number of examples, and the text that the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from explorer.panes.prompt_inputs import ModelInputs
from explorer.panes.transformer.examples import text
from explorer.panes.transformer.examples.draft import KNOWN, LOOKED_UP, MOST, ExamplesDraft
from explorer.widgets.bar_table import BarRow, BarTable
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row
from explorer.widgets.drop_down import DropDown
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.text_input import TextInput
from explorer.widgets.token_flow import TokenFlow
from explorer.widgets.tokens import tokens_of
from explorer.widgets.wrap_row import labelled

if TYPE_CHECKING:
    from core.inference.few_shot import Shot


class ExamplesInputs(ModelInputs):
    """Emits `task.picked(lines)` and `form.picked(name)`."""

    def __init__(self) -> None:
        self.task, self.form = DropDown(text.TASK), DropDown(text.FORM)
        controls = labelled(text.TASK, self.task), labelled(text.FORM, self.form)
        super().__init__("transformer.examples", *controls)
        name_parts(self, "transformer.examples", "task", "form")

    def set_draft(self, draft: ExamplesDraft) -> None:
        larger = [(text.LARGER.format(name), lines) for name, lines in KNOWN.items()]
        tasks = [*LOOKED_UP.items(), *larger]
        own = [] if draft.lines in dict(map(reversed, tasks)) else [(text.OWN, draft.lines)]
        self.task.fill([*tasks, *own], draft.lines)
        self.form.fill([*text.FORM_NAMES.items()], draft.form)


class ExamplesView(QWidget):
    """Emits `lines.rested` when the user stops typing, and `bars.picked(row)`."""

    def __init__(self) -> None:
        super().__init__()
        self.lines, self.read = TextInput(MOST), TokenFlow(text.READS)
        self.bars = BarTable(text.BARS, text.COLUMNS, text.CLICK, linear=True, bar=0.44)
        self.lines.setAccessibleName(text.LINES)
        name_parts(self, "transformer.examples", "lines", "bars", "read")
        self.body = StatefulPicture(self.bars, "lines")
        self.real = push_button("", text.REAL_HELP, "primary")
        self.real.setObjectName("transformer.examples.real")
        self.real.hide()
        lines = card(Label(text.LINES, "label", "muted", wrap=True), (self.lines, 1))
        below = card(Label(text.READS, "label", "muted"), (self.read, 1))
        shown = column((card((self.body, 1), row(self.real, 1)), 2), (below, 3))
        page((row((lines, 2), (shown, 5), spacing=16), 1), of=self)

    def show_shots(self, shots: Sequence[Shot], at: int, tokenizer: Any) -> None:
        """Shows a row for each number of examples, and the text of one, with its answer framed."""
        rows = [BarRow(text.name(one), one.probability, text.cells(one)) for one in shots]
        if rows != self.bars.scene:
            self.bars.set_scene(rows)
        shot = shots[at]
        self.bars.set_chosen(text.name(shot))
        tokens = tokens_of(shot.text.encode(), shot.ids, shot.spans, tokenizer)
        start = int(tokens.starts[shot.answer_at])
        self.read.set_tokens(tokens)
        self.read.set_marked(start, len(tokens.data))
        self.read.scroll_to(start)
        self.body.show_ready()
