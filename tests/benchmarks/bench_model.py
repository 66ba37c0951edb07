"""The model against what is known of it: a recorded GPT, fused attention, the cost of capturing."""

import base64
import json
from pathlib import Path

import numpy as np
import torch

from core.inference.activations import capture
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from tests.benchmarks.harness import Report, interleaved, shared_data


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """llm-viz's JSON: each tensor is its shape and base64 of little-endian float32."""
    entries = json.loads(path.read_text())
    return {
        name: np.frombuffer(base64.b64decode(entry["data"]), np.float32).reshape(entry["shape"])
        for name, entry in entries.items()
        if name != "config"
    }


def nano_sort_files() -> tuple[Path, Path]:
    """The trained model and its recorded forward pass, where somebody has put them."""
    folder = shared_data()
    return folder / "gpt-nano-sort-model.json", folder / "gpt-nano-sort-t0-partials.json"


def nano_sort(path: Path) -> GPT:
    """llm-viz's trained gpt-nano (85,728 parameters), which sorts six letters."""
    arrays = read_arrays(path)
    config = ModelConfig(
        vocab_size=3, block_size=11, n_layer=3, n_head=3, n_embd=48, tie_weights=False
    )
    model = GPT(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            key = name if name == "lm_head.weight" else f"transformer.{name}"
            parameter.copy_(torch.from_numpy(arrays[key].copy()))
    return model.eval()


def nano_sort_errors() -> dict[str, float]:
    """Largest absolute differences from the recorded forward pass of three sequences."""
    trained, passed = nano_sort_files()
    model, recorded = nano_sort(trained), read_arrays(passed)
    errors = {"logits": 0.0, "attention": 0.0, "residual": 0.0}
    for index, ids in enumerate(recorded["idx"].astype(np.int64)):
        acts = capture(model, ids)
        differences = {
            "logits": acts.logits - recorded["lm_head"][index],
            "attention": acts.attention[0] - recorded["attSm"][index],
            "residual": acts.residual[1:]
            - np.stack([recorded[f"block{i}"][index] for i in range(3)]),
        }
        for name, difference in differences.items():
            errors[name] = max(errors[name], float(np.abs(difference).max()))
    first = capture(model, recorded["idx"][0].astype(np.int64))
    row = np.array([0.135107, 0.179911, 0.029902, 0.171911, 0.260646, 0.222522])
    errors["attention row"] = float(np.abs(first.attention[0, 0, 5, :6] - row).max())
    last = np.array([8.385380, -3.947658, -2.952843])
    errors["published logits"] = float(np.abs(first.logits[5] - last).max())
    return errors


def fast(report: Report) -> None:
    if all(path.exists() for path in nano_sort_files()):
        for name, error in nano_sort_errors().items():
            report.at_most(f"nano-sort golden, {name}", error, 1e-5)
    else:
        needed = f"needs {nano_sort_files()[0]}"
        report.row("nano-sort golden", float("nan"), target=needed, passed=None)

    torch.set_num_threads(1)
    config = ModelConfig(vocab_size=512, block_size=256, n_layer=12, n_head=12, n_embd=192)
    model = GPT(config, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():  # as large as trained ones: small weights hide errors
        for parameter in model.parameters():
            parameter.mul_(5.0)
    ids = np.random.default_rng(0).integers(0, 512, 256)
    batch = torch.from_numpy(ids)[None]

    with torch.no_grad():
        x = model.ln_f(model.embed(batch))
        explicit = max(
            float((b.attn.join(b.attn.explain(x)[3].output) - b.attn(x)).abs().max())
            for b in model.h
        )
        report.at_most("explicit attention - fused, largest", explicit, 1e-5)
        plain = float((torch.from_numpy(capture(model, ids).logits) - model(batch)[0]).abs().max())
        report.at_most("captured logits - plain forward, largest", plain, 1e-5)

    def forward() -> None:
        with torch.no_grad():
            model(batch)

    pair = interleaved(lambda: capture(model, ids, ("attention",)), forward, repeats=20)
    report.at_most("capture of 12 x 12 heads at T = 256 / forward", pair.ratio, 2.0, "x")
