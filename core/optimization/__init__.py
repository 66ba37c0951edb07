"""Optimization: how gradients become better weights, and how fast.

Read in this order: rule (what an optimizer is), then one rule a file, each of which adds one
thought to those before: sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, lion, muon; the
list of them in optimizers; groups (what shrinks); torch_optimizer (any rule as torch wants it; the
only file that loads torch); schedules. To look at them: optimizer_trace (one step, line by line),
surfaces and typed_surface (landscapes), stationary (where they are level), curvature (why SGD
cannot go faster), race_rates (what suits whom), race (who gets down first); learner (a small
network that learns), learner_state (how it continues another day), decision_boundary (where it
draws the line), point_trace (how one point goes through it), and in statistics whether it does so
well.
"""

from core.optimization.adamw import AdamWSettings, AdamWState
from core.optimization.groups import check_groups, decay_groups
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import OPTIMIZERS, optimizer
from core.optimization.rule import Line, Rule
from core.optimization.schedules import learning_rate_at

__all__ = [
    "OPTIMIZERS",
    "AdamWSettings",
    "AdamWState",
    "Line",
    "Rule",
    "check_groups",
    "decay_groups",
    "learning_rate_at",
    "optimizer",
    "trace_update",
]
