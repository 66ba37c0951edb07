"""What is typed into the fields, and the config that it means."""

from __future__ import annotations

import math
from contextlib import nullcontext

import pytest

from core.data import Batches, StoriesCorpus
from core.fields import from_json, lenient, to_json
from core.optimization import OPTIMIZERS
from core.optimization.schedules import SCHEDULES
from core.resources import resource
from core.tokenization import open_tokenizer
from core.training.config import TrainingConfig
from explorer.engine.cores import torch_threads
from explorer.panes.training.run.draft import (
    SIZES,
    TrainingDraft,
    check,
    config_of,
    draft_of,
    run_name,
)

TOKENIZER = resource("models", "stories", "tokenizer.json")


def test_the_defaults_can_be_trained():
    assert check(TrainingDraft()) == {}
    config = config_of(TrainingDraft())
    assert isinstance(config, TrainingConfig)
    assert (config.corpus, config.tokenizer) == ("stories", "stories")
    assert (config.model.n_layer, config.model.n_embd) == (4, 128)
    assert math.isclose(config.learning_rate, 2e-3)


def test_a_text_of_ones_own_is_read_as_it_is_unless_repeats_are_asked_for():
    own = TrainingDraft().change({"corpus": "/a/text.txt"})
    assert config_of(TrainingDraft()).repeated_fraction == 0.05
    assert config_of(own).repeated_fraction == 0.0
    assert own.change({"corpus": "stories"}).repeated_fraction == "0.05"
    asked = TrainingDraft().change({"repeated_fraction": "0.3"}).change({"corpus": "/a/text.txt"})
    assert asked.repeated_fraction == "0.3"


@pytest.mark.parametrize(
    ("field", "text", "remedy"),
    [
        ("steps", "many", "whole number"),
        ("steps", "0", "Use a whole number from 1 to 1,000,000,000; 500 to 5,000 is usual"),
        ("batch_size", "-3", "from 1 to"),
        ("batch_size", "", "whole number"),
        ("learning_rate", "nan", "a number"),
        ("learning_rate", "inf", "a number"),
        ("clip", "1,000", "write 1000 or 1.0"),
        ("learning_rate", "0", "above 0"),
        ("learning_rate", "fast", "3e-4"),
        ("n_embd", "130", "use 128 or 132"),
        ("n_head", "0", "from 1 to"),
        ("warmup_steps", "1500", "shorter than the run"),
        ("min_learning_rate", "1", "not be above the peak"),
        ("repeated_fraction", "1.5", "from 0 to 1"),
        ("block_size", "0", "from 1 to"),
        ("block_size", "4", "use 8 or more, or a share of repeats of 0"),
        ("corpus", " ", "choose a text, or our stories"),
    ],
)
def test_a_bad_value_has_its_error_and_remedy_beside_its_field(field, text, remedy):
    errors = check(TrainingDraft().change({field: text}))
    assert remedy in errors[field]
    with pytest.raises(ValueError):
        config_of(TrainingDraft().change({field: text}))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimizer_and_schedule_of_core_can_be_chosen(name, schedule):
    draft = TrainingDraft().change({"optimizer": name, "schedule": schedule})
    config = config_of(draft)
    assert (config.optimizer, config.schedule) == (name, schedule)
    again = draft_of(config, TrainingDraft())
    assert (again.optimizer, again.schedule) == (name, schedule)


@pytest.mark.parametrize("context", [1, 2, 7, 8, 9])
@pytest.mark.parametrize("share", ["0", "0.1"])
def test_a_context_is_refused_by_the_setup_where_the_run_would_refuse_it(context, share):
    draft = TrainingDraft(repeated_fraction=share, block_size=str(context))
    draft = draft.change({"lessons": "text"})
    drawn = nullcontext()
    if check(draft):
        drawn = pytest.raises(ValueError, match="too small to repeat")
    with drawn:
        Batches(StoriesCorpus(open_tokenizer(TOKENIZER)), "train", context, 2, 0, float(share))
    assert bool(check(draft)) == (context < 8 and share != "0")


def test_what_a_session_holds_that_can_be_no_choice_is_the_default():
    strange = {"corpus": 3, "tokenizer": "", "schedule": "", "size": "huge", "steps": "77"}
    draft = lenient(TrainingDraft, strange)
    assert draft == TrainingDraft(steps="77")
    assert check(draft) == {} and config_of(draft).steps == 77
    assert lenient(TrainingDraft, {"tokenizer": "/a/file.json", "n_layer": "3"}) == TrainingDraft(
        tokenizer="/a/file.json", n_layer="3"
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.id)
def test_a_named_size_sets_its_shape_and_is_recognized_again(size):
    draft = TrainingDraft().change({"size": size.id})
    assert config_of(draft).model.n_layer == size.n_layer
    changed = draft.change({"n_layer": "3"})
    assert changed.size == "own"
    assert changed.change({"n_layer": str(size.n_layer)}).size == size.id


def test_a_file_is_read_letter_by_letter_and_names_its_run():
    draft = TrainingDraft().change({"corpus": "/texts/the sea.txt"})
    assert (draft.tokenizer, run_name(draft)) == ("characters", "the sea")
    assert draft.change({"corpus": "stories"}).tokenizer == "stories"


def test_warm_up_and_last_rate_go_with_steps_and_peak_until_they_are_set():
    draft = TrainingDraft().change({"steps": "500", "learning_rate": "1e-3"})
    assert (draft.warmup_steps, draft.min_learning_rate) == ("20", "0.0001")
    written = TrainingDraft().change({"steps": "1,000", "learning_rate": "0,003"})
    assert (written.warmup_steps, written.min_learning_rate) == ("40", "0.0003")
    assert check(written) == {}
    typing = draft.change({"learning_rate": ""})
    assert typing.min_learning_rate == "0.0001", "an unfinished number changes nothing"
    assert typing.change({"learning_rate": "5e-4"}).min_learning_rate == "5e-05"
    own = draft.change({"warmup_steps": "7"}).change({"steps": "900"})
    assert own.warmup_steps == "7"


def test_a_run_has_all_cores_but_the_one_of_the_window(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert config_of(TrainingDraft()).threads == torch_threads() == 7


def test_where_it_trains_is_known_to_be_chosen_by_hand():
    assert "run_in" not in TrainingDraft().change({"steps": "9"}).by_hand.split()
    assert "run_in" in TrainingDraft().change({"run_in": "thread"}).by_hand.split()
    two = TrainingDraft().change({"where": "2"})
    assert (two.ranks, two.run_in, two.where) == ("2", "process", "2")
    assert not two.is_by_hand("run_in"), "several ranks are processes, whoever wants a thread"
    back = two.change({"where": "thread"})
    assert (back.ranks, back.where) == ("1", "thread") and back.is_by_hand("run_in")


def test_options_come_back_from_json_and_unknown_things_are_left_out():
    draft = TrainingDraft().change({"steps": "77", "size": "tiny"})
    assert from_json(TrainingDraft, to_json(draft)) == draft
    assert lenient(TrainingDraft, {"steps": 5, "nonsense": "x"}) == TrainingDraft()
    assert lenient(TrainingDraft, None) == TrainingDraft()


def test_a_comma_is_read_as_where_one_lives():
    draft = TrainingDraft().change({"learning_rate": "0,0003"}).change({"steps": "1,200"})
    assert config_of(draft).learning_rate == 3e-4 and config_of(draft).steps == 1200
