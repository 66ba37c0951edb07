"""Writing with an encoder-decoder: the source is read once, the target token by token; and what its
three kinds of attention look at.

Letters in shapes: Ts tokens of the source, Tt of the target, V pieces in the target's vocabulary, L
layers and H heads of the encoder or the decoder, D dimensions a head, C width.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from core.data.pairs import padded
from core.inference.activations import ids_tensor, looking_at, to_array
from core.inference.sampling import Sampling, draw, draws, next_token
from core.transformer.architectures import pair_of
from core.transformer.cache import KeyValueCache
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.look import Look, Site, check_sites


@dataclass(frozen=True, slots=True)
class TranslationStep:
    """One token of the target written.

    id             which piece of the vocabulary
    logits         (V,) float32: the model's own, of every piece
    probabilities  (V,) float32: what it was drawn from
    ids            (Tt,) int64: the target so far, `start_id` first, this token last
    cross          (L, H, Ts) float32: what each head of the decoder read of the source to write it
    drawn          the number from 0 to 1 that fell on it
    seconds        that it took
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
    `max_new_tokens`, or where the target is as long as the decoder can read.

    Temperature 0 takes the likeliest token each time. `cache`: the source is read into keys and
    values once, and no token of the target is read twice; what is written is the same. Raises
    ValueError for ids that are not in the vocabulary, for none or too many, for another model, and
    for numbers out of range.
    """
    model = pair_of(model)
    config, decoder = model.config, model.config.decoder
    room = decoder.block_size
    if max_new_tokens is not None:
        if max_new_tokens < 0:
            raise ValueError(f"max_new_tokens is {max_new_tokens}; use 0 or more")
        room = min(room, max_new_tokens)
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
    """The target that the model writes for a source, without `start_id` and `end_id`; the
    arguments and errors of `translate_steps`.
    """
    steps = translate_steps(
        model, source_ids, max_new_tokens, temperature=temperature, seed=seed, cache=cache
    )
    return [step.id for step in steps if step.id != model.config.end_id]


def translate_batch(
    model: EncoderDecoder, sources: Sequence[Sequence[int]], max_new_tokens: int | None = None
) -> list[list[int]]:
    """`translate` of many sources at once, each by the likeliest tokens. Raises as it does."""
    model = pair_of(model)
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


@dataclass(frozen=True, slots=True)
class PairActivations:
    """What an encoder-decoder computes on a source and a target: float32 arrays on the CPU.

    source_ids, target_ids  (Ts,), (Tt,)
    encoder                 (L, H, Ts, Ts): each row sums to 1, as in the two that follow
    decoder                 (L, H, Tt, Tt)
    cross                   (L, H, Tt, Ts): what each token of the target reads of the source
    logits                  (Tt, V): row t predicts the token after t
    single                  the sites that were asked for by themselves, without the batch's axis
    """

    source_ids: np.ndarray
    target_ids: np.ndarray
    encoder: np.ndarray
    decoder: np.ndarray
    cross: np.ndarray
    logits: np.ndarray
    single: Mapping[Site, np.ndarray] = field(default_factory=dict)


def capture_pair(
    model: EncoderDecoder,
    source_ids: Sequence[int] | np.ndarray,
    target_ids: Sequence[int] | np.ndarray,
    sites: Sequence[str | Site] = (),
) -> PairActivations:
    """Runs the model once over a source and a target, which begins with `start_id`, and keeps every
    head's attention, and what is at further `sites`, such as "encoder.0.queries".

    The model's train/eval mode is as it was afterwards; dropout is off during the run. Raises
    ValueError for ids or sites that cannot be, and for another model.
    """
    model = pair_of(model)
    config = model.config
    source = _source(model, source_ids)
    target = ids_tensor(target_ids, config.decoder, source.device)
    kinds = {
        "encoder": [Site("encoder", layer, "weights") for layer in range(config.encoder.n_layer)],
        "decoder": [Site("decoder", layer, "weights") for layer in range(config.decoder.n_layer)],
        "cross": [
            Site("decoder", layer, "cross.weights") for layer in range(config.decoder.n_layer)
        ],
    }
    single = [one if isinstance(one, Site) else Site.parse(one) for one in sites]
    look = Look([*single, *(site for stacked in kinds.values() for site in stacked)])
    check_sites(config, look)
    with looking_at(model):
        logits = model(source, target, look)[0]
    arrays = {
        name: to_array(torch.stack([look.values[site][0] for site in stacked]))
        for name, stacked in kinds.items()
    }
    return PairActivations(
        source_ids=source[0].cpu().numpy(),
        target_ids=target[0].cpu().numpy(),
        logits=to_array(logits),
        single={site: to_array(look.values[site][0]) for site in single},
        **arrays,
    )
