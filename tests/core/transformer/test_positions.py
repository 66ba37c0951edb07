"""Rotary positions against complex multiplication, and what they promise."""

import numpy as np
import torch

from core.transformer.positions import rotate, rotation_of, sinusoids


def test_a_pair_of_dimensions_is_a_complex_number_that_is_turned():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(3, 7, 6))
    turned = rotate(torch.from_numpy(x), rotation_of(7, 6, 100.0, dtype=torch.float64))
    pairs = x[..., :3] + 1j * x[..., 3:]  # Hugging Face's halves: i and i + D / 2
    angle = np.arange(7)[:, None] / 100.0 ** (np.array([0, 2, 4]) / 6)
    expected = pairs * np.exp(1j * angle)
    np.testing.assert_allclose(turned[..., :3], expected.real, atol=1e-12)
    np.testing.assert_allclose(turned[..., 3:], expected.imag, atol=1e-12)


def test_a_score_depends_on_the_distance_alone():
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(8, generator=generator, dtype=torch.float64) for _ in range(2))
    by = rotation_of(32, 8, 10_000.0, dtype=torch.float64)
    scores = rotate(q.expand(32, 8), by) @ rotate(k.expand(32, 8), by).mT
    for back in range(32):
        diagonal = scores.diagonal(-back)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert not torch.allclose(scores[5, 5], scores[5, 4])


def test_low_precision_keeps_its_dtype_and_the_angles_keep_their_digits():
    x = torch.randn(4000, 8, generator=torch.Generator().manual_seed(0))
    by = rotation_of(4000, 8, 10_000.0)
    low = rotate(x.bfloat16(), by)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), rotate(x, by), atol=0.05, rtol=0.02)


def test_sinusoids_are_those_of_the_paper():
    table = sinusoids(3, 4)
    expected = [
        [0.0, 1.0, 0.0, 1.0],
        [0.841471, 0.540302, 0.01, 0.99995],
        [0.909297, -0.416147, 0.019999, 0.9998],
    ]
    torch.testing.assert_close(table, torch.tensor(expected), atol=1e-6, rtol=0)
    wide = torch.tensor([0.841471, 0.540302, 0.821856, 0.569695])
    torch.testing.assert_close(sinusoids(2, 512)[1, :4], wide, atol=1e-6, rtol=0)
