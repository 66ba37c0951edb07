"""A context: a model and the tokens that it has read, so that it reads none twice.

Letters in shapes: N texts, T tokens, V pieces in the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, ids_tensor, looking_at
from core.transformer.architectures import Model, gpt_of
from core.transformer.cache import KeyValueCache
from core.transformer.cross_attention import Memory
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT
from core.transformer.look import Look, Replacements

CHUNK = 512  # tokens per forward pass: the memory of attention grows with them


class Context:
    """`read(ids)` reads only the tokens after the beginning that a text shares with the last one.

    A model whose weights have changed needs a new Context.
    """

    def __init__(self, model: GPT) -> None:
        self.model = gpt_of(model)
        self.ids: list[int] = []  # read so far
        self.cache = KeyValueCache(self.model.config)

    def read(
        self,
        ids: Sequence[int] | np.ndarray,
        look: Look | None = None,
        replace: Replacements | None = None,
    ) -> Tensor:
        """Returns logits (V,) of the token after `ids`, fp32 on the CPU; keeps train/eval mode.

        look     sees the values of the last token; keys and values include those of all tokens in
                 the cache
        replace  an intervention on the new tokens, which are then read in a single pass

        Raises ValueError as `check_ids` does.
        """
        batch = check_ids(self.model, ids)
        wanted = batch[0].tolist()
        # The last token is always read, because its logits are the result.
        self._go_back(min(_common(self.ids, wanted), len(wanted) - 1))
        try:
            with looking_at(self.model):
                return self._read(batch, wanted, look, replace)[0, -1].float().cpu()
        except BaseException:  # some layers have read tokens that others have not
            self._forget()
            raise

    def _read(
        self, batch: Tensor, wanted: list[int], look: Look | None, replace: Replacements | None
    ) -> Tensor:
        """Reads the tokens of batch (1, T) that are not cached; returns logits (1, 1, V)."""
        until = len(wanted) - 1 if look is not None else len(wanted)
        changed, chunk = (Look((), replace), until) if replace else (None, CHUNK)
        while len(self.ids) < until:
            end = min(len(self.ids) + chunk, until)
            logits = self.model(batch[:, len(self.ids) : end], changed, self.cache)
            self.ids = wanted[:end]
        if look is not None:
            logits = self.model(batch[:, until:], look, self.cache)
            self.ids = wanted
        return logits

    def _forget(self) -> None:
        self.cache, self.ids = KeyValueCache(self.model.config), []

    def _go_back(self, length: int) -> None:
        """Goes back to the first `length` tokens, or to none if a layer has discarded too many."""
        if length == len(self.ids):
            return
        if self.cache.cut(length):
            self.ids = self.ids[:length]
        else:
            self._forget()


class BatchedContext:
    """`read(texts)` reads only the last token of each text if the rest has been read before;
    several texts may continue the same one. Other texts are read from the beginning.

    With an encoder-decoder, the texts are targets for one source, and all share its `memory`.
    """

    def __init__(self, model: Model, memory: Memory | None = None) -> None:
        self.model, self.memory = model, memory
        self.config = model.config.decoder if isinstance(model, EncoderDecoder) else model.config
        self.texts: list[list[int]] = []  # read last
        self.cache = KeyValueCache(self.config)

    def read(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Returns logits (N, V) of the token after each text, fp32 on the CPU. Keeps the mode.

        Raises ValueError as `ids_tensor` does, and if the texts differ in length.
        """
        if len({len(text) for text in texts}) > 1:
            raise ValueError("texts that are read side by side must be equally long")
        batch = torch.cat([self._ids(text) for text in texts])  # (N, T)
        wanted, before = batch.tolist(), self.texts
        self.texts = []  # empty until all layers have read them
        if all(text[:-1] in before for text in wanted):
            self.cache.take([before.index(text[:-1]) for text in wanted])
        else:
            self.cache = KeyValueCache(self.config)
        with looking_at(self.model):
            while self.cache.length < batch.size(1):
                new = batch[:, self.cache.length : self.cache.length + CHUNK]
                logits = self._logits(new)  # (N, 1, V)
        self.texts = wanted
        return logits[:, -1].float().cpu()

    def _ids(self, text: Sequence[int]) -> Tensor:
        if not isinstance(self.model, EncoderDecoder):
            return check_ids(self.model, text)
        return ids_tensor(text, self.config, self.model.lm_head.weight.device)

    def _logits(self, new: Tensor) -> Tensor:
        if not isinstance(self.model, EncoderDecoder):
            return self.model(new, cache=self.cache)
        assert self.memory is not None
        same = Memory(*(part.expand(len(new), *part.shape[1:]) for part in self.memory))
        return self.model.decode(new, same, cache=self.cache)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Returns the length of the common beginning of two texts."""
    shorter = min(len(one), len(other))
    differ = (at for at in range(shorter) if one[at] != other[at])
    return next(differ, shorter)
