"""Where an overflow began: the first gradient that is not finite, as the backward pass goes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from core.training.health import first_overflow
from core.training.parallel import Single
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT

IDS = torch.randint(13, (2, 8), generator=torch.Generator().manual_seed(1))


def backward(place: str, **changes: object) -> tuple[GPT, list[str]]:
    """A model whose gradients overflow at a module's output, and its parameters in the order in
    which they got their gradients.
    """
    shape = {"vocab_size": 13, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 16}
    model = GPT(ModelConfig(**{**shape, **changes}), torch.Generator().manual_seed(0))
    order: list[str] = []
    for name, parameter in model.named_parameters():
        parameter.register_post_accumulate_grad_hook(lambda _, name=name: order.append(name))
    if place:
        module = model.get_submodule(place)
        module.register_forward_hook(
            lambda _, __, output: output.register_hook(lambda slope: slope * torch.inf) and None
        )
    model.loss(IDS, IDS)[0].backward()
    return model, order


@pytest.mark.parametrize("changes", [{}, {"tie_weights": False, "norm_placement": "post"}], ids=str)
@pytest.mark.parametrize("place", ["ln_f", "h.1.mlp", "h.1.attn", "h.0.mlp.c_fc", "wte"])
def test_it_is_the_first_that_the_backward_pass_came_to(
    place: str, changes: dict[str, object]
) -> None:
    if place == "ln_f" and changes:
        place = "lm_head"
    model, order = backward(place, **changes)
    broken = [name for name in order if not model.get_parameter(name).grad.isfinite().all()]
    found = first_overflow(model, Single()).removeprefix("the gradient of ")
    module = found.rpartition(".")[0]
    assert module == broken[0].rpartition(".")[0]  # weight or bias: torch gives both at once


def test_none_is_told_where_all_are_finite() -> None:
    assert first_overflow(backward("")[0], Single()) == ""


def test_the_first_of_any_rank_is_told_to_all() -> None:
    class Second(Single):
        """Beside a rank whose output norm overflowed."""

        def sums(self, values: Sequence[float]) -> list[float]:
            return [value + (at == len(values) - 1) for at, value in enumerate(values)]

    model, _ = backward("h.0.mlp")
    assert first_overflow(model, Second()) == "the gradient of ln_f.bias"
