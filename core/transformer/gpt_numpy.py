"""The same GPT with the engine of `core.autograd`: every operation is a step with visible numbers.

Nothing is fused and nothing is hidden, which makes backpropagation visible; it is much slower than
`GPT`, with equal results. Letters in shapes: B sequences, T tokens, C width of the residual
stream, H heads, D dimensions a head, V pieces in the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from core.autograd import functional as F
from core.autograd.tensor import Tensor
from core.jobs import to_the_end
from core.transformer.config import ModelConfig

# Supported values of each option; others are not implemented in this engine yet.
_EXPLAINED = {
    "norm": ("layer_norm",),
    "positions": ("learned",),
    "mlp": ("relu", "gelu", "gelu_tanh"),
    "qk_norm": (False,),
    "qkv_bias": (None,),
    "o_bias": (None,),
    "embedding_scale": (False,),
}


class NumpyGPT:
    """A GPT of `Tensor`s. `parameters` has those of `GPT` under the same names, as float64."""

    def __init__(self, config: ModelConfig, weights: dict[str, Any]) -> None:
        """Creates the model; `weights` are arrays by name, shaped as in a checkpoint.

        Raises ValueError for a model with dropout, which is random, for one with an option that is
        not implemented in this engine yet, and for a missing array.
        """
        if config.dropout:
            raise ValueError("dropout is random; explain a model without it (dropout=0.0)")
        for name, explained in _EXPLAINED.items():
            if getattr(config, name) not in explained:
                raise ValueError(
                    f"{name} {getattr(config, name)!r} cannot be explained step by step yet; "
                    f"choose a model with {' or '.join(map(repr, explained))}"
                )
        if config.kv_heads != config.n_head:
            raise ValueError(
                "key and value heads that several heads share cannot be explained step by step "
                f"yet; choose a model with {config.n_head} of them (n_kv_head None)"
            )
        self.config = config
        self.parameters = {
            name: Tensor(np.array(array, np.float64), name=name) for name, array in weights.items()
        }
        if config.tie_weights and "wte.weight" in self.parameters:
            self.parameters["lm_head.weight"] = self.parameters["wte.weight"]

    @classmethod
    def of(cls, model: Any) -> NumpyGPT:
        """Copies the parameters of a `core.GPT`: further training does not change the copy."""
        named = dict(model.named_parameters())
        return cls(model.config, {k: v.detach().cpu().double().numpy() for k, v in named.items()})

    def loss(self, ids: np.ndarray, targets: np.ndarray) -> Tensor:
        """Returns the mean cross-entropy in nats of the next tokens: ids and targets (B, T)."""
        return to_the_end(self.loss_steps(ids, targets))

    def loss_steps(self, ids: np.ndarray, targets: np.ndarray) -> Generator[int, None, Tensor]:
        """Computes `loss` as a job; yields the number of blocks done."""
        logits = yield from self.logits_steps(ids)
        flat = logits.reshape(-1, self.config.vocab_size)  # (B, T, V) -> (B T, V)
        return F.cross_entropy(flat, np.asarray(targets).reshape(-1)).named("loss")

    def __call__(self, ids: np.ndarray) -> Tensor:
        """Computes the logits of every next token: ids (B, T) whole numbers -> (B, T, V)."""
        return to_the_end(self.logits_steps(ids))

    def logits_steps(self, ids: np.ndarray) -> Generator[int, None, Tensor]:
        """Computes the logits as a job; yields the number of blocks done."""
        ids = np.asarray(ids)
        if ids.ndim != 2 or not 0 < ids.shape[1] <= self.config.block_size:
            raise ValueError(
                f"ids have shape {ids.shape}; this model reads (B, T) with T from 1 to "
                f"{self.config.block_size}"
            )
        tokens = F.embedding(self._weight("wte.weight"), ids).named("token embeddings")
        positions = F.embedding(self._weight("wpe.weight"), np.arange(ids.shape[1]))
        x = (tokens + positions.named("position embeddings")).named("residual.0")  # (B, T, C)
        for layer in range(self.config.n_layer):
            x = self.block(x, layer)
            yield layer + 1
        if self.config.norm_placement == "pre":
            x = self._norm(x, "ln_f")
        return (x @ self._weight("lm_head.weight").T).named("logits")  # (B, T, C) @ (C, V)

    def block(self, x: Tensor, layer: int) -> Tensor:
        """Runs block `layer`: x (B, T, C) -> (B, T, C)."""
        at, after = f"h.{layer}", f"residual.{layer + 1}"
        if self.config.norm_placement == "pre":
            x = (x + self._attention(self._norm(x, f"{at}.ln_1"), layer)).named(f"{at}.resid_mid")
            return (x + self._mlp(self._norm(x, f"{at}.ln_2"), layer)).named(after)
        x = self._norm(x + self._attention(x, layer), f"{at}.ln_1")
        return self._norm(x + self._mlp(x, layer), f"{at}.ln_2").named(after)

    def _attention(self, x: Tensor, layer: int) -> Tensor:
        """softmax(q k^T / sqrt(D)) v in every head (AIAYN equation 1): (B, T, C) -> (B, T, C)."""
        at, (B, T, _) = f"h.{layer}.attn", x.shape
        H, D = self.config.n_head, self.config.head_width
        qkv = self._linear(x, f"{at}.c_attn").reshape(B, T, 3, H, D)  # (B, T, 3 H D) -> ...
        q, k, v = (
            qkv[:, :, part].transpose(0, 2, 1, 3).named(f"{at}.{name}")  # (B, H, T, D)
            for part, name in enumerate("qkv")
        )
        scores = (q @ k.mT).named(f"{at}.scores")  # (B, H, T, D) @ (B, H, D, T)
        scaled = (scores * (1 / math.sqrt(D))).named(f"{at}.scaled")
        masked = F.masked(scaled, self._hidden(T, layer)).named(f"{at}.masked")
        weights = F.softmax(masked).named(f"{at}.weights")  # (B, H, T, T)
        heads = (weights @ v).named(f"{at}.heads")  # (B, H, T, T) @ (B, H, T, D)
        joined = heads.transpose(0, 2, 1, 3).reshape(B, T, H * D)  # (B, H, T, D) -> (B, T, H D)
        return self._linear(joined, f"{at}.c_proj")

    def _mlp(self, x: Tensor, layer: int) -> Tensor:
        at = f"h.{layer}.mlp"
        hidden = self._linear(x, f"{at}.c_fc")  # (B, T, n_inner)
        if self.config.mlp == "relu":
            activation = F.relu(hidden)
        else:
            activation = F.gelu(hidden, approximate=self.config.mlp == "gelu_tanh")
        return self._linear(activation.named(f"{at}.activation"), f"{at}.c_proj")

    def _norm(self, x: Tensor, name: str) -> Tensor:
        bias = self._weight(f"{name}.bias") if self.config.bias else None
        gain = self._weight(f"{name}.weight")
        return F.layer_norm(x, gain, bias, self.config.norm_eps).named(name)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        """x W^T + b, because torch stores W as (out, in)."""
        out = x @ self._weight(f"{name}.weight").T
        if self.config.bias:
            out = out + self._weight(f"{name}.bias")
        return out.named(name)

    def _hidden(self, T: int, layer: int) -> np.ndarray:
        """Returns (T, T), True where row i may not look at column j."""
        position = np.arange(T)
        back = position[:, None] - position[None, :]  # (T, T), from the key to the query
        window = self.config.window_of(layer)
        return (back < 0) | (back >= (window or T))

    def _weight(self, name: str) -> Tensor:
        if name not in self.parameters:
            raise ValueError(f"the weights lack {name}; give all that `GPT` names")
        return self.parameters[name]
