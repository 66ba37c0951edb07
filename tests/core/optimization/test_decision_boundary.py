"""The decision boundary lies where the map is 0."""

import numpy as np

from core.optimization.decision_boundary import decision_boundary


def test_the_boundary_lies_where_the_map_is_zero():
    line = np.linspace(-1, 1, 80)
    x, y = np.meshgrid(line, line)
    found = decision_boundary(x**2 + y**2 - 0.25) * 2 - 1
    radius = np.hypot(found[:, [0, 2]], found[:, [1, 3]])
    np.testing.assert_allclose(radius, 0.5, atol=2e-3)
    assert len(decision_boundary(np.ones((5, 5)))) == 0
    assert len(decision_boundary(np.array([[1.0, -1.0], [-1.0, 1.0]]))) == 2
