"""Text generation: predict the next token, choose one, append it, repeat.

Letters in shapes: T tokens, V pieces in the vocabulary. The choice of a token: see `sampling`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from torch import Tensor

from core.inference.activations import check_ids, looking_at, text_ids
from core.inference.context import Context
from core.inference.indices import check_count, check_stop
from core.inference.interventions import AS_IT_IS, Intervention
from core.inference.sampling import Sampling, draw, draws, next_token
from core.inference.stop_strings import bytes_of, check_stop_strings, first_stop
from core.tokenization import Tokenizer
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT
from core.transformer.look import Look, Replacements


@dataclass(frozen=True, slots=True)
class TokenStep:
    """One generated token.

    id             index in the vocabulary
    logits         (V,) float32: the model's own
    probabilities  (V,) float32: the distribution it was drawn from
    ids            (T,) int64: the prompt and all tokens so far, this one last
    drawn          the random number from 0 to 1 that selected it
    seconds        to generate it
    """

    id: int
    logits: np.ndarray
    probabilities: np.ndarray
    ids: np.ndarray
    drawn: float
    seconds: float


def generate_steps(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    *,
    seed: int = 0,
    stop: int | Collection[int] | None = None,
    stop_strings: str | Collection[str] = (),
    tokenizer: Tokenizer | None = None,
    cache: bool = True,
    intervention: Intervention = AS_IT_IS,
) -> Iterator[TokenStep]:
    """Yields each new token as it is written. Generation ends after `max_new_tokens`, at a token of
    `stop`, or once the new text contains one of `stop_strings`, which require the tokenizer.

    Of a prompt longer than block_size, only the last block_size tokens are read. The draw depends
    on `seed` alone. With `cache`, no token is read twice; the text is the same. An intervention's
    parts stay off while the text is written; its patch applies to `ids` alone.

    Raises ValueError, with a remedy, for ids that are not one text of this vocabulary, for an
    invalid number of tokens, seed or token of `stop`, and as `check_stop_strings` and
    `Intervention.replacements`.
    """
    model = gpt_of(model)
    max_new_tokens = check_count(max_new_tokens)
    last = check_stop(model.config.vocab_size, stop)
    strings, said = check_stop_strings(stop_strings, tokenizer), b""
    written = text_ids(ids).tolist()
    numbers = draws(seed)
    read = Context(model).read if cache else partial(_last_logits, model)
    patched, plain = _replacements(model, written, intervention)
    size = model.config.block_size
    for place in range(max_new_tokens):
        begun = time.perf_counter()
        shown = written[-size:]
        reads_prompt = place == 0 or (not cache and len(written) <= size)
        changes = patched if reads_prompt else plain
        logits = read(shown, replace=changes)  # step: logits
        kept = next_token(logits, sampling, written).kept
        drawn = next(numbers)
        chosen = draw(kept, drawn)
        written.append(chosen)  # step: append
        took = time.perf_counter() - begun
        arrays = logits.numpy().copy(), kept.float().numpy(), np.array(written)
        yield TokenStep(chosen, *arrays, drawn, took)
        if tokenizer is not None and strings:
            said += bytes_of(chosen, tokenizer)
        if chosen in last or first_stop(said, strings) is not None:
            return


def _replacements(
    model: GPT, ids: Sequence[int], intervention: Intervention
) -> tuple[Replacements, Replacements]:
    """Returns the replacements for reading the prompt, and those for later tokens, without the
    patch, which applies to tokens of the prompt.
    """
    patched = intervention.replacements(model, ids)
    if not intervention.patch:
        return patched, patched
    return patched, replace(intervention, patch=()).replacements(model, ids)


def _last_logits(model: GPT, ids: Sequence[int], replace: Replacements) -> Tensor:
    """Computes the logits (V,) of the token after `ids`, fp32 on the CPU, without a cache."""
    batch = check_ids(model, ids)
    with looking_at(model):
        return model(batch, Look((), replace))[0, -1].float().cpu()


def generate(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float = 1.0,
    seed: int = 0,
    stop: int | Collection[int] | None = None,
    stop_strings: str | Collection[str] = (),
    tokenizer: Tokenizer | None = None,
    cache: bool = True,
) -> list[int]:
    """Returns `ids` followed by the generated tokens: see `Sampling` and `generate_steps`; raises
    the errors of both. As in transformers, a stop string is included, with the whole token that
    completes it: `cut_at_stop` removes it from the decoded text.
    """
    sampling = Sampling(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
    )
    steps = generate_steps(
        model, ids, max_new_tokens, sampling, seed=seed, stop=stop, stop_strings=stop_strings,
        tokenizer=tokenizer, cache=cache,
    )  # fmt: skip
    written = [step.id for step in steps]
    return [*text_ids(ids).tolist(), *written]
