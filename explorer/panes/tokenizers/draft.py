"""The draft of Compare and Languages: a text, and the tokenizers to compare. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

PATH = "tokenizers.compare"  # its path in the workspace, the same for both modes
FIRST = (
    "How many r's are in strawberry? Unbelievably, some models can't tell.\n"
    "12345 + 6789 = 19134, and 3.14159 is \u03c0.\n"
    "Donaudampfschifffahrtsgesellschaft, \u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440,"
    " \u03ba\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1, \u6771\u4eac, na\u00efve \u2603\n"
    "    for token in text.split():\n"
    "        print(token)\n"
    "<|endoftext|>"
)
LONGEST_TEXT = 2_000_000  # characters


@dataclass(frozen=True)
class ComparisonDraft:
    """Compare splits `text` with the tokenizers, Languages measures its own texts with them.

    tokenizers  their ids in the catalogue; None for the default ones
    """

    text: str = field(FIRST, longest=LONGEST_TEXT)
    tokenizers: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check(self)
