"""What is estimated of a training against what it does, and how fast other programs' logs open."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from core.training.estimates.activations import step_memory
from core.training.foreign import open_run
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.parameters import parameter_count
from tests.benchmarks.harness import Report, seconds
from tests.core.training.estimates.peak_memory import step_peak
from tests.core.training.foreign.event_files import FIRST, event, record, scalar

NANO = ModelConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128, bias=False)
# Activations, attention's weights, parameters and the vocabulary are the largest part.
SIZES = {
    "nano": (NANO, 12),
    "long context": (replace(NANO, block_size=512, n_layer=6, n_embd=256, n_head=8), 2),
    "wide": (replace(NANO, n_embd=512, n_layer=8, block_size=32), 2),
    "large vocabulary": (replace(NANO, vocab_size=50_257, n_embd=384, n_layer=3, n_head=6), 4),
}
EVENTS = 20_000


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    for name, (config, sequences) in SIZES.items():
        for precision in ("fp32", "bf16"):
            measured = step_peak(GPT(config), sequences, precision)
            found = step_memory(config, sequences, 2 * parameter_count(config), precision)
            apart = 100 * abs(max(found.values()) / measured - 1)
            what = f"{name}, {precision}: estimated peak of a step ({measured / 1e6:,.0f} MB)"
            report.at_most(f"{what}, off by", apart, 10, "%")
    _logs(report)


def _logs(report: Report) -> None:
    """The checksums of the test's writer are slow: one record, written again and again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.out.tfevents.1.a"
        path.write_bytes(FIRST + record(event(1, scalar("train/loss", 2.5))) * EVENTS)
        per_record = 1e6 * seconds(lambda: open_run(path)) / EVENTS
        report.tell("TensorBoard events, a scalar", per_record, "us")
