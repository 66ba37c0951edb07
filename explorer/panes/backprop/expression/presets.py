"""Ready-made formulas, each of which teaches one idea."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """A title, the formula, and values for its names."""

    id: str
    title: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)


NEURON = Example(
    "neuron",
    "A neuron: tanh of a weighted sum",
    "o = tanh(w1*x1 + w2*x2 + b)",
    {"w1": -3.0, "x1": 2.0, "w2": 1.0, "x2": 0.0, "b": 6.8813735870195432},
)

EXAMPLES = (
    NEURON,
    Example("product", "One multiplication", "L = a * b", {"a": 2.0, "b": -3.0}),
    Example("twice", "A value used twice: a + a", "b = a + a\nL = b * a", {"a": 3.0}),
    Example(
        "error",
        "A squared error",
        "prediction = w*x + b\nloss = (y - prediction)**2",
        {"w": 0.5, "x": 1.5, "b": -1.0, "y": 1.5},
    ),
    Example(
        "entropy",
        "Softmax and cross-entropy of two scores",
        "p = exp(s1) / (exp(s1) + exp(s2))\nloss = -log(p)",
        {"s1": 0.5, "s2": 2.0},
    ),
    Example(
        "matrices",
        "A layer with matrices",
        "W = [[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8]]\n"
        "x = [1.0, 2.0]\n"
        "h = tanh(W @ x + b)\n"
        "loss = mean((h - y)**2)",
        {"b": [0.1, -0.2, 0.3], "y": [1.0, 0.0, 0.5]},
    ),
    Example(
        "shapes",
        "Two layers with random weights",
        "x = randn(1, 3)\nW1 = randn(3, 2)\nb1 = zeros(2)\nh = tanh(x @ W1 + b1)\n"
        "W2 = randn(2, 2)\nloss = mean((h @ W2 - y)**2)",
        {"y": [[1.0, -1.0]]},
    ),
    Example(
        "attention",
        "Attention: values averaged with softmax weights",
        "s = [[1.0, 0.2, -0.5]]\nv = [[0.5, 2.0], [1.0, -1.0], [-0.3, 0.4]]\n"
        "a = softmax(s)\nloss = sum((a @ v - y)**2)",
        {"y": [[1.0, 0.0]]},
    ),
    Example(
        "micrograd",
        "The example from micrograd's README",
        "a = -4.0\nb = 2.0\nc = a + b\nd = a * b + b**3\nc = c + c + 1\n"
        "c = c + 1 + c + (-a)\nd = d + d * 2 + relu(b + a)\nd = d + 3 * d + relu(b - a)\n"
        "e = c - d\nf = e**2\ng = f / 2.0\ng = g + 10.0 / f",
    ),
    Example(
        "infinite",
        "An infinite loss: the logarithm of 0",
        "loss = -log(p) * w",
        {"p": 0.0, "w": 2.0},
    ),
)
