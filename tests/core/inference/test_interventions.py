"""Heads and MLPs that write less, the mean, or what they write of another text."""

import numpy as np
import pytest
import torch

import core
from core.inference.activations import looking_at
from core.inference.generation import generate_steps
from core.inference.heads import repeated_ids
from core.inference.interventions import (
    AS_IT_IS,
    Intervention,
    combine_replacements,
    compare_intervention,
    mean_ablation,
    patch_activations,
    patch_fits,
    scale_parts,
)
from core.inference.sampling import Sampling
from core.transformer.look import Look, Site
from tests.core.inference.test_context import count_reads, model_of
from tests.core.transformer.test_look import small

IDS, OTHER = [3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]


def run(model, replace=None, sites=(), ids=IDS):
    look = Look(sites, replace)
    with looking_at(model):
        logits = model(torch.tensor([ids]), look)[0]
    return logits, look.values


def test_a_head_off_equals_a_model_without_its_rows_of_the_projection():
    model = small()
    off, _ = run(model, scale_parts(model.config, heads={(1, 2): 0.0}))
    D = model.config.head_width
    with torch.no_grad():
        model.blocks[1].attn.c_proj.weight[:, 2 * D : 3 * D] = 0
    torch.testing.assert_close(off, run(model)[0])


def test_an_mlp_off_adds_nothing_to_the_stream():
    model = small()
    mid, out = Site("decoder", 1, "residual_mid"), Site("decoder", 1, "residual_out")
    _, kept = run(model, scale_parts(model.config, mlps={1: 0.0}), (mid, out))
    torch.testing.assert_close(kept[out], kept[mid])


def test_a_factor_of_one_changes_nothing_and_two_adds_twice():
    model = small()
    mid, out = Site("decoder", 2, "residual_mid"), Site("decoder", 2, "residual_out")
    plain, before = run(model, sites=(mid, out))
    same = scale_parts(model.config, {(0, 1): 1.0}, {2: 1.0})
    torch.testing.assert_close(run(model, same)[0], plain)
    _, twice = run(model, scale_parts(model.config, mlps={2: 2.0}), (mid, out))
    added = before[out] - before[mid]
    torch.testing.assert_close(twice[out], before[mid] + 2 * added)


def test_a_mean_head_writes_the_same_at_every_token_and_others_stay():
    model = small()
    site = Site("decoder", 1, "head_output")
    replace = mean_ablation(model, IDS, heads=[(1, 0)])
    _, plain = run(model, sites=(site,))
    _, kept = run(model, replace, (site,))
    mean = plain[site][:, 0].mean(1, keepdim=True).expand(-1, len(IDS), -1)
    torch.testing.assert_close(kept[site][:, 0], mean)
    torch.testing.assert_close(kept[site][:, 1:], plain[site][:, 1:])


def test_a_whole_patched_stream_gives_the_other_text_its_logits():
    model = small()
    patch = patch_activations(model, OTHER, [Site("decoder", 0, "residual_in")])
    with looking_at(model):
        other = model(torch.tensor([OTHER]))[0]
    torch.testing.assert_close(run(model, patch)[0], other)


def test_a_patched_head_alone_comes_from_the_other_text():
    model = small()
    site = Site("decoder", 0, "head_output")
    _, kept = run(model, patch_activations(model, OTHER, (), heads=[(0, 3)]), (site,))
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
        ({}, {-4: 0.0}, "layers 0 to 2"),
        ({(0.5, 0): 0.0}, {}, "layer 0.5: give whole numbers"),
    ],
)
def test_what_is_not_there_is_told(heads, mlps, said):
    with pytest.raises(ValueError, match=said):
        scale_parts(small().config, heads, mlps)


def test_texts_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="the same number"):
        patch_fits(IDS, np.array(IDS[:3]))


def test_a_patch_at_some_tokens_leaves_the_others():
    model, site = small(), Site("decoder", 1, "residual_in")
    _, kept = run(model, patch_activations(model, OTHER, [site], positions=[2, -1]), (site,))
    _, mine = run(model, sites=(site,))
    _, theirs = run(model, sites=(site,), ids=OTHER)
    torch.testing.assert_close(kept[site][:, [2, 7]], theirs[site][:, [2, 7]])
    rest = [0, 1, 3, 4, 5, 6]
    torch.testing.assert_close(kept[site][:, rest], mine[site][:, rest])


def test_patched_attention_of_a_text_stays_where_more_is_written_after_it():
    model, site = small(), Site("decoder", 1, "weights")
    patch = patch_activations(model, OTHER[:5], [site])
    _, kept = run(model, patch, (site,))
    _, mine = run(model, sites=(site,))
    _, theirs = run(model, sites=(site,), ids=OTHER[:5])
    torch.testing.assert_close(kept[site][..., :5, :5], theirs[site])
    assert not kept[site][..., :5, 5:].any()
    torch.testing.assert_close(kept[site][..., 5:, :], mine[site][..., 5:, :])
    with pytest.raises(ValueError, match="the same number"):
        compare_intervention(model, IDS[:4], patch_activations(model, OTHER, [site]))


def test_several_kinds_at_once_each_do_their_part():
    model = small()
    heads, mlp = Site("decoder", 1, "head_output"), Site("decoder", 1, "mlp_output")
    both = combine_replacements(
        scale_parts(model.config, {(1, 0): 0.0}, {1: 0.5}),
        mean_ablation(model, IDS, heads=[(1, 2)]),
        patch_activations(model, OTHER, (), heads=[(1, 3)]),
    )
    _, kept = run(model, both, (heads, mlp))
    _, plain = run(model, sites=(heads,))
    _, theirs = run(model, sites=(heads,), ids=OTHER)
    wanted = plain[heads].clone()
    wanted[:, 0] = 0
    wanted[:, 2] = wanted[:, 2].mean(1, keepdim=True)
    wanted[:, 3] = theirs[heads][:, 3]
    torch.testing.assert_close(kept[heads], wanted)
    _, half = run(model, scale_parts(model.config, {(1, 0): 0.0}), (mlp,))
    assert set(both) == {heads, mlp} and not torch.equal(kept[mlp], half[mlp])


def test_an_intervention_is_what_its_parts_are():
    model, site = small(), Site("decoder", 1, "residual_in")
    assert Intervention().replacements(model, IDS) == {}
    assert Intervention(mean=True).replacements(model, IDS) == {}
    heads, mlps = ((0, 1), (2, 3)), (1,)
    one = Intervention(heads, mlps, patch=tuple(OTHER), layer=1, positions=(2,))
    parts = scale_parts(model.config, dict.fromkeys(heads, 0.0), dict.fromkeys(mlps, 0.0))
    wanted = combine_replacements(patch_activations(model, OTHER, [site], positions=[2]), parts)
    torch.testing.assert_close(run(model, one.replacements(model, IDS))[0], run(model, wanted)[0])
    mean = run(model, Intervention(heads, mlps, mean=True).replacements(model, IDS))[0]
    torch.testing.assert_close(mean, run(model, mean_ablation(model, IDS, heads, mlps))[0])
    with pytest.raises(ValueError, match="the same number"):
        Intervention(patch=(1, 2)).replacements(model, IDS)


def test_a_comparison_says_what_changes_in_logits_probability_and_loss():
    model, off = small(), scale_parts(small().config, mlps={0: 0.0, 2: 0.0})
    told = compare_intervention(model, IDS, off, position=-2)
    logits, changed = run(model)[0], run(model, off)[0]
    targets = torch.tensor(IDS[1:])
    for outcome, wanted in ((told.before, logits), (told.after, changed)):
        np.testing.assert_allclose(outcome.logits, wanted[-2], rtol=1e-5)
        loss = torch.nn.functional.cross_entropy(wanted[:-1], targets)
        assert outcome.loss == pytest.approx(float(loss), rel=1e-5)
        np.testing.assert_allclose(outcome.probabilities, wanted[-2].softmax(-1), rtol=1e-4)
    assert told.loss == told.after.loss - told.before.loss != 0
    np.testing.assert_allclose(told.logits, (changed - logits)[-2], atol=1e-5)
    np.testing.assert_allclose(told.probabilities.sum(), 0, atol=1e-6)
    assert np.isnan(compare_intervention(model, IDS[:1], off).loss)


def continuation(model, count, change=AS_IT_IS, **settings) -> list[int]:
    """The likeliest tokens after IDS, one after the other."""
    greedy = Sampling(temperature=0.0)
    steps = generate_steps(model, IDS, count, greedy, intervention=change, **settings)
    return [step.id for step in steps]


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("changes", [{}, {"window": (3,)}, {"positions": "rope"}], ids=str)
def test_a_changed_model_reads_no_token_twice_and_writes_what_it_would_anyway(changes, mean):
    model = model_of(**changes)
    change = Intervention(((0, 1), (1, 0)), (0,), mean, tuple(OTHER), 1, (2, 7))
    replace, text = change.replacements(model, IDS), list(IDS)
    for _ in range(6):
        with looking_at(model):
            text.append(int(model(torch.tensor([text]), Look((), replace))[0, -1].argmax()))
    written = text[len(IDS) :]
    assert continuation(model, 6) != written
    assert continuation(model, 6, change) == written
    beyond = continuation(model, 40, change)  # the beginning falls out of what the model reads
    assert beyond[:6] == written and beyond == continuation(model, 40, change, cache=False)
    read = count_reads(model)
    continuation(model, 6, Intervention(mlps=(1,)))
    assert read == [len(IDS), 1, 1, 1, 1, 1]


def test_without_its_previous_token_head_the_bundled_model_cannot_copy():
    """Induction takes two heads (Olsson et al. 2022): without the one that looks at the token
    before, those of the next layer find nothing, and repeated noise is noise again.
    """
    lm = core.load("stories")
    ids = 200 + repeated_ids(1, 16, 2, 1000, np.random.default_rng(0))[0]
    acts = core.capture(lm.model, ids, ["attention"])
    scores = core.head_scores(acts.attention, ids)
    previous = np.unravel_index(scores.previous_token.argmax(), scores.induction.shape)
    first = int(scores.induction.max(axis=1).argmax())  # the layer of the induction heads
    assert previous[0] < first

    def loss_of_repeats(heads: list[tuple[int, int]]) -> float:
        off = scale_parts(lm.model.config, dict.fromkeys(heads, 0.0))
        told = compare_intervention(lm.model, ids, off)
        return float(told.after.surprises[17:].mean())

    assert loss_of_repeats([]) < 0.1
    assert loss_of_repeats([tuple(map(int, previous))]) > 5
    assert loss_of_repeats([(first, head) for head in range(6)]) > 5
    assert loss_of_repeats([(3, head) for head in range(6)]) < 0.5
