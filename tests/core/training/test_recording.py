"""A recorded step: nothing else changes, and what was written is what happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.files import read_json
from core.tensor_files import read_tensors
from core.training.attempt import Attempt
from core.training.control import RunControl
from core.training.estimates.activations import kept
from core.training.language_modelling import LanguageModelling
from core.training.recording import Unwatched, layers, sampled, stages
from core.training.records import recording_folder
from core.training.runs import RunReader, create_run
from core.training.step_trace import Recording, open_recording
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from tests.core.training.small import TEXT, fingerprint, finish, losses, small_config


def opened(folder: Path, step: int, rank: int = 0) -> tuple[dict, dict[str, np.ndarray]]:  # type: ignore[type-arg]
    place = recording_folder(folder, step)
    return read_json(place / f"rank{rank}.json"), read_tensors(place / f"rank{rank}.safetensors")


@pytest.mark.parametrize("changes", [{}, {"micro_batches": 2, "activation_checkpointing": True}])
def test_not_a_bit_of_the_run_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    config = small_config(tmp_path, **changes)
    watched = finish(config, tmp_path / "watched")
    monkeypatch.setattr(Attempt, "_watcher", lambda self, number: Unwatched())
    alone = finish(config, tmp_path / "alone")
    assert losses(watched) == losses(alone)
    for one, other in zip(watched.checkpoints, alone.checkpoints, strict=True):
        assert fingerprint(one.folder) == fingerprint(other.folder)
    names = sorted(path.name for path in (watched.folder / "recordings").iterdir())
    assert names == ["step-000001", "step-000012"]
    assert not (alone.folder / "recordings").exists()


def test_what_a_step_was_like(tmp_path: Path) -> None:
    """Against the model itself: the checkpoint before the step, and plain torch."""
    config = small_config(tmp_path, checkpoint_every=1, keep_checkpoints=0, clip=0.01)
    run = finish(config, tmp_path / "run")
    facts, arrays = opened(run.folder, 12)
    task = LanguageModelling(config, tmp_path / "cache")
    for _ in task.open_steps(run.checkpoints[-2].folder):
        pass
    model = GPT(task.model_config)
    tensors = read_tensors(run.checkpoints[-2].folder / "model.safetensors", framework="torch")
    task.load_state(model, tensors)
    ids = torch.from_numpy(arrays["batch.0.ids"])
    targets = torch.from_numpy(arrays["batch.0.targets"])
    logits = model(ids)
    surprise = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none"
    )
    np.testing.assert_allclose(arrays["batch.0.losses"].reshape(-1), surprise.detach(), rtol=1e-5)
    assert facts["loss"] == pytest.approx(float(surprise.detach().mean()), rel=1e-6)
    top = logits.softmax(-1).topk(5)
    np.testing.assert_array_equal(arrays["batch.0.likeliest"], top.indices)
    surprise.mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        told = facts["parameters"][name]
        assert told["gradient"] == pytest.approx(float(parameter.grad.norm()), rel=1e-4)
        assert told["shape"] == list(parameter.shape) and told["dtype"] == "float32"
        places = sampled(parameter.numel())
        before = arrays[f"weights.{name}.before"]
        np.testing.assert_array_equal(before, parameter.detach().reshape(-1)[places])
        after = read_tensors(run.checkpoints[-1].folder / "model.safetensors")[name]
        np.testing.assert_array_equal(arrays[f"weights.{name}.after"], after.reshape(-1)[places])
        factor = min(1.0, 0.01 / facts["grad_norm"])
        np.testing.assert_allclose(
            arrays[f"weights.{name}.gradient"],
            parameter.grad.reshape(-1)[places] * factor,
            rtol=2e-3,
            atol=1e-8,
        )
        assert {f"weights.{name}.exp_avg.{when}" for when in ("before", "after")} <= set(arrays)
    whole = sum(parameter.numel() for parameter in model.parameters())
    assert 0 < arrays["updates"].sum() + arrays["unmoved"] <= whole


def test_the_bytes_of_its_tokens_are_kept(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=1), tmp_path / "run")
    recording = open_recording(run.folder, 1)
    pieces, ids = recording.pieces(), recording.arrays["batch.0.ids"]
    known = {
        int(id)
        for name in ("ids", "targets", "likeliest")
        for id in np.unique(recording.arrays[f"batch.0.{name}"])
    }
    assert set(pieces) == known
    read = b"".join(pieces[int(id)] for id in ids[0]).decode()
    assert len(read) == 16 and read in TEXT
    assert Recording(recording.facts, {}).pieces() == {}


def test_blocks_go_forward_and_gradients_come_back(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path), tmp_path / "run")
    facts, arrays = opened(run.folder, 1)
    names = ["wte", "wpe", "h.0", "h.1", "ln_f", "lm_head"]
    forward = [event for event in facts["events"] if event["kind"] == "forward"]
    assert sorted(event["name"] for event in forward) == sorted(names)
    assert [event["name"] for event in forward][-4:] == names[-4:]
    assert all(event["end"] >= event["start"] for event in facts["events"])
    came = [event["name"] for event in facts["events"] if event["kind"] == "backward"]
    assert came[:4] == ["lm_head", "ln_f", "h.1", "h.0"] and came[-1] == ""
    assert arrays["forward.0.h.0"].shape == arrays["backward.0.h.0"].shape == (4, 16)
    arrived = {name: told["arrived"] for name, told in facts["parameters"].items()}
    assert arrived["ln_f.weight"] < arrived["h.1.mlp.c_proj.weight"] < arrived["h.0.ln_1.weight"]
    memory = arrays["memory.bytes"]
    assert memory.max() > 0 and memory[-1] == 0 and memory.argmax() < len(memory) - 1


def test_what_is_kept_for_backward_is_what_the_estimate_says(tmp_path: Path) -> None:
    shape = ModelConfig(vocab_size=1, block_size=64, n_layer=3, n_head=2, n_embd=64)
    run = finish(small_config(tmp_path, steps=1, model=shape), tmp_path / "run")
    _, arrays = opened(run.folder, 1)
    model = replace(shape, vocab_size=20)
    assert arrays["memory.bytes"].max() == pytest.approx(kept(model, 4, "fp32").total, rel=0.1)


def test_checkpointing_keeps_less_and_computes_again(tmp_path: Path) -> None:
    usual = finish(small_config(tmp_path, steps=1), tmp_path / "usual")
    config = small_config(tmp_path, steps=1, activation_checkpointing=True)
    less = finish(config, tmp_path / "less")
    _, kept = opened(usual.folder, 1)
    facts, fewer = opened(less.folder, 1)
    assert fewer["memory.bytes"].max() < 0.6 * kept["memory.bytes"].max()
    again = [event["name"] for event in facts["events"] if event["kind"] == "recompute"]
    assert again == ["h.1", "h.0"]


def test_in_bf16_each_layer_tells_its_dtypes(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=1, precision="bf16"), tmp_path / "run")
    facts, _ = opened(run.folder, 1)
    told = {layer["name"]: layer for layer in facts["layers"]}
    assert set(told) == {name for name, _ in layers(GPT(run.config.model))}
    linear = told["h.0.mlp.c_fc"]
    assert linear["weight"] == "float32" and linear["output"] == "bfloat16"
    assert linear["gradient"] == "bfloat16"
    assert told["wte"]["output"] == "float32"


def test_a_step_is_recorded_when_asked(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    control.step(3)
    from tests.core.training.small import moments

    asked = None
    for moment in moments(config, folder):
        if moment.phase == "paused" and asked is None:
            asked = control.record()
            control.resume()
    answer = control.acknowledgement(asked) if asked else None
    assert answer is not None and answer.ok and answer.step == 3
    assert recording_folder(folder, 4).is_dir() and RunReader(folder).state == "finished"


def test_the_stages_of_a_model_are_in_its_order() -> None:
    config = ModelConfig(
        vocab_size=9, block_size=8, n_layer=2, n_head=2, n_embd=8, positions="rope"
    )
    assert [name for name, _ in stages(GPT(config))] == ["wte", "h.0", "h.1", "ln_f", "lm_head"]
    assert sampled(3).tolist() == [0, 1, 2] and len(sampled(10_000)) == 64
