"""One held-out question, asked of the base and of what several methods made of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import core
from core.finetuning.held_out_answers import ask_steps
from core.finetuning.program import finetune_steps
from core.finetuning.targets import find_targets, layer_targets, names_of
from core.finetuning.tuning_data import batch_length
from core.jobs import to_the_end
from core.training.runs import RunReader
from tests.core.finetuning.small import LINES, small_base, small_tuning


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("held") / "base")


def tuned(base: Path, folder: Path, method: str) -> str:
    """The last checkpoint of a run on questions."""
    data = folder / "met.jsonl"
    data.write_text(LINES)
    config = small_tuning(base, settings={"method": method, "data": str(data)})
    for _ in finetune_steps(config, folder / method):
        pass
    return str(RunReader(folder / method).checkpoints[-1].folder)


def test_every_method_answers_beside_the_base(base: Path, tmp_path: Path) -> None:
    folders = {name: tuned(base, tmp_path, name) for name in ("lora", "full", "prompt")}
    asked = to_the_end(ask_steps(folders, 1))
    again = to_the_end(ask_steps(folders, 1 + asked.count))
    assert asked == again and asked.number == 1
    assert asked.prompt.startswith(asked.prompt[0] + " met ") and asked.right.strip() in "stuvwx"
    lm = core.load(base)
    ids = lm.tokenizer.encode_ids(asked.prompt)
    plain = core.generate(lm.model, ids, max_new_tokens=24, temperature=0, stop=lm.usage.end_ids)
    assert asked.base == lm.tokenizer.decode(plain).removeprefix(asked.prompt)
    lora = core.load(folders["lora"])
    said = core.generate(lora.model, ids, max_new_tokens=24, temperature=0, stop=lm.usage.end_ids)
    assert asked.tuned["lora"] == lm.tokenizer.decode(said).removeprefix(asked.prompt)
    assert set(asked.tuned) == set(folders)


def test_a_classifier_names_the_class_that_the_base_cannot_know(base: Path, tmp_path: Path) -> None:
    data = tmp_path / "moods.jsonl"
    lines = (f'{{"text": "{a} met {b}", "label": "{a}"}}\n' for a in "AB" for b in "stuvwxyz")
    data.write_text("".join(lines))
    settings = {"method": "head", "data": str(data), "classes": ("A", "B")}
    for _ in finetune_steps(small_tuning(base, settings=settings), tmp_path / "run"):
        pass
    folder = RunReader(tmp_path / "run").checkpoints[-1].folder
    asked = to_the_end(ask_steps({"it": folder}, 0))
    assert asked.prompt.startswith(f"{asked.right} met ") and len(asked.prompt) == 7
    assert asked.base == "" and asked.tuned["it"] in ("A", "B")


def test_the_bundled_adapter_answers_what_its_base_cannot() -> None:
    asked = to_the_end(ask_steps({"it": "questions"}, 0))
    assert asked.tuned["it"] == asked.right != asked.base and asked.count == 400
    with pytest.raises(ValueError, match="was not fine-tuned here"):
        to_the_end(ask_steps({"it": "stories"}, 0))


def test_the_fewest_names_mean_the_same_targets() -> None:
    model = core.load("stories").config
    choices = (
        ("attn.c_attn",),
        ("c_attn.q", "c_attn.k"),
        ("c_attn.q", "c_attn.k", "h.1.attn.c_attn.v"),
        ("c_proj", "h.2.mlp.c_fc"),
        ("all-linear",),
    )
    for names in choices:
        targets = find_targets(model, names)
        short = names_of(model, targets)
        parts = lambda some: {  # noqa: E731
            (one.module, row)
            for one in some
            for row in range(one.first, one.first + (one.rows or one.shape[0]))
        }
        assert parts(find_targets(model, short)) == parts(targets)
        for fewer in itertools.combinations(short, len(short) - 1):
            assert not fewer or parts(find_targets(model, fewer)) != parts(targets)
    assert names_of(model, find_targets(model, ["c_attn.q", "c_attn.k", "c_attn.v"])) == (
        "attn.c_attn",
    )


def test_how_long_a_batch_of_questions_is() -> None:
    assert 60 < (batch_length("stories", "questions") or 0) < 200
    assert batch_length("stories", "little.txt") is None


def test_the_matrices_of_the_layers_are_told_by_their_ends() -> None:
    found = layer_targets(core.load("stories").config)
    assert {end: len(some) for end, some in found.items()} == dict.fromkeys(
        [*(f"attn.c_attn.{part}" for part in "qkv"), "attn.c_proj", "mlp.c_fc", "mlp.c_proj"], 4
    )
    assert found["mlp.c_fc"][2].name == "h.2.mlp.c_fc"
