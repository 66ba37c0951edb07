"""Ranks: the loop as it is trains under DDP and FSDP2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.tensor_files import read_tensors
from core.training.config import TrainingConfig
from core.training.control import RunControl
from core.training.loop import train_steps
from core.training.parallel import on_device
from core.training.runs import RunReader
from tests.core.training.small import losses, small_config
from tests.core.training.strategies import Doubled

ROOT = Path(__file__).parents[3]


def _train_on_ranks(kind: str, folder: Path, config: TrainingConfig, ranks: int = 2) -> RunReader:
    """One process a rank; all of them end well, or their output is shown."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder.parent / "config.json").write_text(json.dumps(config.to_json()))
    store = folder.parent / f"store-{len(list(folder.parent.glob('store-*')))}"
    command = [sys.executable, "-m", "tests.core.training.strategies", kind, str(store)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [*command, str(rank), str(ranks), str(folder)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for rank in range(ranks)
    ]
    try:
        told = [process.communicate(timeout=240)[0].decode() for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * ranks, "\n".join(told)
    return RunReader(folder)


def _config(folder: Path, **changes: object) -> TrainingConfig:
    """Rows that two ranks cannot share evenly, of which some count fewer targets; two batches."""
    return small_config(
        folder,
        **{
            "steps": 6,
            "batch_size": 5,
            "micro_batches": 2,
            "repeated_fraction": 0.4,
            "evaluate_every": 3,
            "evaluate_batches": 0,
            "sample_every": 6,
            "probe_every": 3,
            "checkpoint_every": 3,
            **changes,
        },
    )


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingConfig, RunReader]:
    folder = tmp_path_factory.mktemp("single")
    config = _config(folder)
    for _ in train_steps(config, folder / "run", task=Doubled(config, folder / "cache")):
        pass
    return config, RunReader(folder / "run")


@pytest.mark.parametrize(("kind", "start"), [("ddp", 0), ("fsdp2", 3)])
def test_two_ranks_train_as_one_process_does(
    kind: str, start: int, tmp_path: Path, single: tuple[TrainingConfig, RunReader]
) -> None:
    """From the beginning, and on from a checkpoint that one process has written."""
    config, alone = single
    if start:
        shutil.copytree(alone.folder, tmp_path / "run")
        shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-000006")
    run = _train_on_ranks(kind, tmp_path / "run", config)
    assert run.state == "finished" and run.step == 6
    for field in ("loss", "grad_norm"):
        np.testing.assert_allclose(run.steps[field], alone.steps[field], rtol=1e-12)
    for field in ("tokens", "targets", "applied", "learning_rate"):
        np.testing.assert_array_equal(run.steps[field], alone.steps[field])
    for split in ("train", "validation"):
        np.testing.assert_allclose(run.evaluations[split], alone.evaluations[split], rtol=1e-12)
    assert [sample.ids for sample in run.samples] == [sample.ids for sample in alone.samples]
    assert [probe.step for probe in run.probes] == [probe.step for probe in alone.probes]
    other = RunReader(run.folder, rank=1)
    assert other.state == "finished" and losses(other) == losses(run)[start:]
    assert [event["ranks"] for event in other.events if event["event"] == "model"] == [2]
    assert len(run.manifest["attempts"]) == (2 if start else 1)
    for name in ("model.safetensors", "optimizer.safetensors"):
        one, two = (read_tensors(r.checkpoints[-1].folder / name) for r in (alone, run))
        assert set(one) == set(two)
        for key in one:
            np.testing.assert_allclose(two[key], one[key], rtol=1e-7, atol=1e-12)


def test_commands_reach_every_rank_at_the_same_step(tmp_path: Path) -> None:
    config = _config(tmp_path, steps=3, sample_every=0, probe_every=0, evaluate_every=0)
    for _ in train_steps(
        config.change({"steps": 3}), tmp_path / "run", task=Doubled(config, tmp_path / "cache")
    ):
        break  # before its first step
    control = RunControl(tmp_path / "run")
    numbers = [control.set(5e-4), control.checkpoint(), control.stop()]
    control._send("start", {})  # commands before a start were for the attempt that has ended
    numbers += [control.set(2e-4), control.probe("mine", [1, 2, 3])]
    run = _train_on_ranks("ddp", tmp_path / "run", config)
    answers = [control.acknowledgement(number) for number in numbers]
    assert [answer.ok for answer in answers if answer] == [False, False, False, True, True]
    both = [RunReader(tmp_path / "run", rank).steps["learning_rate"].tolist() for rank in (0, 1)]
    assert both[0] == both[1] and both[0][0] == pytest.approx(2e-4)
    probe = run.probe("mine")
    assert probe is not None and probe.load()["ids"].tolist() == [1, 2, 3]


def test_a_batch_is_moved_however_it_is_made() -> None:
    tensor = torch.ones(2)
    moved = on_device({"a": (tensor, [tensor, 3]), "b": "text"}, torch.device("meta"))
    assert moved["a"][0].is_meta and moved["a"][1][0].is_meta
    assert moved["a"][1][1] == 3 and moved["b"] == "text"
    assert isinstance(moved["a"], tuple) and isinstance(moved["a"][1], list)
