"""What a machine has to train with, and what it refuses."""

import pytest

from core.training.strategies import device_for
from core.training.this_machine import Machine, processor, this_machine

LAPTOP = Machine(cores=2)
SERVER = Machine(cores=64, gpus=4)


@pytest.mark.parametrize(
    ("machine", "device", "ranks", "remedy"),
    [
        (LAPTOP, "cuda", 1, "no GPU that torch can use; use device cpu, or auto"),
        (LAPTOP, "mps", 1, "use device cpu, or auto"),
        (SERVER, "cuda", 8, "this machine has 4; use fewer ranks, or device cpu"),
        (Machine(cores=8, has_mps=True), "mps", 2, "serves one process"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_the_remedy(machine, device, ranks, remedy):
    assert remedy in machine.refusal(device, ranks)


def test_what_is_there_is_not_refused():
    assert LAPTOP.refusal("cpu", 8) == LAPTOP.refusal("auto", 8) == ""
    assert SERVER.refusal("cuda", 4) == "" and Machine(8, has_mps=True).refusal("mps") == ""


def test_threads_share_the_cores_and_no_more():
    machine = Machine(cores=4, speed=1e11, threads=1)
    assert [machine.peak(threads) for threads in (1, 2, 8)] == [1e11, 2e11, 4e11]
    assert Machine(cores=4, speed=3e11, threads=3).peak(1) == 1e11
    assert LAPTOP.peak(2) == 0.0


def test_this_machine_is_measured_and_refuses_as_a_run_does():
    machine = this_machine()
    assert machine.cores >= 1 and machine.speed == 0.0
    assert machine.measured(0.001).speed > 0
    if not machine.gpus:
        with pytest.raises(ValueError, match="no GPU that torch can use"):
            device_for("cuda")


def test_the_speed_of_other_precisions_is_measured_once() -> None:
    asked = []

    def measure() -> dict[str, float]:
        asked.append(1)
        return {"bf16": 0.1, "fp16": 0.05}

    machine = this_machine().measured(0.001, measure).measured(0.001, measure)
    assert machine.relative == {"bf16": 0.1, "fp16": 0.05} and len(asked) == 1


def test_a_plan_on_this_processor_knows_every_precision() -> None:
    device = processor(1e11, {"bf16": 0.1, "fp16": 9.0})
    assert device.peak == {"fp32": 1e11, "tf32": 1e11, "bf16": 1e10, "fp16": 1.5e11}
    assert processor().peak == {}
