"""The model against independent references: torch's fused attention, GPT-2 and GPT-1 of
transformers, a trained nano GPT.
"""

import numpy as np
import pytest
import torch

from core.transformer import ModelConfig, preset
from core.transformer.attention import attend, attention_weights, repeat_heads, visible_tokens
from core.transformer.gpt import GPT
from core.transformer.look import Look, Site

SMALL = {"vocab_size": 23, "block_size": 16, "n_layer": 2, "n_head": 4, "n_embd": 32}


def model(seed: int = 0, std: float | None = None, **changes) -> GPT:
    built = GPT(ModelConfig(**{**SMALL, **changes}), torch.Generator().manual_seed(seed))
    if std is not None:  # far from initialization, where mistakes would hide in small numbers
        generator = torch.Generator().manual_seed(seed + 1)
        with torch.no_grad():
            for parameter in built.parameters():
                parameter.normal_(0.0, std, generator=generator)
    return built.eval()


def ids(batch: int = 2, length: int = 16, seed: int = 0, vocab_size: int = 23) -> torch.Tensor:
    return torch.randint(vocab_size, (batch, length), generator=torch.Generator().manual_seed(seed))


VARIANTS = [
    {},
    {"bias": False},
    {"norm_placement": "post"},
    {"mlp": "relu"},
    {"mlp": "gelu"},
    {"window": (None, 3)},
    {"tie_weights": False},
    {"head_size": 5, "n_inner": 17},
    {"positions": "rope"},
    {"norm": "rms_norm"},
    {"norm": "rms_norm", "norm_placement": "post", "bias": False},
    {"mlp": "swiglu"},
    {"n_kv_head": 2},
    {"n_kv_head": 1, "positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "window": (3, None)},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_explicit_attention_equals_the_fused_kernel(changes):
    built = model(std=0.3, **changes)
    config = built.config
    kinds = ("queries", "keys", "weights")
    sites = [Site("decoder", layer, kind) for layer in range(2) for kind in kinds]
    look = Look(sites)
    torch.testing.assert_close(built(ids(), look), built(ids()), atol=1e-5, rtol=1e-5)
    for layer in range(2):
        q, k, weights = (look.values[Site("decoder", layer, kind)].detach() for kind in kinds)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 16))
        visible = visible_tokens(16, config.window_of(layer))
        for b in range(2):
            keys = repeat_heads(k[b], config.n_head)
            fast = attention_weights(q[b], keys, visible, out=torch.empty_like(weights[b]))
            torch.testing.assert_close(fast, weights[b], atol=1e-6, rtol=0)


def test_heads_of_a_group_share_keys_and_values():
    """A grouped model is a plain one whose key and value weights are repeated."""
    grouped = model(std=0.3, n_kv_head=2)
    plain = model(std=0.3)
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            given = dict(grouped.named_parameters())[name]
            if "c_attn" in name:  # rows: 4 queries, 2 keys, 2 values, of 8 dimensions each
                q, k, v = given.unflatten(0, (8, 8)).split((4, 2, 2))
                twice = [part[[0, 0, 1, 1]] for part in (k, v)]
                given = torch.cat([q, *twice]).flatten(0, 1)
            parameter.copy_(given)
    torch.testing.assert_close(grouped(ids()), plain(ids()), atol=1e-5, rtol=1e-5)


def test_fewer_queries_than_keys_see_what_the_last_rows_see():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(3, 9, 4, generator=generator) for _ in range(3))
    for window in (None, 3):
        whole = attend(q, k, v, visible_tokens(9, window))
        visible = visible_tokens(9, window, n_queries=2)
        assert visible.shape == (2, 9)
        last = attend(q[:, -2:], k, v, visible)
        torch.testing.assert_close(last.weights, whole.weights[:, -2:])
        torch.testing.assert_close(last.output, whole.output[:, -2:])


def test_attend_equals_the_formula_written_in_numpy():
    generator = np.random.default_rng(0)
    q, k, v = generator.normal(size=(3, 7, 5))
    visible = np.tri(7, dtype=bool)
    scores = np.where(visible, q @ k.T / np.sqrt(5), -np.inf)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    attended = attend(*map(torch.from_numpy, (q, k, v)), torch.from_numpy(visible))
    np.testing.assert_allclose(attended.weights, weights, atol=1e-12)
    np.testing.assert_allclose(attended.output, weights @ v, atol=1e-12)
    assert torch.equal(visible_tokens(7, None), torch.from_numpy(visible))


def test_a_window_counts_the_token_itself():
    assert visible_tokens(4, 2).tolist() == [
        [True, False, False, False],
        [True, True, False, False],
        [False, True, True, False],
        [False, False, True, True],
    ]


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_a_later_token_never_changes_an_earlier_prediction(changes):
    built = model(std=0.3, **changes)
    before = ids(1)
    after = before.clone()
    after[0, 10:] = (after[0, 10:] + 1) % 23
    torch.testing.assert_close(built(before)[:, :10], built(after)[:, :10])
    assert not torch.allclose(built(before)[:, 10:], built(after)[:, 10:])


def test_initialization_is_the_papers_and_repeats_with_its_seed():
    built = model(n_layer=8, n_embd=64, vocab_size=500)
    assert built.wte.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert built.h[0].attn.c_proj.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    assert all(
        torch.equal(a, b) for a, b in zip(model(5).parameters(), model(5).parameters(), strict=True)
    )
    assert not torch.equal(model(5).wte.weight, model(6).wte.weight)
    assert built.lm_head.weight is built.wte.weight


def test_the_first_loss_is_that_of_guessing():
    total, count = model().loss(ids(8), ids(8, seed=1))
    assert count == 128
    assert (total / count).item() == pytest.approx(np.log(23), abs=0.05)


def test_the_loss_ignores_minus_one_and_adds_up():
    built = model(std=0.3)
    targets = ids(2, seed=1)
    whole, n = built.loss(ids(2), targets)
    first, second = targets.clone(), targets.clone()
    first[:, 8:] = -1
    second[:, :8] = -1
    (a, n_a), (b, n_b) = built.loss(ids(2), first), built.loss(ids(2), second)
    assert (n_a + n_b).item() == n.item() == 32
    torch.testing.assert_close(a + b, whole)


def test_too_many_or_no_tokens_are_errors_with_a_remedy():
    with pytest.raises(ValueError, match="keep the last 16"):
        model()(ids(1, 17))
    with pytest.raises(ValueError, match="at least one"):
        model()(torch.zeros(1, 0, dtype=torch.long))


@pytest.mark.peers
@pytest.mark.parametrize("name", ["gpt2", "gpt1"])
def test_logits_equal_transformers(name):
    """The same weights in transformers' GPT-2 and GPT-1 give the same logits."""
    transformers = pytest.importorskip("transformers")
    shape = {"n_layer": 2, "n_head": 4, "n_embd": 32}
    if name == "gpt2":
        theirs = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(vocab_size=23, n_positions=16, **shape)
        )
    else:
        theirs = transformers.OpenAIGPTLMHeadModel(
            transformers.OpenAIGPTConfig(vocab_size=23, n_positions=16, **shape)
        )
    ours = model(std=0.2, norm_placement=preset(name).norm_placement)
    names = {"tokens_embed": "wte", "positions_embed": "wpe"}
    with torch.no_grad():
        own = dict(ours.named_parameters())
        for key, parameter in theirs.transformer.named_parameters():
            for theirs_name, our_name in names.items():
                key = key.replace(theirs_name, our_name)
            turned = (
                own[key].T if own[key].dim() == 2 and key.startswith("h.") else own[key]
            )  # Conv1D is (in, out)
            parameter.copy_(turned)
        logits = theirs.eval()(ids()).logits
    torch.testing.assert_close(ours(ids()), logits, atol=1e-5, rtol=1e-5)


def test_nano_sort_equals_its_recorded_intermediates():
    """A trained 85,728-parameter GPT with recorded logits, where they are at hand."""
    from tests.benchmarks.bench_model import nano_sort_errors, nano_sort_files

    for path in nano_sort_files():
        if not path.exists():
            pytest.skip(f"there is no {path}; LLM_EXPLORER_SHARED names the folder of data/")
    errors = nano_sort_errors()
    assert errors["logits"] <= 1e-5 and errors["attention row"] <= 1e-5


@pytest.mark.parametrize("changes", [{}, {"window": (None, 3)}], ids=str)
def test_learning_in_bf16_follows_the_fp32_gradients(changes):
    """In bf16 a CPU learns through the explicit path, in fp32 through the fused kernel."""
    gradients = []
    for context in (torch.autocast("cpu", torch.bfloat16), torch.autocast("cpu", enabled=False)):
        built = model(std=0.1, **changes).train()
        with context:
            total, count = built.loss(ids(), ids(seed=1))
        (total / count).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in built.parameters()]))
    low, full = gradients
    assert torch.nn.functional.cosine_similarity(low, full, dim=0) > 0.999


def test_weights_too_small_for_a_normal_number_are_zero_when_looking():
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(2, 64, 16, generator=generator) * 8 for _ in range(2))
    visible = visible_tokens(64, None)
    exact = attend(q, k, torch.zeros(2, 64, 1), visible).weights
    smallest = torch.finfo(torch.float32).tiny
    assert ((exact > 0) & (exact < smallest)).any(), "these heads are sharp enough"
    weights = attention_weights(q, k, visible, out=torch.empty_like(exact))
    assert not ((weights > 0) & (weights < smallest)).any()
    torch.testing.assert_close(weights, exact, atol=1e-6, rtol=0)


def test_wrapped_blocks_run_like_bare_ones():
    """Whoever wraps each block, to recompute or compile it, gets the same model."""
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    bare, wrapped = model(std=0.3), model(std=0.3)
    for layer, block in enumerate(wrapped.h):
        wrapped.h[layer] = checkpoint_wrapper(block)
    assert len(wrapped.blocks) == 2 and wrapped.blocks[1].attn.n_head == 4
    assert torch.equal(wrapped(ids()), bare(ids()))
