"""The model against what is known of it: a recorded GPT, transformers, the cost of looking."""

import base64
import copy
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.inference.activations import capture
from core.transformer import ModelConfig
from core.transformer.attention import Attention, attend, visible_tokens
from core.transformer.gpt import GPT
from core.transformer.layers import MLP, Block
from core.transformer.look import Look
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


class PlainAttention(Attention):
    """The forward passes of these four classes as they would be if nobody could ever look: GPT's
    lines, for the switches of the model that is measured, without the Look."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        q, k, v = self.project(x)
        return self.join(self.fused(q, k, v))


class PlainMLP(MLP):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        hidden = self.c_fc(x)
        if self.activation == "relu":
            hidden = F.relu(hidden)
        else:
            approximate = "tanh" if self.activation == "gelu_tanh" else "none"
            hidden = F.gelu(hidden, approximate=approximate)
        return self.c_proj(hidden)


class PlainBlock(Block):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if self.norm_first:
            x = x + self.drop(self.attn(self.ln_1(x)))
            x = x + self.drop(self.mlp(self.ln_2(x)))
        else:
            x = self.ln_1(x + self.drop(self.attn(x)))
            x = self.ln_2(x + self.drop(self.mlp(x)))
        return x


class PlainGPT(GPT):
    def forward(self, ids: Tensor) -> Tensor:  # type: ignore[override]
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.ln_f(x))


def cost_while_nobody_looks(batch: int, repeats: int) -> float:
    """GPT.forward / the same without a Look: T = 64, width 128, 4 layers, one thread."""
    config = ModelConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128)
    ours = GPT(config, torch.Generator().manual_seed(0)).eval()
    # The very same weights: where they lie in memory makes half a percent.
    plain = copy.deepcopy(ours, {id(parameter): parameter for parameter in ours.parameters()})
    plain.__class__ = PlainGPT
    for block in plain.blocks:
        block.__class__ = PlainBlock
        block.attn.__class__ = PlainAttention
        block.mlp.__class__ = PlainMLP
    ids = torch.randint(65, (batch, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(ours(ids), plain(ids))
        return interleaved(lambda: ours(ids), lambda: plain(ids), repeats, warm_up=20).ratio


def fast(report: Report) -> None:
    if all(path.exists() for path in nano_sort_files()):
        for name, error in nano_sort_errors().items():
            report.at_most(f"nano-sort golden, {name}", error, 1e-5)
    else:
        needed = f"needs {nano_sort_files()[0]}"
        report.row("nano-sort golden", float("nan"), target=needed, passed=None)
    if importlib.util.find_spec("transformers"):
        from tests.core.transformer.test_llama import SHAPES, largest_errors

        # In fp32, what is rounded otherwise differs from processor to processor.
        errors = [largest_errors(*shape, dtype=torch.float64) for shape in SHAPES]
        rounded = [largest_errors(*shape) for shape in SHAPES]
        for name in errors[0]:
            about = f"LLaMA and Qwen 2 against transformers, {name}"
            report.at_most(f"{about}, fp64", max(found[name] for found in errors), 1e-5)
            report.tell(f"{about}, fp32", max(found[name] for found in rounded))

    torch.set_num_threads(1)
    for batch, repeats in ((1, 1000), (12, 150)):
        ratio = cost_while_nobody_looks(batch, repeats)
        report.at_most(f"forward while nobody looks, B = {batch} / plain", ratio, 1.01, "x")

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
            float((b.attn(x, look=Look([b.sites["weights"]])) - b.attn(x)).abs().max())
            for b in model.blocks
        )
        report.at_most("explicit attention - fused, largest", explicit, 1e-5)
        acts = capture(model, ids)
        plain = float((torch.from_numpy(acts.logits) - model(batch)[0]).abs().max())
        report.at_most("captured logits - plain forward, largest", plain, 1e-5)
        heads = (torch.from_numpy(part) for part in (acts.queries, acts.keys, acts.values))
        weights = attend(*heads, visible_tokens(256, None)).weights
        worst = float((torch.from_numpy(acts.attention) - weights).abs().max())
        report.at_most("captured weights - attend's, largest", worst, 1e-5)

    def forward() -> None:
        with torch.no_grad():
            model(batch)

    pair = interleaved(lambda: capture(model, ids, ("attention",)), forward, repeats=20)
    report.at_most("capture of 12 x 12 heads at T = 256 / forward", pair.ratio, 2.0, "x")
