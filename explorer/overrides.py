"""Errors in what Python overrides of Qt's classes are reported and never end the program.

What C code raises (1 / 0, [][1]) is no whole exception until Python has caught it, and PySide 6.11
crashes where an override hands it one while Python waits for Qt: when `setText` asks a `sizeHint`,
say. So every override catches what it raises and raises it again; it then surfaces in the Python
that waits for Qt, or in `sys.excepthook` where none does.

Importing this module makes each class that is defined from then on do so. The package `theme`
imports it first of all, and every widget imports `theme`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import shiboken6


def is_whole(function: object) -> bool:
    """Whether an override raises its errors as whole exceptions."""
    return hasattr(function, "_whole")


def overridden(cls: type) -> dict[str, FunctionType]:
    """The Python functions that stand for methods of Qt's classes in `cls`, by name."""
    ours = [one for one in cls.__mro__ if not is_qt(one) and one is not object]
    qts = {name for one in cls.__mro__ if is_qt(one) for name in vars(one)}
    found: dict[str, FunctionType] = {}
    for one in reversed(ours):
        for name, function in vars(one).items():
            if name in qts and not name.startswith("__") and isinstance(function, FunctionType):
                found[name] = function
    return found


def is_qt(cls: type) -> bool:
    """Whether a class is one of Qt's own."""
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
