"""Finds the loss among the series of a foreign log, by names that loggers usually give.

Names are compared by their words, in lowercase, without the run's name that W&B puts before each
("run-3 - train/loss").
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Most reliable first. A name matches if its words are these, in this order.
NAMES: dict[str, tuple[str, ...]] = {
    "loss": (
        "train loss", "loss train", "training loss", "loss", "train loss step", "loss step",
        "train loss epoch", "train ce loss", "train cross entropy", "lm loss", "train lm loss",
        "loss metrics global avg loss",
    ),
    "validation": (
        "eval loss", "val loss", "validation loss", "valid loss", "loss val", "loss validation",
        "loss eval", "test loss", "dev loss", "val loss epoch",
    ),
    "learning_rate": (
        "learning rate", "train learning rate", "lr", "train lr", "lr adamw", "lr adam", "lr sgd",
        "optim lr", "lr group 0", "params lr",
    ),
    "grad_norm": (
        "grad norm", "train grad norm", "gradient norm", "gradnorm", "train gradient norm",
        "grad norm total", "optim grad norm",
    ),
}  # fmt: skip


def known_names(counts: Mapping[str, int]) -> dict[str, str]:
    """Returns the series for each key of NAMES. `counts` has the number of values of each series:
    of several names that match, the one with the most values wins, then the most reliable.

    >>> known_names({"train/loss": 500, "train_loss": 1, "eval/loss": 5, "accuracy": 5})
    {'loss': 'train/loss', 'validation': 'eval/loss'}
    """
    found: dict[str, str] = {}
    for what, usual in NAMES.items():
        fitting = [name for name in counts if words_of(name) in usual]
        if fitting:
            found[what] = min(
                fitting, key=lambda name: (-counts[name], usual.index(words_of(name)))
            )
    return found


def words_of(name: str) -> str:
    """Returns the words of a name in lowercase, separated by single spaces."""
    plain = name.rpartition(" - ")[2]
    return " ".join(re.findall(r"[a-z0-9]+", plain.lower()))
