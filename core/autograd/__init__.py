"""Automatic differentiation from scratch on NumPy: one engine, from scalars to a GPT.

Read in this order: plain (the idea on one page, for single numbers), operation, arithmetic,
functions, reductions, shapes, layers, tensor, functional; filling, mistakes, grammar, naming,
expression (formulas that the user types); graph, flows, paths, backprop_trace, step_plan,
gradient_check, nudging; then networks to train: initialization, mlp, losses, loss_step, datasets.
"""

from core.autograd.backprop_trace import Place, places_of, step_at, trace_backprop, trace_graph
from core.autograd.expression import Expression, Parts, expression, parse
from core.autograd.flows import Flows, flows_of
from core.autograd.gradient_check import (
    Checked,
    NumericGradient,
    gradient_check,
    numeric_gradient,
)
from core.autograd.grammar import ExpressionError
from core.autograd.graph import Graph, Node, called_by_value, graph_like, graph_of
from core.autograd.naming import parted
from core.autograd.nudging import (
    are_single_after,
    graph_if,
    numeric_gradient_of,
    output_if,
    outputs_if,
)
from core.autograd.step_plan import StepPlan, plan_of
from core.autograd.tensor import Tensor, apply, topological_order, zero_grad

__all__ = [
    "Checked",
    "Expression",
    "ExpressionError",
    "Flows",
    "Graph",
    "Node",
    "NumericGradient",
    "Parts",
    "Place",
    "StepPlan",
    "Tensor",
    "apply",
    "are_single_after",
    "called_by_value",
    "expression",
    "flows_of",
    "gradient_check",
    "graph_if",
    "graph_like",
    "graph_of",
    "numeric_gradient",
    "numeric_gradient_of",
    "output_if",
    "outputs_if",
    "parse",
    "parted",
    "places_of",
    "plan_of",
    "step_at",
    "topological_order",
    "trace_backprop",
    "trace_graph",
    "zero_grad",
]
