"""A classification head: a model trained to continue texts learns to classify them.

The text becomes one sequence, framed by new tokens: start, text, extract; two texts to compare have
a delimiter between them. The model's output at the last token is multiplied by a new matrix with a
row for each class:

    P(class | text) = softmax(W_y h)

During training it still predicts next tokens as well, L = L_class + 0.5 L_tokens, which makes it
learn faster and generalize better. Only W_y and the rows of the three tokens are new. Source: GPT-1
(Radford et al. 2018), sections 3.2 and 3.3, equations 3 to 5; the 0.5 is from section 4.1.

Letters in shapes: B texts, T tokens of the longest, C width of the residual stream, V vocabulary
size, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.batches import NO_TOKEN
from core.finetuning.new_tokens import add_tokens
from core.finetuning.replay import sequence_losses
from core.inference.activations import check_ids, looking_at
from core.transformer.architectures import Model, gpt_of
from core.transformer.gpt import GPT
from core.transformer.precision import full_precision

AUXILIARY = 0.5  # weight of the next-token loss
STD = 0.02  # of new numbers, as in the model


class Labelled(NamedTuple):
    """A batch of texts with their classes.

    ids      (B, T) int64, each text framed by the new tokens; padded at its end, which is not read
    last     (B,) position of its last token
    labels   (B,) index of its class
    targets  (B, T) its next tokens, NO_TOKEN where there is none
    """

    ids: Tensor
    last: Tensor
    labels: Tensor
    targets: Tensor


class Classifier(nn.Module):
    """A GPT with a classification head.

    module                     the GPT, which still continues texts: `gpt_of` finds it here
    score                      W_y, (K, C), in fp32
    start, delimiter, extract  the new tokens
    """

    def __init__(
        self, model: Model, classes: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"{classes} classes cannot be told apart; give the names of 2 or more")
        gpt = gpt_of(model)
        C, device = gpt.config.n_embd, gpt.wte.weight.device
        rows = torch.empty(3, C).normal_(0.0, STD, generator=generator)
        weights = torch.empty(classes, C).normal_(0.0, STD, generator=generator)
        self.start, self.delimiter, self.extract = add_tokens(gpt, rows)
        self.module: GPT = gpt
        self.score = nn.Parameter(weights.to(device))
        self.train(gpt.training)

    def forward(self, ids: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits of classes and next tokens: ids (B, T), last (B,) -> (B, K), (B, T, V)."""
        normed = self.module.run(ids)  # (B, T, C)
        h = normed[torch.arange(len(ids), device=ids.device), last]  # (B, C)
        class_logits = full_precision(h) @ self.score.mT  # (B, K)
        return class_logits, self.module.lm_head(normed)

    def lay_out(self, *texts: Sequence[int]) -> list[int]:
        """Returns the token sequence of a text, or of two to compare. Of a text that is too long,
        the beginning and the end are used.
        """
        room = self.module.config.block_size - 2
        ids = list(texts[0])
        for text in texts[1:]:
            ids += [self.delimiter, *text]
        if len(ids) > room:
            kept = room // 2
            ids = ids[: room - kept] + ids[len(ids) - kept :]
        return [self.start, *ids, self.extract]

    def batch(self, texts: Sequence[Sequence[int]], labels: Sequence[int]) -> Labelled:
        """Returns sequences of `lay_out` as a padded batch."""
        T = max(map(len, texts))
        ids = torch.full((len(texts), T), self.extract)
        targets = torch.full((len(texts), T), NO_TOKEN)
        for row, text in enumerate(texts):
            read = torch.tensor(text)
            ids[row, : len(text)] = read
            # The model never has to write the new tokens, so they are not targets.
            nexts = read[1:]
            targets[row, : len(text) - 1] = nexts.masked_fill(nexts >= self.start, NO_TOKEN)
        last = torch.tensor([len(text) - 1 for text in texts])
        return Labelled(ids, last, torch.tensor(labels), targets)

    def probabilities(self, *texts: Sequence[int]) -> Tensor:
        """Returns the probability of each class for a text, or two to compare: (K,) on the CPU.

        Raises ValueError as `check_ids`.
        """
        ids = check_ids(self.module, self.lay_out(*texts))  # (1, T)
        last = torch.tensor([ids.size(1) - 1], device=ids.device)
        with looking_at(self):
            logits, _ = self(ids, last)
            return logits[0].softmax(-1).cpu()


def classification_loss(
    class_logits: Tensor,
    labels: Tensor,
    token_logits: Tensor,
    targets: Tensor,
    auxiliary: float = AUXILIARY,
) -> Tensor:
    """Returns a loss summed over texts, in nats: cross-entropy of the class plus `auxiliary` times
    the mean cross-entropy of the text's next tokens.

    class_logits (B, K), labels (B,), token_logits (B, T, V), targets (B, T).
    """
    of_class = F.cross_entropy(class_logits, labels, reduction="sum")
    of_tokens = sequence_losses(token_logits, targets).sum()
    return of_class + auxiliary * of_tokens
