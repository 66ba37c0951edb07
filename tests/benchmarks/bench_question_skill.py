"""How soon the bundled model learns to answer a question, and what it forgets meanwhile."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path

import torch

import core
from core.data.batches import NO_TOKEN
from core.finetuning.examples import ExampleBatches, StoryExamples, padded
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import FinetuningSettings
from core.finetuning.skill import LEVELS, step_at, value_at
from core.training.config import TrainingConfig
from core.training.runs import RunReader
from tests.benchmarks.harness import Report

A_MINUTE = 60.0
EXACT = LEVELS[0]  # 95 %
SKILL = ("lora", "full")
# Method, learning rate, share of replayed base data.
FORGETTING = (
    ("lora", 3e-4, 0.0),
    ("full", 3e-5, 0.0),
    ("bitfit", 1e-3, 0.0),
    ("bottleneck", 5e-4, 0.0),
    ("lora", 3e-3, 0.0),
    ("lora", 3e-3, 0.25),
    ("lora", 3e-3, 0.5),
    ("lora", 1e-3, 0.0),
    ("lora", 1e-3, 0.25),
    ("full", 3e-4, 0.0),
    ("full", 3e-4, 0.25),
    ("full", 3e-4, 0.5),
    ("full", 1e-4, 0.0),
    ("full", 1e-4, 0.25),
    ("last-layers", 1e-3, 0.0),
    ("head", 3e-3, 0.0),
    ("bitfit", 3e-3, 0.0),
    ("bitfit", 3e-3, 0.25),
    ("bottleneck", 1e-3, 0.0),
    ("bottleneck", 1e-3, 0.25),
    ("prompt", 3e-2, 0.0),
)


def fast(report: Report) -> None:
    """Until an evaluation finds 95 % of 64 held-out answers exact, loading the base included; then
    all 400 held-out questions are asked.
    """
    for method in SKILL:
        begun, processor = time.perf_counter(), time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            before = _until_exact(finetuning_config(FinetuningSettings(method=method)), run)
            seconds = time.perf_counter() - begun
            processor = time.process_time() - processor
            share = _share_of_all(RunReader(run).checkpoints[-1].folder)
        report.equal(f"{method}, exact before", 100 * before, 0, "%")
        report.at_least(f"{method}, exact of 400 held-out questions", 100 * share, 95, "%")
        report.at_most(f"{method}, until then", seconds, A_MINUTE, "s")
        report.tell(f"{method}, until then, of all cores", processor, "s")


def _until_exact(config: TrainingConfig, folder: Path) -> float:
    """Trains until enough answers are exact, or to the end; the share before the first step."""
    shares: list[float] = []
    with closing(core.finetune_steps(config, folder)) as moments:
        for moment in moments:
            if moment.phase == "evaluate" and "exact" in moment.values:
                shares.append(float(str(moment.values["exact"])))
                if shares[-1] >= EXACT:
                    break
    return shares[0]


def _share_of_all(folder: Path) -> float:
    """Of the held-out questions, how many a checkpoint answers exactly."""
    lm = core.load(folder)
    questions = StoryExamples("questions", lm.tokenizer, lm.usage.end_ids)
    right, count = 0, 0
    for examples in ExampleBatches(questions, "validation", 40, 1, seed=0).in_order(0):
        ids, targets = map(torch.from_numpy, padded(examples))
        with torch.no_grad():
            likeliest = lm.model(ids).argmax(-1)
        right += int(((likeliest == targets) | (targets == NO_TOKEN)).all(-1).sum())
        count += len(ids)
    return right / count


def full(report: Report) -> None:
    _fables(report)
    _forgetting(report)


def _fables(report: Report) -> None:
    """Fables need more than the questions: LoRA on every matrix, and 100 steps."""
    for targets in ("attn.c_attn", "all-linear"):
        lora = core.LoRAConfig(target_modules=(targets,))
        settings = FinetuningSettings(data="fables", lora=lora)
        begun, processor = time.perf_counter(), time.process_time()
        run = _finished(finetuning_config(settings, {"steps": 100, "evaluate_every": 50}))
        seconds, processor = time.perf_counter() - begun, time.process_time() - processor
        exact = float(run.measures["exact"][-1, 1])
        report.tell(f"fables, LoRA on {targets}: exact", 100 * exact, "%")
        report.tell(f"fables, LoRA on {targets}: training", seconds, "s")
        # No less than the time by the clock where nothing else runs.
        report.at_most(f"fables, LoRA on {targets}: of all cores", processor, 2 * A_MINUTE, "s")


def _forgetting(report: Report) -> None:
    """The loss on the base's own held-out stories after each fine-tuning, beside what it learned;
    the first row is the loss before all of them.
    """
    for row, (method, rate, replay) in enumerate(FORGETTING):
        settings = FinetuningSettings(method=method, replay=replay)
        changes = {"sample_every": 0, "checkpoint_every": 0, "learning_rate": rate}
        run = _finished(finetuning_config(settings, changes))
        old, exact = (
            (one[:, 0], one[:, 1]) for one in (run.measures["base"], run.measures["exact"])
        )
        if row == 0:
            report.tell("stories, loss before", old[1][0])
        about = f"{method} at {rate:g}, replay {replay:g}"
        report.tell(f"{about}: stories, loss", old[1][-1])
        report.tell(f"{about}: questions, exact", 100 * exact[1][-1], "%")
        if (step := step_at(exact, EXACT)) >= 0:
            report.tell(f"{about}: stories, when 95 % are exact", value_at(old, step))


def _finished(config: TrainingConfig) -> RunReader:
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        for _ in core.finetune_steps(config, Path(folder) / "run"):
            pass
        return RunReader(Path(folder) / "run")
