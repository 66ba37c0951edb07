"""What is set up in Tune, which runs it means, and what they take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.fields import lenient, to_json
from core.finetuning.settings import METHODS, settings_of
from core.trace import source
from explorer.panes.finetuning.tune.compute import plan
from explorer.panes.finetuning.tune.draft import TuneDraft, check, config_of
from explorer.panes.finetuning.tune.inspector import inspection

SPEED = 8e10


def test_the_first_setup_is_a_run_that_can_start_at_once() -> None:
    planned = plan(TuneDraft(), SPEED)
    assert not planned.errors and list(planned.configs) == ["lora"]
    settings = settings_of(planned.configs["lora"])
    assert (settings.base, settings.data, settings.lora.r) == ("stories", "questions", 8)
    assert [one.name for one in planned.methods] == list(METHODS)
    (lora,) = planned.estimates
    assert planned.methods[0].chosen and lora.trainable == 98304
    assert sum(one.total for one in planned.counts) == lora.trainable
    assert 0 < lora.seconds < 120 and 0.04 < lora.share < 0.05


def test_estimates_follow_what_is_set_up() -> None:
    first = plan(TuneDraft(), SPEED).estimates[0]
    more = plan(TuneDraft(rank=16, steps="120"), SPEED).estimates[0]
    assert more.trainable == 2 * first.trainable and more.bytes_saved == 2 * first.bytes_saved
    assert 1.2 * first.seconds < more.seconds < 2 * first.seconds  # as many evaluations


def test_what_was_typed_is_refused_with_the_remedy_beside_its_field() -> None:
    errors = check(TuneDraft(steps="0", learning_rate="fast", alpha="16"))
    assert set(errors) == {"steps", "learning_rate"} and "60 to 600" in errors["steps"]
    planned = plan(TuneDraft(steps="0"), SPEED)
    assert not planned.configs and "steps" in planned.errors
    missing = plan(TuneDraft(data="/nowhere/questions.jsonl"), SPEED)
    assert "/nowhere/questions.jsonl" in missing.errors["data"]
    assert "There is no model" in plan(TuneDraft(base="/nowhere/model"), SPEED).errors["base"]


def test_labelled_texts_have_classes(tmp_path: Path) -> None:
    data = tmp_path / "moods.jsonl"
    data.write_text('{"text": "What a day!", "label": "glad"}\n' * 2)
    draft = TuneDraft(data=str(data), classes="glad, sad", methods=("head",))
    planned = plan(draft, SPEED)
    assert settings_of(planned.configs["head"]).classes == ("glad", "sad")
    assert "two names" in plan(replace(draft, classes="glad"), SPEED).errors["classes"]


def test_broken_lines_are_told_before_a_run_and_may_be_skipped(tmp_path: Path) -> None:
    data = tmp_path / "moods.jsonl"
    data.write_text('{"text": "What a day!"}\n' * 3 + "{\n")
    planned = plan(TuneDraft(data=str(data)), SPEED)
    assert "1 of 4 lines of moods.jsonl is broken" in planned.errors["data"]
    assert planned.broken == 1 and not planned.configs
    planned = plan(TuneDraft(data=str(data), broken_lines="skip"), SPEED)
    assert not planned.errors and planned.broken == 1 and "line 4" in planned.told
    data.write_text('{"text": "What a day!"}\n' * 3)  # it was mended meanwhile
    assert plan(TuneDraft(data=str(data)), SPEED).broken == 0
    chat = tmp_path / "chat.jsonl"
    chat.write_text('{"messages": [{"role": "assistant", "content": "Hi"}]}\n' * 3)
    assert "no chat template" in plan(TuneDraft(data=str(chat)), SPEED).errors["data"]


def test_a_method_that_cannot_be_says_why_and_the_others_can() -> None:
    planned = plan(TuneDraft(methods=("lora", "full"), quantize="nf4"), SPEED)
    assert "cannot be trained" in planned.errors["methods"] and list(planned.configs) == ["lora"]
    refused = {one.name for one in planned.methods if one.error}
    assert refused == {"full", "last-layers"}


def test_a_learning_rate_is_the_methods_own_unless_one_is_typed() -> None:
    usual = config_of(TuneDraft(), "full")
    typed = config_of(TuneDraft(learning_rate="1e-3"), "full")
    assert usual.learning_rate == 3e-5 and typed.learning_rate == 1e-3
    assert typed.min_learning_rate == pytest.approx(1e-4)


def test_methods_are_chosen_and_dropped_but_one_stays() -> None:
    draft = TuneDraft()
    assert draft.with_method("lora") == ("lora",)
    assert draft.with_method("bitfit") == ("lora", "bitfit")
    assert TuneDraft(methods=("lora", "full")).with_method("lora") == ("full",)
    assert to_json(draft)["methods"] == ["lora"]
    assert lenient(TuneDraft, {"methods": ["magic"]}) == draft


def test_every_method_can_be_chosen_beside_every_other() -> None:
    """The draft is kept as JSON: what was chosen comes back whole."""
    draft = TuneDraft(methods=METHODS)
    assert lenient(TuneDraft, to_json(draft)) == draft


def test_a_run_is_looked_at_at_most_twelve_times() -> None:
    for steps in (1, 12, 13, 20, 23, 60, 1000):
        config = config_of(TuneDraft(steps=str(steps)), "lora")
        assert steps / 12 <= config.evaluate_every <= max(1, steps / 6)


def test_a_soft_prompt_leaves_room_for_the_texts() -> None:
    assert not plan(TuneDraft(methods=("prompt",), prompt_tokens="64"), SPEED).errors
    why = plan(TuneDraft(methods=("prompt",), prompt_tokens="200"), SPEED).errors["methods"]
    assert "200 prompt tokens leave 56" in why and why.endswith("at most")


def test_what_does_not_fit_stands_beside_its_field() -> None:
    """Targets of another base can be mended by a click on the matrices of this one."""
    planned = plan(TuneDraft(targets=("mlp.c_gate",)), SPEED)
    assert set(planned.errors) == {"targets"} and not planned.configs
    assert planned.matrices is not None and not planned.matrices.chosen
    assert planned.matrices.toggled([(4, 2)]) == ("h.2.mlp.c_fc",)
    why = plan(TuneDraft(base="dates"), SPEED).errors["base"]
    assert why.startswith("dates is an encoder-decoder")  # a name is not capitalized


def test_every_method_is_told_with_its_lines_in_core() -> None:
    for method in plan(TuneDraft(), SPEED).methods:
        told = inspection(method)
        if method.name != "bottleneck":
            assert source(told.step.code).lines and told.step.formula
        assert any("parameters are trained" in row for row in told.rows)
