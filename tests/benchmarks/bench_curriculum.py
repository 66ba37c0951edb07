"""The app's default run keeps its promise: an induction head forms in its first minutes, and the
run still learns to tell stories at least as well as one that reads stories alone.
"""

import tempfile
import time
from pathlib import Path

import torch

from core.data import Batches
from core.training.config import TrainingConfig
from core.training.head_birth import head_birth
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.runs import RunReader
from core.training.task import Position
from core.transformer.weights import load_model
from explorer.panes.training.run.draft import TEXT, TrainingDraft, config_of
from tests.benchmarks.harness import Report, interleaved


def fast(report: Report) -> None:
    """A step of the lesson takes no longer than another: equal steps are equal time."""
    config = config_of(TrainingDraft())
    task = LanguageModelling(config)
    for _ in task.prepare_steps(None):
        pass
    model = task.build_model(torch.Generator().manual_seed(config.seed))

    def step(number: int) -> None:
        batch = task.batches("train", Position(number))
        task.loss(model, batch).backward()
        model.zero_grad()

    last = config.copying_steps - 1  # of all, this step reads most stories
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        pair = interleaved(lambda: step(last), lambda: step(last + 1), repeats=10)
    finally:
        torch.set_num_threads(before)
    report.tell("step of stories", pair.b * 1000, "ms")
    report.at_most("step of the first lesson / of stories", pair.ratio, 1.25, "x")


def full(report: Report) -> None:
    draft = TrainingDraft()
    plain = draft.change({"lessons": TEXT, "repeated_fraction": "0.1"})  # the default until now
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as made:
            lesson = trained(config_of(draft), Path(made, "lesson"))
            alone = trained(config_of(plain), Path(made, "alone"))
    finally:
        torch.set_num_threads(before)
    (run, minutes, validation), (other, its_minutes, its_validation) = lesson, alone
    steps, scores = run.head_scores("induction")
    best, birth = (
        scores.reshape(len(steps), -1).max(axis=1),
        head_birth(steps, scores, run.losses_on_repeats()),
    )
    report.at_least("default run: best induction score at the end", float(best[-1]), 0.4)
    report.at_most("default run: step of birth", birth.step if birth else float("inf"), 320)
    if birth is not None and birth.losses is not None:
        report.tell("loss on repeats before the birth", birth.losses[0], "nats")
        report.tell("loss on repeats after the birth", birth.losses[1], "nats")
        report.at_most("their ratio, after / before", birth.losses[1] / birth.losses[0], 0.9, "x")
    share = birth.step / run.config.steps if birth else 1.0
    report.at_most("minutes to the birth", share * minutes, 5, "min")
    report.tell("minutes, with the lesson", minutes, "min")
    report.tell("minutes, stories alone", its_minutes, "min")
    report.at_most("time, with the lesson / stories alone", minutes / its_minutes, 1.1, "x")
    report.tell("whole validation split, with the lesson", validation, "nats")
    report.tell("whole validation split, stories alone", its_validation, "nats")
    ratio = validation / its_validation
    report.at_most("validation loss, with the lesson / stories alone", ratio, 1.05, "x")
    _, alone_scores = other.head_scores("induction")
    report.tell("best induction score, stories alone", float(alone_scores[-1].max()))


def trained(config: TrainingConfig, folder: Path) -> tuple[RunReader, float, float]:
    """Trains a run; returns it, its minutes of this process's time, and its validation loss."""
    task = LanguageModelling(config)
    begun = time.process_time()
    for _ in train_steps(config, folder, task=task):
        pass
    minutes = (time.process_time() - begun) / 60
    run = RunReader(folder)
    model, total, count = load_model(run.checkpoints[-1].folder), 0.0, 0
    batches = Batches(task.corpus, "validation", config.model.block_size, 8, seed=0)
    with torch.no_grad():
        for ids, targets in batches.whole_split():
            loss, known = model.loss(torch.from_numpy(ids), torch.from_numpy(targets))
            total, count = total + float(loss), count + int(known)
    return run, minutes, total / count
