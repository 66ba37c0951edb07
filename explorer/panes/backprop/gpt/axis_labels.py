"""Labels of an array's rows and columns: tokens, pieces of the vocabulary, dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.matrix_view import Plane
from explorer.panes.backprop.gpt.operations import kind_of
from explorer.widgets.base import visible_text

TABLES = ("wte.weight", "lm_head.weight")  # one row per piece of the vocabulary
MAPS = ("scores", "scaled", "masked", "weights")  # queries by keys


@dataclass(frozen=True)
class Axes:
    """The kinds of rows and columns: "token", "key", "piece", "position" or "dimension"."""

    worked: Worked
    rows: str
    columns: str

    def row(self, index: int) -> str:
        return self._text(self.rows, index)

    def column(self, index: int) -> str:
        return self._text(self.columns, index)

    def label(self, row: int) -> str:
        """Returns the token of a row, without its number."""
        return visible_text(self.worked.example.labels[row])

    def _text(self, kind: str, index: int) -> str:
        example = self.worked.example
        if kind in ("token", "key") and index < len(example.labels):
            word = "token" if kind == "token" else "attending to token"
            return f"{word} {index} \u201c{visible_text(example.labels[index])}\u201d"
        if kind == "piece":
            return f"piece \u201c{visible_text(example.piece(index))}\u201d"
        return f"{kind} {index}"


def axes_of(worked: Worked, what: tuple[Any, ...]) -> Axes:
    """Returns the axes of an array, identified as in `Worked.array`."""
    node, T = worked.node_of(what), worked.n_tokens
    rows, columns = _kinds(worked, node)
    size = Plane(worked.value(node).shape, worked.axes[node]).size
    if size[0] == 1 and rows == "token" and T > 1:
        rows = "row"
    return Axes(worked, rows, columns)


def _kinds(worked: Worked, number: int) -> tuple[str, str]:
    node = worked.graph.nodes[number]
    label, kind = node.label, kind_of(worked.graph, number)
    if node.is_leaf:
        if label in TABLES:
            return "piece", "dimension"
        return ("position" if label == "wpe.weight" else "dimension"), "dimension"
    before = node.inputs[0]
    if kind == "Transpose" and not node.tensor.name:
        rows, columns = _kinds(worked, before)
        swapped = node.tensor.operation.axes[-1] != node.tensor.ndim - 1  # type: ignore[union-attr]
        whole = worked.axes[number] == worked.axes[before]
        return (columns, rows) if swapped and whole else (rows, columns)
    if label.rpartition(".")[2] in MAPS:
        return "token", "key"
    if label == "logits" or (kind == "Reshape" and worked.graph.nodes[before].label == "logits"):
        return "token", "piece"
    return "token", "dimension"
