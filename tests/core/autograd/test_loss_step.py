"""A loss as a Step: what it shows is what its marked line computed."""

import numpy as np
import pytest

from core.autograd.loss_step import LINES, loss_step
from core.autograd.losses import LOSSES
from core.autograd.tensor import Tensor
from tests.core.test_trace import MarkedLines


@pytest.mark.parametrize("name", LOSSES)
def test_the_marked_line_of_each_loss_computed_the_values(name):
    generator = np.random.default_rng(0)
    out = generator.normal(size=(6, 3 if name == "cross-entropy" else 1)) * 3
    targets = generator.integers(0, 2, 6)
    with MarkedLines() as watched:
        loss = LOSSES[name](Tensor(out), targets)
    step = loss_step(name, out, targets)
    (frame,) = watched.locals[step.code]
    assert step.value("loss") == loss.item()
    for key in step.values:
        local = frame[key].data if isinstance(frame[key], Tensor) else frame[key]
        np.testing.assert_array_equal(local, step.value(key))


def test_every_loss_has_a_step_and_another_has_none():
    assert set(LINES) == set(LOSSES)
    with pytest.raises(ValueError, match="hinge"):
        loss_step("huber", np.zeros((2, 1)), [0, 1])
