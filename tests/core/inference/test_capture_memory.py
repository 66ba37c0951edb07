"""What a capture takes is known beforehand, and nothing that was not asked for stays in memory."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from core.inference.activations import capture, capture_bytes, looking_at
from core.inference.capture_memory import numbers_held, site_shape
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import LAYER_KINDS, Look, Site
from core.transformer.presets import PRESETS

SMALL = {"vocab_size": 50, "block_size": 24, "n_layer": 3, "n_head": 4, "n_embd": 32}
VARIANTS = {
    "plain": {},
    "rope": {"positions": "rope", "n_kv_head": 2, "mlp": "swiglu", "norm": "rms_norm"},
    "normed heads": {"qk_norm": True, "head_size": 6, "n_kv_head": 1},
}
ENDS = [Site("decoder", None, "embedding"), Site("decoder", None, "logits")]


def model_of(**changes) -> GPT:
    config = ModelConfig(**{**SMALL, **changes})
    return GPT(config, torch.Generator().manual_seed(0)).eval()


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_every_site_has_the_shape_and_takes_the_memory_that_was_said(changes: dict) -> None:
    model, ids = model_of(**changes), torch.arange(20)[None]
    everything = [Site("decoder", layer, kind) for layer in range(3) for kind in LAYER_KINDS]
    rng = random.Random(0)
    for number in range(40):
        sites = everything + ENDS if number == 0 else rng.sample(everything + ENDS, 4)
        look = Look(sites)
        with looking_at(model):
            model(ids, look)
        for site, value in look.values.items():
            assert site_shape(model.config, site.kind, 20) == value.shape[1:], site
        # The stream out of a block is the stream into the next one.
        storages = {
            value.untyped_storage().data_ptr(): value.untyped_storage().nbytes()
            for site, value in look.values.items()
            if site.kind != "logits"
        }
        counted = 4 * numbers_held(model.config, sites, 20)
        assert counted >= sum(storages.values())
        if not any(site.kind in ("residual_in", "residual_out", "embedding") for site in sites):
            assert counted == sum(storages.values()), sites


def test_the_memory_of_gpt2_at_its_whole_context_is_known() -> None:
    gpt2 = PRESETS["gpt2"]
    held = 4 * 1024 * (12 * 2304 + 13 * 768)
    attention, logits = 4 * 12 * 12 * 1024**2, 4 * 1024 * 50_257
    assert capture_bytes(gpt2, 1024, ["attention"]) == 4 * 1024 * 12 * 2304 + attention
    assert capture_bytes(gpt2, 1024) == 2 * held + attention + logits
    assert capture_bytes(gpt2, 1024, ["decoder.3.mlp_hidden"]) < 1.3 * logits
    assert capture_bytes(gpt2, 1024, ["logits"], item=2) == 1.5 * logits


def test_only_what_was_asked_for_is_kept() -> None:
    model = model_of()
    found = capture(model, np.arange(20), ["logits", "decoder.1.keys", "decoder.2.residual_mid"])
    assert [*found.sites()] == ["logits", "decoder.1.keys", "decoder.2.residual_mid"]
    for array in found.sites().values():  # none is a part of something larger
        owner = array if array.base is None else array.base
        size = owner.untyped_storage().nbytes() if torch.is_tensor(owner) else owner.nbytes
        assert size == array.nbytes


def test_what_the_memory_cannot_hold_is_refused_before_it_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of()
    needed = capture_bytes(model.config, 20, ["attention"])
    monkeypatch.setattr("core.memory.physical_bytes", lambda: needed)
    capture(model, np.arange(20), ["attention"])
    monkeypatch.setattr("core.memory.physical_bytes", lambda: needed - 1)
    monkeypatch.setattr(model, "forward", None)
    said = r"of 20 tokens takes 0\.0 GB.*shorten the text, or ask for fewer sites"
    with pytest.raises(ValueError, match=said):
        capture(model, np.arange(20), ["attention"])
