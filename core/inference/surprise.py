"""The surprise of a model at each token of a text, and the perplexity of the whole.

Letters in shapes: T tokens, A of them at a time, C width of the residual stream, V pieces in the
vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.inference.context import Context
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT, LOGITS
from core.transformer.look import Look, Replacements, check_sites

LOGITS_AT_ONCE = 1 << 22  # numbers, 32 MB in float64


def token_log_probabilities(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    first: int = 1,
    replace: Replacements | None = None,
) -> Tensor:
    """Returns ln of the probability of each token of ids (T,) from `first` on, given all before it:
    (T - first,) float64 on the CPU. One pass over the text yields all of them (teacher forcing).
    NaN for a token beyond the vocabulary, such as a soft prompt's, which has no logit.

    Raises ValueError as `final_stream` does, and if there is no token before `first`.
    """
    return log_probabilities_of(model, final_stream(model, ids, replace), ids, first)


def final_stream(
    model: GPT, ids: Sequence[int] | np.ndarray, replace: Replacements | None = None
) -> Tensor:
    """Returns the stream after the last norm, the input of the unembedding, for ids (T,): (T, C).

    replace  as in a Look

    Raises ValueError as `check_ids` does, for a site that does not exist, and for replaced logits.
    """
    model = gpt_of(model)
    batch, look = check_ids(model, ids), Look((), replace)
    check_sites(model.config, look)
    if look.replaces(LOGITS):
        raise ValueError("logits are what is measured here; replace a site that comes before them")
    with looking_at(model):
        return model.run(batch, look)[0]


def log_probabilities_of(
    model: GPT, normed: Tensor, ids: Sequence[int] | np.ndarray, first: int = 1
) -> Tensor:
    """Returns `token_log_probabilities` from normed (T, C), the result of `final_stream`.

    Only these places are unembedded, in chunks: the logits of a long text would need more memory
    than the model.
    """
    model = gpt_of(model)
    came = torch.as_tensor(np.asarray(ids, np.int64), device=normed.device)  # (T,)
    is_beyond = came >= model.config.vocab_size
    known = came.masked_fill(is_beyond, 0)
    if not 1 <= first <= len(came):
        raise ValueError(
            f"first is {first}, of {len(came)} tokens: at least one token must stand before it"
        )
    places, found = torch.arange(first, len(came), device=normed.device), []
    with looking_at(model):
        for some in places.split(max(1, LOGITS_AT_ONCE // model.config.vocab_size)):
            logits = model.lm_head(normed[some - 1]).double()  # (A, V)
            found.append(logits.log_softmax(-1).gather(-1, known[some, None])[:, 0])
    return torch.cat(found).masked_fill(is_beyond[first:], float("nan")).cpu()


def surprises(model: GPT, ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns (T,) float64, in nats: -ln of each token's probability, given all before it. The
    first one's is NaN, because there is nothing before it. Raises ValueError as `check_ids` does.
    """
    return np.append(np.nan, -token_log_probabilities(model, ids).numpy())


def perplexity(surprises: np.ndarray) -> float:
    """Returns the perplexity: the number of equally likely tokens with the same uncertainty.
    e^mean, over the tokens that have a surprise (Jelinek et al. 1977); NaN if none has.
    """
    known = surprises[np.isfinite(surprises)]
    return float(np.exp(known.mean())) if len(known) else float("nan")


def surprise_of(logits: np.ndarray, token: int) -> float:
    """Returns, in nats, the surprise of a token after logits (V,); NaN beyond the vocabulary."""
    if token >= len(logits):
        return float("nan")
    scores = torch.from_numpy(np.asarray(logits, np.float64))
    return float(scores.logsumexp(-1) - scores[token])


class MeasuredContext:
    """A Context that also measures the surprise of each token in the text. A token that is appended
    costs nothing more, because its prediction is already known.
    """

    def __init__(self, model: GPT) -> None:
        self.context = Context(model)
        self._ids: list[int] = []
        self._logits: Tensor | None = None
        self._surprises: np.ndarray | None = np.zeros(0)  # None: not measured yet

    def read(self, ids: Sequence[int] | np.ndarray) -> Tensor:
        """Returns logits (V,) of the token after `ids`, with the errors of a Context."""
        logits = self.context.read(ids)
        *before, last = wanted = [int(one) for one in ids]
        if before == self._ids and self._logits is not None and self._surprises is not None:
            surprise = surprise_of(self._logits.numpy(), last)
            self._surprises = np.append(self._surprises, surprise)
        elif wanted != self._ids:
            self._surprises = None
        self._ids, self._logits = wanted, logits
        return logits

    @property
    def surprises(self) -> np.ndarray:
        """(T,) nats, of the last text that was read."""
        if self._surprises is None:
            self._surprises = surprises(self.context.model, self._ids)
        return self._surprises
