"""The numbers of a recorded step, by part of the model and by kind. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.training.step_trace import open_recording

MOMENTS = ("before", "after")  # relative to the optimizer's step


@dataclass(frozen=True, eq=False)
class RecordedNumbers:
    """Numbers of a step, fp32, (n,) each. `parts`: part of the model -> kind -> numbers.

    weights      a sample of each parameter, before the step
    gradients    of the same weights
    updates      changes of the same weights by the step
    activations  all outputs of the part, if recorded

    A skipped step has activations only. Step 0: nothing was recorded.
    """

    step: int = 0
    parts: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    def all(self, kind: str) -> np.ndarray:
        """Returns the numbers of a kind, of the whole model: (n,)."""
        kept = [kinds[kind] for kinds in self.parts.values() if kind in kinds]
        return np.concatenate(kept) if kept else np.zeros(0, np.float32)


def recorded_numbers(run: Path, step: int) -> RecordedNumbers:
    """Raises ValueError or OSError, with a remedy, for a recording that is missing or damaged."""
    recorded = open_recording(run, step).arrays
    arrays = {key: np.ravel(array).astype(np.float32) for key, array in recorded.items()}
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    for key, array in arrays.items():
        owner, _, rest = key.partition(".")
        if owner == "output":
            found.setdefault(rest, {})["activations"] = [array]
        elif owner == "weights" and key.endswith(".gradient"):
            before, after = (arrays.get(key[: -len("gradient")] + when) for when in MOMENTS)
            if before is not None and after is not None:
                kinds = found.setdefault(part_of(rest), {})
                kinds.setdefault("weights", []).append(before)
                kinds.setdefault("gradients", []).append(array)
                with np.errstate(invalid="ignore"):  # in a run that diverged
                    kinds.setdefault("updates", []).append(after - before)
    parts = {
        part: {kind: np.concatenate(values) for kind, values in kinds.items()}
        for part, kinds in found.items()
    }
    return RecordedNumbers(step, parts)


def part_of(parameter: str) -> str:
    """Returns the part of the model of a parameter: "h.0" for "h.0.attn.c_proj.weight"."""
    first, _, rest = parameter.partition(".")
    number = rest.partition(".")[0]
    return f"{first}.{number}" if number.isdecimal() else first
