"""The plain twin of autograd against the engine: random graphs of single numbers."""

import random

import pytest

from core.autograd import Tensor
from core.autograd import functional as F
from core.autograd.plain import Value


def test_it_computes_the_same_values_and_gradients() -> None:
    rng = random.Random(7)
    for _ in range(200):
        numbers = [rng.uniform(-1.5, 1.5) for _ in range(4)]
        plain, ours = [Value(one) for one in numbers], [Tensor(one) for one in numbers]
        for _ in range(12):
            a, b = rng.randrange(len(plain)), rng.randrange(len(plain))
            match rng.choice(["+", "*", "**", "exp", "tanh", "relu"]):
                case "+":
                    made = plain[a] + plain[b], ours[a] + ours[b]
                case "*":
                    made = plain[a] * plain[b], ours[a] * ours[b]
                case "**":
                    power = rng.randint(1, 3)
                    made = plain[a] ** power, ours[a] ** power
                case "exp":
                    made = plain[a].tanh().exp(), F.exp(F.tanh(ours[a]))
                case "tanh":
                    made = plain[a].tanh(), F.tanh(ours[a])
                case "relu":
                    made = plain[a].relu(), F.relu(ours[a])
            plain.append(made[0])
            ours.append(made[1])
        plain[-1].backward()
        ours[-1].backward()
        for one, other in zip(plain, ours):
            assert one.data == pytest.approx(other.item(), rel=1e-12)
            assert one.grad == pytest.approx(0.0 if other.grad is None else other.grad.item())


def test_a_value_that_is_used_twice_gets_both_gradients() -> None:
    a = Value(3.0)
    (a * a + a).backward()
    assert a.grad == 7.0  # by hand: 2a + 1
