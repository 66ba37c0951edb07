"""The Look: what it keeps is what the model made, what it replaces goes through the lines after."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import ENDS, LAYER_KINDS, Look, Site
from core.transformer.positions import rotate, rotation_of

IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]])
SHAPES = [
    {},
    {"norm_placement": "post", "mlp": "relu", "window": (None, 3)},
    {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 2, "bias": False},
]


def small(**changes) -> GPT:
    shape = {"vocab_size": 11, "block_size": 8, "n_layer": 3, "n_head": 4, "n_embd": 16}
    built = GPT(ModelConfig(**{**shape, **changes}))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return built.eval()


def site(kind: str, layer: int = 1) -> Site:
    return Site("decoder", None if kind in ENDS else layer, kind)


def every_site() -> list[Site]:
    return [site(kind, layer) for layer in range(3) for kind in LAYER_KINDS] + [
        site(kind) for kind in ENDS
    ]


def test_a_site_is_written_and_read_as_text():
    for one in every_site():
        assert Site.parse(str(one)) == one
    assert (
        str(site("weights", 3)) == "decoder.3.weights" and str(site("logits")) == "decoder.logits"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weights", "written like decoder.0.weights"),
        ("decoder.weights", "like decoder.0.weights"),
        ("decoder.0.logits", "like decoder.logits"),
        ("decoder.0.feelings", "the kinds are queries"),
        ("decoder.-1.weights", "the kinds are"),
        ("coder.0.weights", "decoder and encoder"),
        ("decoder.0.", "the kinds are"),
        ("x" * 9000, "unknown site"),
        ("decoder." + "9" * 9000 + ".weights", "unknown site"),
    ],
)
def test_what_is_no_site_is_told_with_the_remedy(text, said):
    with pytest.raises(ValueError, match=said) as told:
        Site.parse(text)
    assert len(str(told.value)) < 400


def test_a_site_that_the_model_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"decoder\.3\.weights is not there.* 0 to 2"):
        small()(IDS, Look([site("weights", 3)]))
    with pytest.raises(ValueError, match="a decoder alone"):
        small()(IDS, Look(replace={Site("encoder", 0, "weights"): torch.zeros_like}))


def by_hand(model: GPT, change: Callable[[Site, torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """The logits in plain formulas; `change` is given each site's value and returns what it is."""
    config, H, D = model.config, model.config.n_head, model.config.head_width
    T, G, pre = IDS.size(1), model.config.kv_heads, model.config.norm_placement == "pre"
    x = change(site("embedding"), model.embed(IDS))
    for layer, block in enumerate(model.blocks):

        def at(kind: str, value: torch.Tensor, layer: int = layer) -> torch.Tensor:
            return change(site(kind, layer), value)

        x = at("residual_in", x)
        parts = block.attn.c_attn(block.ln_1(x) if pre else x).split((H * D, G * D, G * D), -1)
        q, k, v = (part.view(2, T, -1, D).transpose(1, 2) for part in parts)
        if config.positions == "rope":
            q, k = (rotate(part, rotation_of(T, D, config.rope_base)) for part in (q, k))
        q, k, v = at("queries", q), at("keys", k), at("values", v)
        k, v = (part[:, [h * G // H for h in range(H)]] for part in (k, v))
        back = torch.arange(T)[:, None] - torch.arange(T)
        seen = (back >= 0) & (back < (config.window_of(layer) or T))
        scores = at("scores", torch.einsum("bhid,bhjd->bhij", q, k))
        masked = at("masked", torch.where(seen, scores / math.sqrt(D), -math.inf))
        weights = at("weights", masked.exp() / masked.exp().sum(-1, keepdim=True))
        heads = at("head_output", torch.einsum("bhij,bhjd->bhid", weights, v))
        joined = heads.transpose(1, 2).reshape(2, T, H * D)
        x = x + at("attention_output", block.attn.c_proj(joined))
        x = at("residual_mid", x if pre else block.ln_1(x))
        given, mlp = block.ln_2(x) if pre else x, block.mlp
        if config.mlp == "swiglu":
            gate = mlp.c_gate(given)
            hidden = gate * torch.sigmoid(gate) * mlp.c_fc(given)
        else:
            hidden = {"relu": F.relu, "gelu_tanh": partial(F.gelu, approximate="tanh")}[config.mlp](
                mlp.c_fc(given)
            )
        x = x + at("mlp_output", mlp.c_proj(at("mlp_hidden", hidden)))
        x = at("residual_out", x if pre else block.ln_2(x))
    return change(site("logits"), model.lm_head(model.ln_f(x)))


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_every_site_holds_what_the_formulas_say(changes):
    model, look, expected = small(**changes), Look(every_site()), {}
    with torch.no_grad():
        by_hand(model, lambda one, value: expected.setdefault(one, value))
        logits = model(IDS, look)
        assert torch.equal(look.values[site("logits")], logits)
        torch.testing.assert_close(logits, model(IDS), atol=1e-5, rtol=1e-5)
    assert set(look.values) == set(expected) == set(every_site())
    for one, value in expected.items():
        torch.testing.assert_close(look.values[one], value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("changes", SHAPES, ids=str)
@pytest.mark.parametrize("kind", [*LAYER_KINDS, *ENDS])
def test_a_replaced_value_goes_through_the_lines_after_it(kind, changes):
    model, chosen, expected = small(**changes), site(kind), {}

    def other(value: torch.Tensor) -> torch.Tensor:
        return value * 0.5

    def change(one: Site, value: torch.Tensor) -> torch.Tensor:
        return expected.setdefault(one, other(value) if one == chosen else value)

    look = Look(every_site(), {chosen: other})
    with torch.no_grad():
        wanted = by_hand(model, change)
        logits = model(IDS, look)
        alone = model(IDS, Look(replace={chosen: other}))
        assert not torch.allclose(logits, model(IDS), atol=1e-3)
    torch.testing.assert_close(logits, wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone, wanted, atol=1e-5, rtol=1e-5)
    for one, value in expected.items():
        torch.testing.assert_close(look.values[one], value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["scores", "masked", "weights"])
def test_a_function_that_writes_into_the_value_replaces_it_as_well(kind):
    model = small()
    with torch.no_grad():
        new = model(IDS, Look(replace={site(kind): lambda value: value * 0.5}))
        written = model(IDS, Look(replace={site(kind): lambda value: value.mul_(0.5)}))
    torch.testing.assert_close(written, new)


@pytest.mark.parametrize("kind", ["weights", "head_output"])
def test_a_head_that_is_taken_out_is_a_head_whose_projection_is_zero(kind):
    model, without = small(), small()

    def without_head_2(value: torch.Tensor) -> torch.Tensor:
        value = value.clone()
        value[:, 2] = 0.0
        return value

    with torch.no_grad():
        without.h[1].attn.c_proj.weight[:, 8:12] = 0.0  # what head 2 of size 4 writes
        ablated = model(IDS, Look(replace={site(kind): without_head_2}))
        torch.testing.assert_close(ablated, without(IDS), atol=1e-5, rtol=1e-5)
        assert not torch.allclose(ablated, model(IDS), atol=1e-3)


def test_only_whoever_wants_weights_pays_for_them(monkeypatch):
    from core.transformer import attention

    explicit = []
    real = attention.attend
    monkeypatch.setattr(attention, "attend", lambda *given: explicit.append(1) or real(*given))
    kinds = ("queries", "keys", "values", "head_output", "mlp_hidden", "residual_in")
    model = small()
    with torch.no_grad():
        model(IDS, Look([site(kind) for kind in kinds], {site("head_output"): torch.zeros_like}))
        assert not explicit
        for kind in ("scores", "masked", "weights"):
            explicit.clear()
            model(IDS, Look([site(kind)]))
            model(IDS, Look(replace={site(kind): torch.clone}))
            assert len(explicit) == 2  # of one layer, twice


def test_weights_are_kept_before_dropout_and_read_after_it():
    model = small(dropout=0.5).train()
    look = Look([site("weights"), site("values"), site("head_output")])
    torch.manual_seed(0)
    model(IDS, look)
    weights, values = look.values[site("weights")], look.values[site("values")]
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 8))
    assert not torch.allclose(look.values[site("head_output")], weights @ values)


def loss_of(model: torch.nn.Module, look: Look | None = None) -> torch.Tensor:
    return model(IDS, look=look).logsumexp(-1).sum()


class Checkpointed(torch.nn.Module):
    """A block that is computed again during the backward pass."""

    def __init__(self, block: torch.nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, *given):
        return checkpoint(self.block, *given, use_reentrant=False)


class CheckpointedGPT(GPT):
    @property
    def blocks(self):
        return [Checkpointed(block) for block in super().blocks]


def wanted_values(changes: dict) -> tuple[dict[Site, torch.Tensor], list[torch.Tensor]]:
    """Every site and every gradient without any wrapper."""
    model, look = small(**changes), Look(every_site(), {site("weights"): lambda value: value * 0.5})
    loss_of(model, look).backward()
    return look.values, [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_activation_checkpointing_keeps_the_first_value(changes):
    expected, gradients = wanted_values(changes)
    model, calls = small(**changes), []
    model.__class__ = CheckpointedGPT
    halved = {site("weights"): lambda value: calls.append(1) or value * 0.5}
    look = Look(every_site(), halved)
    loss = loss_of(model, look)
    kept = {one: value.detach().clone() for one, value in look.values.items()}
    first = dict(look.values)
    loss.backward()
    assert len(calls) == 2, "the block was computed again"
    assert all(look.values[one] is first[one] for one in first)
    for one, value in expected.items():
        torch.testing.assert_close(kept[one], value.detach())
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


@pytest.mark.parametrize(
    ("changes", "backend"), [(SHAPES[0], "aot_eager"), (SHAPES[2], "eager")], ids=str
)
def test_a_compiled_model_is_looked_into_as_any_other(changes, backend):
    expected, _ = wanted_values(changes)
    torch.compiler.reset()  # what others compiled counts towards its limit
    compiled = torch.compile(small(**changes), backend=backend, fullgraph=True)
    look = Look(every_site(), {site("weights"): lambda value: value * 0.5})
    with torch.no_grad():
        compiled(IDS, look=look)
        torch.testing.assert_close(compiled(IDS), small(**changes)(IDS))
    assert set(look.values) == set(expected)
    for one, value in expected.items():
        torch.testing.assert_close(look.values[one], value.detach(), atol=1e-5, rtol=1e-5)


@pytest.fixture
def one_rank(tmp_path):
    """A process group of this process alone."""
    if not torch.distributed.is_available():
        pytest.skip("this torch was built without torch.distributed")
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'rendezvous'}", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_ddp_and_fsdp2_hand_the_look_on(changes, one_rank):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.nn.parallel import DistributedDataParallel

    expected, gradients = wanted_values(changes)
    sharded = small(**changes)
    mesh = init_device_mesh("cpu", (1,))
    for block in sharded.h:
        fully_shard(block, mesh=mesh)
    fully_shard(sharded, mesh=mesh)
    for model in (DistributedDataParallel(small(**changes)), sharded):
        look = Look(every_site(), {site("weights"): lambda value: value * 0.5})
        loss_of(model, look).backward()
        assert set(look.values) == set(expected)
        for one, value in expected.items():
            torch.testing.assert_close(look.values[one], value)
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            found = parameter.grad
            found = found.full_tensor() if hasattr(found, "full_tensor") else found
            torch.testing.assert_close(found, gradient)


def test_sites_may_be_written_as_texts():
    model = GPT(ModelConfig(vocab_size=9, block_size=8, n_layer=1, n_head=1, n_embd=4))
    site = Site("decoder", 0, "head_output")
    look = Look(["decoder.0.head_output"], replace={"decoder.0.head_output": torch.zeros_like})
    model(torch.tensor([[1, 2, 3]]), look=look)
    assert not look.values[site].any()
    with pytest.raises(ValueError, match="a site is written like"):
        Look(["weights"])
