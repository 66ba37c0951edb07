"""What Chat asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.chat.draft import ChatDraft

if TYPE_CHECKING:
    from core.inference.chat import ChatPrompt
    from core.trace import Trace


def prompt(source: Any, draft: ChatDraft, typed: str) -> ChatPrompt:
    """What the model reads, with what is being typed as the last message."""
    from core.inference.chat import ChatPrompt, chat_prompt

    messages = draft.messages(typed)
    if not messages:
        return ChatPrompt()
    answer = messages[-1]["role"] != "assistant"
    return chat_prompt(source, messages, answer=answer, typed_specials=draft.typed_specials)


def answer_steps(
    model: Any, ids: Sequence[int], ends: Sequence[int], draft: ChatDraft
) -> Iterator[int]:
    """The tokens of the answer, one after the other."""
    from core.inference.chat import CALM, answer_steps

    sampling = replace(CALM, temperature=draft.temperature)
    for step in answer_steps(model, ids, ends, sampling=sampling, seed=len(draft.turns)):
        yield step.id


def trace(model: Any, tokenizer: Any, ids: Sequence[int], written: Sequence[int]) -> Trace:
    """An answer, token by token."""
    from core.inference.chat import trace_answer

    return trace_answer(model, tokenizer, ids, written)


def injection(source: Any, said: str, order: str) -> str:
    """A message that pretends to be two."""
    from core.inference.chat import injection

    return injection(source, said, order)


def starts(source: Any, written: Sequence[int]) -> list[int]:
    """Where the tokens of an answer begin in its bytes, which begin with no white space."""
    pieces = [source.tokenizer.piece_bytes(one) for one in written]
    whole = b"".join(pieces)
    lead = len(whole) - len(whole.lstrip())
    ends = accumulate(len(piece) for piece in pieces)
    return [max(end - len(piece) - lead, 0) for end, piece in zip(ends, pieces, strict=True)]


def said_by(source: Any, written: Sequence[int]) -> str:
    """An answer as far as it has come."""
    from core.inference.chat import answer_text

    return answer_text(source, written)
