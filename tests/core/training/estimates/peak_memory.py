"""How many bytes of tensors there are at once, at most, as torch's profiler and CUDA tell."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from core.transformer.gpt import GPT


def peak_of(work: Callable[[], object]) -> int:
    """Bytes on a CPU that `work` holds at once, beside what was there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        found = json.loads(path.read_text())["traceEvents"]
    events = [event for event in found if event["name"] == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        now += event["args"]["Bytes"]
        most = max(most, now)
    return most


def step_of(model: GPT, sequences: int, precision: str, device: str = "cpu") -> Callable[[], None]:
    """One optimizer step of a model, with AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    shape = (sequences, model.config.block_size)
    ids = torch.randint(model.config.vocab_size, shape, device=device)

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            loss, count = model.loss(ids, ids)
        (loss / count).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def step_peak(model: GPT, sequences: int, precision: str) -> int:
    """Bytes of all tensors of a step on a CPU: weights and AdamW's states, which are there before,
    and what the step adds.
    """
    step = step_of(model, sequences, precision)
    step()  # the first makes the states
    return peak_of(step) + 12 * sum(parameter.numel() for parameter in model.parameters())
