"""Fine-tuning: a step with LoRA against peft's and against a step of the whole model, what an
optimizer remembers and a file holds, and how far apart peft and this program are.

Without peft and transformers the comparisons with them are left out, and a row says so.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.lora import LoRAConfig
from core.finetuning.peft_modules import WEIGHTS_FILE
from core.finetuning.selection import select
from core.finetuning.trainable_parameters import adapter_parameter_count
from core.transformer.config import ModelConfig
from core.transformer.foreign.reading import look_at_folder, read_foreign
from core.transformer.foreign.writing import write_foreign
from core.transformer.gpt import GPT
from core.transformer.presets import preset
from tests.benchmarks.harness import Report, interleaved

LORA = LoRAConfig(r=8)
# As large as the bundled model, and GPT-2 small with a short text.
SMALL = ModelConfig(vocab_size=1536, block_size=64, n_layer=4, n_head=6, n_embd=192)
GPT2 = ModelConfig(vocab_size=50_257, block_size=1024, n_layer=12, n_head=12, n_embd=768)
TARGETS = [
    ("c_attn",),
    ("c_attn.q", "c_attn.v"),
    ("c_fc",),
    ("c_proj", "c_attn.k"),
    ("all-linear",),
]
KINDS = {"LoRA": {}, "rsLoRA": {"rslora": True}, "DoRA": {"dora": True}}


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    _counts(report)
    _promises(report)
    _against_the_whole_model(report)
    if importlib.util.find_spec("peft") and importlib.util.find_spec("transformers"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _against_peft(report)
    else:
        report.row("peft or transformers is not installed: left out", 0)


# -- without peft ---------------------------------------------------------------------------------


def _counts(report: Report) -> None:
    queries_and_values = LoRAConfig(r=1, target_modules=("c_attn.q", "c_attn.v"))
    gpt3 = adapter_parameter_count(preset("gpt3-175b"), queries_and_values)
    report.equal("parameters, GPT-2, rank 8 on c_attn", adapter_parameter_count(GPT2), 294_912)
    report.equal("parameters, GPT-3, q and v, for each rank", gpt3, 4_718_592)
    with torch.device("meta"):
        model = GPT(GPT2)
    select(model, "bitfit")
    learning = sum(one.numel() for one in model.parameters() if one.requires_grad)
    report.equal("parameters, GPT-2, BitFit", learning, 102_144)


@torch.no_grad()
def _promises(report: Report) -> None:
    """What an adapter changes before it has learned anything, and what merging changes."""
    ids = torch.randint(SMALL.vocab_size, (2, 64), generator=_generator(0))
    for name, kind in KINDS.items():
        model = GPT(SMALL, _generator(1)).eval()
        base, at_first, merged = model(ids), 0.0, 0.0
        for targets in TARGETS:
            config = LoRAConfig(r=4, target_modules=targets, **kind)
            adapter = add_lora(model, config, generator=_generator(2))
            at_first = max(at_first, _difference(model(ids), base))
            _move(adapter.parameters())
            tuned = model(ids)
            adapter.merge()
            merged = max(merged, _difference(model(ids), tuned))
            adapter.remove()
        report.at_most(f"{name}, logits before it has learned", at_first, 1e-6 * (name == "DoRA"))
        report.at_most(f"{name}, logits merged, any targets", merged, 1e-5)


def _against_the_whole_model(report: Report) -> None:
    for name, config, batch, repeats in (("bundled shape", SMALL, 8, 20), ("GPT-2", GPT2, 1, 6)):
        ids = torch.randint(config.vocab_size, (batch, 65), generator=_generator(0))
        adapted, whole = GPT(config).train(), GPT(config).train()
        adapter = add_lora(adapted, LORA)
        with_lora, full = Step(adapted, adapter.parameters(), ids), Step(whole, None, ids)
        pair = interleaved(with_lora, full, repeats, warm_up=1)
        what = f"{name}, {batch} x 64 tokens"
        report.tell(f"step with LoRA, {what}", pair.a * 1e3, "ms")
        if config is not GPT2:  # where two thirds of the arithmetic remain in any case
            report.tell(f"LoRA / whole model, {what}", pair.ratio, "x")
            continue
        report.at_most(f"LoRA / whole model, {what}", pair.ratio, 0.6, "x")
        share = with_lora.remembered / full.remembered * 100
        report.at_most("optimizer's state, LoRA / whole model", share, 2, "%")
        with tempfile.TemporaryDirectory() as folder:
            adapter.save(folder)
            size = (Path(folder) / WEIGHTS_FILE).stat().st_size
        report.at_most("adapter file, GPT-2, rank 8", size / 1e6, 3, "MB")


class Step:
    """Each call is one optimizer step of a model, on ids (B, T + 1); None: all that may learn."""

    def __init__(
        self, model: nn.Module, learning: Iterable[nn.Parameter] | None, ids: Tensor
    ) -> None:
        self.model, self.ids = model, ids
        chosen = learning or [one for one in model.parameters() if one.requires_grad]
        self.optimizer = torch.optim.AdamW(chosen, lr=1e-3, fused=True)

    def logits(self) -> Tensor:
        made = self.model(self.ids[:, :-1])
        return made if isinstance(made, Tensor) else made.logits

    def __call__(self) -> float:
        loss = F.cross_entropy(self.logits().flatten(0, 1), self.ids[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @property
    def remembered(self) -> int:
        """Bytes of the optimizer's state."""
        states = self.optimizer.state.values()
        return sum(one.nbytes for state in states for one in state.values())


# -- with peft ------------------------------------------------------------------------------------


def _against_peft(report: Report) -> None:
    import peft

    ids = torch.randint(SMALL.vocab_size, (8, 65), generator=_generator(0))
    limits = {"on the same model": 1.05, "on transformers' GPT-2": 1.0}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ours, *bases = _same_models(folder / "base")
        adapter = add_lora(ours, LORA, generator=_generator(1))
        here = Step(ours.train(), adapter.parameters(), ids)
        _save(adapter, folder / "first")
        losses = [here() for _ in range(20)]
        _save(adapter, folder / "learned")
        learned = here.logits().detach()
        for base, (name, limit) in zip(bases, limits.items(), strict=True):
            files = "own" if isinstance(base, GPT) else "theirs"
            model = peft.PeftModel.from_pretrained(
                base, folder / "first" / files, is_trainable=True
            )
            there = Step(model.train(), None, ids)
            apart = max(abs(loss - there()) for loss in losses)
            report.at_most(f"peft {name}: losses of 20 steps apart", apart, 1e-4)
            model.load_adapter(folder / "learned" / files, "learned", is_trainable=True)
            model.set_adapter("learned")
            apart = _difference(learned, there.logits().detach())
            report.at_most(f"peft {name}: logits apart", apart, 1e-5)
            pair = interleaved(here, Step(model, None, ids), repeats=40)
            report.tell(f"peft {name}: step", pair.b * 1e3, "ms")
            report.at_most(f"peft {name}: step here / there", pair.ratio, limit, "x")


def _save(adapter: Adapter, folder: Path) -> None:
    """For a core model in peft, and for the same one of transformers."""
    adapter.save(folder / "own", own_names=True)
    adapter.save(folder / "theirs")


def _same_models(folder: Path) -> tuple[GPT, GPT, Any]:
    """Twice the same of ours, and once of transformers'."""
    from transformers import AutoModelForCausalLM

    write_foreign(GPT(SMALL, _generator(3)), folder)
    ours, other = (read_foreign(look_at_folder(folder)) for _ in range(2))
    return ours, other, AutoModelForCausalLM.from_pretrained(folder)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _difference(some: Tensor, others: Tensor) -> float:
    return (some - others).abs().max().item()


def _move(parameters: Iterable[nn.Parameter]) -> None:
    """So that no number of an adapter is one that it began with."""
    generator = _generator(4)
    for parameter in parameters:
        parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
