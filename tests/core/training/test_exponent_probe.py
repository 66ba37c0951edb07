"""What a run tells of its numbers' sizes: on its probe cadence, and without changing a bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from core.tensor_files import read_tensors
from core.training.exponent_probe import KINDS, ExponentProbe, exponent_interval
from core.training.exponents import CountedExponents, exponent_histogram
from core.training.parallel import Single
from core.training.records import Exponents, is_event
from tests.core.training.small import fingerprint, finish, losses, moments, small_config


def test_a_run_tells_them_on_some_of_its_probes(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=14, probe_every=4), tmp_path / "run")
    assert [probe.step for probe in run.probes] == [0, 4, 8, 12, 14]
    told = run.exponents
    assert [one.step for one in told] == [0, 12, 14]
    assert set(told[0].histograms()) == {"weights", "activations"}
    for one in told[1:]:
        assert tuple(one.histograms()) == KINDS and one.loss_scale == 1
        assert all(histogram.total > 0 for histogram in one.histograms().values())
    assert set(run.probes[0].load()) == {"attention", "ids"}


def test_they_are_those_of_the_weights_and_the_step(tmp_path: Path) -> None:
    """Of plain SGD, where an update is the gradient times the rate."""
    rates = {"learning_rate": 0.5, "min_learning_rate": 0.5, "schedule": "constant"}
    plain = {"optimizer": "sgd", "warmup_steps": 0, "weight_decay": 0.0, "clip": 0.0}
    run = finish(small_config(tmp_path, **rates, **plain), tmp_path / "run")
    last = run.exponents[-1].histograms()
    saved = read_tensors(run.checkpoints[-1].folder / "model.safetensors", framework="torch")
    weights = exponent_histogram(list(saved.values()))
    np.testing.assert_array_equal(last["weights"].counts, weights.counts)
    assert last["weights"].zeros == weights.zeros
    powers = np.arange(len(weights.counts))
    means = {kind: (powers * one.counts).sum() / one.total for kind, one in last.items()}
    assert means["gradients"] - means["updates"] == pytest.approx(1.0, abs=0.1)


def test_they_change_no_bit_of_a_run(tmp_path: Path) -> None:
    told = finish(small_config(tmp_path), tmp_path / "told")
    silent = finish(small_config(tmp_path, probe_every=0), tmp_path / "silent")
    assert silent.exponents == []
    assert losses(told) == losses(silent)
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert (
            fingerprint(told.checkpoints[-1].folder)[name]
            == fingerprint(silent.checkpoints[-1].folder)[name]
        )


def test_a_skipped_step_has_gradients_that_are_not_finite_and_no_update(tmp_path: Path) -> None:
    config = small_config(tmp_path, precision="fp16", loss_scale=2.0**30, steps=1)
    run = finish(config, tmp_path / "run")
    assert run.steps["skipped"].tolist() == [1]
    last = run.exponents[-1]
    assert last.loss_scale == 2.0**30 and "updates" not in last.histograms()
    assert last.histograms()["gradients"].not_finite > 0


def test_a_resumed_run_tells_each_step_once(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=24, probe_every=2)
    steps = moments(config, tmp_path / "run")
    next(moment for moment in steps if moment.phase == "schedule" and moment.step == 17)
    steps.close()
    run = finish(config, tmp_path / "run", resume=True)
    assert [one.step for one in run.exponents] == [0, 10, 20, 24]
    plain = finish(config, tmp_path / "plain")
    for mine, theirs in zip(run.exponents, plain.exponents, strict=True):
        for kind in KINDS:
            assert getattr(mine, kind) == getattr(theirs, kind)


def test_the_parts_of_several_ranks_are_added_up() -> None:
    class Two(Single):
        def sums(self, values: Sequence[float]) -> list[float]:
            return [2 * value for value in values]

    probe = ExponentProbe([torch.tensor([1.0, 3.0, 0.0], requires_grad=True)], 8.0)
    probe.see_weights()
    told = probe.event(Two())
    assert told == {
        "loss_scale": 8.0,
        "weights": {"lowest": 0, "counts": [2, 2], "zeros": 2, "not_finite": 0},
    }


def test_what_an_event_holds_is_the_histogram_again() -> None:
    found = exponent_histogram(torch.tensor([1.0, 5.0, 0.0, torch.nan, 2.0**-149, 2.0**127]))
    again = CountedExponents(**found.to_json()).histogram()
    np.testing.assert_array_equal(again.counts, found.counts)
    assert (again.zeros, again.not_finite) == (1, 1)
    nothing = exponent_histogram(torch.zeros(3))
    assert CountedExponents(**nothing.to_json()).histogram().zeros == 3


def test_counts_that_cannot_be_are_no_event() -> None:
    head = {"event": "exponents", "attempt": 1, "step": 2, "time": 0.5}
    assert is_event({**head, "weights": {"lowest": 128, "counts": [1]}})
    assert not is_event({**head, "weights": {"lowest": 128, "counts": [1, 2]}})
    assert not is_event({**head, "weights": {"lowest": 0, "counts": [-1]}})
    assert not is_event({**head, "weights": 7})
    with pytest.raises(ValueError, match="reach beyond"):
        CountedExponents(lowest=100, counts=(1,) * 100)
    assert Exponents(**head).histograms() == {}


@pytest.mark.parametrize(("every", "interval"), [(1, 10), (3, 12), (4, 12), (10, 10), (25, 25)])
def test_histograms_lie_on_probes_but_not_too_close(every: int, interval: int) -> None:
    assert exponent_interval(every) == interval
