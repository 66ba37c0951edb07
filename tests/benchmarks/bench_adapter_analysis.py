"""The directions of what an adapter changed: exact, and without the dense matrix."""

import numpy as np
import torch

import core
from core.finetuning.spectrum import dense_spectrum, low_rank_spectrum
from tests.benchmarks.harness import Report, seconds, timed

RANK = 8


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    _compare(report, 512)
    _bundled(report)


def full(report: Report) -> None:
    torch.set_num_threads(1)
    _compare(report, 4096, 1000)


def _compare(report: Report, width: int, faster: float | None = None) -> None:
    generator = torch.Generator().manual_seed(0)
    A = torch.randn(RANK, width, generator=generator)
    B = torch.randn(width, RANK, generator=generator)
    dense = B @ A
    known: list[np.ndarray] = []
    took = seconds(lambda: known.append(dense_spectrum(dense).values))
    mine = low_rank_spectrum(A, B)
    error = abs(mine.values - known[0][:RANK]).max() / mine.values[0]
    name = f"{width} wide, rank {RANK}: singular values"
    report.at_most(f"{name}, from B and A - dense SVD in fp32, relative", error, 1e-6)
    ratio = took / min(timed(lambda: low_rank_spectrum(A, B), 20))
    if faster is None:
        report.tell(f"{name}, dense SVD / from B and A", ratio, "x")
    else:
        report.at_least(f"{name}, dense SVD / from B and A", ratio, faster, "x")


def _bundled(report: Report) -> None:
    stories = core.load("stories")
    adapter = core.add_lora(stories.model, core.LoRAConfig(target_modules=("all-linear",)))
    took = min(timed(lambda: [core.spectrum_of(adapter, name) for name in adapter.updates], 3))
    report.tell("Bundled model, the directions in all its matrices", 1e3 * took, "ms")
    took = min(timed(lambda: core.strengths(adapter), 3))
    report.tell("Bundled model, |dW| / |W| of all its matrices", 1e3 * took, "ms")
