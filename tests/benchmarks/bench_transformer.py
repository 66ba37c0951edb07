"""The transformer at GPT-2's size: how fast it writes and is looked at, and the memory it takes.

The peer is transformers with the same shape, in the same run and with the same two threads; both
have random weights, whose values change no time.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from core.inference.activations import capture
from core.inference.context import Context
from core.inference.generation import generate
from core.transformer.gpt import GPT
from core.transformer.presets import PRESETS
from core.transformer.weights import save_model
from tests.benchmarks.harness import Report, interleaved, timed

PROMPT, NEW = 64, 32  # tokens
LONG = 1024

# The system gets back what is freed at once, so that resident memory is what is in use.
FREED_AT_ONCE = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
MEMORY = """
import json, sys
from pathlib import Path
import numpy as np
import torch
import core
from core.transformer.gpt import GPT
from core.transformer.presets import PRESETS

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])
"""
CAPTURES = """
config = PRESETS["gpt2"]
model, ids = GPT(config).eval(), np.arange(1024)
with torch.no_grad():
    model(torch.from_numpy(ids)[None])
for sites in (None, ["attention"], ["decoder.3.weights"]):
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is the present, from now on
    kept = core.capture(model, ids, sites)
    peak, after = status("VmHWM") - before, status("VmRSS") - before
    arrays = sum(array.nbytes for array in kept.sites().values())
    print(json.dumps([core.capture_bytes(config, 1024, sites) / peak, after / arrays]))
    del kept
"""
TEN_MODELS = """
sizes = []
for _ in range(10):
    loaded = core.load(sys.argv[1])
    core.capture(loaded.model, np.arange(64))
    core.generate(loaded.model, [1, 2, 3], 5)
    del loaded
    sizes.append(status("VmRSS"))
print(json.dumps(sizes))
"""


def gpt2(dtype: torch.dtype = torch.float32) -> GPT:
    return GPT(PRESETS["gpt2"], torch.Generator().manual_seed(0)).eval().to(dtype)


def peer(dtype: torch.dtype = torch.float32, attention: str = "sdpa") -> Any:
    import transformers

    transformers.utils.logging.set_verbosity_error()
    config = transformers.GPT2Config(attn_implementation=attention)
    return transformers.GPT2LMHeadModel(config).eval().to(dtype)


def tokens(n: int) -> torch.Tensor:
    return torch.randint(50_257, (1, n), generator=torch.Generator().manual_seed(n))


def no_grad(function: Callable[[], object]) -> Callable[[], object]:
    return torch.no_grad()(function)


def speed(dtype: torch.dtype, repeats: int) -> tuple[float, float]:
    """Of greedy generation: ours / transformers', and our tokens a second."""
    ours, theirs, ids = gpt2(dtype), peer(dtype), tokens(PROMPT)
    settings = {"max_new_tokens": NEW, "min_new_tokens": NEW, "do_sample": False}
    more = {"attention_mask": torch.ones_like(ids), "pad_token_id": 0}
    pair = interleaved(
        lambda: theirs.generate(ids, **settings, **more),
        lambda: generate(ours, ids[0].tolist(), NEW, temperature=0.0),
        repeats,
        warm_up=1,
    )
    return pair.ratio, NEW / pair.b


def growth() -> float:
    """Time of a token after 960 others / after 64."""
    context, ids = Context(gpt2()), tokens(1000)[0].tolist()
    medians = []
    for read in (64, 960):
        context.read(ids[:read])
        further = iter(range(read + 1, read + 25))
        times = timed(lambda it=further: context.read(ids[: next(it)]), 20)
        medians.append(statistics.median(times))
    return medians[1] / medians[0]


def looking(report: Report) -> None:
    ours, ids = gpt2(), tokens(PROMPT)
    plain = no_grad(lambda: ours(ids))
    for name, sites in (("heads and logits", ("attention", "logits")), ("everything", None)):
        pair = interleaved(lambda s=sites: capture(ours, ids[0].numpy(), s), plain, repeats=21)
        report.at_most(f"GPT-2, capture of {name}, T = 64 / forward", pair.ratio, 1.05, "x")
    if importlib.util.find_spec("transformers"):
        theirs = peer(attention="eager")
        pair = interleaved(
            lambda: capture(ours, ids[0].numpy(), ("attention", "logits")),
            no_grad(lambda: theirs(ids, output_attentions=True)),
            repeats=15,
        )
        report.at_most("GPT-2, all attentions, T = 64 / transformers", pair.ratio, 0.95, "x")
        report.tell("GPT-2, all attentions, T = 64", 1e3 * pair.a, "ms")


def in_a_process(program: str, *arguments: str) -> list[Any]:
    """What it prints, line by line."""
    run = subprocess.run(
        [sys.executable, "-c", MEMORY + program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **FREED_AT_ONCE},
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def memory(report: Report) -> None:
    names = ("everything", "all heads", "one layer's heads")
    for name, (estimate, kept) in zip(names, in_a_process(CAPTURES), strict=True):
        told = f"GPT-2, T = {LONG}, {name}: memory"
        row = f"{told}, estimated / measured"
        report.row(row, estimate, "x", "0.9 to 1.1 x", 0.9 <= estimate <= 1.1)
        report.at_most(f"{told}, left / arrays asked for", kept, 1.1, "x")
    with tempfile.TemporaryDirectory() as folder:
        config = PRESETS["gpt2"]
        save_model(Path(folder), GPT(config), "bfloat16")
        write_number_tokenizer(Path(folder), config.vocab_size)
        (sizes,) = in_a_process(TEN_MODELS, folder)
    grown = (sizes[-1] - sizes[1]) / 1e6
    report.at_most("GPT-2 loaded ten times, memory grown since the second", grown, 10, "MB")


def write_number_tokenizer(folder: Path, vocab_size: int) -> None:
    from core.tokenization.ids import IdTokenizer

    IdTokenizer(vocab_size).save(folder / "tokenizer.json")


def fast(report: Report) -> None:
    torch.set_num_threads(2)
    if importlib.util.find_spec("transformers"):
        for name, dtype, least in (
            ("fp32", torch.float32, 1.05),
            ("bf16", torch.bfloat16, 1.2),
        ):
            ratio, rate = speed(dtype, repeats=7)
            report.at_least(f"GPT-2, {name}, generation / transformers", ratio, least, "x")
            report.tell(f"GPT-2, {name}, greedy, 2 threads", rate, "tokens/s")
    report.at_most("GPT-2, a token after 960 others / after 64", growth(), 1.3, "x")
    looking(report)
    if sys.platform == "linux":
        memory(report)
