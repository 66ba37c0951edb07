"""QLoRA as a run, and whatever else learns beside matrices in 4 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import core
from core.finetuning import settings
from core.finetuning.program import finetune_steps
from core.finetuning.quantization import quantize_model
from core.finetuning.quantized_linear import QuantizedLinear
from core.tensor_files import read_tensors
from core.transformer.architectures import gpt_of
from tests.core.finetuning.small import small_base, small_tuning, tune
from tests.core.training.small import fingerprint, losses

# Those that need no matrices in full.
METHODS = [one for one in settings.METHODS if one not in ("full", "last-layers")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def _config(base: Path, method: str) -> Any:
    given = {"method": method, "quantize": "nf4"}
    return small_tuning(base, settings=given, learning_rate=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_a_run_on_a_quantized_base_learns_and_is_loaded_as_it_was(
    base: Path, tmp_path: Path, method: str
) -> None:
    before = fingerprint(base)
    run = tune(_config(base, method), tmp_path / "run")
    assert run.evaluations["train"][-1] < run.evaluations["train"][0]
    assert fingerprint(base) == before
    folder = run.checkpoints[-1].folder
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    model = gpt_of(core.load(folder).model)
    quantized = [one for one in model.modules() if isinstance(one, QuantizedLinear)]
    assert len(quantized) == 4 * model.config.n_layer
    learned = {name: one for name, one in model.named_parameters() if one.requires_grad}
    assert set(learned) == set(saved)
    assert all(torch.equal(one, saved[name]) for name, one in learned.items())


def test_an_interrupted_run_goes_on_exactly(base: Path, tmp_path: Path) -> None:
    whole = tune(_config(base, "lora"), tmp_path / "plain")
    moments = finetune_steps(_config(base, "lora"), tmp_path / "run")
    next(m for m in moments if m.phase == "schedule" and m.step == 5)
    moments.close()
    resumed = tune(_config(base, "lora"), tmp_path / "run", resume=True)
    assert losses(resumed) == losses(whole)


def test_without_its_adapter_it_is_the_quantized_base(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "lora"), tmp_path / "run").checkpoints[-1].folder
    tuned, plain = core.load(folder).model, core.load(base).model
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        full = plain(ids)
        quantize_model(plain)
        learned = tuned(ids)
        (adapter,) = core.finetuning.adapter.adapters_of(tuned)
        adapter.scale = 0.0
        assert torch.equal(tuned(ids), plain(ids))
        assert not torch.equal(tuned(ids), learned) and not torch.equal(plain(ids), full)
