"""Backpropagation on one page, for single numbers: a value stores its inputs and a function that
passes its gradient back to them.

`Tensor` computes the same and also handles arrays, graphs of any depth, and gradients recorded edge
by edge. This file follows Karpathy's micrograd (2020) and is as short.

Source: Baydin et al. 2018, "Automatic Differentiation in Machine Learning", section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable


class Value:
    """A number `data`; after `backward` of L, `grad` is dL/d(data)."""

    def __init__(self, data: float, inputs: tuple[Value, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.inputs = inputs
        self.hand_back: Callable[[], None] = lambda: None  # a leaf has no inputs

    def __add__(self, other: Value) -> Value:
        out = Value(self.data + other.data, (self, other))  # step: forward

        def hand_back() -> None:
            self.grad += out.grad  # step: grad_a
            other.grad += out.grad  # step: grad_b

        out.hand_back = hand_back
        return out

    def __mul__(self, other: Value) -> Value:
        out = Value(self.data * other.data, (self, other))  # step: forward

        def hand_back() -> None:
            self.grad += out.grad * other.data  # step: grad_a
            other.grad += out.grad * self.data  # step: grad_b

        out.hand_back = hand_back
        return out

    def __pow__(self, power: float) -> Value:
        out = Value(self.data**power, (self,))  # step: forward

        def hand_back() -> None:
            self.grad += out.grad * power * self.data ** (power - 1)  # step: grad_a

        out.hand_back = hand_back
        return out

    def exp(self) -> Value:
        out = Value(math.exp(self.data), (self,))  # step: forward

        def hand_back() -> None:
            self.grad += out.grad * out.data  # step: grad_a

        out.hand_back = hand_back
        return out

    def tanh(self) -> Value:
        out = Value(math.tanh(self.data), (self,))  # step: forward

        def hand_back() -> None:
            self.grad += out.grad * (1 - out.data**2)  # step: grad_a

        out.hand_back = hand_back
        return out

    def relu(self) -> Value:
        out = Value(max(self.data, 0.0), (self,))  # step: forward

        def hand_back() -> None:
            self.grad += out.grad * (self.data > 0)  # step: grad_a

        out.hand_back = hand_back
        return out

    def backward(self) -> None:
        """Computes `grad` of every value that this one, L, depends on, from last to first."""
        order: list[Value] = []

        def visit(value: Value) -> None:
            if value not in order:
                for before in value.inputs:
                    visit(before)
                order.append(value)

        visit(self)
        self.grad = 1.0  # dL/dL  # step: seed
        for value in reversed(order):
            value.hand_back()
