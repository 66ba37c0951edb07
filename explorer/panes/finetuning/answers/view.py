"""The widgets of Try: one slider, two texts, and both models' candidates for the next token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from core.fields import fields_of
from core.tokenization.telling import quoted, shown
from explorer import theme
from explorer.panes.finetuning.answers import text
from explorer.panes.finetuning.answers.draft import TryDraft
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, name_parts, page, row, wrap
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.more_button import MoreButton
from explorer.widgets.plots.data import Series
from explorer.widgets.plots.line_plot import LinePlot
from explorer.widgets.push_button import push_buttons
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surprise_text import SurpriseScale, SurpriseText

if TYPE_CHECKING:
    from core.finetuning.mixture import NextTokens, Written

NAME, LOOKS = "finetuning.try", {"another": "quiet"}
NATS, CURVES, ROWS = 8.0, 132, 6  # surprise of the darkest tokens; px; candidates
STRENGTHS = tuple(round(0.05 * at, 2) for at in range(41))
VALUES = {
    "strength": STRENGTHS,
    "share": STRENGTHS[:21],
    "merged": None,
    "temperature": tuple(round(0.1 * at, 1) for at in range(21)),
    "tokens": (8, 16, 24, 32, 48, 64, 96, 128, 192, 256),
}


class TryView(QWidget):
    """Lays out the parts, whose signals report what the user chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.tuned, self.scale = SurpriseText(), SurpriseText(), SurpriseScale(NATS)
        self.base.scroll_with(self.tuned)
        self.base.setAccessibleName(text.BASE)
        self.tuned.setAccessibleName(text.TUNED)
        self.bars, self.curves = LikeliestBars(), LinePlot(text.CURVES)
        self.curves.set_axes(text.STRENGTH, text.PROBABILITY)
        self.curves.set_x_range(0, 2)
        self.curves.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.adapter = MenuButton("chevron-down", text.ADAPTER, text.ADAPTER_HELP)
        name_parts(self, NAME, "base", "tuned", "scale", "bars", "curves", "adapter")
        self.buttons = push_buttons(NAME, text.BUTTONS, LOOKS)
        self.settings = SettingFields(NAME, TryDraft, VALUES, text.SPECIAL, self)
        self.verdict = CutLabel("label", lines=2)
        self.wrote = CutLabel("label", "muted"), CutLabel("label", "muted")
        self._build()

    def _build(self) -> None:
        strength, self.share, merged, temperature, tokens = self.settings.widgets.values()
        rest, content = QWidget(), QWidget()
        self.more = MoreButton(f"{NAME}.more", rest)
        row(self.adapter, merged, (temperature, 1), (tokens, 1), of=rest, spacing=16)
        columns = (card(self.wrote[0], (self.base, 1)), card(self.wrote[1], (self.tuned, 1)))
        comes, curves = (Label(title, "label", "muted") for title in (text.BARS, text.CURVES))
        below = row((card(comes, self.bars, 1), 1), (card(curves, self.curves), 1))
        strengths = row((strength, 1), (self.share, 1), spacing=16)
        texts = row((columns[0], 1), (columns[1], 1))
        column(strengths, self.scale, (texts, 1), below, of=content)
        content.setAccessibleName(text.NAME)
        self.body = StatefulPicture(content, "lines")
        checks = wrap(self.buttons["identity"], self.buttons["merge"], self.more)
        page((self.body, 1), row(checks, (self.verdict, 1)), rest, of=self)
        self._sliders = self.findChildren(QSlider)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follows the zoom."""
        self.curves.setFixedHeight(theme.current().px(CURVES))

    @property
    def is_dragged(self) -> bool:
        """True while a slider is dragged."""
        return any(one.isSliderDown() for one in self._sliders)

    def show_text(
        self, tuned: bool, written: Written, place: int, words: str, piece: Callable[[int], bytes]
    ) -> None:
        """Shows one of the two texts; `place`: index of the selected token; `words`: its title."""
        one = self.tuned if tuned else self.base
        pieces = [piece(token) for token in written.ids]
        one.set_text([pieces], np.nan_to_num(written.surprises)[None], NATS)
        one.set_chosen(0, place, (0, len(pieces) - 1))
        self.wrote[tuned].set_text(words)

    def show_next(self, found: NextTokens, came: int | None, piece: Callable[[int], bytes]) -> None:
        """Shows the candidates for the place; `came` is the token written there."""
        others = () if came is None else (came,)
        self.bars.set_tokens([
            NextToken(piece(one), float(found.tuned[one]), one == came, float(found.base[one]))
            for one in found.likeliest(ROWS, *others)
        ])  # fmt: skip

    def show_strengths(self, all_or_nothing: bool) -> None:
        """Sets the strengths that can be chosen."""
        strength, about = self.settings.widgets["strength"], fields_of(TryDraft)["strength"]
        shown = ((0.0, 1.0), text.ALL_OR_NOTHING) if all_or_nothing else (STRENGTHS, about.label)
        strength.set_values(*shown)

    def show_curves(self, x: np.ndarray, tokens: Sequence[bytes], shares: np.ndarray) -> None:
        """Shows the probabilities (N, K) of these tokens at each known strength `x`."""
        lines = zip(tokens, shares.T, strict=True)
        self.curves.set_series([
            Series(quoted(shown("", token)), x, y, color=at) for at, (token, y) in enumerate(lines)
        ])  # fmt: skip
