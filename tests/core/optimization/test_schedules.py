"""The schedules' numbers are those of nanoGPT, of their papers and of torch.optim.lr_scheduler."""

import math
import re

import pytest
import torch
from torch.optim import lr_scheduler

from core.optimization import learning_rate_at
from core.optimization.schedules import SCHEDULES, Part, Plan, noam_peak, part_at, usual_warmup
from core.trace import Step
from tests.core.test_trace import MarkedLines

GPT2 = {
    "schedule": "cosine",
    "learning_rate": 6e-4,
    "min_learning_rate": 6e-5,
    "warmup_steps": 2000,
    "steps": 600_000,
}
SHORT = {"learning_rate": 0.1, "min_learning_rate": 0.01, "warmup_steps": 20, "steps": 100}


def rates(schedule: str, **changes: float) -> list[float]:
    """The rate of each step of a short run."""
    settings = {**SHORT, **changes, "schedule": schedule}
    return [learning_rate_at(step, **settings) for step in range(settings["steps"])]


def torchs(kind: type, *arguments: object, rate: float = 0.1, **options: object) -> list[float]:
    """The rates of 100 steps under one of torch's schedulers."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler = kind(optimizer, *arguments, **options)
    seen = []
    for _ in range(100):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(seen) < 100:
            scheduler.step()
    return seen


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 2.998501e-07),
        (1999, 5.997001e-04),
        (2000, 6e-4),
        (301_000, 3.3e-4),
        (600_000, 6e-5),
        (700_000, 6e-5),
    ],
)
def test_cosine_with_warm_up(step: int, expected: float) -> None:
    assert learning_rate_at(step, **GPT2) == pytest.approx(expected, rel=1e-6)


def test_constant_and_no_warm_up() -> None:
    settings = {**GPT2, "schedule": "constant", "warmup_steps": 0}
    assert {learning_rate_at(step, **settings) for step in (0, 5, 10**6)} == {6e-4}


def test_warm_up_as_long_as_the_run() -> None:
    assert learning_rate_at(9, **{**GPT2, "warmup_steps": 10, "steps": 10}) < 6e-4
    assert learning_rate_at(10, **{**GPT2, "warmup_steps": 10, "steps": 10}) == 6e-5


@pytest.mark.parametrize(
    ("width", "warmup", "step", "expected"),
    [
        (512, 4000, 1, 1.746928e-07),
        (512, 4000, 100, 1.746928e-05),
        (512, 4000, 4000, 6.987712e-04),
        (512, 4000, 10_000, 4.419417e-04),
        (512, 4000, 100_000, 1.397542e-04),
        (1024, 4000, 4000, 4.941059e-04),
        (512, 8000, 8000, 4.941059e-04),
        (256, 4000, 4000, 9.882118e-04),
    ],
)
def test_noam_is_the_papers(width: int, warmup: int, step: int, expected: float) -> None:
    """d_model^-0.5 min(s^-0.5, s w^-1.5), where the paper counts the steps s from 1."""
    peak = noam_peak(width, warmup)
    settings = {**GPT2, "schedule": "noam", "learning_rate": peak, "warmup_steps": warmup}
    rate = learning_rate_at(step - 1, **settings)
    assert rate == pytest.approx(expected, rel=1e-6)
    assert rate == pytest.approx(width**-0.5 * min(step**-0.5, step * warmup**-1.5), rel=1e-12)
    assert learning_rate_at(0, **{**settings, "warmup_steps": 0}) == peak


def test_one_cycle_is_torchs() -> None:
    """With the peak at step 20 of 100, and the momentum left alone."""
    theirs = torchs(
        lr_scheduler.OneCycleLR,
        max_lr=0.1,
        total_steps=100,
        pct_start=21 / 100,
        div_factor=25.0,
        final_div_factor=0.1 / 25 / 1e-5,
        cycle_momentum=False,
    )
    ours = rates("one-cycle", min_learning_rate=1e-5)
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert ours[0] == pytest.approx(0.004) and ours[20] == 0.1 and ours[99] == pytest.approx(1e-5)


def test_linear_and_cosine_are_torchs() -> None:
    ours = rates("linear", warmup_steps=0, min_learning_rate=0.025)
    theirs = torchs(lr_scheduler.LinearLR, start_factor=1.0, end_factor=0.25, total_iters=100)
    assert ours == pytest.approx(theirs, rel=1e-12)
    ours = rates("cosine", warmup_steps=0)
    theirs = torchs(lr_scheduler.CosineAnnealingLR, T_max=100, eta_min=0.01)
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_steps_are_torchs() -> None:
    ours = rates("step", warmup_steps=0, min_learning_rate=0.0)
    theirs = torchs(lr_scheduler.MultiStepLR, milestones=[50, 75], gamma=0.1)
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert rates("step", min_learning_rate=0.05)[-1] == 0.05


def test_warm_up_stable_decay_is_llm_cs() -> None:
    """Stable until the last fifth, then 1 - sqrt(share of that fifth)."""

    def written_out(step: int) -> float:
        if step < 20:
            return (step + 1) / 21
        if step < 80:
            return 1.0
        return 0.1 + (1 - math.sqrt((step - 80) / 20)) * 0.9

    theirs = torchs(lr_scheduler.LambdaLR, written_out)
    assert rates("wsd") == pytest.approx(theirs, rel=1e-12)
    assert learning_rate_at(100, schedule="wsd", **SHORT) == 0.01


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    ("warmup", "steps"), [(0, 1), (0, 100), (1, 1), (1, 2), (20, 100), (99, 100), (100, 50)]
)
def test_every_schedule_stays_between_its_ends(schedule: str, warmup: int, steps: int) -> None:
    settings = {**SHORT, "schedule": schedule, "warmup_steps": warmup, "steps": steps}
    found = [learning_rate_at(step, **settings) for step in range(steps + 3)]
    assert all(math.isfinite(rate) and 0 < rate <= 0.1 for rate in found)
    if warmup < steps - 1:
        assert max(found) == 0.1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_marked_line_gave_the_rate(schedule: str) -> None:
    """For the first step of each part and one inside it."""
    seen = set()
    for step in (0, 10, 19, 20, 21, 60, 79, 80, 90, 99, 100, 120):
        with MarkedLines() as watched:
            rate = learning_rate_at(step, schedule=schedule, **SHORT)
        part = SCHEDULES[schedule].part(step, Plan(*SHORT.values()))
        values = {"step": step, "rate": rate}
        watched.left(Step("training.schedule", "", part.formula, part.code, values))
        assert len(watched.locals) == 1, "one marked line runs"
        name = part_at(step, schedule=schedule, warmup_steps=20, steps=100)
        assert name == part.name
        seen.add(name)
    assert seen == {part.name for part in SCHEDULES[schedule].parts}
    assert SCHEDULES[schedule].main.name not in ("warmup", "rise", "end")


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("warmup", "steps"), [(0, 1), (0, 100), (20, 100), (99, 100), (100, 50)])
def test_the_spans_say_which_part_each_step_is_in(schedule: str, warmup: int, steps: int) -> None:
    plan = Plan(0.1, 0.01, warmup, steps)
    found = SCHEDULES[schedule].spans(plan)
    told = [span.part for span in found for _ in range(span.first, span.last + 1)]
    assert told == [SCHEDULES[schedule].part(step, plan) for step in range(steps)]
    assert [found[0].first, found[-1].last] == [1, steps]


@pytest.mark.parametrize(
    "part", {part.name: part for one in SCHEDULES.values() for part in one.parts}.values()
)
def test_every_part_explains_the_letters_of_its_formula(part: Part) -> None:
    """All but those that every schedule has: eta's and t."""
    written = re.sub(r"\\[a-z]+|max|min", " ", part.formula)
    for letter in set(re.findall(r"[a-su-z]", written)):
        assert re.search(rf"\b{letter}\b", part.where), letter
    assert part.where and len(part.where) <= 36, "it fits the inspector"


def test_unknown_schedule_says_what_there_is() -> None:
    with pytest.raises(ValueError, match="'cosine', .*'noam' or 'one-cycle'"):
        learning_rate_at(0, **{**GPT2, "schedule": "exponential"})
    with pytest.raises(ValueError, match="'noam' or 'one-cycle'"):
        part_at(0, schedule="exponential", warmup_steps=0, steps=1)


def test_the_warm_up_that_belongs_to_a_schedule():
    found = {name: usual_warmup(name, 300) for name in SCHEDULES}
    assert {name: steps for name, steps in found.items() if steps} == {"noam": 30, "one-cycle": 100}
    assert usual_warmup("noam", 2) == 1
    with pytest.raises(ValueError, match="unknown; use"):
        usual_warmup("none", 3)
