"""Fills in the template and writes answers, on the engine's thread. Does not import Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.chat.draft import ChatDraft
from explorer.panes.transformer.chat.text import INJECTION

if TYPE_CHECKING:
    from core.inference.chat import ChatPrompt
    from core.trace import Step


def prompt(source: Any, draft: ChatDraft, typed: str) -> ChatPrompt:
    """Returns the text that the model reads, with the typed text as the last message."""
    from core.inference.chat import chat_prompt

    messages, counts = draft.messages(typed), draft.typed_specials
    return chat_prompt(source, messages, answer=bool(typed), typed_specials=counts)


def answer_steps(
    model: Any, source: Any, draft: ChatDraft, typed: str
) -> Iterator[tuple[ChatPrompt, Step | None]]:
    """Yields the prompt and None, then for each token of the answer the longer text and the step
    that chose the token.
    """
    from core.inference.chat import CHAT_SAMPLING, answer_steps, answer_token

    shown = prompt(source, draft, typed)
    sampling = replace(CHAT_SAMPLING, temperature=draft.temperature)
    yield shown, None
    coming, ends, seed = len(draft.messages(typed)), source.usage.end_ids, len(draft.turns)
    for step in answer_steps(model, shown.ids, ends, sampling=sampling, seed=seed):
        shown = shown.with_answer(source.tokenizer, [step.id], coming)
        yield shown, answer_token(step, source.tokenizer)


def injection(source: Any) -> str:
    """Returns a message that imitates two messages."""
    from core.inference.chat import injection

    return injection(source, *INJECTION)
