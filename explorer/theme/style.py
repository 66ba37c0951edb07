"""The application's style sheet, for Fusion. Fonts are set in code: a sheet drops features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QPalette

from core.resources import resource

if TYPE_CHECKING:
    from explorer.theme import Theme


def style_sheet(theme: Theme) -> str:
    """Returns the style sheet of `theme`. Widgets choose a look with the property "look"."""
    c = theme.palette.roles
    px = theme.px
    line = 2 if theme.contrast else 1
    grown = 2 - line  # px by which the border grows with the focus; the padding shrinks
    down = resource("icons", "combo-arrow.svg").as_posix()
    tick = "check-on-dark.svg" if theme.dark else "check-on-light.svg"
    check = resource("icons", tick).as_posix()
    up = resource("icons", "spin-up.svg").as_posix()
    return f"""
QMainWindow, QDialog {{ background: {c["window"]}; }}
QToolTip {{
    background: {c["raised"]}; color: {c["text"]};
    border: {line}px solid {c["divider"]}; padding: {px(4)}px {px(8)}px;
}}
QPushButton, QComboBox, QToolButton[look="outlined"] {{
    background: {c["surface"]}; color: {c["text"]};
    border: {line}px solid {c["outline"]}; border-radius: {px(6)}px;
    min-height: {px(26)}px; max-height: {px(26)}px; padding: 0 {px(12)}px;
}}
QComboBox {{ padding: 0 {px(8)}px; }}
QComboBox::drop-down {{ border: none; width: {px(24)}px; }}
QComboBox::down-arrow {{ image: url("{down}"); width: {px(12)}px; height: {px(12)}px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; width: {px(18)}px;
    background: transparent; }}
QAbstractSpinBox::up-arrow {{ image: url("{up}"); width: {px(10)}px; height: {px(10)}px; }}
QAbstractSpinBox::down-arrow {{ image: url("{down}"); width: {px(10)}px; height: {px(10)}px; }}
QPushButton:hover, QComboBox:hover, QToolButton[look="outlined"]:hover {{
    background: {c["raised"]};
}}
QPushButton:pressed, QToolButton:pressed {{ background: {c["selected"]}; }}
QPushButton:focus, QToolButton[look="outlined"]:focus {{
    border: 2px solid {c["accent"]}; padding: 0 {px(12) - grown}px;
    min-height: {px(26) - 2 * grown}px; max-height: {px(26) - 2 * grown}px;
}}
QComboBox:focus, QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus {{
    border: 2px solid {c["accent"]}; padding: 0 {px(8) - grown}px;
    min-height: {px(26) - 2 * grown}px; max-height: {px(26) - 2 * grown}px;
}}
QPlainTextEdit:focus, QTextEdit:focus {{
    border: 2px solid {c["accent"]}; padding: {px(4) - grown}px;
}}
QPushButton:disabled, QComboBox:disabled, QLineEdit:disabled {{
    border-color: {c["divider"]}; color: palette(disabled, text);
}}
QPushButton[look="primary"] {{
    background: {c["accent"]}; color: {c["on_accent"]}; border: 2px solid {c["accent"]};
    min-height: {px(32) - 4}px; max-height: {px(32) - 4}px; padding: 0 {px(16) - 2}px;
}}
QPushButton[look="primary"]:focus {{ border-color: {c["text"]}; }}
QPushButton[look="primary"]:disabled {{
    background: {c["divider"]}; border-color: {c["divider"]}; color: {c["muted"]};
}}
QPushButton[look="quiet"] {{ background: transparent; border: 2px solid transparent;
    color: {c["accent"]}; padding: 0 {px(8) - 2}px;
    min-height: {px(26) - 4}px; max-height: {px(26) - 4}px; }}
QPushButton[look="tight"] {{ padding: 0 {px(3)}px; }}
QPushButton[look="tight"]:focus {{ padding: 0 {px(3) - grown}px; }}
QPushButton[look="quiet"]:hover {{ background: {c["raised"]}; }}
QPushButton[look="quiet"]:disabled {{ color: palette(disabled, text); }}
QPushButton[look="quiet"]:focus {{ border-color: {c["accent"]}; }}
QToolButton {{ background: transparent; border: 2px solid transparent;
    border-radius: {px(6)}px; padding: {px(2)}px; }}
QToolButton:hover {{ background: {c["raised"]}; }}
QToolButton:checked {{ background: {c["selected"]}; }}
QToolButton:focus {{ border: 2px solid {c["accent"]}; }}
QToolButton::menu-indicator {{ image: none; }}
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox {{
    background: {c["surface"]}; color: {c["text"]};
    border: {line}px solid {c["outline"]}; border-radius: {px(6)}px;
    padding: 0 {px(8)}px;
    selection-background-color: {c["accent"]}; selection-color: {c["on_accent"]};
}}
QLineEdit:disabled {{
    selection-background-color: {c["divider"]}; selection-color: palette(disabled, text);
}}
QLineEdit, QSpinBox, QDoubleSpinBox {{ min-height: {px(26)}px; max-height: {px(26)}px; }}
QComboBox QLineEdit, QComboBox QLineEdit:focus {{
    border: none; padding: 0; min-height: 0; background: transparent;
}}
QPlainTextEdit, QTextEdit {{ padding: {px(4)}px; }}
QPlainTextEdit[look="plain"], QTextEdit[look="plain"], QTableView[look="plain"] {{
    border: none; background: {c["surface"]};
}}
QPlainTextEdit[look="plain"]:focus, QTextEdit[look="plain"]:focus {{ padding: {px(4)}px; }}
QSlider::groove:horizontal {{
    height: {px(4)}px; background: {c["divider"]}; border-radius: {px(2)}px;
}}
QSlider::sub-page:horizontal {{ background: {c["accent"]}; border-radius: {px(2)}px; }}
QSlider::handle:horizontal {{
    width: {px(14)}px; height: {px(14)}px; margin: -{px(5)}px 0; border-radius: {px(7)}px;
    background: {c["accent"]};
}}
QSlider::handle:horizontal:focus {{
    width: {px(14) - 4}px; height: {px(14) - 4}px; background: {c["surface"]};
    border: 2px solid {c["accent"]};
}}
QCheckBox, QRadioButton {{ spacing: {px(8)}px; min-height: {px(24)}px; background: transparent; }}
QCheckBox::indicator, QRadioButton::indicator {{
    width: {px(14)}px; height: {px(14)}px; background: {c["surface"]};
    border: {line}px solid {c["outline"]}; border-radius: {px(3)}px;
}}
QRadioButton::indicator {{ border-radius: {px(7) + line}px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ background: {c["raised"]}; }}
QCheckBox::indicator:checked {{
    background: {c["accent"]}; border-color: {c["accent"]}; image: url("{check}");
}}
QRadioButton::indicator:checked {{
    width: {px(6)}px; height: {px(6)}px; background: {c["on_accent"]};
    border: {px(4) + line}px solid {c["accent"]};
}}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border: 2px solid {c["accent"]}; }}
QFrame[look="card"] {{
    background: {c["surface"]}; border: {line}px solid {c["divider"]}; border-radius: {px(8)}px;
}}
QFrame[look="popover"] {{
    background: {c["surface"]}; border: {line}px solid {c["outline"]}; border-radius: {px(8)}px;
}}
QMenuBar {{ background: {c["window"]}; }}
QMenuBar::item {{ padding: {px(4)}px {px(8)}px; background: transparent; }}
QMenuBar::item:selected {{ background: {c["raised"]}; border-radius: {px(4)}px; }}
QMenu {{ background: {c["surface"]}; border: {line}px solid {c["divider"]}; padding: {px(4)}px; }}
QMenu::item {{ padding: {px(5)}px {px(24)}px {px(5)}px {px(12)}px; border-radius: {px(4)}px; }}
QMenu::item:disabled {{ color: palette(disabled, text); }}
QMenu::icon {{ padding-left: {px(8)}px; }}
QMenu::item:selected {{ background: {c["selected"]}; color: {c["text"]}; }}
QMenu::separator {{ height: 1px; background: {c["divider"]}; margin: {px(4)}px {px(8)}px; }}
QComboBox QAbstractItemView, QListView {{
    background: {c["surface"]}; border: {line}px solid {c["divider"]}; outline: none;
    selection-background-color: {c["selected"]}; selection-color: {c["text"]};
}}
QTableView {{
    background: {c["surface"]}; border: none; gridline-color: {c["divider"]};
    selection-background-color: {c["selected"]}; selection-color: {c["text"]}; outline: none;
}}
QHeaderView {{ background: {c["surface"]}; }}
QHeaderView::section {{
    background: {c["surface"]}; color: {c["muted"]}; border: none;
    padding: {px(2)}px {px(6)}px;
}}
QHeaderView::section:horizontal {{ border-bottom: 1px solid {c["divider"]}; }}
QTableCornerButton::section {{ background: {c["surface"]}; border: none; }}
QSplitter::handle {{ background: {c["divider"]}; }}
QSplitter[look="plain"]::handle {{ background: transparent; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QScrollArea {{ border: none; background: transparent; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: {px(10)}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {px(10)}px; margin: 0; }}
QScrollBar::handle {{ background: {c["outline"]}; border-radius: {px(3)}px; }}
QScrollBar::handle:vertical {{ min-height: {px(24)}px; margin: {px(2)}px; }}
QScrollBar::handle:horizontal {{ min-width: {px(24)}px; margin: {px(2)}px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{
    background: {c["raised"]}; border: none; border-radius: {px(3)}px;
    min-height: {px(6)}px; max-height: {px(6)}px;
}}
QProgressBar::chunk {{ background: {c["accent"]}; border-radius: {px(3)}px; }}
"""


def qt_palette(theme: Theme) -> QPalette:
    """Returns the QPalette of a theme, which Fusion uses where the style sheet has no rule."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette()
    for place, name in (
        (role.Window, "window"),
        (role.WindowText, "text"),
        (role.Base, "surface"),
        (role.AlternateBase, "raised"),
        (role.Text, "text"),
        (role.Button, "surface"),
        (role.ButtonText, "text"),
        (role.BrightText, "on_accent"),
        (role.ToolTipBase, "raised"),
        (role.ToolTipText, "text"),
        (role.PlaceholderText, "muted"),
        (role.Highlight, "accent"),
        (role.HighlightedText, "on_accent"),
        (role.Link, "accent"),
        (role.LinkVisited, "attention"),
        (role.Accent, "accent"),
        (role.Light, "raised"),
        (role.Midlight, "raised"),
        (role.Mid, "divider"),
        (role.Dark, "outline"),
        (role.Shadow, "outline"),
    ):
        palette.setColor(place, theme.color(name))
    faint = theme.faint("text")
    for place in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, place, faint)
    palette.setColor(group.Disabled, role.Highlight, theme.color("divider"))
    return palette
