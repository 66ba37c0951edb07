"""The state of a learner as JSON values, from which training continues exactly.

Weights alone are not enough: the optimizer stores averages of every parameter, and the random
generator has drawn batches. With all three, the next loss is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from core.autograd.operation import Array
from core.optimization.learner import Learner
from core.optimization.optimizers import optimizer_of


@dataclass(frozen=True, eq=False)
class LearnerState:
    """The state after `step` steps: every number of the network, the optimizer state of each
    parameter with its number of updates, and the state of the generator of batches.
    """

    step: int
    optimizer: str
    parameters: Mapping[str, Array]
    running: Mapping[str, Array]
    states: Mapping[str, tuple[Any, int]]
    generator: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Returns the state as JSON values: dicts, lists, numbers and strings."""
        return {
            "step": self.step,
            "optimizer": self.optimizer,
            "parameters": {name: array.tolist() for name, array in self.parameters.items()},
            "running": {name: array.tolist() for name, array in self.running.items()},
            "states": {
                name: [taken, {one.name: np.asarray(getattr(state, one.name)).tolist()
                               for one in fields(state)}]
                for name, (state, taken) in self.states.items()
            },
            "generator": dict(self.generator),
        }  # fmt: skip


def state_of(learner: Learner) -> LearnerState:
    """Returns the current state, without copies: training replaces arrays, never changes them."""
    network = learner.network
    return LearnerState(
        learner.step,
        learner.settings.optimizer,
        {name: tensor.data for name, tensor in network.parameters.items()},
        dict(network.running),
        dict(learner.states),
        dict(learner.generator.bit_generator.state),
    )


def restore(learner: Learner, saved: Mapping[str, Any]) -> bool:
    """Sets a new learner to a state of `to_json`; returns False, unchanged, if it does not fit."""
    try:
        step = _count(saved["step"])
        network = learner.network
        shapes = {name: tensor.shape for name, tensor in network.parameters.items()}
        parameters = _arrays(saved["parameters"], shapes)
        running = _arrays(
            saved["running"], {name: array.shape for name, array in network.running.items()}
        )
        states = {}
        if saved["optimizer"] == learner.settings.optimizer:
            for name, (taken, values) in saved["states"].items():
                states[name] = (_state(learner, shapes[name], values), _count(taken))
        generator = np.random.default_rng()
        generator.bit_generator.state = saved["generator"]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False
    for name, array in parameters.items():
        network.parameters[name].data = array
    network.running |= running
    learner.step, learner.states, learner.generator = step, states, generator
    return True


def _state(learner: Learner, shape: tuple[int, ...], values: Mapping[str, Any]) -> Any:
    """Returns the optimizer state of one parameter of that shape."""
    rule = optimizer_of(learner.settings.optimizer, len(shape))
    kept = {}
    for one in fields(rule.state):
        array = np.array(values[one.name], dtype=np.float64)
        if array.shape not in ((), shape) or not np.isfinite(array).all():
            raise ValueError(f"{one.name} has shape {array.shape}; use {shape}")
        kept[one.name] = array if array.ndim else array.item()
    return rule.state(**kept)


def _arrays(values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    if set(values) != set(shapes):
        raise ValueError("other parameters than this network's; use those of its own shape")
    found = {name: np.array(value, dtype=np.float64) for name, value in values.items()}
    for name, array in found.items():
        if array.shape != shapes[name] or not np.isfinite(array).all():
            raise ValueError(
                f"{name} has shape {array.shape}; use finite numbers of {shapes[name]}"
            )
    return found


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count; use a whole number from 0 up")
    return value
