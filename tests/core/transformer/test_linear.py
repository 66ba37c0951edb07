"""Few tokens go through a matrix by another way than many, and to the same numbers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from core.transformer import linear
from core.transformer.cache import KeyValueCache
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.linear import LARGE, Linear, of_few_tokens


@torch.no_grad()
@pytest.mark.parametrize(
    ("rows", "shape"),
    [(512, ()), (513, (1,)), (50_257, (1, 1)), (1536, (3,)), (1537, (1, 3)), (2048, (2, 2))],
    ids=str,
)
@pytest.mark.parametrize("bias", [True, False])
def test_few_tokens_are_multiplied_as_torch_does(
    rows: int, shape: tuple[int, ...], bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(
        linear, "of_few_tokens", lambda *args: calls.append(args) or of_few_tokens(*args)
    )
    width = LARGE // rows + 1
    layer = Linear(width, rows, bias=bias)
    generator = torch.Generator().manual_seed(0)
    for parameter in layer.parameters():
        parameter.normal_(std=width**-0.5, generator=generator)
    plain = torch.randn(*shape, width, generator=generator)
    repeated = torch.randn(1, generator=generator).expand(*shape, width)  # strides of 0
    for x in (plain, repeated):
        found = layer(x)
        assert found.shape == (*shape, rows)
        expected = F.linear(x, layer.weight, layer.bias)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        assert found.is_contiguous()
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("rows", "tokens", "dtype", "learns"),
    [
        (1, 1, torch.float32, False),
        (511, 1, torch.float32, False),
        (1023, 2, torch.float32, False),
        (512, 0, torch.float32, False),
        (512, 1, torch.bfloat16, False),
        (512, 1, torch.float64, False),
        (512, 1, torch.float32, True),
    ],
)
def test_all_else_is_torchs_own(
    rows: int, tokens: int, dtype: torch.dtype, learns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "of_few_tokens", None)
    width = LARGE if rows == 1 else 300
    layer = Linear(width, rows).to(dtype)
    x = torch.randn(tokens, width, dtype=dtype)
    with torch.set_grad_enabled(learns):
        assert torch.equal(layer(x), F.linear(x, layer.weight, layer.bias))


@torch.no_grad()
def test_a_text_read_token_by_token_gives_the_logits_of_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def counted(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        calls.append(tuple(weight.shape))
        return of_few_tokens(x, weight)

    monkeypatch.setattr(linear, "of_few_tokens", counted)
    config = ModelConfig(vocab_size=601, block_size=16, n_layer=2, n_head=4, n_embd=256)
    model = GPT(config, torch.Generator().manual_seed(0)).eval()
    ids = torch.randint(601, (1, 9), generator=torch.Generator().manual_seed(1))
    whole, cache = model(ids), KeyValueCache(config)
    assert calls == []
    for place in range(9):
        logits = model(ids[:, place : place + 1], cache=cache)
        torch.testing.assert_close(logits[:, 0], whole[:, place], atol=1e-5, rtol=0)
    assert set(calls) == {(768, 256), (1024, 256), (601, 256)}
