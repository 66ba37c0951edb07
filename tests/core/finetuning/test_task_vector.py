"""A checkpoint of any method is its base at scale 0, and what was tuned at scale 1."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import core
from core.finetuning.loading import load_tuned
from core.finetuning.settings import METHODS
from core.finetuning.task_vector import TaskVector
from core.transformer.gpt import GPT
from tests.core.finetuning.small import small_base, small_tuning, tune


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def logits(model: GPT) -> Tensor:
    with torch.no_grad():
        return model(torch.tensor([[1, 2, 3, 4]]))


@pytest.mark.parametrize("method", [one for one in METHODS if one != "prompt"])
def test_a_checkpoint_is_its_base_at_scale_0(base: Path, tmp_path: Path, method: str) -> None:
    config = small_tuning(base, settings={"method": method}, learning_rate=1e-2, steps=4)
    tuned = load_tuned(tune(config, tmp_path / "run").checkpoints[-1].folder)
    learned = logits(tuned.lm.model)
    tuned.tuning.scale = 0.0
    # Biases of 0, where there were none, and a head of its own take another kernel.
    torch.testing.assert_close(
        logits(tuned.lm.model), logits(core.load(base).model), rtol=0, atol=1e-5
    )
    assert not torch.equal(logits(tuned.lm.model), learned)
    tuned.tuning.scale = 1.0
    assert torch.equal(logits(tuned.lm.model), learned)


def test_the_way_from_the_base_is_a_straight_line_and_goes_on() -> None:
    parameter = nn.Parameter(torch.tensor([1.0, 2.0]))
    vector = TaskVector([parameter])
    with torch.no_grad():
        parameter.copy_(torch.tensor([3.0, 1.0]))
    assert vector.scale == 1.0
    for scale, wanted in ((0.0, [1.0, 2.0]), (0.5, [2.0, 1.5]), (2.0, [5.0, 0.0]), (1, [3.0, 1.0])):
        vector.scale = scale
        assert parameter.tolist() == wanted
    with torch.no_grad():
        parameter.add_(1.0)  # it learns on
    vector.scale = 2.0
    assert parameter.tolist() == [7.0, 2.0]
