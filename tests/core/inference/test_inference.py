"""Capturing, head scores, the attention trace and generation, against plain forward passes and
arithmetic by hand.
"""

import numpy as np
import pytest
import torch

from core.inference.activations import VIEWS, Activations, capture
from core.inference.attention_trace import (
    downstream_of,
    trace_attention,
    trace_attention_from,
)
from core.inference.generation import generate, generate_steps
from core.inference.heads import head_scores, repeated_ids
from core.inference.interventions import scale_parts
from core.inference.sampling import Sampling, next_token
from core.tensor_files import write_tensors
from core.training.reader import Probe
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look, Site

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


SHAPES = {
    "pre": {},
    "post": {"norm_placement": "post"},
    "window": {"window": (None, 3)},
    "rotary": {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu"},
    "grouped": {"positions": "rope", "n_kv_head": 1},
}


def next_probabilities(logits, temperature=1.0, top_k=None, top_p=None, min_p=None):
    """Logits (V,) -> what a token is drawn from (V,)."""
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    return next_token(logits, sampling).kept.to(logits.dtype)


@pytest.fixture(params=SHAPES)
def model(request) -> GPT:
    changes = SHAPES[request.param]
    config = ModelConfig(
        vocab_size=11, block_size=12, n_layer=3, n_head=2, n_embd=16, dropout=0.2, **changes
    )
    built = GPT(config, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.normal_(0.0, 0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    return built


def test_capture_equals_a_plain_forward_pass(model):
    acts = capture(model, IDS)
    with torch.no_grad():
        logits = model.eval()(torch.tensor([IDS]))[0]
    np.testing.assert_allclose(acts.logits, logits, atol=1e-5)
    assert acts.attention.shape == (3, 2, 8, 8) and acts.residual.shape == (4, 8, 16)
    assert acts.queries.shape == (3, 2, 8, 8)
    assert acts.keys.shape == acts.values.shape == (3, model.config.kv_heads, 8, 8)
    np.testing.assert_allclose(acts.attention.sum(-1), 1.0, atol=1e-6)
    assert np.all(acts.attention[:, :, *np.triu_indices(8, 1)] == 0)


def test_the_residual_stream_leads_from_the_embedding_to_the_logits(model):
    acts = capture(model, IDS, ("residual", "logits"))
    with torch.no_grad():
        model.eval()
        np.testing.assert_allclose(acts.residual[0], model.embed(torch.tensor([IDS]))[0], atol=1e-6)
        last = torch.from_numpy(acts.residual[-1])[None]
        np.testing.assert_allclose(model.lm_head(model.ln_f(last))[0], acts.logits, atol=1e-5)
    assert acts.attention is None and set(acts.sites()) == {"residual", "logits"}


def test_capture_leaves_the_model_as_it_was(model):
    model.train()
    random_state = torch.get_rng_state()
    capture(model, IDS)
    assert model.training and torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([], "at least one"),
        (range(13), "at most 12"),
        ([11], "not in the vocabulary"),
        ([-1], "not in the vocabulary"),
    ],
)
def test_ids_that_cannot_be_are_refused(model, ids, message):
    with pytest.raises(ValueError, match=message):
        capture(model, list(ids))
    with pytest.raises(ValueError, match=message):
        trace_attention(model, list(ids), 0, 0)


def test_one_number_is_no_text(model):
    with pytest.raises(ValueError, match="give a list of whole numbers"):
        capture(model, 5)


def test_an_unknown_site_names_the_known_ones(model):
    for wrong in ("atention", "decoder.0.atention", 1):
        with pytest.raises(ValueError, match="unknown site .*" + ", ".join(VIEWS)):
            capture(model, IDS, (wrong,))
    with pytest.raises(ValueError, match="layers 0 to 2"):
        capture(model, IDS, ("decoder.3.weights",))


def test_single_sites_and_views_are_slices_of_one_another(model):
    kinds = ("weights", "queries", "keys", "values", "residual_in", "residual_out")
    names = [f"decoder.{layer}.{kind}" for layer in range(3) for kind in kinds]
    names += ["decoder.embedding", "decoder.logits"]
    views, single = capture(model, IDS), capture(model, IDS, names)
    assert list(single.sites()) == names and single.attention is None
    for name in names:
        np.testing.assert_allclose(single.at(name), views.at(name), atol=1e-5)
    assert np.shares_memory(views.at("decoder.2.weights"), views.attention)
    away = ("decoder.0.scores", "decoder.3.weights", "decoder.3.residual_in", "encoder.0.weights")
    for wrong in away:
        with pytest.raises(ValueError, match="was not captured; there are attention, logits"):
            views.at(wrong)


def test_a_model_in_bf16_is_captured_as_float32(model):
    full, low = capture(model, IDS), capture(model.bfloat16(), IDS)
    assert all(array.dtype == np.float32 for array in low.sites().values())
    np.testing.assert_allclose(low.attention.sum(-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(low.queries[0], full.queries[0], atol=0.1)


def test_any_kind_of_site_can_be_captured_alone(model):
    kinds = ("scores", "masked", "head_output", "mlp_hidden", "residual_mid")
    acts = capture(model, IDS, [Site("decoder", 1, kind) for kind in kinds])
    scores, masked = acts.at("decoder.1.scores"), acts.at("decoder.1.masked")
    assert scores.shape == masked.shape == (2, 8, 8)
    seen = np.isfinite(masked)
    np.testing.assert_allclose(masked[seen], scores[seen] / np.sqrt(8), rtol=1e-6)
    assert acts.at("decoder.1.head_output").shape == (2, 8, 8)
    assert acts.at("decoder.1.mlp_hidden").shape == (8, model.config.inner_width)
    assert acts.at("decoder.1.residual_mid").shape == (8, 16)


def test_activations_come_back_from_their_arrays_by_name(model):
    acts = capture(model, IDS, ("attention", "decoder.1.mlp_hidden"))
    again = Activations.of({"ids": acts.ids, **acts.sites()})
    np.testing.assert_array_equal(again.attention, acts.attention)
    np.testing.assert_array_equal(again.at("decoder.1.mlp_hidden"), acts.at("decoder.1.mlp_hidden"))
    with pytest.raises(ValueError, match="unknown site 'feelings'"):
        Activations.of({"ids": acts.ids, "feelings": acts.ids})


def test_the_file_of_a_probe_from_before_there_were_sites_opens(tmp_path):
    """As an earlier version wrote it: whole views, the cadence's attention as uint8."""
    generator = np.random.default_rng(0)
    ids = np.arange(5, dtype=np.int64)
    arrays = {
        name: generator.normal(size=(2, 3, 5, 4)).astype(np.float32)
        for name in ("queries", "keys", "values")
    }
    arrays["attention"] = (np.tri(5)[None, None] / np.arange(1, 6)[:, None]).repeat(3, 1)
    arrays["attention"] = arrays["attention"].repeat(2, 0).astype(np.float32)
    arrays["residual"] = generator.normal(size=(3, 5, 12)).astype(np.float32)
    arrays["logits"] = generator.normal(size=(5, 7)).astype(np.float32)
    write_tensors(tmp_path / "look-step-000812.safetensors", {"ids": ids, **arrays})
    light = (arrays["attention"] * 255 + 0.5).astype(np.uint8)
    write_tensors(tmp_path / "step-000812.safetensors", {"ids": ids, "attention": light})

    acts = Activations.of(Probe(812, "look", tmp_path / "look-step-000812.safetensors").load())
    for name, array in {"ids": ids, **arrays}.items():
        np.testing.assert_array_equal(getattr(acts, name), array)
    np.testing.assert_array_equal(acts.at("decoder.1.weights"), arrays["attention"][1])
    trace = trace_attention_from(
        acts.queries[0], acts.keys[0], acts.values[0], acts.ids, layer=0, head=2
    )
    weights = {step.name: step for step in trace}["attention.softmax"].value("weights")
    scores = acts.queries[0, 2, -1] @ acts.keys[0, 2].T / 2
    np.testing.assert_allclose(weights[0], np.exp(scores) / np.exp(scores).sum(), rtol=1e-5)
    light_acts = Activations.of(Probe(812, "", tmp_path / "step-000812.safetensors").load())
    assert light_acts.attention.dtype == np.uint8 and light_acts.logits is None


def test_previous_token_score_of_the_worked_example():
    """Rows [1], [.5 .5], [.2 .3 .5], [.1 .15 .5 .25]: (0.5 + 0.3 + 0.5) over the three rows that
    have a token before.
    """
    attention = np.array(
        [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.3, 0.5, 0], [0.1, 0.15, 0.5, 0.25]]
    )[None, None]
    scores = head_scores(attention, [7, 8, 9, 7])
    assert scores.previous_token.item() == pytest.approx((0.5 + 0.3 + 0.5) / 3)
    assert scores.first_token.item() == pytest.approx((0.5 + 0.2 + 0.1) / 3)
    assert scores.duplicate.item() == pytest.approx(0.1)  # row 3 looks at row 0, the same token
    assert scores.induction.item() == pytest.approx(0.15)  # row 3 looks at row 1, what followed it


def test_scores_of_ideal_heads_are_one():
    ids = np.tile(np.arange(6), 3)
    T = ids.size
    ideal = {
        "previous_token": np.eye(T, k=-1),
        "first_token": np.tile(np.eye(T)[0], (T, 1)),
        "induction": np.eye(T, k=-5),
        "duplicate": np.eye(T, k=-6),
    }
    for name, pattern in ideal.items():
        score = head_scores(pattern[None, None], ids).by_name()[name].item()
        expected = (
            1.0 if name in ("previous_token", "first_token") else pytest.approx(1.0, abs=0.55)
        )
        assert score == expected, name
    uniform = np.tri(T) / np.arange(1, T + 1)[:, None]
    assert head_scores(uniform[None, None], ids).entropy.item() == pytest.approx(1.0)
    assert head_scores(np.eye(T)[None, None], ids).entropy.item() == 0.0
    with pytest.raises(ValueError, match="does not belong"):
        head_scores(uniform[None, None], ids[:4])


def test_nothing_repeats_means_no_induction():
    scores = head_scores(np.eye(4)[None, None], [1, 2, 3, 4])
    assert scores.induction.item() == scores.duplicate.item() == 0.0


def test_repeated_ids_repeat():
    sequences = repeated_ids(4, 5, 3, 100, np.random.default_rng(0))
    assert sequences.shape == (4, 15)
    assert np.array_equal(sequences[:, :5], sequences[:, 10:])


@pytest.mark.parametrize("query", [0, 4, -1])
def test_the_attention_trace_ends_where_the_model_does(model, query):
    acts = capture(model, IDS)
    for layer in range(3):
        trace = trace_attention(model, IDS, layer, 1, query)
        assert trace.complete and len(trace) == 11 and trace.about["query"] == query % 8
        steps = {step.name.split(".")[1]: step for step in trace}
        row, kv_head = trace.about["query"], trace.about["kv_head"]
        assert kv_head == (0 if model.config.n_kv_head == 1 else 1)
        np.testing.assert_allclose(
            steps["softmax"].value("weights")[0], acts.attention[layer, 1, row], atol=1e-6
        )
        q = steps["project"].value("q")[0, 1]
        k, v = (steps["project"].value(name)[0, kv_head] for name in "kv")
        np.testing.assert_allclose(q, acts.queries[layer, 1], atol=1e-6)
        np.testing.assert_allclose(steps["products"].value("products")[0], q[row] * k, atol=1e-6)
        np.testing.assert_allclose(steps["scores"].value("scores")[0], k @ q[row], atol=1e-4)
        np.testing.assert_allclose(
            steps["scale"].value("scaled"), steps["scores"].value("scores") / np.sqrt(8)
        )
        hidden = np.isneginf(steps["mask"].value("masked")[0])
        assert np.array_equal(hidden, acts.attention[layer, 1, row] == 0)
        np.testing.assert_allclose(
            steps["weigh"].value("weighted")[0].sum(0),
            steps["output"].value("output")[0],
            atol=1e-5,
        )
        np.testing.assert_allclose(
            steps["output"].value("output")[0], acts.attention[layer, 1, row] @ v, atol=1e-5
        )


def test_a_step_shows_first_what_it_made_and_with_it_all_that_its_line_reads(model):
    trace = trace_attention(model, IDS, 1, 1, 5)
    names = {step.name.split(".")[1]: tuple(step.values) for step in trace}
    assert names == {
        "project": ("q", "k", "v"),
        "products": ("products", "query", "keys"),
        "scores": ("scores", "q", "k"),
        "scale": ("scaled", "scores", "root"),
        "mask": ("masked", "scaled", "visible"),
        "softmax": ("weights", "masked"),
        "weigh": ("weighted", "weight", "values"),
        "output": ("output", "weights", "v"),
        "mix": ("written", "heads", "weights"),
        "add": ("added", "residual", "others", "written"),
        "predict": ("probabilities", "scaled"),
    }


@pytest.mark.parametrize("query", [0, 5, -1])
def test_what_the_heads_write_is_the_models_attention_and_ends_in_its_logits(model, query):
    n_layer, H = model.config.n_layer, model.config.n_head
    kinds = ("head_output", "attention_output", "residual_in", "residual_mid")
    wanted = [f"decoder.{layer}.{kind}" for layer in range(n_layer) for kind in kinds]
    acts = capture(model, IDS, [*wanted, "logits"])
    for layer in range(n_layer):
        read, attention, residual, after = (
            acts.at(f"decoder.{layer}.{kind}")[..., query, :] for kind in kinds
        )
        projection = model.h[layer].attn.c_proj
        rows = projection.weight.detach().numpy().T.reshape(H, -1, 16)  # (H, D, C)
        for head in range(H):
            trace = trace_attention(model, IDS, layer, head, query)
            step = {step.name.split(".")[1]: step for step in trace}
            np.testing.assert_allclose(step["mix"].value("heads")[0, 0], read[head], atol=1e-5)
            written = step["mix"].value("written")[0, 0]
            np.testing.assert_allclose(written, read[head] @ rows[head], atol=1e-5)
            np.testing.assert_allclose(written, trace.about["by_head"][head], atol=1e-6)
            total = trace.about["by_head"].sum(0)
            total = total if trace.about["bias"] is None else total + trace.about["bias"]
            np.testing.assert_allclose(total, attention, rtol=1e-4, atol=1e-5)
            others = step["add"].value("others")[0]
            np.testing.assert_allclose(written + others, attention, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(step["add"].value("residual")[0], residual, atol=1e-5)
            added = torch.tensor(step["add"].value("added"))
            if model.config.norm_placement == "post":
                added = model.h[layer].ln_1(added).detach()
            np.testing.assert_allclose(added[0], after, atol=1e-4)
            scaled, largest = step["predict"].value("scaled"), acts.logits[query].max()
            np.testing.assert_allclose(scaled, acts.logits[query] - largest, atol=1e-5)
            expected = next_probabilities(torch.tensor(acts.logits[query]))
            probabilities = step["predict"].value("probabilities")
            np.testing.assert_allclose(probabilities, expected, atol=1e-6)
            assert probabilities.dtype == np.float64  # as sampling works them out


def test_what_is_captured_with_an_intervention_follows_from_it(model):
    off, plain = scale_parts(model.config, {(0, 1): 0.0}), capture(model, IDS)
    changed, look = capture(model, IDS, replace=off), Look(["decoder.logits"], off)
    with torch.no_grad():
        model.eval()(torch.tensor([IDS]), look)
    (logits,) = look.values.values()
    np.testing.assert_allclose(changed.logits, logits[0], atol=1e-5)
    np.testing.assert_allclose(changed.attention[0], plain.attention[0], atol=1e-6)
    assert np.abs(changed.attention[1] - plain.attention[1]).max() > 1e-4


@pytest.mark.parametrize("kind", ["scores", "masked", "weights", "queries"])
def test_attention_that_is_captured_is_what_an_intervention_made_of_it(model, kind):
    replace = {f"decoder.1.{kind}": lambda value: value * 0.5}
    plain, changed = capture(model, IDS), capture(model, IDS, replace=replace)
    sites = [f"decoder.{layer}.weights" for layer in range(3)]
    single = capture(model, IDS, sites, replace)
    for layer, site in enumerate(sites):
        np.testing.assert_allclose(changed.attention[layer], single.at(site), atol=1e-6)
    assert np.abs(changed.attention[1] - plain.attention[1]).max() > 1e-3


def test_a_head_that_was_switched_off_writes_nothing(model):
    off = scale_parts(model.config, {(1, 0): 0.0})
    sites = [f"decoder.{site}" for site in
             ("1.residual_in", "1.residual_mid", "2.residual_out", "logits")]  # fmt: skip
    look = Look(sites, off)
    with torch.no_grad():
        model.eval()(torch.tensor([IDS]), look)
    before, mid, last, logits = (look.values[Site.parse(site)][0, 5].numpy() for site in sites)
    acts = capture(model, IDS)
    q, k, v = acts.queries[1], acts.keys[1], acts.values[1]
    after = downstream_of(model, 1, before, last, off=[0])
    with pytest.raises(ValueError, match="heads 0 to 1"):
        downstream_of(model, 1, before, last, off=[2])
    window = model.config.window_of(1)
    for head in (0, 1):
        trace = trace_attention_from(
            q, k, v, acts.ids, layer=1, head=head, query=5, window=window, after=after
        )
        written = {step.name: step for step in trace}["attention.mix"].value("written")
        assert bool(written.any()) == (head == 1)
        added = torch.tensor(trace[9].value("added"))
        if model.config.norm_placement == "post":
            added = model.h[1].ln_1(added).detach()
        np.testing.assert_allclose(added[0], mid, atol=1e-4)
        np.testing.assert_allclose(trace[10].value("scaled"), logits - logits.max(), atol=1e-5)


def test_a_trace_from_captured_heads_equals_the_models_own(model):
    acts = capture(model, IDS)
    own = trace_attention(model, IDS, 1, 0, 5)
    window = model.config.window_of(1)
    q, k, v = acts.queries[1], acts.keys[1], acts.values[1]
    alone = trace_attention_from(q, k, v, acts.ids, layer=1, head=0, query=5, window=window)
    assert [step.name for step in alone] == [step.name for step in own][:8]
    after = downstream_of(model, 1, acts.residual[1, 5], acts.residual[-1, 5])
    other = trace_attention_from(
        q, k, v, acts.ids, layer=1, head=0, query=5, window=window, after=after
    )
    for a, b in zip(own, other, strict=True):
        assert a.name == b.name
        for name in a.values:
            np.testing.assert_allclose(a.value(name), b.value(name), atol=1e-6)


@pytest.mark.parametrize(("layer", "head", "query"), [(3, 0, 0), (0, 2, 0), (0, 0, 8), (0, 0, -9)])
def test_a_head_that_is_not_there_is_refused(model, layer, head, query):
    with pytest.raises(ValueError, match=r"there is no .* 0 to \d"):
        trace_attention(model, IDS, layer, head, query)


def test_generation_repeats_with_its_seed_and_stays_in_the_window(model):
    first = generate(model, IDS, 20, temperature=0.9, seed=3)
    assert first == generate(model, IDS, 20, temperature=0.9, seed=3)
    assert first != generate(model, IDS, 20, temperature=0.9, seed=4)
    assert first[:8] == IDS and len(first) == 28
    random_state = torch.get_rng_state()
    generate(model, IDS, 2)
    assert torch.equal(random_state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"max_new_tokens": -1}, "max_new_tokens is -1; use a whole number, 0 or more"),
        ({"max_new_tokens": 3.5}, "max_new_tokens is 3.5; use a whole number"),
        ({"seed": "x"}, "the seed must be a whole number .*, not 'x'"),
        ({"seed": 10**30}, "the seed must be a whole number"),
        ({"stop": "."}, r"stop holds '\.': it takes ids .* tokenizer.encode_ids.* stop_strings"),
        ({"stop": [3, "."]}, r"stop holds '\.'"),
        ({"stop": 99}, "token 99 of stop is not in the vocabulary, 0 to"),
        ({"ids": "hello"}, "tokenizer.encode_ids"),
        ({"ids": []}, "type at least one character"),
    ],
    ids=str,
)
def test_what_cannot_be_generated_says_the_remedy(model, changes, remedy):
    with pytest.raises(ValueError, match=remedy):
        generate(model, **{"ids": IDS, "max_new_tokens": 3, **changes})


def test_no_new_tokens_leave_the_text_as_it_is(model):
    assert generate(model, IDS, 0) == IDS


def test_greedy_generation_takes_the_largest_logit(model):
    written = generate(model, IDS, 3, temperature=0.0)
    for n in range(8, 11):
        assert written[n] == capture(model, written[:n], ("logits",)).logits[-1].argmax()


def test_generation_stops_at_its_token(model):
    plain = generate(model, IDS, 12, seed=1)
    stop = plain[10]
    steps = list(generate_steps(model, IDS, 12, seed=1, stop=stop))
    assert steps[-1].id == stop and len(steps) <= 3
    assert steps[0].probabilities.sum() == pytest.approx(1.0)


def test_top_k_and_top_p_keep_exactly_what_they_say():
    logits = torch.log(torch.tensor([0.4, 0.1, 0.3, 0.2]))
    np.testing.assert_allclose(next_probabilities(logits, top_k=2), [4 / 7, 0, 3 / 7, 0], atol=1e-6)
    np.testing.assert_allclose(
        next_probabilities(logits, top_p=0.7), [4 / 7, 0, 3 / 7, 0], atol=1e-6
    )
    np.testing.assert_allclose(
        next_probabilities(logits, top_p=0.71), [4 / 9, 0, 3 / 9, 2 / 9], atol=1e-6
    )
    np.testing.assert_allclose(next_probabilities(logits, top_p=0.01), [1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(next_probabilities(logits, temperature=0.0), [1, 0, 0, 0])
    np.testing.assert_allclose(next_probabilities(logits), [0.4, 0.1, 0.3, 0.2], atol=1e-6)
    for bad in ({"temperature": -1.0}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.5}):
        with pytest.raises(ValueError, match="must"):
            next_probabilities(logits, **bad)


@pytest.mark.parametrize("ids", [[1.7, 2.2], [[1, 2], [3, 4]], ["a"], [True, False]])
def test_ids_that_are_not_those_of_one_text_are_refused(ids):
    model = GPT(ModelConfig(vocab_size=9, block_size=8, n_layer=1, n_head=1, n_embd=4))
    with pytest.raises(ValueError, match="give a list of whole numbers"):
        capture(model, ids)


@pytest.mark.parametrize("temperature", [1e-38, 1e-45, 5e-324])
def test_the_limit_of_a_tiny_temperature_is_the_likeliest(temperature):
    logits = torch.tensor([1.0, -80.0, 3.0, 2.9999998])
    assert next_probabilities(logits, temperature).tolist() == [0, 0, 1, 0]
    assert next_probabilities(logits * 0, temperature).tolist() == [0.25] * 4
    assert next_probabilities(logits, temperature, top_k=3, top_p=0.5).tolist() == [0, 0, 1, 0]


def test_of_equally_likely_tokens_at_the_border_as_many_stay_as_top_p_needs():
    kept = next_probabilities(torch.zeros(1000), top_p=0.25) > 0
    assert kept.sum() == 250 and kept[:250].all()


@pytest.mark.peers
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_the_tokens_that_are_kept_are_transformers_of_a_large_vocabulary(seed, ties):
    """With `ties` thousands are equally likely, and of those at the border transformers, which
    sorts them in any order, keeps as many.
    """
    warpers = pytest.importorskip("transformers").generation.logits_process
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(50_257, generator=generator, dtype=torch.float64) * 3
    logits = logits.round() if ties else logits
    assert (logits.unique().numel() < logits.numel()) == ties
    for temperature in (1.0, 0.5):
        for top_k, top_p in ((None, 0.95), (None, 0.5), (None, 0.999), (40, None), (1000, 0.9)):
            scores = (logits / temperature)[None]
            if top_k is not None:
                scores = warpers.TopKLogitsWarper(top_k)(None, scores)
            if top_p is not None:
                scores = warpers.TopPLogitsWarper(top_p)(None, scores)
            kept = next_probabilities(logits, temperature, top_k, top_p)
            theirs = torch.softmax(scores[0], -1)
            if ties:
                kept, theirs = kept.sort().values, theirs.sort().values
            assert torch.equal(kept > 0, theirs > 0), (temperature, top_k, top_p)
            torch.testing.assert_close(kept, theirs)


def test_a_token_that_could_be_looked_at_counts_though_its_weight_is_0():
    """The second query spreads over two of three tokens, the third's weight has underflowed."""
    attention = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]], np.float32)[None, None]
    found = head_scores(attention, [1, 2, 3]).entropy.item()
    assert found == pytest.approx((1 + np.log(2) / np.log(3)) / 2)
    window = np.tri(3, dtype=bool) & ~np.tri(3, k=-2, dtype=bool)
    near = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]], np.float32)[None, None]
    assert head_scores(near, [1, 2, 3], window).entropy.item() == pytest.approx(1.0)
    layers = np.stack([window[None], np.tri(3, dtype=bool)[None]])
    both = head_scores(near.repeat(2, 0), [1, 2, 3], layers).entropy[:, 0]
    assert both == pytest.approx([1.0, (1 + np.log(2) / np.log(3)) / 2])
    with pytest.raises(ValueError, match="visible mask of shape"):
        head_scores(near, [1, 2, 3], window[:2])
