"""`python -m core.finetuning`, and several ranks that tune one model."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.finetuning.estimates import estimate_finetuning
from core.finetuning.program import FINETUNING_PROGRAM, check_finetuning, finetune
from core.finetuning.settings import METHODS
from core.numbers import format_count
from core.tensor_shards import open_tensors
from core.training.__main__ import main
from core.training.runs import RunReader
from tests.core.finetuning.small import small_base, small_tuning, tune
from tests.patience import HANGS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core.finetuning", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS)


def test_the_command_starts_and_continues_a_run(base: Path, tmp_path: Path) -> None:
    config = small_tuning(base, settings={"replay": 0.25, "base_data": "stories"})
    file = tmp_path / "mine.json"
    data = {**config.settings, "base_data": config.settings["data"]}
    file.write_text(json.dumps(config.change({"settings": data}).to_json()))
    run = tmp_path / "run"
    ended = _command("--config", file, "--run", run)
    assert ended.returncode == 0, ended.stderr
    assert RunReader(run).state == "finished" and "base" in RunReader(run).measures
    again = _command("--run", run, "--resume")
    assert again.returncode == 0, again.stderr
    told = _command("--help").stdout
    assert "usage: python -m core.finetuning" in told and "core.training --config" not in told


def test_it_tells_before_what_a_run_takes(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_tuning(base)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(config.to_json()))
    assert main(["--estimate", "--config", str(file)], FINETUNING_PROGRAM) == 0
    _, titles, row = capsys.readouterr().out.splitlines()
    assert re.split(r" {2,}", titles.strip())[:2] == ["method", "learns"]
    learns = format_count(estimate_finetuning(config).trainable)
    assert re.split(r" {2,}", row.strip())[:2] == ["lora", learns]
    assert main(["--estimate", "stories"], FINETUNING_PROGRAM) == 0
    methods = [row.split()[0] for row in capsys.readouterr().out.splitlines()[2:]]
    assert methods == list(METHODS)
    lines = base / "broken.jsonl"
    lines.write_text("no example\n")
    broken = config.to_json()
    broken["settings"]["data"] = broken["corpus"] = str(lines)
    file.write_text(json.dumps(broken))
    for wrong, told in (
        (["--estimate", "--config", str(file)], "broken.jsonl"),
        (["--estimate"], "give --estimate the name of a base"),
        (["--estimate", "nothing-like-it"], "nothing-like-it"),
        (["--estimate", "dates"], "is an encoder-decoder"),
    ):
        assert main(wrong, FINETUNING_PROGRAM) == 2
        assert told in capsys.readouterr().err


def test_a_config_of_another_task_is_refused(base: Path, tmp_path: Path) -> None:
    plain = small_tuning(base).change({"task": "language-modelling", "settings": {}})
    file = tmp_path / "plain.json"
    file.write_text(json.dumps(plain.to_json()))
    ended = _command("--config", file, "--run", tmp_path / "run")
    assert ended.returncode == 2
    assert "is no fine-tuning; make its config with core.finetuning_config" in ended.stderr
    assert not (tmp_path / "run").exists()


def test_classes_are_not_learned_by_shards(base: Path, tmp_path: Path) -> None:
    data = tmp_path / "some.jsonl"
    data.write_text('{"text": "A", "label": "x"}\n' * 4)
    given = {"data": str(data), "classes": ("x", "y")}
    config = small_tuning(base, settings=given, ranks=2, parallel="fsdp2")
    with pytest.raises(ValueError, match="head cannot be sharded; use parallel 'ddp'"):
        check_finetuning(config)
    check_finetuning(config.change({"parallel": "ddp"}))


@pytest.mark.parametrize("parallel", ["ddp", "fsdp2"])
def test_two_ranks_tune_as_one_process_does(base: Path, tmp_path: Path, parallel: str) -> None:
    given: dict[str, Any] = {"steps": 4, "checkpoint_every": 0, "evaluate_every": 0}
    alone = tune(small_tuning(base, **given), tmp_path / "alone")
    config = small_tuning(base, **given, ranks=2, parallel=parallel)
    together = finetune(config, tmp_path / "together")
    np.testing.assert_allclose(together.steps["loss"], alone.steps["loss"], atol=2e-5)
    folders = [run.checkpoints[-1].folder for run in (alone, together)]
    saved = [open_tensors(folder / "model.safetensors").read() for folder in folders]
    assert set(saved[0]) == set(saved[1])
    for name, tensor in saved[0].items():
        torch.testing.assert_close(saved[1][name], tensor, atol=1e-4, rtol=0)
    assert (folders[1] / "adapter_model.safetensors").exists() == (parallel == "ddp")
    core.load(folders[1])


def test_a_soft_prompt_leaves_room_for_the_texts() -> None:
    settings = core.FinetuningSettings(method="prompt", prompt_tokens=250)
    with pytest.raises(ValueError, match=r"leave 6 of the 256 .* use (\d+) at most") as refused:
        check_finetuning(core.finetuning_config(settings))
    most = int(re.findall(r"use (\d+)", str(refused.value))[0])
    fits = dataclasses.replace(settings, prompt_tokens=most)
    check_finetuning(core.finetuning_config(fits))
    assert 100 <= most < 130
