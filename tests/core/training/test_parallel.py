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

import core
from core.tensor_shards import open_tensors
from core.tokenization.analysis.embeddings import read_embeddings
from core.training.config import TrainingConfig
from core.training.control import RunControl
from core.training.loop import train_steps
from core.training.parallel import on_device
from core.training.runs import RunReader, branch
from tests.core.training.small import fingerprint, losses, small_config
from tests.core.training.strategies import CRASH, Doubled
from tests.patience import HANGS

ROOT = Path(__file__).parents[3]


def _train_on_ranks(
    kind: str, folder: Path, config: TrainingConfig, ranks: int = 2, crash: str = ""
) -> RunReader:
    """One process a rank: all of them end well, or their output is shown; with a crash none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder.parent / "config.json").write_text(json.dumps(config.to_json()))
    store = folder.parent / f"store-{len(list(folder.parent.glob('store-*')))}"
    command = [sys.executable, "-m", "tests.core.training.strategies", kind, str(store)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), CRASH: crash}
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
        told = [process.communicate(timeout=HANGS)[0].decode() for process in processes]
    finally:
        for process in processes:
            process.kill()
    ended = [process.returncode == 0 for process in processes]
    assert ended == [not crash] * ranks, "\n".join(told)
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
        one, two = (open_tensors(r.checkpoints[-1].folder / name).read() for r in (alone, run))
        assert set(one) == set(two)
        for key in one:
            np.testing.assert_allclose(two[key], one[key], rtol=1e-7, atol=1e-12)


# -- checkpoints of FSDP2: each rank writes what it holds


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingConfig, RunReader]:
    """The same run, from its beginning on two ranks of FSDP2."""
    folder = tmp_path_factory.mktemp("sharded")
    return _config(folder), _train_on_ranks("fsdp2", folder / "run", _config(folder))


def test_each_rank_writes_the_half_that_it_holds(
    single: tuple[TrainingConfig, RunReader], sharded: tuple[TrainingConfig, RunReader]
) -> None:
    """Nothing is gathered for it: see `watch_writing`. The folder opens as any other model."""
    whole, folder = (run.checkpoints[-1].folder for _, run in (single, sharded))
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "index.json",
        *(
            f"{name}-0000{n}-of-00002.safetensors"
            for name in ("model", "optimizer")
            for n in (1, 2)
        ),
        "tokenizer.json",
        "training.json",
    ]
    for name in ("model", "optimizer"):
        size = (whole / f"{name}.safetensors").stat().st_size
        for number in (1, 2):
            shard = folder / f"{name}-0000{number}-of-00002.safetensors"
            assert 0.4 * size < shard.stat().st_size < 0.65 * size
    one, two = core.load(whole), core.load(folder)
    assert two.tokenizer.vocab_size == one.tokenizer.vocab_size and two.config == one.config
    ids = torch.arange(8)[None]
    torch.testing.assert_close(two.model(ids), one.model(ids))
    np.testing.assert_allclose(read_embeddings(folder), read_embeddings(whole), rtol=1e-6)


@pytest.mark.parametrize(("kind", "ranks"), [("alone", 1), ("ddp", 2), ("fsdp2", 2), ("fsdp2", 3)])
def test_any_layout_goes_on_from_shards(
    kind: str,
    ranks: int,
    tmp_path: Path,
    single: tuple[TrainingConfig, RunReader],
    sharded: tuple[TrainingConfig, RunReader],
) -> None:
    """To the last bit as the same layout would have, and as one process within rounding."""
    config, origin = sharded
    shutil.copytree(origin.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-000006")
    if kind == "alone":
        for _ in train_steps(
            config, tmp_path / "run", True, task=Doubled(config, tmp_path / "cache")
        ):
            pass
        run = RunReader(tmp_path / "run")
    else:
        run = _train_on_ranks(kind, tmp_path / "run", config, ranks)
    assert run.state == "finished" and run.step == 6
    np.testing.assert_allclose(losses(run), losses(single[1]), rtol=1e-12)
    last = run.checkpoints[-1].folder
    assert (last / "index.json").exists() == (kind == "fsdp2")
    if (kind, ranks) == ("fsdp2", 2):
        assert losses(run) == losses(origin)
        assert fingerprint(last) == fingerprint(origin.checkpoints[-1].folder)


def test_a_rank_that_dies_while_it_saves_leaves_the_checkpoint_before(
    tmp_path: Path, sharded: tuple[TrainingConfig, RunReader]
) -> None:
    config, origin = sharded
    shutil.copytree(origin.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-000006")
    before = fingerprint(tmp_path / "run" / "checkpoints" / "step-000003")
    run = _train_on_ranks("fsdp2", tmp_path / "run", config, crash="1 6")
    assert [checkpoint.step for checkpoint in run.checkpoints] == [3]
    assert fingerprint(run.checkpoints[0].folder) == before
    core.load(run.checkpoints[0].folder)


def test_a_branch_with_another_optimizer_takes_no_shards_of_the_old_one(
    tmp_path: Path, sharded: tuple[TrainingConfig, RunReader]
) -> None:
    shutil.copytree(sharded[1].folder, tmp_path / "run")
    folder = branch(tmp_path / "run", 3, {"optimizer": "momentum"})
    names = {path.name for path in (folder / "checkpoints" / "step-000003").iterdir()}
    assert "optimizer.safetensors" in names and "model-00002-of-00002.safetensors" in names
    assert not any(name.startswith("optimizer-") for name in names)
    config = RunReader(folder).config
    for _ in train_steps(config, folder, True, task=Doubled(config, tmp_path / "cache")):
        pass
    assert RunReader(folder).state == "finished"


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        ("gone", "lacks optimizer-00002-of-00002.safetensors.*take another checkpoint"),
        ("cut off", "optimizer-00002-of-00002.safetensors was cut off"),
        ("no index", "holds no model.safetensors; delete the folder to go on"),
    ],
)
def test_a_run_whose_checkpoint_lacks_a_shard_says_the_remedy(
    how: str, remedy: str, tmp_path: Path, sharded: tuple[TrainingConfig, RunReader]
) -> None:
    config, origin = sharded
    shutil.copytree(origin.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-000006")
    folder = tmp_path / "run" / "checkpoints" / "step-000003"
    shard = folder / "optimizer-00002-of-00002.safetensors"
    if how == "cut off":
        shard.write_bytes(shard.read_bytes()[:-1])
    else:
        (shard if how == "gone" else folder / "index.json").unlink()
    task = Doubled(config, tmp_path / "cache")
    with pytest.raises(ValueError, match=remedy):
        list(train_steps(config, tmp_path / "run", True, task=task))


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
