"""The gap between training and validation loss, and its meaning. Does not import Qt.

An evaluation measures both losses with the same weights, without dropout and on text alone. The
training curve may count more (repeated random tokens, dropout): then the losses that were evaluated
are drawn as well, because the curve cannot be compared with the validation loss.
"""

from __future__ import annotations

import math

import numpy as np

from core.training.config import TrainingConfig
from explorer.panes.training.run.card_text import loss_words
from explorer.runs.run_data import RunData

SAME = 0.015  # of the training loss: a smaller gap means nothing


def gap(data: RunData, step: int) -> list[str]:
    """Explains the last gap between training and validation loss that was measured up to a step:
    the losses, then their meaning. Returns [] before the first step.
    """
    found = _evaluation(data, step)
    if found is None:
        return []
    at, train, validation = found
    losses = f"training loss {loss_words(train)}, validation loss {loss_words(validation)}"
    told = [f"evaluation at step {at:,}: {losses}"]
    apart, verdict = validation - train, _verdict(train, validation)
    small = f"Validation loss is only {abs(apart):.3f} {'higher' if apart > 0 else 'lower'}"
    small = "Validation loss is as low" if loss_words(train) == loss_words(validation) else small
    if verdict == "above" and data.config.corpus == "stories":
        easy = "half of the training sequences begin at the start of a story, the easiest part"
        told.append(f"Validation loss is {apart:.3f} higher, partly because {easy} to predict.")
    elif verdict == "above":
        told.append(
            f"Validation loss is {apart:.3f} higher: the model predicts new text less well than "
            "text that it has read."
        )
    elif verdict == "below":
        told.append(
            f"Validation loss is {-apart:.3f} lower: the validation text is easier, or too little "
            "of it was measured."
        )
    elif validation < float(data.evaluations["validation"][0]):
        told.append(f"{small}: what the model has learned also works on new text.")
    else:
        told.append(
            f"{small}, but only because the model has not learned the text: its loss there is no "
            "lower than at the start."
        )
    if data.config.model.dropout:
        told.append("Both losses are measured without dropout, unlike the training curve.")
    if data.in_first_lesson(step):
        told.append(
            "Both are of text; the training curve shows the first lesson, copying: it cannot be "
            "compared with them."
        )
    elif data.config.repeated_fraction:
        told.append(
            "The training curve shows a different loss: it also counts the repeated random tokens."
        )
    return told


def gap_note(data: RunData) -> str:
    """Returns the last evaluation in a few words, for the plot of the losses; "" before the first
    step.
    """
    found = _evaluation(data, data.step)
    if found is None:
        return ""
    step, train, validation = found
    return (
        f"evaluation at step {step:,}: validation {loss_words(validation)}, "
        f"training {loss_words(train)}"
    )


def curve_counts_more(config: TrainingConfig) -> bool:
    """True if the training curve counts more than an evaluation of the training text."""
    return bool(config.repeated_fraction or config.copying_steps or config.model.dropout)


def evaluated(data: RunData) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps and losses of the evaluations of training text, to be drawn beside the
    training curve; empty if the curve counts the same.
    """
    found = data.evaluations if curve_counts_more(data.config) else data.evaluations[:0]
    return found["step"].astype(np.float64), found["train"].astype(np.float64)


def _evaluation(data: RunData, step: int) -> tuple[int, float, float] | None:
    """Returns step, training loss and validation loss of the last evaluation up to a step. None
    before the first step, and for losses that are not finite.
    """
    known = data.evaluations
    known = known[(known["step"] <= step) & (known["step"] > 0)]
    if not len(known):
        return None
    last = known[-1]
    found = int(last["step"]), float(last["train"]), float(last["validation"])
    return found if math.isfinite(found[1]) and math.isfinite(found[2]) else None


def _verdict(train: float, validation: float) -> str:
    """Returns where the validation loss is: "above", "below", or "" for a negligible gap."""
    apart = validation - train
    if abs(apart) <= SAME * abs(train):
        return ""
    return "above" if apart > 0 else "below"
