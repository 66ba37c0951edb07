"""One optimizer step of a network, and what there is to see in it. Knows no Qt."""

from __future__ import annotations

import numpy as np

from core.optimization.learner import Learned, Learner
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.learned import learned_of
from explorer.panes.backprop.network.moment import Update


def take_step(learner: Learner, draft: NetworkDraft) -> tuple[Learned, Update]:
    """Learns on by one step as the draft says."""
    start = learned_of(learner)
    with np.errstate(all="ignore"):  # what overflows is told as divergence
        learned = learner.learn()
    gradients = {
        name: tensor.grad
        for name, tensor in learner.network.parameters.items()
        if tensor.grad is not None
    }
    update = Update(
        draft,
        start,
        learned.learning_rate,
        gradients,
        dict(learner.slopes),
        learner.settings.penalty,
        learner.settings.strength,
        learner.loss_name,
        np.zeros((0, 1)) if learner.said is None else learner.said,
        np.zeros(0) if learner.batch is None else learner.batch.targets,
    )
    return learned, update
