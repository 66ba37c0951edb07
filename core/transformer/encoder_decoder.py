"""The transformer of 2017: an encoder reads the source, a decoder writes the target.

Letters in shapes: B pairs, Ts tokens of the source, Tt of the target, C width of the residual
stream, V pieces in the target's vocabulary. Source: Attention Is All You Need (Vaswani et al.
2017), sections 3.1 to 3.5; docstrings note where the paper leaves a choice.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.data.batches import NO_TOKEN
from core.transformer.cache import KeyValueCache
from core.transformer.config import EncoderDecoderConfig
from core.transformer.cross_attention import Memory
from core.transformer.layers import Block
from core.transformer.linear import Linear
from core.transformer.look import Look, Site, check_sites
from core.transformer.stack import Stack

LOGITS = Site("decoder", None, "logits")


class EncoderDecoder(nn.Module):
    """The model that `config` describes, weights drawn from `generator` (None: torch's own).

    Ids of -1 are padding, and come last. No token reads padding, neither in the encoder nor from
    the decoder; a target's padding is invisible to its tokens, its own values are meaningless.
    """

    entries = ("encode", "decode")  # additional entry points beside forward

    def __init__(
        self, config: EncoderDecoderConfig, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = Stack(config.encoder, "encoder")
        self.decoder = Stack(config.decoder, "decoder", reads_source=True)
        self.lm_head = Linear(config.decoder.n_embd, config.decoder.vocab_size, bias=False)
        self.tie_weights()
        if not self.lm_head.weight.is_meta:  # otherwise it has only shapes, for numbers from a file
            self.initialize(generator)

    def tie_weights(self) -> None:
        """Shares the tables that the config says are shared (Vaswani et al. 2017, section 3.4)."""
        if self.config.share_embeddings:
            self.decoder.wte.weight = self.encoder.wte.weight
        if self.config.decoder.tie_weights:
            self.lm_head.weight = self.decoder.wte.weight

    @torch.no_grad()
    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draws tables from N(0, 1 / C), so that scaled embeddings are as large as positions; other
        matrices are uniform (Glorot & Bengio 2010, equation 16); biases are 0.

        The paper does not specify this; its program, tensor2tensor, does the same.
        """
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() == 1:  # of a norm
                parameter.fill_(1.0)
            elif name.endswith(("wte.weight", "wpe.weight", "lm_head.weight")):
                parameter.normal_(0.0, parameter.size(1) ** -0.5, generator=generator)
            else:
                bound = (6 / sum(parameter.shape)) ** 0.5
                parameter.uniform_(-bound, bound, generator=generator)

    @property
    def blocks(self) -> list[Block]:
        """The blocks of both stacks, in order."""
        return [*self.encoder.blocks, *self.decoder.blocks]

    def encode(self, source_ids: Tensor, look: Look | None = None) -> Memory:
        """Runs the encoder on source_ids (B, Ts).

        Raises ValueError for a source without tokens, or with more than fit into block_size.
        """
        is_token = (source_ids != NO_TOKEN)[:, None, None]  # (B, 1, 1, Ts)
        vectors = self.encoder.run(_embeddable(source_ids), look, is_token=is_token)
        return Memory(vectors, is_token)

    def decode(
        self,
        target_ids: Tensor,
        memory: Memory,
        look: Look | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Computes the logits of every next token of the target: target_ids (B, Tt) -> (B, Tt, V).

        With a cache made for the decoder, `target_ids` holds only the new tokens, which are added
        to the cache, and the logits are for the last token only, (B, 1, V). Keys and values
        of the source are computed only once. Raises the errors of `encode`.
        """
        normed = self.decoder.run(_embeddable(target_ids), look, cache, memory=memory)
        logits = self.lm_head(normed)  # step: unembed
        if cache is not None:
            logits = logits[:, None]  # (B, 1, V)
        return logits if look is None else look.at(LOGITS, logits)

    def forward(self, source_ids: Tensor, target_ids: Tensor, look: Look | None = None) -> Tensor:
        """Computes the logits of every next token of the target: (B, Ts) and (B, Tt) -> (B, Tt, V).

        Raises ValueError as `encode` does, and if a Look requests a site that does not exist.
        """
        if look is not None:
            check_sites(self.config, look)
        return self.decode(target_ids, self.encode(source_ids, look), look)


def _embeddable(ids: Tensor) -> Tensor:
    """Returns the ids with token 0 in place of padding, whose vectors no token reads."""
    return ids.masked_fill(ids == NO_TOKEN, 0)
