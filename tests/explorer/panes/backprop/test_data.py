"""The pane's plain data."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import explorer.panes.backprop as pane


def classes():
    """All dataclasses of the pane."""
    for found in pkgutil.walk_packages(pane.__path__, pane.__name__ + "."):
        for one in vars(importlib.import_module(found.name)).values():
            if dataclasses.is_dataclass(one) and one.__module__ == found.name:
                yield one


def test_nothing_that_holds_arrays_is_compared_by_them():
    """Arrays have no one answer to whether they are equal: to ask would raise, in a paint too."""
    wrong = []
    for one in classes():
        held = [part.name for part in dataclasses.fields(one) if "ndarray" in str(part.type)]
        if held and "__eq__" in vars(one):
            wrong.append(f"{one.__module__}.{one.__name__} ({', '.join(held)})")
    assert not wrong, "give these eq=False: " + "; ".join(wrong)
