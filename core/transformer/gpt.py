"""GPT: a decoder-only transformer. Tokens in; for each, a score for every possible next token out.

Letters in shapes: B sequences, T tokens, C width of the residual stream, V pieces in the
vocabulary. Sources: GPT-1 (Radford et al. 2018) section 3.1, GPT-2 (Radford et al. 2019) section
2.3; with rotary positions, RMS norm, SwiGLU and grouped queries it is LLaMA (Touvron et al. 2023,
section 2.2).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.batches import NO_TOKEN
from core.transformer.cache import KeyValueCache
from core.transformer.config import ModelConfig
from core.transformer.linear import Linear
from core.transformer.look import Look, Site, check_sites
from core.transformer.precision import full_precision
from core.transformer.stack import Stack

EMBEDDING, LOGITS = Site("decoder", None, "embedding"), Site("decoder", None, "logits")


class GPT(Stack):
    """The model that `config` describes, weights drawn from `generator` (None: torch's own)."""

    def __init__(self, config: ModelConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(config)
        self.lm_head = Linear(config.n_embd, config.vocab_size, bias=False)
        if config.tie_weights:
            self.lm_head.weight = self.wte.weight
        if not self.wte.weight.is_meta:  # otherwise it has only shapes, for numbers from a file
            self.initialize(generator)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draws weights from N(0, 0.02), smaller for layers that write to the stream; biases are 0.

        GPT-1 section 4.1 gives the 0.02, GPT-2 section 2.3 the smaller ones: each block adds twice
        to the stream.
        """
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif ".ln_" in name or name.startswith("ln_f"):
                parameter.fill_(1.0)
            else:
                writes = name.endswith("c_proj.weight") and self.config.norm_placement == "pre"
                std = 0.02 / math.sqrt(2 * self.config.n_layer) if writes else 0.02
                parameter.normal_(0.0, std, generator=generator)

    def forward(
        self, ids: Tensor, look: Look | None = None, cache: KeyValueCache | None = None
    ) -> Tensor:
        """Computes the logits of every next token: ids (B, T) int64 -> (B, T, V).

        A Look records or replaces values on the way. With a cache, `ids` holds only the new tokens,
        which are added to the cache, and the logits are for the last token only, (B, 1, V). Raises
        ValueError for a Look at a site that this model does not have, and the errors of `embed`.
        """
        if look is not None:
            check_sites(self.config, look)
        normed = self.run(ids, look, cache)
        logits = self.lm_head(normed)  # step: unembed
        if cache is not None:
            logits = logits[:, None]  # (B, 1, V)
        return logits if look is None else look.at(LOGITS, logits)

    def loss(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the `next_token_loss` of the model's logits for ids; ids and targets (B, T)."""
        return next_token_loss(self(ids), targets)


def next_token_loss(
    logits: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Sums the cross-entropy in nats, and counts the targets: logits (B, T, V), targets (B, T).

    Targets of -1 are not counted. Sums rather than means, so that batches with different numbers of
    valid targets add up exactly. With label smoothing, that share of each target's probability is
    spread evenly over the whole vocabulary, so that overconfidence is penalized (Vaswani et al.
    2017, section 5.4; Szegedy et al. 2016, section 7).
    """
    logits = logits.flatten(0, 1)  # (B T, V)
    targets = targets.flatten()  # (B T)
    # Cross-entropy in fp32 at least: with 16 bits, the loss would lose digits.
    total = F.cross_entropy(
        full_precision(logits),
        targets,
        ignore_index=NO_TOKEN,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    return total, (targets != NO_TOKEN).sum()
