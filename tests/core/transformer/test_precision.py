"""Norms, softmax and loss are computed in fp32, whatever the products around them are in."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from core.transformer.attention import attend, visible_tokens
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT, next_token_loss
from core.transformer.look import Look
from core.transformer.norms import LayerNorm, RMSNorm
from core.transformer.precision import full_precision

CONFIG = ModelConfig(vocab_size=13, block_size=8, n_layer=2, n_head=2, n_embd=16)
IDS = torch.randint(13, (2, 8), generator=torch.Generator().manual_seed(1))
WATCHED = {
    torch.softmax: "softmax",
    F.layer_norm: "norm",
    F.rms_norm: "norm",
    F.cross_entropy: "loss",
}


class Watch(TorchFunctionMode):
    """What the watched functions are given, by dtype."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, set[torch.dtype]] = {}

    def __torch_function__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if function in WATCHED:
            tensors = [one for one in args if isinstance(one, torch.Tensor)]
            kind = self.seen.setdefault(WATCHED[function], set())
            kind |= {one.dtype for one in tensors if one.is_floating_point()}
        return function(*args, **(kwargs or {}))


def model(**changes) -> GPT:  # type: ignore[no-untyped-def]
    built = GPT(replace(CONFIG, **changes), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in built.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4.0)  # so that heads choose
    return built


@pytest.mark.parametrize("norm", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("norm_placement", ["pre", "post"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("way", ["autocast", "weights"])
def test_they_read_fp32_where_products_are_in_16_bits(
    way: str, dtype: torch.dtype, norm_placement: str, norm: str
) -> None:
    built = model(norm=norm, norm_placement=norm_placement)
    with torch.no_grad():
        exact = built(IDS)
    if way == "weights":
        built = built.to(dtype)
    context = torch.autocast("cpu", dtype) if way == "autocast" else nullcontext()
    look = Look(["decoder.0.weights", "decoder.0.residual_out", "decoder.0.queries"])
    with context, Watch() as watch:
        logits = built(IDS, look)
        total, _ = next_token_loss(logits, IDS)
    assert watch.seen == {kind: {torch.float32} for kind in ("softmax", "norm", "loss")}
    assert total.dtype == torch.float32
    by_kind = {site.kind: value.dtype for site, value in look.values.items()}
    stream = dtype if way == "weights" else torch.float32
    assert by_kind == {"weights": dtype, "queries": dtype, "residual_out": stream}
    error = (logits.float() - exact).abs().max() / exact.abs().max()
    assert 0 < error < (0.03 if dtype == torch.bfloat16 else 0.004)
    total.backward()
    for parameter in built.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_more_bits_stay_as_they_are(dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 16, dtype=dtype, generator=torch.Generator().manual_seed(0))
    assert full_precision(x) is x
    rms = RMSNorm(CONFIG.n_embd, CONFIG.norm_eps)
    for norm, torch_one in ((LayerNorm(CONFIG), F.layer_norm), (rms, F.rms_norm)):
        built = norm.to(dtype)
        given = list(built.parameters())
        assert torch.equal(built(x), torch_one(x, (16,), *given, eps=built.eps))
    visible = visible_tokens(3, None)
    masked = (x @ x.mT / 4).masked_fill(~visible, -torch.inf)
    assert torch.equal(attend(x, x, x, visible).output, torch.softmax(masked, -1) @ x)
