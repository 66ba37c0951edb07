"""A model's folder: what was saved is what opens, and what does not fit is refused before anything
is built.
"""

import json
import pickle
import zipfile
from dataclasses import replace

import pytest
import torch

from core.tensor_files import read_tensors, write_tensors
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.weights import load_model, save_model

CONFIG = ModelConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=8)


@pytest.fixture
def folder(tmp_path):
    save_model(tmp_path / "model", GPT(CONFIG, torch.Generator().manual_seed(0)))
    return tmp_path / "model"


LLAMA = {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1}


@pytest.mark.parametrize("changes", [{}, LLAMA], ids=str)
def test_what_was_saved_is_what_opens(tmp_path, changes):
    config = replace(CONFIG, **changes)
    original = GPT(config, torch.Generator().manual_seed(0))
    save_model(tmp_path / "model", original)
    opened = load_model(tmp_path / "model")
    assert opened.config == config and not opened.training
    for (name, a), (_, b) in zip(
        opened.named_parameters(), original.named_parameters(), strict=True
    ):
        assert torch.equal(a, b), name
    assert opened.lm_head.weight is opened.wte.weight


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path, wrong, dtype):
    model = GPT(CONFIG, torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.h[0].attn.c_proj.weight[2, 5:7] = wrong
    save_model(tmp_path / "model", model, dtype)
    said = r"model\.safetensors: 2 of the 64 numbers of h\.0\.attn\.c_proj\.weight .*checkpoint"
    with pytest.raises(ValueError, match=said):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("wrong", ["I32", "U32", "F16"])
def test_bytes_that_are_called_another_type_are_refused(folder, wrong):
    """Read as whole numbers, weights of 0.02 are 1e9."""
    path = folder / "model.safetensors"
    content = path.read_bytes()
    count = content.count(b'"F32"')
    if wrong in ("I32", "U32"):
        path.write_bytes(content.replace(b'"F32"', f'"{wrong}"'.encode()))
    else:
        tensors = read_tensors(path, framework="torch")
        write_tensors(path, {name: value.half() for name, value in tensors.items()})
    said = rf"is of the type {wrong}, and a checkpoint holds F32 or BF16 or F64 alone: copy"
    with pytest.raises(ValueError, match=said):
        load_model(folder)
    assert count > 5


def test_names_of_a_stranger_are_told_in_part(folder):
    path = folder / "model.safetensors"
    tensors = read_tensors(path, framework="torch")
    tensors |= {"x" * 9000: torch.ones(1), **{f"more.{n}": torch.ones(1) for n in range(900)}}
    write_tensors(path, tensors)
    with pytest.raises(ValueError, match=r"missing none; not expected .* and 898 more") as told:
        load_model(folder)
    assert len(str(told.value)) < 400 + len(str(path))


@pytest.mark.parametrize("sign", [1, -1])
def test_weights_so_large_that_the_logits_overflow_are_refused(tmp_path, sign):
    model = GPT(CONFIG, torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.wte.weight[3, 2] = sign * 1e9
    save_model(tmp_path / "model", model)
    assert load_model(tmp_path / "model").wte.weight[3, 2] == sign * 1e9
    with torch.no_grad():
        model.wte.weight[3, 2] = sign * 3e38
    save_model(tmp_path / "model", model)
    with pytest.raises(ValueError, match=r"wte\.weight reach 3\.0e\+38; beyond .*Take an earlier"):
        load_model(tmp_path / "model")


def test_bf16_halves_the_file_and_opens_as_fp32(tmp_path, folder):
    save_model(tmp_path / "half", GPT(CONFIG, torch.Generator().manual_seed(0)), dtype="bfloat16")
    full, half = (f / "model.safetensors" for f in (folder, tmp_path / "half"))
    assert half.stat().st_size < 0.7 * full.stat().st_size
    opened = load_model(tmp_path / "half")
    assert opened.wte.weight.dtype == torch.float32
    assert torch.equal(opened.wte.weight, load_model(folder).wte.weight.bfloat16().float())
    with pytest.raises(ValueError, match="float32 or bfloat16"):
        save_model(tmp_path / "half", opened, dtype="int8")


def test_truncated_weights_are_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"truncated|incomplete|shorter"):
        load_model(folder)


def test_weights_of_another_shape_are_refused(folder):
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, "n_embd": 16}))
    with pytest.raises(ValueError, match=r"asks for .*one checkpoint"):
        load_model(folder)
    (folder / "config.json").write_text(json.dumps({**values, "n_layer": 2}))
    with pytest.raises(ValueError, match=r"missing 'h.1"):
        load_model(folder)


def test_a_pickle_in_disguise_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(pickle.dumps({"wte.weight": [1.0]}, protocol=4))
    with pytest.raises(ValueError, match="pickle"):
        load_model(folder)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    with pytest.raises(ValueError, match="pickle"):
        load_model(folder)


def test_a_missing_file_is_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model.safetensors"):
        load_model(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"config.json"):
        load_model(folder)
