"""The numbers on screen in Step, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.training.phases import clip_factor
from explorer.panes.readings import VIEW, Reading, below, path, run_of
from explorer.panes.training.step import text

if TYPE_CHECKING:
    from explorer.panes.training.step.mode import StepMode


def readings(mode: StepMode) -> Iterator[Reading]:
    """Yields the facts of the recorded step, and what the picture shows of its phase."""
    step, place, folder = mode.step, mode.place, mode.folder
    if step is None or place is None or folder is None:
        return
    facts, config = step.recording.facts, step.config
    of = run_of(folder, facts.step)
    told = {"loss.training": facts.loss, "grad_norm": facts.grad_norm}
    yield from below(of, {**told, "learning_rate": facts.learning_rate})
    yield from below(VIEW, {"phase": place.phase, "optimizer_step": facts.step})
    yield from below(VIEW, {"loss_scale": facts.loss_scale, "clip": config.clip})
    yield path(of, "perplexity"), text.perplexity(facts.loss)
    yield path(VIEW, "clip.factor"), clip_factor(facts.grad_norm, config.clip)
    count, length = step.batch("ids").shape if step.batch("ids").size else (0, 0)
    batch = {"sequences": count, "length": length, "batch_size": config.batch_size}
    yield from below(VIEW, {**batch, "exchanges": len(step.exchanges)})
    backward = step.recording.backward
    yield path(VIEW, "backward.seconds"), backward.end - backward.start
    total = int(step.updates[1].sum()) + step.unmoved
    if total:
        yield path(VIEW, "weights"), total
        yield path(VIEW, "weights.unmoved"), step.unmoved / total
    shown = mode.view.picture.displayed()
    for label, size, came in zip(*(shown.get(name, ()) for name in ("part", "size", "came (s)")),
                                 strict=True):  # fmt: skip
        part = path(VIEW, f"part:{label}")
        yield from below(part, {"size": float(size), "came": float(came)})
    for token, share in zip(*map(mode.view.likeliest.displayed().get, ("token", "probability")),
                            strict=True):  # fmt: skip
        yield path(VIEW, f"next_token/probability:{token}"), float(share)
