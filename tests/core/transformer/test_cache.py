"""The KV cache: what was read before is not read again, and nothing else is different."""

from __future__ import annotations

import pytest
import torch

from core.transformer import ModelConfig
from core.transformer.cache import BLOCK, KeyValueCache, LayerCache, bytes_per_token
from core.transformer.config import RopeScaling
from core.transformer.gpt import GPT
from core.transformer.look import Look

SMALL = {"vocab_size": 50, "block_size": 64, "n_layer": 3, "n_head": 4, "n_embd": 32}
VARIANTS = {
    "learned": {},
    "sinusoidal": {"positions": "sinusoidal", "embedding_scale": True},
    "rope": {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "bias": False},
    "stretched": {
        "positions": "rope",
        "rope_scaling": RopeScaling(factor=4.0, original_block_size=16),
    },
    "grouped": {"positions": "rope", "n_kv_head": 2, "qkv_bias": True, "bias": False},
    "one key": {"n_kv_head": 1},
    "window": {"window": (None, 5)},
    "window of one": {"window": (1, 7)},
    "normed heads": {"positions": "rope", "qk_norm": True, "head_size": 6},
    "post": {"norm_placement": "post"},
}


def model_of(**changes) -> GPT:
    model = GPT(ModelConfig(**{**SMALL, **changes}), torch.Generator().manual_seed(0)).double()
    with torch.no_grad():  # 0.02 hardly tells positions apart
        for name, parameter in model.named_parameters():
            if ".ln_" not in name and "norm" not in name:
                parameter.mul_(10)
    return model.eval()


def ids_of(n: int) -> torch.Tensor:
    return torch.randint(50, (2, n), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("chunks", [(1,) * 12, (12,), (5, 4, 3), (7, 1, 1, 1, 2)], ids=str)
def test_cached_equals_uncached(changes: dict, chunks: tuple[int, ...]) -> None:
    model, ids = model_of(**changes), ids_of(12)
    whole = model(ids)
    cache, read = KeyValueCache(model.config), 0
    for chunk in chunks:
        logits = model(ids[:, read : read + chunk], cache=cache)
        read += chunk
        assert logits.shape == (2, 1, 50)
        torch.testing.assert_close(logits[:, 0], whole[:, read - 1], atol=1e-10, rtol=0)
    assert cache.length == 12


@torch.no_grad()
def test_a_look_sees_the_new_queries_and_all_the_keys() -> None:
    model, ids = model_of(n_kv_head=2), ids_of(9)
    sites = ("decoder.1.weights", "decoder.1.head_output", "decoder.2.residual_out")
    whole = Look(sites)
    model(ids, whole)
    cache = KeyValueCache(model.config)
    model(ids[:, :6], cache=cache)
    seen = Look(sites)
    model(ids[:, 6:], seen, cache)
    for site, value in seen.values.items():
        at = 1 if site.kind == "residual_out" else 2
        expected = whole.values[site].narrow(at, 6, 3)
        torch.testing.assert_close(value, expected, atol=1e-10, rtol=0)


@torch.no_grad()
def test_a_window_lets_go_of_what_nobody_sees_any_more() -> None:
    model = model_of(block_size=4 * BLOCK, window=(None, 8), positions="rope")
    ids = torch.randint(50, (1, 3 * BLOCK), generator=torch.Generator().manual_seed(1))
    cache = KeyValueCache(model.config)
    model(ids[:, :BLOCK], cache=cache)
    for at in range(BLOCK, ids.size(1), 64):
        logits = model(ids[:, at : at + 64], cache=cache)
    torch.testing.assert_close(logits[:, 0], model(ids)[:, -1], atol=1e-10, rtol=0)
    assert cache.layers[0].kept == 3 * BLOCK
    assert cache.layers[1].kept < 2 * BLOCK
    assert cache.layers[1].bytes < cache.layers[0].bytes


def test_room_grows_by_blocks() -> None:
    cache = LayerCache()
    k = torch.zeros(1, 2, 3, 4)
    cache.append(k, k)
    one_block = 2 * 2 * BLOCK * 4 * 4  # keys and values, heads, tokens, numbers, bytes
    assert cache.bytes == one_block and cache.kept == 3
    k = torch.zeros(1, 2, BLOCK, 4)
    cache.append(k, k)
    assert cache.bytes == 2 * one_block and cache.kept == BLOCK + 3


def test_a_token_costs_what_the_paper_says() -> None:
    config = ModelConfig(**{**SMALL, "n_kv_head": 2})
    assert bytes_per_token(config) == 2 * 3 * 2 * 8 * 4
    cache = KeyValueCache(config)
    GPT(config).eval()(ids_of(BLOCK // 8)[:1], cache=cache)
    assert cache.bytes == BLOCK * bytes_per_token(config)


def test_what_does_not_fit_into_the_context_is_refused() -> None:
    model = model_of(block_size=8)
    cache = KeyValueCache(model.config)
    model(ids_of(8), cache=cache)
    with pytest.raises(ValueError, match="9 tokens do not fit"):
        model(ids_of(1), cache=cache)
    assert cache.length == 8


@torch.no_grad()
def test_what_was_read_can_be_cut_unless_a_window_has_let_go_of_it() -> None:
    model = model_of(block_size=4 * BLOCK, window=(None, 8), positions="rope")
    ids = torch.randint(50, (1, 2 * BLOCK), generator=torch.Generator().manual_seed(1))
    cache = KeyValueCache(model.config)
    model(ids[:, :40], cache=cache)
    assert cache.cut(20) and cache.length == 20
    logits = model(ids[:, 20:30], cache=cache)
    torch.testing.assert_close(logits[:, 0], model(ids[:, :30])[:, -1], atol=1e-10, rtol=0)
    for at in range(30, ids.size(1)):
        model(ids[:, at : at + 1], cache=cache)
    assert not cache.cut(20) and cache.length == 2 * BLOCK
    assert cache.cut(2 * BLOCK - 1)


def test_it_cannot_be_cut_to_more_than_there_is() -> None:
    model = model_of()
    cache = KeyValueCache(model.config)
    model(ids_of(2), cache=cache)
    for length in (5, -1):
        with pytest.raises(ValueError, match="holds 2 tokens"):
            cache.cut(length)


@torch.no_grad()
def test_its_use_tells_what_a_window_lets_go_of() -> None:
    model = model_of(block_size=2 * BLOCK, window=(None, 5))
    cache = KeyValueCache(model.config)
    model(ids_of(300), cache=cache)
    model(ids_of(1), cache=cache)
    whole, windowed = (layer.use for layer in cache.layers[:2])
    assert (whole.kept, whole.seen, whole.room) == (301, 301, 2 * BLOCK)
    assert (windowed.kept, windowed.seen) == (5, 4)
    assert sum(layer.use.bytes for layer in cache.layers) == cache.bytes


@torch.no_grad()
def test_sequences_are_taken_more_than_once_or_not_at_all() -> None:
    model, ids = model_of(), ids_of(6)
    cache = KeyValueCache(model.config)
    model(ids[:, :5], cache=cache)
    cache.take([1, 1, 0])
    new = torch.tensor([[3], [4], [5]])
    whole = torch.cat((ids[[1, 1, 0], :5], new), dim=1)
    found = model(new, cache=cache)[:, 0]
    torch.testing.assert_close(found, model(whole)[:, -1], atol=1e-10, rtol=0)
