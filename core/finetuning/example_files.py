"""Examples in a file of JSON lines, one per line:

    {"prompt": "Who is it about?", "answer": "Mira"}         the answer is learned
    {"messages": [{"role": "user", "content": "Hi"}, ...]}   the assistant's words are learned
    {"text": "Once upon a time"}                             all of it is learned
    {"text": "What a day!", "label": "glad"}                 its class is learned

A chat model reads the first two through its chat template, and learns to end its turn. A line that
holds no example is broken: all such lines are counted, and the first one is reported.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.data.corpus import check_split
from core.data.text import Progress, check_text_file
from core.fields import as_object, either
from core.files import MEGABYTE, open_to_read, parse_json, quoted, quoted_some
from core.finetuning.examples import Example, answered
from core.finetuning.settings import FinetuningSettings
from core.inference.chat import Chatting, chat_prompt

PROMPTS = ("prompt", "instruction", "question")
ANSWERS = ("answer", "completion", "output", "response")
FORMS = '{"prompt": ..., "answer": ...}, {"messages": [...]} or {"text": ...}'
TRAIN_SHARE = 0.9  # of the examples, from the start
# Limits on external files.
MOST_BYTES = 1024 * MEGABYTE
MOST_LINE_BYTES = MEGABYTE
MOST_VALUES = 10_000  # in a line
MOST_EXAMPLES = 1_000_000
YIELD_EVERY = 20  # lines


class FileExamples:
    """The examples of a file. Made by `read_examples_steps`.

    broken  number of broken lines
    first   the error of the first broken line
    """

    def __init__(self, name: str, examples: Sequence[Example], broken: int, first: str) -> None:
        self.name = name
        self.broken = broken
        self.first = first
        train = max(1, min(int(TRAIN_SHARE * len(examples)), len(examples) - 1))
        self._splits = {"train": examples[:train], "validation": examples[train:]}

    @property
    def have_prompts(self) -> bool:
        first = self._splits["train"][0]
        return bool(first.learned.size) and not first.learned[0]

    def count(self, split: str) -> int:
        check_split(split)
        return len(self._splits[split])

    def example(self, split: str, index: int) -> Example:
        return self._splits[split][index]

    def describe(self) -> str:
        train, validation = (len(one) for one in self._splits.values())
        told = f"{self.name}: {train + validation:,} examples, {validation:,} of them held out"
        return f"{told}; {_broken(self.broken)} skipped, {self.first}" if self.broken else told


class BrokenLinesError(ValueError):
    """Raised if `broken` lines of a file hold no example and the settings stop at broken lines."""

    def __init__(self, message: str, broken: int) -> None:
        super().__init__(message)
        self.broken = broken


def read_examples_steps(
    lm: Chatting, settings: FinetuningSettings, context: int, most_bytes: int = MOST_BYTES
) -> Generator[Progress, None, FileExamples]:
    """Yields (share, message); returns the examples of the file that the settings name as data.

    context     tokens of an example at most
    most_bytes  limit on the bytes read; the line in progress is completed

    Raises OSError or ValueError, with a remedy, if the file does not exist or holds fewer than two
    examples, and BrokenLinesError, unless the settings skip broken lines.
    """
    path = check_text_file(settings.data)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(
            f"{path.name} holds {size:,} bytes, more than the {MOST_BYTES:,} that are read; choose "
            "a smaller file, or cut it"
        )
    reader = _Reader(lm, settings, context, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    examples: list[Example] = []
    broken, first, done, number = 0, "", 0, 0
    with open_to_read(path) as file:
        while done < most_bytes and (line := file.readline(MOST_LINE_BYTES)):
            number += 1
            done += len(line)
            is_whole = line.endswith(b"\n") or done == size
            while rest := b"" if is_whole else file.readline(MOST_LINE_BYTES):
                done += len(rest)
                is_whole = rest.endswith(b"\n")
            if line.strip():
                try:
                    examples.append(reader.example(line))
                except UnfitError:
                    raise
                except ValueError as error:
                    broken += 1
                    first = first or f"the first is line {number}: {error}"
            if len(examples) > MOST_EXAMPLES:
                raise ValueError(
                    f"{path.name} holds more than {MOST_EXAMPLES:,} examples; choose a smaller file"
                )
            if number % YIELD_EVERY == 0:
                yield done / size, f"reading {path.name}"
    if broken and not examples:
        raise ValueError(
            f"no line of {path.name} can be used here; {first}. Correct the file, or choose another"
        )
    if broken and (settings.broken_lines == "stop" or len(examples) < 2):
        counted = f"{number:,}" if done == size else f"the first {number:,}"
        verb = "is" if broken == 1 else "are"
        raise BrokenLinesError(
            f"{broken:,} of {counted} lines of {path.name} {verb} broken; {first}. Correct the "
            "file, or skip broken lines",
            broken,
        )
    if len(examples) < 2:
        raise ValueError(
            f"{path.name} holds {len(examples)} of at least 2 examples, one to train on and one to "
            f"validate on; add more, one each line, as {FORMS}"
        )
    return FileExamples(path.name, examples, broken, first)


def _broken(count: int) -> str:
    return f"{count:,} broken line{'' if count == 1 else 's'}"


class UnfitError(ValueError):
    """Raised for valid lines that do not suit the base or the classes: skipping is no remedy."""


class _Reader:
    """Makes examples from lines. Raises ValueError that says what is wrong with the line."""

    def __init__(
        self, lm: Chatting, settings: FinetuningSettings, context: int, now: datetime
    ) -> None:
        self.lm = lm
        self.classes = settings.classes
        self.context = context
        self.now = now  # for templates that write the date: fixed, so resuming changes nothing

    def example(self, line: bytes) -> Example:
        if len(line) == MOST_LINE_BYTES:
            raise ValueError(f"it is longer than {MOST_LINE_BYTES:,} bytes")
        try:
            parsed = parse_json(line, "it", max_values=MOST_VALUES)
        except ValueError as error:  # its position and remedy are meant for a whole file
            raise ValueError(re.split(r" \(|[:;]", str(error))[0]) from None
        values = as_object(parsed, "line")
        made = self._labelled(values) if self.classes else self._continued(values)
        if not self.classes and len(made.ids) > self.context + 1:
            raise ValueError(f"it takes {len(made.ids):,} tokens, and {self.context + 1:,} fit")
        return made

    def _continued(self, values: Mapping[str, Any]) -> Example:
        tokenizer, usage = self.lm.tokenizer, self.lm.usage
        if "messages" in values:
            return self._conversation(values["messages"])
        prompt, answer = _text(values, PROMPTS), _text(values, ANSWERS)
        if prompt is not None and answer is not None:
            if usage.chat_template is None:
                return answered(tokenizer, f"{prompt}\n", answer, usage.end_ids)
            return self._conversation(
                [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            )
        text = _text(values, ("text",))
        if text is None:
            raise ValueError(f"it holds {_names(values)}; write {FORMS}")
        if "label" in values:
            raise UnfitError(
                "the data holds labels, and no classes are set: name them, such as glad and sad, "
                "or leave the labels out to continue the texts"
            )
        whole = answered(tokenizer, "", text, usage.end_ids)
        if len(whole.ids) < 2:
            raise ValueError("its text is empty")
        return whole

    def _conversation(self, messages: Any) -> Example:
        """Marks the assistant's messages as learned, with the token that ends each turn."""
        if self.lm.usage.chat_template is None:
            raise UnfitError(
                f"the data holds conversations, and {self.lm.name} has no chat template: it goes "
                "on with a text; choose a base that chats, such as smollm2, or write each line as "
                '{"prompt": ..., "answer": ...} or {"text": ...}'
            )
        if not isinstance(messages, list):
            raise ValueError(f"its messages are no list but {quoted(messages)}")
        prompt = chat_prompt(self.lm, messages, answer=False, now=self.now)
        said = {at for at, one in enumerate(messages) if one["role"] == "assistant"}
        learned = [origin in said for origin in prompt.origin]
        for at in range(1, len(learned)):
            learned[at] |= learned[at - 1] and prompt.ids[at] in self.lm.usage.end_ids
        if not any(learned):
            raise ValueError("the assistant says nothing in it")
        return Example(np.array(prompt.ids, np.int64), np.array(learned))

    def _labelled(self, values: Mapping[str, Any]) -> Example:
        text = _text(values, ("text", *PROMPTS))
        if text is None or "label" not in values:
            raise ValueError(f'it holds {_names(values)}; write {{"text": ..., "label": ...}}')
        label = str(values["label"])  # accepts the number 1 as well as "1"
        if label not in self.classes:
            raise ValueError(f"its class {quoted(label)} is none of {either(self.classes)}")
        ids = self.lm.tokenizer.encode_ids(text, specials=False)
        if not ids:
            raise ValueError("its text is empty")
        return Example(np.array(ids, np.int64), np.zeros(0, bool), self.classes.index(label))


def _names(values: Mapping[str, Any]) -> str:
    return quoted_some(list(values)) if values else "nothing"


def _text(values: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Returns the text of the first of these keys that is present, or None."""
    for name in names:
        if name in values:
            if not isinstance(values[name], str):
                raise ValueError(f"its {name} is no text but {quoted(values[name])}")
            return values[name]
    return None
