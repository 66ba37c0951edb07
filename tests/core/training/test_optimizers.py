"""Every optimizer and schedule trains, and goes on from a checkpoint as if it had not stopped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.optimization import OPTIMIZERS, decay_groups
from core.optimization.groups import named_groups
from core.optimization.schedules import SCHEDULES
from core.optimization.torch_optimizer import RuleOptimizer
from core.tensor_files import open_safetensors
from core.training import TrainingConfig, estimate
from core.training.estimates.flops import muon_flops
from core.training.optimizers import build_optimizer, state_names
from core.training.phases import phase_step
from core.training.rules import RUN_BY_TORCH
from core.training.sizes import DISK_SPEED, checkpoint_seconds
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from tests.core.optimization.invented import DriftSettings, add_to_the_list
from tests.core.training.small import fingerprint, finish, losses, moments, small_config

QUIET = {"sample_every": 0, "probe_every": 0, "evaluate_every": 0, "checkpoint_every": 0}
NANO = ModelConfig(vocab_size=1, block_size=8, n_layer=1, n_head=1, n_embd=8)
SHAPE = ModelConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=8)
UNUSUAL = replace(SHAPE, n_layer=2, head_size=6, n_inner=20, bias=False, tie_weights=False)


def nano(folder: Path, **changes: object) -> TrainingConfig:
    return small_config(folder, model=NANO, **{"steps": 6, "warmup_steps": 2, **QUIET, **changes})


def learned(optimizer: torch.optim.Optimizer, model: GPT, steps: int = 4) -> list[torch.Tensor]:
    """The weights after a few steps on random tokens."""
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        ids = torch.randint(11, (4, 8), generator=generator)
        loss, count = model.loss(ids, ids.roll(-1, 1))
        optimizer.zero_grad()
        (loss / count).backward()
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / (step + 1)
        optimizer.step()
    return [parameter.detach() for parameter in model.parameters()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_goes_on_exactly(tmp_path: Path, name: str) -> None:
    config = nano(tmp_path, optimizer=name)
    generator = moments(config, tmp_path / "run")
    next(m for m in generator if m.phase == "schedule" and m.step == 3)
    generator.close()
    resumed = finish(config, tmp_path / "run", resume=True)
    plain = finish(config, tmp_path / "plain")
    assert losses(resumed) == losses(plain)
    last = resumed.checkpoints[-1].folder
    assert fingerprint(last) == fingerprint(plain.checkpoints[-1].folder)
    names = set(open_safetensors(last / "model.safetensors").tensors)
    saved = {
        full.rpartition("/")[0] for full in open_safetensors(last / "optimizer.safetensors").tensors
    }
    assert saved == (set() if name == "sgd" else names)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_run_follows_each_schedule(tmp_path: Path, schedule: str) -> None:
    config = nano(tmp_path, schedule=schedule)
    generator = moments(config, tmp_path / "run")
    next(m for m in generator if m.phase == "schedule" and m.step == 3)
    generator.close()
    run = finish(config, tmp_path / "run", resume=True)
    recorded = run.steps["learning_rate"].tolist()
    assert recorded == pytest.approx([config.planned_rate(step) for step in range(6)], rel=1e-12)
    for step in range(1, 7):
        assert phase_step("schedule", config, step).value("rate") == recorded[step - 1]


def test_the_usual_optimizer_is_torchs_fused_adamw_to_the_bit() -> None:
    config = TrainingConfig(model=SHAPE)
    assert config.optimizer == "adamw"
    ours, theirs = (GPT(SHAPE, torch.Generator().manual_seed(0)) for _ in range(2))
    built = build_optimizer(config, ours, decay_groups(ours.parameters(), 0.1), 0.01)
    reference = torch.optim.AdamW(
        decay_groups(theirs.parameters(), 0.1), lr=0.01, betas=(0.9, 0.99), eps=1e-8, fused=True
    )
    assert type(built) is torch.optim.AdamW
    for mine, other in zip(learned(built, ours), learned(reference, theirs), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n not in ("lion", "muon")])
def test_torchs_fast_path_computes_what_the_rule_says(name: str) -> None:
    config = TrainingConfig(model=SHAPE, optimizer=name)
    ours, theirs = (GPT(SHAPE, torch.Generator().manual_seed(0)).double() for _ in range(2))
    fast = build_optimizer(config, theirs, decay_groups(theirs.parameters(), 0.1), 0.01)
    rule = OPTIMIZERS[name]
    own = {"betas": (0.9, 0.99), "momentum": 0.9, "beta": 0.99}
    settings = rule.settings(**{k: v for k, v in own.items() if k in rule.settings.__slots__})
    groups = named_groups(decay_groups(ours.parameters(), 0.1), ours.named_parameters())
    slow = RuleOptimizer(groups, settings)
    assert not isinstance(fast, RuleOptimizer)
    for mine, other in zip(learned(slow, ours), learned(fast, theirs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)
    kept = state_names(fast, fast.param_groups[0])
    assert set(kept) == {k for k, v in fast.state[theirs.wte.weight].items() if v is not None}


def test_muon_moves_what_lies_between_the_layers() -> None:
    model = GPT(SHAPE, torch.Generator().manual_seed(0))
    config = TrainingConfig(model=SHAPE, optimizer="muon", betas=(0.8, 0.9))
    built = build_optimizer(config, model, decay_groups(model.parameters(), 0.1), 0.01)
    learned(built, model)
    assert set(built.state[model.h[0].mlp.c_fc.weight]) == {"step", "average"}
    for parameter in (model.wte.weight, model.h[0].ln_1.weight):
        assert set(built.state[parameter]) == {"step", "average", "square"}
    assert [(g["lr"], g["weight_decay"]) for g in built.param_groups][-1] == (0.0025, 0.0)


def test_a_new_optimizer_is_the_one_that_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes of the config what its settings have, and goes on from a checkpoint."""
    rule = add_to_the_list(monkeypatch)
    config = nano(tmp_path, optimizer=rule.name, betas=(0.8, 0.9))
    model = GPT(SHAPE, torch.Generator().manual_seed(0))
    built = build_optimizer(config, model, decay_groups(model.parameters(), 0.1), 0.01)
    assert {group["settings"] for group in built.param_groups} == {DriftSettings(0.01, 0.8)}
    assert [group["weight_decay"] for group in built.param_groups] == [0.1, 0.0]
    learned(built, model)
    assert {tuple(state) for state in built.state.values()} == {("step", "average")}
    run = finish(config, tmp_path / "run")
    assert len(set(losses(run))) == 6
    assert phase_step("optimizer", config, 1).formula == rule.formula


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_which_optimizers_torch_runs_is_known_without_it(name: str) -> None:
    model = GPT(SHAPE, torch.Generator().manual_seed(0))
    config = TrainingConfig(model=SHAPE, optimizer=name)
    built = build_optimizer(config, model, decay_groups(model.parameters(), 0.1), 0.01)
    assert (name in RUN_BY_TORCH) == (not isinstance(built, RuleOptimizer))


def test_a_config_of_an_older_version_opens_and_unknown_names_say_what_there_is() -> None:
    config = TrainingConfig(model=SHAPE)
    older = {key: value for key, value in config.to_json().items() if key != "optimizer"}
    assert TrainingConfig.from_json(older) == config
    with pytest.raises(ValueError, match="use 'sgd', 'momentum', .*'muon'"):
        config.change({"optimizer": "adamax"})
    with pytest.raises(ValueError, match="'cosine', 'constant', 'linear'"):
        config.change({"schedule": "exponential"})


@pytest.mark.parametrize("shape", [SHAPE, UNUSUAL])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_remembers_costs_memory(name: str, shape: ModelConfig) -> None:
    """As many bytes as it holds after a step, but for a step's number beside each parameter."""
    config = TrainingConfig(model=shape, optimizer=name)
    model = GPT(shape, torch.Generator().manual_seed(0))
    built = build_optimizer(config, model, decay_groups(model.parameters(), 0.1), 0.01)
    learned(built, model, 1)
    held = sum(
        value.nbytes
        for state in built.state.values()
        for key, value in state.items()
        if key != "step" and value is not None
    )
    assert estimate(config).bytes_optimizer == held
    every = config.steps // config.checkpoint_every
    saved = every * (estimate(config).bytes_model + held) / DISK_SPEED
    assert checkpoint_seconds(config, estimate(config).parameters) == pytest.approx(saved)


def test_muon_costs_what_its_products_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted while it moves a model of that shape."""
    counted = []

    def counting(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        counted.append(2 * a.size(0) * a.size(1) * b.size(1))
        return torch.mm(a, b)

    model = GPT(SHAPE, torch.Generator().manual_seed(0))
    config = TrainingConfig(model=SHAPE, optimizer="muon")
    built = build_optimizer(config, model, decay_groups(model.parameters(), 0.1), 0.01)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    monkeypatch.setattr(torch.Tensor, "__matmul__", counting)
    built.step()
    assert sum(counted) == muon_flops(SHAPE)
    usual = estimate(config.change({"optimizer": "adamw"}))
    more = (estimate(config).seconds_per_step - usual.seconds_per_step) * 8e10
    assert more == pytest.approx(muon_flops(SHAPE), rel=1e-3)


def test_the_optimizer_phase_has_the_formula_of_its_rule() -> None:
    for name, rule in OPTIMIZERS.items():
        config = TrainingConfig(model=SHAPE, optimizer=name)
        assert phase_step("optimizer", config, 1).formula == rule.formula
    assert np.isclose(config.planned_rate(0), 1e-3 / 101)
