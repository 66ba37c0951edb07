"""A formula in symbols: LaTeX -> SVG (ziamath) -> QSvgRenderer, cached by source. It is typeset
once; zoom scales it, and a theme replaces its colors.

Live numbers are not typeset: they are native text (`live_numbers`).
"""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

from PySide6.QtCore import QByteArray, QPointF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.theme.colors import PALETTES
from explorer.widgets.base import LEFT, Picture, elide, put_text

# Letters with the color of the quantity they name.
ROLES = {"q": "q", "Q": "q", "k": "k", "K": "k", "v": "v", "V": "v", "a": "attention"}
# Placeholder colors of a typeset formula, one per role, replaced by a palette's.
MARKS = {role: f"#00000{n}" for n, role in enumerate(("text", *sorted(set(ROLES.values()))), 1)}
# ziamath seeks and reads in one shared font file: two threads at once would read wrong letters, and
# it caches a letter as first read.
_ONE_AT_A_TIME = threading.Lock()
_AHEAD = threading.Lock()  # one thread at a time that typesets ahead competes with the window's
SIZE = 18.0  # px, of a formula in the inspector
_SHORTEST = 0.72  # of its size at zoom 1: a wider formula is shrunk to this, then cut


def _shortest() -> float:
    """Returns the least share of its size that a wide formula shrinks to at the UI zoom."""
    return _SHORTEST / max(1.0, theme.current().zoom)


@cache
def _libraries() -> tuple[Any, Any]:
    """Returns ziamath and its LaTeX reader, imported for the first formula (about 0.3 s)."""
    with warnings.catch_warnings():
        # ziamath 0.13 opens its font with a call that the standard library has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        import latex2mathml.converter
        import ziamath
    ziamath.config.svg2 = False  # Qt draws SVG Tiny: no <symbol> reuse
    return ziamath, latex2mathml.converter


def formula_svg(latex: str, size: float, palette: str, plain: bool = False) -> bytes:
    """Returns the SVG of `latex` at `size` px in the colors of a palette (by name); with `plain`
    the letters of ROLES have the color of text.

    Raises ValueError if the formula cannot be typeset or there is no such palette.
    """
    if palette not in PALETTES:
        raise ValueError(f"there is no palette {palette!r}; choose one of {', '.join(PALETTES)}")
    roles = PALETTES[palette].roles
    svg = _set(latex, size, plain)
    for role, mark in MARKS.items():
        svg = svg.replace(mark, roles[role])
    return svg.encode()


@lru_cache(maxsize=256)
def _set(latex: str, size: float, plain: bool) -> str:
    """Returns the SVG of `latex` in the colors of MARKS."""
    try:
        with _ONE_AT_A_TIME:
            ziamath, converter = _libraries()
            markup = _colored(converter.convert(latex, display="block"), MARKS, plain)
            svg = ziamath.Math(markup, size=size).svg()
        return svg.replace('"black"', f'"{MARKS["text"]}"')  # bars ignore mathcolor
    except Exception as error:
        raise ValueError(f"the formula {latex!r} cannot be set: {error}") from error


def set_formulas(formulas: Iterable[str], plain: bool = False) -> None:
    """Typesets formulas ahead of the steps that show them, on another thread, so that the window
    finds them in the cache. A formula that fails is shown as its source.
    """
    for latex in formulas:
        with _AHEAD, contextlib.suppress(ValueError):
            _set(latex, SIZE, plain)
        time.sleep(0.001)  # else this thread would retake the lock before the window's wakes up


def _colored(markup: str, roles: dict[str, str], plain: bool) -> str:
    """Colors MathML as text, and q, k, v in their own color; an index (the k of d_k) is plain."""
    root = ElementTree.fromstring(markup)
    space = root.tag.partition("}")[0] + "}" if "}" in root.tag else ""
    ElementTree.register_namespace("", space.strip("{}"))
    style = ElementTree.Element(f"{space}mstyle", {"mathcolor": roles["text"]})
    style.extend(list(root))
    for child in list(root):
        root.remove(child)
    root.append(style)
    if not plain:
        _color(style, space, roles)
    return ElementTree.tostring(root, encoding="unicode")


def _color(element: Any, space: str, roles: dict[str, str]) -> None:
    scripts = tuple(space + name for name in ("msub", "msup", "msubsup", "munder", "munderover"))
    for place, child in enumerate(element):
        if element.tag in scripts and place > 0:
            continue
        if child.tag == f"{space}mi" and child.text in ROLES and not child.get("mathvariant"):
            child.set("mathcolor", roles[ROLES[child.text]])
        _color(child, space, roles)


@lru_cache(maxsize=256)
def _renderer(latex: str, size: float, palette: str, plain: bool) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(formula_svg(latex, size, palette, plain)))


class FormulaView(Picture):
    """One formula, left-aligned; it shrinks a little if it is too wide."""

    def __init__(self, latex: str = "", size: float = SIZE, parent: QWidget | None = None) -> None:
        super().__init__("Formula", parent)
        self._latex = ""
        self._plain = False
        self._size = size
        self._failed = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_formula(latex)

    def set_formula(self, latex: str, plain: bool = False) -> None:
        """Shows another formula, or none for ""; with `plain` no letter has a color of its own."""
        if (latex, plain) != (self._latex, self._plain):
            self._latex, self._plain = latex, plain
            self.setAccessibleDescription(latex)
            self.updateGeometry()
            self.data_changed()

    @property
    def latex(self) -> str:
        return self._latex

    def sizeHint(self) -> QSize:
        now = theme.current()
        if not self._latex:
            return QSize(now.px(200), 0)
        size = self._natural_size()
        shrink = max(_shortest(), min(1.0, self.width() / size.width())) if size.width() else 1.0
        return QSize(round(size.width()), round(size.height() * shrink + now.px(8)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(80), self.sizeHint().height())

    def resizeEvent(self, event) -> None:
        self.updateGeometry()

    def occupied(self) -> QRect:
        """Returns the rectangle of the symbols; the space to their right is empty."""
        wide = min(float(self.width()), self._natural_size().width()) if self._latex else 0.0
        return QRect(0, 0, round(wide), self.height())

    def draw(self, painter: QPainter) -> None:
        if not self._latex:
            return
        now = theme.current()
        size = self._natural_size()
        if self._failed:
            font = now.font("mono", mono=True)
            text = elide(self._latex, font, self.width())
            put_text(painter, QRectF(self.rect()), text, font, now.color("text"), LEFT)
            return
        shrink = max(_shortest(), min(1.0, self.width() / size.width()))
        target = QRectF(QPointF(0, 0), size * shrink)
        target.moveTop((self.height() - target.height()) / 2)
        _renderer(self._latex, self._size, now.name, self._plain).render(painter, target)

    def _natural_size(self) -> QSizeF:
        now = theme.current()
        try:
            renderer = _renderer(self._latex, self._size, now.name, self._plain)
            self._failed = ""
            return QSizeF(renderer.viewBoxF().size() * now.zoom)
        except ValueError as error:
            self._failed = str(error)
            return QSizeF(100, now.px(24))
