"""The numbers on screen in Network, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from explorer.panes.backprop.network.diagnosis import dead_neurons, guessing
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.text import shrinks
from explorer.panes.readings import VIEW, Reading, below, digest, path

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode


def readings(mode: NetworkMode) -> Iterator[Reading]:
    """Yields losses, accuracies and the health of the keyframe shown, or of the followed point."""
    keyframe = mode.view.network.keyframe
    if keyframe is None:
        return
    yield from _keyframe(keyframe)
    for series in mode.view.panel.losses.series:
        at = np.flatnonzero(series.x == keyframe.step)
        if at.size:
            yield path(_of(keyframe), f"loss.{series.name}"), float(series.y[at[-1]])
    scene, sample = mode.view.network.sample_scene, mode.sample
    if scene is not None and sample is not None:
        yield from below(path(VIEW, "point"), dict(zip("xy", sample.point, strict=True)))
        yield from below(path(VIEW, "point"), {"target": sample.target, "loss": sample.loss})
        for kind, columns in (("value", scene.values), ("gradient", scene.gradients)):
            for column, numbers in enumerate(columns):
                for at, number in enumerate([] if numbers is None else numbers.tolist()):
                    yield path(VIEW, "point", f"{kind}:{column}.{at}"), number


def _of(keyframe: Keyframe) -> str:
    return path(f"network:{digest(repr(keyframe.draft))}", f"step:{keyframe.step}")


def _keyframe(keyframe: Keyframe) -> Iterator[Reading]:
    values = {
        "loss.train": keyframe.train_loss,
        "loss.test": keyframe.test_loss,
        "accuracy.train": keyframe.train_accuracy,
        "accuracy.test": keyframe.test_accuracy,
        "learning_rate": keyframe.learning_rate,
    }
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    yield from below(_of(keyframe), known)
    health = {
        "optimizer_step": keyframe.step,
        "neurons": sum(keyframe.sizes[1:-1]),
        "neurons.dead": dead_neurons(keyframe),
        "gradient.shrinks": shrinks(keyframe) if keyframe.layers else 1.0,
        "loss.of_guessing": guessing(keyframe.classes),
    }
    yield from below(VIEW, health)
    for number, layer in enumerate(keyframe.layers, 1):
        yield path(VIEW, f"layer:{number}", "saturated"), layer.saturated
        yield path(VIEW, f"layer:{number}", "gradient"), layer.gradients.size
