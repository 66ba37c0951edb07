"""What a LoRA run has learned, read from its checkpoints alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.finetuning.adapter import adapters_of
from core.finetuning.analysis import spectrum_of
from core.finetuning.learned import read_updates
from core.tensor_files import read_tensors, write_tensors
from core.transformer.weights import WEIGHTS_FILE
from tests.core.finetuning.small import small_base, small_tuning, tune

PARTS = {"r": 2, "target_modules": ("c_attn.q", "c_attn.v", "mlp.c_fc")}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def checkpoints(base: Path, run: Path, lora: dict[str, Any], **settings: Any) -> list[Path]:
    given = {"lora": core.LoRAConfig(**lora), **settings}
    config = small_tuning(base, settings=given, learning_rate=1e-2)
    return [one.folder for one in tune(config, run).checkpoints]


def check(folder: Path) -> None:
    """Against the adapter of rank 2 that `core.load` gives."""
    (adapter,) = (one for one in adapters_of(core.load(folder).model) if one.config.r == 2)
    found = read_updates(folder)
    assert list(found) == list(adapter.updates)
    for name, update in adapter.updates.items():
        assert torch.equal(found[name].A, update.A) and torch.equal(found[name].B, update.B)
        mine, wanted = found[name].spectrum(), spectrum_of(adapter, name)
        np.testing.assert_array_equal(mine.values, wanted.values)


def test_a_run_is_followed_from_checkpoint_to_checkpoint(base: Path, tmp_path: Path) -> None:
    folders = checkpoints(base, tmp_path / "run", PARTS)
    for folder in folders:
        check(folder)
    norms = [read_updates(folder)["h.0.attn.c_attn.q"].spectrum().norm for folder in folders]
    assert 0 < norms[0] < norms[-1]


def test_a_base_may_have_an_adapter_of_its_own(base: Path, tmp_path: Path) -> None:
    first = checkpoints(base, tmp_path / "first", {"r": 3, "target_modules": ("mlp.c_fc",)})
    text = str(base.parents[2] / "little.txt")
    check(checkpoints(first[-1], tmp_path / "second", PARTS, data=text)[-1])


def test_what_is_no_plain_lora_is_told(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="was not fine-tuned here"):
        read_updates(base)
    biases = checkpoints(base, tmp_path / "biases", {}, method="bitfit")
    with pytest.raises(ValueError, match="has no A and B"):
        read_updates(biases[-1])
    dora = read_updates(checkpoints(base, tmp_path / "dora", {**PARTS, "dora": True})[-1])
    assert dora["h.0.mlp.c_fc"].magnitude is not None
    with pytest.raises(ValueError, match="depends on the matrix itself"):
        dora["h.0.mlp.c_fc"].spectrum()


def test_broken_files_are_told(base: Path, tmp_path: Path) -> None:
    folder = checkpoints(base, tmp_path / "run", PARTS)[-1]
    path = folder / WEIGHTS_FILE
    tensors = read_tensors(path, framework="torch")
    name = "h.1.mlp.c_fc.updates.0.A"
    for broken in ({**tensors, name: tensors[name][:, :3].contiguous()}, without(tensors, name)):
        write_tensors(path, broken, {"format": "pt"})
        with pytest.raises(ValueError, match=r"learned of 'h\.1\.mlp\.c_fc'; copy the whole"):
            read_updates(folder)
    write_tensors(path, {**tensors, name: tensors[name] * torch.nan}, {"format": "pt"})
    with pytest.raises(ValueError, match="no directions; take an earlier checkpoint"):
        read_updates(folder)["h.1.mlp.c_fc"].spectrum()


def without(tensors: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    return {one: tensor for one, tensor in tensors.items() if one != name}
