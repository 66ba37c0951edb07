"""What a fine-tuning's config holds, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import core
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import (
    METHODS,
    FinetuningSettings,
    settings_of,
)
from core.training.config import TrainingConfig
from core.training.requirements import check_requirements
from core.transformer.config import ModelConfig


def test_settings_survive_the_json_of_a_config() -> None:
    lora = core.LoRAConfig(r=4, target_modules=("c_attn.q", "c_attn.v"), rslora=True)
    settings = FinetuningSettings(lora=lora, replay=0.25, broken_lines="skip")
    config = finetuning_config(settings, {"steps": 7})
    again = TrainingConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again == config and again.steps == 7
    assert settings_of(again) == settings
    assert again.model == core.load().config


def test_a_changed_setting_is_told_by_its_name() -> None:
    one = finetuning_config(FinetuningSettings(lora=core.LoRAConfig()))
    other = finetuning_config(FinetuningSettings(lora=core.LoRAConfig(r=4)))
    assert other.changes_since(one) == ["settings.lora.r was 8 and is now 4"]


def test_paths_mean_the_same_wherever_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("some text")
    monkeypatch.chdir(tmp_path)
    config = finetuning_config(FinetuningSettings(data="mine.txt"))
    assert settings_of(config).data == str(tmp_path / "mine.txt") == config.corpus


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"method": "ia3"}, "method 'ia3' is unknown; use 'lora', "),
        ({"quantize": "nf4", "method": "full"}, "choose LoRA, or keep the base in 32 bits$"),
        ({"quantize": "nf4", "method": "last-layers"}, "choose LoRA"),
        (
            {"classes": ["one", "two"], "method": "prompt", "data": "x.jsonl"},
            "or choose another method",
        ),
        ({"replay": 0.5, "base_data": ""}, "replay needs base data to draw from; give some, or "),
        ({"replay": 1.0}, "replay must be a number of at least 0 and below 1"),
        ({"data": ""}, "data is empty; 'questions' is ready to start"),
        ({"lora": {"r": 0}}, "lora: r must be"),
        ({"rank": 8}, "unknown field 'rank' in the fine-tuning settings; its fields are base, "),
    ],
)
def test_impossible_settings_say_the_remedy(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FinetuningSettings.from_json(given)


def test_an_encoder_decoder_is_no_base_of_a_run() -> None:
    with pytest.raises(ValueError, match=r"dates is an encoder-decoder: .* core\.add_lora"):
        finetuning_config(FinetuningSettings(base="dates"))
    with pytest.raises(FileNotFoundError, match="there is no model 'nothing'"):
        finetuning_config(FinetuningSettings(base="nothing"))


def test_every_method_has_a_learning_rate() -> None:
    for method in METHODS:
        config = finetuning_config(FinetuningSettings(method=method))
        assert 0 < config.min_learning_rate < config.learning_rate


def test_settings_of_a_task_that_has_none_are_refused() -> None:
    config = finetuning_config()
    with pytest.raises(ValueError, match="start the run by the module that brings this task"):
        check_requirements(config)
    plain = TrainingConfig(
        model=ModelConfig(vocab_size=9, block_size=8, n_layer=1, n_head=1, n_embd=4),
        settings={"r": 8},
    )
    with pytest.raises(ValueError, match="has no settings of its own; leave `settings` out"):
        check_requirements(plain)
    with pytest.raises(ValueError, match="is no fine-tuning; make its config with"):
        settings_of(plain)


def test_settings_load_no_torch() -> None:
    code = "import sys, core; core.FinetuningSettings(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
