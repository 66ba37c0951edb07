"""Measures how a tokenizer treats texts and languages, and examines its vocabulary.

Read in this order: sentences (a short text in many languages), languages (the source of longer
ones), rates (bytes per token, tokens per word, money), measures (tokens, fertility, losses of one
text), premiums (a language's price relative to English), premium_trace (how each is computed),
splits (two splits of one text), search (pieces by their content), overlap (pieces that two
vocabularies share), embeddings (a model's table), glitches (pieces that a model never learned).
"""

from core.tokenization.analysis.glitches import GlitchCandidate, glitch_candidates, glitch_steps
from core.tokenization.analysis.languages import (
    LanguageText,
    excerpt_names,
    language_names,
    language_texts,
)
from core.tokenization.analysis.measures import Measures, measure
from core.tokenization.analysis.overlap import Overlap, overlap_steps, vocabulary_overlap
from core.tokenization.analysis.premium_trace import (
    premium_step,
    premium_trace_steps,
    trace_premiums,
)
from core.tokenization.analysis.premiums import Premium, premium_steps, premiums
from core.tokenization.analysis.search import Match, VocabularyIndex
from core.tokenization.analysis.splits import Region, differing_regions, own_tokens

__all__ = [
    "GlitchCandidate",
    "LanguageText",
    "Match",
    "Measures",
    "Overlap",
    "Premium",
    "Region",
    "VocabularyIndex",
    "differing_regions",
    "excerpt_names",
    "glitch_candidates",
    "glitch_steps",
    "language_names",
    "language_texts",
    "measure",
    "overlap_steps",
    "own_tokens",
    "premium_step",
    "premium_steps",
    "premium_trace_steps",
    "premiums",
    "trace_premiums",
    "vocabulary_overlap",
]
