"""A pass through an adapted matrix: the model's own numbers, and torch's own gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import core
from core.finetuning.adapter import Adapter
from core.finetuning.lora import LoRAConfig
from core.finetuning.quantization import quantize_model
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look, Site
from tests.core.finetuning.models import BIASED, GROUPED, learned, model_of
from tests.core.test_trace import MarkedLines

TEXT = [3, 1, 4, 1, 5, 9, 2]
PATH = ["reduce", "expand", "scale"]
BACK = ["grad_expanded", "grad_B", "grad_reduced", "grad_A"]


def adapted(shape: ModelConfig, targets: tuple[str, ...], **changes: Any) -> tuple[GPT, Adapter]:
    model = model_of(shape)
    return model, learned(model, LoRAConfig(r=2, target_modules=targets, **changes))


@pytest.mark.parametrize("changes", [{}, {"rslora": True}, {"dora": True}], ids=str)
@pytest.mark.parametrize(
    ("shape", "target"),
    [(BIASED, "h.0.attn.c_attn"), (GROUPED, "h.1.attn.c_attn.k"), (GROUPED, "h.0.mlp.c_proj")],
    ids=str,
)
def test_the_gradients_are_those_that_torch_gives_the_optimizer(
    shape: ModelConfig, target: str, changes: dict[str, bool]
) -> None:
    model, adapter = adapted(shape, (target,), **changes)
    adapter.scale = 0.7
    with MarkedLines() as watched:
        trace = core.trace_adapter(model, TEXT, target)
        for step in trace:
            for name in step.values:
                step.value(name)
    for step in trace:
        watched.left(step)
    steps = {step.name.removeprefix("adapter."): step for step in trace}
    dora, bias = "dora" in changes, ["bias"] * shape.bias
    forward = ["frozen", *bias, *PATH, *["gain", "dora"] * dora, "add"]
    matrix = ["product", "delta", *["dora_delta"] * dora]
    backward = ["grad_output", *["grad_added", "grad_m"] * dora, *BACK]
    assert list(steps) == [*forward, *matrix, *backward]

    total, count = model.loss(torch.tensor([TEXT[:-1]]), torch.tensor([TEXT[1:]]))
    loss = total / count
    loss.backward()
    assert trace.about["loss"] == pytest.approx(float(loss.detach()))
    update = adapter.updates[target]
    wanted = {"grad_A": update.A.grad, "grad_B": update.B.grad}
    if dora:
        wanted["grad_m"] = update.magnitude.grad
    for name, gradient in wanted.items():
        assert gradient is not None and gradient.abs().max() > 1e-4
        np.testing.assert_allclose(steps[name].value(name), gradient, rtol=1e-4, atol=1e-6)

    # Merging adds the matrix that is shown.
    x, weight = (torch.tensor(steps["frozen"].value(name)) for name in ("x", "weight"))
    delta = torch.tensor(steps[matrix[-1]].value("delta"))
    merged = x @ (weight + (0.7 if dora else 1.0) * delta).mT
    if bias:
        merged = merged + torch.tensor(steps["bias"].value("bias"))
    np.testing.assert_allclose(steps["add"].value("adapted"), merged, atol=1e-5)


def test_what_leaves_the_matrix_is_what_the_model_goes_on_with() -> None:
    model, _ = adapted(BIASED, ("c_attn.q", "c_attn.v"))
    learned(model, LoRAConfig(r=3, target_modules=("attn.c_attn",)))  # a second adapter
    look = Look([Site("decoder", 0, "queries"), Site("decoder", 0, "values")])
    with torch.no_grad():
        model(torch.tensor([TEXT[:-1]]), look=look)
    for part, kind in (("q", "queries"), ("v", "values")):
        trace = core.trace_adapter(model, TEXT, f"h.0.attn.c_attn.{part}")
        made = next(step for step in trace if step.name == "adapter.add").value("adapted")
        heads = look.values[Site("decoder", 0, kind)][0].transpose(0, 1).flatten(1)  # (T, C)
        np.testing.assert_allclose(made, heads, atol=1e-5)
    about = core.trace_adapter(model, TEXT, "h.0.attn.c_attn", position=-2).about
    assert (about["rank"], about["position"]) == (3, 4)  # the newest adapter
    assert about["parameters"] == 3 * (16 + 48) and about["frozen"] == 16 * 48


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_trace_stays_what_it_was_and_leaves_the_model_as_it_was(strength: float) -> None:
    model, adapter = adapted(BIASED, ("mlp.c_fc",))
    adapter.scale = strength
    model.train()
    trace = core.trace_adapter(model, TEXT, "h.1.mlp.c_fc")
    assert model.training and all(one.grad is None for one in model.parameters())
    assert model.get_submodule("h.1.mlp.c_fc") is adapter.modules()["h.1.mlp.c_fc"]
    before = {step.name: {name: step.value(name) for name in step.values} for step in trace}
    assert np.any(before["adapter.grad_B"]["grad_B"]) == bool(strength)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.add_(1.0)
    adapter.merge()
    for step in trace:
        for name, value in before[step.name].items():
            np.testing.assert_array_equal(step.value(name), value)


def test_a_16_bit_matrix_is_traced_in_full_precision() -> None:
    model = model_of(BIASED).to(torch.bfloat16)
    learned(model, LoRAConfig(r=2, target_modules=("attn.c_proj",)))
    trace = core.trace_adapter(model, TEXT, "h.0.attn.c_proj")
    assert all(
        step.value(name).dtype in (np.float32, np.float64, np.int64)
        for step in trace
        for name in step.values
    )


def test_a_quantized_matrix_is_traced_as_it_is_multiplied() -> None:
    model = model_of(BIASED)
    quantize_model(model)
    adapter = learned(model, LoRAConfig(r=2, target_modules=("attn.c_proj",)))
    trace = core.trace_adapter(model, TEXT, "h.0.attn.c_proj")
    total, count = model.loss(torch.tensor([TEXT[:-1]]), torch.tensor([TEXT[1:]]))
    (total / count).backward()
    gradient = adapter.updates["h.0.attn.c_proj"].A.grad
    steps = {step.name: step for step in trace}
    np.testing.assert_allclose(
        steps["adapter.grad_A"].value("grad_A"), gradient, rtol=1e-4, atol=1e-6
    )
    weight = model.get_submodule("h.0.attn.c_proj").weight
    assert isinstance(weight, torch.Tensor)
    delta = steps["adapter.delta"].value("delta")
    np.testing.assert_allclose(
        steps["adapter.frozen"].value("weight") + delta, weight.detach(), atol=1e-6
    )


def test_what_cannot_be_traced_is_told_with_its_remedy() -> None:
    untied = ModelConfig(
        vocab_size=50, block_size=16, n_layer=1, n_head=2, n_embd=16, tie_weights=False
    )
    model, adapter = adapted(untied, ("attn.c_attn", "wte"))
    with pytest.raises(ValueError, match=r"choose 'h\.0\.attn\.c_attn'"):
        core.trace_adapter(model, TEXT, "h.0.attn.c_proj")
    with pytest.raises(ValueError, match="table of embeddings"):
        core.trace_adapter(model, TEXT, "wte")
    with pytest.raises(ValueError, match="two tokens"):
        core.trace_adapter(model, [1], "h.0.attn.c_attn")
    with pytest.raises(ValueError, match="no position 6"):
        core.trace_adapter(model, TEXT, "h.0.attn.c_attn", position=6)
    adapter.merge()
    with pytest.raises(ValueError, match="unmerge"):
        core.trace_adapter(model, TEXT, "h.0.attn.c_attn")
    adapter.remove()
    with pytest.raises(ValueError, match="add one"):
        core.trace_adapter(model, TEXT, "h.0.attn.c_attn")
