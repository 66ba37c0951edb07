"""A tuned model beside its base: what is asked at a mixture is what the model says there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import core
from core.finetuning.adapter import adapters_of
from core.finetuning.analysis import strengths
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.mixture import (
    BASE,
    Mixture,
    NextTokens,
    check_adapter,
    favorites,
    held_out_prompt,
    mixed_shares,
    next_tokens,
    strength_curve_steps,
    strength_step,
    write_mixed_steps,
)
from core.finetuning.mixture_files import export_mixture_steps, save_mixture_steps
from core.finetuning.settings import METHODS
from core.inference.sampling import Sampling
from core.inference.surprise import surprises
from core.jobs import to_the_end
from core.transformer.gpt import GPT
from tests.core.finetuning.models import BIASED, learned, model_of
from tests.core.finetuning.small import small_base, small_tuning, tune

TEXT = [3, 1, 4, 1, 5]
GREEDY = Sampling(temperature=0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def shares(model: GPT, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor([ids]))[0, -1].softmax(-1).numpy()


def adapted() -> GPT:
    model = model_of(BIASED)
    learned(model, LoRAConfig(r=2, target_modules=("all-linear",)))
    return model


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_a_text_is_written_at_a_strength(strength: float, merged: bool) -> None:
    model = adapted()
    (adapter,) = adapters_of(model)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    mixture = Mixture(strength, merged=merged)
    *_, last = write_mixed_steps(model, mixture, TEXT, 6, Sampling(), seed=3)
    told = mixed_shares(model, mixture, TEXT)
    assert adapter.scale == 1.0 and not adapter.is_merged
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    adapter.scale = strength
    assert list(last.ids) == core.generate(model, TEXT, 6, seed=3) and last.strength == strength
    np.testing.assert_allclose(last.surprises, surprises(model, last.ids), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(told, shares(model, TEXT), atol=1e-5)


def test_the_line_where_the_strength_comes_in() -> None:
    model = adapted()
    (adapter,) = adapters_of(model)
    both = next_tokens(model, Mixture(0.25), TEXT, where=True)
    found = both.where
    for told, strength in ((both.base, 0.0), (both.tuned, 0.25)):
        np.testing.assert_array_equal(told, mixed_shares(model, Mixture(strength), TEXT))
    assert both.strength == 0.25 and both.likeliest(2)[0] == both.tuned.argmax()
    assert found is not None and adapter.scale == 1.0
    name, step, (token, output) = found
    assert name == max(strengths(adapter), key=lambda one: one.ratio).name
    assert token == len(TEXT) - 2 and step.value("s") == 0.25 * adapter.config.scaling
    change = step.value("change")
    np.testing.assert_allclose(change, step.value("s") * step.value("expanded"), rtol=1e-5)
    assert abs(change[token, output]) == np.abs(change[token]).max()
    assert strength_step(model, Mixture(), TEXT[:1]) is None
    assert strength_step(model_of(BIASED), Mixture(), TEXT) is None


def test_the_line_is_that_of_a_matrix_even_where_an_embedding_changed_more() -> None:
    model = model_of(BIASED)
    adapter = learned(model, LoRAConfig(r=2, target_modules=("wpe", "attn.c_proj")))
    with torch.no_grad():
        adapter.updates["wpe"].B.mul_(50)
    found = strength_step(model, Mixture(1.0), TEXT)
    assert found is not None and found[0].endswith("attn.c_proj")


def test_the_curves_hold_every_favorite() -> None:
    model = adapted()
    strengths = (1.0, 0.0, 0.5, 2.0)
    found = list(strength_curve_steps(model, Mixture(merged=True), TEXT, strengths))
    for strength, told in zip(strengths, found, strict=True):
        np.testing.assert_array_equal(told, mixed_shares(model, Mixture(strength), TEXT))
    assert favorites(found) == list(dict.fromkeys(int(one.argmax()) for one in found))
    shares = [np.array(one) for one in ([0.2, 0.8, 0.0], [0.7, 0.1, 0.2], [0.3, 0.6, 0.1])]
    assert favorites(shares) == [1, 0]


def test_the_likeliest_tokens_are_sorted_at_their_strength_with_the_favorite_of_the_base() -> None:
    base = np.array([0.02, 0.9, 0.03, 0.05, 0.0])
    tuned = np.array([0.5, 0.01, 0.1, 0.35, 0.04])
    found = NextTokens(base, tuned, 0.2, None)
    assert found.likeliest(3) == [0, 3, 1]
    assert found.likeliest(3, 4) == [0, 4, 1]
    assert found.likeliest(2, 0) == [0, 1]
    assert found.likeliest(9) == [0, 3, 2, 4, 1]


def test_two_adapters_are_blended(base: Path, tmp_path: Path) -> None:
    for seed, name in enumerate(("first", "second")):
        lm = core.load(base)
        adapter = core.add_lora(lm.model, LoRAConfig(r=2, target_modules=("all-linear",)))
        with torch.no_grad():
            for one in adapter.parameters():
                one.normal_(0, 0.1, generator=torch.Generator().manual_seed(seed))
        adapter.save(tmp_path / name, base=str(base))
    mixture = Mixture(1.5, share=0.3)
    model = core.load(tmp_path / "first").model
    first = mixed_shares(model, Mixture(1.5), TEXT)
    second = core.load_adapter(model, tmp_path / "second")
    both = mixed_shares(model, mixture, TEXT)
    assert second.scale == 1.0 and not np.allclose(both, first)
    np.testing.assert_allclose(mixed_shares(model, Mixture(1.5, share=0.0), TEXT), first, atol=1e-6)
    none = mixed_shares(model, Mixture(0.0, share=0.3), TEXT)
    np.testing.assert_allclose(none, shares(core.load(base).model, TEXT), rtol=1e-5)
    to_the_end(
        save_mixture_steps(tmp_path / "first", mixture, tmp_path / "saved", tmp_path / "second")
    )
    saved = core.load(tmp_path / "saved").model
    np.testing.assert_allclose(mixed_shares(saved, Mixture(1.5), TEXT), both, atol=1e-5)
    to_the_end(
        export_mixture_steps(tmp_path / "first", mixture, tmp_path / "whole", tmp_path / "second")
    )
    whole = core.load(tmp_path / "whole").model
    assert not adapters_of(whole)
    np.testing.assert_allclose(shares(whole, TEXT), both, atol=1e-5)


def check_strength_step(tuned: GPT, is_matrix: bool) -> None:
    """At half the strength half of it is added; the cell is the one that it adds most to."""
    found = [strength_step(tuned, Mixture(strength), TEXT) for strength in (0.5, 1.0)]
    if not is_matrix:
        assert found == [None, None]
        return
    made = []
    for name, step, cell in found:
        assert name == found[0][0]
        change = step.value("change")
        assert abs(change[cell]) == np.abs(np.atleast_2d(change)[-1]).max() > 0
        part = {"adapter.scale": "s", "tuned.change": "delta"}.get(step.name, "change")
        made.append(step.value(part))
    np.testing.assert_allclose(made[0], made[1] / 2, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_be_tried(method: str, base: Path, tmp_path: Path) -> None:
    config = small_tuning(base, settings={"method": method}, learning_rate=1e-2)
    folder = tune(config, tmp_path / "run").checkpoints[-1].folder
    tuned, plain = core.load(folder).model, core.load(base).model
    told = mixed_shares(tuned, BASE, TEXT)
    np.testing.assert_allclose(told, shares(plain, TEXT), rtol=1e-5)
    assert not np.allclose(mixed_shares(tuned, Mixture(), TEXT), told)
    texts = [[*write_mixed_steps(tuned, one, TEXT, 3, GREEDY)] for one in (BASE, Mixture())]
    assert list(texts[0][-1].ids) == core.generate(plain, TEXT, 3, temperature=0)
    begun = held_out_prompt(tuned, 0)
    assert begun and begun in (base.parents[2] / "little.txt").read_text()
    for text in texts:
        assert [len(one.ids) for one in text] == [5, 6, 7, 8]
        assert all(len(one.ids) == len(one.surprises) for one in text)
    is_matrix = method not in ("bottleneck", "prompt")
    check_strength_step(tuned, is_matrix)
    if is_matrix:
        to_the_end(export_mixture_steps(folder, Mixture(0.5), tmp_path / "whole"))
        half = mixed_shares(tuned, Mixture(0.5), TEXT)
        np.testing.assert_allclose(
            shares(core.load(tmp_path / "whole").model, TEXT), half, atol=1e-5
        )
    if method != "lora":
        with pytest.raises(ValueError, match="only a LoRA adapter"):
            check_adapter(tuned, "merge", Mixture(), TEXT)
        with pytest.raises(ValueError, match="only a LoRA adapter"):
            to_the_end(save_mixture_steps(folder, Mixture(), tmp_path / "saved"))


def test_an_adapter_over_another_is_exported_as_both_compute(base: Path, tmp_path: Path) -> None:
    under, usual = base, {"steps": 3, "learning_rate": 1e-1}
    for name, dora in (("first", False), ("second", True)):
        lora, data = LoRAConfig(r=2, dora=dora), str(base.parents[2] / "little.txt")
        config = small_tuning(under, settings={"lora": lora, "data": data}, **usual)
        under = tune(config, tmp_path / name).checkpoints[-1].folder
    to_the_end(export_mixture_steps(under, Mixture(1.0), tmp_path / "out"))
    exported, tuned = core.load(tmp_path / "out").model, core.load(under).model
    np.testing.assert_allclose(shares(exported, TEXT), shares(tuned, TEXT), atol=1e-5)


def test_an_adapter_from_elsewhere_is_asked_about_a_story_of_ours() -> None:
    told = [held_out_prompt(adapted(), number) for number in (0, 1)]
    assert told[0] != told[1] and all(one.endswith("Who is it about?") for one in told)


def test_a_model_without_anything_learned_says_so(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no base to compare it with; open the folder of an"):
        mixed_shares(core.load(base).model, Mixture(), TEXT)
