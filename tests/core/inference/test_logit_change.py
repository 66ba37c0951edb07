"""Why a logit falls by another amount than what a part had added: the pieces add up exactly."""

from __future__ import annotations

import pytest
import torch

import core
from core.inference.activations import looking_at
from core.inference.explanation import explain
from core.inference.interventions import Intervention
from core.transformer.look import Look, Site
from core.transformer.norms import LayerNorm
from tests.core.families import FAMILIES

IDS = [5, 7, 1, 7, 30, 9]
CHANGES = [
    Intervention(mlps=(1,)),
    Intervention(heads=((0, 1), (1, 0))),
    Intervention(heads=((1, 0),), mlps=(0,), mean=True),
    Intervention(patch=(1, 2, 3, 4, 5, 6), layer=1, positions=(5,)),
    Intervention(),
]


def model_of(name: str) -> core.GPT:
    shape = {"vocab_size": 31, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 12}
    config = core.ModelConfig(**{**shape, **FAMILIES[name]})
    return core.GPT(config, torch.Generator().manual_seed(3)).eval()


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_pieces_add_up_to_the_change_of_the_logit(name: str, change: Intervention) -> None:
    model = model_of(name)
    found = explain(model, IDS, token=4, intervention=change)
    told, outcome = found.change, found.comparison
    pieces = told.own + told.reaction + told.norms + told.rest
    assert pieces == pytest.approx(told.total, abs=1e-9)
    assert told.total == pytest.approx(float(outcome.logits[4]), abs=1e-6)
    written = told.rounded()
    for name in ("before", "after", "own", "reaction", "rest"):
        assert getattr(written, name) == pytest.approx(getattr(told, name), abs=0.00501)
    pieces = written.own + written.reaction + written.norms + written.rest
    assert pieces == pytest.approx(written.total, abs=1e-9)
    assert told.indirect == pytest.approx(told.reaction + told.norms + told.rest, abs=1e-9)
    off = [term.value for term in found.before.terms if term.part in change.off]
    if not change.mean:  # a part that is off adds nothing, so its own change is what it had added
        assert told.own == pytest.approx(-sum(off), abs=1e-9)
    if not change.patch:
        assert told.rest == pytest.approx(0, abs=1e-5)
    if change == Intervention(mlps=(1,)):
        assert told.reaction == 0  # there is no later part
    if change == Intervention():
        assert (told.own, told.reaction, told.norms, told.rest) == (0, 0, 0, 0)


@pytest.mark.parametrize("change", CHANGES[:3], ids=str)
@pytest.mark.parametrize("name", ["gpt2", "llama", "untied without biases"])
def test_a_norm_that_is_held_leaves_what_the_parts_do(name: str, change: Intervention) -> None:
    """The last norm, computed by hand with the scale that it had before the intervention."""
    model, site = model_of(name), Site("decoder", 1, "residual_out")
    streams = []
    for replace in ({}, change.replacements(model, IDS)):
        look = Look([site], replace)
        with looking_at(model):
            model(torch.tensor([IDS]), look)
        stream = look.values[site][0, -1].double()
        is_centered = isinstance(model.ln_f, LayerNorm)
        streams.append(stream - stream.mean() if is_centered else stream)
    scale = (streams[0].square().mean() + model.ln_f.eps).sqrt()
    direction = model.ln_f.weight.double() * model.lm_head.weight[4].double() / scale
    held = float((streams[1] - streams[0]) @ direction.detach())
    told = explain(model, IDS, token=4, intervention=change).change
    assert told.own + told.reaction == pytest.approx(held, abs=1e-5)


def test_the_bundled_models_last_mlp_is_made_up_for_by_the_norm() -> None:
    """A part that adds 5.71 goes, and the logit falls by 1.38."""
    lm = core.load("stories")
    ids = lm.tokenizer.encode("Once upon a time, Mira found a red kite. One day, Mira").ids
    told = explain(lm.model, ids, intervention=Intervention(mlps=(3,))).change
    assert told.own == pytest.approx(-5.71, abs=0.005)
    assert told.total == pytest.approx(-1.38, abs=0.005)
    assert told.reaction == 0 and told.norms == pytest.approx(4.33, abs=0.005)
