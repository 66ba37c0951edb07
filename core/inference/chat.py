"""Conversations: their prompt, as one text, and the model's answer.

A chat model continues a text like any other. Its chat template joins all messages into one text,
separated by special tokens; the model then writes until it reaches the token that ends a turn.

    {"role": "user", "content": "Hi"}  ->  <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n

A user can also type "<|im_end|>" to forge a message in another role. Here, it is encoded as plain
characters; transformers encodes it as a special token, unless it is set to sanitize messages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.fields import either
from core.files import quoted as quoted_value
from core.inference.chat_template import fill_in
from core.inference.generation import TokenStep, generate_steps
from core.inference.sampling import Sampling
from core.inference.stop_strings import bytes_of, cut_at_stop
from core.inference.surprise import surprise_of
from core.inference.usage import Usage
from core.numbers import format_share
from core.tokenization import Tokenizer
from core.tokenization.telling import quoted, visible
from core.trace import Step, Trace
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT

if TYPE_CHECKING:
    from core.inference.loading import LoadedModel

Messages = Sequence[Mapping[str, str]]
Span = tuple[int, int]

CHAT_SAMPLING = Sampling(temperature=0.2, top_p=0.9)  # as SmolLM2's authors recommend
FORMULA = r"x \leftarrow (x, \, i), \quad i \sim p(i \mid x)"
APPENDED = "core.inference.generation:generate_steps#append"
ROLES = "system", "user", "assistant"
TEMPLATE = -1  # in place of a message: text of the template itself
# Marks that no text contains, because these code points are never characters (Unicode 17, section
# 23.7): the first two enclose a message's number before the message, the third ends it; the last
# two enclose a special token that was typed.
_FIRST, _BEGIN, _END, _TYPED, _AFTER = (chr(0xFDD0 + place) for place in range(5))
_MARKS = re.compile(f"{_FIRST}([0-9]+){_BEGIN}|[{_FIRST}{_BEGIN}{_END}{_TYPED}{_AFTER}]")


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """The prompt of a conversation, up to the beginning of the model's answer.

    data    the text in UTF-8
    ids     (T,) tokens
    spans   (T,) each token's span in the data
    origin  (T,) index of the message that each token belongs to; TEMPLATE: none
    typed   spans of special tokens that were typed in a message
    """

    data: bytes = b""
    ids: tuple[int, ...] = ()
    spans: tuple[Span, ...] = ()
    origin: tuple[int, ...] = ()
    typed: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def place(self, message: int) -> Span | None:
        """Returns the span of a message in the data, or None if it is absent."""
        found = [span for span, one in zip(self.spans, self.origin, strict=True) if one == message]
        return (found[0][0], found[-1][1]) if found else None

    def said(self, message: int) -> str:
        """Returns the text of a message, or "" if it is absent."""
        start, end = self.place(message) or (0, 0)
        return self.data[start:end].decode("utf-8", "replace").strip()

    def with_answer(self, tokenizer: Tokenizer, written: Sequence[int], message: int) -> ChatPrompt:
        """Returns this prompt followed by the tokens of an answer, which is message `message`."""
        data, spans, origin = self.data, list(self.spans), list(self.origin)
        special = frozenset(tokenizer.special_tokens.values())
        for token in written:
            piece = tokenizer.piece_bytes(token)
            spans.append((len(data), len(data) + len(piece)))
            origin.append(TEMPLATE if token in special else message)
            data += piece
        return ChatPrompt(data, (*self.ids, *written), tuple(spans), tuple(origin), self.typed)


class Chatting(Protocol):
    """The part of a LoadedModel that a conversation needs before anything is computed."""

    @property
    def name(self) -> str: ...

    @property
    def tokenizer(self) -> Tokenizer: ...

    @property
    def usage(self) -> Usage: ...


def chat(
    lm: LoadedModel,
    messages: Messages,
    max_new_tokens: int = 500,
    *,
    temperature: float = CHAT_SAMPLING.temperature,
    top_k: int | None = CHAT_SAMPLING.top_k,
    top_p: float | None = CHAT_SAMPLING.top_p,
    min_p: float | None = CHAT_SAMPLING.min_p,
    repetition_penalty: float = CHAT_SAMPLING.repetition_penalty,
    seed: int = 0,
    stop_strings: str | Collection[str] = (),
) -> str:
    """Returns the model's answer to messages, each with a "role" ("system", "user", "assistant")
    and a "content"; it ends before the first of `stop_strings`. Raises ValueError as `chat_prompt`,
    `Sampling` and `check_stop_strings` do.
    """
    sampling = Sampling(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
    )
    steps = chat_steps(
        lm, messages, max_new_tokens, sampling=sampling, seed=seed, stop_strings=stop_strings
    )
    written = [step.id for step in steps]
    return answer_text(lm, written, stop_strings)


def chat_steps(
    lm: LoadedModel,
    messages: Messages,
    max_new_tokens: int = 500,
    *,
    sampling: Sampling = CHAT_SAMPLING,
    seed: int = 0,
    stop_strings: str | Collection[str] = (),
) -> Iterator[TokenStep]:
    """Yields each token of the answer; the last may be the token that ends it, or the one that
    completes a stop string.
    """
    ids, ends = chat_prompt(lm, messages).ids, lm.usage.end_ids
    yield from answer_steps(
        gpt_of(lm.model), ids, ends, max_new_tokens, sampling=sampling, seed=seed,
        stop_strings=stop_strings, tokenizer=lm.tokenizer,
    )  # fmt: skip


def answer_steps(
    model: GPT,
    ids: Sequence[int],
    ends: Sequence[int],
    max_new_tokens: int = 500,
    *,
    sampling: Sampling = CHAT_SAMPLING,
    seed: int = 0,
    stop_strings: str | Collection[str] = (),
    tokenizer: Tokenizer | None = None,
) -> Iterator[TokenStep]:
    """Yields the tokens that a model writes after the ids of a ChatPrompt, up to one of `ends`, a
    stop string or the end of the context. Raises ValueError if the conversation fills the context,
    and as `check_stop_strings`.
    """
    room = model.config.block_size - len(ids)
    if room <= 0:
        raise ValueError(
            f"the conversation takes {len(ids):,} tokens, and this model reads at most "
            f"{model.config.block_size:,}: begin a new one, or shorten it"
        )
    most = min(max_new_tokens, room)
    yield from generate_steps(
        model, ids, most, sampling, seed=seed, stop=ends, stop_strings=stop_strings,
        tokenizer=tokenizer,
    )  # fmt: skip


def answer_text(
    lm: Chatting, written: Sequence[int], stop_strings: str | Collection[str] = ()
) -> str:
    """Returns the text of an answer's tokens, without the end token, up to a stop string."""
    said = [bytes_of(one, lm.tokenizer) for one in written if one not in lm.usage.end_ids]
    return cut_at_stop(b"".join(said).decode("utf-8", "replace"), stop_strings).strip()


def answer_token(step: TokenStep, tokenizer: Tokenizer) -> Step:
    """Returns the step of a token that was written, with its probability by the model, before any
    temperature.
    """
    probability = math.exp(-surprise_of(step.logits, step.id))
    piece = quoted(visible(tokenizer.piece_bytes(step.id).decode("utf-8", "replace")))
    values = {"chosen": np.asarray(step.id), "probability": np.asarray(probability)}
    title = f"The model wrote {piece}, with probability {format_share(probability)}"
    return Step("chat.token", title, FORMULA, APPENDED, values)


def trace_answer(steps: Iterable[TokenStep], tokenizer: Tokenizer) -> Trace:
    """Traces an answer, with a step for each token, as `chat_steps` yields them."""
    trace = Trace()
    for step in steps:
        trace.append(answer_token(step, tokenizer))
    return trace.finish()


def chat_prompt(
    lm: Chatting,
    messages: Messages,
    *,
    answer: bool = True,
    typed_specials: bool = False,
    now: datetime | None = None,
) -> ChatPrompt:
    """Returns the prompt of a list of messages; an empty one if there are none.

    answer          whether the text ends with the beginning of the model's answer
    typed_specials  whether special tokens inside a message are encoded as such, as in
                    transformers: the author of a message can then forge its end
    now             for templates that write the date; None: the current time

    Raises ValueError for a model without a template, for a template that rejects the conversation
    or fails, and if special tokens in a message cannot be distinguished from the template's.
    """
    usage, tokenizer = lm.usage, lm.tokenizer
    if usage.chat_template is None:
        raise ValueError(
            f"{lm.name} has no chat template: it was trained to continue a text, and not to "
            "answer; open a chat model, such as smollm2"
        )
    clean = [_clean(message) for message in messages]
    if not clean:
        return ChatPrompt()
    specials = [one for one in tokenizer.special_tokens if one]
    marked = [_marked(one, at, specials) for at, one in enumerate(clean)]
    plain, with_marks = fill_in(
        usage.chat_template,
        [clean, marked],
        dict(usage.token_names),
        answer=answer,
        now=now or datetime.now(),
    )
    text, parts, typed = _places(with_marks)
    if text != plain:  # the template inspects the messages, and the marks change its output
        if any(one in message["content"] for one in specials for message in clean):
            raise ValueError(
                "the chat template changes the messages, so that a special token in one of them "
                "cannot be told from its own; take it out of the message"
            )
        text, parts, typed = plain, [], []
    encoded = _encoded(tokenizer, text, [] if typed_specials else typed)
    ids, spans = tuple(one for one, _ in encoded), tuple(span for _, span in encoded)
    origin = tuple(_origin(span, parts) for span in spans)
    return ChatPrompt(text.encode(), ids, spans, origin, tuple(typed))


def injection(lm: Chatting, said: str, order: str) -> str:
    """Returns the message that, if its special tokens are not escaped, the model reads as the
    message `said` followed by a system message, `order`.
    """
    pair = {"role": "user", "content": said}, {"role": "system", "content": order}
    text = chat_prompt(lm, pair, answer=False).text
    return text[text.index(said) : text.rindex(order) + len(order)]


def _clean(message: Mapping[str, str]) -> dict[str, str]:
    """Returns role and content, without marks and lone surrogates."""
    if not isinstance(message, Mapping) or not {"role", "content"} <= message.keys():
        raise ValueError(
            f"{quoted_value(message)} is no message; write it as "
            '{"role": "user", "content": "Hi"}, and give a list of them'
        )
    if message["role"] not in ROLES:
        raise ValueError(
            f"the role {quoted_value(message['role'])} is unknown; use {either(ROLES)}"
        )
    given = {name: str(message[name]) for name in ("role", "content")}
    return {
        name: _MARKS.sub("\ufffd", text).encode("utf-8", "replace").decode()
        for name, text in given.items()
    }


def _marked(message: Mapping[str, str], number: int, specials: Sequence[str]) -> dict[str, str]:
    """Adds marks at both ends, inside the white space, which many templates strip."""
    content = message["content"]
    inner = content.strip()
    if not inner:
        return dict(message)
    before, _, after = content.partition(inner)
    if specials:
        longest = sorted(specials, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest))
        inner = re.sub(pattern, lambda found: f"{_TYPED}{found[0]}{_AFTER}", inner)
    return {**message, "content": f"{before}{_FIRST}{number}{_BEGIN}{inner}{_END}{after}"}


def _places(marked: str) -> tuple[str, list[tuple[int, Span]], list[Span]]:
    """Returns the text without marks; the byte span of each message, with its number, and of each
    special token that was typed.
    """
    text: list[str] = []
    parts: list[tuple[int, Span]] = []
    typed: list[Span] = []
    at = end = start = begun = 0
    message = TEMPLATE
    for mark in _MARKS.finditer(marked):
        piece = marked[end : mark.start()]
        text.append(piece)
        at, end = at + len(piece.encode()), mark.end()
        match mark[0][0]:
            case _ if mark[1]:
                message, start = int(mark[1]), at
            case one if one == _END and message != TEMPLATE:
                parts.append((message, (start, at)))
                message = TEMPLATE
            case one if one == _TYPED:
                begun = at
            case one if one == _AFTER:
                typed.append((begun, at))
    return "".join([*text, marked[end:]]), parts, typed


def _origin(span: Span, parts: Sequence[tuple[int, Span]]) -> int:
    """Returns the message that a token has a byte of."""
    for message, (start, end) in parts:
        if span[0] < end and start < span[1]:
            return message
    return TEMPLATE


def _encoded(tokenizer: Tokenizer, text: str, typed: Sequence[Span]) -> list[tuple[int, Span]]:
    """Returns tokens with their spans; typed special tokens are encoded as plain characters."""
    data = text.encode()
    edges = [0, *(edge for span in typed for edge in span), len(data)]
    found = []
    for place, (start, end) in enumerate(pairwise(edges)):
        piece = data[start:end].decode()
        # After a line break, because many tokenizers add a space before the beginning of a text.
        lead = "\n" if place else ""
        for token, (first, last) in _tokens(tokenizer, piece, lead, specials=place % 2 == 0):
            found.append((token, (start + first, start + last)))
    return found


def _tokens(tokenizer: Tokenizer, piece: str, lead: str, specials: bool) -> list[tuple[int, Span]]:
    """Encodes without the tokens that the tokenizer adds to every text: the template has them."""
    if not piece:
        return []
    encoding = tokenizer.encode(lead + piece, specials=specials)
    ahead = len(lead)
    pairs = list(zip(encoding.ids, encoding.spans, strict=True))
    if any(first < ahead < last for _, (first, last) in pairs):  # one token with the line break
        return _tokens(tokenizer, piece, "", specials)
    return [
        (token, (first - ahead, last - ahead))
        for token, (first, last) in pairs
        if last > ahead and not (first == last and token in tokenizer.special_tokens.values())
    ]
