"""Our autograd engine: known values, torch's gradients, depth, and its speed beside micrograd's."""

import gc
import random
import statistics
import time
from contextlib import suppress

import numpy as np
import torch

from core.autograd import ExpressionError, Tensor, apply, parse
from core.autograd import functional as F
from core.autograd.layers import Normalize
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.gpt_numpy import NumpyGPT
from tests.benchmarks.harness import Report, timed
from tests.core.autograd.moons_demo import MoonsDemo

OUR_STEPS = 5  # after each of micrograd's
MICROGRAD_STEPS = 3


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    _readme(report)
    _demo(report)
    _identities(report)
    _gpt(report)
    _depth(report)
    _beside_micrograd(report)
    _refusals(report)


def _readme(report: Report) -> None:
    a, b = Tensor(-4.0), Tensor(2.0)
    c, d = a + b, a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + F.relu(b + a)
    d = d + 3 * d + F.relu(b - a)
    f = (c - d) ** 2
    g = f / 2.0 + 10.0 / f
    g.backward()
    report.equal("micrograd's README, g", g.item(), 24.70408163265306)
    report.equal("micrograd's README, a.grad", a.grad.item(), 138.83381924198252)
    report.equal("micrograd's README, b.grad", b.grad.item(), 645.5772594752186)


def _demo(report: Report) -> None:
    demo = MoonsDemo()
    losses = [demo.step() for _ in range(100)]
    first, last = 0.8958441028683222, 0.010978370135492717
    report.at_most("moons demo, first loss - published", abs(losses[0] - first), 1e-12)
    report.at_most("moons demo, last loss - published", abs(losses[-1] - last), 1e-12)
    report.equal("moons demo, accuracy", 100 * demo.accuracy, 100, "%")


def _identities(report: Report) -> None:
    """What makemore's fourth lecture derives by hand."""
    rng = np.random.default_rng(0)
    x, upstream = Tensor(rng.normal(size=(32, 64))), rng.normal(size=(32, 64))
    apply(Normalize(0, 1e-5, bessel=True), x).backward(upstream)
    n, inv = 32, 1 / np.sqrt(x.data.var(0, ddof=1) + 1e-5)
    hat = (x.data - x.data.mean(0)) * inv
    sums = n * upstream - upstream.sum(0) - n / (n - 1) * hat * (upstream * hat).sum(0)
    report.at_most("batch norm backward - closed form", np.abs(x.grad - inv / n * sums).max(), 1e-8)
    scores, targets = Tensor(rng.normal(size=(32, 27))), rng.integers(0, 27, 32)
    F.cross_entropy(scores, targets).backward()
    closed = torch.softmax(torch.from_numpy(scores.data), -1).numpy()
    closed[np.arange(32), targets] -= 1
    error = np.abs(scores.grad - closed / 32).max()
    report.at_most("cross-entropy backward - closed form", error, 1e-8)


def _gpt(report: Report) -> None:
    config = ModelConfig(vocab_size=65, block_size=32, n_layer=3, n_head=4, n_embd=48)
    model = GPT(config, torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5.0)
    mine = NumpyGPT.of(model)
    ids, targets = np.random.default_rng(1).integers(0, 65, (2, 4, 32))
    loss = mine.loss(ids, targets)
    loss.backward()
    logits = model(torch.from_numpy(ids)).flatten(0, 1)
    reference = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets).flatten())
    reference.backward()
    error = abs(loss.item() / reference.item() - 1)
    report.at_most("GPT in float64, loss against torch, relative", error, 1e-10)
    worst = max(
        np.abs(mine.parameters[name].grad - parameter.grad.numpy()).max()
        / np.abs(parameter.grad.numpy()).max()
        for name, parameter in model.named_parameters()
    )
    report.at_most("GPT in float64, all gradients, relative", worst, 1e-10)


def _depth(report: Report) -> None:
    x = Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    begin = time.perf_counter()
    y.backward()
    report.tell("backward through 100,000 additions", time.perf_counter() - begin, "s")
    report.equal("its gradient", x.grad.item(), 1.0)


def _beside_micrograd(report: Report) -> None:
    """One step of the demo in both: the whole batch as arrays, and as 65,818 single numbers."""
    try:
        from micrograd.engine import Value
        from micrograd.nn import MLP
    except ImportError:
        report.row("moons demo, micrograd / ours", float("nan"), target="needs micrograd")
        return
    random.seed(1337)
    demo, network = MoonsDemo(), MLP(2, [16, 16, 1])

    def theirs() -> None:
        inputs = [list(map(Value, row)) for row in demo.points.tolist()]
        scores = list(map(network, inputs))
        sides = [2 * int(target) - 1 for target in demo.targets]
        losses = [(1 + -y * score).relu() for y, score in zip(sides, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses))
        loss = loss + 1e-4 * sum(p * p for p in network.parameters())
        network.zero_grad()
        loss.backward()
        for p in network.parameters():
            p.data -= 0.1 * p.grad

    slow, quick = [], []
    for _ in range(MICROGRAD_STEPS):
        for step, times, count in ((theirs, slow, 1), (demo.step, quick, OUR_STEPS)):
            gc.collect()  # what micrograd leaves is not to be cleared away in our time
            for _ in range(count):
                begin = time.perf_counter()
                step()
                times.append(time.perf_counter() - begin)
    ratio = statistics.median(slow) / statistics.median(quick)
    report.at_least("one step of the moons demo, micrograd / ours", ratio, 200, "x")


TOO_MUCH = {
    "broadcasting": "x = ones(1, 1000)\nsum(exp(transpose(x) * x))",
    "a product": "x = ones(1, 900)\nsum(transpose(x) @ x)",
    "one result after another": "x = randn(40000)\n" + "x = gelu(x)\n" * 200,
    "a shape": "sum(randn(100000, 100000) * x)",
    "10 MB of text": "x+" * 5_000_000,
    "a name of Python's": "__import__('os').system('ls')",
    "huge powers of huge numbers": "+".join(["9**9**9**9**x.y"] * 100),
}


def _refusals(report: Report) -> None:
    """However much a formula asks for, it is refused while a person still thinks it is at once."""
    for name, text in TOO_MUCH.items():

        def refuse(text: str = text) -> None:
            with suppress(ExpressionError):
                parse(text).evaluate()
                raise AssertionError(f"taken: {text[:50]}")

        took = 1000 * min(timed(refuse, 5, 1))
        report.at_most(f"a formula that asks for too much is refused: {name}", took, 100, "ms")
