"""The common part of Tasks with batches of tokens: loss, checkpoints, and the arrays of a batch in
a recorded step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data.batches import NO_TOKEN
from core.files import write_json
from core.inference.loading import TOKENIZER_FILE
from core.optimization import decay_groups
from core.tokenization import Tokenizer
from core.training.config import TrainingConfig
from core.transformer.architectures import Config
from core.transformer.gpt import next_token_loss
from core.transformer.weights import CONFIG_FILE

EVALUATION_SEED = 1 << 32  # evaluation draws from another stream of batches than training
LIKELIEST = 5  # number of next tokens that a recorded step shows for each token


class TokenTask:
    """The part of a Task that all models of tokens share. A batch is the model's inputs, then
    targets (B, T); subclasses implement `build_model` and what it needs.
    """

    splits: Sequence[str] = ("train", "validation")
    config: TrainingConfig
    tokenizer: Tokenizer
    model_config: Config

    def targets(self, batch: Any) -> int:
        *_, targets = batch
        return int((targets != NO_TOKEN).sum())

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        *inputs, targets = batch
        logits = model(*inputs)  # (B, T, V)
        smoothing = self.config.label_smoothing if model.training else 0.0
        summed, _ = next_token_loss(logits, targets, smoothing)
        return summed

    def measure(self, split: str, model: nn.Module, batch: Any) -> Mapping[str, tuple[Tensor, int]]:
        return {split: (self.loss(model, batch), self.targets(batch))}

    def loss_on_repeats(self, model: nn.Module) -> float | None:
        return None

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        trained = (parameter for parameter in model.parameters() if parameter.requires_grad)
        return decay_groups(trained, self.config.weight_decay)

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        return dict(model.named_parameters())

    def load_state(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        saved = self.state_to_save(model)
        if missing := sorted(set(saved) ^ set(tensors)):
            raise ValueError(f"the checkpoint belongs to another model: {missing[0]} differs")
        for name, parameter in saved.items():
            if parameter.shape != tensors[name].shape:
                raise ValueError(
                    f"the checkpoint's {name} has shape {tuple(tensors[name].shape)}, this model's "
                    f"{tuple(parameter.shape)}; continue it with its own config"
                )
            with torch.no_grad():
                parameter.copy_(tensors[name])

    def save_files(self, model: nn.Module, folder: Path) -> None:
        write_json(folder / CONFIG_FILE, self.model_config.to_json())
        self.tokenizer.save(folder / TOKENIZER_FILE)


def shown_tokens(
    tokenizer: Tokenizer, ids: Tensor, targets: Tensor, output: Tensor
) -> dict[str, np.ndarray]:
    """Returns ids and targets (B, T); losses (B, T) in nats, 0 without a target; the likeliest next
    tokens and their probabilities, each (B, T, 5); the bytes of all these tokens: piece_ids (n,),
    piece_bytes one after the other, piece_ends (n,). `output`: logits (B, T, V).
    """
    logits = output.detach().float()
    wanted = targets.clamp(min=0)[..., None]
    surprise = -logits.log_softmax(-1).gather(-1, wanted)[..., 0]
    likeliest = logits.softmax(-1).topk(min(LIKELIEST, logits.size(-1)))
    found = {
        "ids": ids,
        "targets": targets,
        "losses": surprise.masked_fill(targets == NO_TOKEN, 0.0),
        "likeliest": likeliest.indices.int(),
        "probabilities": likeliest.values,
    }
    arrays = {name: tensor.cpu().numpy() for name, tensor in found.items()}
    return {**arrays, **_pieces(tokenizer, arrays["ids"], arrays["targets"], arrays["likeliest"])}


def _pieces(tokenizer: Tokenizer, *ids: np.ndarray) -> dict[str, np.ndarray]:
    known = np.unique(np.concatenate([one.reshape(-1) for one in ids]))
    known = known[known >= 0]
    pieces = [tokenizer.piece_bytes(int(id)) for id in known]
    return {
        "piece_ids": known,
        "piece_bytes": np.frombuffer(b"".join(pieces), np.uint8),
        "piece_ends": np.cumsum([len(piece) for piece in pieces], dtype=np.int64),
    }
