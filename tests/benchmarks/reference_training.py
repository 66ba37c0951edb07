"""A nanoGPT-like training step in plain torch, written without the project's own model or loop."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, bias=False)
        self.norm2 = nn.LayerNorm(width, bias=False)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        parts = self.qkv(self.norm1(x)).split(C, dim=2)
        q, k, v = (part.view(B, T, self.heads, -1).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).contiguous().view(B, T, C))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Reference(nn.Module):
    """4 layers, 4 heads, 128 wide, 64 long, 65 characters: 804,096 parameters."""

    def __init__(self, vocabulary: int = 65, T: int = 64, C: int = 128, layers: int = 4) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, C)
        self.places = nn.Embedding(T, C)
        self.blocks = nn.ModuleList(_Block(C, 4) for _ in range(layers))
        self.norm = nn.LayerNorm(C, bias=False)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        x = self.tokens(ids) + self.places(torch.arange(ids.size(1)))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


def reference_step(
    data: np.ndarray, batch: int = 12, T: int = 64, fused: bool = True
) -> Callable[[], None]:
    """One step: batch, forward, backward, clip, AdamW, as nanoGPT's train.py does them, which asks
    for the fused AdamW on a GPU only.
    """
    torch.manual_seed(1337)
    model = Reference(T=T)
    decay = [p for p in model.parameters() if p.dim() >= 2]
    other = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": other, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=fused)
    count = [0]

    def step() -> None:
        count[0] += 1
        rate = 1e-4 + 0.5 * (1 + math.cos(math.pi * min(count[0], 2000) / 2000)) * 9e-4
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = torch.randint(len(data) - T, (batch,)).tolist()
        ids = torch.stack([torch.from_numpy(data[s : s + T].astype(np.int64)) for s in starts])
        targets = torch.stack(
            [torch.from_numpy(data[s + 1 : s + 1 + T].astype(np.int64)) for s in starts]
        )
        loss = model(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step
