"""Direct logit attribution: the terms are what the parts wrote, and add up to the logit."""

import pytest
import torch

import core
from core.inference.activations import looking_at
from core.inference.attribution import Parts, head_weights, written_by
from core.inference.interventions import patch_activations, scale_parts
from core.inference.lens_trace import trace_contribution
from core.transformer.look import Look, Site
from tests.core.families import FAMILIES
from tests.core.test_trace import MarkedLines
from tests.core.transformer.test_look import small

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.fixture(params=FAMILIES)
def model(request):
    return small(**FAMILIES[request.param])


@pytest.mark.parametrize("against", [None, 4])
@pytest.mark.parametrize("position", [-1, 0, 3])
def test_the_terms_add_up_to_the_logit(model, position, against):
    found = core.attribute(model, IDS, 7, against=against, position=position)
    with looking_at(model):
        logits = model(torch.tensor([IDS]))[0, position]
    logit = float(logits[7] - (0 if against is None else logits[4]))
    assert found.logit == pytest.approx(logit)
    told = sum(term.value for term in found.terms if term.kind != "unexplained")
    largest = max(abs(term.value) for term in found.terms)
    assert abs(told - logit) <= 1e-4 * max(abs(logit), largest)


def test_what_the_heads_write_and_the_bias_are_what_attention_adds(model):
    sites = [Site("decoder", 1, kind) for kind in ("head_output", "attention_output")]
    look = Look(sites)
    with looking_at(model):
        model(torch.tensor([IDS]), look)
    heads, added = (look.values[site][0].double() for site in sites)
    attn = model.blocks[1].attn
    written = sum(head_weights(attn).transpose(1, 2)[h] @ heads[h].T for h in range(4)).T  # (T, C)
    bias = attn.c_proj.bias
    written = written if bias is None else written + bias.detach().double()
    assert (written - added).norm() <= 1e-4 * added.norm()
    parts = Parts(model, IDS)
    last = written_by(parts.at("head_output", 1)[:, None], head_weights(attn))[:, 0].sum(0)
    last = last if bias is None else last + bias.detach().double()
    torch.testing.assert_close(last, added[-1], rtol=1e-4, atol=1e-5)


def test_a_term_is_the_slope_of_the_logit_with_the_norms_held(model):
    """Independent of the folding: autograd, through norms whose scales are detached, says how much
    of the logit a head's output is; the model is linear in it then, so slope times value is it.
    """
    found = core.attribute(model, IDS, 7)

    def held(module, inputs):
        x = inputs[0]
        weight, bias = module.weight, getattr(module, "bias", None)
        if model.config.norm == "layer_norm":
            scale = (x.var(-1, correction=0, keepdim=True) + module.eps).sqrt().detach()
            x = (x - x.mean(-1, keepdim=True)) / scale
        else:
            x = x / (x.square().mean(-1, keepdim=True) + module.eps).sqrt().detach()
        return x * weight if bias is None else x * weight + bias

    taken, site = {}, Site("decoder", 1, "mlp_output")

    def keep(value):
        taken["mlp"] = value.detach().requires_grad_()
        return taken["mlp"]

    hooks = []
    if model.config.norm_placement == "pre":
        hooked = [model.ln_f]
    else:  # of the layers after it, and its own; attention reads what it may, at no slope
        hooked = [norm for block in model.blocks for norm in (block.ln_1, block.ln_2)]
    for norm in hooked:
        hooks.append(norm.register_forward_hook(lambda module, inputs, _: held(module, inputs)))
    still = {Site("decoder", 2, kind): torch.Tensor.detach for kind in ("attention_output",)}
    still |= {Site("decoder", 2, "mlp_output"): torch.Tensor.detach}
    logits = model(torch.tensor([IDS]), Look((), {site: keep, **still}))
    (slope,) = torch.autograd.grad(logits[0, -1, 7], taken["mlp"])
    for hook in hooks:
        hook.remove()
    wanted = float((slope[0, -1] * taken["mlp"].detach()[0, -1]).sum())
    assert found.of("mlp")[1] == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_which_terms_there_are_says_the_config(model):
    found = core.attribute(model, IDS)
    config, kinds = model.config, [term.kind for term in found.terms]
    assert kinds[0] == "embedding" and kinds[-1] == "unexplained"
    assert ("position" in kinds) == (config.positions != "rope")
    assert len(found.of("head")) == 12 and len(found.of("mlp")) == 3
    assert len(found.of("attention_bias")) == (3 if config.bias else 0)
    has_bias = config.bias and config.norm == "layer_norm"
    assert ("norm_bias" in kinds) == has_bias
    assert found.norms == (6 if config.norm_placement == "post" else 1)
    heads = [(term.layer, term.head) for term in found.terms if term.kind == "head"]
    assert heads == [(layer, head) for layer in range(3) for head in range(4)]


def test_a_head_that_is_off_adds_nothing_and_a_patched_stream_is_unexplained():
    model = small()
    off = core.attribute(model, IDS, 7, replace=scale_parts(model.config, {(1, 2): 0.0}))
    one = next(term for term in off.terms if (term.layer, term.head) == (1, 2))
    assert one.value == 0 == one.length
    assert abs(off.of("unexplained")[0]) < 1e-3
    patch = patch_activations(model, IDS[::-1], [Site("decoder", 1, "residual_in")])
    assert abs(core.attribute(model, IDS, 7, replace=patch).of("unexplained")[0]) > 0.1


def test_a_token_that_is_not_there_is_told():
    model = small()
    for token, against in ((11, None), (-1, None), (3, 99)):
        with pytest.raises(ValueError, match="tokens 0 to 10"):
            core.attribute(model, IDS, token, against=against)
    with pytest.raises(ValueError, match="tokens 0 to 7"):
        core.attribute(model, IDS, 3, position=8)


@pytest.mark.parametrize("head", [None, 3])
def test_the_marked_lines_computed_a_contribution(model, head):
    with MarkedLines() as watched:
        trace = trace_contribution(model, IDS, 1, head, 7)
    for step in trace:
        watched.left(step)
    found = core.attribute(model, IDS, 7)
    kind = "mlp" if head is None else "head"
    (term,) = [t for t in found.terms if (t.kind, t.layer, t.head) == (kind, 1, head)]
    contribution = float(trace[len(trace) - 1].value("contribution"))
    assert contribution == pytest.approx(term.value, rel=1e-9)


@pytest.mark.parametrize(("layer", "head", "said"), [(3, 0, "layers 0 to 2"), (0, 4, "heads 0 to")])
def test_a_part_that_is_not_there_is_told(layer, head, said):
    with pytest.raises(ValueError, match=said):
        trace_contribution(small(), IDS, layer, head, 7)


def test_the_induction_heads_tell_the_bundled_model_what_came_next():
    """Of all heads those push "kite" that look at what followed the first "red"."""
    lm = core.load("stories")
    text = (
        "Once upon a time, Mira found a red kite. Tom went home. Once upon a time, Mira found a red"
    )
    ids = lm.tokenizer.encode(text).ids
    scores = core.head_scores(core.capture(lm.model, ids, ["attention"]).attention, ids).induction
    found = core.attribute(lm.model, ids)
    assert lm.tokenizer.decode([found.token]) == " kite"
    heads = found.of("head").reshape(scores.shape)
    is_induction = scores > 0.3
    assert is_induction.sum() == 6 and heads[is_induction].min() > 0.4
    assert heads[is_induction].sum() > 5 and abs(heads[~is_induction].sum()) < 2
