"""The chosen layer, head and query, and what a session or a lesson wants to be chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.inference.heads import telling_query
from explorer.panes.attention import text
from explorer.panes.attention.compute import Head, Heads
from explorer.panes.attention.draft import Held, OpenSteps
from explorer.state.workspace import Selection, Workspace


def strongest(score: np.ndarray) -> Head:
    """Returns the head with the highest score (L, H)."""
    layer, head = np.unravel_index(int(np.argmax(score)), score.shape)
    return int(layer), int(head)


def clearest_query(heads: Heads, layer: int, head: int) -> int:
    """Returns the query that shows a head's behavior best. Whole words, and names most of all, are
    preferred to punctuation.
    """
    words = [label.strip() for label in heads.prompt.labels]
    is_word = [len(word) > 1 and word.isalpha() for word in words]
    tells = [
        (1.3 if word[0].isupper() else 1.0) if told else 0.6
        for word, told in zip(words, is_word, strict=True)
    ]
    return telling_query(heads.attention[layer, head], heads.prompt.ids, np.array(tells))


def sensible_choice(
    heads: Heads, layer: int | None, head: int | None, token: int | None
) -> tuple[int, int, int]:
    """Returns layer, head and query as given if they exist, else the strongest induction head and
    its clearest query.
    """
    if layer is None or head is None or not heads.has(layer, head):
        layer, head = strongest(heads.score("induction"))
    if token is None or token >= heads.n_tokens:
        token = clearest_query(heads, layer, head)
    return layer, head, token


class SelectedHead(QObject):
    """Selects in the workspace; a choice that does not exist yet waits for new heads.

    heads     the heads that were read
    held      the locked head and the pinned query
    preview   the hovered head
    wanted    the steps to open once they are computed
    is_typed  True if the user typed the text whose heads are being read: the query follows its end
    """

    changed = Signal()
    said = Signal(str)  # message for the status bar

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        workspace.selectionChanged.connect(self._on_selection)
        self.heads: Heads | None = None
        self.held = Held()
        self.preview: Head | None = None
        self.wanted: OpenSteps | None = None
        self.is_typed = False
        self._token: int | None = None  # the query that this class chose, not the user
        self._seen: tuple[Any, ...] = ()  # model and token ids of the newest heads

    @property
    def place(self) -> tuple[int, int, int] | None:
        """The chosen layer, head and query; None until heads with them exist."""
        heads, one = self.heads, self._workspace.selection
        if heads is None or one.layer is None or one.head is None or one.token is None:
            return None
        if not heads.has(one.layer, one.head):
            return None
        return one.layer, one.head, min(one.token, heads.n_tokens - 1)

    @property
    def locked(self) -> Head | None:
        """The locked head if the model has it."""
        lock = self.held.locked
        return lock if self.heads is not None and lock and self.heads.has(*lock) else None

    # new heads

    def forget(self) -> None:
        self.heads = self.preview = None

    def take(self, heads: Heads) -> None:
        """Takes new heads; keeps a choice that still makes sense, else selects the clearest one."""
        before, self._seen = self._seen, (self._workspace.model_source, heads.prompt.ids)
        other_model = bool(before) and before[0] is not self._seen[0]
        other_text = bool(before) and before[1] != self._seen[1]
        typed = other_text and self.is_typed
        self.is_typed = self.is_typed and not other_text
        self.heads = heads
        one, held, steps = self._workspace.selection, self.held, self.wanted
        head = self.locked or ((None, None) if other_model else (one.layer, one.head))
        token = None if other_text and one.token == self._token else one.token
        if typed and not held.pinned:
            token = self._token = heads.n_tokens - 1
        place = sensible_choice(heads, *head, token)
        if steps is not None and heads.has(*steps.place):
            place = steps.place
        elif place[2] != token:
            self._token = place[2]
        if self.locked not in (None, place[:2]):
            held = replace(held, locked=None)
        self._select(place)
        self.held, self.wanted = held, steps

    def _select(self, place: tuple[int, int, int]) -> None:
        layer, head, token = place
        self._workspace.select(layer=layer, head=head, token=token)

    def restore(self, held: Held, steps: OpenSteps | None) -> None:
        """Restores the choices of a session or a lesson."""
        is_new = held.locked != self.held.locked
        self.held, self.wanted = held, steps
        if steps is not None:
            self._token = None
            self._select(steps.place)
        elif is_new and held.locked is not None:
            self._workspace.select(layer=held.locked[0], head=held.locked[1])
        self.held, self.wanted = held, steps

    def _on_selection(self, selection: Selection) -> None:
        """Drops the wanted steps and the locked head if something else is selected."""
        head = (selection.layer, selection.head)
        if self.held.locked != head:
            self.held = replace(self.held, locked=None)
        if self.wanted is not None and self.wanted.place != (*head, selection.token):
            self.wanted = None
        self.changed.emit()

    # heads

    def pick_head(self, layer: int, head: int) -> None:
        self.preview = None
        self._workspace.select(layer=layer, head=head)
        self.changed.emit()

    def pick_strongest(self, score: np.ndarray) -> None:
        """Selects the head with the highest score (L, H), and the query that shows it best."""
        if self.heads is not None:
            head = strongest(score)
            self._select((*head, clearest_query(self.heads, *head)))

    def lock(self, layer: int, head: int) -> None:
        self.held = replace(self.held, locked=(layer, head))
        self.pick_head(layer, head)
        self.said.emit(text.HEAD_LOCKED.format(layer, head))

    def unlock(self) -> None:
        self.held = replace(self.held, locked=None)
        self.changed.emit()
        self.said.emit(text.UNLOCKED)

    def point_at(self, layer: int, head: int) -> None:
        """Previews the hovered head, or none for (-1, -1), unless a head is locked."""
        preview = (layer, head) if layer >= 0 and self.locked is None else None
        if preview != self.preview:
            self.preview = preview
            self.changed.emit()

    # queries

    def pick_query(self, token: int) -> None:
        """Pins the query to a token; if it is pinned there, unpins it."""
        if self.held.pinned and self.place is not None and token == self.place[2]:
            self.unpin()
            return
        self.reach(None, token)
        self.held = replace(self.held, pinned=True)
        self.changed.emit()
        if self.heads is not None and token < self.heads.n_tokens:
            self.said.emit(text.PINNED.format(text.quoted(self.heads.prompt.labels[token])))

    def move_query(self, by: int) -> None:
        """Moves the query to the next (1) or previous (-1) token, within the text."""
        if self.heads is not None and self.place is not None:
            token = min(max(self.place[2] + by, 0), self.heads.n_tokens - 1)
            if token != self.place[2]:  # picking the same token again would unpin it
                self.pick_query(token)

    def unpin(self) -> None:
        """Unpins the query, which then follows the end of the text."""
        self.held = replace(self.held, pinned=False)
        if self.heads is not None:
            last = self.heads.n_tokens - 1
            self.reach(last, last)
        self.changed.emit()
        self.said.emit(text.UNPINNED)

    def reach(self, own: int | None, token: int) -> None:
        """Selects a query; `own` repeats it if the app chose it, so another text chooses anew."""
        self._token = own
        self._workspace.select(token=token)
