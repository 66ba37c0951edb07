"""The numbers on screen in GPT, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, model_of, path, text_of

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode


def readings(mode: GPTMode) -> Iterator[Reading]:
    """Yields the loss of the text, token by token, and the operation with its chosen number."""
    worked, played, scene = mode.worked, mode.played, mode.view.stage.scene
    if worked is None:
        return
    of = path(model_of(worked.model, worked.step or 0), text_of(worked.example.ids))
    yield path(of, "tokens"), len(worked.example.ids)
    yield path(of, "loss"), worked.explained.loss.item()
    for token, loss in enumerate(worked.losses.tolist(), 1):
        yield path(of, f"token:{token}", "surprise"), loss
    yield path(VIEW, "disagreement"), worked.explained.disagreement
    if played is None or scene is None:
        return
    operation = worked.operations[played.operation]
    yield from below(VIEW, {"phase": played.phase, "operation": operation.name})
    yield path(VIEW, "group"), " ".join(operation.group)
    if (cell := mode.pinned) is not None and (array := worked.array(cell.what)) is not None:
        matrix = worked.plane(cell.what, cell.head).of(array)
        yield path(VIEW, "cell"), float(matrix[cell.row, cell.column])
