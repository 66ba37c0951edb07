"""Every number that Run says of a run is one that its curves hold, whatever the run is like."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from core.training.reader import EVALUATION_DTYPE
from core.training.records import STEP_DTYPE
from explorer.panes.training.run import card_text, text
from explorer.panes.training.run.charts import all_losses
from explorer.panes.training.run.generalization_gap import gap, gap_note
from explorer.runs.run_data import RECENT, RunData
from explorer.widgets.plots.math import smooth
from tests.explorer.panes.training.run.test_lines import recorded

STATES = ("running", "paused", "finished", "stopped")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("runs") / "run", range(1, 3), 0.0)


def generated(plain: RunData, seed: int) -> RunData:
    """A run of random length, shape of curve, place of branch, evaluations and holes."""
    numbers = np.random.default_rng(seed)
    begun = int(numbers.choice([0, 0, 20, 316]))
    count = int(numbers.choice([1, 2, 19, 20, 21, 60, 200]))
    steps = np.zeros(count, STEP_DTYPE)
    steps["step"] = begun + 1 + np.arange(count)
    start, slope = numbers.uniform(1, 8), numbers.choice([-1.0, 0.0, 0.4])
    steps["loss"] = start * (1 + slope * np.arange(count) / (2 * count))
    steps["loss"] += numbers.normal(0, numbers.choice([0.0, 0.3]), count)
    steps["tokens"], steps["attempt"] = 1024, 1
    steps["seconds"] = numbers.uniform(0.05, 0.4, count)
    if numbers.random() < 0.15:
        steps["loss"][-1] = math.nan
    every = int(numbers.choice([0, 10, 50]))
    at = steps["step"][steps["step"] % every == 0] if every else np.empty(0)
    at = np.r_[[0] if begun == 0 and numbers.random() < 0.8 else [], at]
    evaluations = np.zeros(len(at), EVALUATION_DTYPE)
    evaluations["step"] = at
    evaluations["train"] = numbers.uniform(1, 8, len(at))
    evaluations["validation"] = evaluations["train"] + numbers.choice([0.0, 0.041, 0.4, -0.1])
    return replace(
        plain,
        steps=steps,
        step=int(steps["step"][-1]),
        evaluations=evaluations,
        parent={"run": "/runs/first", "step": begun} if begun else None,
        config=plain.config.change({"repeated_fraction": float(numbers.choice([0.0, 0.1]))}),
    )


def losses_in(sentence: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"[\d,]*\d\.\d{3}", sentence)]


@pytest.mark.parametrize("strength", [0.0, 0.84])
@pytest.mark.parametrize("seed", range(24))
def test_the_headline_says_the_ends_of_the_curve_and_the_steps_of_this_run(plain, seed, strength):
    data = generated(plain, seed)
    losses = data.series("loss")[1]
    curve = smooth(losses, strength)
    smoothed = float(curve[np.isfinite(curve)][-1]) if strength and len(losses) > 1 else None
    begun = data.parent["step"] if data.parent else 0
    for state in STATES:
        said = text.headline(data, state, None, False, smoothed)
        if not math.isfinite(losses[-1]):
            assert "not finite" in said and "smoothed" not in said
            continue
        *first, now = losses_in(said)
        assert now == pytest.approx(losses[-1] if smoothed is None else smoothed, abs=6e-4) or (
            first and "hardly" in said
        )
        if "hardly changed" in said:
            (now,), begins = first, now
            assert abs(now - begins) <= 0.0101 * abs(begins) + 1e-3
        elif first:
            assert ("fallen" in said) == (now < first[0]) and ("risen" in said) == (now > first[0])
            begins = first[0]
        if "from" in said:
            wanted = losses[0] if not begun else np.median(losses[:20])
            assert begins == pytest.approx(wanted, abs=6e-4)
            assert ("median" in said) == bool(begun)
        if state in ("running", "finished"):
            count = len(data.steps)
            assert f"{count} step{'s' * (count != 1)}" in said
            assert ("since the branch" in said) == bool(begun)
        if "learns" in said:
            assert "fallen" in said


@pytest.mark.parametrize("seed", range(24))
def test_every_evaluated_loss_that_is_said_is_drawn_at_its_step(plain, seed):
    data = generated(plain, seed)
    series = {one.name: one for one in all_losses(data, None, None)}
    note = gap_note(data)
    after = data.evaluations[data.evaluations["step"] > 0]
    assert bool(note) == bool(len(after))
    if note:
        step = int(note.split(":")[0].rpartition(" ")[2].replace(",", ""))
        validation, train = losses_in(note)
        lines = {"validation": validation}
        if data.config.repeated_fraction:
            lines["train, evaluated"] = train
        else:
            assert "train, evaluated" not in series, "the curve itself counts the same"
        for name, value in lines.items():
            drawn = dict(series[name].points.tolist())
            assert drawn[step] == pytest.approx(value, abs=6e-4)
        apart = validation - train
        (meaning,) = [line for line in gap(data, data.step) if "loss is" in line]
        if "as low" in meaning:
            assert validation == train
            return
        assert ("higher" in meaning) == (apart > 0)
        (told,) = losses_in(meaning)
        assert told == pytest.approx(abs(apart), abs=2e-3)


@pytest.mark.parametrize("seed", range(24))
def test_the_card_names_the_step_of_a_validation_loss_and_the_steps_of_a_mean(plain, seed):
    data = generated(plain, seed)
    card = dict(card_text.card_text(data, "running", None, False).numbers)
    row = data.steps[-1]
    if math.isfinite(row["loss"]):
        assert card[card_text.BATCH_LOSS] == card_text.loss_words(float(row["loss"]))
    known = data.evaluations
    (title,) = [one for one in card if one.startswith("validation")] or [""]
    assert bool(title) == bool(len(known))
    if title:
        at = int(title.rpartition(" ")[2].replace(",", "")) if "step" in title else data.step
        (value,) = known["validation"][known["step"] == at]
        assert card[title] == card_text.loss_words(float(value))
    (title,) = [one for one in card if one.startswith("tokens/s")]
    count = int(found[0]) if (found := re.findall(r"\d+", title)) else 1
    assert count == min(len(data.steps), RECENT)
    part = data.steps[-count:]
    speed = part["tokens"].sum() / part["seconds"].sum()
    assert float(card[title].replace(",", "")) == pytest.approx(speed, abs=0.51)
