"""What Examples asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.inference.few_shot import Shot


def shot(
    model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], count: int, form: str
) -> Shot:
    """The last pair is what is asked, after so many of the others."""
    from core.inference.few_shot import FORMS, shot

    return shot(model, tokenizer, pairs[:-1], *pairs[-1], count, FORMS[form])
