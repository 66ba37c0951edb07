"""Drafts, bars and sentences of Plan, without a window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.training.config import TrainingConfig
from core.training.estimates.devices import DEVICES
from core.training.estimates.plan import plan
from core.training.estimates.plan_trace import Planned, planned
from core.training.estimates.report import cost_text, verdict
from core.training.reader import RunReader
from core.training.runs import create_run
from core.training.sizes import estimate
from core.training.this_machine import NAME, processor
from core.training.writer import RunWriter
from core.transformer.config import ModelConfig
from core.transformer.presets import bundled_config
from explorer.panes.step_inspection import inspection_of
from explorer.panes.training.plan import presets, text
from explorer.panes.training.plan.draft import BUNDLED, RUN, PlanDraft, draft_of, setup_of
from explorer.panes.training.plan.scene import PARTS, lengths_of, scene_of
from explorer.runs.run_data import RunData, read
from tests.core.training.small import small_config

MODELS = {BUNDLED: bundled_config()}
HERE = replace(processor(1e11), memory=16e9)


def plan_of(draft: PlanDraft) -> Planned:
    setup, errors = setup_of(draft, MODELS, HERE)
    assert setup is not None and errors == {}
    return planned(setup)


def said_of(found: Planned) -> str:
    return verdict(found.setup, found.stages)


def told(found: Planned, run: RunData | None = None) -> dict[str, str]:
    """Numbers by their titles."""
    return {title: number for number, title, _ in text.facts(found, run)}


def errors_of(**changes: str) -> dict[str, str]:
    setup, errors = setup_of(replace(presets.GPT3, **changes), MODELS, HERE)
    assert (setup is None) == bool(errors)
    return errors


def test_gpt3_on_1024_gpus_is_what_core_says() -> None:
    found = plan_of(presets.GPT3)
    assert found.plan == plan(found.setup)
    assert found.setup.devices == 1024 and found.setup.device is DEVICES["A100 SXM 80GB"]
    assert text.facts(found)[0][:2] == ("13.5 GB", "of 80 GB per device: fits")
    assert said_of(found) == (
        "Training fits on 1,024 \u00d7 A100 SXM 80GB, takes 39.0 days and costs "
        "$1.92 million at $2 per device-hour"
    )
    assert told(found)["MFU"] == "30\u2009%"
    assert text.missing(found) == ""


def test_the_bundled_model_fits_on_this_machine_and_has_no_price() -> None:
    found = plan_of(presets.BUNDLED)
    assert said_of(found).startswith(f"Training fits on {NAME} and takes ")
    small = told(found)
    assert small["cost: enter a price"] == "n/a"
    assert "was measured just now" in text.missing(found)
    assert small["expected loss"] == small["compute-optimal size"] == small["energy"] == "n/a"


def test_what_is_not_known_says_what_to_choose() -> None:
    found = plan_of(replace(presets.BUNDLED, precision="bf16"))
    assert text.facts(found)[1][0] == "n/a"
    assert "in bf16 is not known: choose fp32 under More" in text.missing(found)
    linked = plan_of(replace(presets.GPT3, device="MI300X", link=""))
    assert "enter it under More" in text.missing(linked)
    assert said_of(linked) == "Training fits on 1,024 \u00d7 MI300X"


def test_what_does_not_fit_says_what_would() -> None:
    assert said_of(plan_of(replace(presets.GPT3, stage="0"))).endswith(
        "it needs 2.80 TB, but it fits with ZeRO-3, FSDP"
    )
    alone = replace(presets.GPT3, devices="1", stage="0", recompute="none")
    assert said_of(plan_of(alone)).endswith("recompute activations, or use more devices")
    fully = plan_of(replace(alone, recompute="full"))
    assert said_of(fully).endswith("use more devices with ZeRO-3, or larger ones")


@pytest.mark.parametrize(
    ("changes", "name", "remedy"),
    [
        ({"batch_size": "1,000"}, "batch_size", "use a batch of 2048 or 4096"),
        ({"price": "-2"}, "price", "leave it empty"),
        ({"devices": "0"}, "devices", "8 is a usual machine"),
        ({"devices": "many"}, "devices", "8 is a usual machine"),
        ({"tokens": "1e400"}, "tokens", "such as 300e9"),
        ({"tokens": ""}, "tokens", "such as 300e9"),
        ({"efficiency": "40"}, "efficiency", "0.4 is usual"),
        ({"link": "0"}, "link", "empty for the device's own"),
        ({"micro_batch": "3"}, "batch_size", "3 at once"),
        ({"pipeline": "7"}, "pipeline", "use a number of stages that divides the devices"),
        ({"model": RUN}, "model", "choose another model"),
    ],
    ids=str,
)
def test_bad_input_stands_beside_its_field(changes: dict[str, str], name: str, remedy: str) -> None:
    errors = errors_of(**changes)
    assert list(errors) == [name] and remedy in errors[name]


def test_bars_are_the_memory_of_each_stage() -> None:
    found = plan_of(presets.GPT3)
    scene = scene_of(found)
    assert scene.sizes.shape == (4, len(PARTS)) and scene.chosen == 3
    assert scene.sizes.sum(axis=1) == pytest.approx([one.bytes for one in found.stages])
    assert scene.capacity == 80e9 and scene.axis > 80e9
    assert scene_of(plan_of(replace(presets.GPT3, stage="0"))).axis > 2.8e12
    # Of 2.8 TB, 1.05 TB, 0.7 TB and 13.5 GB on 80 GB three bars are broken, and still longer.
    assert [scene.is_broken(bar) for bar in range(4)] == [True, True, True, False]
    assert (np.diff(scene.lengths) < 0).all() and scene.lengths[0] == scene.axis
    assert scene.lengths[2] > scene.capacity
    alone = scene_of(plan_of(presets.BUNDLED))
    assert len(alone.sizes) == 1 and alone.axis < alone.capacity


@pytest.mark.parametrize("seed", range(20))
def test_drawn_bars_keep_the_order_of_their_sizes(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    totals = 10 ** numbers.uniform(0, 4, 4)
    totals[seed % 4] = totals[0]
    axis, lengths = lengths_of(totals, float(numbers.choice([1.5, 50.0, 1e5])))
    assert (np.argsort(lengths, kind="stable") == np.argsort(totals, kind="stable")).all()
    assert (lengths <= axis * (1 + 1e-12)).all() and (lengths <= totals).all()


def test_a_cost_names_its_currency() -> None:
    costs = (None, 0.0, 0.349, 12.0, 12_345.4, 999_999.0, 1_916_631.0, 3.2e9)
    assert [cost_text(one) for one in costs] == [
        "n/a", "$0", "$0.35", "$12.00", "$12,345", "$1 million", "$1.92 million", "$3.2 billion"
    ]  # fmt: skip


def test_one_step_is_one() -> None:
    draft = replace(presets.BUNDLED, tokens="100")
    assert text.facts(plan_of(draft))[1][1] == "for 1 step"


@pytest.mark.parametrize("draft", [presets.GPT3, presets.BUNDLED], ids=["gpt3", "bundled"])
def test_the_sum_grows_term_by_term_to_the_whole(draft: PlanDraft) -> None:
    found = plan_of(draft)
    scene = scene_of(found)
    names = [step.name for step in found.trace]
    sums = [scene.sum_at(step) for step in range(len(names))]
    assert sums[0] == 0.0 and sums == sorted(sums)
    assert sums[-1] == sums[names.index("plan.memory")] == pytest.approx(found.plan.bytes)
    weights = names.index("plan.weights")
    assert scene.sum_at(weights - 0.5) == pytest.approx((sums[weights - 1] + sums[weights]) / 2)
    assert {"weights", "activations"} <= set(scene.terms)
    for step in found.trace:
        shown = inspection_of(step)
        assert shown.title == step.title and shown.rows and shown.table


def test_a_run_is_planned_as_it_trains(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config: TrainingConfig = small_config(tmp_path, ranks=2, parallel="fsdp2")
    draft = draft_of(config)
    setup, errors = setup_of(draft, {**MODELS, RUN: config.model}, HERE, config.optimizer)
    assert setup is not None and not errors
    assert (setup.devices, setup.stage, setup.model) == (2, 3, config.model)
    assert setup.batch_size == config.batch_size * config.micro_batches
    folder = create_run(tmp_path / "run", config)
    writer = RunWriter(folder, 0, 0)
    writer.step({"step": 1, "loss": 1.0, "tokens": 500, "seconds": 0.5, "memory": 4 * 10**8})
    writer.close()
    run = read(RunReader(folder))
    on_cpu = told(planned(setup), run)
    assert (
        "step time; measured: 500 ms" in on_cpu and "MFU" in on_cpu
    )  # what was measured is no peak
    assert any(title.endswith("the process: 400 MB") for title in on_cpu)
    card = replace(HERE, measured=False)
    titles = told(planned(replace(setup, device=card)), run)
    assert any(title.startswith("MFU; measured: ") for title in titles)


def random_run(seed: int) -> TrainingConfig:
    numbers = np.random.default_rng(seed)
    one = lambda *choices: choices[numbers.integers(len(choices))]  # noqa: E731
    heads, ranks = one(2, 4), one(1, 2, 4)
    model = ModelConfig(
        vocab_size=one(65, 1536),
        block_size=one(16, 64, 256),
        n_layer=one(1, 4),
        n_head=heads,
        n_embd=32 * heads,
        dropout=one(0.0, 0.1),
        norm=one("layer_norm", "rms_norm"),
        mlp=one("gelu", "swiglu"),
    )
    return TrainingConfig(
        model=model,
        batch_size=ranks * one(1, 3, 8),
        steps=one(10, 1500),
        optimizer=one("adamw", "sgd", "muon"),
        precision=one("fp32", "tf32", "bf16", "fp16"),
        ranks=ranks,
        parallel=one("ddp", "fsdp2"),
        activation_checkpointing=bool(one(0, 1)),
        micro_batches=one(1, 2),
        warmup_steps=1,
    )


@pytest.mark.parametrize("seed", range(30))
def test_the_setup_of_a_run_and_its_plan_are_one_estimate(seed: int) -> None:
    """The same bytes, part by part, and the same duration of a step."""
    config, relative = random_run(seed), {"bf16": 0.08, "fp16": 0.07}
    here = processor(1e11, relative)
    found = estimate(config, 1e11, relative)
    setup, errors = setup_of(draft_of(config, here), {RUN: config.model}, here, config.optimizer)
    assert setup is not None, errors
    planned_run = plan(setup)
    assert planned_run.activations == found.bytes_activations
    assert planned_run.bytes == pytest.approx(found.bytes, abs=3)
    assert planned_run.state.optimizer == pytest.approx(found.bytes_optimizer, abs=1)
    assert planned_run.sent.bytes == pytest.approx(found.sent)
    assert planned_run.compute == pytest.approx(found.seconds_per_step, rel=6e-3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_longer_context_never_takes_less_memory_or_time(precision: str) -> None:
    config = replace(random_run(0), precision=precision)
    found = [
        estimate(replace(config, model=replace(config.model, block_size=size)))
        for size in (16, 32, 64, 128, 256, 512)
    ]
    for numbers in ([one.bytes for one in found], [one.seconds_per_step for one in found]):
        assert numbers == sorted(numbers)
