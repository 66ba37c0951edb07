"""Inside a model whose own numbers were tuned: what changed, along which directions, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.finetuning.examination import Focus, examine
from core.finetuning.loading import load_tuned
from tests.core.finetuning.small import small_base, small_tuning, tune
from tests.core.test_trace import MarkedLines

IDS = [3, 1, 4, 1, 5, 9]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: Any) -> dict[str, Path]:
    """By method the newest checkpoint of its run."""
    folder = tmp_path_factory.mktemp("own")
    base = small_base(folder / "base")
    found = {}
    for method in ("full", "head", "bitfit"):
        run = tune(small_tuning(base, settings={"method": method}), folder / method)
        found[method] = run.checkpoints[-1].folder
    texts = folder / "claims.jsonl"
    lines = (f'{{"text": "{a} met {b}.", "label": "{b}"}}\n' for a in "ABCDEFGH" for b in "stuv")
    texts.write_text("".join(lines))
    given = {"method": "full", "data": str(texts), "classes": tuple("stuv")}
    run = tune(small_tuning(base, settings=given), folder / "classes")
    found["classes"] = run.checkpoints[-1].folder
    found["base"] = base
    return found


@pytest.mark.parametrize("method", ["full", "bitfit"])
def test_what_is_shown_is_the_change_and_torchs_own_gradient(
    runs: dict[str, Path], method: str
) -> None:
    model, base = load_tuned(runs[method]).lm.model, core.load(runs["base"]).model
    kind = "weight" if method == "full" else "bias"
    with MarkedLines() as watched:
        found = examine(model, IDS, Focus("h.1.mlp.c_fc", folder=runs[method]))
        steps = {step.name.removeprefix("tuned."): step for step in found.trace}
        for step in steps.values():
            watched.left(step)
    now = model.get_parameter(f"h.1.mlp.c_fc.{kind}")
    names = dict(base.named_parameters())
    was = names.get(f"h.1.mlp.c_fc.{kind}", torch.zeros_like(now))  # a bias that is new
    delta = (now - was).detach()
    np.testing.assert_allclose(found.delta, delta.reshape(len(delta), -1), atol=1e-6)
    assert found.spectrum.norm == pytest.approx(float(delta.norm()), rel=1e-4)
    assert found.steps[-1] == found.step == 12 and len(found.history) == len(found.steps)
    np.testing.assert_allclose(found.history[-1], found.spectrum.values, rtol=1e-3, atol=1e-6)
    assert found.relative_change.shape == (len(IDS) - 1,) and found.relative_change.min() > 0
    own = {one.name: one.ratio for one in found.strengths}
    assert set(own) >= {"h.0.attn.c_attn", "h.1.mlp.c_fc"} and "wte" not in own
    weight = float(was.detach().norm()) if method == "full" else 1.0
    assert own["h.1.mlp.c_fc"] == pytest.approx(float(delta.norm()) / weight, rel=1e-4)

    parameter = now.requires_grad_()
    total, count = model.loss(torch.tensor([IDS[:-1]]), torch.tensor([IDS[1:]]))
    (wanted,) = torch.autograd.grad(total / count, parameter)
    gradient = steps["grad_W" if method == "full" else "grad_b"]
    made = gradient.value(next(iter(gradient.values)))
    np.testing.assert_allclose(made, wanted, rtol=1e-3, atol=1e-6)
    assert ("delta" in steps) == (method == "full")


def test_a_head_that_was_tuned_is_looked_into_and_an_earlier_step_too(
    runs: dict[str, Path],
) -> None:
    model = load_tuned(runs["head"]).lm.model
    found = examine(model, IDS, Focus(folder=runs["head"]))
    early = examine(model, IDS, Focus(folder=runs["head"], step=4))
    assert found.name == early.name == "lm_head" and early.step == 4
    assert early.spectrum.norm < found.spectrum.norm
    assert examine(model, IDS).spectrum.norm == found.spectrum.norm  # it is as it was


@pytest.mark.parametrize("method", ["full", "bitfit", "classes"])
def test_at_an_earlier_step_everything_is_as_it_was_then(
    runs: dict[str, Path], method: str
) -> None:
    """What the matrix reads, too, though other parts of the model have made it."""
    newest, early = runs[method], runs[method].with_name("step-000004")
    name = "h.1.attn.c_attn"
    then = examine(load_tuned(early).lm.model, IDS, Focus(name, folder=early))
    seen = examine(load_tuned(newest).lm.model, IDS, Focus(name, folder=newest, step=4))
    np.testing.assert_allclose(seen.heads, then.heads, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(seen.delta, then.delta, atol=1e-7)
    for one, other in zip(seen.trace, then.trace, strict=True):
        for value in one.values:
            wanted = other.value(value)
            np.testing.assert_allclose(one.value(value), wanted, rtol=1e-3, atol=1e-6)


def test_a_model_that_was_not_tuned_has_nothing_to_show(runs: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="no matrix of this model was tuned"):
        examine(core.load(runs["base"]).model, IDS)
