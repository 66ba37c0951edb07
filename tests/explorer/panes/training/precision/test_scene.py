"""The pictures' numbers and sentences: what is hatched is what core counts as lost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.training.exponents import LOWEST, ExponentHistogram, Lost, powers, share_lost
from core.training.number_formats import FORMATS
from core.training.rounding_trace import trace_rounded_sum
from explorer.panes.training.precision import compute, text
from explorer.panes.training.precision.scene import (
    HIGH,
    LOW,
    SHOWN,
    bit_row,
    bits_scene,
    histogram_scene,
    marker_power,
)
from explorer.panes.training.precision.start import fp16_config
from tests.core.training.small import finish, small_config

EXAMPLE = compute.example("gradients").histogram


@pytest.mark.parametrize("format", SHOWN)
@pytest.mark.parametrize("shift", [0, 10, 30])
def test_what_is_hatched_is_what_core_counts_as_lost(format: str, shift: int) -> None:
    scene = histogram_scene(EXAMPLE, format, shift)
    lost = share_lost(EXAMPLE, FORMATS[format], shift)
    np.testing.assert_allclose(scene.lost.sum(axis=1), lost, atol=1e-12)
    assert scene.window.lost == lost and scene.shares.sum() == pytest.approx(1)
    assert (scene.lost.sum(axis=0) <= scene.shares + 1e-12).all()


def test_the_example_loses_what_a_normal_distribution_does() -> None:
    """P(|x| < 2^-25) of N(0, 1e-6): what is below rounds to 0 in fp16."""
    lost = histogram_scene(EXAMPLE, "fp16").window.lost
    assert lost.zero == pytest.approx(math.erf(2.0**-25 / 1e-6 / math.sqrt(2)), abs=1e-5)
    assert lost.zero == pytest.approx(0.024, abs=5e-4) and lost.overflow == 0
    assert EXAMPLE.total == pytest.approx(compute.EXAMPLE_COUNT, abs=20)


def test_scaling_moves_the_histogram_and_its_ends_hold_what_lies_beyond() -> None:
    counts = np.zeros_like(EXAMPLE.counts)
    counts[[0, -20 - LOWEST, -1]] = 1, 2, 1
    still, moved = (histogram_scene(ExponentHistogram(counts), "fp16", k) for k in (0, 8))
    assert still.shares[[0, -20 - LOW, HIGH - LOW]].tolist() == [0.25, 0.5, 0.25]
    assert moved.shares[-12 - LOW] == 0.5 and moved.shares[0] == 0.25


def test_the_marker_travels_and_lands_at_the_ends() -> None:
    values = [2.0**-30, 2.0**-14, 0.0, math.inf]
    assert [marker_power(values, at) for at in (0, 0.5, 1, 2, 3)] == [-30, -22, -14, LOW, HIGH + 1]
    assert marker_power(values, 9.0) == HIGH + 1


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16", "fp8 e4m3fn"])
@pytest.mark.parametrize("value", [0.0213, -1.5, 3e-8, 0.0, 240.0])
def test_bits_add_up_to_the_number(name: str, value: float) -> None:
    format = FORMATS[name]
    stored = float(format.round(value))
    row = bit_row("w", stored, format, 0)
    total = sum(bit * 2.0 ** (row.power - at) for at, bit in enumerate(row.bits))
    assert total == abs(stored)
    assert (len(row.fields.replace(" ", "")) == format.bits) == (format.bits <= 16)


def test_an_update_below_the_last_bit_of_its_weight_is_seen_to_be_lost() -> None:
    format = FORMATS["bf16"]
    about = trace_rounded_sum(0.0213, 1.9e-5, format).about
    rows = [bit_row(name, about[name], format, 0, is_cut=True) for name in ("weight", "update")]
    scene = bits_scene(rows, about["result"], format)
    assert about["lost"] and scene.last == rows[0].power - 7
    assert rows[1].power < scene.last - 1 and scene.end == rows[1].power - 7
    assert bits_scene([], 0.0, FORMATS["fp16"]).last == -24
    assert bits_scene([], math.inf, FORMATS["fp16"]).last == 5


def test_the_weight_of_the_lesson_is_one_whose_update_is_lost() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.02, 500).astype(np.float32)
    updates = rng.normal(0, 2e-4, 500).astype(np.float32)
    weight, update, share = compute.small_update(weights, updates, FORMATS["bf16"])
    stored = FORMATS["bf16"].round(weights)
    unmoved = FORMATS["bf16"].round(stored + FORMATS["bf16"].round(updates)) == stored
    assert share == pytest.approx(unmoved.mean()) and 0.05 < share < 0.95
    assert trace_rounded_sum(weight, update, "bf16").about["lost"]
    assert math.isnan(compute.small_update(np.zeros(0), np.zeros(0), FORMATS["bf16"])[2])


def test_a_small_gradient_is_one_that_a_hundredth_is_below() -> None:
    power = compute.small_gradient(EXAMPLE)
    below = EXAMPLE.counts[powers() < power].sum() / EXAMPLE.total
    assert below < compute.SMALL <= below + EXAMPLE.counts[power - LOWEST] / EXAMPLE.total


def test_the_example_is_told_as_one() -> None:
    numbers, scene = compute.example("gradients"), histogram_scene(EXAMPLE, "fp16")
    assert text.headline("gradients", "", numbers, scene) == (
        "Computed example: gradients in fp16, not scaled: 2.4\u2009% become 0, "
        "98\u2009% lose digits, none overflow"
    )
    assert text.note("gradients", numbers, 1e-6).startswith("Computed, not measured")
    assert text.power_text(-24) == "2⁻²⁴"
    scaled = histogram_scene(EXAMPLE, "bf16", 16)
    assert text.headline("gradients", "h.1", compute.Numbers(EXAMPLE, 30), scaled) == (
        "Gradients of block 1 of step 30 in bf16, times 2¹⁶: none is lost"
    )


@pytest.mark.parametrize(
    ("zero", "subnormal", "overflow", "told"),
    [
        (0.0, 0.0, 0.0, "keeps all"),
        (0.034, 0.5, 0.0, "3.4\u2009% become 0"),
        (1e-6, 0.5, 0.0, "50\u2009% lose digits"),
        (0.0, 0.0, 2e-6, "<0.01\u2009% overflow"),
        (0.0, 0.3, 0.12, "12\u2009% overflow"),
    ],
)
def test_beside_a_format_stands_the_worst_that_happens_to_many(
    zero: float, subnormal: float, overflow: float, told: str
) -> None:
    assert text.brief_loss(Lost(zero, subnormal, overflow)) == told


def test_a_recorded_step_tells_layers_apart(tmp_path: Path) -> None:
    finish(small_config(tmp_path), tmp_path / "run")
    found = compute.recorded(tmp_path / "run", 12)
    assert {"wte", "h.0", "h.1", "ln_f"} <= set(found.layers)
    kinds = found.layers["h.1"]
    assert set(kinds) == {"weights", "activations", "gradients", "updates"}
    assert kinds["activations"].total > kinds["weights"].total > 0
    assert len(found.weights) == len(found.updates) > 500 and np.any(found.updates)


def test_a_run_s_twin_differs_in_its_precision_alone(tmp_path: Path) -> None:
    from core.training.runs import create_run

    config = fp16_config()
    full = {"precision": "fp32", "loss_scale": 1.0}
    for name, changes in (
        ("own", {}),
        ("other-seed", {**full, "seed": 1}),
        ("bf16", {"precision": "bf16"}),
        ("fp32", full),
    ):
        create_run(tmp_path / name, config.change(changes))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{}")
    assert compute.twin_of(tmp_path / "own", config) == tmp_path / "fp32"
    alone = config.change({"seed": 2})
    assert compute.twin_of(tmp_path / "own", alone) is None
