"""Text generation with an encoder-decoder: reads the source once, writes the target by tokens.

Letters in shapes: B sources, Ts tokens of the source, Tt of the target, V pieces in the target's
vocabulary, L layers and H heads of the decoder.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.data.pairs import padded
from core.inference.activations import ids_tensor, looking_at
from core.inference.indices import check_count
from core.inference.sampling import Sampling, draw, draws, next_token
from core.transformer.architectures import encoder_decoder_of
from core.transformer.cache import KeyValueCache
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.look import Look, Site


@dataclass(frozen=True, slots=True)
class TranslationStep:
    """One generated token of the target.

    id             index in the vocabulary
    logits         (V,) float32: the model's own
    probabilities  (V,) float32: the distribution it was drawn from
    ids            (Tt,) int64: the target so far, `start_id` first, this token last
    cross          (L, H, Ts) float32: each decoder head's attention to the source for this token
    drawn          the random number from 0 to 1 that selected it
    seconds        to generate it
    """

    id: int
    logits: np.ndarray
    probabilities: np.ndarray
    ids: np.ndarray
    cross: np.ndarray
    drawn: float = 0.0
    seconds: float = 0.0


def translate_steps(
    model: EncoderDecoder,
    source_ids: Sequence[int] | np.ndarray,
    max_new_tokens: int | None = None,
    *,
    temperature: float = 0.0,
    seed: int = 0,
    cache: bool = True,
) -> Iterator[TranslationStep]:
    """Yields each token of the target as it is written; ends after `end_id`, after
    `max_new_tokens`, or when the decoder's context is full.

    Temperature 0 takes the likeliest token each time. `cache`: the source's keys and values are
    computed once, and no token of the target is read twice; the result is the same. Raises
    ValueError for ids that are not in the vocabulary, for none or too many, for another model, and
    for numbers out of range.
    """
    model = encoder_decoder_of(model)
    config, decoder = model.config, model.config.decoder
    room = decoder.block_size
    if max_new_tokens is not None:
        room = min(room, check_count(max_new_tokens))
    sampling = Sampling(temperature=temperature)
    numbers = draws(seed)
    source = _source(model, source_ids)
    sites = [Site("decoder", layer, "cross.weights") for layer in range(decoder.n_layer)]
    written = [config.start_id]
    kept = KeyValueCache(decoder) if cache else None
    with looking_at(model):
        memory = model.encode(source)
    for _ in range(room):
        begun = time.perf_counter()
        look = Look(sites)
        new = written[-1:] if cache else written
        target = torch.tensor([new], device=source.device)  # (1, 1), or (1, Tt)
        with looking_at(model):
            logits = model.decode(target, memory, look, kept)[0, -1].float().cpu()
        cross = torch.stack([look.values[site][0, :, -1] for site in sites])  # (L, H, Ts)
        probabilities = next_token(logits, sampling, written).kept
        drawn = next(numbers)
        chosen = draw(probabilities, drawn)
        written.append(chosen)
        yield TranslationStep(
            chosen,
            logits.numpy(),
            probabilities.float().numpy(),
            np.array(written),
            cross.float().cpu().numpy(),
            drawn,
            time.perf_counter() - begun,
        )
        if chosen == config.end_id:
            return


def translate(
    model: EncoderDecoder,
    source_ids: Sequence[int] | np.ndarray,
    max_new_tokens: int | None = None,
    *,
    temperature: float = 0.0,
    seed: int = 0,
    cache: bool = True,
) -> list[int]:
    """Returns the target that the model writes for a source, without `start_id` and `end_id`; the
    arguments and errors of `translate_steps`.
    """
    steps = translate_steps(
        model, source_ids, max_new_tokens, temperature=temperature, seed=seed, cache=cache
    )
    return [step.id for step in steps if step.id != model.config.end_id]


def translate_batch(
    model: EncoderDecoder, sources: Sequence[Sequence[int]], max_new_tokens: int | None = None
) -> list[list[int]]:
    """Translates many sources at once by greedy decoding. Raises the errors of `translate`."""
    model = encoder_decoder_of(model)
    config = model.config
    for ids in sources:
        _source(model, ids)
    device = model.lm_head.weight.device
    source_ids = torch.from_numpy(padded(sources)).to(device)  # (B, Ts)
    room = config.decoder.block_size
    kept = KeyValueCache(config.decoder)
    new = torch.full((len(sources), 1), config.start_id, device=device)
    targets = torch.empty(len(sources), 0, dtype=torch.int64, device=device)
    ended = torch.zeros(len(sources), dtype=torch.bool, device=device)
    with looking_at(model):
        memory = model.encode(source_ids)
        for _ in range(room if max_new_tokens is None else min(room, max_new_tokens)):
            new = model.decode(new, memory, cache=kept)[:, -1].argmax(-1, keepdim=True)  # (B, 1)
            targets = torch.cat((targets, new), dim=1)
            ended |= new[:, 0] == config.end_id
            if ended.all():
                break
    return [_until(ids, config.end_id) for ids in targets.tolist()]


def _until(ids: list[int], end: int) -> list[int]:
    return ids[: ids.index(end)] if end in ids else ids


def _source(model: EncoderDecoder, ids: Sequence[int] | np.ndarray) -> Tensor:
    return ids_tensor(ids, model.config.encoder, model.lm_head.weight.device)
