"""Snapshot views of the GPT mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import kind_of
from explorer.panes.backprop.gpt.scene import Cell

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode


def views(mode: GPTMode) -> dict[str, Callable[[], Any]]:
    def at(
        kind: str, which: int, backward: bool = True, before: float = 0.0, pins: bool = False
    ) -> Callable[[], Any]:
        """Goes to an operation of a kind; `pins` the largest number that flows back from it."""

        async def bring() -> None:
            await mode.settled()
            worked = mode.worked
            if worked is None:
                return
            if mode.pinned is not None:
                mode.pin(mode.pinned)
            while mode.player.leave():
                pass
            nodes = [n for n in range(len(worked.graph.nodes)) if kind_of(worked.graph, n) == kind]
            operation = worked.operation_of(nodes[which])
            place = worked.first_played(operation.number, backward)
            mode.player.seek((place or 0) - before)
            if pins:
                mode.pin(strongest_cell(worked, ("flow", operation.reads[0]), mode.head))

        return bring

    def highway() -> None:
        if mode.worked is not None:
            mode.go_to_place(1, mode.worked.n_tokens - 1)

    async def edges() -> None:
        await at("MatMul", 3)()
        mode.player.enter()
        mode.player.seek(2)

    return {
        "scores-forward": at("MatMul", 1, backward=False),
        "edges": edges,
        "softmax": at("Softmax", 1, before=0.5),
        "softmax-cell": at("Softmax", 1, pins=True),
        "layer-norm": at("Normalize", 2, pins=True),
        "cross-entropy": at("CrossEntropy", 0, pins=True),
        "matmul": at("MatMul", 3, pins=True),
        "highway": highway,
    }


def strongest_cell(worked: Worked, what: tuple[Any, ...], head: int) -> Cell | None:
    """Returns the largest number of an array in magnitude."""
    array = worked.array(what)
    if array is None:
        return None
    matrix = np.abs(np.nan_to_num(worked.plane(what, head).of(array)))
    row, column = np.unravel_index(int(matrix.argmax()), matrix.shape)
    return Cell(what, head, int(row), int(column))
