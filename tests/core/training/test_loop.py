"""The loop: what it learns, in what order, and that looking at it changes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.inference.activations import capture
from core.inference.generation import generate
from core.training.health import NotFiniteError, seeded_dropout
from core.training.language_modelling import OWN_PROMPT, LanguageModelling
from core.training.loop import train_steps
from core.training.parallel import Single
from core.training.program import train
from core.training.runs import RunReader
from core.training.task import Position
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT, next_token_loss
from tests.benchmarks.sorting_task import Sorting, sorting_config
from tests.core.training.small import (
    TEXT,
    fingerprint,
    finish,
    losses,
    moments,
    small_config,
    torch_state,
)


def test_a_run_learns_and_leaves_everything_in_its_folder(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=60, learning_rate=1e-2), tmp_path / "run")
    assert run.state == "finished" and run.message == "finished after step 60"
    assert list(run.steps["step"]) == list(range(1, 61))
    assert run.steps["loss"][-1] < 0.75 * run.steps["loss"][0]
    assert (run.steps["tokens"] == 64).all() and (run.steps["seconds"] > 0).all()
    assert list(run.evaluations["step"]) == list(range(0, 61, 6))
    assert run.evaluations["validation"][-1] < run.evaluations["validation"][0]
    assert [sample.step for sample in run.samples] == list(range(0, 61, 6))
    assert run.samples[0].prompt == "A met " and len(run.samples[0].ids) == 5
    assert [checkpoint.step for checkpoint in run.checkpoints] == list(range(4, 61, 4))
    heads = run.probes[-1].load()
    assert heads["attention"].dtype == np.uint8 and heads["attention"].shape == (2, 2, 10, 10)
    np.testing.assert_allclose(heads["attention"].sum(-1), 255, atol=6)


def test_phases_come_in_order(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=1, micro_batches=2, sample_every=0, probe_every=0)
    phases = [moment.phase for moment in moments(config, tmp_path / "run")]
    start = phases.index("data")
    micro = ["forward", "loss", "backward"]
    assert phases[start : start + 10] == ["data", *micro, *micro, "clip", "optimizer", "schedule"]
    assert set(phases[:start]) == {"prepare", "evaluate"} and phases[-1] == "end"


def test_nothing_leaks_between_any_two_moments(tmp_path: Path) -> None:
    model = small_config(tmp_path).model.to_json() | {"dropout": 0.2}
    config = small_config(tmp_path, model=model, precision="bf16")
    before = torch_state()
    for moment in moments(config, tmp_path / "run"):
        assert torch_state() == before, moment.phase


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_captures_and_generations_in_between_change_no_bit(tmp_path: Path, precision: str) -> None:
    model = small_config(tmp_path).model.to_json() | {"dropout": 0.1}
    config = small_config(tmp_path, model=model, precision=precision)
    plain = finish(config, tmp_path / "plain")
    task = LanguageModelling(config, tmp_path / "cache")
    served = []
    built = task.build_model
    task.build_model = lambda generator: served.append(built(generator)) or served[0]  # type: ignore
    for moment in train_steps(config, tmp_path / "disturbed", task=task):
        if served and moment.safe:
            before = served[0].training
            capture(served[0], [1, 2, 3])
            generate(served[0], [1, 2], 3)
            torch.rand(3)  # somebody else's draw
            assert served[0].training == before
    disturbed = RunReader(tmp_path / "disturbed")
    assert losses(disturbed) == losses(plain)
    assert fingerprint(disturbed.checkpoints[-1].folder) == fingerprint(
        plain.checkpoints[-1].folder
    )


def test_a_driver_without_gradients_trains_all_the_same(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    plain = finish(config, tmp_path / "plain")
    with torch.no_grad():
        other = finish(config, tmp_path / "other")
    assert losses(plain) == losses(other)


class TwoLengths(LanguageModelling):
    """The second micro-batch counts only three targets."""

    def batches(self, split: str, position: Position) -> tuple[torch.Tensor, torch.Tensor]:
        ids, targets = super().batches(split, position)
        if position.micro_batch == 1:
            targets = targets.clone()
            targets.view(-1)[3:] = -1
        return ids, targets


class Counting(Single):
    """How often numbers are added up over the ranks."""

    def __init__(self) -> None:
        super().__init__()
        self.added: list[int] = []

    def sums(self, values: Sequence[float]) -> list[float]:
        self.added.append(len(values))
        return super().sums(values)


@pytest.mark.parametrize("count", [1, 4])
def test_targets_are_counted_once_a_step_and_not_on_the_device(tmp_path: Path, count: int) -> None:
    """Else a GPU is waited for in each micro-batch."""
    order = []

    class Watched(LanguageModelling):
        def targets(self, batch: Any) -> int:
            order.append("targets")
            found = super().targets(batch)
            assert found == int(next_token_loss(torch.zeros(*batch[1].shape, 99), batch[1])[1])
            return found

        def loss(self, model: nn.Module, batch: Any) -> Tensor:
            order.append("loss")
            return super().loss(model, batch)

    config = small_config(
        tmp_path, steps=3, micro_batches=count, repeated_fraction=0.5, evaluate_every=0
    )
    parallel = Counting()
    task = Watched(config, tmp_path / "cache")
    added = []
    for moment in train_steps(config, tmp_path / "run", task=task, parallel=parallel):
        if moment.phase == "data":
            del parallel.added[:-1]  # of what came between two steps
            assert order[-count:] == ["targets"] * count
        if moment.phase == "schedule":
            assert order[-2 * count :] == ["targets"] * count + ["loss"] * count
            added.append(list(parallel.added))
    assert added == [[count + 1, 1]] * 3  # targets of each and all tokens; later the loss
    run = RunReader(tmp_path / "run")
    assert (run.steps["targets"] < run.steps["tokens"]).any()


def test_accumulated_gradients_equal_those_of_one_batch(tmp_path: Path) -> None:
    """Weighted by tokens: the mean of means would be wrong by far."""
    config = small_config(tmp_path, steps=1, micro_batches=2, clip=0.0)
    task = TwoLengths(config, tmp_path / "cache")
    kept: dict[str, torch.Tensor] = {}
    built = task.build_model
    models: list[GPT] = []
    task.build_model = lambda generator: models.append(built(generator)) or models[0]  # type: ignore
    for moment in train_steps(config, tmp_path / "run", task=task):
        if moment.phase == "prepare" and moment.safe:
            start = {name: p.detach().clone() for name, p in models[0].named_parameters()}
        if moment.phase == "clip":
            kept = {name: p.grad.clone() for name, p in models[0].named_parameters()}
    twin = GPT(models[0].config)
    twin.load_state_dict({**start, "lm_head.weight": start["wte.weight"]})
    parts = [task.batches("train", Position(0, micro)) for micro in range(2)]
    ids, targets = (torch.cat(pair) for pair in zip(*parts, strict=True))
    loss = torch.nn.functional.cross_entropy(
        twin(ids).flatten(0, 1), targets.flatten(), ignore_index=-1
    )
    loss.backward()
    for name, parameter in twin.named_parameters():
        torch.testing.assert_close(kept[name], parameter.grad, rtol=1e-4, atol=1e-7)
    assert losses(RunReader(tmp_path / "run"))[0] == pytest.approx(loss.item(), rel=1e-6)


def test_the_loop_equals_a_plain_torch_loop(tmp_path: Path) -> None:
    """The same model, batches and numbers, trained by ten lines of torch."""
    config = small_config(tmp_path, clip=0.5)
    run = finish(config, tmp_path / "run")
    task = LanguageModelling(config, tmp_path / "cache")
    list(task.prepare_steps(None))
    model = GPT(task.model_config, torch.Generator().manual_seed(config.seed))
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.99),
    )
    for record in run.steps:
        ids, targets = task.batches("train", Position(int(record["step"]) - 1))
        loss = torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        for group in optimizer.param_groups:
            group["lr"] = record["learning_rate"]
        optimizer.step()
        assert record["loss"] == pytest.approx(loss.item(), rel=1e-5)
        assert record["grad_norm"] == pytest.approx(norm.item(), rel=1e-4)


def test_another_task_needs_no_change_of_the_loop(tmp_path: Path) -> None:
    config = sorting_config(steps=60)
    task = Sorting(config)
    for _ in train_steps(config, tmp_path / "run", task=task):
        pass
    run = RunReader(tmp_path / "run")
    assert run.manifest["task"] == "sorting" and run.state == "finished"
    assert run.evaluations["validation"][-1] < 0.9 * run.evaluations["validation"][0]


# Refactors must not move it; another CPU may, in the last digits.
GOLDEN = (
    2.9952435,
    2.9953032,
    2.9841306,
    2.9589038,
    2.9447999,
    2.9093828,
    2.9052598,
    2.9004936,
    2.8808095,
    2.8773832,
    2.8786936,
    2.8811047,
)


def test_golden_loss_curve(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path), tmp_path / "run")
    np.testing.assert_allclose(losses(run), GOLDEN, rtol=1e-5)


def test_dropout_is_a_function_of_the_position() -> None:
    def draw(position: Position) -> list[float]:
        with seeded_dropout(7, position):
            return torch.rand(3).tolist()

    before = torch.get_rng_state()
    first = draw(Position(4, 1))
    torch.rand(5)
    assert draw(Position(4, 1)) == first
    assert draw(Position(4, 0)) != first and draw(Position(5, 1)) != first
    torch.set_rng_state(before)


def test_a_closed_run_keeps_its_last_whole_step(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    plain = finish(config, tmp_path / "plain")
    for phase in ("backward", "optimizer", "schedule", "evaluate"):
        run = tmp_path / phase
        generator = moments(config, run)
        for moment in generator:
            if moment.step >= 6 and moment.phase == phase:
                break
        generator.close()
        reader = RunReader(run)
        assert reader.state == "stopped"
        assert reader.checkpoints[-1].step == reader.step
        resumed = finish(config, run, resume=True)
        assert losses(resumed) == losses(plain), phase


def test_a_run_that_is_closed_at_its_end_stays_finished(tmp_path: Path) -> None:
    generator = moments(small_config(tmp_path), tmp_path / "run")
    assert next(m for m in generator if m.phase == "end").values == {"reason": "finished"}
    generator.close()
    run = RunReader(tmp_path / "run")
    assert run.state == "finished" and run.message == "finished after step 12"
    assert [event["event"] for event in run.events].count("end") == 1


class Poisoned(LanguageModelling):
    """One weight becomes infinite in the forward pass of step 7."""

    def loss(self, model, batch):  # type: ignore[no-untyped-def]
        self.calls = getattr(self, "calls", 0) + model.training
        if self.calls >= 7 and model.training:
            with torch.no_grad():
                weight = model.h[1].mlp.c_fc.weight
                good = weight[0, 0].item()
                weight[0, 0] = float("inf")
            try:
                return super().loss(model, batch)
            finally:
                model.h[1].mlp.c_fc.weight.data[0, 0] = good
        return super().loss(model, batch)


def test_a_loss_that_is_not_finite_stops_the_run_at_the_last_good_checkpoint(
    tmp_path: Path,
) -> None:
    config = small_config(tmp_path, evaluate_every=0)
    with pytest.raises(ValueError, match=r"step 7: the output of h\.1\.mlp\.c_fc is not finite"):
        for _ in train_steps(config, tmp_path / "run", task=Poisoned(config, tmp_path / "c")):
            pass
    run = RunReader(tmp_path / "run")
    assert run.state == "failed" and "checkpoint of step 4 with a lower learning" in run.message
    assert run.step == 6 and [found.step for found in run.checkpoints] == [4]
    assert losses(finish(config, tmp_path / "run", True)) == losses(
        finish(config, tmp_path / "plain")
    )


def test_a_learning_rate_that_blows_up_is_named(tmp_path: Path) -> None:
    config = small_config(tmp_path, learning_rate=1e30, clip=0.0)
    with pytest.raises(ValueError, match=r"step \d+: .* is not finite"):
        finish(config, tmp_path / "run")


def test_a_gradient_norm_that_overflows_is_named_with_its_largest_gradient(tmp_path: Path) -> None:
    """Loss and every gradient are numbers; the squares of the gradients are too large for fp32."""

    class Steep(LanguageModelling):
        def loss(self, model: nn.Module, batch: Any) -> Tensor:
            total = super().loss(model, batch)
            weight = dict(model.named_parameters())["h.1.mlp.c_fc.weight"]
            return total + 1e25 * (weight - weight.detach()).sum()

    config = small_config(tmp_path)
    said = (
        r"step 1: the gradient norm \(largest: the gradient of h\.1\.mlp\.c_fc\.weight, "
        r"up to \d\.\de\+2\d\) is not finite \(loss \d\.\d+\)"
    )
    with pytest.raises(NotFiniteError, match=said):
        for _ in train_steps(config, tmp_path / "run", task=Steep(config, tmp_path / "c")):
            pass


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(b"", "empty"), (b"\x00\xff\xfe\x01" * 99, "text"), (b"short", "longer text|block size")],
)
def test_a_corpus_that_cannot_be_learned(tmp_path: Path, content: bytes, remedy: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=remedy):
        finish(small_config(tmp_path, corpus=str(path)), tmp_path / "run")
    assert RunReader(tmp_path / "run").state == "failed"


def test_a_corpus_that_is_gone_is_no_full_disk(tmp_path: Path) -> None:
    config = small_config(tmp_path, corpus=str(tmp_path / "gone.txt"))
    with pytest.raises(FileNotFoundError, match="gone.txt") as caught:
        finish(config, tmp_path / "run")
    run = RunReader(tmp_path / "run")
    assert run.state == "failed" and "gone.txt" in run.message
    assert "make room" not in run.message + str(caught.value)


@pytest.mark.parametrize("prompt", ["", "\u4f60\u597d \U0001f600", "\x00"])
def test_a_prompt_that_the_corpus_cannot_spell_gives_way_to_its_own_words(
    tmp_path: Path, prompt: str
) -> None:
    config = small_config(tmp_path, sample_prompt=prompt, probe_text=prompt, steps=1)
    run = finish(config, tmp_path / "run")
    own = run.samples[0].prompt
    assert run.state == "finished" and own in TEXT and len(own) == OWN_PROMPT, "letters are tokens"


@pytest.mark.parametrize(
    ("text", "beginnings"),
    [
        ("if x:\n" + " " * 12 + "return y\n\n", ("if x:\n    ", "            return y")),
        ("one two three ", ("one two", "two three", "three one")),
        ("x" * 50, ("x" * 24,)),
    ],
)
def test_its_own_words_begin_where_a_line_or_a_word_begins(
    tmp_path: Path, text: str, beginnings: tuple[str, ...]
) -> None:
    """The validation split may begin amid an indentation, or a word."""
    for amid in range(5):
        own = tmp_path / f"{amid}.txt"
        own.write_text(text[amid:] + text * 60)
        task = LanguageModelling(small_config(tmp_path, corpus=str(own), sample_prompt=""))
        for _ in task.open_steps(None):
            pass
        prompt = task.tokenizer.decode(task._ids_of(""))
        assert prompt.startswith(beginnings) and len(prompt) == OWN_PROMPT, amid


def test_an_unknown_task_and_a_used_folder_are_refused(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    with pytest.raises(ValueError, match="task 'poetry' is unknown"):
        list(train_steps(config.change({"task": "poetry"}), tmp_path / "a"))
    finish(config, tmp_path / "run")
    with pytest.raises(ValueError, match="resume it, or choose a new folder"):
        finish(config, tmp_path / "run")
    with pytest.raises(ValueError, match="another config"):
        finish(config.change({"steps": 99}), tmp_path / "run", resume=True)
    with pytest.raises(ValueError, match="not empty"):
        list(train_steps(config, tmp_path))


def test_train_runs_to_the_end(tmp_path: Path) -> None:
    model = ModelConfig(vocab_size=1, block_size=8, n_layer=1, n_head=1, n_embd=8)
    changes = {"model": model, "tokenizer": "characters", "corpus": "stories", "steps": 2}
    run = train(small_config(tmp_path, **changes), tmp_path / "run")
    assert run.state == "finished" and run.step == 2


@pytest.mark.parametrize("every", [0, 2, 5])
def test_a_run_is_evaluated_before_its_first_step_and_at_its_end_whatever_lies_between(
    tmp_path, every
):
    run = finish(small_config(tmp_path, steps=4, evaluate_every=every), tmp_path / "run")
    assert run.evaluations["step"].tolist() == ([0, 2, 4] if every == 2 else [0, 4])
