"""trainer_state.json, CSV and JSON lines as they are found, and damaged ones."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.training.foreign import ForeignRun, open_run
from core.training.foreign import tables as module
from core.training.foreign.names import known_names


def opened(path: Path, content: str | None = None) -> ForeignRun:
    if content is not None:
        path.write_text(content)
    run = open_run(path)
    assert isinstance(run, ForeignRun)
    return run


def found(run: ForeignRun) -> dict[str, list[tuple[int, float]]]:
    return {
        name: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
        for name, series in run.series.items()
    }


def trainer_state(**changes: Any) -> str:
    """As transformers 5 writes it."""
    state = {
        "best_metric": None,
        "epoch": 1.0,
        "global_step": 30,
        "is_local_process_zero": True,
        "log_history": [
            {"epoch": 0.3, "grad_norm": 1.5, "learning_rate": 5e-05, "loss": 3.0, "step": 10},
            {"epoch": 0.6, "grad_norm": 1.2, "learning_rate": 4e-05, "loss": 2.0, "step": 20},
            {"epoch": 0.6, "eval_loss": 2.2, "eval_runtime": 1.0, "step": 20},
            {"epoch": 1.0, "grad_norm": math.nan, "learning_rate": 3e-05, "loss": 1.5, "step": 30},
            {"epoch": 1.0, "total_flos": 1e12, "train_loss": 2.17, "step": 30},
        ],
        "max_steps": 90,
        "num_train_epochs": 3,
    }
    return json.dumps({**state, **changes})


def test_a_trainer_has_loss_rate_norm_and_evaluations(tmp_path: Path) -> None:
    run = opened(tmp_path / "trainer_state.json", trainer_state())
    assert run.steps["step"].tolist() == [10, 20, 30]
    assert run.steps["loss"].tolist() == [3.0, 2.0, 1.5]
    assert run.steps["learning_rate"].tolist() == [5e-05, 4e-05, 3e-05]
    np.testing.assert_equal(run.steps["grad_norm"], [1.5, 1.2, math.nan])
    assert run.evaluations["step"].tolist() == [20]
    assert run.evaluations["validation"].tolist() == [2.2]
    assert run.evaluations["train"].tolist() == [2.5]  # the mean of both losses so far
    assert (run.step, run.loss, run.config.steps, run.state) == (30, 1.5, 90, "finished")


@pytest.mark.parametrize("place", ["", "checkpoint-20", "checkpoint-9"])
def test_the_newest_checkpoint_of_an_output_folder_is_read(tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    (folder / "trainer_state.json").write_text(trainer_state())
    assert opened(tmp_path).step == 30
    later = tmp_path / "checkpoint-100"
    later.mkdir()
    history = [{"loss": 1.0, "step": 40}]
    (later / "trainer_state.json").write_text(trainer_state(log_history=history))
    assert opened(tmp_path).step == (30 if not place else 40)


@pytest.mark.peers
def test_the_real_trainer_writes_what_is_read(tmp_path: Path) -> None:
    from transformers.trainer_callback import TrainerState

    history = [{"loss": 3.0, "learning_rate": 1e-3, "step": 1, "epoch": 0.5}]
    state = TrainerState(global_step=1, max_steps=7, log_history=history)
    state.save_to_json(str(tmp_path / "trainer_state.json"))
    run = opened(tmp_path)
    assert found(run)["loss"] == [(1, 3.0)]
    assert run.config.steps == 7


@pytest.mark.parametrize(
    ("changes", "damaged"),
    [
        ({"log_history": [{"loss": 1.0, "step": 1}, 7, {"loss": 2.0}, {"step": -1}]}, 3),
        ({"log_history": [{"loss": 1.0, "step": 1}, {"loss": 1.0, "step": 1.5}]}, 1),
        ({"log_history": [{"loss": 1.0, "step": 1}, {"loss": 10**400, "step": 2}]}, 0),
        ({"log_history": [{"loss": 1.0, "step": 1}], "max_steps": "many"}, 0),
    ],
    ids=str,
)
def test_a_damaged_entry_is_left_out_and_counted(
    tmp_path: Path, changes: dict[str, Any], damaged: int
) -> None:
    run = opened(tmp_path / "trainer_state.json", trainer_state(**changes))
    assert found(run)["loss"] == [(1, 1.0)]
    assert run.damaged == damaged


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("trainer_state.json", "{}", "no log_history"),
        ("trainer_state.json", "[]", "get the file again|object"),
        ("trainer_state.json", '{"log_history": 5}', "no log_history"),
        ("trainer_state.json", '{"log_history": []}', "no numbers over steps"),
        ("trainer_state.json", "not json", "not valid JSON"),
        ("log.csv", "a,b\n1,2\n", "'a', 'b'.*give the one that counts them the name 'step'"),
        ("log.csv", "step,loss\n", "no column of steps"),
        ("log.csv", "epoch,loss\n0.25,2\n0.5,1\n", "whole numbers"),
        ("log.csv", "step,loss\n1,x\n", "no numbers over steps"),
        ("log.csv", 'step,loss\n1,"' + "9" * 200_000, "no CSV file"),
        ("log.csv", "", "is empty"),
        ("log.jsonl", "{}\n", "no column of steps"),
        ("log.jsonl", "hello\n", "no column of steps"),
        ("log.jsonl", '{"step": true, "loss": 1}\n', "no column of steps"),
        ("log.txt", "step,loss\n1,2\n", "a CSV or JSONL file"),
    ],
)
def test_a_file_that_is_none_says_the_remedy(
    tmp_path: Path, name: str, content: str, remedy: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=remedy):
        open_run(tmp_path / name)


def test_lightnings_rows_of_one_step_are_put_together(tmp_path: Path) -> None:
    content = (
        "epoch,lr-AdamW,step,train_loss_step,val_loss\n"
        "0,0.001,49,2.5,\n"
        "0,,49,,2.75\n"
        "1,0.0005,99,1.5,\n"
        "1,,99,,2.25\n"
    )
    (tmp_path / "metrics.csv").write_text(content)
    run = opened(tmp_path)
    assert run.steps["step"].tolist() == [49, 99]
    assert run.steps["loss"].tolist() == [2.5, 1.5]
    assert run.steps["learning_rate"].tolist() == [0.001, 0.0005]
    assert run.evaluations["validation"].tolist() == [2.75, 2.25]
    assert run.damaged == 0


def test_an_export_of_wandb_has_the_runs_name_before_each_series(tmp_path: Path) -> None:
    content = (
        '"Step","fine-sun-3 - train/loss","fine-sun-3 - train/loss__MIN",'
        '"fine-sun-3 - train/loss__MAX"\n"0","3.5","3.5","3.5"\n"10","2.5","2.5","2.5"\n'
    )
    run = opened(tmp_path / "wandb.csv", content)
    assert list(run.series) == ["fine-sun-3 - train/loss"]
    assert run.steps["loss"].tolist() == [3.5, 2.5]


def test_an_export_of_tensorboard_is_named_after_its_file(tmp_path: Path) -> None:
    content = "Wall time,Step,Value\n1700000000.5,1,2.5\n1700000001.5,2,2.25\n"
    run = opened(tmp_path / "loss.csv", content)
    assert found(run) == {"loss": [(1, 2.5), (2, 2.25)]}
    assert run.steps["time"].tolist() == [1700000000.5, 1700000001.5]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_spaces_and_line_ends(tmp_path: Path, delimiter: str) -> None:
    lines = ["\ufeffStep, loss ,note", "1,2.5,good", "2,nan,", "3,1", "x,1,a", ""]
    content = "\r\n".join(line.replace(",", delimiter) for line in lines)
    (tmp_path / "log.csv").write_bytes(content.encode())
    run = opened(tmp_path / "log.csv")
    np.testing.assert_equal(run.series["loss"].values, [2.5, math.nan])
    assert run.damaged == 2  # a row that is too short, and one without a step


def test_json_lines_with_objects_within_and_a_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    rows = [
        {"_step": 1, "_timestamp": 5.5, "train": {"loss": 3.0}, "note": "a", "flag": True},
        {"_step": 2, "_timestamp": 6.5, "train": {"loss": 2.0}, "val/loss": 2.5},
    ]
    whole = "\n".join(map(json.dumps, rows)) + "\n"
    run = opened(path, whole + "[1]\n{?\n" + '{"_step": 3, "tra')
    assert found(run) == {"train/loss": [(1, 3.0), (2, 2.0)], "val/loss": [(2, 2.5)]}
    assert run.damaged == 2
    assert run.steps["time"].tolist() == [5.5, 6.5]
    path.write_text(whole + '{"_step": 3, "train": {"loss": 1.0}}\n')
    assert run.refresh()
    assert (run.step, run.damaged) == (3, 0)


def test_a_log_without_a_known_loss_still_has_its_series(tmp_path: Path) -> None:
    run = opened(tmp_path / "log.csv", "step,accuracy\n1,0.5\n2,0.75\n")
    assert found(run) == {"accuracy": [(1, 0.5), (2, 0.75)]}
    assert run.known == {} and run.loss is None
    assert run.steps["step"].tolist() == [1, 2]
    assert np.isnan(run.steps["loss"]).all()


def test_of_several_losses_the_one_that_was_logged_most_counts() -> None:
    """A Trainer's "train_loss" is one number, the mean of all its losses."""
    assert known_names({"loss": 90, "train_loss": 1})["loss"] == "loss"
    assert known_names({"loss": 90, "train_loss": 90})["loss"] == "train_loss"
    assert known_names({"Loss/train": 5, "Loss/val": 5, "LR": 5}) == {
        "loss": "Loss/train",
        "validation": "Loss/val",
        "learning_rate": "LR",
    }


def test_bounds_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n" + "1,2\n" * 30)
    for name, limit, told in (("MOST_ROWS", 20, "log less often"), ("MOST_BYTES", 50, "bytes")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, limit)
            with pytest.raises(ValueError, match=told):
                open_run(path)
    with monkeypatch.context() as patch:
        patch.setattr("core.training.foreign.series.MOST_POINTS", 20)
        with pytest.raises(ValueError, match="more than 20 numbers"):
            open_run(path)
    path.write_text("step," + ",".join(f"s{n}" for n in range(9)) + "\n" + ",".join("1" * 10))
    monkeypatch.setattr("core.training.foreign.series.MOST_SERIES", 5)
    with pytest.raises(ValueError, match="more than 5 series"):
        open_run(path)
