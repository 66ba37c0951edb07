"""Optimizers and schedules: torch's numbers, the papers', and what looking at them costs."""

from __future__ import annotations

import numpy as np
import torch
from torch.optim import lr_scheduler

from core.optimization import OPTIMIZERS, decay_groups, learning_rate_at, trace_update
from core.optimization.adam import AdamSettings
from core.optimization.groups import named_groups
from core.optimization.race import race_steps
from core.optimization.schedules import noam_peak
from core.optimization.surfaces import SURFACES
from core.optimization.torch_optimizer import RuleOptimizer
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from tests.benchmarks.harness import Report, interleaved, percentile, timed
from tests.core.optimization.references import (
    BETAS,
    COMPARED,
    lion_of_the_paper,
    problem,
    run,
    run_torchs,
    settings_of,
)

SHAPE = ModelConfig(vocab_size=512, block_size=64, n_layer=4, n_head=4, n_embd=128)


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    _published(report)
    _beside_torch(report)
    _schedules(report)
    _speed(report)


def _published(report: Report) -> None:
    """x after three steps on f = x^2 + 10 y^2 from (1, 1), to the digits that are published."""
    for name, rate, decay, digits in [
        ("sgd", 0.05, 0.0, 0.729),
        ("momentum", 0.05, 0.0, 0.486),
        ("nesterov", 0.05, 0.0, 0.327321),
        ("adagrad", 0.1, 0.0, 0.780456181),
        ("adam", 0.1, 0.0, 0.701586273),
        ("adamw", 0.1, 0.01, 0.698911183),
    ]:
        rule = OPTIMIZERS[name]
        settings = rule.settings(learning_rate=rate, weight_decay=decay)
        *_, last = race_steps(SURFACES["ravine"], [(name, settings)], (1.0, 1.0), 3)
        error = abs(float(last.racers[0].position[0]) - digits)
        report.at_most(f"{name}, 3 steps on x^2 + 10 y^2, published", error, 6e-10)


def _beside_torch(report: Report) -> None:
    for steps in (3, 50):
        start, gradients = problem(steps=steps)
        for name in COMPARED:
            worst = 0.0
            for decay in (0.0, 0.1):
                theirs = run_torchs(name, start, gradients, decay)
                ours = run(name, settings_of(name, decay), start.numpy(), gradients.numpy())
                worst = max(worst, float(np.abs(ours - theirs).max()))
            report.at_most(f"{name}, {steps} steps, against torch float64", worst, 1e-12)
        paper = lion_of_the_paper(start.numpy(), gradients.numpy(), 0.05, *BETAS, 0.1)
        ours = run("lion", settings_of("lion", 0.1), start.numpy(), gradients.numpy())
        worst = float(np.abs(ours - np.stack(list(paper))).max())
        report.at_most(f"lion, {steps} steps, against its paper's pseudo-code", worst, 1e-12)


def _schedules(report: Report) -> None:
    settings = {"schedule": "noam", "min_learning_rate": 0.0, "warmup_steps": 4000, "steps": 1}
    peak = noam_peak(512, 4000)
    worst = 0.0
    for step, published in [(1, 1.746928e-07), (4000, 6.987712e-04), (100_000, 1.397542e-04)]:
        rate = learning_rate_at(step - 1, learning_rate=peak, **settings)
        worst = max(worst, abs(rate / published - 1))
    report.at_most("Noam, d 512, warm-up 4000, relative", worst, 1e-6)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=0.1,
        total_steps=100,
        pct_start=0.21,
        final_div_factor=400,
        cycle_momentum=False,
    )
    worst = 0.0
    cycle = {"schedule": "one-cycle", "learning_rate": 0.1, "min_learning_rate": 1e-5}
    for step in range(100):
        rate = learning_rate_at(step, **cycle, warmup_steps=20, steps=100)
        worst = max(worst, abs(rate / theirs.get_last_lr()[0] - 1))
        optimizer.step()
        if step < 99:
            theirs.step()
    report.at_most("one cycle, 100 steps, against torch, relative", worst, 1e-12)


def _speed(report: Report) -> None:
    model = GPT(SHAPE, torch.Generator().manual_seed(0))
    groups = decay_groups(model.parameters(), 0.1)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    rule = OPTIMIZERS["adamw"].settings(learning_rate=1e-6)
    ours = RuleOptimizer(named_groups(groups, model.named_parameters()), rule)
    theirs = torch.optim.AdamW(groups, lr=1e-6, fused=True)
    pair = interleaved(ours.step, theirs.step, repeats=20)
    report.tell("AdamW, a step of 0.9 M weights, the rule", 1e3 * pair.a, "ms")
    report.tell("AdamW, the rule / torch's fused one, which runs use", pair.ratio, "x")
    entries = [(name, None) for name in OPTIMIZERS]
    race = race_steps(SURFACES["rosenbrock"], entries, steps=500)
    times = timed(lambda: next(race), repeats=300)
    report.at_most("a race's step, nine optimizers", 1e3 * percentile(times, 0.5), 16, "ms")
    param, grad = np.ones((256, 256)), np.ones((256, 256))
    times = timed(lambda: trace_update("adam", param, grad, None, 1, AdamSettings()), repeats=20)
    report.tell("an Adam step of 256 x 256 as a trace", 1e3 * percentile(times, 0.5), "ms")
