"""What Examples asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.widgets.tokens import Tokens, tokens_of

if TYPE_CHECKING:
    from core.inference.few_shot import Shot


@dataclass(frozen=True, eq=False)
class Found:
    """A question after some examples, and the text that the model read for it."""

    shot: Shot
    tokens: Tokens


def found(
    model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], count: int, form: str
) -> Found:
    """The last pair is what is asked."""
    from core.inference.few_shot import FORMS, shot

    one = shot(model, tokenizer, pairs[:-1], *pairs[-1], count, FORMS[form])
    spans = tokenizer.encode(one.text).spans
    return Found(one, tokens_of(one.text.encode(), one.ids, spans, tokenizer))
