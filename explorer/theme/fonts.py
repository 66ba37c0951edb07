"""The two bundled families, registered with Qt once; the sizes of type; always tabular digits."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase

SANS = "Inter"
MONO = "JetBrains Mono"
TYPE = {
    "rail": 10,
    "label": 11,
    "mono": 12,
    "body": 13,
    "sentence": 15,
    "title": 18,
    "headline": 24,
}


@cache
def load_fonts() -> tuple[str, ...]:
    """Registers the bundled fonts with Qt, once; returns the families found."""
    families: list[str] = []
    for package in ("fontpkg_inter", "fontpkg_jetbrains_mono"):
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted((Path(place) / "files").glob("*.ttf")):
                identity = QFontDatabase.addApplicationFont(str(path))
                families += QFontDatabase.applicationFontFamilies(identity)
    return tuple(families)


@cache
def font(family: str, pixels: int, weight: int) -> QFont:
    """Returns a font of a bundled family, by pixels and weight."""
    load_fonts()
    result = QFont(family)
    result.setPixelSize(pixels)
    result.setWeight(QFont.Weight(weight))
    # A bundled variable font has one registered style: its weight axis must be set explicitly.
    result.setVariableAxis(QFont.Tag("wght"), weight)
    result.setStyleHint(QFont.StyleHint.Monospace if family == MONO else QFont.StyleHint.SansSerif)
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    result.setFeature(QFont.Tag("tnum"), 1)
    result.setFeature(QFont.Tag("calt"), 0)  # otherwise "=>" is drawn as an arrow
    return result
