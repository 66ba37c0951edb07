"""The logit lens: what a model would predict if it stopped at an earlier place.

The residual stream has the same width at every place, so the final norm and the unembedding,
which read it at the end, can read it anywhere. Source: nostalgebraist 2020, "interpreting GPT: the
logit lens".

Letters in shapes: P places, T tokens that are read, C width of the residual stream, V pieces in the
vocabulary, K likeliest tokens, N requested tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.inference.indices import check_positions, check_tokens
from core.transformer.architectures import gpt_of
from core.transformer.config import ModelConfig
from core.transformer.gpt import EMBEDDING, GPT, LOGITS
from core.transformer.look import Look, Replacements, Site

LOGITS_AT_ONCE = 1 << 24  # 64 MB of logits: those of all places and tokens never exist at once


@dataclass(frozen=True, slots=True, eq=False)
class LogitLens:
    """The prediction at each place, for each token.

    places         (P,) from the embedding to the output of the last block
    positions      (T,) of the tokens that were read
    likeliest      (P, T, K) int64, the likeliest first
    likeliest_probabilities  (P, T, K) of these
    tokens         (T, N) int64, the requested ones
    probabilities  (P, T, N) of these
    rank           (P, T, N) int64, the number of likelier tokens
    divergence     (P, T) nats, KL(final prediction || prediction at this place)
    norms          (P, T) length of the stream's vector
    """

    places: tuple[Site, ...]
    positions: np.ndarray
    likeliest: np.ndarray
    likeliest_probabilities: np.ndarray
    tokens: np.ndarray
    probabilities: np.ndarray
    rank: np.ndarray
    divergence: np.ndarray
    norms: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the places to display: "embedding", "attention 3", "MLP 3", or "layer 3"."""
        whole = all(site.kind != "residual_mid" for site in self.places)
        parts = {"residual_mid": "attention", "residual_out": "layer" if whole else "MLP"}
        return tuple(
            place.kind if place.layer is None else f"{parts[place.kind]} {place.layer}"
            for place in self.places
        )

    def leads_from(self, column: int) -> int | None:
        """Returns the first place from which the first of `tokens` is the likeliest up to the end,
        or None if another one is the likeliest at the end.
        """
        late = np.flatnonzero(self.rank[:, column, 0] > 0)
        first = int(late[-1]) + 1 if late.size else 0
        return first if first < len(self.places) else None


def stream_places(config: ModelConfig, sublayers: bool = True) -> tuple[Site, ...]:
    """Returns the sites where the residual stream can be read: at the start, and after each layer;
    `sublayers`: also between attention and MLP.
    """
    kinds = ("residual_mid", "residual_out") if sublayers else ("residual_out",)
    layers = range(config.n_layer)
    return EMBEDDING, *(Site("decoder", layer, kind) for layer in layers for kind in kinds)


def read_stream(model: GPT, stream: Tensor) -> Tensor:
    """Returns the model's logits (..., V) for a stream (..., C), in float32. A post-norm model has
    no final norm, because each of its layers ends with one.
    """
    logits: Tensor = model.lm_head(model.ln_f(stream))
    return logits.float()


def logit_lens(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    tokens: Sequence[int] | np.ndarray | None = None,
    *,
    positions: Sequence[int] | None = None,
    sublayers: bool = True,
    likeliest: int = 5,
    replace: Replacements | None = None,
) -> LogitLens:
    """Reads the residual stream at every place of one forward pass over `ids`.

    tokens      (N,), or (T, N) for different tokens at each position; None: the model's likeliest
                token at each position
    positions   of the tokens at which it is read (None: all), negative ones from the end
    sublayers   also between attention and MLP
    likeliest   number of likeliest tokens in the result
    replace     as in a Look: the interventions on the model

    The prediction at the last place is the model's own. Raises ValueError as `check_ids` does, and
    for a token or position that does not exist.
    """
    model = gpt_of(model)
    batch = check_ids(model, ids)
    places = stream_places(model.config, sublayers)
    at = check_positions(positions, batch.size(1))
    look = Look((*places, LOGITS), replace)
    with looking_at(model):
        model(batch, look)
        streams = torch.stack([look.values[place][0, at] for place in places])  # (P, T, C)
        final = look.values[LOGITS][0, at].float().log_softmax(-1)  # (T, V)
        asked = final.argmax(-1, keepdim=True)  # (T, 1)
        if tokens is not None:
            given = torch.from_numpy(check_tokens(model.config.vocab_size, tokens)).to(final.device)
            asked = given.expand(len(at), given.size(-1))  # (T, N)
        found = _read(model, streams, final, asked, min(likeliest, model.config.vocab_size))
    likely, p_likely, p_asked, rank, divergence, norms = (one.cpu().numpy() for one in found)
    return LogitLens(
        places=places,
        positions=at,
        likeliest=likely,
        likeliest_probabilities=p_likely,
        tokens=asked.cpu().numpy(),
        probabilities=p_asked,
        rank=rank,
        divergence=divergence,
        norms=norms,
    )


def _read(
    model: GPT, streams: Tensor, final: Tensor, asked: Tensor, likeliest: int
) -> list[Tensor]:
    """Reads streams (P, T, C) in chunks: returns likeliest tokens (P, T, K) and their
    probabilities, probability and rank of the tokens `asked` (T, N), the divergence from the final
    prediction (T, V), and the norms of the streams.
    """
    P, T, _ = streams.shape
    rows, parts = streams.flatten(0, 1), []  # (P T, C)
    size = max(1, LOGITS_AT_ONCE // final.size(-1))
    for some in torch.arange(P * T, device=rows.device).split(size):
        said = read_stream(model, rows[some]).log_softmax(-1)  # (rows, V)
        largest, ids = said.topk(likeliest, dim=-1)
        mine = said.gather(-1, asked[some % T])  # (rows, N)
        rank = torch.stack([(said > one[:, None]).sum(-1) for one in mine.unbind(-1)], -1)
        end = final[some % T]  # (rows, V)
        divergence = (end.exp() * (end - said)).sum(-1)
        length = rows[some].float().norm(dim=-1)
        parts.append((ids, largest.exp(), mine.exp(), rank, divergence, length))
    return [torch.cat(part).unflatten(0, (P, T)) for part in zip(*parts, strict=True)]
