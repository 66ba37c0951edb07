"""The first lesson: repeats alone, then ever more text, as many tokens a step as otherwise."""

import numpy as np
import pytest

from core.data import NO_TOKEN, StoriesCorpus, story_characters
from core.data.first_lesson import ALONE, FirstLesson, lesson_shape, text_share

STEPS = 40


@pytest.fixture(scope="module")
def lesson() -> FirstLesson:
    return FirstLesson(StoriesCorpus(story_characters()), STEPS, 64, 8, seed=3)


def of_text(batch: tuple[np.ndarray, np.ndarray]) -> int:
    """Sequences of a batch without an ignored target: only random ids begin with some."""
    _, targets = batch
    return int((targets != NO_TOKEN).all(axis=1).sum())


def test_it_begins_with_copies_alone_and_ends_with_nearly_all_text(lesson):
    counted = [of_text(lesson.batch(step)) for step in range(STEPS)]
    alone = int(ALONE * STEPS)
    assert counted[:alone] == [0] * alone and counted[-1] >= 30
    assert counted == sorted(counted)
    assert text_share(0, STEPS) == 0.0 and text_share(STEPS, STEPS) == 1.0


def test_every_copied_token_can_be_found_by_looking_back(lesson):
    ids, targets = lesson.batch(0)
    for row, wanted in zip(ids, targets, strict=True):
        period = int((wanted == NO_TOKEN).sum()) + 1
        assert 4 <= period <= 8
        whole = np.append(row, wanted[-1])
        assert (whole[period:] == whole[:-period]).all()


def test_a_step_reads_as_many_tokens_as_one_of_text(lesson):
    assert lesson.batch(0)[0].shape == (32, 16) and 32 * 16 == 8 * 64
    assert lesson.batch(STEPS - 1)[1].shape == (32, 16)
    assert lesson_shape(8, 3) == (3, 8), "no longer than the context"


def test_a_batch_is_a_function_of_its_position_alone(lesson):
    again = FirstLesson(StoriesCorpus(story_characters()), STEPS, 64, 8, seed=3)
    for step, micro_batch in ((0, 0), (0, 1), (30, 0)):
        for one, other in zip(
            again.batch(step, micro_batch), lesson.batch(step, micro_batch), strict=True
        ):
            assert (one == other).all()
    assert (lesson.batch(0, 0)[0] != lesson.batch(0, 1)[0]).any()
    other_seed = FirstLesson(StoriesCorpus(story_characters()), STEPS, 64, 8, seed=4)
    assert (lesson.batch(0)[0] != other_seed.batch(0)[0]).any()


def test_ranks_share_the_batch_of_one_process(lesson):
    whole, parts = lesson.batch(30), [lesson.batch(30, 0, rank, 3) for rank in range(3)]
    for place in range(2):
        assert (np.concatenate([part[place] for part in parts]) == whole[place]).all()
