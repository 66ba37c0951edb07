"""Questions about our own stories: a skill that a model of stories does not have and learns soon.

    Once upon a time, there was a shy boy named Dario. ... The witch told them a secret.
    Who is it about? Dario

To answer, a model has to find the story's hero again, whoever else is in it. A fifth of the heroes
have made-up names, which nobody can learn by heart.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.data.corpus import FIRST_VALIDATION_SEED, TRAIN_STORIES, VALIDATION_STORIES, check_split
from core.data.stories import tell

QUESTION = "Who is it about?"
BEGINNING = 400  # characters of a story at most


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt, and the answer that is to follow it."""

    prompt: str
    answer: str


def question(seed: int) -> Question:
    """The question about the beginning of the story of this seed, to the end of a sentence. The
    hero is the first one who is met.
    """
    told = tell(seed)
    text = told.text[:BEGINNING]
    beginning = text[: text.rindex(". ") + 1]
    return Question(f"{beginning}\n{QUESTION}", f" {told.people[0].name}")


def seed_count(split: str) -> int:
    """How many stories a split has."""
    check_split(split)
    return TRAIN_STORIES if split == "train" else VALIDATION_STORIES


def seed_of(split: str, index: int) -> int:
    """The seed of a story by its number. Those of "validation" were kept from the model that the
    program brings along as well.
    """
    check_split(split)
    return index + (0 if split == "train" else FIRST_VALIDATION_SEED)


def question_of(split: str, index: int) -> Question:
    """The question about a story of a split, by the story's number."""
    return question(seed_of(split, index))
