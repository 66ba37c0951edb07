"""A model that fine-tuning lies over is not written as if it were a plain one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import core
from core.finetuning.adapter import add_lora
from core.finetuning.quantization import dequantize_model, quantize_model
from core.transformer.weights import load_model, save_model
from tests.core.finetuning.models import BIASED, GROUPED, learned, logits, model_of

NO_PLAIN_ONE = r"no plain one.*adapter\.remove\(merged=True\).*dequantize_model"


@pytest.mark.parametrize("shape", [BIASED, GROUPED])
def test_what_was_learned_is_written_once_it_is_in_the_matrices(shape, tmp_path: Path) -> None:
    model = model_of(shape)
    quantize_model(model)
    with pytest.raises(ValueError, match=NO_PLAIN_ONE):
        save_model(tmp_path, model)
    dequantize_model(model)
    adapter = learned(model, core.LoRAConfig(r=2))
    with pytest.raises(ValueError, match=NO_PLAIN_ONE):
        save_model(tmp_path, model)
    adapter.merge()
    with pytest.raises(ValueError, match=NO_PLAIN_ONE):
        save_model(tmp_path, model)
    tuned = logits(model)
    adapter.remove(merged=True)
    save_model(tmp_path, model)
    assert torch.equal(logits(load_model(tmp_path)), tuned)


def test_an_export_says_it_too_and_leaves_nothing_behind(tmp_path: Path) -> None:
    stories = core.load("stories")
    add_lora(stories.model)
    for model in (stories.model, quantized()):
        with pytest.raises(ValueError, match=NO_PLAIN_ONE):
            core.export(replace(stories, model=model), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def quantized() -> core.GPT:
    model = model_of(BIASED)
    quantize_model(model)
    return model
