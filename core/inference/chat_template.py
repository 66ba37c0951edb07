"""Fills in a chat template: untrusted Jinja code that turns a conversation into a text.

It runs in Jinja's sandbox, which denies access to files and Python's internals, and within limits
on its resources. Of every type only listed attributes can be used, of Jinja only listed filters.
Operations that can make large values from small ones (a text times a number, a text from a list
that holds one text a million times) check the size first. All results count toward a limit, because
a template may keep them, and so does what a filter is given. Each loop iteration, call, filter and
operator checks the clock: since all values are small, the time between two of them is short.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any

from jinja2 import TemplateError, Undefined, filters, nodes
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from core.files import quoted
from core.inference.usage import LONGEST_TEMPLATE

SECONDS = 2.0
LONGEST = 1_000_000  # characters of any text, elements of any list
MOST = 20 * LONGEST  # of all results together: each element counts as many characters
ELEMENT = 20
LARGEST = 1 << 63  # whole numbers
MOST_STRIPPED = 1000  # characters to strip from the ends of a text
WIDEST = 16  # of separators and indentation in a JSON text
LONGEST_MESSAGE = 300  # characters of what a template says when it refuses
DATE = re.compile("([^%]|%-?[a-zA-Z%])*")  # a date's format: a directive may not ask for a width
# Jinja's filters whose results are no larger than their inputs.
SAFE_FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int"),
    *("items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr"),
    *("reverse", "safe", "select", "selectattr", "sort", "title", "unique"),
    "upper",
)
# Methods of texts, dicts, lists and tuples, and what a loop tells of itself. Other types have none,
# but for a namespace's own entries.
LOOP = frozenset(
    (
        *("cycle", "changed", "depth", "depth0", "first", "index", "index0", "last", "length"),
        *("nextitem", "previtem", "revindex", "revindex0"),
    )
)
METHODS = frozenset(
    (
        *("capitalize", "count", "endswith", "find", "get", "index", "isalnum", "isalpha"),
        *("isdigit", "islower", "isspace", "isupper", "items", "join", "keys", "lower", "lstrip"),
        *("partition", "removeprefix", "removesuffix", "replace", "rfind", "rpartition", "rsplit"),
        *("rstrip", "split", "splitlines", "startswith", "strip", "title", "upper", "values"),
    )
)


class _TookTooLong(BaseException):
    """Not an Exception, because Jinja itself catches some of those."""


def fill_in(
    template: str,
    conversations: Sequence[Sequence[Mapping[str, str]]],
    tokens: Mapping[str, str],
    *,
    answer: bool = True,
    now: datetime | None = None,
) -> list[str]:
    """Returns the text of each conversation, a list of messages with "role" and "content".

    tokens    the model's special tokens by their names in templates ("bos_token", ...)
    answer    whether the text ends with the beginning of the model's answer
    now       for templates that write the date; None: the current time

    Raises ValueError if the template rejects the conversation, is damaged, or exceeds SECONDS or
    LONGEST.
    """
    given = {"add_generation_prompt": answer, "tools": None, "documents": None, **tokens}
    try:
        _check(len(template), LONGEST_TEMPLATE)
        filled = _BoundedEnvironment(now).from_string(template)
        return [
            filled.render(messages=[dict(one) for one in messages], **given)
            for messages in conversations
        ]
    except _TookTooLong:
        why = f"it takes longer than {SECONDS:g} seconds"
    except _Refusal as refusal:
        raise ValueError(
            f"the model's chat template refuses this: {refusal}; use other messages, or another "
            "version of the model"
        ) from None
    except Exception as error:  # the template is untrusted code: any error is possible
        why = f"{type(error).__name__}: {error}"[:300]
    raise ValueError(
        f"the model's chat template cannot be filled in: {why}; use another version of the model, "
        "or give its text to core.generate"
    )


class _Refusal(TemplateError):
    """A template's call of `raise_exception`."""


class _Generation(Extension):
    """`{% generation %}` marks the model's output for training; the text is unchanged."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Bounds(NodeTransformer):
    """Routes through filters what a template does without a filter, call or operator."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _through("each", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _through("join", nodes.List(node.nodes))

    def visit_List(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return _through("made", node)

    visit_Dict = visit_Compare = visit_Test = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        # Otherwise, the tuple's names are assignment targets.
        return self.visit_List(node) if node.ctx == "load" else node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        _check_number(node.value)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        is_slice = isinstance(node.arg, nodes.Slice)
        return self.visit_List(node) if is_slice else self.generic_visit(node)


def _through(name: str, node: nodes.Node) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, name, [], [], None, None)


class _BoundedEnvironment(ImmutableSandboxedEnvironment):
    """transformers' options, with fewer filters and methods, and a limit on every text and list."""

    intercepted_binops = frozenset(("+", "*", "%", "**"))

    def __init__(self, now: datetime | None) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing runs before rendering
            finalize=spelled,
            extensions=[LoopControlExtension, _Generation],
        )
        self._all, self._end = 0, time.monotonic() + SECONDS

        def refuse(message: Any) -> None:
            said = spelled(message)
            raise _Refusal(said[:LONGEST_MESSAGE] + "…" * (len(said) > LONGEST_MESSAGE))

        def date(form: str) -> str:
            if len(form) > 100 or not DATE.fullmatch(form):
                raise ValueError("it writes a date in a form that is not known")
            return (now or datetime.now()).strftime(form)

        safe = {name: filters.FILTERS[name] for name in SAFE_FILTERS}
        safe |= {"join": _join, "replace": _replace, "string": spelled, "tojson": _to_json}
        safe |= {"indent": _indent, "trim": _trim, "made": lambda value: value}
        self.filters = {name: self._counted(one) for name, one in safe.items()}
        self.filters["each"] = self._each
        self.globals = {
            "range": safe_range,
            "dict": dict,
            "namespace": Namespace,
            "raise_exception": refuse,
            "strftime_now": date,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Bounds().visit(super()._parse(source, name, filename))
        return tree

    def made(self, value: Any) -> Any:
        """Counts a text or list that was made, and checks the clock. A list that contains another
        one twice, which contains another one twice, and so on, counts as if it held copies, because
        writing, comparing and hashing it take as long.
        """
        if time.monotonic() > self._end:
            raise _TookTooLong
        _check_number(value)
        if isinstance(value, str | list | tuple | dict):
            self._all += len(value) if isinstance(value, str) else ELEMENT * _measure(value)
            _check(self._all, MOST)
        return self._each(value) if isinstance(value, Iterator) else value

    def _each(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yields the values of a loop, with a check of the clock for each."""
        for value in values:
            self.made(None)
            yield value

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function with its results counted, and the lists that it is given: sorting
        one that holds a long text very often takes for ever.
        """

        @wraps(function)  # preserves Jinja's attributes
        def counted(*given: Any, **named: Any) -> Any:
            settled = [self._settled(one) for one in given]
            return self.made(function(*settled, **named))

        return counted

    def _settled(self, value: Any) -> Any:
        """Returns the values that an iterator would yield, as a list within the limits."""
        return self.made(list(self._each(value))) if isinstance(value, Iterator) else value

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, LoopContext):
            allowed = attr in LOOP
        elif isinstance(obj, str | dict | list | tuple):
            allowed = attr in METHODS
        else:
            allowed = isinstance(obj, Namespace)
        return allowed and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Disables formatting of texts, because a width can be a billion."""

    def call(self, context: Any, called: Any, *given: Any, **named: Any) -> Any:
        owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            called, given = _replace, (owner, *given)
        elif isinstance(owner, str) and name == "join":
            called, given = _join, (*given, owner)
        elif isinstance(owner, str) and name in ("strip", "lstrip", "rstrip"):
            _check(max((len(one) for one in given if one), default=0), MOST_STRIPPED)
        return self.made(super().call(context, called, *given, **named))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(one) for one in (left, right) if isinstance(one, str | list | tuple)]
        if operator == "%" and sizes:
            raise ValueError("texts are not formatted by %: put them together with ~")
        if operator == "*" and sizes:
            times = [one for one in (left, right) if isinstance(one, int)]
            _check(sizes[0] * max(times, default=0))
        elif operator == "**":
            _check(right, 64)
        elif sizes:
            _check(sum(sizes))
        return self.made(super().call_binop(context, operator, left, right))

    def concat(self, parts: Iterable[str]) -> str:
        """Joins all parts of the rendered text, in place of Jinja's own function."""
        length, kept = 0, []
        for part in parts:
            length += len(part)
            _check(length)
            kept.append(part)
        return self.made("".join(kept))


def _check(size: float, most: float = LONGEST) -> None:
    if size > most:
        raise ValueError(f"a result would have the size {quoted(size)}, and the limit is {most:,}")


def _check_number(value: Any) -> None:
    """Raises ValueError for a whole number so large that arithmetic with it takes long."""
    if isinstance(value, int):
        _check(abs(value), LARGEST)


def _measure(value: Any) -> int:
    """Returns the number of elements in a value and all nested ones, each as often as it is
    written; raises ValueError if they and their characters exceed LONGEST.
    """
    count, characters, left = 0, 0, [value]
    while left:
        one = left.pop()
        count += 1
        characters += len(one) if isinstance(one, str) else 0
        _check(count + characters + len(left))
        if isinstance(one, list | tuple):
            left.extend(one)
        elif isinstance(one, dict):
            left.extend(one.keys())
            left.extend(one.values())
        elif not isinstance(one, str | int | float | range | Undefined | None):
            raise ValueError(f"it uses a {type(one).__name__} as a text or a list")
    return count


def spelled(value: Any) -> str:
    """Returns a value as text, like Python's str()."""
    _measure(value)
    return str(value)


def _join(values: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    if attribute is not None:
        raise ValueError("join takes no attribute: use map(attribute=...) before it")
    texts, length = [], 0
    for one in values:
        texts.append(spelled(one))
        length += len(texts[-1]) + len(between)
        _check(length)
    return between.join(texts)


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    text = spelled(text)
    _check(len(text) + text.count(old) * len(new))
    return text.replace(old, new, -1 if count is None else count)


def _trim(text: Any, chars: str | None = None) -> str:
    _check(len(chars or ""), MOST_STRIPPED)
    return spelled(text).strip(chars)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    wide = width if isinstance(width, int) else len(width)
    _check(wide, 10 * WIDEST)
    _check(len(text) + wide * len(text.splitlines()))
    return filters.FILTERS["indent"](text, width, first, blank)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Returns a value as JSON; unlike Jinja's own filter, it does not escape HTML characters."""
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
