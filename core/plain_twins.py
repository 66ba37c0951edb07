"""Plain twins: textbook versions of optimized code.

A twin comes first in its chapter, in `plain`; a test checks that it gives the same results. Its
lines have the markers of the optimized lines, so the inspector can highlight either.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import suppress

from core.trace import Source, source

_AUTOGRAD = "core.autograd"
_BPE = "core.tokenization.bpe"
_UNIGRAM = "core.tokenization.unigram"
_WORDPIECE = "core.tokenization.wordpiece"
_VALUE = f"{_AUTOGRAD}.plain:Value"

# Functions, or classes for all their methods, with their twins; both in marker notation.
TWINS: Mapping[str, tuple[str, ...]] = {
    f"{_AUTOGRAD}.arithmetic:Add": (f"{_VALUE}.__add__",),
    f"{_AUTOGRAD}.arithmetic:Multiply": (f"{_VALUE}.__mul__",),
    f"{_AUTOGRAD}.arithmetic:Power": (f"{_VALUE}.__pow__",),
    f"{_AUTOGRAD}.functions:Exp": (f"{_VALUE}.exp",),
    f"{_AUTOGRAD}.functions:Tanh": (f"{_VALUE}.tanh",),
    f"{_AUTOGRAD}.functions:ReLU": (f"{_VALUE}.relu",),
    f"{_AUTOGRAD}.tensor:Tensor": (f"{_VALUE}.backward",),
    f"{_BPE}.training:Learner": (f"{_BPE}.plain:train",),
    f"{_BPE}.merging:merge_short": (f"{_BPE}.plain:encode",),
    "core.tokenization.symbol_row:SymbolRow": (f"{_BPE}.plain:merge", f"{_BPE}.plain:train"),
    f"{_UNIGRAM}.lattice:arrive": (f"{_UNIGRAM}.plain:viterbi",),
    f"{_UNIGRAM}.lattice:Lattice": (f"{_UNIGRAM}.plain:viterbi",),
    f"{_UNIGRAM}.lattice:backtrace": (f"{_UNIGRAM}.plain:viterbi",),
    f"{_UNIGRAM}.em:expect": (f"{_UNIGRAM}.plain:expect",),
    f"{_UNIGRAM}.em:new_scores": (f"{_UNIGRAM}.plain:maximize",),
    f"{_WORDPIECE}.tokenizer:WordPiece": (f"{_WORDPIECE}.plain:encode",),
    f"{_WORDPIECE}.training:likelihood": (f"{_WORDPIECE}.plain:train",),
}


@functools.lru_cache(maxsize=512)
def plain_source(marker: str) -> Source | None:
    """Returns the plain twin of a marker's line, in its function, or None."""
    function, mark = marker.split("#")
    for twin in TWINS.get(function) or TWINS.get(function.rpartition(".")[0]) or ():
        with suppress(ValueError):  # this function has no line with that mark
            return source(f"{twin}#{mark}")
    return None
