"""What Precision asks of core: recorded steps, a run's twin, and computed examples. Knows no Qt;
only `recorded` loads torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.training.config import TrainingConfig
from core.training.exponents import ExponentHistogram, powers
from core.training.number_formats import NumberFormat
from core.training.records import read_manifest
from core.training.step_trace import open_recording
from explorer.runs.folders import run_folders

PRECISION = ("precision", "loss_scale", "loss_scale_growth_interval")  # of a config
# The computed example: standard deviations of normal numbers, the loss of guessing 1,536 tokens,
# and a weight with its update.
SPREAD = {"weights": 0.02, "activations": 1.0, "gradients": 1e-6, "updates": 1e-5}
EXAMPLE_COUNT = 1_000_000
EXAMPLE_LOSS = math.log(1536)
EXAMPLE_WEIGHT, EXAMPLE_UPDATE = 0.0213, 1.9e-5
SMALL = 0.01  # the share of gradients that are smaller than the one whose life is told


@dataclass(frozen=True, eq=False)
class Numbers:
    """How large the numbers of one kind were; step 0: the computed example.

    loss_scale  under which a run computed its gradients
    """

    histogram: ExponentHistogram
    step: int = 0
    loss_scale: float = 1.0


def twin_of(folder: Path, config: TrainingConfig) -> Path | None:
    """The newest run beside it that differs in nothing but its precision, in fp32 where there is
    one; in the I/O pool.
    """
    own = {name: getattr(config, name) for name in PRECISION}
    found = []
    for other in run_folders(folder.parent):
        with suppress(ValueError, OSError):
            theirs = TrainingConfig.from_json(read_manifest(other)["config"])
            if theirs.precision != config.precision and theirs.change(own) == config:
                found.append((theirs.precision != "fp32", len(found), other))
    return min(found)[2] if found else None


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recorded step, a few numbers of each parameter: histograms by layer and kind, the weights
    before it (n,) and by how much they moved (n,).
    """

    step: int
    layers: Mapping[str, Mapping[str, ExponentHistogram]]
    weights: np.ndarray
    updates: np.ndarray


def recorded(folder: Path, step: int) -> Recorded:
    """On the engine's thread, for it counts with torch. Raises ValueError or OSError."""
    import torch

    from core.training.exponents import exponent_histogram

    arrays = open_recording(folder, step).arrays
    parts: dict[str, dict[str, list[np.ndarray]]] = {}
    weights, updates = [np.zeros(0)], [np.zeros(0)]
    for key, array in arrays.items():
        if key.startswith("output."):
            name = key.removeprefix("output.")
            parts.setdefault(name, {})["activations"] = [array]
        elif key.startswith("weights.") and key.endswith(".gradient"):
            name = key.removeprefix("weights.").removesuffix(".gradient")
            before, after = (arrays[f"weights.{name}.{when}"] for when in ("before", "after"))
            kinds = parts.setdefault(layer_of(name), {})
            for kind, values in zip(("weights", "gradients", "updates"),
                                    (after, array, after - before), strict=True):  # fmt: skip
                kinds.setdefault(kind, []).append(values)
            weights.append(before)
            updates.append(after - before)
    layers = {
        layer: {
            kind: exponent_histogram([torch.from_numpy(np.array(one)) for one in several])
            for kind, several in kinds.items()
        }
        for layer, kinds in parts.items()
    }
    return Recorded(step, layers, np.concatenate(weights), np.concatenate(updates))


def layer_of(name: str) -> str:
    """The part of the model that a parameter belongs to: "h.0" of "h.0.attn.c_proj.weight"."""
    first, _, rest = name.partition(".")
    number = rest.partition(".")[0]
    return f"{first}.{number}" if number.isdecimal() else first


def example(kind: str) -> Numbers:
    """How many of a million normal numbers lie between two powers of two."""
    edges = np.append(powers(), powers()[-1] + 1.0)
    below = np.array([math.erf(2.0**k / SPREAD[kind] / math.sqrt(2)) for k in edges])
    return Numbers(ExponentHistogram(np.rint(np.diff(below) * EXAMPLE_COUNT).astype(np.int64)))


def small_gradient(histogram: ExponentHistogram) -> int:
    """Between which power of two and the next the smallest SHARE of them ends."""
    reached = np.cumsum(histogram.counts) >= SMALL * max(histogram.total, 1)
    return int(powers()[reached.argmax()])


def small_update(
    weights: np.ndarray, updates: np.ndarray, format: NumberFormat
) -> tuple[float, float, float]:
    """A weight whose update a format loses, the middle one of all such (where none is: that with
    the smallest update), its update, and the share of updates that are lost.
    """
    moved = (weights != 0) & (updates != 0)
    w, u = weights[moved].astype(np.float64), updates[moved].astype(np.float64)
    if not len(w):
        return EXAMPLE_WEIGHT, EXAMPLE_UPDATE, math.nan
    stored, small = format.round(w), np.abs(u / w)
    lost = format.round(stored + format.round(u)) == stored
    order = np.argsort(small)
    kept = order[lost[order]]
    at = kept[len(kept) // 2] if len(kept) else order[0]
    return float(w[at]), float(u[at]), float(lost.mean())
