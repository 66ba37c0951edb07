"""core.load opens the folder of an adapter over the base that it names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

import core
from core.finetuning.adapter import adapters_of
from core.finetuning.loading import base_warning, config_of, memory_needed
from tests.core.finetuning.models import learned
from tests.core.finetuning.small import small_base

IDS = torch.tensor([[1, 5, 2, 7]])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def saved(base: Path, folder: Path, named: str | None) -> Path:
    """The folder of an adapter that says that it lies on a model."""
    adapter = learned(core.load(base).model, core.LoRAConfig(r=2))
    adapter.save(folder, base=named)
    return folder


@pytest.mark.parametrize("relative", [False, True])
def test_an_adapter_is_opened_over_its_base(base: Path, tmp_path: Path, relative: bool) -> None:
    folder = tmp_path / "adapter"
    saved(base, folder, os.path.relpath(base, folder) if relative else str(base))
    under = core.load(base)
    with torch.no_grad():
        plain = under.model(IDS)
        core.load_adapter(under.model, folder)
        expected = under.model(IDS)
    lm = core.load(folder)
    (adapter,) = adapters_of(lm.model)
    assert lm.name == "adapter" and lm.config == under.config and not lm.model.training
    assert lm.tokenizer.vocabulary == under.tokenizer.vocabulary
    with torch.no_grad():
        assert torch.equal(lm.model(IDS), expected) and not torch.equal(expected, plain)
        adapter.scale = 0.0
        assert torch.equal(lm.model(IDS), plain)
    assert config_of(folder) == under.config and memory_needed(folder) == memory_needed(base)


def test_a_base_that_is_not_there_is_told_with_what_to_do(base: Path, tmp_path: Path) -> None:
    folder = saved(base, tmp_path / "adapter", None)
    for opens in (core.load, config_of):
        with pytest.raises(ValueError, match=r"'base_model_name_or_path' must be the name or"):
            opens(folder)
    saved(base, folder, str(tmp_path / "gone"))
    for opens in (core.load, config_of):
        with pytest.raises(ValueError, match=r"gone.* is not there: .*into .*adapter_config\.json"):
            opens(folder)
    path = folder / "adapter_config.json"
    for name, told in ((str(folder), "without end"), ("stories", "is an adapter of 'stories' and")):
        path.write_text(
            json.dumps({**json.loads(path.read_text()), "base_model_name_or_path": name})
        )
        with pytest.raises(ValueError, match=told):
            core.load(folder)
        if told == "without end":
            with pytest.raises(ValueError, match=told):
                config_of(folder)
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="holds no adapter_model.safetensors; copy"):
        core.load(folder)


def test_an_adapter_that_names_another_base_is_told(base: Path, tmp_path: Path) -> None:
    first = saved(base, tmp_path / "first", str(base))
    for named, is_told in (
        (str(base), False),
        (os.path.relpath(base, tmp_path / "second"), False),
        (None, False),
        ("my-model", True),
        ("stories", True),
    ):
        second = saved(base, tmp_path / "second", named)
        told = base_warning(first, second)
        assert bool(told) == is_told
        assert not told or f"second was trained on {named!r}, and the base here is" in told
    change = {"base_model_name_or_path": "my-model"}
    path = tmp_path / "second" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert core.load_adapter(core.load(base).model, tmp_path / "second").trained_on == "my-model"
