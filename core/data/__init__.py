"""Corpora and batches: the training data, and the order in which a model reads it.

Read in this order: stories, bundled (the tokenizers shipped with the app), corpus, chunks,
text, excerpt, first_lesson, batches, pairs, dates, pair_corpora, few_shot_tasks, questions,
fables.
"""

from core.data import stories
from core.data.batches import NO_TOKEN, Batches, rank_rows, repeated_ids, split_in_order
from core.data.corpus import SPLITS, Corpus, StoriesCorpus, story_characters
from core.data.stories import Story, story, story_text, tell
from core.data.text import (
    FileCorpus,
    character_tokenizer,
    character_tokenizer_steps,
    open_corpus,
    prepare_corpus_steps,
)

__all__ = [
    "NO_TOKEN",
    "SPLITS",
    "Batches",
    "Corpus",
    "FileCorpus",
    "StoriesCorpus",
    "Story",
    "character_tokenizer",
    "character_tokenizer_steps",
    "open_corpus",
    "prepare_corpus_steps",
    "rank_rows",
    "repeated_ids",
    "split_in_order",
    "stories",
    "story",
    "story_characters",
    "story_text",
    "tell",
]
