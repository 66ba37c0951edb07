"""What a run will cost, against what it does cost."""

import time
from dataclasses import replace
from typing import Any

import pytest

from core.training.config import TrainingConfig
from core.training.sizes import estimate, measure_relative, measure_speed, slow_note
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT

NANO = ModelConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128, bias=False)


SHAPES = [
    {},
    {"positions": "rope"},
    {"norm": "rms_norm"},
    {"mlp": "swiglu"},
    {"n_kv_head": 1},
    {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 2},
]


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_parameters_and_bytes_are_those_of_the_model(changes: dict[str, Any]) -> None:
    model = replace(NANO, **changes)
    found = estimate(TrainingConfig(model=model, batch_size=12))
    count = sum(parameter.numel() for parameter in GPT(model).parameters())
    assert found.parameters == count
    assert (found.bytes_model, found.bytes_optimizer) == (4 * count, 8 * count)


def test_the_nano_model_has_the_published_number_of_parameters() -> None:
    assert estimate(TrainingConfig(model=NANO)).parameters == 804_096


def test_estimate_needs_no_memory_and_scales() -> None:
    huge = ModelConfig(vocab_size=50_257, block_size=2048, n_layer=96, n_head=96, n_embd=12_288)
    found = estimate(TrainingConfig(model=huge, steps=10), speed=1e12)
    assert found.parameters == pytest.approx(174.6e9, rel=1e-3)
    assert found.seconds > 10 * found.seconds_per_step
    assert measure_speed(0.005) > 1e8


def test_a_run_takes_its_steps_and_all_that_is_due_between_them() -> None:
    config = TrainingConfig(
        model=NANO,
        steps=1500,
        evaluate_every=0,
        evaluate_batches=4,
        sample_every=0,
        probe_every=0,
        checkpoint_every=0,
    )

    def more(**changes: int) -> float:
        return estimate(config.change(changes)).seconds - estimate(config).seconds

    step = estimate(config).seconds_per_step
    evaluations = 30 - 1  # at the beginning and the end there is one in any case
    assert more(evaluate_every=50) == pytest.approx(evaluations * 2 * 4 * 0.3 * step)
    assert more(sample_every=100) == pytest.approx(15 * more(sample_every=1500), rel=1e-6)
    assert more(probe_every=10) == pytest.approx(10 * more(probe_every=100), rel=1e-6)
    saved = 12 * estimate(config).bytes_model / 4  # weights and AdamW's two averages
    assert more(checkpoint_every=250) == pytest.approx(5 * saved / 2e8)


def test_stories_are_told_as_they_are_read_and_micro_batches_add_up() -> None:
    config = TrainingConfig(model=NANO, batch_size=8)
    one = estimate(config).seconds_per_step
    assert estimate(config.change({"corpus": "a.txt"})).seconds_per_step < one
    assert estimate(config.change({"micro_batches": 4})).seconds_per_step == pytest.approx(4 * one)
    assert estimate(config, speed=4e10).seconds_per_step > 1.5 * one


def test_a_product_that_was_held_up_makes_no_machine_slow(monkeypatch):
    """Of one that took three seconds a run of a minute was told to take an hour."""
    took = [0.001, 3.0, *[0.001] * 30]
    clock = iter([moment for one in took for moment in (0.0, one)])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    assert measure_speed(0.005) == pytest.approx(2.0 * 512 * 256 * 256 / 0.001)


def test_fp16_halves_the_activations_and_takes_a_cpu_much_longer() -> None:
    full, half = (
        estimate(TrainingConfig(model=NANO, precision=precision)) for precision in ("fp32", "fp16")
    )
    assert half.bytes_activations < full.bytes_activations
    assert half.bytes_model == full.bytes_model  # the weights stay in fp32
    assert half.seconds_per_step > 5 * full.seconds_per_step


def test_the_speed_of_16_bits_is_measured_and_sets_the_estimate() -> None:
    found = measure_relative(0.001)
    assert set(found) == {"bf16", "fp16"} and all(0 < share < 20 for share in found.values())
    half = TrainingConfig(model=NANO, batch_size=12, steps=50, precision="bf16")
    fp32 = estimate(half.change({"precision": "fp32"})).seconds_per_step
    steps = {
        share: estimate(half, relative={"bf16": share}).seconds_per_step for share in (0.08, 9)
    }
    assert steps[0.08] > 5 * fp32 and fp32 / 1.6 < steps[9] < fp32, "a step has more than products"
    assert estimate(half, relative={}) == estimate(half), "unknown: as with arithmetic"


def test_a_measured_share_is_a_ratio_of_times_on_one_clock() -> None:
    ticks = iter(range(1_000_000))
    assert measure_relative(1.0, lambda: float(next(ticks))) == {"bf16": 1.0, "fp16": 1.0}


def test_a_slow_precision_says_how_slow() -> None:
    assert "bf16 in software: about 12 times slower than fp32" in slow_note("bf16", 1 / 12.2)
    assert slow_note("bf16", 0.9) == slow_note("fp32", 1.0) == ""
