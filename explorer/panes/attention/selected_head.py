"""Which layer, head and query are chosen, and what a session or a lesson has asked for."""

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
    """The head with the highest score (L, H)."""
    layer, head = np.unravel_index(int(np.argmax(score)), score.shape)
    return int(layer), int(head)


def clearest_query(heads: Heads, layer: int, head: int) -> int:
    """The query that shows best what a head does; a token that is a word by itself, and a name most
    of all, tells more than a full stop.
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
    """Layer, head and query: as asked for where they are there, else the strongest induction head
    and its clearest query.
    """
    if layer is None or head is None or not heads.has(layer, head):
        layer, head = strongest(heads.score("induction"))
    if token is None or token >= heads.n_tokens:
        token = clearest_query(heads, layer, head)
    return layer, head, token


class SelectedHead(QObject):
    """Chooses in the workspace's selection; what is not there yet waits for other heads.

    heads     that there are
    held      the locked head, the pinned query
    preview   the head under the pointer
    wanted    the steps to open, until they are there
    is_typed  a person writes the text whose heads are on their way: the query follows its end
    """

    changed = Signal()
    said = Signal(str)  # for the status bar

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        workspace.selectionChanged.connect(self._on_selection)
        self.heads: Heads | None = None
        self.held = Held()
        self.preview: Head | None = None
        self.wanted: OpenSteps | None = None
        self.is_typed = False
        self._token: int | None = None  # the query that was chosen here, by no person
        self._seen: tuple[Any, ...] = ()  # model and ids of the heads that came last

    @property
    def place(self) -> tuple[int, int, int] | None:
        """Layer, head and query that are chosen and there; None before the first heads."""
        heads, one = self.heads, self._workspace.selection
        if heads is None or one.layer is None or one.head is None or one.token is None:
            return None
        if not heads.has(one.layer, one.head):
            return None
        return one.layer, one.head, min(one.token, heads.n_tokens - 1)

    @property
    def locked(self) -> Head | None:
        """The locked head, once it is there."""
        lock = self.held.locked
        return lock if self.heads is not None and lock and self.heads.has(*lock) else None

    # other heads

    def forget(self) -> None:
        self.heads = self.preview = None

    def take(self, heads: Heads) -> None:
        """Keeps a choice that still makes sense, else takes what tells most."""
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
        """As a session or a lesson asks."""
        is_new = held.locked != self.held.locked
        self.held, self.wanted = held, steps
        if steps is not None:
            self._token = None
            self._select(steps.place)
        elif is_new and held.locked is not None:
            self._workspace.select(layer=held.locked[0], head=held.locked[1])
        self.held, self.wanted = held, steps

    def _on_selection(self, selection: Selection) -> None:
        """Another choice than the one that is waited for takes its place."""
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
        """The head that has the most of a score, (L, H), with the query that shows it."""
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
        """The pointer is at a head, (-1, -1): at none; while one is locked that changes nothing."""
        preview = (layer, head) if layer >= 0 and self.locked is None else None
        if preview != self.preview:
            self.preview = preview
            self.changed.emit()

    # queries

    def pick_query(self, token: int) -> None:
        """Pins the query to a token; picking it again lets the query follow the text."""
        if self.held.pinned and self.place is not None and token == self.place[2]:
            self.unpin()
            return
        self.reach(None, token)
        self.held = replace(self.held, pinned=True)
        self.changed.emit()
        if self.heads is not None and token < self.heads.n_tokens:
            self.said.emit(text.PINNED.format(text.quoted(self.heads.prompt.labels[token])))

    def move_query(self, by: int) -> None:
        """To the token after (1) or before (-1) the query, not beyond the text."""
        if self.heads is not None and self.place is not None:
            token = min(max(self.place[2] + by, 0), self.heads.n_tokens - 1)
            if token != self.place[2]:  # one that is picked again would be let go
                self.pick_query(token)

    def unpin(self) -> None:
        """The query follows the end of the text."""
        self.held = replace(self.held, pinned=False)
        if self.heads is not None:
            last = self.heads.n_tokens - 1
            self.reach(last, last)
        self.changed.emit()
        self.said.emit(text.UNPINNED)

    def reach(self, own: int | None, token: int) -> None:
        """A query; `own`: it was chosen by no person, and another text has its own."""
        self._token = own
        self._workspace.select(token=token)
