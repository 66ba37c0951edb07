"""A run that trains a few tensors of a model alone: BitFit, the biases of a trained model."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import core
from core.files import read_json, write_json
from core.inference.loading import write_base
from core.tensor_files import open_safetensors, read_tensors, write_tensors
from core.training.config import TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.runs import RunReader
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.weights import save_model
from tests.core.training.small import fingerprint, finish, losses, small_config


class BitFit(LanguageModelling):
    """Only biases are trained and saved (Ben Zaken et al. 2021). `base` is a model's folder."""

    def __init__(self, config: TrainingConfig, cache: Path, base: Path) -> None:
        super().__init__(config, cache)
        self.base = base

    def build_model(self, generator: torch.Generator) -> GPT:
        model = core.load(self.base).model
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.endswith("bias"))
        return model

    def state_to_save(self, model: nn.Module) -> Mapping[str, Tensor]:
        return {name: p for name, p in model.named_parameters() if p.requires_grad}

    def save_files(self, model: nn.Module, folder: Path) -> None:
        write_base(folder, self.model_config, str(self.base))
        self.tokenizer.save(folder / "tokenizer.json")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return finish(small_config(folder), folder / "run").checkpoints[-1].folder


def _moments(base: Path, run: Path, resume: bool = False, **changes: object) -> Any:
    config = small_config(run.parent, tokenizer=str(base / "tokenizer.json"), **changes)
    return train_steps(config, run, resume, BitFit(config, run.parent / "cache", base))


def _checkpoint(base: Path, run: Path, **changes: object) -> Path:
    for _ in _moments(base, run, **changes):
        pass
    return RunReader(run).checkpoints[-1].folder


def test_a_checkpoint_of_the_biases_alone_lies_on_its_base(base: Path, tmp_path: Path) -> None:
    before = fingerprint(base)
    folder = _checkpoint(base, tmp_path / "run", learning_rate=1e-2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "optimizer.safetensors",
        "tokenizer.json",
        "training.json",
    ]
    under = core.load(base)
    biases = {name for name, _ in under.model.named_parameters() if name.endswith("bias")}
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    assert set(saved) == biases
    remembered = open_safetensors(folder / "optimizer.safetensors").tensors
    assert {name.rpartition("/")[0] for name in remembered} == biases
    tuned = core.load(folder)
    assert tuned.tokenizer.vocab_size == under.tokenizer.vocab_size
    for name, parameter in tuned.model.named_parameters():
        other = under.model.get_parameter(name)
        assert torch.equal(parameter, saved[name]) if name in biases else True
        assert torch.equal(parameter, other) == (name not in biases), name
    run = RunReader(tmp_path / "run")
    trained = sum(tensor.numel() for tensor in saved.values())
    assert [e["parameters"] for e in run.events if e["event"] == "model"] == [trained]
    assert run.evaluations["train"][-1] < run.evaluations["train"][0]
    assert fingerprint(base) == before


def test_a_partly_frozen_run_resumes_exactly(base: Path, tmp_path: Path) -> None:
    whole = _checkpoint(base, tmp_path / "plain")
    moments = _moments(base, tmp_path / "run")
    next(m for m in moments if m.phase == "schedule" and m.step == 5)
    moments.close()
    for _ in _moments(base, tmp_path / "run", resume=True):
        pass
    run = RunReader(tmp_path / "run")
    assert losses(run) == losses(RunReader(tmp_path / "plain"))
    assert fingerprint(run.checkpoints[-1].folder) == fingerprint(whole)


def test_a_task_that_freezes_everything_is_refused(base: Path, tmp_path: Path) -> None:
    class Frozen(BitFit):
        def build_model(self, generator: torch.Generator) -> GPT:
            return super().build_model(generator).requires_grad_(False)

    config = small_config(tmp_path, tokenizer=str(base / "tokenizer.json"))
    task = Frozen(config, tmp_path / "cache", base)
    with pytest.raises(ValueError, match="every parameter is frozen; leave the task at least one"):
        list(train_steps(config, tmp_path / "run", task=task))


# -- what lies on what

SMALL = ModelConfig(vocab_size=20, block_size=8, n_layer=1, n_head=1, n_embd=4)


def _lies_on(folder: Path, base: str, config: ModelConfig, **tensors: Tensor) -> Path:
    folder.mkdir()
    write_base(folder, config, base)
    write_tensors(
        folder / "model.safetensors", {k.replace("__", "."): v for k, v in tensors.items()}
    )
    return folder


@pytest.fixture
def stack(tmp_path: Path, base: Path) -> Path:
    """A model, beside it what lies on it, and what lies on that."""
    save_model(tmp_path / "model", GPT(SMALL, torch.Generator().manual_seed(0)))
    shutil.copyfile(base / "tokenizer.json", tmp_path / "model" / "tokenizer.json")
    _lies_on(tmp_path / "first", "../model", SMALL, ln_f__bias=torch.ones(4))
    _lies_on(tmp_path / "second", "../first", SMALL, ln_f__weight=torch.full((4,), 2.0))
    return tmp_path


def test_a_base_may_lie_on_another(stack: Path) -> None:
    model = core.load(stack / "second").model
    assert model.get_parameter("ln_f.bias").tolist() == [1.0] * 4
    assert model.get_parameter("ln_f.weight").tolist() == [2.0] * 4
    assert not model.training


def test_the_bundled_model_is_a_base_by_its_name(tmp_path: Path) -> None:
    config = core.load("stories").config
    width = torch.full((config.n_embd,), 3.0)
    folder = _lies_on(tmp_path / "tuned", "stories", config, ln_f__weight=width)
    tuned = core.load(folder)
    assert tuned.name == "tuned" and torch.equal(tuned.model.get_parameter("ln_f.weight"), width)
    dropout = {**read_json(folder / "config.json"), "dropout": 0.5}  # of no matter here
    write_json(folder / "config.json", dropout)
    assert core.load(folder).config == config


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("gone", r"needs the base model '\.\./model', which is not there: .*put it back, or write"),
        ("config", "does not fit its base .*: config.json describes another model; put it back"),
        ("name", r"does not fit its base .*: it has no 'ln_x\.bias \(4,\)'"),
        ("shape", r"does not fit its base .*: it has no 'ln_f\.bias \(3,\)'"),
        ("circle", "needs another, without end"),
        ("number", "the entry 'base' must be the name or the folder of a model, not 3"),
        ("infinite", "NaN or infinite"),
    ],
)
def test_what_does_not_lie_on_its_base_says_the_remedy(stack: Path, how: str, said: str) -> None:
    first, config = stack / "first", stack / "first" / "config.json"
    tensors = {
        "name": {"ln_x.bias": torch.ones(4)},
        "shape": {"ln_f.bias": torch.ones(3)},
        "infinite": {"ln_f.bias": torch.full((4,), torch.inf)},
    }
    if how == "gone":
        (stack / "model").rename(stack / "elsewhere")
    elif how in tensors:
        write_tensors(first / "model.safetensors", tensors[how])
    else:
        change = {"config": {"n_layer": 2}, "circle": {"base": "../second"}, "number": {"base": 3}}
        write_json(config, {**read_json(config), **change[how]})
    with pytest.raises(ValueError, match=said):
        core.load(first)
    if how == "gone":
        write_json(config, {**read_json(config), "base": str(stack / "elsewhere")})  # the remedy
        core.load(first)


def test_a_folder_without_its_tensors_is_told_so(stack: Path) -> None:
    (stack / "first" / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="holds no model.safetensors; copy the whole"):
        core.load(stack / "first")


def test_a_tokenizer_with_more_pieces_than_the_base_has_embeddings_is_refused(
    stack: Path, tmp_path: Path
) -> None:
    larger = core.train_tokenizer("bpe", ["the cat and the hat sat on the mat"], 300)
    larger.save(stack / "first" / "tokenizer.json")
    pieces = core.load(stack / "model").config.vocab_size
    assert larger.vocab_size > pieces
    with pytest.raises(ValueError, match=f"{larger.vocab_size} pieces, the model {pieces}"):
        core.load(stack / "first")
