"""The numbers on screen in Expression, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, digest, path, table

if TYPE_CHECKING:
    from explorer.panes.backprop.expression.mode import ExpressionMode


def readings(mode: ExpressionMode) -> Iterator[Reading]:
    """Yields each element's value and gradient in the graph, then what the two cards show."""
    computed, graph = mode.computed, mode.view.graph
    if computed is None or graph.scene is None or not mode.is_readable:
        return
    values = {name: value.tolist() for name, value in computed.values.items()}
    of = f"expression:{digest([computed.text, values])}"
    yield from below(VIEW, {"inputs": len(computed.leaves), "nodes": len(computed.graph.nodes)})
    yield from table(path(VIEW, "node"), graph.as_columns(), "name")
    yield path(of, "result"), computed.result
    if mode.player.step == mode.player.length - 1:
        for name, node in computed.leaves.items():
            gradient = computed.gradient(node)
            if gradient is not None and gradient.size == 1:
                yield path(of, f"gradient:{name}"), gradient.item()
    if (what := mode.trial.what) is not None and what.computed is computed:
        nudge = {"nudge": what.nudge, "predicted": what.predicted, "true": what.true}
        yield from below(path(VIEW, f"nudged:{what.called}"), nudge)
        yield path(of, "result"), what.result
        yield path(of, f"gradient:{what.called}"), what.gradient
    losses = next(reversed(mode.view.learn.losses.displayed().values()), None)
    if losses is not None and len(losses):
        yield path(of, "result"), float(losses[-1])
        yield path(VIEW, "learning_rate"), mode.draft.value.rate
