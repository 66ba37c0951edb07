"""What is a run of another program, what is ours, and what a foreign run can and cannot do."""

from pathlib import Path

import pytest

from core.training.control import RunControl
from core.training.foreign import ForeignRun, is_foreign, open_run
from core.training.launch import ProcessLauncher
from core.training.reader import RunReader
from core.training.runs import create_run
from tests.core.training.small import small_config

CSV = "step,loss,lr\n1,2.5,0.1\n2,2.0,0.2\n"


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_folder_of_ours_is_ours(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    assert type(open_run(folder)) is RunReader
    assert not is_foreign(folder)


@pytest.mark.parametrize(
    ("name", "foreign"),
    [
        ("log.csv", True),
        ("METRICS.JSONL", True),
        ("trainer_state.json", True),
        ("events.out.tfevents.1.a", True),
        ("config.json", False),
        ("story.txt", False),
    ],
)
def test_a_log_is_known_by_its_name(tmp_path: Path, name: str, foreign: bool) -> None:
    (tmp_path / name).write_text("")
    assert is_foreign(tmp_path / name) == foreign
    assert is_foreign(tmp_path) == foreign


def test_a_table_of_any_other_name_makes_no_folder_a_run(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(CSV)
    assert is_foreign(tmp_path / "prices.csv") and not is_foreign(tmp_path)


@pytest.mark.parametrize("name", ["metrics.csv", "log.csv", "metrics.jsonl", "progress.csv"])
def test_a_folder_is_known_by_the_table_that_a_trainer_writes(tmp_path: Path, name: str) -> None:
    rows = '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.0}\n'
    (tmp_path / name).write_text(rows if name.endswith("l") else CSV)
    assert is_foreign(tmp_path)
    run = open_run(tmp_path)
    assert run.name == tmp_path.name and run.step == 2


def test_nothing_is_written_beside_a_log_and_it_cannot_be_steered(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log.csv"
    path.parent.mkdir()
    path.write_text(CSV)
    before = listing(tmp_path)
    run = open_run(path)
    run.refresh()
    assert isinstance(run, ForeignRun)
    assert (run.state, run.is_elsewhere, run.heartbeat_age, run.parent) == (
        "finished", False, None, None
    )  # fmt: skip
    assert run.message == "read from CSV" and run.probe("x") is None
    assert (run.checkpoints, run.samples, run.probes, run.events) == ([], [], [], [])
    with pytest.raises(ValueError, match="no run folder"):
        RunControl(path, ProcessLauncher()).start()
    with pytest.raises(ValueError, match="no run folder"):
        RunControl(path.parent, ProcessLauncher()).start()
    assert listing(tmp_path) == before


def test_what_is_no_run_lists_what_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TensorBoard's event files.*CSV or JSONL"):
        open_run(tmp_path)
    with pytest.raises(ValueError, match="TensorBoard's event files"):
        open_run(tmp_path / "story.txt")
    with pytest.raises(OSError, match="choose another file"):
        open_run(tmp_path / "gone.csv")


def test_a_log_that_is_gone_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(CSV)
    run = open_run(path)
    path.unlink()
    with pytest.raises(OSError, match="choose another file"):
        run.refresh()
    path.write_text(CSV + "3,1.5,0.3\n")
    assert run.refresh() and run.step == 3
