"""Reports errors in Python overrides of Qt's methods without ending the program.

An error raised in C code (1 / 0, [][1]) is no complete exception until Python has caught it, and
PySide 6.11 crashes if an override returns with one while Python waits for Qt, for example when
`setText` calls a `sizeHint`. So every override catches and re-raises its errors; they then appear
in the Python code that waits for Qt, or else in `sys.excepthook`.

Importing this module changes every class defined afterwards. The package `theme` imports it first,
and every widget imports `theme`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import shiboken6


def is_whole(function: object) -> bool:
    """True if an override re-raises its errors as complete exceptions."""
    return hasattr(function, "_whole")


def overridden(cls: type) -> dict[str, FunctionType]:
    """Returns the Python functions that override methods of Qt's classes in `cls`, by name."""
    ours = [one for one in cls.__mro__ if not is_qt(one) and one is not object]
    qts = {name for one in cls.__mro__ if is_qt(one) for name in vars(one)}
    found: dict[str, FunctionType] = {}
    for one in reversed(ours):
        for name, function in vars(one).items():
            if name in qts and not name.startswith("__") and isinstance(function, FunctionType):
                found[name] = function
    return found


def is_qt(cls: type) -> bool:
    """True for one of Qt's own classes."""
    return issubclass(cls, shiboken6.Object) and cls.__module__.startswith(("PySide6", "Shiboken"))


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def whole(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except BaseException:
            raise

    whole._whole = True  # type: ignore[attr-defined]
    return whole


def _make_whole(cls: type, **named: Any) -> None:
    super(shiboken6.Object, cls).__init_subclass__(**named)
    for name, function in overridden(cls).items():
        if not is_whole(function):
            setattr(cls, name, _whole(function))


shiboken6.Object.__init_subclass__ = classmethod(_make_whole)  # type: ignore[assignment]
