"""Checkpoints: whole or not at all, exact, and never unpickled."""

import errno
import math
import pickle
import shutil
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import core.files
from core.fields import fields_of
from core.files import read_json, write_json
from core.tensor_files import open_safetensors, read_tensors, write_tensors
from core.training import checkpoints as checkpoints_module
from core.training import writer as writer_module
from core.training.checkpoints import Progress, read_progress, thin_checkpoints
from core.training.runs import RunReader, create_run
from core.transformer.weights import load_model
from tests.core.any_json import JSON
from tests.core.training.small import fingerprint, finish, losses, moments, small_config


def _stopped_at(tmp_path: Path, step: int, **changes: object) -> tuple[object, Path]:
    config = small_config(tmp_path, **changes)
    generator = moments(config, tmp_path / "run")
    next(m for m in generator if m.phase == "schedule" and m.step == step)
    generator.close()
    return config, tmp_path / "run"


def test_every_tensor_lies_under_its_parameters_name(tmp_path: Path) -> None:
    _, run = _stopped_at(tmp_path, 5)
    folder = run / "checkpoints" / "step-000005"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "optimizer.safetensors",
        "tokenizer.json",
        "training.json",
    ]
    names = set(open_safetensors(folder / "model.safetensors").tensors)
    saved = set(open_safetensors(folder / "optimizer.safetensors").tensors)
    assert "h.0.attn.c_attn.weight" in names and "lm_head.weight" not in names
    assert saved == {f"{n}/{key}" for n in names for key in ("step", "exp_avg", "exp_avg_sq")}
    assert read_json(folder / "training.json")["step"] == 5


def test_the_model_opens_by_itself(tmp_path: Path) -> None:
    _, run = _stopped_at(tmp_path, 5)
    model = load_model(run / "checkpoints" / "step-000005")
    assert torch.isfinite(model(torch.zeros(1, 4, dtype=torch.long))).all()


@pytest.mark.parametrize("step", [1, 4, 6])
def test_resume_is_exact_to_the_bit(tmp_path: Path, step: int) -> None:
    dropout = small_config(tmp_path).model.to_json() | {"dropout": 0.1}
    config, run = _stopped_at(tmp_path, step, model=dropout, micro_batches=2)
    resumed = finish(config, run, resume=True)  # type: ignore[arg-type]
    plain = finish(config, tmp_path / "plain")  # type: ignore[arg-type]
    assert losses(resumed) == losses(plain)
    assert resumed.evaluations["validation"].tolist() == plain.evaluations["validation"].tolist()
    assert [s.text for s in resumed.samples] == [s.text for s in plain.samples]
    assert fingerprint(resumed.checkpoints[-1].folder) == fingerprint(plain.checkpoints[-1].folder)


def test_a_run_stopped_before_its_first_step_goes_on_from_there(tmp_path: Path) -> None:
    """With an optimizer that has nothing to remember yet."""
    config = small_config(tmp_path)
    generator = moments(config, tmp_path / "run")
    next(m for m in generator if m.phase == "evaluate")
    generator.close()
    folder = tmp_path / "run" / "checkpoints" / "step-000000"
    assert not open_safetensors(folder / "optimizer.safetensors").tensors
    plain = finish(config, tmp_path / "plain")
    assert losses(finish(config, tmp_path / "run", resume=True)) == losses(plain)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was opened",))


def _damage(folder: Path, how: str) -> None:
    name = "model.safetensors" if how.startswith("model") else "optimizer.safetensors"
    path = folder / name
    tensors = read_tensors(path, framework="torch")
    if how.endswith("truncated"):
        path.write_bytes(path.read_bytes()[:-100])
    elif how.endswith("pickle"):
        path.write_bytes(pickle.dumps(Evil()))
    elif how.endswith("missing"):
        path.unlink()
    elif how.endswith("shape"):
        key = next(key for key in tensors if "c_attn.weight" in key and "step" not in key)
        tensors[key] = tensors[key][:, :-1]
        write_tensors(path, tensors)
    elif how.endswith("name"):
        tensors.pop(next(iter(tensors)))
        write_tensors(path, tensors)
    elif how.endswith("empty"):
        write_tensors(path, {})
    elif how == "training format":
        write_json(folder / "training.json", {"format": 99})
    elif how == "training gone":
        (folder / "training.json").unlink()


@given(st.dictionaries(st.sampled_from([*fields_of(Progress), "format", "stepz"]), JSON))
def test_any_json_is_where_a_run_was_or_names_the_file_and_the_remedy(
    values: dict[str, Any],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "training.json"
        try:
            write_json(path, {"step": 3, "seed": 1, **values})
        except ValueError:
            return  # a number or a letter that Python does not write
        try:
            progress = read_progress(Path(folder))
        except ValueError as error:
            assert str(path) in str(error)
        else:
            assert type(progress.step) is int and math.isfinite(progress.rate_scale)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"step": "5"}, "step must be a whole number of at least 0, not '5'.*other checkpoint"),
        ({"rate_scale": math.inf}, "rate_scale must be a finite number above 0, not inf"),
        ({"optimizer": "fresh"}, "optimizer 'fresh' is unknown; use '' or 'new'"),
        ({"stepz": 5}, "unknown field 'stepz'"),
    ],
)
def test_progress_that_cannot_be(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    write_json(tmp_path / "training.json", {"format": 1, "step": 3, "seed": 1, **values})
    with pytest.raises(ValueError, match=said):
        read_progress(tmp_path)


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        ("model truncated", "cut off"),
        ("model pickle", "pickle"),
        ("model missing", "delete the folder to go on from the checkpoint before"),
        ("model shape", "own config"),
        ("model name", "another model"),
        ("optimizer truncated", "cut off"),
        ("optimizer pickle", "pickle"),
        ("optimizer missing", "delete the folder"),
        ("optimizer shape", "own config"),
        ("optimizer name", "another model"),
        ("optimizer empty", "is empty.*delete the folder"),
        ("training format", "update"),
        ("training gone", "cannot be continued"),
    ],
)
def test_damaged_checkpoints_say_the_remedy(tmp_path: Path, how: str, remedy: str) -> None:
    config, run = _stopped_at(tmp_path, 5)
    _damage(run / "checkpoints" / "step-000005", how)
    with pytest.raises(ValueError, match=remedy):
        finish(config, run, resume=True)  # type: ignore[arg-type]
    shutil.rmtree(run / "checkpoints" / "step-000005")  # the remedy
    plain = finish(config, tmp_path / "plain")  # type: ignore[arg-type]
    assert losses(finish(config, run, resume=True)) == losses(plain)  # type: ignore[arg-type]


@pytest.mark.parametrize("closing", [False, True])
def test_a_full_disk_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closing: bool
) -> None:
    config = small_config(tmp_path)
    run = tmp_path / "run"
    generator = moments(config, run)
    next(m for m in generator if m.phase == "schedule" and m.step == 7)
    before = fingerprint(run / "checkpoints" / "step-000004")

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(core.files, "_flush_to_disk", full)
    with pytest.raises(OSError, match="No space left on device.*make room") as caught:
        generator.close() if closing else list(generator)
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    reader = RunReader(run)
    assert reader.state == "failed" and "checkpoint of step 4" in reader.message
    assert [c.step for c in reader.checkpoints] == [4]
    assert fingerprint(run / "checkpoints" / "step-000004") == before
    assert not [path for path in run.rglob("*") if "part" in path.name]
    plain = finish(config, tmp_path / "plain")
    assert losses(finish(config, run, resume=True)) == losses(plain)


def test_a_disk_too_full_for_the_last_word_leaves_a_run_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(tmp_path)
    generator = moments(config, tmp_path / "run")
    next(m for m in generator if m.phase == "schedule" and m.step == 5)

    def full(file: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer_module, "_append", full)
    with pytest.raises(OSError, match="make room"):
        list(generator)
    monkeypatch.undo()
    assert RunReader(tmp_path / "run").state == "dead"
    plain = finish(config, tmp_path / "plain")
    assert losses(finish(config, tmp_path / "run", resume=True)) == losses(plain)


def test_a_run_that_cannot_begin_on_a_full_disk_says_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(tmp_path)

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = create_run(tmp_path / "run", config)
    monkeypatch.setattr(core.files, "_flush_to_disk", full)
    with pytest.raises(OSError, match="No space left on device.*make room"):
        finish(config, folder)
    monkeypatch.undo()
    assert RunReader(folder).state == "new"
    assert finish(config, folder).state == "finished"


def test_a_record_that_does_not_fit_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(tmp_path)
    generator = moments(config, tmp_path / "run")
    next(m for m in generator if m.phase == "schedule" and m.step == 5)
    real, calls = writer_module.os.write, []

    def half(file: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[: len(data) // 2])

    monkeypatch.setattr(writer_module.os, "write", half)
    with pytest.raises(OSError, match="training stopped after step"):
        list(generator)
    monkeypatch.undo()
    size = (tmp_path / "run" / "rank0.steps").stat().st_size
    assert size == 5 * RunReader(tmp_path / "run").steps.dtype.itemsize


def test_thinning_keeps_the_first_and_the_newest(tmp_path: Path) -> None:
    for step in range(100, 2001, 100):
        (tmp_path / "checkpoints" / f"step-{step:06d}").mkdir(parents=True)
        thin_checkpoints(tmp_path, 6)
    left = sorted(int(path.name[5:]) for path in (tmp_path / "checkpoints").iterdir())
    assert len(left) == 6 and left[0] == 100 and left[-2:] == [1900, 2000]
    assert max(b - a for a, b in pairwise(left)) <= 800
    assert thin_checkpoints(tmp_path, 0) == []


@pytest.mark.parametrize(("keep", "left"), [(1, 3), (2, 3), (3, 3), (4, 4), (0, 5)])
def test_the_first_and_the_two_newest_stay_however_few_are_asked_for(
    tmp_path: Path, keep: int, left: int
) -> None:
    for step in range(100, 600, 100):
        (tmp_path / "checkpoints" / f"step-{step:06d}").mkdir(parents=True)
    thin_checkpoints(tmp_path, keep)
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert {"step-000100", "step-000400", "step-000500"} <= names and len(names) == left


def test_a_checkpoint_is_thinned_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader never sees one that lacks files, even where they cannot be deleted."""
    folder = tmp_path / "checkpoints"
    for step in (100, 200, 300, 400):
        (folder / f"step-{step:06d}").mkdir(parents=True)
        (folder / f"step-{step:06d}" / "training.json").touch()
    real = shutil.rmtree

    def stuck(path: Path, ignore_errors: bool = False) -> None:
        for name in path.iterdir() if path.is_dir() else ():
            name.unlink()

    monkeypatch.setattr(checkpoints_module.shutil, "rmtree", stuck)
    assert thin_checkpoints(tmp_path, 3) == [200]
    monkeypatch.setattr(checkpoints_module.shutil, "rmtree", real)
    assert [p.name for p in folder.iterdir() if not any(p.iterdir())] == [".step-000200.old"]
    (folder / "step-000500").mkdir()
    assert thin_checkpoints(tmp_path, 3) == [300]
    assert sorted(p.name for p in folder.iterdir()) == ["step-000100", "step-000400", "step-000500"]
