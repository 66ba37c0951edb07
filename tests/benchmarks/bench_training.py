"""Training: step time against plain torch, bf16, exactness, and nanoGPT's recipe to the end.

Without tinyshakespeare.txt in `shared_data()` the figures that need it are left out, and a row
says so.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from core.inference.activations import capture
from core.inference.generation import generate
from core.training.config import TrainingConfig
from core.training.events import Moment
from core.training.exponent_probe import APART, ExponentProbe, activation_sites
from core.training.language_modelling import LanguageModelling
from core.training.launch import ProcessLauncher
from core.training.loop import train_steps
from core.training.parallel import Single
from core.training.recipes import nanogpt_cpu
from core.training.runs import RunReader, RunWriter, create_run
from core.transformer.gpt import GPT
from tests.benchmarks.harness import Report, interleaved, shared_data, timed
from tests.benchmarks.reference_training import reference_step
from tests.benchmarks.sorting_task import Sorting, sorting_config

SEEDS = (1337, 1338, 1339)
PARAMETERS = 804_096


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        corpus = _a_text(place)
        _step_times(report, place, corpus)
        _draining(report, place)
        _exponents(report, place, corpus)
        _disturbed(report, place, corpus)


def full(report: Report) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _recipe(report, place)
        _sorting(report, place)
        _killed(report, place, kills=20)


def _a_text(place: Path) -> str:
    """65 characters in random order: as good as any text for measuring time."""
    path = place / "text.txt"
    letters = [chr(code) for code in range(32, 97)]
    path.write_text("".join(random.Random(0).choices(letters, k=200_000)) + "".join(letters))
    return str(path)


class Stepper:
    """Drives the loop: each call is one whole optimizer step."""

    def __init__(self, config: TrainingConfig, run: Path) -> None:
        task = LanguageModelling(config, run.parent / "cache")
        self.moments = iter(train_steps(config, run, task=task))
        while next(self.moments).phase != "schedule":
            pass

    def __call__(self) -> None:
        while next(self.moments).phase != "schedule":
            pass


def _step_times(report: Report, place: Path, corpus: str) -> None:
    fp32 = Stepper(nanogpt_cpu(corpus), place / "fp32")
    bf16 = Stepper(nanogpt_cpu(corpus, precision="bf16"), place / "bf16")
    data = np.random.default_rng(0).integers(0, 65, 200_000).astype(np.uint16)
    pair = interleaved(fp32, reference_step(data), repeats=200, warm_up=5)
    report.tell("nanoGPT recipe, step, fp32, 1 thread", pair.a * 1e3, "ms")
    report.tell("the same step in plain torch", pair.b * 1e3, "ms")
    report.at_most("step, ours / plain torch", pair.ratio, 1.05, "x")
    own = reference_step(data, fused=False)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        pair = interleaved(fp32, own, repeats=200, warm_up=5)
        name = f"step, ours / as nanoGPT sets it on a CPU, threads: {threads}"
        report.at_most(name, pair.ratio, 1.0, "x")
    torch.set_num_threads(1)
    pair = interleaved(bf16, fp32, repeats=200, warm_up=5)
    report.tell("nanoGPT recipe, step, bf16, 1 thread", pair.a * 1e3, "ms")
    report.at_most("step, bf16 / fp32", pair.ratio, 0.7, "x")


def _draining(report: Report, place: Path) -> None:
    """What a step costs beyond its arithmetic: eight moments through two generators, one record."""
    folder = create_run(place / "drained", nanogpt_cpu("stories"))
    writer = RunWriter(folder)
    record = {"step": 1, "loss": 1.0, "learning_rate": 1e-3, "grad_norm": 1.0, "tokens": 768}

    def inner() -> Iterator[Moment]:
        while True:
            for phase in ("data", "forward", "loss", "backward", "clip", "optimizer", "schedule"):
                yield Moment(phase, 1, values={"loss": 1.0})

    def outer() -> Iterator[Moment]:
        yield from inner()

    moments = outer()

    def step() -> None:
        for _ in range(8):
            next(moments)
        writer.step(record)

    seconds = statistics.median(timed(step, 2000))
    writer.close()
    report.tell("yielding and recording, a step", seconds * 1e6, "us")
    report.at_most("its share of a 54 ms step", seconds / 0.054 * 100, 1.0, "%")


def _exponents(report: Report, place: Path, corpus: str) -> None:
    """Counting how large a step's numbers are, as a share of the steps between two histograms."""
    config = nanogpt_cpu(corpus)
    seconds = statistics.median(timed(Stepper(config, place / "counted"), 20))
    model = GPT(config.model, torch.Generator().manual_seed(0))
    ids = torch.randint(config.model.vocab_size, (2, config.model.block_size))
    model.loss(ids, ids)[0].backward()
    sites = activation_sites(config.model)

    def count() -> None:
        probe = ExponentProbe(list(model.parameters()))
        probe.see_gradients()
        with probe.update():
            pass
        probe.see_weights()
        probe.see_activations(capture(model, ids[0].numpy(), sites).sites())
        probe.event(Single())

    counting = statistics.median(timed(count, 20))
    report.tell("histograms of exponents, all four", counting * 1e3, "ms")
    report.at_most("their share of a run", counting / (APART * seconds) * 100, 2.0, "%")


def _disturbed(report: Report, place: Path, corpus: str) -> None:
    """The same run twice; once 50 captures and 50 generations are served in between."""
    config = nanogpt_cpu(corpus).change({"steps": 60, "checkpoint_every": 30, "warmup_steps": 5})
    plain = _run(config, place / "plain")
    model: list[GPT] = []
    task = LanguageModelling(config, place / "cache")
    build = task.build_model

    def built(generator: torch.Generator) -> GPT:
        model.append(build(generator))
        return model[0]

    task.build_model = built  # type: ignore[method-assign]
    served = 0
    for moment in train_steps(config, place / "disturbed", task=task):
        if moment.safe and moment.phase == "schedule" and served < 50:
            served += 1
            capture(model[0], list(range(32)))
            generate(model[0], [1, 2, 3], 4, seed=served)
    disturbed = RunReader(place / "disturbed")
    same = _bits(plain) == _bits(disturbed)
    report.row("disturbed 50 times: bits", float(same), "", "identical", same and served == 50)


def _run(config: TrainingConfig, folder: Path) -> RunReader:
    task = LanguageModelling(config, folder.parent / "cache")
    for _ in train_steps(config, folder, task=task):
        pass
    return RunReader(folder)


def _bits(run: RunReader) -> tuple[object, ...]:
    """The losses, and a hash of every file of every checkpoint."""
    files = [path for found in run.checkpoints for path in sorted(found.folder.iterdir())]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return run.steps["loss"].tobytes(), *hashes


def _recipe(report: Report, place: Path) -> None:
    text = shared_data() / "tinyshakespeare.txt"
    if not text.exists():
        report.row("nanoGPT recipe left out: no tinyshakespeare.txt", 0.0)
        return
    means = {}
    for precision in ("fp32", "bf16"):
        ends = []
        for seed in SEEDS:
            config = nanogpt_cpu(str(text), seed, precision)
            start = time.perf_counter()
            run = _run(config, place / f"{precision}-{seed}")
            ends.append(float(run.evaluations["validation"][-1]))
            report.tell(f"whole validation split, {precision}, seed {seed}", ends[-1], "nats")
            report.tell("  time", time.perf_counter() - start, "s")
            model = next(event for event in run.events if event["event"] == "model")
            if precision == "fp32" and seed == SEEDS[0]:
                report.equal("parameters", model["parameters"], PARAMETERS)
        means[precision] = statistics.mean(ends)
    report.at_most("validation loss, mean of 3 seeds, fp32", means["fp32"], 1.92, "nats")
    report.at_most("bf16 - fp32, mean of 3 seeds", abs(means["bf16"] - means["fp32"]), 0.01)


def _sorting(report: Report, place: Path) -> None:
    config = sorting_config()
    task = Sorting(config)
    for _ in train_steps(config, place / "sorting", task=task):
        pass
    report.equal("minGPT's sort task, of 5,000", task.sorted_right(5000), 5000)


def _killed(report: Report, place: Path, kills: int) -> None:
    """kill -9 at random moments, then on: the losses of the run that nobody killed."""
    config = nanogpt_cpu("stories").change(
        {"steps": 40 * kills, "checkpoint_every": 7, "warmup_steps": 5, "sample_every": 13}
    )
    small = config.model.to_json() | {"n_layer": 1, "n_embd": 32, "block_size": 32}
    config = config.change({"model": small})
    plain = _run(config, place / "whole")
    folder = create_run(place / "killed", config)
    launcher, dice = ProcessLauncher(niceness=0), random.Random(0)
    for attempt in range(kills):
        launcher.start(folder, resume=attempt > 0)
        goal = min(RunReader(folder).step + dice.randint(1, 40), config.steps - 1)
        _wait(lambda goal=goal: RunReader(folder).step >= goal)  # type: ignore[misc]
        time.sleep(dice.random() * 0.02)
        launcher.kill(folder)
    launcher.start(folder, resume=True)
    launcher.wait(folder, 300)
    same = RunReader(folder).steps["loss"].tobytes() == plain.steps["loss"].tobytes()
    report.row(f"kill -9 and resume, {kills} times: losses", float(same), "", "identical", same)


def _wait(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError("the run did not come so far")
        time.sleep(0.002)
