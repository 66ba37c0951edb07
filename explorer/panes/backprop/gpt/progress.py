"""How far the player has got: which operations have their value, which places their gradient."""

from __future__ import annotations

from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.moments import Moment


def states_at(worked: Worked, moment: Moment) -> list[str]:
    """For each operation "", "forward" (its value is there) or "backward" (it has handed on)."""
    count = len(worked.operations)
    if moment.phase == "forward":
        return ["forward" if n <= moment.operation else "" for n in range(count)]
    if moment.phase == "seed":
        return ["forward"] * count
    return ["backward" if n >= moment.operation else "forward" for n in range(count)]


def highway_at(worked: Worked, moment: Moment) -> tuple[int, int | None]:
    """The lowest place of the residual stream that has its gradient, and the one on the stage."""
    nodes, config = worked.graph.nodes, worked.explained.model.config
    where = {
        int(node.label.partition(".")[2]): number
        for number, node in enumerate(nodes)
        if node.label.startswith("residual.")
    }
    here = next((place for place, node in where.items() if node == moment.node), None)
    if moment.phase in ("forward", "seed"):
        return config.n_layer + 1, here
    done = moment.operation
    reached = [p for p, node in where.items() if worked.operation_of(node).number >= done]
    return min(reached, default=config.n_layer + 1), here
