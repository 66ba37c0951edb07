"""The question skill's prompts and answers."""

from __future__ import annotations

import pytest

from core.data.corpus import FIRST_VALIDATION_SEED
from core.data.questions import BEGINNING, QUESTION, question, question_of, seed_count, seed_of
from core.data.stories import story, tell


def test_a_question_is_about_the_first_one_who_is_met() -> None:
    for seed in range(400):
        asked, told = question(seed), tell(seed)
        beginning, line = asked.prompt.rsplit("\n", 1)
        assert line == QUESTION
        assert told.text.startswith(beginning) and beginning.endswith(".")
        assert len(beginning) <= BEGINNING
        assert asked.answer == f" {told.people[0].name}"
        assert told.people[0].name in beginning.split(".")[0]


def test_most_beginnings_name_somebody_else_as_well() -> None:
    named = [sum(one.name in question(s).prompt for one in tell(s).people) for s in range(300)]
    assert sum(count > 1 for count in named) > 200


def test_held_out_questions_are_about_stories_that_the_bundled_model_never_read() -> None:
    asked = question_of("validation", 3)
    assert story(FIRST_VALIDATION_SEED + 3).startswith(asked.prompt.rsplit("\n", 1)[0])
    assert seed_of("train", 3) == 3
    assert seed_count("train") > seed_count("validation") > 100
    with pytest.raises(ValueError, match="no split 'test'"):
        seed_of("test", 0)
