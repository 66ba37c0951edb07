"""Optimization: how gradients become better weights, and how fast.

Read in this order: adamw, schedules.
"""

from core.optimization.adamw import AdamWSettings, AdamWState, check_groups, decay_groups, update
from core.optimization.schedules import learning_rate_at

__all__ = [
    "AdamWSettings",
    "AdamWState",
    "check_groups",
    "decay_groups",
    "learning_rate_at",
    "update",
]
