"""Fills in a chat template: a stranger's program, in Jinja, that writes a conversation as a text.

It runs in Jinja's sandbox, which keeps it away from files and from Python's insides, and within
bounds on what it may take. A loop without end stops at a deadline, since `sys.settrace` is asked
before each line that the template runs. Within one line, what can make much out of little (a text
times a number, a text of a list that holds one text a million times) looks at the size first; and
all that is made is counted, for a template may keep it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from types import FrameType
from typing import Any

from jinja2 import TemplateError, Undefined, filters, nodes
from jinja2.compiler import CodeGenerator
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace

from core.inference.usage import LONGEST_TEMPLATE

SECONDS = 2.0
LONGEST = 1_000_000  # characters of any text, elements of any list
MOST = 20 * LONGEST  # of all that are made: each element counts as many characters
ELEMENT = 20
LARGEST = 1 << 63  # whole numbers
TIMED = ("<template>", filters.__file__)
WIDEST = 16  # of what is put between or before the values of a JSON text
# What Jinja has and what makes nothing larger than what it is given.
SAFE_FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int"),
    *("items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr"),
    *("reverse", "round", "safe", "select", "selectattr", "sort", "title", "trim", "unique"),
    "upper",
)
METHODS = {
    str: (
        *("capitalize", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit"),
        *("islower", "isspace", "isupper", "join", "lower", "lstrip", "partition", "removeprefix"),
        *("removesuffix", "replace", "rfind", "rpartition", "rsplit", "rstrip", "split"),
        *("splitlines", "startswith", "strip", "title", "upper"),
    ),
    dict: ("get", "items", "keys", "values"),
    list: ("count", "index"),
    tuple: ("count", "index"),
}


class _TookTooLong(BaseException):
    """No Exception: Jinja itself catches some of them."""


def fill_in(
    template: str,
    conversations: Sequence[Sequence[Mapping[str, str]]],
    tokens: Mapping[str, str],
    *,
    answer: bool = True,
    now: datetime | None = None,
) -> list[str]:
    """The text of each conversation, which are messages with "role" and "content".

    tokens    the model's special tokens by their names in templates ("bos_token", ...)
    answer    whether the text ends where the model's answer begins
    now       for templates that write the date; None: the time it is

    Raises ValueError where the template refuses the conversation, is damaged, or takes more than
    SECONDS or LONGEST.
    """
    given = {"add_generation_prompt": answer, "tools": None, "documents": None, **tokens}
    try:
        _check(len(template), LONGEST_TEMPLATE)
        environment = _BoundedEnvironment(now)
        with _deadline(SECONDS):
            filled = environment.from_string(template)
            return [
                filled.render(messages=[dict(one) for one in messages], **given)
                for messages in conversations
            ]
    except _TookTooLong:
        why = f"it takes longer than {SECONDS:g} seconds"
    except _Refusal as refusal:
        raise ValueError(f"the model's chat template refuses this: {refusal}") from None
    except Exception as error:  # it is a stranger's program: anything may come
        why = f"{type(error).__name__}: {error}"[:300]
    raise ValueError(
        f"the model's chat template cannot be filled in: {why}; use another version of the model, "
        "or give its text to core.generate"
    )


class _Refusal(TemplateError):
    """What a template says by `raise_exception`."""


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raises _TookTooLong at the first line of a template or a filter of Jinja that this thread
    comes to after so long. Nowhere else: what is raised where a generator is closed gets lost.
    """
    end = time.monotonic() + seconds

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and time.monotonic() > end:
            raise _TookTooLong
        return trace if frame.f_code.co_filename in TIMED else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


class _Generation(Extension):
    """`{% generation %}` marks what the model wrote, for training: it changes no text."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Generator(CodeGenerator):
    """What a template writes as a text or list is made by the environment, too."""

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def _made(self, visit: Callable[..., None], node: nodes.Node, frame: Any) -> None:
        self.write("environment.made(")
        visit(node, frame)
        self.write(")")

    def visit_List(self, node: nodes.List, frame: Any) -> None:
        self._made(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:
        self._made(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:
        if node.ctx == "load":  # else it is names that are set
            self._made(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:
        if isinstance(node.arg, nodes.Slice):
            self._made(super().visit_Getitem, node, frame)
        else:
            super().visit_Getitem(node, frame)


class _BoundedEnvironment(ImmutableSandboxedEnvironment):
    """transformers' options, fewer filters and methods, and a bound on every text and list."""

    intercepted_binops = frozenset(("+", "*", "%", "**"))
    code_generator_class = _Generator

    def __init__(self, now: datetime | None) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing runs before it is rendered
            finalize=spelled,
            extensions=[LoopControlExtension, _Generation],
        )
        self._all = 0

        def refuse(message: str) -> None:
            raise _Refusal(message)

        def date(form: str) -> str:
            return (now or datetime.now()).strftime(form[:100])

        safe = {name: filters.FILTERS[name] for name in SAFE_FILTERS}
        safe |= {"join": _join, "replace": _replace, "string": spelled, "tojson": _to_json}
        safe |= {"indent": _indent}
        self.filters = {name: self._counted(one) for name, one in safe.items()}
        self.globals = {
            "range": safe_range,
            "dict": dict,
            "namespace": Namespace,
            "raise_exception": refuse,
            "strftime_now": date,
        }

    def made(self, value: Any) -> Any:
        """Counts a text or a list that was made."""
        if isinstance(value, str | list | tuple | dict):
            self._all += len(value) * (1 if isinstance(value, str) else ELEMENT)
            _check(self._all, MOST)
        return value

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """What it returns counts."""

        @wraps(function)  # with what Jinja has written on it
        def counted(*given: Any, **named: Any) -> Any:
            return self.made(function(*given, **named))

        return counted

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        allowed = next((names for kind, names in METHODS.items() if isinstance(obj, kind)), None)
        named = allowed is None or attr in allowed
        return named and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Texts are not formatted here: a width may be a billion."""

    def call(self, context: Any, called: Any, *given: Any, **named: Any) -> Any:
        owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            return self.made(_replace(owner, *given))
        if isinstance(owner, str) and name == "join":
            (values,) = given
            return self.made(_join(values, owner))
        return self.made(super().call(context, called, *given, **named))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(one) for one in (left, right) if isinstance(one, str | list | tuple)]
        if operator == "%" and sizes:
            raise ValueError("texts are not formatted by %: put them together with ~")
        if operator == "*" and sizes:
            _check(sizes[0] * (right if isinstance(right, int) else left))
        elif operator == "**":
            _check(right, 64)
        elif sizes:
            _check(sum(sizes))
        made = super().call_binop(context, operator, left, right)
        if isinstance(made, int):
            _check(abs(made), LARGEST)
        return self.made(made)

    def joined(self, parts: Iterable[Any]) -> str:
        """The parts one after the other, as texts."""
        return self.concat(map(spelled, parts))

    def concat(self, parts: Iterable[str]) -> str:
        """How Jinja puts together all that it writes."""
        length, kept = 0, []
        for part in parts:
            length += len(part)
            _check(length)
            kept.append(part)
        return self.made("".join(kept))


def _check(size: float, most: float = LONGEST) -> None:
    if size > most:
        raise ValueError(f"it would make something of the size {size:,}, and {most:,} is the limit")


def _measure(value: Any) -> int:
    """Characters and elements of a value and all that it holds, each as often as it is written."""
    size, left = 0, [value]
    while left:
        one = left.pop()
        size += len(one) if isinstance(one, str | list | tuple | dict) else 1
        _check(size)
        if isinstance(one, list | tuple):
            left.extend(one)
        elif isinstance(one, dict):
            left.extend(one.keys())
            left.extend(one.values())
        elif not isinstance(one, str | int | float | range | Undefined | None):
            raise ValueError(f"it writes a {type(one).__name__}, which is no text")
    return size


def spelled(value: Any) -> str:
    """A value as the text that Python makes of it."""
    _measure(value)
    return str(value)


def _join(values: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    if attribute is not None:
        raise ValueError("join takes no attribute: use map(attribute=...) before it")
    texts = [spelled(one) for one in values]
    _check(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    text = spelled(text)
    _check(len(text) + text.count(old) * len(new))
    return text.replace(old, new, -1 if count is None else count)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    _check(width if isinstance(width, int) else len(width), 10 * WIDEST)
    return filters.FILTERS["indent"](text, width, first, blank)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Unlike Jinja's own, it turns no signs of HTML into something else."""
    _measure(value)
    for one in (indent or 0, *map(len, separators or ())):
        _check(one, WIDEST)
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
