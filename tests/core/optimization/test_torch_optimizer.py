"""The rules inside torch: equal to torch's own on a model, and everything goes on by name."""

import copy

import pytest
import torch
from torch import nn

from core.optimization import OPTIMIZERS, decay_groups
from core.optimization.adamw import AdamWSettings
from core.optimization.groups import matrix_groups, named_groups
from core.optimization.lion import LionSettings
from core.optimization.muon import MuonSettings
from core.optimization.sgd import SGDSettings
from core.optimization.torch_optimizer import RuleOptimizer
from core.tensor_files import read_tensors, write_tensors
from tests.core.optimization.references import settings_of, torchs


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 2))
    return made.double()


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(8, 4, generator=generator, dtype=torch.float64)
    return x, x[:, :2].sin()


def learn(model: nn.Module, optimizers: list, steps: range) -> None:
    for step in steps:
        x, y = batch(step)
        for optimizer in optimizers:
            optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()


def groups_of(model: nn.Module, decay: float = 0.1) -> list:
    return named_groups(decay_groups(model.parameters(), decay), model.named_parameters())


def built(name: str, model: nn.Module) -> RuleOptimizer:
    groups, settings = groups_of(model), settings_of(name, 0.1)
    if OPTIMIZERS[name].matrices_only:
        groups = matrix_groups(groups, settings, AdamWSettings(0.05))
    return RuleOptimizer(groups, settings)


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n not in ("lion", "muon")])
def test_a_model_learns_as_with_torchs(name: str) -> None:
    """Matrices decay and vectors do not; the rate is changed by its group half-way."""
    ours, theirs = network(), network()
    kind = type(torchs(name, nn.Parameter(torch.zeros(1)), 0.0))
    options = torchs(name, nn.Parameter(torch.zeros(1)), 0.0).defaults
    options = {key: value for key, value in options.items() if key != "decoupled_weight_decay"}
    pair = built(name, ours), kind(decay_groups(theirs.parameters(), 0.1), **options)
    for optimizer, model in zip(pair, (ours, theirs), strict=True):
        learn(model, [optimizer], range(10))
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        learn(model, [optimizer], range(10, 20))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_muon_moves_the_matrices_and_adamw_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this version of torch has no Muon to compare with")
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    ours, theirs = network(), network()
    matrices = [p for p in theirs.parameters() if p.ndim == 2]
    vectors = [p for p in theirs.parameters() if p.ndim == 1]
    learn(ours, [built("muon", ours)], range(10))
    both = [
        torch.optim.Muon(matrices, lr=0.05, momentum=0.8, weight_decay=0.1),
        torch.optim.AdamW(vectors, lr=0.05, weight_decay=0.0),
    ]
    learn(theirs, both, range(10))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_muon_leaves_tables_to_adamw() -> None:
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    shape = ModelConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=8)
    model = GPT(shape, torch.Generator().manual_seed(0))
    groups = matrix_groups(groups_of(model), MuonSettings(), AdamWSettings())
    by_muon = [n for g in groups if isinstance(g["settings"], MuonSettings) for n, _ in g["params"]]
    assert by_muon == [
        "h.0.attn.c_attn.weight",
        "h.0.attn.c_proj.weight",
        "h.0.mlp.c_fc.weight",
        "h.0.mlp.c_proj.weight",
    ]
    assert sum(len(g["params"]) for g in groups) == len(list(model.parameters()))
    assert RuleOptimizer(groups, MuonSettings()).param_groups[-1]["weight_decay"] == 0.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_goes_on_by_name_through_a_file(name: str, tmp_path) -> None:
    model = network()
    optimizer = built(name, model)
    learn(model, [optimizer], range(3))
    again, saved = copy.deepcopy(model), optimizer.state_dict()
    flat = {
        f"{n}/{key}": value for n, state in saved["state"].items() for key, value in state.items()
    }
    assert {"0.weight/step", "3.bias/step"} <= set(flat)
    write_tensors(tmp_path / "o.safetensors", flat, {"format": "pt"})
    state: dict = {}
    for full, tensor in read_tensors(tmp_path / "o.safetensors", framework="torch").items():
        parameter, _, key = full.rpartition("/")
        state.setdefault(parameter, {})[key] = tensor
    resumed = built(name, again)
    resumed.load_state_dict({"state": state, "param_groups": saved["param_groups"]})
    learn(model, [optimizer], range(3, 6))
    learn(again, [resumed], range(3, 6))
    for mine, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_state_of_another_optimizer_or_model_is_refused() -> None:
    model = network()
    optimizer = built("adamw", model)
    learn(model, [optimizer], range(1))
    saved = optimizer.state_dict()
    with pytest.raises(ValueError, match="another optimizer"):
        built("adam", model).load_state_dict(saved)
    broken = copy.deepcopy(saved)
    broken["state"]["0.weight"]["square"] = torch.zeros(2)
    with pytest.raises(ValueError, match=r"0.weight/square has shape \(2,\)"):
        built("adamw", model).load_state_dict(broken)
    broken = copy.deepcopy(saved)
    del broken["state"]["0.weight"]["square"]
    with pytest.raises(ValueError, match="step, average, square are wanted"):
        built("adamw", model).load_state_dict(broken)


def test_what_cannot_be_moved_says_the_remedy() -> None:
    model = network()
    with pytest.raises(ValueError, match="no names; give model.named_parameters"):
        RuleOptimizer(model.parameters(), SGDSettings())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"0.bias has shape \(6,\).*matrices only"):
        RuleOptimizer(model.named_parameters(), MuonSettings())
    with pytest.raises(ValueError, match="no optimizer's settings"):
        RuleOptimizer(model.named_parameters(), {"lr": 1.0})
    with pytest.raises(ValueError, match="of another model; take the groups from this one"):
        named_groups([{"params": [torch.zeros(2)]}], model.named_parameters())


def test_a_closure_and_a_parameter_without_a_gradient() -> None:
    model = network()
    frozen = model[1].weight.detach().clone()
    optimizer = RuleOptimizer(model.named_parameters(), LionSettings())
    model[1].weight.requires_grad_(False)

    def closure() -> float:
        x, y = batch(0)
        loss = (model(x) - y).square().mean()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) > 0
    assert torch.equal(model[1].weight, frozen) and model[1].weight not in optimizer.state


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_lines_move_a_tensor_that_is_spread_over_processes(name: str) -> None:
    """One process in the mesh: what is tested is that the rule needs nothing but operators."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.tensor import DTensor, Shard, distribute_tensor

    if not dist.is_available():
        pytest.skip("this torch was built without torch.distributed")
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        mesh = DeviceMesh("cpu", [0])
        generator = torch.Generator().manual_seed(0)
        whole = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        spread = nn.Parameter(distribute_tensor(whole.clone(), mesh, [Shard(0)]))
        plain = nn.Parameter(whole.clone())
        settings = settings_of(name, 0.1)
        pair = [(RuleOptimizer([("w", p)], settings), p) for p in (spread, plain)]
        for _ in range(3):
            for optimizer, parameter in pair:
                optimizer.zero_grad()
                (parameter * parameter * parameter).sum().backward()
                optimizer.step()
        assert isinstance(spread.data, DTensor)
        torch.testing.assert_close(spread.full_tensor(), plain, rtol=1e-14, atol=1e-14)
    finally:
        dist.destroy_process_group()
