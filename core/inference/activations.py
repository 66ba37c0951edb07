"""What a model computes on a text, kept: every head's attention, the residual stream, the logits.

Letters in shapes: T tokens, L layers, H heads, D dimensions a head, C width of the residual stream,
V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from core.transformer.attention import attention_weights, visible_tokens
from core.transformer.gpt import GPT

SITES = ("attention", "logits", "residual", "queries", "keys", "values")


@dataclass(frozen=True, slots=True)
class Activations:
    """float32 arrays on the CPU; a site that was not asked for is None.

    attention              (L, H, T, T)      each row sums to 1
    logits                 (T, V)
    residual               (L + 1, T, C)     what enters block 0, and what leaves each block
    queries, keys, values  (L, H, T, D)
    """

    ids: np.ndarray
    attention: np.ndarray | None = None
    logits: np.ndarray | None = None
    residual: np.ndarray | None = None
    queries: np.ndarray | None = None
    keys: np.ndarray | None = None
    values: np.ndarray | None = None

    def sites(self) -> dict[str, np.ndarray]:
        """The arrays that are there, by name, without the ids."""
        named = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "ids"
        }
        return {name: array for name, array in named.items() if array is not None}


def check_ids(model: GPT, ids: Sequence[int] | np.ndarray) -> Tensor:
    """ids as a (1, T) tensor on the model's device.

    Raises ValueError when there are none, too many, or one is not in the vocabulary.
    """
    array = np.asarray(ids, dtype=np.int64).reshape(-1)
    if array.size == 0:
        raise ValueError("there are no tokens; type at least one character")
    if array.size > model.config.block_size:
        raise ValueError(
            f"{array.size} tokens do not fit: this model reads at most "
            f"{model.config.block_size}; shorten the text"
        )
    if array.min() < 0 or array.max() >= model.config.vocab_size:
        raise ValueError(
            f"token {int(array.max() if array.min() >= 0 else array.min())} is not in the "
            f"vocabulary of {model.config.vocab_size} pieces; use the tokenizer that the model "
            "was trained with"
        )
    device = model.wte.weight.device
    return torch.from_numpy(array).to(device)[None]  # (1, T)


@contextmanager
def looking_at(model: nn.Module) -> Iterator[None]:
    """Dropout off and no gradients, for a single forward pass.

    Afterwards each part of the model is in the mode, train or eval, that it was in before: a part
    that somebody froze stays frozen.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def capture(
    model: GPT, ids: Sequence[int] | np.ndarray, sites: Sequence[str] | None = None
) -> Activations:
    """Runs the model once over `ids` (T,) and keeps the sites asked for (None: all of `SITES`).

    The model's train/eval mode is as it was afterwards; dropout is off during the run. Raises
    ValueError for an unknown site and as `check_ids` does.
    """
    wanted = SITES if sites is None else tuple(sites)
    if unknown := [site for site in wanted if site not in SITES]:
        raise ValueError(f"unknown site {', '.join(unknown)}; the sites are {', '.join(SITES)}")
    batch = check_ids(model, ids)
    with looking_at(model):
        kept = _run(model, batch, wanted)
    arrays = {name: array.float().cpu().numpy() for name, array in kept.items()}
    return Activations(ids=batch[0].cpu().numpy(), **arrays)


def _run(model: GPT, ids: Tensor, wanted: tuple[str, ...]) -> dict[str, Tensor]:
    """A plain forward pass; hooks keep what it made on its way."""
    projected: list[Tensor] = []  # of each layer, its queries, keys and values (1, T, 3 H D)
    residual: list[Tensor] = [torch.empty(0)]

    hooks = []
    for block in model.blocks:
        project = block.attn.c_attn
        hooks.append(project.register_forward_hook(lambda _, args, qkv: projected.append(qkv)))
        hooks.append(block.register_forward_hook(lambda _, args, output: residual.append(output)))
    hooks.append(
        model.h[0].register_forward_pre_hook(lambda _, args: residual.__setitem__(0, args[0]))
    )
    try:
        logits = model(ids)
    finally:
        for hook in hooks:
            hook.remove()

    kept: dict[str, Tensor] = {}
    if "logits" in wanted:
        kept["logits"] = logits[0]
    if "residual" in wanted:
        kept["residual"] = torch.stack(residual)[:, 0]
    if {"attention", "queries", "keys", "values"} & set(wanted):
        kept |= _heads(model, projected, wanted)
    return kept


def _room(device: torch.device, *shape: int) -> Tensor:
    """An empty float32 tensor; NumPy asks for huge pages, which the system gives much faster."""
    if device.type == "cpu":
        return torch.from_numpy(np.empty(shape, dtype=np.float32))
    return torch.empty(shape, device=device)


def _heads(model: GPT, projected: list[Tensor], wanted: tuple[str, ...]) -> dict[str, Tensor]:
    """The sites of every head, from what each layer's attention projected, (1, T, 3 H D)."""
    L, T, device = len(projected), projected[0].size(1), projected[0].device
    H, D = model.config.n_head, model.config.head_width
    shapes = {"queries": (T, D), "keys": (T, D), "values": (T, D), "attention": (T, T)}
    kept = {site: _room(device, L, H, *shapes[site]) for site in shapes if site in wanted}
    windows = [model.config.window_of(layer) for layer in range(L)]
    visible = {window: visible_tokens(T, window, device) for window in set(windows)}
    for layer, (block, qkv) in enumerate(zip(model.blocks, projected, strict=True)):
        q, k, v = (part[0].float() for part in block.attn.split(qkv))  # (H, T, D)
        for site, array in (("queries", q), ("keys", k), ("values", v)):
            if site in wanted:
                kept[site][layer] = array
        if "attention" in wanted:
            attention_weights(q, k, visible[windows[layer]], out=kept["attention"][layer])
    return kept
