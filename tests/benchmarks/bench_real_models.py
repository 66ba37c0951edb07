"""Models of other programs: they compute the same here; what SmolLM2 takes, how fast it writes."""

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from core.tokenization.known import find_known
from tests.benchmarks.harness import Report

KINDS = ("gpt2", "llama", "qwen2", "qwen3")
SEEDS = 12
PARIS = 0.773

# In a process of its own, whose memory holds nothing else; the app has loaded torch and a model.
SMOLLM2 = """
import json, resource, sys, time
import torch
import core

def megabytes():
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1 << 20 if sys.platform == "darwin" else 1 << 10)

torch.set_num_threads(2)
stories = core.load("stories")
core.generate(stories.model, [1, 2, 3], 3)
before, begun = megabytes(), time.perf_counter()
loaded = core.load("smollm2")
seconds = time.perf_counter() - begun
ids = loaded.tokenizer.encode_ids("The capital of France is")
with torch.no_grad():
    likeliest = torch.softmax(loaded.model(torch.tensor([ids]))[0, -1], -1).max(-1)
assert loaded.tokenizer.decode([int(likeliest.indices)]) == " Paris"
begun = time.perf_counter()
core.generate(loaded.model, ids, 60, temperature=0.0)
rate = 60 / (time.perf_counter() - begun)
print(json.dumps([float(likeliest.values), seconds, rate, megabytes() - before]))
"""


def largest_difference(kind: str) -> float:
    """Of the logits of random models: theirs and ours of their files, theirs of our files."""
    import torch
    import transformers

    from core.transformer.foreign.reading import look_at_folder, read_foreign
    from core.transformer.foreign.writing import write_foreign
    from tests.core.transformer.foreign.peers import VOCABULARY, random_folder

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    largest = 0.0
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            theirs = random_folder(kind, seed, Path(folder) / "theirs")
            ours = read_foreign(look_at_folder(Path(folder) / "theirs"))
            ids = torch.arange(ours.config.block_size)[None] % VOCABULARY
            with torch.no_grad():
                expected, found = theirs(ids).logits, [ours(ids)]
                if ours.config.window is None:  # it has no class for others
                    write_foreign(ours, Path(folder) / "ours")
                    again = transformers.AutoModelForCausalLM.from_pretrained(Path(folder) / "ours")
                    found.append(again.eval()(ids).logits)
            largest = max(largest, *(float((one - expected).abs().max()) for one in found))
    return largest


def fast(report: Report) -> None:
    if find_spec("transformers") is not None:
        for kind in KINDS:
            name = f"logits of {SEEDS} random models, transformers, {kind}"
            report.at_most(name, largest_difference(kind), 1e-5)
    found = find_known("smollm2")
    if found is None or not found.exact:
        return
    run = subprocess.run(
        [sys.executable, "-c", SMOLLM2], capture_output=True, text=True, check=True
    )
    probability, seconds, rate, memory = json.loads(run.stdout)
    difference = abs(probability - PARIS)
    report.row("SmolLM2, p of ' Paris'", probability, "", "0.773 ± 0.005", difference <= 0.005)
    report.at_most("SmolLM2, memory above a loaded small model", memory, 700, "MB")
    report.at_least("SmolLM2, fp32, 2 threads, greedy", rate, 10, "tokens/s")
    report.tell("SmolLM2, until it is loaded", seconds, "s")
