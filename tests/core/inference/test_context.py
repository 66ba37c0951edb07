"""A context reads what is new of a text, and writes as if it had read all of it."""

from __future__ import annotations

import pytest
import torch

from core.inference.context import CHUNK, Context
from core.inference.generation import generate, generate_steps
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look

SMALL = {"vocab_size": 40, "block_size": 32, "n_layer": 2, "n_head": 2, "n_embd": 16}


def model_of(**changes) -> GPT:
    model = GPT(ModelConfig(**{**SMALL, **changes}), torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".ln_" not in name:
                parameter.mul_(12)
    return model.eval()


def count_reads(model: GPT) -> list[int]:
    """How many tokens each pass has read, from now on."""
    read: list[int] = []
    model.wte.register_forward_hook(lambda _, ids, __: read.append(ids[0].size(1)))
    return read


@pytest.mark.parametrize("changes", [{}, {"window": (4,)}, {"positions": "rope"}], ids=str)
def test_cached_generation_equals_uncached_beyond_the_context_too(changes: dict) -> None:
    model, prompt = model_of(**changes), [1, 2, 3, 4, 5]
    for settings in ({"temperature": 0.0}, {"top_p": 0.9, "seed": 3, "repetition_penalty": 1.2}):
        cached = generate(model, prompt, 40, **settings)
        assert cached == generate(model, prompt, 40, cache=False, **settings)
        assert len(cached) == 45  # more than the 32 that it can see


def test_only_what_is_new_is_read() -> None:
    model = model_of()
    read = count_reads(model)
    context = Context(model)
    context.read([1, 2, 3, 4])
    context.read([1, 2, 3, 4, 5, 6])
    context.read([1, 2, 9])  # another way from the third token on
    context.read([1, 2, 9])
    assert read == [4, 2, 1, 1] and context.ids == [1, 2, 9]


def test_a_fork_is_as_if_nothing_else_had_been_read() -> None:
    for changes in ({}, {"window": (3,)}):
        model = model_of(**changes)
        context = Context(model)
        context.read([1, 2, 3, 4, 5, 6, 7, 8])
        fork = context.read([1, 2, 3, 9])
        torch.testing.assert_close(fork, Context(model).read([1, 2, 3, 9]))


def test_a_look_sees_the_last_token() -> None:
    model = model_of()
    look = Look(["decoder.1.weights"])
    context = Context(model)
    logits = context.read([1, 2, 3, 4, 5], look)
    (weights,) = look.values.values()
    assert weights.shape == (1, 2, 1, 5)
    torch.testing.assert_close(logits, Context(model).read([1, 2, 3, 4, 5]))


def test_a_long_prompt_is_read_in_chunks() -> None:
    model = model_of(block_size=2 * CHUNK, positions="rope")
    read = count_reads(model)
    ids = torch.randint(40, (CHUNK + 5,), generator=torch.Generator().manual_seed(2)).tolist()
    logits = Context(model).read(ids)
    assert read == [CHUNK, 5]
    whole = model(torch.tensor([ids]))[0, -1].float()
    torch.testing.assert_close(logits, whole, atol=1e-4, rtol=1e-4)


def test_generation_stops_at_any_of_its_tokens_and_says_what_it_drew() -> None:
    model = model_of()
    plain = generate(model, [1, 2], 10, seed=1)
    steps = list(generate_steps(model, [1, 2], 10, seed=1, stop=[plain[4], plain[5]]))
    assert len(steps) <= 3 and steps[-1].id in plain[4:6]
    assert all(0 <= step.drawn < 1 and step.seconds > 0 for step in steps)


def test_after_an_error_it_reads_anew() -> None:
    model = model_of()
    context = Context(model)
    context.read([1, 2, 3])

    def broken(value):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        context.read([1, 2, 3, 4], Look(replace={"decoder.1.residual_mid": broken}))
    torch.testing.assert_close(context.read([1, 2, 3, 4]), Context(model).read([1, 2, 3, 4]))
