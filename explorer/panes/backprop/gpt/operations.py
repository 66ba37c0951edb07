"""The graph of a GPT as a list of operations, named and grouped for the reader. No Qt.

A transpose, reshape or slice without a name is only notation: it belongs to the operation that
reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.autograd import Graph
from core.autograd.flows import Edge

PARTIAL = "\u2202"
NORMALIZED = "x\u0302"  # as in the layer norm paper
BY_HEADS, BY_TOKENS = " by head", " by token"  # of the order of axes
CARRIERS = ("Transpose", "Reshape", "Slice")  # they only rearrange numbers
_BLOCK = re.compile(r"^h\.(\d+)\.(?:(attn|mlp)\.)?(.+)$")
_RESIDUAL = re.compile(r"^residual\.(\d+)$")

# label within its part of the block -> name of the operation
NAMES = {
    "ln_1": "multiply by gain",
    "ln_2": "multiply by gain",
    "ln_f": "multiply by gain",
    "attn.c_attn": "QKV projection",
    "attn.q": "queries q",
    "attn.k": "keys k",
    "attn.v": "values v",
    "attn.scores": "scores q k\u1d40",
    "attn.scaled": "scale by 1/\u221aD",
    "attn.masked": "mask the future",
    "attn.weights": "softmax",
    "attn.heads": "weights \u00d7 v",
    "attn.c_proj": "output projection",
    "resid_mid": "residual connection",
    "mlp.c_fc": "up-projection",
    "mlp.activation": "activation",
    "mlp.c_proj": "down-projection",
    "token embeddings": "token embeddings",
    "position embeddings": "position embeddings",
    "residual.0": "residual stream",
    "logits": "logits",
    "loss": "cross-entropy loss",
}


@dataclass(frozen=True)
class Operation:
    """One row of the list.

    node    the node whose value it computes; `nodes` are it and its carriers, in order
    group   its group in the list: ("Block 0", "Attention")
    reads   for each displayed input the edge along which its contribution flows back to another
            operation
    """

    number: int
    node: int
    nodes: tuple[int, ...]
    name: str
    group: tuple[str, ...]
    reads: tuple[Edge, ...]


def operations_of(graph: Graph) -> tuple[Operation, ...]:
    """Returns every operation of the graph in the order of computation."""
    readers = _readers(graph)
    owner = {n: _owner(graph, readers, n) for n, node in enumerate(graph.nodes) if node.inputs}
    members: dict[int, list[int]] = {}
    for number, main in owner.items():
        members.setdefault(main, []).append(number)
    found = []
    for main in sorted(members):
        nodes = tuple(sorted(members[main]))
        reads = _reads(graph, main, set(nodes))
        group, name = _named(graph, readers, main)
        found.append(Operation(len(found), main, nodes, name, group, reads))
    return tuple(found)


def kind_of(graph: Graph, number: int) -> str:
    return type(graph.nodes[number].tensor.operation).__name__


def is_copied(graph: Graph, number: int, place: int) -> bool:
    """True if an input was broadcast: each of its numbers is used for every token, or more."""
    node = graph.nodes[number]
    return graph.nodes[node.inputs[place]].tensor.data.size < node.tensor.data.size


def copied_input(graph: Graph, number: int) -> int | None:
    """Returns the broadcast input of a sum or a product: a bias, a gain; None if there is none."""
    if kind_of(graph, number) not in ("Add", "Multiply"):
        return None
    places = range(len(graph.nodes[number].inputs))
    return next((place for place in places if is_copied(graph, number, place)), None)


def _readers(graph: Graph) -> list[int]:
    """Returns the first node that reads each node; the last node itself."""
    first = list(range(len(graph.nodes)))
    for number in range(len(graph.nodes) - 1, -1, -1):
        for before in graph.nodes[number].inputs:
            first[before] = number
    return first


def _owner(graph: Graph, readers: list[int], number: int) -> int:
    """Returns the operation that a node belongs to: itself, or a nameless carrier's reader."""
    while not graph.nodes[number].tensor.name and kind_of(graph, number) in CARRIERS:
        number = readers[number]
    return number


def _reads(graph: Graph, main: int, nodes: set[int]) -> tuple[Edge, ...]:
    """Returns the input edges to display; those of a named carrier skip its nameless carriers."""
    edges: list[Edge] = [(main, place) for place in range(len(graph.nodes[main].inputs))]
    if kind_of(graph, main) not in CARRIERS:
        return tuple(edges)
    node, place = edges[0]
    while (before := graph.nodes[node].inputs[place]) in nodes and graph.nodes[before].inputs:
        node, place = before, 0
    return ((node, place),)


def _named(graph: Graph, readers: list[int], number: int) -> tuple[tuple[str, ...], str]:
    """Returns group and name; a nameless operation belongs to the first named one after it."""
    label, seen = graph.nodes[number].label, number
    while not graph.nodes[seen].tensor.name and readers[seen] != seen:
        seen = readers[seen]
    whole = graph.nodes[seen].label
    group, key = _place(whole)
    return group, _step_name(graph, number) or NAMES.get(key, label)


def _step_name(graph: Graph, number: int) -> str:
    """Returns the name of a part of a norm or of a linear layer; "" for any other operation."""
    kind, node = kind_of(graph, number), graph.nodes[number]
    reads = [graph.nodes[before].label for before in node.inputs]
    if kind == "Normalize":
        return "normalize"
    if kind == "Multiply" and reads[-1].endswith(".weight"):
        return "multiply by gain"
    if kind == "Add" and reads[-1].endswith(".bias"):
        return "add bias"
    if kind == "Add" and "embeddings" not in reads[-1]:
        return NAMES["resid_mid"]
    return ""


def _place(label: str) -> tuple[tuple[str, ...], str]:
    """Returns the group of a named node, and its key in NAMES."""
    if match := _BLOCK.match(label):
        block, part, name = match[1], match[2], match[3]
        key = f"{part}.{name}" if part else name
        if part or name == "resid_mid":
            return (f"Block {block}", "MLP" if part == "mlp" else "Attention"), key
        return (f"Block {block}", "Norm 1" if name == "ln_1" else "Norm 2"), key
    if match := _RESIDUAL.match(label):
        place = int(match[1])
        if place:
            return (f"Block {place - 1}", "MLP"), "resid_mid"
        return ("Embedding",), label
    if "embeddings" in label:
        return ("Embedding",), label
    return ("Output",), label


def short(graph: Graph, number: int) -> str:
    """Returns a node's name without its block; for a carrier, what it rearranges."""
    node = graph.nodes[number]
    if not node.tensor.requires_grad and not node.inputs:
        return "1/\u221aD"  # the only constant of a GPT
    if node.tensor.name or not node.inputs:
        return _short_label(node.label)
    before = short(graph, node.inputs[0])
    kind = kind_of(graph, number)
    if kind == "Transpose":
        axes = node.tensor.operation.axes  # type: ignore[union-attr]
        swapped = axes[-2:] == (len(axes) - 1, len(axes) - 2)
        return f"{before}\u1d40" if swapped else f"{before}{BY_TOKENS}"
    if kind == "Reshape" and node.tensor.ndim == 5:
        return f"{before}{BY_HEADS}"
    if kind == "Reshape" and node.tensor.ndim == 3:
        return f"joined {before.removesuffix(BY_TOKENS)}"
    if kind in ("MatMul", "Multiply", "Add"):
        return f"{_short_label(graph.nodes[_reader(graph, number)].label)} before bias"
    whole = before.removesuffix(BY_HEADS)
    named = {"Reshape": before, "Slice": f"part of {whole}", "Normalize": f"normalized {before}"}
    return named.get(kind, node.label)


def letter(graph: Graph, number: int) -> str:
    """Returns a node's name in formulas, as plain text."""
    name = short(graph, number)
    if name == "loss":
        return "L"
    return NORMALIZED if name.startswith("normalized") else name


def slope(graph: Graph, number: int) -> str:
    """Returns dL/d(node) as plain text."""
    return f"{PARTIAL}L/{PARTIAL}{letter(graph, number)}"


def _reader(graph: Graph, number: int) -> int:
    """Returns the first named node that is computed from a node."""
    names = (n for n in range(number, len(graph.nodes)) if graph.nodes[n].tensor.name)
    return next((n for n in names if graph.nodes[n].inputs), number)


def _short_label(label: str) -> str:
    match = _BLOCK.match(label)
    if match is None:
        return "residual" if _RESIDUAL.match(label) else label
    return "mid residual" if match[3] == "resid_mid" else match[3]
