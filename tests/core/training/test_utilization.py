"""Utilization: seldom looked at, and absent where nobody knows it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from core.training import records
from core.training.runs import RunReader, create_run
from core.training.utilization import Utilization
from core.training.writer import RunWriter
from tests.core.training.small import finish, small_config

CPU = torch.device("cpu")


class Clock:
    """Two clocks that stand still until they are set."""

    def __init__(self) -> None:
        self.now, self.used, self.looks = 100.0, 7.0, 0

    def processor(self) -> float:
        self.looks += 1
        return self.used


def test_cores_that_are_busy_are_counted_once_a_second() -> None:
    clock = Clock()
    utilization = Utilization(CPU, lambda: clock.now, clock.processor)
    clock.now, clock.used = 100.5, 8.0
    assert utilization.values()["cpu"] == 2.0  # the first step does not wait for a second
    looks = clock.looks
    for _ in range(9):
        clock.now, clock.used = clock.now + 0.1, clock.used + 0.1
        assert utilization.values()["cpu"] == 2.0
    assert clock.looks == looks
    clock.now, clock.used = 102.5, 9.5
    assert utilization.values()["cpu"] == 0.75
    values = utilization.values()
    assert math.isnan(values["gpu"]) and math.isnan(values["gpu_memory"])


def test_a_driver_that_is_slow_to_answer_is_asked_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    asked = []

    def answer(device: torch.device) -> tuple[int, int]:
        asked.append(device)
        clock.now += 0.01
        return 3, 10

    def no_package(device: torch.device) -> int:
        raise ModuleNotFoundError("nvidia-ml-py does not seem to be installed")

    monkeypatch.setattr(torch.cuda, "mem_get_info", answer)
    monkeypatch.setattr(torch.cuda, "utilization", no_package)
    utilization = Utilization(torch.device("cuda", 1), lambda: clock.now, clock.processor)
    for _ in range(100):
        clock.now += 0.5
        values = utilization.values()
    assert values["gpu_memory"] == 7 and math.isnan(values["gpu"])
    assert len(asked) == 5  # 0.01 of 10 seconds
    monkeypatch.setattr(torch.cuda, "utilization", lambda device: 83)
    clock.now += 20
    assert utilization.values()["gpu"] == 0.83


def test_every_step_of_a_run_tells_it(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=3), tmp_path / "run")
    assert (run.steps["cpu"] > 0).all()
    assert run.newest("cpu") == run.steps["cpu"][-1]
    assert run.newest("gpu") is None and run.newest("gpu_memory") is None
    assert run.newest("loss") == run.steps["loss"][-1]


def test_a_run_of_an_older_version_goes_on_without_it(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    manifest = records.read_manifest(folder)
    manifest["record"] = [
        field for field in manifest["record"] if field[0] not in ("cpu", "gpu", "gpu_memory")
    ]
    records.write_manifest(folder, manifest)
    assert RunReader(folder).newest("loss") is None  # there is no step yet
    writer = RunWriter(folder)
    writer.step({"step": 1, "loss": 2.0, "cpu": 1.5})
    writer.close()
    run = RunReader(folder)
    assert run.newest("cpu") is None and run.newest("loss") == 2.0


@pytest.mark.gpu
def test_a_gpu_says_how_busy_it_is() -> None:
    pytest.importorskip("pynvml")
    device = torch.device("cuda", 0)
    utilization = Utilization(device)
    work = torch.zeros(4096, 4096, device=device)
    for _ in range(50):
        work @ work
    values = utilization.values()
    assert 0 <= values["gpu"] <= 1
    assert work.nbytes < values["gpu_memory"] <= torch.cuda.mem_get_info(device)[1]
