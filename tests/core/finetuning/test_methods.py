"""Every method lets learn what it says, and nothing else of the model changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.finetuning.adapter import adapters_of, add_lora
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.methods import Tuning, prepare
from core.finetuning.quantization import quantize_model
from core.finetuning.quantized_linear import QuantizedLinear
from core.finetuning.scales import at_scales
from core.finetuning.settings import METHODS, FinetuningSettings
from core.finetuning.trainable_parameters import trainable_shapes
from core.inference.exporting import export
from core.inference.loading import LoadedModel, load
from core.training.explained_example import explain_example
from core.transformer.architectures import Model
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT, next_token_loss
from core.transformer.parameters import parameter_shapes
from core.transformer.presets import preset
from core.transformer.weights import save_model
from tests.core.finetuning.models import IDS, logits, model_of

TIED = ModelConfig(vocab_size=50, block_size=16, n_layer=3, n_head=2, n_embd=16)
BARE = replace(TIED, bias=False)
LLAMA = ModelConfig(
    vocab_size=50, block_size=16, n_layer=3, n_head=4, n_kv_head=2, n_embd=16, mlp="swiglu",
    positions="rope", norm="rms_norm", bias=False, tie_weights=False,
)  # fmt: skip


def chosen(method: str, **changes: Any) -> FinetuningSettings:
    """Small numbers of everything."""
    small = {"lora": LoRAConfig(r=2), "bottleneck_width": 4, "prompt_tokens": 3}
    return FinetuningSettings(method=method, **(small | changes))


def pair() -> EncoderDecoder:
    stack = replace(TIED, positions="sinusoidal", norm_placement="post")
    config = EncoderDecoderConfig(encoder=stack, decoder=stack)
    return EncoderDecoder(config, torch.Generator().manual_seed(0)).eval()


def one_step(tuning: Tuning) -> None:
    """What learns takes a step; a parameter that does not learn must have no gradient."""
    model = tuning.model
    ids, targets = tuning.batch(IDS, IDS.flip(0))
    output = model(ids, ids) if isinstance(model, EncoderDecoder) else model(ids)
    next_token_loss(output, targets)[0].backward()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            assert (parameter.grad is not None) == (name in tuning.parameters), name
        for parameter in tuning.parameters.values():
            assert parameter.grad is not None
            parameter -= 0.01 * parameter.grad.sign()


@pytest.mark.parametrize(
    ("method", "config"),
    [
        (method, config)
        for method in METHODS
        for config in (TIED, BARE, LLAMA, None)
        if not (method == "prompt" and config is None)
    ],
)
def test_only_what_the_method_names_learns_and_it_alone_is_saved(
    method: str, config: ModelConfig | None
) -> None:
    def fresh() -> tuple[Model, Tuning]:
        model = pair() if config is None else model_of(config)
        return model, prepare(model, chosen(method), torch.Generator().manual_seed(2))

    model, tuning = fresh()
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    base = logits(pair() if config is None else model_of(config))
    torch.testing.assert_close(logits(model), base, rtol=0, atol=1e-6)
    for _ in range(3):
        one_step(tuning)
        model.zero_grad()
    moved = {name for name, now in model.named_parameters() if not torch.equal(now, before[name])}
    assert moved == set(tuning.parameters)
    read, _ = tuning.batch(IDS, IDS)
    assert (logits(model, read)[:, -6:] - base).abs().max() > 1e-3

    again, other = fresh()
    other.load_state(tuning.state())
    assert torch.equal(logits(again, read), logits(model, read))
    assert (tuning.adapter is not None) == (method == "lora")
    assert adapters_of(model) == ([tuning.adapter] if tuning.adapter else [])


def test_bitfit_trains_102144_of_gpt2_and_full_all_of_it() -> None:
    with torch.device("meta"):
        gpt2 = GPT(preset("gpt2"))
    counts = {}
    for method in ("bitfit", "full", "lora"):
        lora = LoRAConfig(r=8)
        tuning = prepare(gpt2, chosen(method, lora=lora))
        counts[method] = sum(parameter.numel() for parameter in tuning.parameters.values())
    assert counts == {"bitfit": 102_144, "full": 124_439_808, "lora": 294_912}


def test_biases_are_added_where_there_are_none_and_told_in_the_config() -> None:
    model = model_of(BARE)
    tuning = prepare(model, chosen("bitfit"))
    assert model.config == TIED
    shapes = {name: tuple(one.shape) for name, one in model.named_parameters()}
    assert shapes == parameter_shapes(TIED)
    assert len(tuning.parameters) == 3 * 6 + 1


@pytest.mark.parametrize("method", ["head", "bitfit"])
def test_a_model_with_a_head_or_biases_of_its_own_is_written_as_such(
    method: str, tmp_path: Path
) -> None:
    lm = load("stories")
    tuning = prepare(lm.model, chosen(method))
    one_step(tuning)
    config = lm.model.config
    export(LoadedModel(lm.model, lm.tokenizer, config, "tuned", lm.usage), tmp_path)
    read = load(tmp_path)
    assert read.config.tie_weights == (method != "head")
    torch.testing.assert_close(logits(read.model), logits(lm.model.eval()), rtol=0, atol=1e-5)


def test_added_biases_are_in_the_dtype_of_their_matrices() -> None:
    model = model_of(BARE).bfloat16()
    prepare(model, chosen("bitfit"))
    assert logits(model).dtype is torch.bfloat16


def test_an_untied_head_leaves_the_embedding_as_it_is() -> None:
    model = model_of(TIED)
    table = model.wte.weight.detach().clone()
    tuning = prepare(model, chosen("head"))
    one_step(tuning)
    assert list(tuning.parameters) == ["lm_head.weight"]
    assert torch.equal(model.wte.weight, table)
    assert not torch.equal(model.lm_head.weight, table)
    assert not model.config.tie_weights


def test_the_last_layers_are_those_before_the_norm() -> None:
    tuning = prepare(model_of(BARE), chosen("last-layers", last_layers=2))
    owners = {
        name.split(".mlp")[0].split(".attn")[0].split(".ln_")[0] for name in tuning.parameters
    }
    assert owners == {"h.1", "h.2", "ln_f.weight"}


@pytest.mark.parametrize("method", ["lora", "head", "bitfit", "bottleneck", "prompt"])
def test_a_quantized_base_learns_by_what_leaves_its_matrices_alone(method: str) -> None:
    settings = chosen(method, quantize="nf4")
    model = model_of(BARE)
    tuning = prepare(model, settings)
    read, _ = tuning.batch(IDS, IDS)
    before = logits(model, read)
    one_step(tuning)
    assert sum(isinstance(one, QuantizedLinear) for one in model.modules()) == 3 * 4
    assert (logits(model, read) - before).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("method", "quantize"),
    [("lora", "none"), ("bottleneck", "none"), ("prompt", "none"), ("bitfit", "nf4")],
)
def test_what_is_no_plain_model_is_not_written_as_one(
    method: str, quantize: str, tmp_path: Path
) -> None:
    model = model_of(TIED)
    prepare(model, chosen(method, quantize=quantize))
    lm = LoadedModel(model, load("stories").tokenizer, model.config, "tuned")
    for written in (
        lambda: save_model(tmp_path / "saved", model),
        lambda: export(lm, tmp_path / "exported"),
        lambda: explain_example(model, [1, 2, 3]),
    ):
        with pytest.raises(ValueError, match="this model is no plain one"):
            written()
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("config", [TIED, BARE, LLAMA])
def test_what_a_base_has_learned_by_an_adapter_stays_whatever_learns_then(
    config: ModelConfig, method: str
) -> None:
    def fresh() -> tuple[GPT, Tuning]:
        model = model_of(config)
        adapter = add_lora(model, LoRAConfig(r=2), generator=torch.Generator().manual_seed(3))
        for update in adapter.updates.values():
            nn.init.ones_(update.B)
        base = logits(model)
        tuning = prepare(model, chosen(method), torch.Generator().manual_seed(2))
        torch.testing.assert_close(logits(model), base, rtol=0, atol=1e-6)
        return model, tuning

    model, tuning = fresh()
    theirs = adapters_of(model)[0].updates["h.1.attn.c_attn"]
    before = theirs.A.clone(), theirs.B.clone()
    for _ in range(2):
        one_step(tuning)
        model.zero_grad()
    assert torch.equal(theirs.A, before[0]) and torch.equal(theirs.B, before[1])
    plain = trainable_shapes(config, chosen(method))
    assert len(tuning.parameters) == len(plain)
    again, other = fresh()
    other.load_state(tuning.state())
    read, _ = tuning.batch(IDS, IDS)
    assert torch.equal(logits(again, read), logits(model, read))


def test_what_cannot_be_is_told_with_its_remedy() -> None:
    quantized = model_of(TIED)
    quantize_model(quantized)
    with pytest.raises(
        ValueError, match=r"'h.0.attn.c_attn.weight'.* cannot be trained with only 4 bits"
    ):
        prepare(quantized, chosen("full"))
    with pytest.raises(ValueError, match="this model has 3; use 1 to 3"):
        prepare(model_of(TIED), chosen("last-layers", last_layers=4))
    tuning = prepare(model_of(TIED), chosen("head"))
    with pytest.raises(ValueError, match="another model or method"):
        tuning.load_state({"wte.weight": torch.zeros(50, 16)})
    with pytest.raises(ValueError, match=r"has shape \(50, 16\) here and \(51, 16\) there"):
        tuning.load_state({"lm_head.weight": torch.zeros(51, 16)})


@pytest.mark.parametrize("method", [one for one in METHODS if one != "prompt"])
def test_what_was_learned_is_added_at_a_scale(method: str) -> None:
    first = prepare(model_of(TIED), chosen(method), torch.Generator().manual_seed(2))
    for _ in range(3):
        one_step(first)
        first.model.zero_grad()
    model = model_of(TIED)
    base = logits(model)
    tuning = prepare(model, chosen(method))
    tuning.load_state(first.state())
    learned = logits(model)
    assert torch.equal(learned, logits(first.model))
    tuning.scale = 0.0
    torch.testing.assert_close(logits(model), base, rtol=0, atol=1e-6)
    tuning.scale = 0.5
    half = (logits(model) - base).norm()
    assert 0 < half < (learned - base).norm()
    with at_scales({tuning: 2.0}):
        assert (logits(model) - base).norm() > (learned - base).norm()
    assert tuning.scale == 0.5
    tuning.load_state(first.state())
    tuning.scale = 1.0
    assert torch.equal(logits(model), learned)


def test_a_scale_that_cannot_be_is_told() -> None:
    with pytest.raises(ValueError, match="a soft prompt cannot be added in part"):
        prepare(model_of(TIED), chosen("prompt")).scale = 0.5
    with pytest.raises(ValueError, match="open the checkpoint again"):
        prepare(model_of(TIED), chosen("full")).scale = 0.5
