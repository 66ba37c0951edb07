"""Problems in training, and if smaller steps would help. No Qt here."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.presets import PRESETS, Preset

LATEST = 9  # number of newest losses; their median decides if training diverges
RUNS_AWAY, LEAST_LOSS = 10.0, 0.7  # times the first loss, or that of guessing one of two
WORSE = 1.2  # multiple of the loss of guessing
FAR = 3.0  # multiple of the first loss, or of that of guessing
LEARNED = 0.25  # fraction of the same loss: a network below it has learned


@dataclass(frozen=True)
class Diagnosis:
    """preset     the preset with this setup; its sentence says what to look for
    first      the loss before the first step
    away       True if the loss grows far beyond `first`
    worse      True if the network is now worse than guessing
    rose       height to which too large steps raised the loss, else nan
    thrown     True if they left neurons dead or saturated, or the network worse than guessing
    """

    preset: Preset | None = None
    first: float = math.nan
    away: bool = False
    worse: bool = False
    rose: float = math.nan
    thrown: bool = False

    @property
    def too_large(self) -> bool:
        """Whether the steps are too large."""
        return self.away or self.worse or self.thrown

    @property
    def of_another_time(self) -> Diagnosis:
        """The diagnosis for earlier keyframes, without the current problems."""
        return Diagnosis(self.preset, self.first)


def diagnose(training: Training | None, draft: NetworkDraft) -> Diagnosis:
    """Diagnoses the newest keyframe."""
    same = next((one for one in PRESETS if one.draft.is_like(draft)), None)
    if training is None:
        return Diagnosis(same)
    losses, classes, keyframe = training.curves.train, training.data.classes, training.keyframes[-1]
    first = losses[0] if losses else math.nan
    own = losses[bisect_left(training.curves.steps, training.since) :]
    away, worse = runs_away(own), learned_worse(own, classes)
    if same is not None:
        return Diagnosis(same, first, away)
    peak = training.peak
    rose = peak if own and overshot(own, peak, guessing(classes)) else math.nan
    lost = in_trouble(keyframe) or keyframe.train_loss > WORSE * guessing(classes)
    thrown = lost and not math.isnan(rose)
    return Diagnosis(None, first, away, worse, rose, thrown)


def runs_away(losses: Sequence[float]) -> bool:
    """Returns True if the loss grows far beyond its start while all numbers are finite. `losses` on
    the training points begin before the first step; the median of the newest decides.
    """
    latest = _latest(losses)
    return len(latest) > 0 and median(latest) > RUNS_AWAY * max(losses[0], LEAST_LOSS)


def learned_worse(losses: Sequence[float], classes: int) -> bool:
    """Returns True if training has made the network worse than guessing the class."""
    latest = _latest(losses)
    if len(latest) < LATEST:
        return False
    return median(latest) > max(losses[0], WORSE * guessing(classes))


def overshot(losses: Sequence[float], peak: float, guessing: float) -> bool:
    """Returns True if too large steps raised the loss to `peak` and it has not recovered.
    `guessing` is the loss of guessing, infinite if there are no classes.
    """
    base = losses[0] if math.isinf(guessing) else max(losses[0], guessing)
    return peak > FAR * base and losses[-1] > LEARNED * base


def _latest(losses: Sequence[float]) -> Sequence[float]:
    return losses[max(1, len(losses) - LATEST) :]


def guessing(classes: int) -> float:
    """Returns the loss of giving every class the same probability; infinite without classes."""
    return math.log(classes) if classes else math.inf


def in_trouble(keyframe: Keyframe) -> bool:
    """Returns True if neurons are dead or layers saturated."""
    return bool(dead_neurons(keyframe)) or bool(saturated_layers(keyframe))


def dead_neurons(keyframe: Keyframe) -> int:
    return sum(int(layer.dead.sum()) for layer in keyframe.layers)


def saturated_layers(keyframe: Keyframe) -> list[int]:
    """Returns the numbers of saturated layers."""
    inner = keyframe.layers[:-1]
    return [number for number, layer in enumerate(inner, 1) if layer.saturated > 0.5]
