"""The states that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import kind_of
from explorer.panes.backprop.gpt.scene import Cell

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode


def views(mode: GPTMode) -> dict[str, Callable[[], Any]]:
    def backward(kind: str, which: int, before: float, cell: str = "") -> Callable[[], Any]:
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
            place = worked.first_played(operation.number, True)
            mode.player.seek((place or 0) - before)
            if cell:
                edge = operation.reads[0]
                mode.pin(strongest_cell(worked, ("flow", edge), mode.head))

        return bring

    async def forward() -> None:
        await mode.settled()
        worked = mode.worked
        if worked is not None:
            while mode.player.leave():
                pass
            node = next(n for n, o in enumerate(worked.graph.nodes) if o.label.endswith(".scores"))
            mode.player.seek(worked.first_played(worked.operation_of(node).number, False) or 0)

    def highway() -> None:
        if mode.worked is not None:
            mode.go_to_place(1, mode.worked.n_tokens - 1)

    async def edges() -> None:
        await backward("MatMul", 3, 0.0)()
        mode.player.enter()
        mode.player.seek(2)

    return {
        "scores-forward": forward,
        "edges": edges,
        "softmax": backward("Softmax", 1, 0.5),
        "softmax-cell": backward("Softmax", 1, 0.0, "share"),
        "layer-norm": backward("Normalize", 2, 0.0, "share"),
        "cross-entropy": backward("CrossEntropy", 0, 0.0, "share"),
        "matmul": backward("MatMul", 3, 0.0, "share"),
        "highway": highway,
    }


def strongest_cell(worked: Worked, what: tuple[Any, ...], head: int) -> Cell | None:
    """The number of an array that is largest in size."""
    import numpy as np

    array = worked.array(what)
    if array is None:
        return None
    matrix = np.abs(np.nan_to_num(worked.plane(what, head).of(array)))
    row, column = np.unravel_index(int(matrix.argmax()), matrix.shape)
    return Cell(what, head, int(row), int(column))
