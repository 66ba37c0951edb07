"""The logit lens: final norm and unembedding at every place of the residual stream."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import core
from core.inference import logit_lens as chapter
from core.inference.activations import looking_at
from core.inference.interventions import scale_parts
from core.inference.lens_trace import trace_lens
from tests.core.families import FAMILIES
from tests.core.test_trace import MarkedLines
from tests.core.transformer.test_look import small

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.fixture(params=FAMILIES)
def model(request):
    return small(**FAMILIES[request.param])


def read_by_hand(model, x):
    """Final norm and unembedding written out, in float64."""
    x, config = x.double(), model.config
    if config.norm_placement == "pre":
        weight, bias = model.ln_f.weight.double(), getattr(model.ln_f, "bias", None)
        if config.norm == "layer_norm":
            x = x - x.mean(-1, keepdim=True)
        x = x / (x.square().mean(-1, keepdim=True) + config.norm_eps).sqrt() * weight
        x = x if bias is None else x + bias.double()
    return torch.softmax(x @ model.lm_head.weight.double().T, -1)


def streams(model):
    """The residual stream after every block, computed block by block; embedding first."""
    batch = torch.tensor([IDS])
    with looking_at(model):
        x = model.embed(batch)
        found, rotation = [x[0]], model.rotation(x)
        for block in model.blocks:
            x = block(x, rotation)
            found.append(x[0])
    return found


def test_every_layer_says_what_norm_and_unembedding_make_of_its_stream(model):
    lens = core.logit_lens(model, IDS, [7, 2], sublayers=False, likeliest=11)
    for place, x in enumerate(streams(model)):
        with torch.no_grad():
            p = read_by_hand(model, x).numpy()
        np.testing.assert_allclose(lens.probabilities[place], p[:, [7, 2]], atol=1e-5)
        shown = np.take_along_axis(p, lens.likeliest[place], -1)
        np.testing.assert_allclose(lens.likeliest_probabilities[place], shown, atol=1e-5)
        assert (np.diff(lens.likeliest_probabilities[place]) <= 0).all()
        np.testing.assert_allclose(lens.norms[place], x.norm(dim=-1), rtol=1e-5)


def test_the_last_place_says_what_the_model_says(model):
    lens = core.logit_lens(model, IDS)
    with looking_at(model):
        p = model(torch.tensor([IDS]))[0].softmax(-1).numpy()
    np.testing.assert_array_equal(lens.tokens[:, 0], p.argmax(-1))
    np.testing.assert_allclose(lens.probabilities[-1, :, 0], p.max(-1), rtol=1e-4)
    np.testing.assert_array_equal(lens.rank[-1], 0)
    np.testing.assert_allclose(lens.divergence[-1], 0, atol=1e-6)
    assert len(lens.places) == 2 * model.config.n_layer + 1


def test_rank_and_divergence_are_those_of_the_distributions():
    model = small()
    tokens = np.arange(len(IDS))[:, None]  # another one at each position
    lens = core.logit_lens(model, IDS, tokens, sublayers=False)
    with torch.no_grad():
        said = [read_by_hand(model, x) for x in streams(model)]
    for place, p in enumerate(said):
        mine = p.gather(-1, torch.from_numpy(tokens))
        np.testing.assert_array_equal(lens.rank[place], (p > mine).sum(-1, keepdim=True))
        divergence = F.kl_div(p.log(), said[-1], reduction="none").sum(-1)
        np.testing.assert_allclose(lens.divergence[place], divergence, atol=1e-5)


def test_places_have_names_and_an_answer_a_place_from_which_on_it_leads():
    model = small()
    lens = core.logit_lens(model, IDS)
    assert lens.names[:3] == ("embedding", "attention 0", "MLP 0") and lens.names[-1] == "MLP 2"
    assert core.logit_lens(model, IDS, sublayers=False).names[-2:] == ("layer 1", "layer 2")
    for column in range(len(IDS)):
        first = lens.leads_from(column)
        assert (lens.rank[first:, column, 0] == 0).all()
        assert first == 0 or lens.rank[first - 1, column, 0] > 0
    rank = np.ones_like(lens.rank)
    assert replace(lens, rank=rank).leads_from(0) is None
    rank[-1] = 0  # it leads at the last place alone
    assert replace(lens, rank=rank).leads_from(0) == len(lens.places) - 1
    rank[2:4] = 0
    assert replace(lens, rank=rank).leads_from(0) == len(lens.places) - 1


def test_positions_and_small_chunks_change_nothing(monkeypatch):
    model = small()
    whole = core.logit_lens(model, IDS, [5])
    monkeypatch.setattr(chapter, "LOGITS_AT_ONCE", 3 * model.config.vocab_size)
    parted = core.logit_lens(model, IDS, [5])
    some = core.logit_lens(model, IDS, [5], positions=[-1, 2])
    for name in (
        "likeliest",
        "likeliest_probabilities",
        "probabilities",
        "rank",
        "divergence",
        "norms",
    ):
        one, other = getattr(whole, name), getattr(parted, name)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(one[:, [7, 2]], getattr(some, name), rtol=1e-5, atol=1e-7)
    assert some.positions.tolist() == [7, 2]


def test_the_lens_of_a_changed_model_is_that_of_its_streams():
    model = small()
    off = core.logit_lens(model, IDS, [5], replace=scale_parts(model.config, mlps={2: 0.0}))
    np.testing.assert_allclose(off.probabilities[-1], off.probabilities[-2])
    plain = core.logit_lens(model, IDS, [5])
    np.testing.assert_array_equal(off.probabilities[:-2], plain.probabilities[:-2])


def test_a_session_s_wrong_token_or_position_is_told():
    model = small()
    with pytest.raises(ValueError, match="tokens 0 to 10"):
        core.logit_lens(model, IDS, [11])
    for positions in ([8], [-9], []):
        with pytest.raises(ValueError, match="tokens 0 to 7"):
            core.logit_lens(model, IDS, positions=positions)
    with pytest.raises(ValueError, match=r"tokens \[1\.7\]: give whole numbers"):
        core.logit_lens(model, IDS, [1.7])
    with pytest.raises(ValueError, match=r"positions \[1\.7\]: give whole numbers"):
        core.logit_lens(model, IDS, positions=[1.7])


def test_the_marked_lines_computed_the_values_of_the_lens(model):
    with MarkedLines() as watched:
        trace = trace_lens(model, IDS, [7, 2, 5], position=-2)
    lens = core.logit_lens(model, IDS, [7, 2, 5], positions=[-2])
    places = trace.children()
    assert [trace[at].name for at in places] == [f"lens.{site.kind}" for site in lens.places]
    for row, place in enumerate(places):
        steps = [trace[at] for at in trace.children(place)]
        for step in steps:
            watched.left(step)
        assert [step.name for step in steps][-2:] == ["lens.unembed", "lens.softmax"]
        shown = steps[-1].value("probabilities")
        np.testing.assert_allclose(shown, lens.probabilities[row, 0], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(trace[place].value("probabilities"), shown)
