"""The choice of the next token: from logits to probabilities, cuts, and the draw.

    logits -> penalty -> temperature -> top-k -> top-p -> min-p -> rescale to sum 1 -> draw

The order is that of Hugging Face's transformers. All values are float64: in float32, the error of
the sum over a large vocabulary exceeds many tokens' probability. Letters in shapes: V pieces in
the vocabulary. Sources: repetition penalty: Keskar et al. 2019, section 4.1; top-k: Fan et al.
2018, section 3; top-p: Holtzman et al. 2020, section 3.1; min-p: Nguyen et al. 2024, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from core import fields
from core.fields import WIDEST, field
from core.files import quoted


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Settings for the choice of tokens.

    temperature         0 always takes the likeliest token; 1 keeps the model's probabilities; a
                        higher value makes them more equal
    top_k               keep this many of the likeliest tokens, and any as likely as the last of
                        them; None or 0: all
    top_p               keep the fewest likeliest tokens that together have this probability; None
                        or 1: all
    min_p               keep tokens at least this many times as likely as the likeliest; None or 0:
                        all
    repetition_penalty  divide positive logits of tokens that are already in the text by it, and
                        multiply negative ones; 1 changes nothing

    Raises ValueError, with a remedy, for values outside their range.
    """

    temperature: float = field(
        1.0, label="Temperature", least=0, most=1e300, remedy="0.7 to 1 is usual"
    )
    top_k: int | None = field(None, label="Top-k", least=0, remedy="None keeps every token")
    top_p: float | None = field(
        None, label="Top-p", above=0, most=1, remedy="None keeps every token"
    )
    min_p: float | None = field(
        None, label="Min-p", least=0, most=1, remedy="None keeps every token"
    )
    repetition_penalty: float = field(
        1.0, label="Repetition penalty", above=0, most=1e6, remedy="1 to 1.3 is usual"
    )

    def __post_init__(self) -> None:
        fields.check(self)


class NextToken(NamedTuple):
    """The steps from logits to the distribution to draw from, (V,) float64 each; `logits` as given.

    penalized      logits after the repetition penalty
    probabilities  after the temperature, before any cut
    top_k, top_p, min_p
                   bool: the tokens that each cut keeps of those left by the previous one
    kept           the remaining probabilities, rescaled to a sum of 1
    """

    logits: Tensor
    penalized: Tensor
    probabilities: Tensor
    top_k: Tensor
    top_p: Tensor
    min_p: Tensor
    kept: Tensor


def next_token(
    logits: Tensor, sampling: Sampling | None = None, seen: Sequence[int] = ()
) -> NextToken:
    """Turns logits (V,) into the probabilities to draw from; `seen`: the tokens so far.

    Raises ValueError for logits that are NaN or too large for any number: no token is likeliest.
    """
    if not math.isfinite(logits.max()):  # NaN if one of them is
        raise ValueError(
            "the logits of the next token are not finite: the model's weights are damaged, or too "
            'large for its dtype; load it as "float32", or choose another model'
        )
    sampling = sampling or Sampling()
    penalized = penalize(logits.double(), seen, sampling.repetition_penalty)
    probabilities = temper(penalized, sampling.temperature)
    by_k = top_k_of(probabilities, sampling.top_k)
    left = probabilities.where(by_k, 0.0)
    by_p = top_p_of(left, sampling.top_p)
    left = left.where(by_p, 0.0)
    by_min = min_p_of(left, sampling.min_p)
    kept = rescale(left.where(by_min, 0.0))
    return NextToken(logits, penalized, probabilities, by_k, by_p, by_min, kept)


def penalize(logits: Tensor, seen: Sequence[int], penalty: float) -> Tensor:
    """Lowers the logits (V,) of tokens that are already in the text."""
    if penalty == 1.0 or not len(seen):
        return logits
    was_seen = torch.zeros(logits.numel(), dtype=torch.bool, device=logits.device)
    known = [id for id in seen if id < logits.numel()]  # a soft prompt's tokens are never written
    was_seen[torch.as_tensor(known, dtype=torch.int64, device=logits.device)] = True
    smaller = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(was_seen, smaller, logits)  # step: penalty


def temper(logits: Tensor, temperature: float) -> Tensor:
    """Turns logits (V,) into probabilities (V,). A lower temperature favors the likeliest token.

    The largest logit is subtracted first, so that e^z cannot overflow: at most, it is 1.
    """
    if temperature == 0.0:
        likeliest = logits.argmax()  # step: greedy
        return torch.nn.functional.one_hot(likeliest, logits.numel()).to(logits.dtype)
    largest = logits.max()
    scaled = (logits - largest) / temperature  # step: temperature
    probabilities = torch.softmax(scaled, dim=-1)  # step: softmax
    return probabilities


def top_k_of(probabilities: Tensor, top_k: int | None) -> Tensor:
    """Marks the k likeliest tokens, and any as likely as the last of them: (V,) bool."""
    if not top_k or top_k >= probabilities.numel():
        return torch.ones_like(probabilities, dtype=torch.bool)
    smallest = probabilities.topk(top_k).values[-1]
    kept = probabilities >= smallest  # step: top_k
    return kept


def top_p_of(probabilities: Tensor, top_p: float | None) -> Tensor:
    """Marks the fewest likeliest tokens that together have top_p of the probability: (V,) bool.
    Among equally likely tokens, smaller ids come first.
    """
    if top_p is None or top_p >= 1.0:
        return torch.ones_like(probabilities, dtype=torch.bool)
    ordered, order = probabilities.sort(descending=True, stable=True)
    # The total probability of all likelier tokens: 0 for the first one.
    before = (ordered.cumsum(dim=-1) - ordered) / ordered.sum()
    is_kept = before < top_p  # step: top_p
    kept = torch.zeros_like(probabilities, dtype=torch.bool)
    kept[order[is_kept]] = True
    return kept


def min_p_of(probabilities: Tensor, min_p: float | None) -> Tensor:
    """Marks the tokens at least min_p times as likely as the likeliest: (V,) bool."""
    if min_p is None:
        return torch.ones_like(probabilities, dtype=torch.bool)
    largest = probabilities.max()
    smallest = min_p * largest  # step: min_p
    return probabilities >= smallest


def rescale(probabilities: Tensor) -> Tensor:
    """Scales the probabilities left after the cuts, (V,), to a sum of 1."""
    total = probabilities.sum()
    kept = probabilities / total  # step: rescale
    return kept


def draw(kept: Tensor, drawn: float) -> int:
    """Lines up all tokens, each as wide as its probability in `kept` (V,), and returns the token on
    which a random number from 0 to 1 falls.
    """
    reaches = kept.cumsum(dim=-1)
    total = float(reaches[-1])
    place = drawn * total  # step: draw
    token = int(torch.searchsorted(reaches, place, right=True))
    return min(token, int(kept.nonzero()[-1]))


def draws(seed: int) -> Iterator[float]:
    """Yields random numbers from 0 to 1, one for each token to generate. Raises ValueError for an
    invalid seed.
    """
    if not isinstance(seed, Integral) or not 0 <= seed < WIDEST:
        raise ValueError(f"the seed must be a whole number from 0 to 2^63 - 1, not {quoted(seed)}")
    generator = torch.Generator().manual_seed(int(seed))
    while True:
        yield float(torch.rand((), generator=generator, dtype=torch.float64))
