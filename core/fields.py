"""Constraints on the fields of a dataclass: declared once, with the field, and checked here.

    @dataclass(frozen=True)
    class Race:
        steps: int = field(200, least=1, most=2000, remedy="200 are usual")
        schedule: str = field("cosine", choices=SCHEDULES)
        start: tuple[float, float] | None = None

        def __post_init__(self) -> None:
            check(self)

The type gives the kind: int, float, str, bool, None, tuple, list, Mapping with strings as keys,
another dataclass, or a union of these. `field` gives the range, the choices, the remedy and the
label; a field that needs none of these is declared as usual. Constraints between two fields are
checked by the class itself, after `check`.

    check(race)                  rejects invalid values; lists become tuples, whole numbers floats
    to_json(race)                a JSON object
    from_json(Race, values)      its inverse: rejects anything else
    lenient(Race, values)        never raises: invalid values become the defaults
    fields_of(Race)["steps"]     label, range and choices, for a form

Any JSON gives either a value or a ValueError that names the field, its value and a remedy, even for
Infinity and NaN, a number of 6,000 digits, true instead of a number, or deep nesting.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass
from functools import cache
from numbers import Integral
from operator import is_
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from core.files import quoted, quoted_some

LONGEST = 100_000  # characters of a text and entries of a list, unless a field sets its own
WIDEST = 1 << 63  # whole numbers have 64 bits, as in the files that store them
METADATA = "core.fields"
COUNTS = {1: "one", 2: "two", 3: "three", 4: "four"}

T = TypeVar("T")
Number = int | float


@dataclass(frozen=True, slots=True)
class Field:
    """The constraints on a field, as data.

    name, type         the dataclass's own
    label, help        its name on screen: "Learning rate"; its effect, in a line
    least, most        smallest and largest number; in lists and mappings, of each number
    above, below       the same with the bound itself excluded
    endless            whether a number may be infinite or NaN, as measurements may
    shortest, longest  characters of a text, entries of a list or mapping
    choices            the allowed texts, as they are now in the given collection; empty: any
    refused            texts with a meaning, and why they cannot be chosen: "is not built yet"
    remedy             what usually helps: the end of an error
    reader             makes the value from JSON, if the type is not enough; raises ValueError
    is_required        whether a value must be given
    default            the value if none is given
    """

    name: str = ""
    type: Any = None
    label: str = ""
    help: str = ""
    least: Number | None = None
    most: Number | None = None
    above: Number | None = None
    below: Number | None = None
    endless: bool = False
    shortest: int = 0
    longest: int = LONGEST
    choices: Collection[str] = ()
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)
    remedy: str = ""
    reader: Callable[[Any], Any] | None = None
    is_required: bool = False
    default: Any = None

    @property
    def expected(self) -> str:
        """The expected value in words: "a whole number from 1 to 96"."""
        return _expected(self.type, self)

    def read(self, value: Any) -> Any:
        """Returns the value in the field's type. Raises ValueError, with a remedy, if invalid."""
        return _read(value, self.type, self, self.name, False)


def field(
    default: Any = MISSING,
    *,
    factory: Callable[[], Any] | None = None,
    label: str = "",
    help: str = "",
    least: Number | None = None,
    most: Number | None = None,
    above: Number | None = None,
    below: Number | None = None,
    endless: bool = False,
    shortest: int = 0,
    longest: int = LONGEST,
    choices: Collection[str] = (),
    refused: Mapping[str, str] | None = None,
    remedy: str = "",
    reader: Callable[[Any], Any] | None = None,
) -> Any:
    """Returns a dataclass field with its constraints (see `Field`) as metadata.

    `factory` makes a mutable default (a list, a dict), which has no hash: the hash of a frozen
    dataclass then uses only the other fields.
    """
    about = Field(
        label=label,
        help=help,
        least=least,
        most=most,
        above=above,
        below=below,
        endless=endless,
        shortest=shortest,
        longest=longest,
        choices=choices,
        refused=refused or {},
        remedy=remedy,
        reader=reader,
    )
    metadata = {METADATA: about}
    if factory is not None:
        return dataclasses.field(default_factory=factory, hash=False, metadata=metadata)
    if default is MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def fields_of(cls: Any) -> Mapping[str, Field]:
    """Returns the constraints on each field of a dataclass, by name, in order.

    Raises TypeError for a field whose type is not one of the kinds above and that has no reader.
    """
    return _fields_of(cls)


@cache
def _fields_of(cls: Any) -> Mapping[str, Field]:
    hints = get_type_hints(cls)
    found = {}
    for one in dataclasses.fields(cls):
        if not one.init:
            continue
        about: Field = one.metadata.get(METADATA, Field())
        if about.reader is None and not _is_known(hints[one.name]):
            raise TypeError(f"{cls.__name__}.{one.name}: {one.type} needs a reader")
        default = one.default if one.default_factory is MISSING else one.default_factory()
        is_required = default is MISSING
        found[one.name] = dataclasses.replace(
            about,
            name=one.name,
            type=hints[one.name],
            label=about.label or one.name.replace("_", " ").capitalize(),
            is_required=is_required,
            default=None if is_required else default,
        )
    return MappingProxyType(found)


def check(instance: Any) -> None:
    """Rejects invalid values of fields, and converts each to its type: call it in __post_init__.

    Raises ValueError that names the field, its value and a remedy.
    """
    for name, about in fields_of(type(instance)).items():
        given = getattr(instance, name)
        value = _read(given, about.type, about, name, False)
        if value is not given:
            object.__setattr__(instance, name, value)


def to_json(instance: Any) -> dict[str, Any]:
    """Returns a dataclass as a JSON object: tuples as lists, nested ones by their own `to_json`."""
    return {name: _as_json(getattr(instance, name)) for name in fields_of(type(instance))}


def _as_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        own = getattr(value, "to_json", None)
        return to_json(value) if own is None else own()
    if isinstance(value, (tuple, list)):
        return [_as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _as_json(one) for key, one in value.items()}
    return value


def from_json(
    cls: type[T],
    values: Any,
    what: str = "",
    newest: int | None = None,
    some: bool = False,
    remedy: str | None = None,
) -> T:
    """Returns the dataclass that `to_json` wrote.

    what    its name in an error: "model config"
    newest  the newest "format" that this version reads; None: `values` has no such entry
    some    whether to ignore entries of `values` that are not fields
    remedy  what helps if fields are missing; None: to add them; "": the caller adds its own

    Raises ValueError, with a remedy, if `values` is not a JSON object or has a newer format, for
    unknown and missing fields, and for values that a field or the class rejects.
    """
    what = what or cls.__name__
    values = as_object(values, what)
    if newest is not None:
        check_format(values.pop("format", newest), newest, what)
    known = fields_of(cls)
    if some:
        values = {name: value for name, value in values.items() if name in known}
    check_names(cls, values, what)
    missing = [name for name, one in known.items() if one.is_required and name not in values]
    if missing:
        if remedy is None:
            remedy = "add it" if len(missing) == 1 else "add them"
        told = f"the {what} is incomplete: it lacks {quoted_some(missing)}"
        raise ValueError(f"{told}; {remedy}" if remedy else told)
    return cls(**{name: known[name].read(value) for name, value in values.items()})


def as_object(values: Any, what: str) -> dict[str, Any]:
    """Returns a JSON object's entries as a new dict. Raises ValueError for anything else."""
    if isinstance(values, Mapping):
        return dict(values)
    raise ValueError(f"the {what} must be a JSON object, not {quoted(values)}; choose another one")


def check_names(cls: type, names: Collection[Any], what: str = "") -> None:
    """Raises ValueError, with the valid names, for a name that is not a field of the dataclass."""
    known = fields_of(cls)
    if unknown := [name for name in names if name not in known]:
        fields = "field" if len(unknown) == 1 else "fields"
        raise ValueError(
            f"unknown {fields} {quoted_some(unknown)} in the {what or cls.__name__}; its fields "
            f"are {', '.join(known)}"
        )


def check_format(value: Any, newest: int, what: str) -> None:
    """Raises ValueError unless this version can read the format of a file."""
    if type(value) is not int or not 1 <= value <= newest:
        raise ValueError(
            f"the {what} has format {quoted(value)}, and this version reads {newest}; update LLM "
            "Explorer to open a newer one"
        )


def lenient(cls: type[T], values: Any) -> T:
    """Returns the dataclass with the default for every invalid value.

    Valid entries of a mapping are kept. If the class rejects a combination of valid fields, they
    are applied in turn, and those that it accepts are kept. Every field needs a default.
    """
    given = values if isinstance(values, Mapping) else {}
    fitting = {}
    for name, about in fields_of(cls).items():
        if name in given:
            try:
                fitting[name] = _read(given[name], about.type, about, name, True)
            except ValueError:
                continue
    try:
        return cls(**fitting)
    except ValueError:
        return _one_by_one(cls, fitting)


def _one_by_one(cls: type[T], fitting: dict[str, Any]) -> T:
    """Applies fields to the defaults one at a time, as long as the class accepts any."""
    one: Any = cls()
    count = -1
    while count != len(fitting):
        count = len(fitting)
        for name, value in list(fitting.items()):
            try:
                one = dataclasses.replace(one, **{name: value})
            except ValueError:
                continue
            del fitting[name]
    return one


# Reading one value. `kind` is its type, `name` its name in an error ("betas[1]"); `dropping` tells
# whether invalid entries of a mapping are left out. -----------------------------------------------


def _read(value: Any, kind: Any, about: Field, name: str, dropping: bool) -> Any:
    if about.reader is not None:
        return _read_by(about.reader, value, about, name)
    if kind is int:
        return _whole(value, about, name)
    if kind is float:
        return _number(value, about, name)
    if kind is str:
        return _text(value, about, name)
    if kind is bool or kind is NoneType:
        if isinstance(value, kind):
            return value
        raise _refused(value, kind, about, name)
    if dataclasses.is_dataclass(kind):
        return _nested(value, kind, about, name, dropping)
    origin = get_origin(kind)
    if origin is Union or origin is UnionType:
        return _one_of(value, kind, about, name, dropping)
    if origin is tuple or origin is list:
        return _sequence(value, kind, about, name, dropping)
    return _mapping(value, kind, about, name, dropping)


def _read_by(reader: Callable[[Any], Any], value: Any, about: Field, name: str) -> Any:
    try:
        return reader(value)
    except (ValueError, OverflowError) as error:  # an int of 400 digits overflows a float
        raise _error(f"{name} cannot be {quoted(value)}: {error}", about) from error


def _whole(value: Any, about: Field, name: str) -> int:
    fits = isinstance(value, Integral) and not isinstance(value, bool)  # NumPy's integers, too
    if not fits or not _is_within(value, about):
        raise _refused(value, int, about, name)
    if not -WIDEST <= value < WIDEST:
        raise _error(f"{name} must be a whole number of 64 bits, not {quoted(value)}", about)
    return int(value)


def _number(value: Any, about: Field, name: str) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if fits and not (about.endless and isinstance(value, float)):
        # Not math.isfinite, which raises OverflowError for an int of 400 digits.
        fits = abs(value) <= sys.float_info.max
    if not fits or not _is_within(value, about):
        raise _refused(value, float, about, name)
    return value if type(value) is float else float(value)


def _is_within(value: Number, about: Field) -> bool:
    return (  # NaN satisfies no bound
        (about.least is None or value >= about.least)
        and (about.most is None or value <= about.most)
        and (about.above is None or value > about.above)
        and (about.below is None or value < about.below)
    )


def _text(value: Any, about: Field, name: str) -> str:
    if not isinstance(value, str):
        raise _refused(value, str, about, name)
    if value in about.refused:
        why = about.refused[value]
        raise ValueError(f"{name} {quoted(value)} {why}; use {either(about.choices)}")
    if not about.choices:
        _check_length(value, "characters", about, name)
    elif value not in about.choices:
        raise ValueError(f"{name} {quoted(value)} is unknown; use {either(about.choices)}")
    return value


def _check_length(value: Collection[Any], of: str, about: Field, name: str) -> None:
    count = len(value)
    if about.shortest <= count <= about.longest:
        return
    if count == 0:
        raise _error(f"{name} is empty", about, "fill it in")
    if count > about.longest:
        said = f"{name} holds {count:,} {of}, more than {about.longest:,}"
    else:
        said = f"{name} holds {count:,} of at least {about.shortest:,} {of}"
    raise _error(said, about, "choose another one")


def _nested(value: Any, kind: Any, about: Field, name: str, dropping: bool) -> Any:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise _refused(value, kind, about, name)
    if dropping and not any(one.is_required for one in fields_of(kind).values()):
        return lenient(kind, value)
    try:
        own = getattr(kind, "from_json", None)
        return from_json(kind, value) if own is None else own(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _one_of(value: Any, kind: Any, about: Field, name: str, dropping: bool) -> Any:
    """Reads a union. With one type besides None, the error of that type is the most informative."""
    if value is None and NoneType in get_args(kind):
        return None
    kinds = [one for one in get_args(kind) if one is not NoneType]
    if len(kinds) == 1:
        return _read(value, kinds[0], about, name, dropping)
    for one in kinds:
        with suppress(ValueError):
            return _read(value, one, about, name, dropping)
    raise _refused(value, kind, about, name)


def _sequence(value: Any, kind: Any, about: Field, name: str, dropping: bool) -> Any:
    kinds, fixed = _entries(kind)
    if not isinstance(value, (tuple, list)) or (fixed and len(value) != len(kinds)):
        raise _refused(value, kind, about, name)
    if not fixed:
        _check_length(value, "entries", about, name)
    each = kinds if fixed else kinds * len(value)
    read = [
        _read(one, entry, about, f"{name}[{index}]", dropping)
        for index, (one, entry) in enumerate(zip(value, each, strict=True))
    ]
    make = get_origin(kind)
    return value if type(value) is make and all(map(is_, read, value)) else make(read)


def _entries(kind: Any) -> tuple[tuple[Any, ...], bool]:
    """Returns the types of a sequence's entries, and whether each entry has its own."""
    kinds = get_args(kind)
    if get_origin(kind) is tuple and kinds[-1:] != (Ellipsis,):
        return kinds, True
    return kinds[:1], False


def _mapping(value: Any, kind: Any, about: Field, name: str, dropping: bool) -> Any:
    if not isinstance(value, Mapping):
        raise _refused(value, kind, about, name)
    _check_length(value, "entries", about, name)
    read = {}
    for key, one in value.items():
        try:
            if not isinstance(key, str):
                raise _refused(value, kind, about, name)
            read[key] = _read(one, get_args(kind)[1], about, f"{name}[{quoted(key)}]", dropping)
        except ValueError:
            if not dropping:
                raise
    return read


def _is_known(kind: Any) -> bool:
    """Returns True if values of this type can be read."""
    if kind in (int, float, str, bool, NoneType) or dataclasses.is_dataclass(kind):
        return True
    origin, kinds = get_origin(kind), get_args(kind)
    if origin in (tuple, list):
        return bool(kinds) and all(map(_is_known, _entries(kind)[0]))
    if origin in (Union, UnionType):
        return all(map(_is_known, kinds))
    return origin in (dict, Mapping) and kinds[0] is str and _is_known(kinds[1])


# Words ----------------------------------------------------------------------------------------


def _refused(value: Any, kind: Any, about: Field, name: str) -> ValueError:
    return _error(f"{name} must be {_expected(kind, about)}, not {quoted(value)}", about)


def _error(what: str, about: Field, remedy: str = "") -> ValueError:
    remedy = about.remedy or remedy
    return ValueError(f"{what}; {remedy}" if remedy else what)


def _expected(kind: Any, about: Field) -> str:
    """Returns the expected value of a type in words."""
    origin, kinds = get_origin(kind), get_args(kind)
    if kind in (int, float):
        return f"a {_number_name(kind, about)}{_range(about)}"
    if kind is str:
        return either(about.choices) if about.choices else "text"
    if kind is bool:
        return "true or false"
    if kind is NoneType:
        return "None"
    if origin in (Union, UnionType):
        ordered = sorted(kinds, key=lambda one: one is NoneType)
        return " or ".join(_expected(one, about) for one in ordered)
    if origin in (tuple, list):
        entries, fixed = _entries(kind)
        if len(set(entries)) > 1:
            return f"a list of {', '.join(_expected(one, about) for one in entries)}"
        count = COUNTS.get(len(entries), str(len(entries))) if fixed else "a list of"
        return f"{count} {_several(entries[0], about)}"
    if origin in (dict, Mapping):
        return f"a JSON object of {_several(kinds[1], about)}"
    return f"a JSON object ({kind.__name__})"


def _several(kind: Any, about: Field) -> str:
    """Returns the same in the plural."""
    if kind in (int, float):
        return f"{_number_name(kind, about)}s{_range(about)}"
    if kind is str and not about.choices:
        return "texts"
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return f"JSON objects ({kind.__name__})"
    return f"entries, each {_expected(kind, about)}"


def _number_name(kind: Any, about: Field) -> str:
    if kind is int:
        return "whole number"
    is_low = about.least is not None or about.above is not None
    is_high = about.most is not None or about.below is not None
    return "number" if (is_low and is_high) or about.endless else "finite number"


def _range(about: Field) -> str:
    """Returns " from 1 to 96", " above 0", " of at least 0 and below 1", or ""."""
    least, most, above, below = map(_written, (about.least, about.most, about.above, about.below))
    if least and most:
        return f" from {least} to {most}"
    if above and below:
        return f" between {above} and {below}"
    low = f" of at least {least}" if least else f" above {above}" if above else ""
    if above and most:
        return f" above {above} and at most {most}"
    high = f" of at most {most}" if most else f" below {below}" if below else ""
    return f"{low} and{high}" if low and high else low + high


def _written(bound: Number | None) -> str:
    if bound is None:
        return ""
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def either(choices: Iterable[str]) -> str:
    """Lists choices for an error: "'a', 'b' or 'c'"."""
    *first, last = map(repr, choices)
    return f"{', '.join(first)} or {last}" if first else last
