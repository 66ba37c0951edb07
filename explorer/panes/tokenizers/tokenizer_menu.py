"""The menu of tokenizers: local, bundled, in the Hugging Face cache, to download, from a file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from PySide6.QtWidgets import QMenu, QWidgetAction

from core.numbers import format_bytes
from explorer import theme
from explorer.panes.tokenizers.catalogue import BUNDLED, Catalogue, Entry
from explorer.widgets.base import Label

FILES = (
    "Tokenizers (*.json *.model *.tiktoken *.txt *.gguf *.bpe);;All files (*)"  # known by content
)

BY_HAND = (
    "Without a network, get this file on another machine and open it with the last entry of this "
    "menu"
)


def fill_menu(
    menu: QMenu,
    catalogue: Catalogue,
    shown: Collection[str],
    choose: Callable[[str], Any],
    open_file: Callable[[], Any],
    full: str = "",
) -> None:
    """Refills `menu`. `choose` is called with the id of a tokenizer, also of one to download.

    `full` is the reason why nothing can be added, or "".
    """
    menu.clear()
    menu.setToolTipsVisible(True)
    theirs = [entry for entry in catalogue.entries if entry.id.startswith("cached:")]
    ours = [entry for entry in catalogue.entries if entry.id in BUNDLED]
    rest = [one for one in catalogue.entries if one not in (*theirs, *ours)]
    here = [one for one in rest if one.here and not one.broken]
    away = [entry for entry in catalogue.entries if not entry.here and entry.size]
    _title(menu, "On this machine")
    for entry in here:
        _add(menu, entry, entry.name, entry.id in shown, choose, full)
    _title(menu, "Four algorithms, trained on the same stories")
    for entry in ours:
        _add(menu, entry, entry.name, entry.id in shown, choose, full)
    if theirs:
        _title(menu, "In the Hugging Face cache")
        for entry in theirs:
            _add(menu, entry, entry.name, entry.id in shown, choose, full)
    if away:
        _title(menu, "To download")
        for entry in away:
            text = f"Download {entry.name}, {format_bytes(entry.size)}"
            _add(menu, entry, text, entry.id in shown, choose, full)
    menu.addSeparator()
    action = menu.addAction("Open a tokenizer file\u2026", open_file)
    action.setEnabled(not full)
    action.setToolTip(full or "tokenizer.json, .model, .tiktoken, vocab.txt, tekken.json, .gguf")


def _title(menu: QMenu, text: str) -> None:
    """Adds a title above a group of entries: not every style draws a section's title."""
    if not menu.isEmpty():
        menu.addSeparator()
    now = theme.current()
    title = Label(text, "label", "muted", weight=600)
    title.setContentsMargins(now.px(12), now.px(6), now.px(12), now.px(2))
    action = QWidgetAction(menu)
    action.setDefaultWidget(title)
    action.setText(text)
    action.setEnabled(False)
    menu.addAction(action)


def _add(
    menu: QMenu,
    entry: Entry,
    text: str,
    shown: bool,
    choose: Callable[[str], Any],
    full: str,
) -> None:
    action = menu.addAction(text.replace("&", "&&"), lambda: choose(entry.id))
    action.setEnabled(not shown and not full)
    where = entry.where if entry.here else f"{entry.address}\n{BY_HAND}"
    facts = [entry.maker, entry.license, where]
    action.setToolTip(
        "This tokenizer is already shown" if shown else full or "\n".join(filter(None, facts))
    )
