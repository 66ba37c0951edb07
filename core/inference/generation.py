"""Writing with a model: predict the next token, choose one, append it, again.

Letters in shapes: T tokens, V pieces in the vocabulary. Sources: top-k: Fan et al. 2018, section 3;
top-p: Holtzman et al. 2020, section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.transformer.gpt import GPT


@dataclass(frozen=True, slots=True)
class TokenStep:
    """One token written.

    id             which piece of the vocabulary
    probabilities  (V,) float32: what it was drawn from
    ids            (T,) int64: the prompt and everything written so far, this token last
    """

    id: int
    probabilities: np.ndarray
    ids: np.ndarray


def next_probabilities(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Logits (V,) -> probabilities (V,): temperature, then top-k, then top-p over what is left.

    temperature 0 puts everything on the largest logit. top_k keeps what is as likely as the k-th
    token, too. top_p keeps the smallest set of most likely tokens whose probabilities, scaled to a
    sum of 1 after top-k, reach top_p; of equally likely ones those with the smaller ids. Worked out
    in float64: in float32 the sum over a large vocabulary is off by more than many a token has.
    Raises ValueError for values outside their range.
    """
    _check_sampling(temperature, top_k, top_p)
    if temperature == 0.0:
        return torch.nn.functional.one_hot(logits.argmax(), logits.numel()).to(logits.dtype)
    # The largest one less first: it is 0 then, and stays so however small the temperature.
    scores = (logits.double() - logits.max()) / temperature
    if top_k is not None and top_k < logits.numel():
        smallest_kept = scores.topk(top_k).values[-1]
        scores = scores.where(scores >= smallest_kept, -math.inf)
    if top_p is not None and top_p < 1.0:
        ordered, order = scores.sort(descending=True, stable=True)
        ordered = torch.softmax(ordered, dim=-1)
        # The probability of everything likelier than this token; the first has nothing before it.
        before = ordered.cumsum(dim=-1).roll(1)
        before[0] = 0.0
        scores[order[before >= top_p]] = -math.inf
    return torch.softmax(scores, dim=-1).to(logits.dtype)


def _check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0.0 <= temperature < float("inf"):
        raise ValueError(
            f"temperature {temperature} must be 0 (always the likeliest) or more; 0.7 to 1 is usual"
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k {top_k} must be at least 1, or None to keep every token")
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise ValueError(
            f"top_p {top_p} must lie above 0 and at most at 1, or be None to keep every token"
        )


def generate_steps(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    stop: int | None = None,
) -> Iterator[TokenStep]:
    """Yields each new token as it is written; ends after `max_new_tokens` or the token `stop`.

    A prompt longer than block_size is read by its last block_size tokens. The draw depends on
    `seed` alone. Raises ValueError for ids that are not in the vocabulary, for no ids, and for
    sampling values or a number of tokens out of range.
    """
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; use 0 or more")
    written = [int(i) for i in np.asarray(ids).reshape(-1)]
    generator = torch.Generator().manual_seed(seed)
    for _ in range(max_new_tokens):
        logits = _last_logits(model, written[-model.config.block_size :])
        probabilities = next_probabilities(logits, temperature, top_k, top_p)
        chosen = int(torch.multinomial(probabilities, 1, generator=generator))
        written.append(chosen)
        yield TokenStep(chosen, probabilities.numpy(), np.array(written))
        if chosen == stop:
            return


def _last_logits(model: GPT, context: Sequence[int]) -> Tensor:
    """Logits (V,) of the token after `context`, fp32 on the CPU; train/eval mode as it was.

    The whole context is read anew for every token: nothing is cached.
    """
    batch = check_ids(model, context)
    with looking_at(model):
        return model(batch)[0, -1].float().cpu()


def generate(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    stop: int | None = None,
) -> list[int]:
    """`ids` and what the model wrote after them; the arguments and errors of `generate_steps`."""
    written = np.asarray(ids).reshape(-1)
    for step in generate_steps(model, ids, max_new_tokens, temperature, top_k, top_p, seed, stop):
        written = step.ids
    return [int(i) for i in written]
