"""Writing with an encoder-decoder, and what is seen of it while it does."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import core
from core.inference.encoder_decoder_activations import capture_encoder_decoder
from core.inference.surprise import surprises
from core.inference.translation import translate, translate_batch, translate_steps
from core.transformer.architectures import encoder_decoder_of, gpt_of
from core.transformer.gpt import GPT
from tests.core.families import AIAYN_STACK

SOURCES = [[3, 1, 4, 1, 5], [9, 2], [6, 5, 3, 5, 8, 9, 7, 9]]


def test_what_is_written_is_the_same_with_and_without_a_cache_and_in_a_batch(translator) -> None:
    written = [translate(translator, ids) for ids in SOURCES]
    assert any(0 < len(ids) < AIAYN_STACK.block_size for ids in written)  # some end by themselves
    assert written == [translate(translator, ids, cache=False) for ids in SOURCES]
    assert written == translate_batch(translator, SOURCES)
    assert written == [core.translate(translator, np.array(ids)) for ids in SOURCES]
    assert translator.training, "the model is in the mode that it was in"
    assert [ids[:2] for ids in written] == translate_batch(translator, SOURCES, 2)


@pytest.mark.parametrize("cache", [True, False])
def test_the_steps_tell_what_each_token_was_drawn_from_and_read(translator, cache: bool) -> None:
    steps = list(translate_steps(translator, SOURCES[0], 4, cache=cache))
    assert 1 < len(steps) <= 4
    target = steps[-1].ids
    assert target[0] == 0 and target[1:].tolist() == [step.id for step in steps]
    seen = capture_encoder_decoder(translator, SOURCES[0], target[:-1])
    for row, step in enumerate(steps):
        assert step.probabilities.argmax() == step.id == seen.logits[row].argmax()
        np.testing.assert_allclose(step.cross, seen.cross[:, :, row], atol=1e-5)
        np.testing.assert_allclose(step.logits, seen.logits[row], atol=1e-5)
        assert step.ids.tolist() == target[: row + 2].tolist()


def test_a_temperature_draws_by_the_seed(translator) -> None:
    def drawn(seed: int) -> list[int]:
        return translate(translator, SOURCES[0], temperature=5.0, seed=seed)

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(5)}) > 1
    steps = translate_steps(translator, SOURCES[0], temperature=2.0)
    first = next(steps)
    logits = torch.from_numpy(capture_encoder_decoder(translator, SOURCES[0], [0]).logits[0])
    torch.testing.assert_close(torch.from_numpy(first.probabilities), (logits / 2).softmax(-1))


def test_three_attentions_are_captured_and_further_sites(translator) -> None:
    found = core.capture_encoder_decoder(translator, SOURCES[0], [0, 7, 7], ["encoder.1.keys"])
    assert found.encoder.shape == (2, 2, 5, 5)
    assert found.decoder.shape == (3, 2, 3, 3)
    assert found.cross.shape == (3, 2, 3, 5)
    assert found.logits.shape == (3, 11)
    for weights in (found.encoder, found.decoder, found.cross):
        np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-6)
    assert (found.decoder[..., 0, 1:] == 0).all() and (found.encoder[..., 0, 1:] > 0).all()
    ((site, keys),) = found.single.items()
    assert str(site) == "encoder.1.keys" and keys.shape == (2, 5, 8)
    assert translator.training


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model: translate(model, []), "there are no tokens"),
        (lambda model: translate(model, [11]), "not in the vocabulary of 11 pieces"),
        (lambda model: translate(model, [1] * 13), "13 tokens do not fit"),
        (lambda model: translate(model, [1], -1), "0 or more"),
        (lambda model: translate(model, [1], temperature=-1.0), "temperature"),
        (lambda model: translate_batch(model, [[1], []]), "there are no tokens"),
        (lambda model: capture_encoder_decoder(model, [1], []), "there are no tokens"),
        (
            lambda model: capture_encoder_decoder(model, [1], [0], ["encoder.9.keys"]),
            "layers 0 to 1",
        ),
        (
            lambda model: capture_encoder_decoder(model, [1], [0], ["keys"]),
            "a site is written like",
        ),
    ],
)
def test_what_cannot_be_is_refused(translator, ask, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(translator)


def test_each_function_says_which_model_it_needs(translator) -> None:
    for ask in (
        lambda: core.capture(translator, [1]),
        lambda: core.generate(translator, [1], 1),
        lambda: core.generate(translator, [1], 1, cache=False),
        lambda: core.trace_attention(translator, [1], 0, 0),
        lambda: core.Context(translator),
        lambda: core.beam_search(translator, [1]),
        lambda: core.few_shot(
            SimpleNamespace(model=translator, tokenizer=None), [], "a", "b", (0,)
        ),
    ):
        with pytest.raises(
            ValueError, match=r"use core\.translate and core\.capture_encoder_decoder"
        ):
            ask()
    gpt = GPT(AIAYN_STACK)
    for other in (
        lambda: core.translate(gpt, [1]),
        lambda: core.capture_encoder_decoder(gpt, [1], [0]),
        lambda: translate_batch(gpt, [[1]]),
    ):
        with pytest.raises(ValueError, match=r'core\.load\("dates"\)'):
            other()


def test_a_wrapped_model_is_looked_at_as_the_model_that_it_wraps(translator) -> None:
    gpt = GPT(AIAYN_STACK, torch.Generator().manual_seed(0))
    compiled = torch.compile(gpt, backend="eager")
    assert gpt_of(compiled) is gpt and gpt_of(nn.DataParallel(compiled)) is gpt
    for wrapped in (compiled, nn.DataParallel(gpt)):
        for ask in (
            lambda model: core.capture(model, [1, 2]).logits,
            lambda model: core.logit_lens(model, [1, 2]).rank,
            lambda model: core.explain(model, [1, 2]).after.logit,
            lambda model: core.compare_intervention(model, [1, 2], {}).after.logits,
            lambda model: core.trace_attention(model, [1, 2], 0, 0).about["by_head"],
            lambda model: core.trace_forward(model, [1, 2]).about["logits"],
            lambda model: core.generate(model, [1, 2], 2),
            lambda model: core.beam_search(model, [1, 2], 2).text(0),
            lambda model: surprises(model, [1, 2]),
        ):
            np.testing.assert_array_equal(ask(wrapped), ask(gpt))
    assert encoder_decoder_of(torch.compile(translator, backend="eager")) is translator
    with pytest.raises(ValueError, match=r"use core\.translate"):
        gpt_of(torch.compile(translator, backend="eager"))
    for ask in (gpt_of, encoder_decoder_of):
        with pytest.raises(ValueError, match="a Linear is no .* look at the model that it wraps"):
            ask(nn.Linear(2, 2))
