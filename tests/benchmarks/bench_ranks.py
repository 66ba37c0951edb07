"""Ranks: throughput of two on this machine, equal losses, what each holds, kills, a monitor."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from core.training import records
from core.training.config import TrainingConfig
from core.training.lanes import LaneReader
from core.training.launch import ProcessLauncher
from core.training.recipes import nanogpt_cpu
from core.training.records import process_alive
from core.training.runs import RunReader, create_run
from core.training.spans import KINDS, SPAN_DTYPE, Spans
from tests.benchmarks.bench_training import Stepper
from tests.benchmarks.harness import Report, interleaved

WARM = 10  # steps that are left out
BRIEF = {"evaluate_batches": 1}  # not the whole split


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _equal(report, place)
        _throughput(report, place)
        _spans(report, place)
        _monitor(report, place)


def full(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _killed(report, Path(folder), 20)


def _trained(folder: Path, *configs: TrainingConfig) -> list[RunReader]:
    """Runs of these configs, all at the same time, each in processes of its own."""
    launcher = ProcessLauncher(niceness=0)
    places = [create_run(folder / f"run{i}", config) for i, config in enumerate(configs)]
    for place in places:
        launcher.start(place, resume=False)
    for place in places:
        if launcher.wait(place, 600) != 0:
            raise AssertionError((place / "process.log").read_text()[-2000:])
    return [RunReader(place) for place in places]


def _equal(report: Report, place: Path) -> None:
    config = nanogpt_cpu("stories").change({"steps": 20, "warmup_steps": 5, **BRIEF})
    one = _trained(place / "one", config)[0].steps["loss"]
    for kind in ("ddp", "fsdp2"):
        run = _trained(place / kind, config.change({"ranks": 2, "parallel": kind}))[0]
        apart = float(np.abs(run.steps["loss"] - one).max())
        report.at_most(f"20 steps, 2 ranks of {kind} - one process: losses", apart, 1e-5, "nats")
        built = next(event for event in run.events if event["event"] == "model")
        if kind == "fsdp2":
            share = built["held"] / built["parameters"]
            report.row("parameters that rank 0 of 2 holds", share, "", "0.5", 0.45 < share < 0.55)


def _throughput(report: Report, place: Path) -> None:
    """Tokens a second of two ranks, of two processes that share nothing, and of one alone."""
    changes = {"steps": 60, "batch_size": 24, "warmup_steps": 5, **BRIEF}
    config = nanogpt_cpu("stories").change(changes)
    half = config.change({"batch_size": 12})
    rounds: dict[str, list[float]] = {"ddp": [], "fsdp2": [], "apart": [], "one": []}
    for number in range(3):
        folder = place / f"round{number}"
        rounds["apart"].append(sum(map(_speed, _trained(folder / "apart", half, half))))
        for kind in ("ddp", "fsdp2"):
            changed = config.change({"ranks": 2, "parallel": kind})
            rounds[kind].append(_speed(_trained(folder / kind, changed)[0]))
        rounds["one"].append(_speed(_trained(folder / "one", config)[0]))
    ratio = {
        kind: float(np.median(np.array(rounds[kind]) / np.array(rounds["apart"])))
        for kind in rounds
    }
    report.at_least("tokens/s, 2 DDP ranks / 2 independent processes", ratio["ddp"], 0.85, "x")
    report.tell("tokens/s, 2 FSDP2 ranks / 2 independent processes", ratio["fsdp2"], "x")
    report.tell("tokens/s, one process / 2 independent processes", ratio["one"], "x")
    report.tell("2 DDP ranks", float(np.median(rounds["ddp"])), "tokens/s")


def _speed(run: RunReader) -> float:
    steps = run.steps[WARM:]
    return float(np.median(steps["tokens"] / steps["seconds"]))


def _spans(report: Report, place: Path) -> None:
    """A step that tells when it did what, against one that does not."""

    def quiet() -> contextlib.AbstractContextManager[object]:
        return mock.patch.multiple(Spans, add=lambda *_: None, mark=lambda _: 0.0)

    with quiet():
        silent = Stepper(nanogpt_cpu("stories"), place / "silent")
    telling = Stepper(nanogpt_cpu("stories"), place / "telling")

    def without() -> None:
        with quiet():
            silent()

    pair = interleaved(telling, without, repeats=200, warm_up=5)
    report.at_most("step, with spans / without", pair.ratio, 1.02, "x")


def _monitor(report: Report, place: Path, ranks: int = 8, steps: int = 100_000) -> None:
    """A folder of many ranks and steps: opening it, and going through it."""
    folder = create_run(place / "long", nanogpt_cpu("stories").change({"steps": steps}))
    manifest = records.read_manifest(folder)
    identity = records.process_identity()
    manifest["attempts"].append({"from_step": 0, "started": 0.0, "ranks": ranks, **identity})
    records.write_manifest(folder, manifest)
    kinds = ["data", "forward", "loss", "backward", *["all-reduce"] * 4, "clip", "optimizer"]
    for rank in range(ranks):
        spans = np.zeros((steps, len(kinds)), SPAN_DTYPE)
        spans["attempt"], spans["step"] = 1, np.arange(1, steps + 1)[:, None]
        spans["kind"] = [KINDS.index(kind) for kind in kinds]
        spans["start"] = spans["step"] * 0.1 + np.linspace(0, 0.09, len(kinds)) + rank * 1e-4
        spans["end"] = spans["start"] + 0.01
        spans.tofile(records.spans_file(folder, rank))
        count = np.zeros(steps, records.record_dtype(manifest))
        count["attempt"], count["step"], count["loss"] = 1, np.arange(1, steps + 1), 1.0
        count.tofile(records.steps_file(folder, rank))
        records.events_file(folder, rank).touch()
    before = own_bytes()
    begun = time.perf_counter()
    readers = [RunReader(folder, rank) for rank in range(ranks)]
    lanes = LaneReader(folder)
    lanes.step(lanes.last_step)
    taken = time.perf_counter() - begun
    report.at_most(f"{ranks} ranks x {steps:,} steps: opened", taken, 2.0, "s")
    dice = random.Random(0)
    times = []
    for _ in range(300):
        begun = time.perf_counter()
        lanes.step(dice.randint(1, steps))
        times.append(time.perf_counter() - begun)
    report.at_most(
        "a step anywhere in it, 99th percentile", np.quantile(times, 0.99) * 1e3, 16.7, "ms"
    )
    report.at_most(
        "memory for it, beside pages of its files", (own_bytes() - before) / 1e6, 300, "MB"
    )
    assert len(readers) == ranks


def own_bytes() -> int:
    """Bytes of this process that are no pages of files: the system takes those back at will."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def _killed(report: Report, place: Path, kills: int) -> None:
    """kill -9 of the launcher or of a rank at random moments, and on: nobody stays, nothing is
    lost.
    """
    config = nanogpt_cpu("stories").change(
        {"steps": 15 * kills, "checkpoint_every": 4, "warmup_steps": 5, "ranks": 2, **BRIEF}
    )
    small = config.model.to_json() | {"n_layer": 1, "n_embd": 32, "block_size": 32}
    config = config.change({"model": small})
    whole = _trained(place / "whole", config)[0]
    folder = create_run(place / "killed", config)
    launcher, dice = ProcessLauncher(niceness=0), random.Random(0)
    slowest = 0.0
    for attempt in range(kills):
        launcher.start(folder, resume=attempt > 0)
        begun = RunReader(folder).step
        goal = min(begun + dice.randint(1, 25), config.steps - 1)
        _wait(lambda goal=goal: RunReader(folder).step >= goal)  # type: ignore[misc]
        pids = list(_ranks(folder))
        time.sleep(dice.random() * 0.02)
        victim = dice.choice(["launcher", *pids])
        if victim == "launcher":
            launcher.kill(folder)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(victim), signal.SIGKILL)
        ended = time.monotonic()
        _wait(lambda pids=pids: not any(map(process_alive, pids)))  # type: ignore[misc]
        slowest = max(slowest, time.monotonic() - ended)
        launcher.wait(folder, 60)
    launcher.start(folder, resume=True)
    launcher.wait(folder, 600)
    same = RunReader(folder).steps["loss"].tobytes() == whole.steps["loss"].tobytes()
    report.row(f"kill -9 and resume, {kills} times: losses", float(same), "", "identical", same)
    report.at_most("until no rank was left", slowest, 5.0, "s")


def _ranks(folder: Path) -> Iterator[int]:
    yield int(RunReader(folder).manifest["attempts"][-1]["pid"])
    starts = [event for event in RunReader(folder, 1).events if event["event"] == "start"]
    if starts:
        yield int(starts[-1]["pid"])


def _wait(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError("the run did not come so far")
        time.sleep(0.005)
