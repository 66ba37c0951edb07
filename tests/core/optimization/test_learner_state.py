"""A learner continues from its saved state as if it had never stopped."""

import json

import numpy as np
import pytest

from core.autograd.datasets import dataset
from core.autograd.mlp import MLPConfig
from core.optimization.learner import Learner, LearnerSettings
from core.optimization.learner_state import restore, state_of
from core.optimization.optimizers import OPTIMIZERS


def learner(hidden: int = 6, **settings) -> Learner:
    data = dataset("moons", 80, 0.05, np.random.default_rng(1))
    train, test = data.split(0.75, np.random.default_rng(2))
    config = MLPConfig((2, hidden, 1), norm="batch")
    return Learner.start(config, train, test, LearnerSettings(batch_size=8, **settings), seed=0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_continues_to_the_last_bit(name):
    one, again = learner(optimizer=name), learner(optimizer=name)
    for _ in range(5):
        one.learn()
    assert restore(again, json.loads(json.dumps(state_of(one).to_json())))
    assert again.step == 5
    assert [again.learn().loss for _ in range(5)] == [one.learn().loss for _ in range(5)]


def test_what_does_not_fit_changes_nothing():
    one, other = learner(), learner(hidden=4)
    one.learn()
    saved = state_of(one).to_json()
    before = state_of(other).to_json()
    for bad in (saved, {}, {**before, "step": -1}, {**before, "generator": {"state": 1}}):
        assert not restore(other, bad)
        assert state_of(other).to_json() == before
