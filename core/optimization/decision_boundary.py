"""The decision boundary of a classifier: short lines where its output over the plane is 0."""

from __future__ import annotations

import numpy as np

from core.autograd.operation import Array


def decision_boundary(values: Array) -> Array:
    """Returns lines (n, 4) of x1, y1, x2, y2 in 0 to 1 along which `values` (R, R) are 0.

    Marching squares: in each square of four neighbors, the zero crossings on its sides are joined.
    """
    values = np.nan_to_num(np.asarray(values, dtype=np.float64), posinf=1e300, neginf=-1e300)
    above = values > 0
    rows, columns = values.shape
    corners = (values[:-1, :-1], values[:-1, 1:], values[1:, 1:], values[1:, :-1])
    signs = (above[:-1, :-1], above[:-1, 1:], above[1:, 1:], above[1:, :-1])
    mixed = np.logical_or.reduce([signs[0] != sign for sign in signs[1:]])
    y, x = np.nonzero(mixed)
    if not len(x):
        return np.zeros((0, 4))
    corner = np.stack([part[mixed] for part in corners])  # (4, n)
    sign = np.stack([part[mixed] for part in signs])
    # Sides in order: top, right, bottom, left; for each, the crossing as a share of its length.
    following = np.roll(corner, -1, axis=0)
    crosses = sign != np.roll(sign, -1, axis=0)
    with np.errstate(all="ignore"):
        share = np.where(crosses, corner / (corner - following), 0.0)
    share = np.clip(np.nan_to_num(share, nan=0.5), 0.0, 1.0)
    ones, zeros = np.ones_like(share[0]), np.zeros_like(share[0])
    across = np.stack([share[0], ones, 1 - share[2], zeros]) + x
    down = np.stack([zeros, share[1], ones, 1 - share[3]]) + y
    found = []
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)):
        both = crosses[first] & crosses[second]
        if (first, second) in ((0, 2), (1, 3)):  # at a saddle, adjacent sides are joined instead
            both &= crosses.sum(0) == 2
        elif first % 2 == 1:
            both &= crosses.sum(0) == 2  # at a saddle: top with right, bottom with left
        ends = (across[first], down[first], across[second], down[second])
        found.append(np.stack([end[both] for end in ends], 1))
    lines = np.concatenate(found)
    return lines / [columns - 1, rows - 1, columns - 1, rows - 1]
