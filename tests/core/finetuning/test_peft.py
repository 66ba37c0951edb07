"""The same adapter in peft and here: files both ways, logits, merged matrices, learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.lora import LoRAConfig
from core.finetuning.peft_reader import load_adapter
from core.transformer.config import ModelConfig
from core.transformer.foreign.reading import look_at_folder, read_foreign
from core.transformer.gpt import GPT
from tests.core.transformer.foreign.peers import VOCABULARY, random_folder, random_model

peft = pytest.importorskip("peft")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

IDS = torch.randint(VOCABULARY, (2, 16), generator=torch.Generator().manual_seed(5))
KINDS = [{}, {"rslora": True}, {"dora": True}]
SHAPES = {
    "gpt2": {
        "vocab_size": VOCABULARY, "n_positions": 24, "n_embd": 24, "n_layer": 2, "n_head": 3,
        "tie_word_embeddings": False, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
    },
    "llama": {
        "vocab_size": VOCABULARY, "max_position_embeddings": 24, "hidden_size": 24,
        "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "attention_bias": True, "tie_word_embeddings": False,
    },
}  # fmt: skip
TARGETS = [
    ("attn.c_attn",),
    ("c_attn.q", "c_attn.v"),
    ("all-linear",),
    ("h.1.mlp.c_proj", "c_attn.k", "wte", "lm_head"),
]
THEIRS = {
    "gpt2": [["c_attn"], ["c_proj", "c_fc"], ["wte", "wpe", "lm_head", "h.1.attn.c_attn"]],
    "llama": [
        ["q_proj", "v_proj"],
        ["k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        ["embed_tokens", "lm_head", "layers.1.self_attn.q_proj"],
    ],
}
FIRST = {"gpt2": r"^transformer\.h\.0\.attn\.c_attn", "llama": "layers.0.self_attn.q_proj"}


def both(family: str, folder: Path) -> tuple[Any, GPT]:
    """A model of transformers and the same one here."""
    theirs = random_model(family, SHAPES[family])
    theirs.save_pretrained(folder / "base")
    return theirs, read_foreign(look_at_folder(folder / "base"))


def moved(parameters: list[nn.Parameter]) -> None:
    """So that no number of the adapter is one that it began with."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)


def wrapped(theirs: Any, **settings: Any) -> Any:
    """The model in peft, with an adapter all of whose numbers have moved."""
    model = peft.get_peft_model(theirs, peft.LoraConfig(**settings))
    moved([parameter for parameter in model.parameters() if parameter.requires_grad])
    return model.eval()


def learned(model: GPT, config: LoRAConfig) -> Adapter:
    adapter = add_lora(model, config, generator=torch.Generator().manual_seed(1))
    moved(adapter.parameters())
    return adapter


@torch.no_grad()
def logits(model: Any) -> Tensor:
    made = model(IDS)
    return made if isinstance(made, Tensor) else made.logits


def assert_same(model: Any, other: Any, base: Tensor) -> None:
    assert (logits(model) - base).abs().max() > 0.01
    torch.testing.assert_close(logits(model), logits(other), rtol=0, atol=1e-5)


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_from_here_computes_the_same_in_peft(
    family: str, targets: tuple[str, ...], kind: dict[str, bool], tmp_path: Path
) -> None:
    theirs, ours = both(family, tmp_path)
    base = logits(ours)
    adapter = learned(ours, LoRAConfig(r=3, alpha=7, target_modules=targets, **kind))
    adapter.save(tmp_path / "adapter")
    there = peft.PeftModel.from_pretrained(theirs, tmp_path / "adapter")
    assert_same(ours, there, base)

    adapter.merge()
    merged = there.merge_and_unload()
    torch.testing.assert_close(logits(ours), logits(merged), rtol=0, atol=1e-5)
    merged.save_pretrained(tmp_path / "merged")
    again = read_foreign(look_at_folder(tmp_path / "merged"))
    adapter.remove(merged=True)
    for (name, weight), other in zip(ours.named_parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("kind", [{}, {"use_rslora": True}, {"use_dora": True}])
def test_an_adapter_from_peft_computes_the_same_here(
    family: str, which: int, kind: dict[str, bool], tmp_path: Path
) -> None:
    theirs, ours = both(family, tmp_path)
    base = logits(ours)
    targets = THEIRS[family][which]
    there = wrapped(
        theirs, r=4, lora_alpha=6, target_modules=targets, lora_dropout=0.1, **kind,
        rank_pattern={FIRST[family]: 5}, alpha_pattern={targets[-1]: 9.5},
    )  # fmt: skip
    there.save_pretrained(tmp_path / "adapter")
    adapter = load_adapter(ours, tmp_path / "adapter")
    assert_same(ours, there, base)
    ranks = {update.r for update in adapter.updates.values()}
    assert ranks == ({4, 5} if which == 0 else {4}) and adapter.config.dropout == 0.1
    adapter.remove()
    assert torch.equal(logits(ours), base)


@pytest.mark.parametrize("family", SHAPES)
def test_an_adapter_of_a_model_without_its_head(family: str, tmp_path: Path) -> None:
    theirs, ours = both(family, tmp_path)
    base = logits(ours)
    bare = theirs.transformer if family == "gpt2" else theirs.model
    there = wrapped(bare, r=4, target_modules=THEIRS[family][0])
    there.save_pretrained(tmp_path / "adapter")
    load_adapter(ours, tmp_path / "adapter")
    assert_same(ours, theirs, base)


@pytest.mark.parametrize("family", ["qwen2", "qwen3"])
def test_an_adapter_of_another_family(family: str, tmp_path: Path) -> None:
    theirs = random_folder(family, 4, tmp_path / "base")
    ours = read_foreign(look_at_folder(tmp_path / "base"))
    base = logits(ours)
    learned(ours, LoRAConfig(r=2, target_modules=("c_attn.q", "c_proj"))).save(tmp_path / "adapter")
    there = peft.PeftModel.from_pretrained(theirs, tmp_path / "adapter")
    assert_same(ours, there, base)


CORE = ModelConfig(
    vocab_size=VOCABULARY, block_size=24, n_layer=2, n_head=4, n_kv_head=2, n_embd=32,
    mlp="swiglu", positions="rope", norm="rms_norm", bias=False, tie_weights=False,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_core_model_that_peft_wraps(kind: dict[str, bool], tmp_path: Path) -> None:
    def model() -> GPT:
        return GPT(CORE, torch.Generator().manual_seed(0)).eval()

    ours, theirs = model(), model()
    base = logits(ours)
    targets = ("wte", "attn.c_attn", "mlp.c_gate")
    adapter = learned(ours, LoRAConfig(r=3, alpha=7, target_modules=targets, **kind))
    adapter.save(tmp_path / "from here", own_names=True)
    there = peft.PeftModel.from_pretrained(theirs, tmp_path / "from here")
    assert_same(ours, there, base)

    there.save_pretrained(tmp_path / "from there")
    back = model()
    assert load_adapter(back, tmp_path / "from there").config == adapter.config
    assert torch.equal(logits(back), logits(ours))


def losses(model: Any, parameters: list[nn.Parameter], steps: int = 20) -> list[float]:
    generator = torch.Generator().manual_seed(3)
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    found = []
    ids = torch.randint(VOCABULARY, (4, 17), generator=generator)
    for _ in range(steps):
        made = model(ids[:, :-1])
        made = made if isinstance(made, Tensor) else made.logits
        loss = F.cross_entropy(made.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("family", ["gpt2", "llama", "core"])
@pytest.mark.parametrize("kind", KINDS)
def test_both_learn_alike(family: str, kind: dict[str, bool], tmp_path: Path) -> None:
    """20 steps from the same numbers, in which the same tokens are learned by heart."""
    theirs: Any
    if family == "core":
        ours, theirs = (GPT(CORE, torch.Generator().manual_seed(0)) for _ in range(2))
    else:
        theirs, ours = both(family, tmp_path)
    queries = ("c_attn.q", "c_attn.k", "c_attn.v") if family == "llama" else ("c_attn",)
    targets = (*queries, "mlp.c_fc")
    generator = torch.Generator().manual_seed(1)
    adapter = add_lora(ours, LoRAConfig(r=4, target_modules=targets, **kind), generator=generator)
    adapter.save(tmp_path / "adapter", own_names=family == "core")
    there = peft.PeftModel.from_pretrained(theirs, tmp_path / "adapter", is_trainable=True)
    learning = [parameter for parameter in there.parameters() if parameter.requires_grad]
    assert sum(p.numel() for p in learning) == sum(p.numel() for p in adapter.parameters())
    here = losses(ours.train(), adapter.parameters())
    torch.testing.assert_close(here, losses(there.train(), learning), rtol=0, atol=1e-4)
    assert here[-1] < here[0] - 0.1
