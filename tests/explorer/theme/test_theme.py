"""Colors, type and motion: every value of the look, computed."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextLayout
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QWidget,
)

from explorer import theme
from explorer.theme import icons
from explorer.theme.colors import PALETTES, color_table, contrast, ink_on, luminance, rgb
from explorer.widgets.base import set_look
from explorer.widgets.boxes import column, row
from tests.explorer.waiting import wait_until

GROUNDS = ("window", "surface", "raised")
TEXTS = ("text", "muted", "accent", "q", "k", "v", "attention", "success", "warning", "error")


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize(("text", "ground"), list(itertools.product(TEXTS, GROUNDS)))
def test_every_text_reads_on_every_ground(name, text, ground):
    roles = PALETTES[name].roles
    assert contrast(roles[text], roles[ground]) >= 4.5


@pytest.mark.parametrize("name", PALETTES)
def test_outlines_and_series_stand_out_from_the_surface(name):
    palette = PALETTES[name]
    for color in (palette.roles["outline"], palette.roles["accent"], *palette.series):
        assert contrast(color, palette.roles["surface"]) >= 3.0
    assert len(set(palette.series)) == 6


@pytest.mark.parametrize("name", PALETTES)
def test_text_reads_on_accent_and_on_what_is_selected(name):
    roles = PALETTES[name].roles
    assert contrast(roles["on_accent"], roles["accent"]) >= 4.5
    for text in ("text", "muted", "q", "k", "v", "attention"):
        assert contrast(roles[text], roles["selected"]) >= 4.5


def test_contrast_is_the_wcag_ratio():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21.0)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)  # WCAG's known gray
    assert luminance("#FFFFFF") == pytest.approx(1.0)


@pytest.mark.parametrize("name", PALETTES)
def test_numbers_read_on_every_color_of_the_maps(name):
    palette = PALETTES[name]
    for table in (color_table(palette.attention_stops, 0.6), color_table(palette.diverging_stops)):
        for red, green, blue in table:
            back = f"#{red:02X}{green:02X}{blue:02X}"
            assert contrast(ink_on(back), back) >= 4.5


@pytest.mark.parametrize("name", PALETTES)
def test_the_attention_map_runs_evenly_from_the_surface(name):
    palette = PALETTES[name]
    table = color_table(palette.attention_stops, 0.6)
    assert tuple(table[0]) == tuple(
        int(palette.attention_stops[0][i : i + 2], 16) for i in (1, 3, 5)
    )
    light = np.array([luminance("#{:02X}{:02X}{:02X}".format(*tuple(row))) for row in table])
    steps = np.diff(light) if palette.dark else -np.diff(light)
    assert (steps >= -0.003).all()


def test_motion_eases_out_and_staggers_within_its_bounds():
    assert theme.ease_out(0) == 0 and theme.ease_out(1) == 1 and theme.ease_out(2) == 1
    values = [theme.ease_out(i / 50) for i in range(51)]
    assert values == sorted(values)
    for count in (1, 2, 16, 64):
        assert theme.stagger(0, count - 1, count) == 0
        assert all(theme.stagger(1, i, count) == pytest.approx(1) for i in range(count))


def test_themes_apply_and_tell(qapp, qtbot):
    theme.apply(qapp, "light", zoom=1.0, motion="full")
    with qtbot.waitSignal(theme.changed):
        theme.apply(qapp, "dark")
    assert theme.current().name == "dark"
    assert qapp.palette().window().color().name() == PALETTES["dark"].roles["window"].lower()
    told = []
    theme.changed.connect(lambda: told.append(1))
    theme.apply(qapp, "dark")
    assert told == []
    theme.apply(qapp, "light")
    with pytest.raises(ValueError, match="choose one of"):
        theme.apply(qapp, "purple")


@pytest.mark.parametrize("zoom", [1.0, 1.5])
@pytest.mark.parametrize(
    ("kind", "look"),
    [
        *((QPushButton, look) for look in ("", "primary", "quiet", "tight")),
        (QToolButton, ""),
        (QToolButton, "outlined"),
        *((kind, "") for kind in (QComboBox, QLineEdit, QPlainTextEdit, QSpinBox)),
        (QPlainTextEdit, "plain"),
    ],
)
def test_the_focus_takes_no_room_from_what_a_control_says(qapp, qtbot, zoom, kind, look):
    theme.apply(qapp, "light", zoom=zoom)
    window, control, other = QWidget(), kind(), QLineEdit()
    qtbot.addWidget(window)
    set_look(control, look)
    if isinstance(control, QPushButton | QToolButton):
        control.setText("Record this step")
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    column(row(control, 1), other, of=window)
    window.resize(400, 400)
    window.show()
    qtbot.waitExposed(window)
    shown = []
    for focused in (other, control):
        focused.setFocus()
        wait_until(focused.hasFocus)
        written = _written(control) if isinstance(control, QPushButton) else None
        shown.append((control.sizeHint(), written))
    theme.apply(qapp, "light", zoom=1.0)
    assert shown[0] == shown[1]


def _written(control: QWidget) -> list[int]:
    """Where the middle line of its pixels changes, within its borders."""
    image = control.grab().toImage()
    y = image.height() // 2
    return [x for x in range(5, image.width() - 4) if image.pixel(x, y) != image.pixel(x - 1, y)]


def test_zoom_scales_type_and_is_bounded(qapp):
    theme.apply(qapp, "light", zoom=2.0)
    assert theme.current().font("body").pixelSize() == 26
    assert theme.current().px("control") == 56
    theme.apply(qapp, "light", zoom=9.0)
    assert theme.current().zoom == 2.0
    theme.apply(qapp, "light", zoom=1.0)
    assert theme.current().font("body").pixelSize() == 13


def test_a_theme_set_again_leaves_every_font_as_it_is(qapp, qtbot):
    from explorer.widgets.prompt_line import PromptLine

    line = PromptLine()
    qtbot.addWidget(line)
    line.show()
    try:
        for _ in range(3):
            theme.apply(qapp, "light", 2.0)
            assert line.font().pixelSize() == 26
    finally:
        theme.apply(qapp, "light", 1.0)


def test_the_style_is_set_once_also_where_a_style_sheet_was_there_before(qapp):
    class Host:
        """As an application that was started with -stylesheet."""

        def __init__(self):
            self.sheet, self.styles = "QLabel { color: red }", []

        def styleSheet(self):
            return self.sheet

        def setStyleSheet(self, sheet):
            self.sheet = sheet

        def setStyle(self, style):
            self.styles.append(style.name())

        def style(self):
            return SimpleNamespace(unpolish=lambda app: None)

        def setPalette(self, palette): ...
        def setFont(self, font): ...

    host = Host()
    theme.apply(host, "light")
    theme.apply(host, "dark")
    assert host.styles == ["fusion"] and "red" not in host.sheet


def test_reduced_motion_cross_fades_and_off_cuts(qapp):
    theme.apply(qapp, "light", motion="reduced")
    assert theme.current().duration("step") == 120 and not theme.current().travels
    assert theme.current().duration("rest") == 900
    theme.apply(qapp, "light", motion="off")
    assert theme.current().duration("move") == 0
    theme.apply(qapp, "light", motion="full")
    assert theme.current().duration("step") == 600


def test_the_bundled_fonts_are_there_with_tabular_digits_and_weights(qapp):
    assert {"Inter", "JetBrains Mono"} <= set(theme.load_fonts())
    now = theme.current()
    for weight in (400, 600):
        metrics = now.metrics("body", weight)
        assert metrics.horizontalAdvance("1111") == pytest.approx(metrics.horizontalAdvance("8888"))
    wide = now.metrics("headline", 600).horizontalAdvance("hamburg")
    assert wide > now.metrics("headline", 400).horizontalAdvance("hamburg")


@pytest.mark.parametrize("name", PALETTES)
def test_hatching_is_seen_on_its_ground(name):
    lines = theme.Theme(PALETTES[name]).hatch().color().name()
    for ground in ("surface", "raised"):
        assert contrast(lines, PALETTES[name].roles[ground]) >= 1.7


def test_every_icon_is_drawn_in_the_color_that_is_asked_for(qapp):
    theme.apply(qapp, "light")
    sheet = {"combo-arrow", "spin-up", "check-on-light", "check-on-dark"}  # fixed colors
    names = [name for name in icons.names() if name not in sheet]
    assert len(names) >= 40
    for name in names:
        image = icons.pixmap(name, "k", 20, 2.0).toImage()
        assert image.width() == 40
        opaque = {
            image.pixelColor(x, y).getRgb()[:3]
            for x in range(40)
            for y in range(40)
            if image.pixelColor(x, y).alpha() == 255
        }
        assert opaque, name
        expected = rgb(PALETTES["light"].roles["k"])
        assert np.abs(np.array(list(opaque)) - expected).max() <= 2, name
    with pytest.raises(ValueError, match=r"draw resources/icons/unicorn\.svg"):
        icons.pixmap("unicorn")


@pytest.mark.parametrize("mono", [False, True])
def test_signs_are_drawn_as_they_are_typed(qapp, mono):
    signs = "=>"
    layout = QTextLayout(signs, theme.current().font("body", mono=mono))
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    assert len(layout.glyphRuns()[0].glyphIndexes()) == len(signs)
