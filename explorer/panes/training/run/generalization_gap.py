"""The distance between training and validation loss, and what it says. Knows no Qt."""

from __future__ import annotations

import math

from explorer.panes.training.run.card_text import loss_words
from explorer.runs.run_data import RunData

SAME = 0.015  # of the training loss: a smaller gap tells nothing


def gap(data: RunData, step: int) -> list[str]:
    """What the distance between training and validation loss says, measured last up to a step: the
    losses, then what follows; nothing before the first step.
    """
    found = _evaluation(data, step)
    if found is None:
        return []
    at, train, validation = found
    losses = f"training loss {loss_words(train)}, validation loss {loss_words(validation)}"
    told = [f"evaluation at step {at:,}: {losses}"]
    apart, verdict = validation - train, _verdict(train, validation)
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
        told.append("There is no gap: what the model has learned also works on new text.")
    else:
        told.append(
            "There is no gap, but only because the model has not learned the text: its loss "
            "there is no lower than at the start."
        )
    if data.config.model.dropout:
        told.append("Both losses are measured without dropout, unlike the training curve.")
    if data.config.repeated_fraction:
        told.append(
            "The training curve shows a different loss: it also counts the repeated random tokens."
        )
    return told


def gap_note(data: RunData) -> str:
    """The gap in a few words, for the losses' plot; "" before there is one to speak of."""
    found = _evaluation(data, data.step)
    if found is None:
        return ""
    _, train, validation = found
    verdict = _verdict(train, validation)
    if not verdict:
        return "last evaluation: validation as good as training"
    return f"last evaluation: validation {abs(validation - train):.2f} {verdict} training"


def _evaluation(data: RunData, step: int) -> tuple[int, float, float] | None:
    """Step, training and validation loss of the last evaluation up to a step, of a model that has
    learned something.
    """
    known = data.evaluations
    known = known[(known["step"] <= step) & (known["step"] > 0)]
    if not len(known):
        return None
    last = known[-1]
    found = int(last["step"]), float(last["train"]), float(last["validation"])
    return found if math.isfinite(found[1]) and math.isfinite(found[2]) else None


def _verdict(train: float, validation: float) -> str:
    """Where validation lies: "above", "below", or "" where that is too little to say anything."""
    apart = validation - train
    if abs(apart) <= SAME * abs(train):
        return ""
    return "above" if apart > 0 else "below"
