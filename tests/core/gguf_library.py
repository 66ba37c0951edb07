"""The gguf package as the reference, without the tokenizers that it loads."""

from __future__ import annotations

import sys
from typing import Any
from unittest import mock

import pytest


def gguf_library() -> Any:
    """It loads sentencepiece where that is installed, whose tokenizers then end the process with a
    segmentation fault when a test encodes with them (sentencepiece 0.2.1, gguf 0.19).
    """
    hidden = {} if "gguf" in sys.modules else {"sentencepiece": None}
    with mock.patch.dict(sys.modules, hidden):
        library = pytest.importorskip("gguf")
    sys.modules["gguf"] = library  # `patch.dict` forgets what was loaded meanwhile
    return library
