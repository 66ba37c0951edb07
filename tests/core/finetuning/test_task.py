"""Runs of fine-tuning: what learns, what is saved, and that it goes on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.files import read_json, write_json
from core.finetuning.adapter import adapters_of
from core.finetuning.classifier import Classifier
from core.finetuning.loading import load_tuned
from core.finetuning.program import finetune_steps, program_of
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import METHODS, FinetuningSettings
from core.finetuning.task import Finetuning
from core.tensor_files import read_tensors
from core.training.runs import RunReader
from core.training.task import Position
from core.transformer.architectures import gpt_of
from tests.core.finetuning.small import small_base, small_tuning, tune
from tests.core.training.small import fingerprint, losses


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def _config(base: Path, method: str, **changes: Any) -> Any:
    return small_tuning(base, settings={"method": method}, learning_rate=1e-2, **changes)


@pytest.mark.parametrize("method", METHODS)
def test_a_run_learns_and_leaves_its_base_alone(base: Path, tmp_path: Path, method: str) -> None:
    before = fingerprint(base)
    run = tune(_config(base, method), tmp_path / "run")
    assert run.state == "finished" and run.evaluations["step"].tolist() == [0, 6, 12]
    assert run.evaluations["train"][-1] < run.evaluations["train"][0]
    assert fingerprint(base) == before


def test_a_checkpoint_holds_what_learned_alone(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "lora"), tmp_path / "run").checkpoints[-1].folder
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    assert sorted({name.rpartition(".")[2] for name in saved}) == ["A", "B"]
    lm, under = core.load(folder), core.load(base)
    (adapter,) = adapters_of(lm.model)
    assert sum(one.numel() for one in adapter.parameters()) == sum(
        one.numel() for one in saved.values()
    )
    assert lm.tokenizer.vocabulary == under.tokenizer.vocabulary and lm.name == folder.name
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        learned = lm.model(ids)
        plain = under.model(ids)
        assert not torch.equal(learned, plain)
        adapter.scale = 0.0
        assert torch.equal(lm.model(ids), plain)
    adapter.remove()
    for name, parameter in under.model.named_parameters():
        assert torch.equal(parameter, lm.model.get_parameter(name))


def test_a_base_keeps_the_adapter_that_it_has(base: Path, tmp_path: Path) -> None:
    first = tune(_config(base, "lora"), tmp_path / "first").checkpoints[-1].folder
    data = str(base.parents[2] / "little.txt")
    lora = core.LoRAConfig(r=2, target_modules=("c_attn.q", "mlp.c_fc"))
    config = small_tuning(first, settings={"data": data, "lora": lora}, learning_rate=1e-2)
    second = tune(config, tmp_path / "second").checkpoints[-1].folder
    under, lm, ids = core.load(first), core.load(second), torch.tensor([[1, 2, 3, 4]])
    (new,) = (one for one in adapters_of(lm.model) if one.config == lora)
    with torch.no_grad():
        assert not torch.equal(lm.model(ids), under.model(ids))
        new.scale = 0.0
        assert torch.equal(lm.model(ids), under.model(ids))


def test_a_model_tuned_whole_is_loaded_as_it_was_saved(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "full"), tmp_path / "run").checkpoints[-1].folder
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    for name, parameter in core.load(folder).model.named_parameters():
        assert torch.equal(parameter, saved[name])


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_run_goes_on_exactly(base: Path, tmp_path: Path, method: str) -> None:
    whole = tune(_config(base, method), tmp_path / "plain")
    moments = finetune_steps(_config(base, method), tmp_path / "run")
    next(m for m in moments if m.phase == "schedule" and m.step == 5)
    moments.close()
    resumed = tune(_config(base, method), tmp_path / "run", resume=True)
    assert losses(resumed) == losses(whole)
    ends = [fingerprint(run.checkpoints[-1].folder) for run in (resumed, whole)]
    assert ends[0] == ends[1]


def test_a_changed_setting_is_refused_where_a_run_goes_on(base: Path, tmp_path: Path) -> None:
    moments = finetune_steps(_config(base, "lora"), tmp_path / "run")
    next(m for m in moments if m.phase == "schedule")
    moments.close()
    changed = _config(base, "full")
    with pytest.raises(ValueError, match=r"settings\.method was lora and is now full"):
        list(finetune_steps(changed, tmp_path / "run", resume=True))


def test_data_that_changed_is_refused_where_a_run_goes_on(base: Path, tmp_path: Path) -> None:
    text = tmp_path / "mine.txt"
    text.write_text((base.parents[2] / "little.txt").read_text())
    config = small_tuning(base, settings={"data": str(text)})
    moments = finetune_steps(config, tmp_path / "run")
    next(m for m in moments if m.phase == "schedule")
    moments.close()
    kept = text.read_text()
    text.write_text(kept[:-10])
    with pytest.raises(ValueError, match=r"mine\.txt is not as it was when the run began; put the"):
        list(finetune_steps(config, tmp_path / "run", resume=True))
    with pytest.raises(ValueError, match="is no run folder; give a config"):
        list(finetune_steps(None, tmp_path / "nothing"))


def test_a_base_that_is_gone_or_another_is_told(base: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no model"):
        _config(base / "nowhere", "lora")
    config = _config(base, "lora")
    gone = config.change({"settings": {**config.settings, "base": str(tmp_path / "gone")}})
    with pytest.raises(FileNotFoundError, match="there is no model"):
        list(finetune_steps(gone, tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    other = config.change({"settings": {**config.settings, "base": "stories"}})
    with pytest.raises(ValueError, match="model is not that of its base stories"):
        list(finetune_steps(other, tmp_path / "run"))


def test_a_soft_prompt_that_fills_the_context_is_refused(base: Path, tmp_path: Path) -> None:
    config = small_tuning(base, settings={"method": "prompt", "prompt_tokens": 15})
    with pytest.raises(ValueError, match="15 prompt tokens leave no room for a text"):
        list(finetune_steps(config, tmp_path / "run"))


def test_a_probe_reads_what_it_is_asked_for_and_by_itself_the_soft_prompt_too(base: Path) -> None:
    task = Finetuning(small_tuning(base, settings={"method": "prompt", "prompt_tokens": 3}))
    assert list(task.prepare_steps(None))
    model = task.build_model(torch.Generator().manual_seed(0))
    first = task.tokenizer.vocab_size
    asked = task.probe(model, [1, 2, 3], ["attention"])
    assert asked["ids"].tolist() == [1, 2, 3] and asked["attention"].shape[-1] == 3
    alone = task.probe(model, None, ["attention"])["ids"].tolist()
    assert alone[:3] == [first, first + 1, first + 2] and max(alone[3:]) < first


def test_what_cannot_be_tuned_is_refused_before_a_folder_is_made(
    base: Path, tmp_path: Path
) -> None:
    given = {"lora": core.LoRAConfig(target_modules=("c_atn",))}
    with pytest.raises(ValueError, match="did you mean 'attn.c_attn'"):
        list(finetune_steps(small_tuning(base, settings=given), tmp_path / "run"))
    given = {"lora": core.LoRAConfig(r=64)}
    with pytest.raises(ValueError, match=r"rank 64 is above 16"):
        list(finetune_steps(small_tuning(base, settings=given), tmp_path / "run"))
    large = small_tuning(base, batch_size=1 << 20)
    with pytest.raises(ValueError, match=r"this fine-tuning takes .* GB of memory, and this"):
        list(finetune_steps(large, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_program_is_the_one_of_the_task(base: Path) -> None:
    config = _config(base, "lora")
    assert program_of(config).module == "core.finetuning"
    assert program_of(config.change({"task": "language-modelling"})).module == "core.training"


# -- what is measured


@pytest.mark.parametrize("steps", [7, 8])
def test_exact_counts_what_the_model_would_write_by_itself(steps: int) -> None:
    config = finetuning_config(
        FinetuningSettings(base_data="", lora=core.LoRAConfig()),
        {"batch_size": 6, "evaluate_batches": 2},
    )
    task = Finetuning(config)
    for _ in task.prepare_steps(None):
        pass
    model = task.build_model(torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(task.tuning.parameters.values(), lr=3e-3)
    for step in range(steps):  # some answers are right then, and some are not yet
        batch = task.batches("train", Position(step))
        (task.loss(model, batch) / task.targets(batch)).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        told = [task.measure("validation", model, one) for one in task.evaluation("validation")]
    measured = sum(int(one["exact"][0]) for one in told)
    written = 0
    for index in range(12):
        asked = task.data.example(index)
        length = len(asked.answer)
        new = core.generate(gpt_of(model), asked.prompt, length, temperature=0)
        written += new[-length:] == asked.answer
    assert measured == written
    assert 0 < measured < 12
    assert sum(one["exact"][1] for one in told) == 12


def test_what_is_forgotten_is_measured_beside_what_is_learned(base: Path, tmp_path: Path) -> None:
    """`base` is the loss on a held-out text that the base knew; with replay it knows it still."""
    lines = "".join(
        f'{{"prompt": "{a} met {b}?", "answer": "{a}"}}\n' for a in "ABCD" for b in "stuv"
    )
    data = tmp_path / "turned.jsonl"
    data.write_text(lines)
    ends = {}
    for replay in (0.0, 0.5):
        given = {"data": str(data), "base_data": str(base.parents[2] / "little.txt")}
        config = small_tuning(
            base,
            settings={**given, "replay": replay, "method": "full"},
            learning_rate=2e-2,
            steps=24,
        )
        run = tune(config, tmp_path / f"run-{replay}")
        assert run.measures["base"][:, 0].tolist() == run.evaluations["step"].tolist()
        assert set(run.measures) == {"base", "exact"}
        assert 0 <= run.measures["exact"][:, 1].min() <= run.measures["exact"][:, 1].max() <= 1
        ends[replay] = run.measures["base"][:, 1]
    assert ends[0.0][0] == ends[0.5][0]
    assert ends[0.0][-1] > ends[0.0][0]
    assert ends[0.5][-1] < ends[0.0][-1]


def test_a_run_on_a_text_tells_no_answers(base: Path, tmp_path: Path) -> None:
    assert tune(_config(base, "lora", steps=2), tmp_path / "run").measures == {}


# -- what is written and loaded


def test_an_adapter_is_written_for_peft_as_well(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "lora"), tmp_path / "run").checkpoints[-1].folder
    plain, tuned = core.load(base), core.load(folder)
    core.load_adapter(plain.model, folder)
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        torch.testing.assert_close(plain.model(ids), tuned.model(ids), atol=1e-6, rtol=0)


def test_what_a_soft_prompt_forgets_is_measured_against_the_base_without_it(
    base: Path, tmp_path: Path
) -> None:
    text = str(base.parents[2] / "little.txt")
    found = {}
    for method in ("prompt", "full"):
        settings = {"method": method, "base_data": text, "context": 12}
        run = tune(small_tuning(base, settings=settings), tmp_path / method)
        found[method] = run.measures
    untuned = found["prompt"]["untuned"][:, 1]
    assert "untuned" not in found["full"] and (untuned == untuned[0]).all()
    assert untuned[0] == pytest.approx(found["full"]["base"][0, 1], rel=1e-5)
    assert found["prompt"]["base"][0, 1] != pytest.approx(untuned[0], rel=1e-4)


def test_a_soft_prompt_is_loaded_with_its_tokens(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "prompt"), tmp_path / "run").checkpoints[-1].folder
    tuned = load_tuned(folder)
    assert tuned.settings.method == "prompt" and len(tuned.tuning.prompt) == 4
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    assert torch.equal(tuned.tuning.parameters["wte.rows"], saved["wte.rows"])
    with pytest.raises(ValueError, match="was not fine-tuned here; open it with core.load"):
        load_tuned(base)


def test_classes_are_learned(base: Path, tmp_path: Path) -> None:
    lines = [
        f'{{"text": "{a} met {b}.", "label": "{b in "stuv"}"}}\n'
        for b in "swtxuyvz"
        for a in "ABCDEFGH"
    ]
    data = tmp_path / "labelled.jsonl"
    data.write_text("".join(np.random.default_rng(0).permutation(lines)))
    given = {"data": str(data), "classes": ("True", "False"), "method": "full"}
    config = small_tuning(base, settings=given, learning_rate=3e-2, steps=48, batch_size=8)
    run = tune(config, tmp_path / "run")
    assert run.measures["exact"][-1, 1] == 1.0 > run.measures["exact"][0, 1]
    assert run.samples[-1].text in ("True", "False") and "met" in run.samples[-1].prompt
    tuned = load_tuned(run.checkpoints[-1].folder)
    assert isinstance(tuned.tuning.model, Classifier)
    tokenizer = tuned.lm.tokenizer
    chosen = [
        int(tuned.tuning.model.probabilities(tokenizer.encode_ids(f"C met {b}.")).argmax())
        for b in "sz"
    ]
    assert chosen == [0, 1]


def test_a_damaged_or_a_foreign_base_is_told(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "lora", steps=2), tmp_path / "run").checkpoints[-1].folder
    path = folder / "config.json"
    good = read_json(path)
    write_json(path, {**good, "base": str(tmp_path / "gone")})
    with pytest.raises(ValueError, match="was tuned from the model .* which is not there: .* put"):
        core.load(folder)
    write_json(path, {**good, "base": "stories"})
    with pytest.raises(ValueError, match="does not fit its base 'stories'"):
        core.load(folder)
    write_json(path, {**good, "base": str(folder)})
    with pytest.raises(ValueError, match="needs a base that needs another, without end"):
        core.load(folder)
    write_json(path, {**good, "finetuning": {"method": "ia3"}})
    with pytest.raises(ValueError, match=r"config\.json: method 'ia3' is unknown; use 'lora'"):
        core.load(folder)
    write_json(path, {**good, "base": 3})
    with pytest.raises(ValueError, match="must be the name or the folder of a model, not 3"):
        core.load(folder)
    write_json(path, good)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="holds no model.safetensors; copy the whole"):
        core.load(folder)


def test_a_fine_tuning_may_start_from_another_one(base: Path, tmp_path: Path) -> None:
    first = tune(_config(base, "lora", steps=2), tmp_path / "first").checkpoints[-1].folder
    given = {"method": "lora", "data": str(base.parents[2] / "little.txt")}
    config = small_tuning(first, settings=given, steps=2, learning_rate=1e-2)
    second = tune(config, tmp_path / "second").checkpoints[-1].folder
    assert len(adapters_of(core.load(second).model)) == 2


# -- what a run can do besides


def test_a_run_in_bf16_learns_in_fp32(base: Path, tmp_path: Path) -> None:
    run = tune(_config(base, "lora", precision="bf16"), tmp_path / "run")
    saved = read_tensors(run.checkpoints[-1].folder / "model.safetensors", framework="torch")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}
    assert run.evaluations["train"][-1] < run.evaluations["train"][0]


def test_the_heads_of_a_model_that_is_tuned_are_seen(base: Path, tmp_path: Path) -> None:
    for method in ("lora", "prompt"):
        config = _config(base, method, probe_every=6, activation_checkpointing=True)
        run = tune(config, tmp_path / method)
        assert [one.step for one in run.probes] == [0, 6, 12]
        found = run.probes[0].load()
        assert found["attention"].shape == (2, 2, 16, 16)
        pieces = core.load(base).tokenizer.vocab_size
        assert (found["ids"][:4] >= pieces).all() == (method == "prompt")
        assert any(event["event"] == "heads" for event in run.events)


def test_numbers_that_are_not_finite_end_a_run_and_harm_nothing(base: Path, tmp_path: Path) -> None:
    before = fingerprint(base)
    config = _config(base, "full").change({"learning_rate": 1e38, "min_learning_rate": 1e37})
    with pytest.raises(ValueError, match="step [0-9]+"):
        tune(config, tmp_path / "run")
    assert RunReader(tmp_path / "run").state == "failed"
    assert fingerprint(base) == before


def test_a_quantized_base_is_tuned_and_loaded(base: Path, tmp_path: Path) -> None:
    given = {"method": "lora", "quantize": "nf4"}
    run = tune(small_tuning(base, settings=given, learning_rate=1e-2), tmp_path / "run")
    assert run.evaluations["train"][-1] < run.evaluations["train"][0]
    lm, plain = core.load(run.checkpoints[-1].folder), core.load(base)
    for adapter in adapters_of(lm.model):
        adapter.scale = 0.0
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        assert not torch.equal(lm.model(ids), plain.model(ids))  # in 4 bits a number
        assert (lm.model(ids) - plain.model(ids)).abs().max() < 1.0
