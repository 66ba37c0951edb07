"""Scaling laws: the published values, and that the optimum is one."""

import pytest

from core.training.estimates.scaling_law import (
    CHINCHILLA,
    HOFFMANN,
    ScalingLaw,
)

BUDGET = 5.76e23  # FLOPs of Gopher and Chinchilla


def test_the_original_fit_gives_the_published_losses() -> None:
    assert HOFFMANN.loss(70e9, 1.4e12) == pytest.approx(1.937, abs=5e-4)  # Chinchilla
    assert HOFFMANN.loss(280e9, 300e9) == pytest.approx(1.993, abs=5e-4)  # Gopher


@pytest.mark.parametrize(("law", "ratio"), [(CHINCHILLA, 18.4), (HOFFMANN, 92.6)])
def test_the_refit_says_eighteen_tokens_a_parameter(law: ScalingLaw, ratio: float) -> None:
    parameters, tokens = law.optimum(BUDGET)
    assert tokens / parameters == pytest.approx(ratio, abs=0.05)
    assert 6 * parameters * tokens == pytest.approx(BUDGET)


@pytest.mark.parametrize("law", [CHINCHILLA, HOFFMANN])
@pytest.mark.parametrize("flops", [1e18, BUDGET, 1e26])
def test_no_other_model_of_the_same_cost_is_better(law: ScalingLaw, flops: float) -> None:
    parameters, tokens = law.optimum(flops)
    best = law.loss(parameters, tokens)
    for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
        assert law.loss(parameters * factor, tokens / factor) > best


@pytest.mark.parametrize(
    "call",
    [
        lambda: CHINCHILLA.loss(0, 1e9),
        lambda: CHINCHILLA.loss(1e9, 0),
        lambda: CHINCHILLA.optimum(0),
    ],
)
def test_nothing_to_learn_with_is_refused(call) -> None:
    with pytest.raises(ValueError, match="give"):
        call()
