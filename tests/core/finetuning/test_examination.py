"""What is seen in an adapted matrix is what its parts say; the model stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import core
from core.finetuning import examination
from core.finetuning.analysis import attention_change, delta_of, spectrum_of, strengths, weight_of
from core.finetuning.examination import Focus, compare, examine, examine_steps, seed_of
from core.finetuning.lora import LoRAConfig
from core.finetuning.spectrum import dense_spectrum, overlap
from core.tensor_files import write_tensors
from tests.core.finetuning.models import BIASED, learned, model_of

IDS = [3, 1, 4, 1, 5, 9]
TARGETS = ("attn.c_attn", "mlp.c_proj")


def adapted(**settings: object) -> core.Adapter:
    config = LoRAConfig(**{"r": 2, "target_modules": TARGETS} | settings)
    return learned(model_of(BIASED), config)


def everything(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: one.detach().clone() for name, one in model.state_dict().items()}


def unchanged(model: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    after = model.state_dict()
    return after.keys() == before.keys() and all(torch.equal(after[n], before[n]) for n in before)


@pytest.mark.parametrize("dora", [False, True])
def test_an_examination_holds_what_its_parts_say(dora: bool) -> None:
    adapter = adapted(dora=dora)
    before, name = everything(adapter.model), "h.1.mlp.c_proj"
    found = examine(adapter.model, IDS, Focus(name, 2))
    assert (found.name, found.steps, found.step, found.shared) == (name, (), None, None)
    np.testing.assert_array_equal(found.weight, weight_of(adapter, name).numpy())
    np.testing.assert_array_equal(found.delta, delta_of(adapter, name).numpy())
    np.testing.assert_array_equal(found.spectrum.values, spectrum_of(adapter, name).values)
    np.testing.assert_array_equal(found.heads, attention_change(adapter, IDS[:-1]).by_head)
    assert list(found.strengths) == strengths(adapter)
    trace = core.trace_adapter(adapter.model, IDS, name, 2)
    assert [step.name for step in found.trace] == [step.name for step in trace]
    assert found.trace.about["position"] == 2
    change = next(s for s in trace if s.name == "adapter.add").value("change")
    output = trace[0].value("products")
    expected = np.linalg.norm(change, axis=1) / np.linalg.norm(output, axis=1)
    np.testing.assert_allclose(found.relative_change, expected, rtol=1e-6)
    assert (found.finding is None) == dora
    if found.finding is not None:
        values = next(one for one in found.finding if one.name == "spectrum.svd").value("values")
        np.testing.assert_allclose(values, found.spectrum.values)
    dense = dense_spectrum(weight_of(adapter, name)).right[:, : len(found.captured)]
    inside = ((dense.T @ found.spectrum.right) ** 2).sum(0)
    np.testing.assert_allclose(found.captured, inside, atol=1e-3)
    assert unchanged(adapter.model, before)


def test_the_matrix_that_changed_most_comes_first() -> None:
    adapter = adapted()
    with torch.no_grad():
        adapter.updates["h.0.mlp.c_proj"].B.mul_(50)
    assert examine(adapter.model, IDS).name == "h.0.mlp.c_proj"
    assert examine(adapter.model, IDS, Focus("h.9.attn")).name == "h.0.mlp.c_proj"
    adapter = adapted(target_modules=("wpe", "attn.c_proj"))
    with torch.no_grad():
        adapter.updates["wpe"].B.mul_(50)
    assert examine(adapter.model, IDS).name.endswith("attn.c_proj")


def test_an_adapter_is_seen_as_it_was_at_each_checkpoint_of_its_run(tmp_path: Path) -> None:
    adapter, name = adapted(), "h.0.attn.c_attn"
    names = {id(one): name for name, one in adapter.model.named_parameters()}
    places = {factor: tmp_path / "checkpoints" / f"step-{factor:06d}" for factor in (0, 1, 2)}
    for factor, folder in places.items():
        kept = {}
        for own, one in adapter.named_parameters():
            kept[names[id(one)]] = one.detach() * (factor / 2 if own.endswith(".B") else 1)
        folder.mkdir(parents=True)
        write_tensors(folder / "model.safetensors", {k: v.numpy() for k, v in kept.items()})
    (tmp_path / "checkpoints" / ".step-000003.part").mkdir()
    before, values = everything(adapter.model), spectrum_of(adapter, name).values
    found = examine(adapter.model, IDS, Focus(name, folder=places[2]))
    assert (found.steps, found.step) == ((0, 1, 2), 2)
    np.testing.assert_allclose(found.history, np.outer([0, 0.5, 1], values), rtol=1e-5, atol=1e-12)
    half = examine(adapter.model, IDS, Focus(name, folder=places[2], step=1))
    assert half.step == 1
    np.testing.assert_allclose(half.delta, found.delta / 2, rtol=1e-5)
    np.testing.assert_allclose(half.spectrum.values, values / 2, rtol=1e-5)
    steps = examine_steps(adapter.model, IDS, Focus(folder=places[2], step=1))
    left_alone = [unchanged(adapter.model, before) for _ in steps]  # others may ask it there
    assert all(left_alone) and len(left_alone) > len(places) + len(adapter.updates)


def test_two_adapters_share_what_their_directions_do(tmp_path: Path) -> None:
    first, second = adapted(), adapted(r=3, target_modules=("h.0.attn.c_attn",))
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    second.save(tmp_path)
    before, kept = everything(first.model), dict(first.named_parameters())
    found = examine(first.model, IDS, Focus("h.0.attn.c_attn", other=tmp_path))
    right = (spectrum_of(one, "h.0.attn.c_attn").right for one in (first, second))
    np.testing.assert_allclose(found.shared, overlap(*right), atol=1e-6)
    assert examine(first.model, IDS, Focus("h.1.attn.c_attn", other=tmp_path)).shared is None
    assert unchanged(first.model, before) and kept.keys() == dict(first.named_parameters()).keys()
    with pytest.raises(FileNotFoundError, match="is no adapter"):
        examine(first.model, IDS, Focus(other=tmp_path / "nothing"))


def test_two_runs_of_one_seed_began_with_the_same_a(tmp_path: Path) -> None:
    adapter = adapted()
    for name, seed in (("first", 7), ("second", 7), ("third", 8)):
        adapter.save(tmp_path / name / "checkpoints" / "step-000001")
        (tmp_path / name / "run.json").write_text(json.dumps({"config": {"seed": seed}}))
    adapted(r=3).save(tmp_path / "first" / "checkpoints" / "step-000002")
    kept = {name: tmp_path / name / "checkpoints" / "step-000001" for name in ("first", "second")}
    assert seed_of(kept["first"]) == 7 and seed_of("questions") == 1337
    assert seed_of(tmp_path) is None

    def began(other: Path) -> int | None:
        name = "h.0.attn.c_attn"
        spectrum = spectrum_of(adapter, name)
        return compare(adapter, spectrum, name, kept["first"], other)[1]

    assert began(kept["second"]) == 7
    assert began(tmp_path / "third" / "checkpoints" / "step-000001") is None
    assert began(tmp_path / "first" / "checkpoints" / "step-000002") is None


def test_heads_that_are_known_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = adapted()
    found = examine(adapter.model, IDS)
    monkeypatch.setattr(examination, "attention_change_steps", None)
    again = examine(adapter.model, IDS, Focus("h.1.mlp.c_proj", 2, heads=found.heads))
    np.testing.assert_array_equal(again.heads, found.heads)
    assert again.name == "h.1.mlp.c_proj"


def test_a_model_without_an_adapter_says_so() -> None:
    with pytest.raises(ValueError, match="has no adapter, because"):
        examine(model_of(BIASED), IDS)
