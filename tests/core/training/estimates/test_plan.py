"""A plan puts the formulas together; what is unknown stays unknown."""

import math

import pytest

from core.training.estimates.communication import Link
from core.training.estimates.devices import Device, device
from core.training.estimates.flops import flops_per_token
from core.training.estimates.memory import activations, around_activations
from core.training.estimates.plan import Setup, plan
from core.training.estimates.scaling_law import CHINCHILLA
from core.transformer import preset
from core.transformer.parameters import parameter_count

GPT3 = preset("gpt3-175b")
COUNT = parameter_count(GPT3)


def setup(**changes) -> Setup:
    given = {
        "model": GPT3,
        "tokens": 300e9,
        "batch_size": 1024,
        "devices": 1024,
        "device": device("A100 SXM 80GB"),
        "stage": 3,
        "recompute": "full",
        "link": Link(25e9),
        "price": 1.5,
    }
    return Setup(**{**given, **changes})


def test_memory_is_what_a_rank_holds_and_keeps() -> None:
    found = plan(setup())
    assert found.state.total == pytest.approx(16 * COUNT / 1024)
    assert found.activations == activations(GPT3, 1, "full")
    assert found.fits
    assert not plan(setup(stage=0)).fits
    assert plan(setup(micro_batch=2, batch_size=2048)).activations == 2 * found.activations


def test_time_and_cost_follow_from_the_step() -> None:
    found, tokens = plan(setup()), 1024 * 2048
    assert found.steps == math.ceil(300e9 / tokens)
    work = flops_per_token(GPT3) * tokens
    assert found.compute == pytest.approx(work * 4 / 3 / (312e12 * 0.4 * 1024))
    assert found.communication == pytest.approx(3 * 2 * COUNT * 1023 / 1024 / 25e9)
    assert found.step == max(found.compute, found.communication)
    assert found.utilization == pytest.approx(work / found.step / (312e12 * 1024))
    assert found.seconds == found.steps * found.step
    assert found.energy == pytest.approx(found.seconds * 1024 * 400)
    assert found.cost == pytest.approx(found.seconds / 3600 * 1024 * 1.5)


def test_without_communication_the_utilization_is_the_efficiency() -> None:
    found = plan(setup(recompute="selective", link=Link(1e15)))
    assert found.utilization == pytest.approx(0.4)
    alone = plan(setup(devices=1, batch_size=1, recompute="selective", link=None))
    assert alone.communication == 0 and alone.utilization == pytest.approx(0.4)


def test_the_scaling_law_is_asked() -> None:
    found = plan(setup())
    assert found.loss == CHINCHILLA.loss(COUNT, 300e9)
    parameters, tokens = found.best
    assert parameters * tokens == pytest.approx(COUNT * 300e9)


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"device": None}, {"compute", "step", "utilization", "seconds", "energy", "cost", "fits"}),
        ({"device": None, "link": None}, {"compute", "communication", "step", "fits"}),
        ({"device": device("TPU v4")}, {"energy"}),
        ({"device": device("V100 SXM 32GB")}, {"compute", "step", "utilization", "cost"}),
        ({"price": None}, {"cost"}),
    ],
    ids=["device", "link", "watts", "bf16", "price"],
)
def test_what_hangs_on_an_unknown_number_is_none(changes: dict, unknown: set[str]) -> None:
    found = plan(setup(**changes))
    assert all(getattr(found, name) is None for name in unknown)
    assert found.loss > 0 and found.bytes > 0


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"batch_size": 1000}, "use a batch of 1024 or 2048"),
        ({"devices": 0}, "8 is a usual machine"),
        ({"per_machine": 0}, "8 is a usual machine"),
        ({"pipeline": 0}, "1 is no pipeline"),
        ({"pipeline": 3}, "3 stages; use a number of stages that divides the devices"),
        ({"pipeline": 128}, "at most one for each layer"),
        ({"pipeline": 4, "batch_size": 300}, "by 256 pipelines, 1 at once; use a batch of 256 or"),
        ({"precision": "fp64"}, "'fp32', 'tf32', 'bf16' or 'fp16'"),
        ({"efficiency": 1.5}, "0.4 is usual"),
        ({"stage": 4}, "0 .none., 1, 2 or 3"),
        ({"recompute": "all"}, "'none', 'selective' or 'full'"),
        ({"optimizer": "adamx"}, "unknown"),
    ],
    ids=str,
)
def test_what_cannot_be_says_the_remedy(changes: dict, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        plan(setup(**changes))


def test_a_run_of_this_program_keeps_weights_and_gradients_in_fp32() -> None:
    """Autocast: 4 + 4 + 8 bytes a parameter with Adam, as many as mixed precision with a master."""
    mixed = plan(setup())
    cast = plan(setup(own_run=True))
    assert cast.state.weights == 2 * mixed.state.weights and cast.state.master == 0
    assert cast.state.total == pytest.approx(mixed.state.total)
    assert cast.sent.bytes == 2 * mixed.sent.bytes


# -- pipelines, and machines of several devices


def test_stages_of_a_pipeline_share_layers_and_wait_for_one_another() -> None:
    whole, found = plan(setup(stage=1)), plan(setup(stage=1, pipeline=8))
    assert found.state.weights == pytest.approx(whole.state.weights / 8)
    assert found.state.optimizer == pytest.approx(whole.state.optimizer)  # ZeRO's share has grown
    given = setup(stage=1, pipeline=8)
    assert given.replicas == 128 and given.micro_batches == 8 and given.bubble == 7 / 8
    assert found.compute == pytest.approx(whole.compute * 15 / 8)
    assert found.activations == whole.activations  # eight micro-batches, each an eighth of it
    few = plan(setup(stage=1, pipeline=8, batch_size=256))
    layers = few.activations - around_activations(GPT3, 1)
    assert layers == pytest.approx((found.activations - around_activations(GPT3, 1)) / 4)
    passed = 2 * 8 * 2048 * 12_288 * 2
    assert found.passed.bytes == passed and whole.passed.bytes == 0
    assert found.communication == pytest.approx((found.sent.bytes + passed) / 25e9)


def test_a_pipeline_alone_sends_nothing_but_activations() -> None:
    found = plan(setup(devices=8, pipeline=8, batch_size=64, stage=0))
    assert found.sent.bytes == 0 and found.communication == found.passed.bytes / 25e9


def test_devices_of_a_machine_share_its_network() -> None:
    given = {"link": None, "per_machine": 8}
    assert plan(setup(**given)).communication == plan(setup(link=None)).communication
    narrow = plan(setup(**given, network=Link(200e9)))
    assert narrow.communication == pytest.approx(narrow.sent.bytes / 25e9)
    wide = plan(setup(**given, network=Link(8000e9)))
    assert wide.communication == pytest.approx(wide.sent.bytes / 300e9)  # the device's own link
    alone = plan(setup(**given, network=Link(200e9), devices=8, batch_size=8))
    assert alone.communication == pytest.approx(alone.sent.bytes / 300e9)


def test_processes_on_a_processor_share_its_memory_and_no_other_machines() -> None:
    here = Device("here", {"fp32": 1e11}, 64e9, 0.0, 1e10, None, shares_memory=True)
    given = {"device": here, "precision": "fp32", "devices": 8, "batch_size": 8, "link": None}
    assert setup(**given).memory == 8e9
    assert setup(**given, per_machine=4).memory == 16e9
    assert setup(**given, per_machine=64).memory == 8e9
    assert setup(per_machine=8).memory == 80e9
    small = {**given, "model": preset("gpt2"), "stage": 0}
    assert 2e9 < plan(setup(**small)).bytes < 8e9 and plan(setup(**small)).fits
    assert not plan(setup(**{**small, "devices": 32, "batch_size": 32})).fits
    assert plan(setup(**{**small, "devices": 32, "batch_size": 32}, per_machine=8)).fits
