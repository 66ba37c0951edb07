"""The encoder-decoder of 2017: against torch's own, formula by formula, cached and in batches."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.batches import NO_TOKEN
from core.transformer import EncoderDecoderConfig, ModelConfig, preset
from core.transformer.cache import KeyValueCache
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.look import CROSS_KINDS, LAYER_KINDS, Look, Site
from core.transformer.parameters import (
    parameter_count,
    parameter_shapes,
    parameters_of_encoder_decoder,
)
from tests.core.transformer.test_look import one_rank  # noqa: F401
from tests.core.transformer.test_parameters import component, some_config

SHAPE: dict[str, Any] = {
    "vocab_size": 11,
    "block_size": 12,
    "n_layer": 2,
    "n_head": 4,
    "n_embd": 16,
    "norm_placement": "post",
    "positions": "sinusoidal",
    "mlp": "relu",
    "embedding_scale": True,
}
VARIANTS = {
    "2017": {"qkv_bias": False, "o_bias": False},
    "pre": {"norm_placement": "pre"},
    "learned": {"positions": "learned", "embedding_scale": False},
    "rope": {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "bias": False},
    "grouped": {"n_kv_head": 2, "head_size": 6},
    "one key": {"n_kv_head": 1, "norm_placement": "pre"},
}
SOURCE = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])
TARGET = torch.tensor([[0, 2, 7, 1], [0, 8, 2, 8]])


def small(decoder: dict[str, Any] | None = None, share: bool = True, **changes) -> EncoderDecoder:
    """In float64, with weights that tell tokens and places apart."""
    encoder = ModelConfig(**{**SHAPE, **changes})
    config = EncoderDecoderConfig(
        encoder=encoder, decoder=replace(encoder, **(decoder or {})), share_embeddings=share
    )
    generator = torch.Generator().manual_seed(0)
    model = EncoderDecoder(config, generator).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model.eval()


# -- against torch


def torchs(model: EncoderDecoder) -> nn.Transformer:
    """torch's own with the same weights. It has biases everywhere: 0 where ours has none."""
    config = model.config.encoder
    first = config.norm_placement == "pre"
    C, H, F_ = config.n_embd, config.n_head, config.inner_width
    made: dict[str, Any] = {"dropout": 0.0, "batch_first": True, "norm_first": first}
    encoder_layer = nn.TransformerEncoderLayer(C, H, F_, **made)
    decoder_layer = nn.TransformerDecoderLayer(C, H, F_, **made)
    norms = [nn.LayerNorm(C) if first else None for _ in range(2)]
    n_layer, n_decoder = config.n_layer, model.config.decoder.n_layer
    other = nn.Transformer(
        C, H, batch_first=True,
        custom_encoder=nn.TransformerEncoder(
            encoder_layer, n_layer, norms[0], enable_nested_tensor=False
        ),
        custom_decoder=nn.TransformerDecoder(decoder_layer, n_decoder, norms[1]),
    ).double()  # fmt: skip
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
        for stack, theirs in ((model.encoder, other.encoder), (model.decoder, other.decoder)):
            for block, layer in zip(stack.blocks, theirs.layers, strict=True):
                pairs = [
                    (layer.self_attn.out_proj, block.attn.c_proj),
                    (layer.linear1, block.mlp.c_fc),
                    (layer.linear2, block.mlp.c_proj),
                    (layer.norm1, block.ln_1),
                    (layer.norm3 if stack is model.decoder else layer.norm2, block.ln_2),
                ]
                copy_in(layer.self_attn, block.attn.c_attn)
                if stack is model.decoder:
                    copy_in(layer.multihead_attn, block.cross.c_q, block.cross.c_kv)
                    pairs.append((layer.multihead_attn.out_proj, block.cross.c_proj))
                    pairs.append((layer.norm2, block.ln_cross))
                for to, source in pairs:
                    to.weight.copy_(source.weight)
                    if source.bias is not None:
                        to.bias.copy_(source.bias)
            if first:
                theirs.norm.weight.copy_(stack.ln_f.weight)
                theirs.norm.bias.copy_(stack.ln_f.bias)
    return other.eval()


def copy_in(attention: nn.MultiheadAttention, *projections: nn.Linear) -> None:
    attention.in_proj_weight.copy_(torch.cat([one.weight for one in projections]))
    if projections[0].bias is not None:
        attention.in_proj_bias.copy_(torch.cat([one.bias for one in projections]))


def both(model: EncoderDecoder) -> tuple[Tensor, Tensor]:
    """Our logits and torch's, of two pairs, of which one source is shorter than the other."""
    other, source = torchs(model).to(model.lm_head.weight.dtype), SOURCE.clone()
    source[1, 3:] = NO_TOKEN
    causal = nn.Transformer.generate_square_subsequent_mask(TARGET.size(1))
    padding = torch.zeros(source.shape).masked_fill(source == NO_TOKEN, -math.inf)
    with torch.no_grad():
        vectors = other(
            model.encoder.embed(source.clamp(min=0)),
            model.decoder.embed(TARGET),
            tgt_mask=causal.to(model.lm_head.weight.dtype),
            src_key_padding_mask=padding.to(model.lm_head.weight.dtype),
            memory_key_padding_mask=padding.to(model.lm_head.weight.dtype),
        )
        return model(source, TARGET), F.linear(vectors, model.encoder.wte.weight)


AS_TORCH = [{}, VARIANTS["2017"], VARIANTS["pre"], {"n_head": 1, "n_inner": 10}, {"n_layer": 3}]


@pytest.mark.parametrize("changes", AS_TORCH, ids=str)
def test_it_computes_what_torchs_transformer_does(changes: dict[str, Any]) -> None:
    found, expected = both(small(decoder={"n_layer": 2}, **changes))
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)
    found, expected = both(small(decoder={"n_layer": 2}, **changes).float())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


# -- parameters


@pytest.mark.parametrize(
    ("name", "whole", "stacks"),
    [
        ("transformer-base", 63_045_632, 44_101_632),
        ("transformer-big", 214_171_648, 176_283_648),
    ],
)
def test_the_papers_models_have_their_parameters(name: str, whole: int, stacks: int) -> None:
    config = preset(name)
    assert isinstance(config, EncoderDecoderConfig)
    with torch.device("meta"):
        model = EncoderDecoder(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == whole
    assert parameter_count(config) == whole
    tables = sum(part.token_embedding for part in parameters_of_encoder_decoder(config))
    assert whole - tables == stacks


@pytest.mark.parametrize("seed", range(40))
def test_every_parameter_is_that_of_the_config(seed: int) -> None:
    rng = random.Random(seed)
    encoder, decoder = some_config(seed), some_config(seed + 100)
    share = rng.random() < 0.5
    changes: dict[str, Any] = {"n_embd": encoder.n_embd, "n_head": encoder.n_head}
    if share:
        changes["vocab_size"] = encoder.vocab_size
    decoder = replace(decoder, n_kv_head=None, head_size=None, **changes)
    config = EncoderDecoderConfig(
        encoder=replace(encoder, window=None),
        decoder=replace(decoder, vocab_size=max(decoder.vocab_size, 2)) if not share else decoder,
        share_embeddings=share,
        start_id=0,
        end_id=0,
    )
    named = dict(EncoderDecoder(config).named_parameters())
    assert parameter_shapes(config) == {name: tuple(p.shape) for name, p in named.items()}
    for stack, count in zip(
        ("encoder", "decoder"), parameters_of_encoder_decoder(config), strict=True
    ):
        counted = dict.fromkeys(type(count).__slots__, 0)
        for name, parameter in named.items():
            if name.startswith(stack) or (name == "lm_head.weight" and stack == "decoder"):
                counted[component(name.replace(".cross.", ".attn."))] += parameter.numel()
        assert {name: getattr(count, name) for name in counted} == counted
    assert parameter_count(config) == sum(parameter.numel() for parameter in named.values())


def test_one_table_embeds_both_and_is_the_output_head() -> None:
    model = small()
    table = model.encoder.wte.weight
    assert model.decoder.wte.weight is table and model.lm_head.weight is table
    apart = small(share=False, decoder={"tie_weights": False})
    tables = {apart.encoder.wte.weight, apart.decoder.wte.weight, apart.lm_head.weight}
    assert len(tables) == 3


def test_one_generator_gives_the_same_weights() -> None:
    one, other = small(), small()
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


# -- what sees what


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_padding_changes_nothing(changes: dict[str, Any]) -> None:
    model = small(**changes)
    source = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, *[NO_TOKEN] * 2], [7, *[NO_TOKEN] * 4]])
    target = torch.tensor([[0, 2, *[NO_TOKEN] * 2], [0, 8, 2, 8], [0, 1, 1, NO_TOKEN]])
    with torch.no_grad():
        together = model(source, target)
        for row in range(3):
            mine = [ids[row][ids[row] != NO_TOKEN][None] for ids in (source, target)]
            alone = model(*mine)[0]
            torch.testing.assert_close(together[row, : len(alone)], alone, atol=1e-9, rtol=1e-9)


def test_a_source_sees_all_of_itself_and_a_target_nothing_later() -> None:
    model = small()
    other_source, other_target = SOURCE.clone(), TARGET.clone()
    other_source[:, -1], other_target[:, -1] = 0, 3
    with torch.no_grad():
        vectors = model.encode(SOURCE).vectors
        assert not torch.allclose(vectors[:, 0], model.encode(other_source).vectors[:, 0])
        logits, changed = model(SOURCE, TARGET), model(SOURCE, other_target)
    torch.testing.assert_close(logits[:, :-1], changed[:, :-1])
    assert not torch.allclose(logits[:, -1], changed[:, -1])


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_cached_decoding_equals_uncached(changes: dict[str, Any], size: int) -> None:
    window = {"window": (None, 2)}  # the decoder's alone
    model = small(decoder=window, **changes)
    source, ids = SOURCE.clone(), torch.tensor([[0, 2, 7, 1, 8, 2, 8], [0, 1, 1, 4, 3, 9, 10]])
    source[0, 3:] = NO_TOKEN
    cache = KeyValueCache(model.config.decoder)
    with torch.no_grad():
        whole = model(source, ids)
        memory = model.encode(source)
        for first in range(0, ids.size(1), size):
            new = ids[:, first : first + size]
            logits = model.decode(new, memory, cache=cache)
            last = min(first + size, ids.size(1)) - 1
            torch.testing.assert_close(logits, whole[:, last : last + 1], atol=1e-9, rtol=1e-9)


def test_the_sources_keys_and_values_are_computed_once(monkeypatch) -> None:
    model, calls = small(), []
    cross = model.decoder.blocks[0].cross
    real = cross.keys_and_values
    monkeypatch.setattr(cross, "keys_and_values", lambda x: calls.append(1) or real(x))
    cache = KeyValueCache(model.config.decoder)
    with torch.no_grad():
        memory = model.encode(SOURCE)
        for place in range(3):
            model.decode(TARGET[:, place : place + 1], memory, cache=cache)
    assert len(calls) == 1
    k, v = cache.layers[0].source
    assert cache.bytes >= k.nbytes + v.nbytes
    assert cache.cut(1)
    with torch.no_grad():
        again = model.decode(TARGET[:, 1:2], memory, cache=cache)
        torch.testing.assert_close(again[:, 0], model(SOURCE, TARGET)[:, 1])


# -- sites


def sites() -> list[Site]:
    inner = [
        Site(stack, layer, kind)
        for stack in ("encoder", "decoder")
        for layer in range(2)
        for kind in (*LAYER_KINDS, *(CROSS_KINDS if stack == "decoder" else ()))
    ]
    ends = [Site("encoder", None, "embedding"), Site("decoder", None, "embedding")]
    return [*inner, *ends, Site("decoder", None, "logits")]


Change = Callable[[Site, Tensor], Tensor]


def by_hand(model: EncoderDecoder, change: Change) -> Tensor:
    """The logits of SOURCE and TARGET in plain formulas, post-norm with ReLU; `change` is given
    each site's value and returns what it is.
    """
    config = model.config.encoder
    H, D = config.n_head, config.head_width

    def heads(x: Tensor) -> Tensor:
        return x.view(2, x.size(1), H, D).transpose(1, 2)

    def attention(at, part, x: Tensor, read: Tensor, seen: Tensor, projected: Tensor) -> Tensor:
        q, k, v = (heads(one) for one in projected)
        q, k, v = at("queries", q), at("keys", k), at("values", v)
        scores = at("scores", torch.einsum("bhid,bhjd->bhij", q, k))
        masked = at("masked", torch.where(seen, scores / math.sqrt(D), -math.inf))
        weights = at("weights", masked.exp() / masked.exp().sum(-1, keepdim=True))
        read = at("head_output", torch.einsum("bhij,bhjd->bhid", weights, v))
        joined = read.transpose(1, 2).reshape(2, x.size(1), H * D)
        return at("attention_output", part.c_proj(joined))

    memory = None
    for name, stack, ids in (
        ("encoder", model.encoder, SOURCE),
        ("decoder", model.decoder, TARGET),
    ):
        T = ids.size(1)
        x = change(Site(name, None, "embedding"), stack.embed(ids))
        for layer, block in enumerate(stack.blocks):

            def at(kind: str, value: Tensor, name: str = name, layer: int = layer) -> Tensor:
                return change(Site(name, layer, kind), value)

            def crossing(kind: str, value: Tensor, layer: int = layer) -> Tensor:
                return change(Site("decoder", layer, f"cross.{kind}"), value)

            x = at("residual_in", x)
            seen = torch.ones(T, T, dtype=torch.bool)
            seen = seen if name == "encoder" else seen.tril()
            parts = block.attn.c_attn(x).split(H * D, -1)
            x = block.ln_1(x + attention(at, block.attn, x, x, seen, parts))
            if memory is not None:
                part = block.cross
                parts = (part.c_q(x), *part.c_kv(memory).split(H * D, -1))
                everything = torch.ones(T, memory.size(1), dtype=torch.bool)
                x = block.ln_cross(x + attention(crossing, part, x, memory, everything, parts))
            x = at("residual_mid", x)
            hidden = at("mlp_hidden", F.relu(block.mlp.c_fc(x)))
            x = block.ln_2(x + at("mlp_output", block.mlp.c_proj(hidden)))
            x = at("residual_out", x)
        memory = x if name == "encoder" else memory
    return change(Site("decoder", None, "logits"), model.lm_head(x))


def test_every_site_holds_what_the_formulas_say() -> None:
    model, look, expected = small(), Look(sites()), {}
    with torch.no_grad():
        by_hand(model, lambda one, value: expected.setdefault(one, value))
        logits = model(SOURCE, TARGET, look)
        torch.testing.assert_close(logits, model(SOURCE, TARGET))
    assert set(look.values) == set(expected) == set(sites())
    for one, value in expected.items():
        torch.testing.assert_close(look.values[one], value, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("chosen", sites(), ids=str)
def test_a_replaced_value_goes_through_the_lines_after_it(chosen: Site) -> None:
    model = small()
    with torch.no_grad():
        wanted = by_hand(model, lambda one, value: value * 0.5 if one == chosen else value)
        logits = model(SOURCE, TARGET, Look(replace={chosen: lambda value: value * 0.5}))
        assert not torch.allclose(logits, model(SOURCE, TARGET))
    torch.testing.assert_close(logits, wanted, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("site", "said"),
    [
        ("encoder.0.cross.weights", "one of the decoder"),
        ("encoder.logits", "one of the decoder"),
        ("encoder.2.weights", "layers 0 to 1"),
        ("decoder.2.cross.keys", "layers 0 to 1"),
    ],
)
def test_a_site_that_is_not_there_is_refused(site: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        small()(SOURCE, TARGET, Look([site]))


def test_activation_checkpointing_gives_the_same_gradients() -> None:
    gradients = []
    for again in (False, True):
        model = small().train()
        model.encoder.checkpoints_activations = model.decoder.checkpoints_activations = again
        model(SOURCE, TARGET).logsumexp(-1).sum().backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_ddp_and_fsdp2_learn_as_one_process_does(one_rank) -> None:  # noqa: F811
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.nn.parallel import DistributedDataParallel

    def gradients(model: nn.Module) -> list[Tensor]:
        look = Look(["decoder.1.cross.weights"])
        model(SOURCE, TARGET, look=look).logsumexp(-1).sum().backward()
        assert len(look.values) == 1
        found = [parameter.grad for parameter in model.parameters()]
        return [one.full_tensor() if hasattr(one, "full_tensor") else one for one in found]

    sharded = small()
    mesh = init_device_mesh("cpu", (1,))
    for block in sharded.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(sharded, mesh=mesh)
    expected = gradients(small())
    for model in (DistributedDataParallel(small()), sharded):
        for one, other in zip(gradients(model), expected, strict=True):
            torch.testing.assert_close(one, other)


# -- its config


@pytest.mark.parametrize(
    ("encoder", "decoder", "more", "said"),
    [
        ({"n_embd": 8}, {}, {}, "one n_embd for both"),
        ({"window": (3,)}, {}, {}, "its tokens see all others; leave it None"),
        ({}, {"vocab_size": 12}, {}, "share_embeddings False"),
        ({}, {}, {"start_id": 11}, "among the 11 pieces"),
        ({}, {}, {"end_id": -1}, "end_id"),
    ],
)
def test_what_cannot_be_is_refused(encoder, decoder, more, said) -> None:
    stack = ModelConfig(**SHAPE)
    with pytest.raises(ValueError, match=said):
        EncoderDecoderConfig(
            encoder=replace(stack, **encoder), decoder=replace(stack, **decoder), **more
        )


def test_what_does_not_fit_is_refused() -> None:
    model = small()
    with pytest.raises(ValueError, match="13 tokens do not fit"):
        model(torch.ones(1, 13, dtype=torch.int64), TARGET[:1])
    with pytest.raises(ValueError, match="there are no tokens"):
        model(SOURCE, TARGET[:, :0])
    with pytest.raises(IndexError):  # -1 alone is padding
        model(torch.full((1, 2), -5), TARGET[:1])
