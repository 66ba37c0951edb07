"""Where Compare opens the menu of tokenizers: for another one, and in the place of one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from explorer.panes.tokenizers.tokenizer_menu import fill_menu

if TYPE_CHECKING:
    from explorer.panes.tokenizers.compare.mode import CompareMode


def fill_add(mode: CompareMode) -> None:
    """The menu of another tokenizer beside those that are shown, and of sets in their place."""
    shown, menu = mode.shown_ones, mode.inputs.add.menu()
    fill_menu(
        menu,
        mode.catalogue,
        shown.ids,
        shown.add,
        mode.ask_for_file,
        shown.full,
    )
    menu.addSeparator()
    for title, ids in shown.sets():
        action = menu.addAction(title.replace("&", "&&"), partial(shown.show_set, title, ids))
        action.setEnabled(ids != shown.ids)


def open_at(mode: CompareMode, place: int) -> None:
    """The menu of another tokenizer in this place."""
    button = mode.view.columns[place].head.name
    chooser = QMenu(button)
    chooser.aboutToHide.connect(chooser.deleteLater)
    shown = mode.shown_ones
    choose = partial(shown.replace, place)
    fill_menu(chooser, mode.catalogue, shown.ids, choose, mode.ask_for_file)
    chooser.popup(button.mapToGlobal(button.rect().bottomLeft()))
