"""The pictures' numbers and sentences: what is hatched is what core counts as lost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.training.counted_numbers import CountedNumbers, example_counts
from core.training.exponents import Lost, normal_histogram, share_lost
from core.training.number_formats import FORMATS
from core.training.recorded_numbers import RecordedNumbers
from explorer.panes.training.precision import compute, text
from explorer.panes.training.precision.scene import LOW, SHOWN, scene_of
from tests.core.training.small import finish, small_config

EXAMPLE = example_counts()["", "gradients"]


@pytest.mark.parametrize("format", SHOWN)
@pytest.mark.parametrize("scale", [0, 10, 30])
def test_what_is_hatched_is_what_core_counts_as_lost(format: str, scale: int) -> None:
    scene = scene_of(EXAMPLE, format, scale)
    lost = share_lost(EXAMPLE.histogram, FORMATS[format], scale)
    np.testing.assert_allclose(scene.shares[1:].sum(axis=1), lost, atol=1e-12)
    assert scene.lost[format] == lost and scene.shift == scale


def test_gradients_alone_are_scaled() -> None:
    weights = example_counts()["", "weights"]
    still, scaled = (scene_of(weights, "fp16", scale) for scale in (0, 10))
    assert not scaled.is_scaled and scaled.shift == 0 and scaled.middle == still.middle
    moved = scene_of(EXAMPLE, "fp16", 10).middle - scene_of(EXAMPLE, "fp16", 0).middle
    assert moved == pytest.approx(10, abs=0.01)


def test_the_example_is_told_as_one() -> None:
    assert text.headline(scene_of(EXAMPLE, "fp16", 0)) == (
        "Stored in fp16 without scaling, 2.4\u2009% of these made-up gradients become 0 and "
        "98\u2009% are subnormal (so close to 0 that they lose digits)"
    )
    assert text.note(scene_of(EXAMPLE, "fp16", 0)).startswith("Made-up example: a million")
    power = EXAMPLE.histogram.quantile(compute.SMALL)
    assert power == compute.EXAMPLE_GRADIENT
    layer = CountedNumbers("gradients", EXAMPLE.histogram, "h.1", 30)
    assert text.headline(scene_of(layer, "bf16", 16)) == (
        "Stored in bf16 after multiplication by 2\u00b9\u2076, none of the gradients of block 1 at "
        "step 30 are lost"
    )


def test_one_infinite_gradient_is_said_to_skip_the_step() -> None:
    large = CountedNumbers("gradients", normal_histogram(1e-3), step=50)
    scene = scene_of(large, "fp16", 30)
    assert text.headline(scene) == (
        "Stored in fp16 after multiplication by 2\u00b3\u2070, 95\u2009% of the gradients at step "
        "50 overflow, so the whole step would be skipped"
    )
    assert text.note(scene).endswith(". One infinite gradient is enough to skip a step")
    saturated = scene_of(large, "fp8 e4m3fn", 30)
    assert text.headline(saturated).endswith("100\u2009% of the gradients at step 50 overflow")
    assert text.note(saturated).endswith("a number that is too large becomes 448")
    assert not scene_of(large, "fp16", 10).skips


def test_a_column_is_told_by_what_becomes_of_it() -> None:
    scene = scene_of(EXAMPLE, "fp16", 0)
    tip = text.column_tip(scene, -27)
    assert "lie between 2\u207b\u00b2\u2077 and 2\u207b\u00b2\u2076" in tip
    assert tip.endswith("fp16: 100\u2009% become 0")
    assert text.column_tip(scene, LOW + 56).endswith("fp16: none are lost")


@pytest.mark.parametrize(
    ("zero", "subnormal", "overflow", "told"),
    [
        (0.0, 0.0, 0.0, ["none are lost"]),
        (0.034, 0.5, 0.0, ["3.4\u2009% become 0, 50\u2009% subnormal", "3.4\u2009% become 0"]),
        (0.00015, 0.0, 0.99, ["99\u2009% overflow, 0.015\u2009% become 0", "99\u2009% overflow"]),
        (0.0, 0.0, 2e-6, ["<0.01\u2009% overflow"]),
        (0.0, 0.98, 0.0, ["98\u2009% subnormal"]),
    ],
)
def test_beside_a_format_stands_all_that_is_lost_in_it_first_what_becomes_0(
    zero: float, subnormal: float, overflow: float, told: list[str]
) -> None:
    assert text.brief_losses(Lost(zero, subnormal, overflow)) == told


def test_a_recorded_step_tells_layers_apart(tmp_path: Path) -> None:
    finish(small_config(tmp_path), tmp_path / "run")
    recorded, counts, error = compute.newest_step(tmp_path / "run", 12, 0)
    assert not error and {layer for layer, _ in counts} == set(recorded.parts)
    weights = counts["h.1", "weights"]
    assert weights.step == 12 and weights.histogram.total > 0
    assert not math.isnan(compute.weight_update(recorded)[1])


def test_a_recorded_step_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    recorded, counts, error = compute.newest_step(tmp_path, 3, 0)
    assert recorded.step == 0 and not counts and "rank0.json" in error


def test_without_a_recorded_step_the_lesson_is_an_example() -> None:
    trace, share = compute.weight_update(RecordedNumbers())
    assert math.isnan(share) and trace.about["lost"]
    assert "in this made-up example" in text.lesson(share, 0)
