"""The numbers on screen in Run, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.fields import to_json
from core.training.head_birth import best_head
from explorer.panes.readings import VIEW, Reading, below, config_of, digest, path, run_of
from explorer.panes.training.run import text
from explorer.panes.training.run.charts import SMALL

if TYPE_CHECKING:
    from explorer.panes.training.run.mode import RunMode
    from explorer.runs.run_data import RunData


def readings(mode: RunMode) -> Iterator[Reading]:
    """Yields the estimates of the setup, or card, charts and heads of the run at the cursor."""
    if mode.workspace.run is None:
        yield from _setup(mode)
    elif (data := mode.data) is not None and mode.cursor.moments:
        yield from _run(mode, data)


def _setup(mode: RunMode) -> Iterator[Reading]:
    config, cost = mode.setup.config, mode.setup.cost
    if config is None or cost is None:
        return
    found, of = cost.estimate, f"estimate:{digest(to_json(config))}"
    yield path(config_of(config.model), "parameters"), found.parameters
    total = {"bytes.total": found.bytes, "seconds": found.seconds, "bytes.sent": found.sent}
    yield from below(of, total)
    yield path(of, "tokens_per_step"), config.tokens_per_step
    rates = next(iter(mode.form.plot.displayed().values()), np.empty((0, 2)))
    if len(rates):
        yield path(of, "learning_rate.largest"), float(rates[:, 1].max())


def _run(mode: RunMode, data: RunData) -> Iterator[Reading]:
    folder, charts, cursor = data.folder, mode.view.charts, mode.cursor
    of, card = run_of(folder), mode.view.card.text
    step = round(cursor.step) if cursor.replaying or cursor.inside is not None else data.step
    yield from below(of, {"step": card.step, "steps": card.steps})
    yield from below(VIEW, {"mode": card.state, "run.step": step})
    yield from below(path(VIEW, "card"), dict(card.numbers))
    if data.parameters:
        yield path(config_of(data.numbers.model), "parameters"), data.parameters
    for name, points in charts.loss.displayed().items():
        kind = {"train": "loss.training", "validation": "loss.validation"}.get(name)
        if kind is not None:
            yield from _at(folder, kind, points, step)
            if len(points):
                yield path(run_of(folder, int(points[0, 0])), kind), float(points[0, 1])
    for name, field, *_ in SMALL:
        yield from _at(folder, field, next(iter(charts.small[name].displayed().values())), step)
    row = data.numbers.row(step)
    for field in ("loss", "learning_rate", "grad_norm") if row is not None else ():
        if field in row.dtype.names and math.isfinite(row[field]):
            name = "loss.training" if field == "loss" else field
            yield path(run_of(folder, step), name), float(row[field])
    if (smoothed := charts.smoothed_loss) is not None:
        yield path(of, "loss.smoothed"), smoothed
    losses = data.series("loss")[1]
    if len(losses):
        first = {"loss.first": text.first_loss(data, losses), "steps.first": text.EARLY}
        yield from below(VIEW, first)
    yield from copying(data)
    if mode.snapshots.step is not None:
        scores = mode.view.mosaic.displayed().get("scores", np.empty((0, 0)))
        for place in np.ndindex(scores.shape):
            score = f"score.{charts.score}:{place[0]}.{place[1]}"
            yield path(run_of(folder, mode.snapshots.step), score), float(scores[place])
        if scores.size:
            best = divmod(int(scores.argmax()), scores.shape[1])
            yield from below(VIEW, {"best.layer": best[0], "best.head": best[1]})
    if cursor.inside is not None:
        yield from below(VIEW, {"phase": cursor.phase + 1, "phases": cursor.inside.length})


def copying(data: RunData) -> Iterator[Reading]:
    """Yields what the headline tells of the heads of this run that copy, or come closest to it."""
    of, birth = run_of(data.folder), data.birth
    steps, scores = data.head_scores.get("induction", (np.empty(0), np.empty(0)))
    if len(steps):
        layer, head = best_head(scores[-1])
        name = f"score.induction:{layer}.{head}"
        yield path(run_of(data.folder, int(steps[-1])), name), float(scores[-1, layer, head])
        yield from below(VIEW, {"induction.layer": layer, "induction.head": head})
    if birth is None:
        return
    name = f"score.induction:{birth.layer}.{birth.head}"
    yield from below(of, {"birth.step": birth.step, f"birth.{name}": birth.now})
    yield from below(VIEW, {"birth.layer": birth.layer, "birth.head": birth.head})
    for step, score, loss in zip(
        birth.rise, birth.scores, birth.losses or (None, None), strict=True
    ):
        yield path(VIEW, "birth.rise"), step
        yield path(run_of(data.folder, step), name), score
        if loss is not None:
            yield path(run_of(data.folder, step), "loss.repeats"), loss


def _at(folder: Path, name: str, points: np.ndarray, step: int) -> Iterator[Reading]:
    """Yields the last point of a curve up to a step."""
    known = points[points[:, 0] <= step]
    if len(known) and math.isfinite(known[-1, 1]):
        yield path(run_of(folder, int(known[-1, 0])), name), float(known[-1, 1])
