"""The run folder: what a reader sees while another writes, is killed, or tries again."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from core.files import read_json
from core.training import records
from core.training import runs as runs_module
from core.training.runs import (
    RunReader,
    RunWriter,
    branch,
    create_run,
    new_run_folder,
    precision_twin,
)
from core.training.writer import PROBE_LIMIT, probe_interval, thin_probes
from tests.core.training.small import finish, losses, small_config


def _record(step: int, loss: float = 1.0) -> dict[str, float]:
    return {"step": step, "loss": loss, "tokens": 64}


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    reader = RunReader(folder)
    assert reader.state == "new" and not len(reader.steps)
    writer = RunWriter(folder)
    assert reader.refresh() and reader.state == "running"
    assert not reader.refresh()
    for step in (1, 2):
        writer.step(_record(step, 3.0 / step))
    assert reader.refresh()
    assert reader.steps["loss"].tolist() == [3.0, 1.5] and reader.step == 2
    writer.event("evaluate", 2, {"train": 1.0, "validation": 2.0})
    writer.sample(2, "Once", " upon \u00e9\U0001f600", [1, 2])
    writer.probe(2, {"ids": np.arange(3)}, "tab-1")
    assert reader.refresh()
    assert reader.evaluations["validation"].tolist() == [2.0]
    assert reader.samples[0].text == " upon \u00e9\U0001f600"
    probe = reader.probe("tab-1")
    assert probe is not None and probe.step == 2 and probe.load()["ids"].tolist() == [0, 1, 2]
    writer.event("paused", 2, {})
    assert reader.refresh() and reader.state == "paused"
    writer.event("end", 2, {"reason": "stopped", "message": "bye"})
    assert reader.refresh() and (reader.state, reader.message) == ("stopped", "bye")
    writer.close()


def test_a_partial_last_record_and_line_are_not_read_and_then_cut(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    writer.step(_record(1))
    writer.event("evaluate", 1, {"train": 1.0, "validation": 2.0})
    writer.close()
    with open(folder / "rank0.steps", "ab") as file:
        file.write(b"\x01" * 13)
    with open(folder / "rank0.jsonl", "ab") as file:
        file.write(b'{"event": "evaluate", "step": 2, "tr')
    reader = RunReader(folder)
    assert reader.step == 1 and len(reader.evaluations) == 1
    writer = RunWriter(folder, from_step=1)
    writer.step(_record(2))
    writer.event("evaluate", 2, {"train": 0.5, "validation": 1.0})
    writer.close()
    for found in (reader, RunReader(folder)):
        found.refresh()
        assert found.steps["step"].tolist() == [1, 2]
        assert found.evaluations["step"].tolist() == [1, 2]


def test_later_steps_of_older_attempts_are_left_out(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    for start, stop, loss in ((0, 8, 1.0), (4, 6, 2.0), (5, 9, 3.0)):
        writer = RunWriter(folder, start)
        for step in range(start + 1, stop + 1):
            writer.step(_record(step, loss))
            writer.event("evaluate", step, {"train": loss, "validation": loss})
        writer.close()
    reader = RunReader(folder)
    assert reader.steps["step"].tolist() == list(range(1, 10))
    assert reader.steps["loss"].tolist() == [1, 1, 1, 1, 2, 3, 3, 3, 3]
    assert reader.evaluations["train"].tolist() == [1, 1, 1, 1, 2, 3, 3, 3, 3]


def test_a_writer_that_vanished_is_dead(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    RunWriter(folder).close()
    manifest = json.loads((folder / "run.json").read_text())
    manifest["attempts"][0]["process_start"] = 1  # another process has the number now
    records.write_manifest(folder, manifest)
    assert RunReader(folder).state == "dead"
    manifest["attempts"][0]["host"] = "elsewhere"
    records.write_manifest(folder, manifest)
    assert RunReader(folder).state == "running"
    old = time.time() - 3600
    os.utime(folder / "heartbeat", (old, old))
    assert RunReader(folder).state == "dead"


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(ValueError, match="trained already; stop it first"):
        RunWriter(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    assert RunReader(folder).state == "running"
    writer.close()
    RunWriter(folder).close()


def test_a_run_of_another_living_process_is_not_taken_over(tmp_path: Path) -> None:
    """As where the file system has no locks: the manifest and the heartbeat say who trains."""
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    RunWriter(folder).close()
    manifest = json.loads((folder / "run.json").read_text())
    manifest["attempts"][0] |= {"pid": os.getppid(), "process_start": None}
    records.write_manifest(folder, manifest)
    with pytest.raises(ValueError, match="another process; stop it there first"):
        RunWriter(folder)
    manifest["attempts"][0]["host"] = "elsewhere"
    records.write_manifest(folder, manifest)
    with pytest.raises(ValueError, match="wait a minute"):
        RunWriter(folder)
    old = time.time() - 3600
    os.utime(folder / "heartbeat", (old, old))
    RunWriter(folder).close()


def test_a_writer_of_this_process_that_ended_without_a_word_is_dead(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    assert RunReader(folder).state == "running"
    writer.close()
    assert RunReader(folder).state == "dead"


def test_a_hundred_thousand_steps_are_mapped_not_read(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    RunWriter(folder).close()
    steps = np.zeros(100_000, records.STEP_DTYPE)
    steps["attempt"], steps["step"] = 1, np.arange(1, 100_001)
    (folder / "rank0.steps").write_bytes(steps.tobytes())
    reader = RunReader(folder)
    assert reader.step == 100_000 and float(reader.steps["loss"].sum()) == 0.0
    assert isinstance(reader.steps, np.memmap)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [(None, "no run folder"), ("{", "not valid JSON"), ("{}", "lacks 'record'"), ("99", "update")],
)
def test_other_folders_are_refused(tmp_path: Path, text: str | None, remedy: str) -> None:
    if text == "99":
        folder = create_run(tmp_path / "run", small_config(tmp_path))
        manifest = json.loads((folder / "run.json").read_text()) | {"format": 99}
        text = json.dumps(manifest)
    else:
        folder = tmp_path
    if text is not None:
        (folder / "run.json").write_text(text)
    with pytest.raises(ValueError, match=remedy):
        RunReader(folder)


def test_new_folders_never_collide(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    names = [new_run_folder(tmp_path / "runs", "a/b: c?", config).name for _ in range(3)]
    assert names == ["a-b- c-", "a-b- c--2", "a-b- c--3"]


def test_probes_are_thinned_by_halves(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    (folder / "probes").mkdir()
    kept = 0
    for step in range(5 * PROBE_LIMIT + 1):
        if step % probe_interval(1, step) == 0:
            (folder / "probes" / f"step-{step:06d}.safetensors").touch()
            thin_probes(folder, 1, step)
            if step > 2 * PROBE_LIMIT:
                kept = len(list((folder / "probes").iterdir()))
                assert PROBE_LIMIT // 2 <= kept <= PROBE_LIMIT + 1
    steps = sorted(records.step_of(p.name) or 0 for p in (folder / "probes").iterdir())
    assert set(np.diff(steps)) == {8} and kept


def test_a_branch_continues_its_parents_checkpoint(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    parent = finish(config, tmp_path / "run")
    folder = branch(parent.folder, 8, {})
    reader = RunReader(folder)
    assert reader.parent == {"run": str(parent.folder), "step": 8} and reader.state == "new"
    same = finish(config, folder)
    assert losses(same) == losses(parent)[8:]
    changed = config.change({"learning_rate": 1e-2, "min_learning_rate": 0.0, "steps": 14})
    other = finish(
        changed, branch(parent.folder, 8, {k: getattr(changed, k) for k in ("learning_rate",
                        "min_learning_rate", "steps")})
    )  # fmt: skip
    assert other.step == 14 and losses(other)[0] == losses(parent)[8]
    assert losses(other)[1] != losses(parent)[9]
    with pytest.raises(ValueError, match="no checkpoint of step 5; it has: 4, 8, 12"):
        branch(parent.folder, 5, {})
    with pytest.raises(ValueError, match="more than 8"):
        branch(parent.folder, 8, {"steps": 8})
    with pytest.raises(ValueError, match="same model"):
        branch(parent.folder, 8, {"model": config.model.to_json() | {"n_layer": 3}})


def test_a_branch_with_another_optimizer_begins_with_nothing_remembered(tmp_path: Path) -> None:
    config = small_config(tmp_path, schedule="constant", warmup_steps=0)
    parent = finish(config, tmp_path / "run")
    changed = config.change({"optimizer": "lion"})
    folder = branch(parent.folder, 8, {"optimizer": "lion"})
    told = [read_json(found.folder / "training.json") for found in RunReader(folder).checkpoints]
    assert [one["optimizer"] for one in told] == ["new"]
    other = finish(changed, folder)
    last = read_json(other.checkpoints[-1].folder / "training.json")
    assert last["step"] == 12 and "optimizer" not in last
    assert other.step == 12 and losses(other)[0] == losses(parent)[8]
    assert losses(other)[1] != losses(parent)[9]
    again = finish(changed, branch(branch(parent.folder, 8, {"optimizer": "lion"}), 8, {}))
    assert losses(again) == losses(other)


def test_a_changed_seed_is_an_error_and_in_a_branch_a_change(tmp_path: Path) -> None:
    """Its batches and dropout would be others, without a word."""
    config = small_config(tmp_path, steps=5, sample_every=0, probe_every=0, evaluate_every=0)
    run = finish(config, tmp_path / "run")
    other = branch(run.folder, 4, {"seed": 8, "steps": 6})
    branched = finish(RunReader(other).config, other, resume=True)
    assert branched.state == "finished"
    told = read_json(branched.checkpoints[-1].folder / records.TRAINING_FILE)
    assert (told["step"], told["seed"]) == (6, 8)

    manifest = records.read_manifest(run.folder)
    longer = config.change({"steps": 9, "seed": 8})
    records.write_manifest(run.folder, {**manifest, "config": longer.to_json()})
    why = r"up to 5 were trained with seed 7, and run.json now says 8.*put 7 back, or branch"
    with pytest.raises(ValueError, match=why):
        finish(longer, run.folder, resume=True)
    run.refresh()
    assert run.state == "failed" and run.step == 5 and "put 7 back" in run.message


def test_the_seed_of_a_parents_steps_does_not_bind_its_branch(tmp_path: Path) -> None:
    """Older versions left it in the branch's first checkpoint, and one refused to train that."""
    config = small_config(tmp_path, steps=5, sample_every=0, probe_every=0, evaluate_every=0)
    run = finish(config, tmp_path / "run")
    other = branch(run.folder, 4, {"seed": 8, "steps": 6})
    path = RunReader(other).checkpoints[-1].folder / records.TRAINING_FILE
    path.write_text(json.dumps({**read_json(path), "seed": 7}))
    manifest = records.read_manifest(other)
    refused = {"from_step": 4, "pid": 1, "host": "elsewhere", "started": 0.0}
    records.write_manifest(other, {**manifest, "attempts": [refused]})
    branched = finish(RunReader(other).config, other, resume=True)
    assert branched.state == "finished"
    told = read_json(branched.checkpoints[-1].folder / records.TRAINING_FILE)
    assert (told["step"], told["seed"]) == (6, 8)


def test_a_branch_with_a_rate_of_its_own_overtakes_one_that_a_command_had_set(
    tmp_path: Path,
) -> None:
    config = small_config(tmp_path, schedule="constant", warmup_steps=0)
    parent = finish(config, tmp_path / "run")
    training = parent.checkpoints[0].folder / "training.json"
    training.write_text(training.read_text().replace('"rate_scale": 1.0', '"rate_scale": 0.5'))
    kept = finish(config, branch(parent.folder, 4, {}))
    assert set(kept.steps["learning_rate"]) == {config.learning_rate / 2}
    changed = config.change({"learning_rate": 3e-4})
    given = finish(changed, branch(parent.folder, 4, {"learning_rate": 3e-4}))
    assert set(given.steps["learning_rate"]) == {3e-4}


@pytest.mark.parametrize("gone", ["model.safetensors", None])
def test_a_branch_off_a_checkpoint_that_is_thinned_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str | None
) -> None:
    parent = finish(small_config(tmp_path), tmp_path / "run")
    copy = runs_module.copy_file

    def copy_too_late(source: Path, target: Path) -> None:
        checkpoint = source.parent
        if gone is None and checkpoint.exists():
            checkpoint.rename(checkpoint.with_name(".step-000008.old"))
        elif gone is not None:
            (checkpoint / gone).unlink(missing_ok=True)
        copy(source, target)

    monkeypatch.setattr(runs_module, "copy_file", copy_too_late)
    with pytest.raises(ValueError, match="step 8 was removed meanwhile; branch off another"):
        branch(parent.folder, 8, {})
    assert not (tmp_path / "run-at-8").exists()


def test_pictures_of_steps_that_were_given_up_are_gone(tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path, "run", small_config(tmp_path))
    writer = RunWriter(folder)
    for step in range(1, 7):
        writer.step({"step": step})
        writer.probe(step, {"ids": np.arange(3)})
    writer.close()
    again = RunWriter(folder, from_step=3)
    assert len(list((folder / "probes").iterdir())) == 3
    assert [probe.step for probe in RunReader(folder).probes] == [1, 2, 3]
    late = again.probe(6, {"ids": np.arange(3)})  # by a trainer that did not know that it was over
    assert [probe.step for probe in RunReader(folder).probes] == [1, 2, 3]
    again.step({"step": 4})
    again.probe(4, {"ids": np.arange(3)})
    assert [probe.step for probe in RunReader(folder).probes] == [1, 2, 3, 4]
    assert late.exists()
    again.close()


def test_a_run_s_twin_differs_in_its_precision_alone(tmp_path: Path) -> None:
    config = small_config(tmp_path, precision="fp16", loss_scale=2.0**24)
    full = {"precision": "fp32", "loss_scale": 1.0}
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{}")
    others = [tmp_path / "broken", tmp_path / "nothing"]
    for name, changes in (
        ("own", {}),
        ("other-seed", {**full, "seed": 1}),
        ("bf16", {"precision": "bf16"}),
        ("fp32", full),
        ("fp32-again", full),
    ):
        others.append(create_run(tmp_path / name, config.change(changes)))
    assert precision_twin(config, others) == tmp_path / "fp32"
    assert precision_twin(config, others[:-2]) == tmp_path / "bf16"
    assert precision_twin(config.change({"seed": 2}), others) is None
