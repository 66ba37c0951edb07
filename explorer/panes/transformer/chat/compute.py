"""What Chat asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.chat.draft import ChatDraft

if TYPE_CHECKING:
    from core.inference.chat import ChatPrompt


def prompt(source: Any, draft: ChatDraft, typed: str) -> ChatPrompt:
    """What the model reads, with what is being typed as the last message."""
    from core.inference.chat import ChatPrompt, chat_prompt

    messages = draft.messages(typed)
    if not messages:
        return ChatPrompt("", (), (), ())
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


def said_by(source: Any, written: Sequence[int]) -> str:
    """An answer as far as it has come."""
    from core.inference.chat import answer_text

    return answer_text(source, written)
