"""peft's files without peft: what is written is read again, and what does not fit is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.peft_config import CONFIG_FILE
from core.finetuning.peft_modules import WEIGHTS_FILE
from core.finetuning.peft_reader import load_adapter
from core.finetuning.quantization import quantize_model
from core.finetuning.trainable_parameters import adapter_parameter_count
from core.tensor_files import read_tensors, write_tensors
from core.transformer.architectures import Config, Model
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.foreign.writing import write_foreign
from core.transformer.gpt import GPT
from core.transformer.presets import preset
from core.transformer.weights import load_model, save_model

GPT2 = ModelConfig(vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=16, tie_weights=False)
LLAMA = ModelConfig(
    vocab_size=50, block_size=16, n_layer=2, n_head=4, n_kv_head=2, n_embd=32, mlp="swiglu",
    positions="rope", norm="rms_norm", bias=False, tie_weights=False,
)  # fmt: skip
GPT1 = ModelConfig(
    vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=16, norm_placement="post"
)  # which transformers has another class for
PAIR = EncoderDecoderConfig(encoder=GPT2, decoder=GPT2, share_embeddings=False)
MODELS = {"gpt2": GPT2, "llama": LLAMA, "gpt1": GPT1, "pair": PAIR}
TARGETS = [("attn.c_attn",), ("c_attn.q", "c_attn.v"), ("all-linear",), ("c_attn.k", "1.mlp.c_fc")]
KINDS = [{}, {"rslora": True}, {"dora": True}]
IDS = torch.arange(12).view(2, 6)


def model_of(config: Config) -> Model:
    generator = torch.Generator().manual_seed(0)
    if isinstance(config, EncoderDecoderConfig):
        return EncoderDecoder(config, generator).eval()
    return GPT(config, generator).eval()


def learned(model: Model, config: LoRAConfig) -> Adapter:
    """An adapter all of whose numbers have moved."""
    generator = torch.Generator().manual_seed(1)
    adapter = add_lora(model, config, generator=generator)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return adapter


@torch.no_grad()
def logits(model: Model) -> Tensor:
    return model(IDS, IDS) if isinstance(model, EncoderDecoder) else model(IDS)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("own_names", [False, True])
def test_what_is_saved_computes_the_same_again(
    name: str, targets: tuple[str, ...], kind: dict[str, bool], own_names: bool, tmp_path: Path
) -> None:
    model, again = model_of(MODELS[name]), model_of(MODELS[name])
    base = logits(model)
    adapter = learned(model, LoRAConfig(r=3, alpha=7, target_modules=targets, **kind))
    adapter.merge()
    adapter.save(tmp_path, base="mine", own_names=own_names)
    adapter.unmerge()
    other = load_adapter(again, tmp_path)
    assert (logits(model) - base).abs().max() > 1e-3
    torch.testing.assert_close(logits(again), logits(model), rtol=0, atol=1e-5)
    assert json.loads((tmp_path / CONFIG_FILE).read_text())["base_model_name_or_path"] == "mine"
    other.save(tmp_path, own_names=own_names)
    other.remove()
    assert torch.equal(logits(again), base)
    load_adapter(again, tmp_path)
    torch.testing.assert_close(logits(again), logits(model), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_of_a_coarser_base(kind: dict[str, bool], tmp_path: Path) -> None:
    """Trained on 4 or 16 bits, it is fp32 in the files, and lies on the whole model as well."""
    for number, coarser in enumerate((quantize_model, lambda model: model.to(torch.bfloat16))):
        model, folder = model_of(LLAMA), tmp_path / str(number)
        coarser(model)
        adapter = learned(model, LoRAConfig(r=3, target_modules=("c_attn", "c_fc"), **kind))
        adapter.save(folder)
        again = model_of(LLAMA)
        coarser(again)
        other = load_adapter(again, folder)
        assert all(parameter.dtype is torch.float32 for parameter in other.parameters())
        torch.testing.assert_close(logits(again), logits(model), rtol=0, atol=0.02 * number + 1e-5)
        load_adapter(model_of(LLAMA), folder)


def test_one_matrix_that_peft_has_in_three_shares_what_it_reads(tmp_path: Path) -> None:
    adapter = learned(model_of(LLAMA), LoRAConfig(r=3))
    adapter.save(tmp_path)
    tensors = read_tensors(tmp_path / WEIGHTS_FILE, framework="torch")
    update = adapter.updates["h.1.attn.c_attn"]
    start = "base_model.model.model.layers.1.self_attn."
    for letter, rows in (("q", slice(0, 32)), ("k", slice(32, 48)), ("v", slice(48, 64))):
        assert torch.equal(tensors[f"{start}{letter}_proj.lora_A.weight"], update.A)
        assert torch.equal(tensors[f"{start}{letter}_proj.lora_B.weight"], update.B[rows])
    assert json.loads((tmp_path / CONFIG_FILE).read_text())["target_modules"] == [
        "k_proj", "q_proj", "v_proj",
    ]  # fmt: skip


def test_parts_of_one_matrix_of_peft_stand_side_by_side(tmp_path: Path) -> None:
    """Also those of two adapters that were blended into one, with a rank of its own each."""
    model = model_of(GPT2)
    adapter = learned(model, LoRAConfig(r=2, target_modules=("c_attn.q", "h.0.attn.c_attn.v")))
    adapter.blend(learned(model, LoRAConfig(r=3, alpha=5, target_modules=("c_attn.q",))), 0.25)
    adapter.save(tmp_path)
    about = json.loads((tmp_path / CONFIG_FILE).read_text())
    assert (about["r"], about["lora_alpha"]) == (7, 7)
    assert about["rank_pattern"] == about["alpha_pattern"] == {"transformer.h.1.attn.c_attn": 5}
    again = model_of(GPT2)
    read = load_adapter(again, tmp_path)
    torch.testing.assert_close(logits(again), logits(model), rtol=0, atol=1e-5)
    assert read.config == LoRAConfig(r=7, alpha=7, target_modules=("attn.c_attn",))
    assert [update.r for update in read.updates.values()] == [7, 5]


def test_a_blend_may_have_more_rank_than_a_matrix() -> None:
    model = model_of(GPT2)
    first, second = (learned(model, LoRAConfig(r=12)) for _ in range(2))
    first.scale, second.scale = 0.5, 0.5
    wanted = logits(model)
    first.scale = second.scale = 1
    first.blend(second, 0.5)
    torch.testing.assert_close(logits(model), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("targets", [("wte", "wpe"), ("wte", "attn.c_attn")])
def test_dora_changes_the_lengths_of_embeddings_too(targets: tuple[str, ...]) -> None:
    model = model_of(GPT2)
    base = logits(model)
    config = LoRAConfig(r=3, target_modules=targets, dora=True)
    add_lora(model, config).remove()
    adapter = learned(model, config)
    tuned = logits(model)
    adapter.merge()
    torch.testing.assert_close(logits(model), tuned, rtol=0, atol=1e-5)
    adapter.unmerge()
    with torch.no_grad():
        for name, parameter in adapter.named_parameters():
            if name.endswith("magnitude"):
                parameter.mul_(1.5)
    assert (logits(model) - tuned).abs().max() > 1e-2
    adapter.remove()
    assert torch.equal(logits(model), base)


def test_a_dora_adapter_beside_one_that_is_merged() -> None:
    model = model_of(GPT2)
    first, second = (learned(model, LoRAConfig(r=2, dora=True)) for _ in range(2))
    both = logits(model)
    first.merge()
    torch.testing.assert_close(logits(model), both, rtol=0, atol=1e-5)
    second.merge()
    torch.testing.assert_close(logits(model), both, rtol=0, atol=1e-5)


def test_an_adapted_model_is_written_once_it_is_a_plain_one(tmp_path: Path) -> None:
    model = model_of(GPT2)
    adapter = learned(model, LoRAConfig(r=2))
    tuned = logits(model)
    for write in (save_model, lambda folder, model: write_foreign(model, folder)):
        with pytest.raises(ValueError, match="write what was learned into its matrices"):
            write(tmp_path / "new", model)
    assert not (tmp_path / "new").exists()
    adapter.remove(merged=True)
    save_model(tmp_path / "new", model)
    torch.testing.assert_close(logits(load_model(tmp_path / "new")), tuned, rtol=0, atol=1e-5)


def test_how_many_numbers_an_adapter_learns_is_known_without_the_model() -> None:
    assert adapter_parameter_count(preset("gpt2"), LoRAConfig(r=8)) == 294_912
    queries_and_values = LoRAConfig(r=2, target_modules=("c_attn.q", "c_attn.v"))
    assert adapter_parameter_count(preset("gpt3-175b"), queries_and_values) == 2 * 4_718_592
    for config in MODELS.values():
        for targets in (*TARGETS, ("all-linear", "c_attn.q")):
            for kind in KINDS:
                lora = LoRAConfig(r=3, target_modules=targets, **kind)
                adapter = add_lora(model_of(config), lora)
                learning = sum(parameter.numel() for parameter in adapter.parameters())
                assert adapter_parameter_count(config, lora) == learning
    with pytest.raises(ValueError, match="use 16 or less"):
        adapter_parameter_count(GPT2, LoRAConfig(r=17))


# -- what does not fit ----------------------------------------------------------------------------


def change_config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / CONFIG_FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def change_tensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def change_file(folder: Path) -> None:
        tensors = read_tensors(folder / WEIGHTS_FILE)
        change(tensors)
        write_tensors(folder / WEIGHTS_FILE, tensors)

    return change_file


def as_pickle(folder: Path) -> None:
    (folder / WEIGHTS_FILE).unlink()
    (folder / "adapter_model.bin").write_bytes(b"PK")


FIRST = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"
LAST = "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight"
HEAD = "base_model.model.lm_head.weight"
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda folder: (folder / CONFIG_FILE).unlink(), "no adapter_config.json"),
    "no numbers": (lambda folder: (folder / WEIGHTS_FILE).unlink(), "copy the whole folder"),
    "a pickle": (as_pickle, "can run any code"),
    "another type": (change_config(peft_type="IA3"), "'IA3', and LORA"),
    "no type": (change_config(peft_type=None), "None, and LORA"),
    "a list": (lambda folder: (folder / CONFIG_FILE).write_text("[1]"), "JSON object"),
    "a switch": (change_config(use_bdlora={"nblocks": 2}), "'use_bdlora' switched on"),
    "whole modules": (change_config(modules_to_save=["lm_head"]), "merge it in peft"),
    "biases": (change_config(bias="all"), "merge it in peft"),
    "a changed base": (change_config(init_lora_weights="pissa"), "changed the base as well"),
    "a rank": (change_config(r=0), "r must be"),
    "no number": (change_config(lora_alpha="16"), "lora_alpha"),
    "another rank": (change_config(r=4), "says rank 4"),
    "a pattern": (change_config(rank_pattern={"(a+)+b": 3}), "regular expression"),
    "other matrices": (
        change_config(target_modules=["q_proj"]),
        "changes 'transformer.h.0.attn.c_attn', and target_modules in adapter_config.json, "
        "'q_proj', leaves it out",
    ),
    "a part of a name": (change_config(target_modules=["attn"]), "target_modules in"),
    "an excluded one": (change_config(exclude_modules=["1.attn.c_attn"]), "exclude_modules in"),
    "fewer layers": (
        change_config(layers_to_transform=[0]),
        "changes 'transformer.h.1.attn.c_attn', and layers_to_transform in adapter_config.json, "
        "0, leaves it out",
    ),
    "one layer": (change_config(layers_to_transform=1), "'transformer.h.0.attn.c_attn', and lay"),
    "layers that are none": (change_config(layers_to_transform=["0"]), "layers_to_transform"),
    "another base": (
        change_config(base_model_name_or_path="gpt2"),
        "is of a model of 2 layers and width 16 by its numbers, and of 'gpt2', of 12 layers and "
        "width 768, by its adapter_config.json",
    ),
    "another base of the hub": (
        change_config(base_model_name_or_path="openai-community/gpt2-xl"),
        "48 layers",
    ),
    "a bundled base": (change_config(base_model_name_or_path="stories"), "and of 'stories', of"),
    "an encoder-decoder": (change_config(base_model_name_or_path="dates"), "encoder-decoder"),
    "DoRA": (change_config(use_dora=True), "lacks magnitude"),
    "half of it": (change_tensors(lambda found: found.pop(LAST)), "lacks B of"),
    "nothing": (change_tensors(dict.clear), "holds no adapter"),
    "another tensor": (change_tensors(lambda f: f.update(x=f[FIRST])), "no part of a LoRA adapter"),
    "another module": (
        change_tensors(lambda f: f.update({FIRST.replace("h.0", "h.7"): f[FIRST]})),
        "open the model that it was trained on",
    ),
    "NaN": (change_tensors(lambda found: found[FIRST].fill(np.nan)), "NaN or infinite"),
    "whole numbers": (
        change_tensors(lambda found: found.update({FIRST: found[FIRST].astype(np.int32)})),
        "convert it",
    ),
    "a head": (
        change_tensors(lambda found: found.update({HEAD: np.zeros((50, 16), np.float32)})),
        "replaces lm_head as a whole",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_adapter_is_refused_and_changes_nothing(name: str, tmp_path: Path) -> None:
    learned(model_of(GPT2), LoRAConfig(r=2)).save(tmp_path)
    spoil, message = BROKEN[name]
    spoil(tmp_path)
    model = model_of(GPT2)
    names = [name for name, _ in model.named_parameters()]
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        load_adapter(model, tmp_path)
    assert message in str(caught.value)
    assert [name for name, _ in model.named_parameters()] == names
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    "changes",
    [
        {"target_modules": r".*\.c_attn"},
        {"target_modules": "all-linear"},
        {"target_modules": None},
        {"target_modules": ["c_attn", "q_proj"]},
        {"target_modules": ["h.0.attn.c_attn", "h.1.attn.c_attn"]},
        {"target_modules": [f"transformer.h.{layer}.attn.c_attn" for layer in range(2)]}
        | {"layers_to_transform": [7]},  # which peft asks for the other names alone
        {"exclude_modules": ["mlp.c_proj"]},
        {"exclude_modules": r".*mlp.*"},
        {"layers_to_transform": [1, 0], "layers_pattern": "h"},
        {"layers_to_transform": []},
        {"base_model_name_or_path": "someone/never-heard-of"},
        {"base_model_name_or_path": "/nowhere/\x00"},
        {"base_model_name_or_path": "x" * 5_000},
        {"base_model_name_or_path": None},
    ],
)
def test_what_else_a_config_may_say_of_an_adapter(changes: dict[str, Any], tmp_path: Path) -> None:
    model, again = model_of(GPT2), model_of(GPT2)
    learned(model, LoRAConfig(r=2)).save(tmp_path)
    change_config(**changes)(tmp_path)
    load_adapter(again, tmp_path)
    assert torch.equal(logits(again), logits(model))


def test_a_base_of_the_same_matrices_is_the_base(tmp_path: Path) -> None:
    """Its vocabulary may have grown, and it need not lie where it was."""
    model = model_of(GPT2)
    save_model(tmp_path / "base", model)
    learned(model, LoRAConfig(r=2, target_modules=("wte", "c_attn"))).save(
        tmp_path, base=str(tmp_path / "base")
    )
    load_adapter(model_of(GPT2), tmp_path)
    deeper = ModelConfig(vocab_size=60, block_size=16, n_layer=3, n_head=2, n_embd=16)
    for other, fits in ((deeper, True), (LLAMA, False)):
        save_model(tmp_path / "base", model_of(other))
        if fits:
            load_adapter(model_of(GPT2), tmp_path)
        else:
            with pytest.raises(ValueError, match="of 2 layers and width 32, by its adapter_config"):
                load_adapter(model_of(GPT2), tmp_path)


def test_the_adapter_of_another_model_names_both(tmp_path: Path) -> None:
    learned(model_of(GPT2), LoRAConfig(r=2)).save(tmp_path, base="gpt2")
    for other, there in (
        (LLAMA, "of 2 layers and width 32, has 'embed_tokens', 'layers.0.self_attn.q_proj'"),
        (PAIR, "an encoder-decoder of 4 layers and width 16, has 'encoder."),
        (GPT1, "of 2 layers and width 16, has 'wte'"),
    ):
        with pytest.raises(ValueError) as caught:
            load_adapter(model_of(other), tmp_path)
        assert "is an adapter of 'gpt2' and changes 'transformer.h.0" in str(caught.value)
        assert there in str(caught.value)
    wider = ModelConfig(vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=24)
    with pytest.raises(ValueError, match=r"of shape \(2, 16\); the model here, of 2 layers and wi"):
        load_adapter(model_of(wider), tmp_path)


def test_tied_embeddings_are_refused_with_the_reason(tmp_path: Path) -> None:
    learned(model_of(GPT2), LoRAConfig(r=2, target_modules=("wte",))).save(tmp_path)
    tied = ModelConfig(vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=16)
    with pytest.raises(ValueError, match="one matrix in this model"):
        load_adapter(model_of(tied), tmp_path)


def test_dora_on_a_matrix_and_its_part_cannot_be_written(tmp_path: Path) -> None:
    config = LoRAConfig(r=2, target_modules=("c_attn", "c_attn.q"), dora=True)
    adapter = learned(model_of(GPT2), config)
    with pytest.raises(ValueError, match="one length for each row"):
        adapter.save(tmp_path / "new")
    assert not (tmp_path / "new").exists()
