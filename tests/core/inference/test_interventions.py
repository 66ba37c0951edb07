"""Heads and MLPs that write less, the mean, or what they write of another text."""

import numpy as np
import pytest
import torch

from core.inference.activations import looking_at
from core.inference.interventions import averaged, patch_fits, patched, scaled
from core.transformer.look import Look, Site
from tests.core.transformer.test_look import small

IDS, OTHER = [3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]


def run(model, replace=None, sites=()):
    look = Look(sites, replace)
    with looking_at(model):
        logits = model(torch.tensor([IDS]), look)[0]
    return logits, look.values


def test_a_head_off_equals_a_model_without_its_rows_of_the_projection():
    model = small()
    off, _ = run(model, scaled(model.config, heads={(1, 2): 0.0}))
    D = model.config.head_width
    with torch.no_grad():
        model.blocks[1].attn.c_proj.weight[:, 2 * D : 3 * D] = 0
    torch.testing.assert_close(off, run(model)[0])


def test_an_mlp_off_adds_nothing_to_the_stream():
    model = small()
    mid, out = Site("decoder", 1, "residual_mid"), Site("decoder", 1, "residual_out")
    _, kept = run(model, scaled(model.config, mlps={1: 0.0}), (mid, out))
    torch.testing.assert_close(kept[out], kept[mid])


def test_a_factor_of_one_changes_nothing_and_two_adds_twice():
    model = small()
    mid, out = Site("decoder", 2, "residual_mid"), Site("decoder", 2, "residual_out")
    plain, before = run(model, sites=(mid, out))
    torch.testing.assert_close(run(model, scaled(model.config, {(0, 1): 1.0}, {2: 1.0}))[0], plain)
    _, twice = run(model, scaled(model.config, mlps={2: 2.0}), (mid, out))
    added = before[out] - before[mid]
    torch.testing.assert_close(twice[out], before[mid] + 2 * added)


def test_a_mean_head_writes_the_same_at_every_token_and_others_stay():
    model = small()
    site = Site("decoder", 1, "head_output")
    replace = averaged(model, IDS, heads=[(1, 0)])
    _, plain = run(model, sites=(site,))
    _, kept = run(model, replace, (site,))
    mean = plain[site][:, 0].mean(1, keepdim=True).expand(-1, len(IDS), -1)
    torch.testing.assert_close(kept[site][:, 0], mean)
    torch.testing.assert_close(kept[site][:, 1:], plain[site][:, 1:])


def test_a_whole_patched_stream_gives_the_other_text_its_logits():
    model = small()
    patch = patched(model, OTHER, [Site("decoder", 0, "residual_in")])
    with looking_at(model):
        other = model(torch.tensor([OTHER]))[0]
    torch.testing.assert_close(run(model, patch)[0], other)


def test_a_patched_head_alone_comes_from_the_other_text():
    model = small()
    site = Site("decoder", 0, "head_output")
    _, kept = run(model, patched(model, OTHER, (), heads=[(0, 3)]), (site,))
    _, mine = run(model, sites=(site,))
    look = Look((site,))
    with looking_at(model):
        model(torch.tensor([OTHER]), look)
    torch.testing.assert_close(kept[site][:, 3], look.values[site][:, 3])
    torch.testing.assert_close(kept[site][:, :3], mine[site][:, :3])


@pytest.mark.parametrize(
    ("heads", "mlps", "said"),
    [
        ({(3, 0): 0.0}, {}, "layers 0 to 2"),
        ({(0, 4): 0.0}, {}, "heads 0 to 3"),
        ({}, {-1: 0.0}, "layers 0 to 2"),
    ],
)
def test_what_is_not_there_is_told(heads, mlps, said):
    with pytest.raises(ValueError, match=said):
        scaled(small().config, heads, mlps)


def test_texts_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="give both as many"):
        patch_fits(IDS, np.array(IDS[:3]))
