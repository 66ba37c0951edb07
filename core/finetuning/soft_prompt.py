"""Prompt tuning: a few vectors in front of the text learn, and nothing else.

A prompt of words instructs a model through the embedding vectors of the words. A soft prompt has no
words: its vectors are learned, and need not match those of any word. The model reads them as new
tokens, so a soft prompt is a list of ids that precedes a text.
Source: "The Power of Scale for Parameter-Efficient Prompt Tuning" (Lester et al. 2021, section 2).

Letters in shapes: B sequences, T tokens of a text, P of the prompt, C width of the residual stream.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.batches import NO_TOKEN
from core.finetuning.new_tokens import NewTokens, add_tokens
from core.transformer.architectures import Model, gpt_of

COMMON = 5_000  # first tokens of a vocabulary, from which prompts start


def add_soft_prompt(
    model: Model, tokens: int, *, generator: torch.Generator | None = None
) -> tuple[int, ...]:
    """Adds a soft prompt of `tokens` tokens to the model, and returns their ids; freezes the rest.

    They start as copies of tokens drawn from the first 5,000 of the vocabulary, which are the most
    frequent ones in most vocabularies: random numbers learn worse (section 3.2).

    generator  random source; None: torch's own

    Raises ValueError, with a remedy, if the prompt leaves no room for a text, and for an
    encoder-decoder.
    """
    model = gpt_of(model)
    size = model.config.block_size
    if not 1 <= tokens < size:
        raise ValueError(
            f"a soft prompt of {tokens} tokens does not fit: this model reads at most {size}, of "
            f"which the text needs some; 8 to 100 are usual"
        )
    model.requires_grad_(False)
    known = min(COMMON, model.config.vocab_size)
    drawn = torch.randint(known, (tokens,), generator=generator)
    rows = model.wte(drawn.to(model.wte.weight.device)).detach()  # (P, C)
    return add_tokens(model, rows)


@torch.no_grad()
def nearest_tokens(model: Model) -> list[int]:
    """Returns, for each learned token, the vocabulary token whose vector is nearest in direction,
    by the cosine. Raises ValueError for a model without a soft prompt.
    """
    table = gpt_of(model).wte
    if not isinstance(table, NewTokens):
        raise ValueError("this model has no soft prompt; open one that was tuned by prompt tuning")
    words = F.normalize(table.weight.float(), dim=-1)  # (V, C)
    learned = F.normalize(table.rows, dim=-1)  # (P, C)
    return (learned @ words.mT).argmax(-1).tolist()


def put_in_front(prompt: tuple[int, ...], ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Puts the prompt in front of each text, without targets there: ids and targets, (B, T) each,
    -> (B, P + T) each.
    """
    B, P = ids.size(0), len(prompt)
    front = torch.tensor(prompt, dtype=ids.dtype, device=ids.device).expand(B, P)
    nothing = torch.full((B, P), NO_TOKEN, dtype=targets.dtype, device=targets.device)
    read = torch.cat((front, ids), 1)  # (B, P + T)  # step: front
    return read, torch.cat((nothing, targets), 1)
