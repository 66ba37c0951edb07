"""Converts sessions of older versions: format 1, in which each pane stored its own state, and
format 2, in which some values had other paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SELECTION = ("layer", "head", "token", "step")
# The current paths of a pane's or mode's settings, by the old key in its state. All other keys
# belong to its scene.
SET_UP: dict[str, dict[str, str]] = {
    "backprop.expression": {"experiment": "backprop.expression"},
    "backprop.network": {"experiment": "backprop.network"},
    "backprop.optimizers": {"experiment": "backprop.optimizers"},
    "tokenizers.train": {"options": "tokenizers.train"},
    "training": {"options": "training.options"},
}
# Old paths that have become a field: the draft, and the field's name.
FIELDS = {
    "tokenizers.text": ("tokenizers.compare", "text"),
    "tokenizers.chosen": ("tokenizers.compare", "tokenizers"),
}
# Old paths of panes that had no modes, and the current path of the mode.
MOVED = {
    "training.scene": "training.run.scene",
    "training.speed": "training.run.speed",
}


def renewed(session: Mapping[str, Any]) -> dict[str, Any]:
    """Converts a session of any format to {"paths": {path: value}, "geometry": text}; leaves out
    invalid values.
    """
    if "paths" in session:
        paths, geometry = _object(session["paths"]), session.get("geometry")
    else:
        window = _object(session.get("window"))
        paths, geometry = _paths(_object(session.get("workspace")), window), window.get("geometry")
    return {"paths": _moved(paths), "geometry": geometry if isinstance(geometry, str) else ""}


def _moved(paths: dict[str, Any]) -> dict[str, Any]:
    """Moves values to their current paths: single fields to their draft, a pane's to its mode."""
    for path in MOVED.keys() & paths.keys():
        paths.setdefault(MOVED[path], paths.pop(path))
    for path in FIELDS.keys() & paths.keys():
        draft, name = FIELDS[path]
        paths[draft] = {name: paths.pop(path), **_object(paths.get(draft))}
    return paths


def _paths(workspace: dict[str, Any], window: dict[str, Any]) -> dict[str, Any]:
    found = {name: workspace[name] for name in ("prompt", "run", "model") if name in workspace}
    found["selection"] = {name: workspace.get(name) for name in SELECTION}
    found["pane"] = window.get("pane")
    for name, state in _object(window.get("panes")).items():
        state = _object(state)
        if "modes" in state:
            found[f"{name}.mode"] = state.get("mode")
            for mode, kept in _object(state["modes"]).items():
                found |= _split(f"{name}.{mode}", _object(kept))
        else:
            found |= _split(name, state)
    return found


def _split(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """Splits a state into settings and scene."""
    scene = dict(state)
    found = {path: scene.pop(key) for key, path in SET_UP.get(name, {}).items() if key in scene}
    if name == "backprop.expression" and isinstance(found.get(name), dict):
        found[name] = {**found[name], "checks": scene.pop("checks", False)}
    if name == "tokenizers.compare":
        found[name] = {key: scene.pop(key) for key in ("text", "tokenizers") if key in scene}
    if name == "tokenizers.inside":
        found[name] = {key: scene.pop(key) for key in list(scene) if key not in ("version", "step")}
    return {**found, f"{name}.scene": scene}


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
