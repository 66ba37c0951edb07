"""Numbers counted by kind: of a run, of a recorded step, of the example; what is infinite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.training.counted_numbers import (
    CountedNumbers,
    example_counts,
    layer_counts,
    run_counts,
)
from core.training.exponents import HIGHEST, LOWEST, ExponentHistogram
from core.training.number_formats import FORMATS
from core.training.recorded_numbers import recorded_numbers
from tests.core.training.small import finish, small_config


def infinite(power: int, count: int, format: str = "fp16", kind: str = "gradients") -> float:
    """Of 1,000 numbers of which so many lie at a power of two, the others at 1, times 2^10."""
    counts = np.zeros(HIGHEST - LOWEST + 1, np.int64)
    counts[power - LOWEST], counts[-LOWEST] = count, 1000 - count
    return CountedNumbers(kind, ExponentHistogram(counts)).infinite_share(FORMATS[format], 10)


def test_one_gradient_that_is_infinite_is_enough_and_a_tenth_of_one_is_none() -> None:
    assert infinite(6, 1) == pytest.approx(0.001)
    assert infinite(5, 200) == 0.0, "one in 2,000 of those between 2^15 and 2^16 is too large"
    assert infinite(6, 1, "bf16") == 0.0
    assert infinite(6, 500, "fp8 e4m3fn") == 0.0, "it has no infinity"
    assert infinite(6, 500, kind="updates") == 0.0, "no step is skipped for them"


def test_a_run_counts_kinds_and_a_recorded_step_layers(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path), tmp_path / "run")
    newest = run.exponents[-1]
    counts = run_counts(dict.fromkeys(newest.histograms(), newest))
    gradients = counts["", "gradients"]
    assert gradients.step == newest.step and gradients.histogram.total > 0
    recorded = recorded_numbers(run.folder, 12)
    layers = layer_counts(recorded)
    assert {layer for layer, _ in layers} == set(recorded.parts)
    weights = layers["h.1", "weights"]
    assert weights.step == 12
    assert weights.histogram.total == np.count_nonzero(recorded.parts["h.1"]["weights"])


def test_the_example_has_every_kind_and_no_step() -> None:
    counts = example_counts()
    assert {kind for _, kind in counts} == {"weights", "activations", "gradients", "updates"}
    assert all(one.step == 0 and one.kind == kind for (_, kind), one in counts.items())
