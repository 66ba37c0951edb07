"""Optimization: how gradients become better weights, and how fast.

Read in this order: rule (what an optimizer is), then one rule a file, each with one new idea: sgd,
momentum, nesterov, adagrad, rmsprop, adam, adamw, lion, muon; optimizers (the list of them); groups
(parameters with weight decay); torch_optimizer (any rule as a torch optimizer; the only file that
imports torch); schedules. For exploration: optimizer_trace (one step, line by line), surfaces and
typed_surface (landscapes), stationary (their minima and saddles), curvature (the limit of SGD's
learning rate), race_rates (a learning rate for each optimizer), race (several optimizers on one
surface); learner (a small network in training), learner_state (its saved state), decision_boundary,
point_trace (one point's path through the network), statistics (whether training is healthy).
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
