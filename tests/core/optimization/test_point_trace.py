"""One point through a network: every tensor has its role, and the loss is that of the point."""

import numpy as np
import pytest

from core.autograd.datasets import dataset
from core.autograd.mlp import MLPConfig
from core.optimization.learner import Learner, LearnerSettings
from core.optimization.point_trace import Role, trace_point


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("data", ["moons", "yin-yang", "plane"])
def test_each_part_of_the_network_is_found(data, norm):
    points = dataset(data, 40, 0.05, np.random.default_rng(1))
    train, test = points.split(0.75, np.random.default_rng(2))
    config = MLPConfig((2, 4, 3, 3 if points.classes > 2 else 1), norm=norm)
    learner = Learner.start(config, train, test, LearnerSettings(penalty="l2"), seed=0)
    trace, roles = trace_point(learner, (0.25, -0.5), 1.0)
    nodes = trace.about["graph"].nodes
    assert len(roles) == len(nodes) and roles[-1] == Role("loss", 4)
    for column in (1, 2, 3):
        weight = nodes[roles.index(Role("weight", column))].tensor
        np.testing.assert_array_equal(
            weight.data, learner.network.parameters[f"{column - 1}.weight"].data
        )
        assert nodes[roles.index(Role("out", column))].tensor.name in (f"a{column}", f"z{column}")
    assert any(role.kind == "norm" for role in roles) == (norm != "none")
    out = learner.network.detached()(np.array([[0.25, -0.5]]))
    np.testing.assert_allclose(nodes[roles.index(Role("out", 3))].tensor.data, out.data)
