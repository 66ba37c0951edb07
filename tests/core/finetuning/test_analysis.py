"""What an adapter changed: its directions against the dense SVD, its strength, its heads."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import core
from core.finetuning.adapter import add_lora
from core.finetuning.analysis import (
    attention_change,
    delta_of,
    spectrum_of,
    strengths,
    strengths_between,
    weight_of,
)
from core.finetuning.lora import LoRAConfig
from core.finetuning.spectrum import (
    Spectrum,
    chance_overlap,
    cosines,
    dense_spectrum,
    energy_shares,
    low_rank_spectrum,
    overlap,
    strongest_directions,
)
from core.finetuning.spectrum_trace import trace_spectrum
from core.trace import Step
from tests.core.finetuning.models import BIASED, GROUPED, learned, model_of
from tests.core.test_trace import MarkedLines


def factors(r: int, d_in: int, d_out: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(r)
    return torch.randn(r, d_in, generator=generator), torch.randn(d_out, r, generator=generator)


def flat(*values: float) -> Spectrum:
    """Diagonal."""
    return Spectrum(np.eye(len(values)), np.array(values), np.eye(len(values)))


@pytest.mark.parametrize(("r", "d_in", "d_out"), [(1, 40, 30), (8, 64, 96), (20, 16, 90)])
def test_the_directions_of_a_product_are_those_of_the_dense_matrix(
    r: int, d_in: int, d_out: int
) -> None:
    A, B = factors(r, d_in, d_out)
    found = low_rank_spectrum(A, B, 0.3)
    dense = 0.3 * B.double() @ A.double()
    rank = min(r, d_in)
    np.testing.assert_allclose(found.values, torch.linalg.svdvals(dense)[:rank].numpy(), rtol=1e-10)
    np.testing.assert_allclose(
        (found.left * found.values) @ found.right.T, dense.numpy(), atol=1e-10
    )
    for sides in (found.left, found.right):
        np.testing.assert_allclose(sides.T @ sides, np.eye(rank), atol=1e-12)
    assert found.norm == pytest.approx(float(dense.norm()))


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (5, 30)])
def test_the_strongest_directions_are_those_of_the_whole_decomposition(
    shape: tuple[int, int],
) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = strongest_directions(matrix, 4)
    np.testing.assert_allclose(found.mT @ found, np.eye(4), atol=1e-5)
    dense = dense_spectrum(matrix).right[:, :4]
    np.testing.assert_allclose(abs(cosines(found.numpy(), dense)), np.eye(4), atol=0.02)
    with pytest.raises(ValueError, match="NaN"):
        strongest_directions(matrix * torch.nan, 4)


def test_shares_and_ranks_of_spectra_that_are_known() -> None:
    assert flat(3, 3, 3, 3).effective_rank == pytest.approx(4)
    assert flat(5, 0, 0).effective_rank == pytest.approx(1)
    halves = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert flat(3, 1).effective_rank == pytest.approx(halves)
    np.testing.assert_allclose(energy_shares(np.array([3.0, 1.0])), [0.9, 0.1])
    assert [flat(3, 1).directions_for(share) for share in (0.5, 0.89, 0.91, 1)] == [1, 1, 2, 2]
    assert flat(3, 3, 3, 3).directions_for() == 4
    nothing = low_rank_spectrum(torch.ones(4, 8), torch.zeros(8, 4))
    assert (nothing.effective_rank, nothing.directions_for(), nothing.norm) == (0, 0, 0)
    assert nothing.shares.tolist() == [0, 0, 0, 0]


def test_overlap_is_that_of_the_subspaces() -> None:
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 6)))[0]
    mixed = basis[:, :3] @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    same, apart = overlap(basis[:, :3], mixed), overlap(basis[:, :3], basis[:, 3:])
    assert same.shape == (3, 3)
    assert same[2, 2] == pytest.approx(1)
    for i in range(3):
        for j in range(3):  # LoRA's equation (4)
            phi = np.linalg.norm(basis[:, : i + 1].T @ mixed[:, : j + 1]) ** 2 / min(i + 1, j + 1)
            assert same[i, j] == pytest.approx(phi)
    np.testing.assert_allclose(apart, 0, atol=1e-12)
    np.testing.assert_allclose(abs(cosines(basis, basis)), np.eye(6), atol=1e-12)


def test_random_directions_overlap_by_chance() -> None:
    generator, drawn = np.random.default_rng(0), []
    for _ in range(200):
        first, second = (np.linalg.qr(generator.normal(size=(20, count)))[0] for count in (3, 5))
        drawn.append(overlap(first, second)[-1, -1])
    assert np.mean(drawn) == pytest.approx(chance_overlap(3, 5, 20), rel=0.05)


@pytest.mark.parametrize("kind", [{}, {"rslora": True}, {"dora": True}])
@pytest.mark.parametrize("merged", [False, True])
def test_strengths_are_those_of_the_matrices(kind: dict[str, bool], merged: bool) -> None:
    model = model_of(GROUPED)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    adapter = learned(
        model, LoRAConfig(r=2, target_modules=("c_attn.v", "mlp.c_fc", "wte"), **kind)
    )
    if merged:
        adapter.merge()
    found = {one.name: one for one in strengths(adapter)}
    assert list(found) == list(adapter.updates)
    for name in adapter.updates:
        delta, weight = delta_of(adapter, name), weight_of(adapter, name)
        assert found[name].ratio == pytest.approx(float(delta.norm() / weight.norm()), rel=1e-5)
        assert spectrum_of(adapter, name).norm == pytest.approx(float(delta.norm()), rel=1e-5)
    rows = slice(32 + 16, 32 + 32)  # of the values, after 4 x 8 of queries and 2 x 8 of keys
    assert torch.equal(
        weight_of(adapter, "h.0.attn.c_attn.v"), before["h.0.attn.c_attn.weight"][rows]
    )

    adapter.remove(merged=True)
    between = {one.name: one for one in strengths_between(before, model.state_dict())}
    assert set(between) == {
        "wte.weight",
        *(f"h.{n}.{end}.weight" for n in (0, 1) for end in ("attn.c_attn", "mlp.c_fc")),
    }
    assert between["h.1.mlp.c_fc.weight"].ratio == pytest.approx(
        found["h.1.mlp.c_fc"].ratio, rel=1e-4
    )


def test_a_bias_that_was_zero_has_no_ratio_but_infinity() -> None:
    zero, one = torch.zeros(3), torch.ones(3)
    (found,) = strengths_between({"b": zero, "same": one}, {"b": one, "same": one, "new": one})
    assert found.ratio == math.inf and found.change == pytest.approx(3**0.5)
    with pytest.raises(ValueError, match="the tensors of one model"):
        list(strengths_between({"b": zero}, {"b": torch.ones(4)}))


def test_the_attention_of_every_head_before_and_after() -> None:
    ids = [3, 1, 4, 1, 5, 9]
    model = model_of(BIASED)
    plain = core.capture(model, ids, ["attention"]).attention
    assert plain is not None
    adapter = learned(model, LoRAConfig(r=2))
    adapter.scale = 1.5
    found = attention_change(adapter, ids)
    np.testing.assert_array_equal(found.before, plain)
    np.testing.assert_array_equal(found.after, core.capture(model, ids, ["attention"]).attention)
    assert adapter.scale == 1.5
    np.testing.assert_allclose(found.moved, abs(found.after - plain).sum(-1) / 2)
    assert found.by_head.shape == (2, 2) and found.by_head.min() > 0
    np.testing.assert_array_equal(found.by_head, found.moved.max(axis=-1))
    values = learned(model_of(BIASED), LoRAConfig(r=2, target_modules=("c_attn.v",)))
    assert attention_change(values, ids).moved[0].max() == 0, "layer 0 reads the same embeddings"


def test_what_an_adapter_does_not_change_is_told_with_what_it_does() -> None:
    adapter = add_lora(model_of(BIASED))
    with pytest.raises(ValueError, match="it changes h.0.attn.c_attn"):
        spectrum_of(adapter, "h.0.mlp.c_fc")
    with pytest.raises(ValueError, match="no product of B and A"):
        trace_spectrum(add_lora(model_of(BIASED), LoRAConfig(dora=True)), "h.0.attn.c_attn")
    torch.nn.init.constant_(adapter.updates["h.0.attn.c_attn"].B, torch.nan)
    for ask in (spectrum_of, trace_spectrum):
        with pytest.raises(ValueError, match="take an earlier checkpoint"):
            ask(adapter, "h.0.attn.c_attn")
    adapter.remove()
    with pytest.raises(ValueError, match="it was removed"):
        weight_of(adapter, "h.0.attn.c_attn")


def steps_of_spectra() -> list[Step]:
    return list(trace_spectrum(learned(model_of(BIASED), LoRAConfig(r=3)), "h.0.attn.c_attn"))


def test_the_marked_lines_computed_what_the_steps_show() -> None:
    with MarkedLines() as lines:
        steps = steps_of_spectra()
    assert len(steps) == 10
    for step in steps:
        lines.left(step)
    untrained = add_lora(model_of(BIASED), LoRAConfig(r=3))
    assert len(trace_spectrum(untrained, "h.0.attn.c_attn")) == 6
