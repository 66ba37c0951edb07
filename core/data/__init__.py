"""Corpora and batches: what a model learns from, and in which order."""

from . import stories
from .stories import SEPARATOR, Story, story, story_text, tell

__all__ = ["SEPARATOR", "Story", "stories", "story", "story_text", "tell"]
