"""Questions about the app's own stories: a skill that its story model lacks and learns quickly.

    Once upon a time, there was a shy boy named Dario. ... The witch told them a secret.
    Who is it about? Dario

To answer, a model has to find the story's hero among all characters. A fifth of the heroes have
made-up names, so names cannot be memorized.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.data.corpus import FIRST_VALIDATION_SEED, TRAIN_STORIES, VALIDATION_STORIES, check_split
from core.data.stories import tell

QUESTION = "Who is it about?"
BEGINNING = 400  # characters of a story at most: its first ones


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and its answer."""

    prompt: str
    answer: str


def question(seed: int) -> Question:
    """Returns the question about the beginning of the story of this seed, to the end of a sentence.
    The hero is the character introduced first.
    """
    told = tell(seed)
    text = told.text[:BEGINNING]
    beginning = text[: text.rindex(". ") + 1]
    return Question(f"{beginning}\n{QUESTION}", f" {told.people[0].name}")


def seed_count(split: str) -> int:
    """Returns the number of stories of a split."""
    check_split(split)
    return TRAIN_STORIES if split == "train" else VALIDATION_STORIES


def seed_of(split: str, index: int) -> int:
    """Returns the seed of a story by its number. The bundled model was not trained on those of
    "validation" either.
    """
    check_split(split)
    return index + (0 if split == "train" else FIRST_VALIDATION_SEED)


def question_of(split: str, index: int) -> Question:
    """Returns the question about a story of a split, by the story's number."""
    return question(seed_of(split, index))
