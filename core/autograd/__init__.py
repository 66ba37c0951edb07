"""Derivatives of anything that is computed, from scratch on NumPy: one engine, scalars to a GPT.

Read in this order: operation, arithmetic, functions, reductions, shapes, layers, tensor,
functional, expression, graph, backprop_trace, gradient_check; then networks to learn with:
initialization, mlp, losses, datasets.
"""

from core.autograd.backprop_trace import Place, trace_backprop
from core.autograd.expression import Expression, ExpressionError, expression, parse
from core.autograd.gradient_check import Checked, gradient_check, numeric_gradient
from core.autograd.graph import Graph, Node, graph_of
from core.autograd.tensor import Tensor, apply, topological_order, zero_grad

__all__ = [
    "Checked",
    "Expression",
    "ExpressionError",
    "Graph",
    "Node",
    "Place",
    "Tensor",
    "apply",
    "expression",
    "gradient_check",
    "graph_of",
    "numeric_gradient",
    "parse",
    "topological_order",
    "trace_backprop",
    "zero_grad",
]
