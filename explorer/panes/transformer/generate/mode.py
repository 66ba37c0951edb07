"""Generate: connects the text, the model and the sliders with the bars and the player."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.inference.stop_strings import first_stop
from core.inference.text_tree import Text, TextTree
from core.tokenization.telling import quoted_piece
from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.generate import compute, text
from explorer.panes.transformer.generate.compute import Choice
from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.view import GenerateView
from explorer.runs.text_read import Read
from explorer.state.tracks import TraceTrack

KEY, KEYS = "transformer.generate", {"next": "Ctrl+Shift+Return"}
FIRST = "softmax", "greedy"  # the first step shown; at temperature 0 the second of them
MOST_KEPT = 20  # forks that a session saves


class GenerateMode(PromptMode):
    """Keeps the written text until the prompt or the model changes. `place` is the selected token's
    place in the text, or None for the end. While the mode keeps writing, `begun` is the place where
    it started.
    """

    id = "generate"
    title = "Generate"
    teaches = "How the next token is drawn from the probabilities that the model gives"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = view = GenerateView()
        self.tree = TextTree()  # of all written texts
        self.place: int | None = None
        self.begun: int | None = None
        self.why = ""  # the reason why writing stopped
        self.choice: Choice | None = None
        self.known: dict[Text, Read] = {}  # the last two readings
        deeds = {"next": self.append, "write": self.toggle_writing, "back": self.go_back,
                 "again": lambda: self.set_settings(seed=self.draft.value.seed + 1)}  # fmt: skip
        self.connect_buttons(text.BUTTONS, deeds, KEYS, of_answer=["next"])
        view.bars.picked.connect(lambda row: self.force(view.bars.scene.table.ids[row]))
        view.text.chosen.connect(lambda _, place: self.look_at(place))
        view.forks.picked.connect(lambda row: self.go_on_from(self.tree.branches()[row].text))
        self.connect_draft(GenerateDraft)
        self.begin()

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        return {"next": view.bars, "text": view.text, "forks": view.forks, "cache": view.cache}

    def state(self) -> dict[str, Any]:
        forks = [list(one) for one in self.tree.texts[-MOST_KEPT:]]
        written = list(self.tree.here)
        return {"version": 1, "prompt": self.workspace.prompt, "written": written, "forks": forks}

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"prompt": self.workspace.prompt, "written": written, "forks": [*forks]}:
                for one in (*forks[:MOST_KEPT], written):
                    if isinstance(one, list) and all(type(id) is int and id >= 0 for id in one):
                        self.go_on_from(tuple(one))

    def left(self) -> None:
        self.stop_writing()

    def cancel(self) -> bool:
        """Handles Esc: stops writing, then goes back to the end of the text."""
        if self.begun is None and self.place is None:
            return False
        if not self.stop_writing():
            self.look_at(len(self.ids))
        return True

    def on_position(self, position: float) -> None:
        self.view.bars.set_position(position)

    def on_step(self, step: int) -> None:
        self.why = ""
        super().on_step(step)

    # choices

    @property
    def ids(self) -> list[int]:
        """The whole text: the prompt and the tokens written after it."""
        return [*self.prompt_ids, *self.tree.here]

    def look_at(self, place: int) -> None:
        """Selects a place of the text; after the last token, the choice of the next one."""
        self.place = None if place >= len(self.ids) else max(place, 1)
        if self.place is not None:
            self.stop_writing()
        self.read()

    def append(self) -> None:
        """Appends the drawn token."""
        if self.choice is not None and self.place is None:
            self.force(self.choice.token)

    def force(self, token: int) -> None:
        """Puts a token at the selected place; the text written after it becomes a fork."""
        if self.choice is None or not self.is_current:  # the bars show an earlier text
            return
        written = self.choice.place - len(self.prompt_ids)
        if written < 0:
            self.statusRequested.emit(text.OF_PROMPT)
        else:
            self.go_on_from((*self.tree.here[:written], token))

    def go_on_from(self, written: Text) -> None:
        """Replaces the text written after the prompt."""
        self.tree.go(written)
        self.look_at(len(self.ids))

    def go_back(self) -> None:
        """Restores the text before the last token or fork."""
        self.tree.back()
        self.look_at(len(self.ids))

    def toggle_writing(self) -> None:
        """Starts to write token after token at the end of the text, or stops."""
        if not self.stop_writing() and self.choice is not None and self.is_current:
            self.begun = len(self.ids)
            self.inspection.emit(None)
            self.look_at(self.begun)  # `show_answer` continues
            self._set_buttons()

    def stop_writing(self, why: str = "") -> bool:
        """Stops writing; returns False if it was not writing."""
        was_writing, self.begun = self.begun is not None, None
        if was_writing:
            self.why = why
            self._set_buttons()
            self.inspect()
        return was_writing

    def _why_stop(self, choice: Choice) -> str:
        """Returns why writing must stop, or "" if it can continue."""
        stop, ends = self.draft.value.stop_at, self.source.tokenizer.special_tokens.values()
        if stop and first_stop(b"".join(choice.pieces[self.begun :]), [stop]) is not None:
            return text.stopped(stop)
        if len(choice.pieces) >= self.most_read:
            return text.FULL
        return text.ENDED if {choice.token, *self.tree.here[-1:]} & {*ends} else ""

    def go_to(self, step: str) -> None:
        """Goes to the step of that name, or to the first one shown if there is no such step."""
        if self.active and self.choice is not None:
            steps = self.choice.scene.table.steps
            self.player.seek(steps.index(next(one for one in (step, *FIRST) if one in steps)))

    # text and model

    def forget(self) -> None:
        """Drops the written texts, which belong to another text or model."""
        super().forget()
        self.stop_writing()
        self.tree, self.place, self.choice, self.known = TextTree(), None, None, {}

    async def answer(self) -> Choice | Superseded:
        await self.encode()
        tokens = {token for one in self.tree.texts for token in one}
        if max(tokens, default=0) >= self.source.config.vocab_size:  # a session may be damaged
            self.tree = TextTree()
        ids, most = self.ids, self.most_read
        place = len(ids) if self.place is None else self.place
        whole = await self._read(ids[-most:])
        read = await self._read(ids[max(0, place - most) : place])
        if isinstance(whole, Superseded) or isinstance(read, Superseded):
            return SUPERSEDED
        drawn = max(place - len(self.prompt_ids), 0)
        asked = self.draft.value, read, ids, whole.surprises, place, drawn, self.piece
        name = "choosing a token"
        return await self.engine.call(compute.choice, *asked, key=f"{KEY}.choice", name=name)

    async def _read(self, ids: list[int]) -> Read | Superseded:
        """Returns the model's reading of a text; the last two readings are cached."""
        found = self.known.pop(tuple(ids), None) or await self.source.read(ids, key=KEY)
        if not isinstance(found, Superseded):
            self.known = dict([*self.known.items(), (tuple(ids), found)][-2:])
        return found

    def show_answer(self, answer: Choice) -> None:
        before, self.choice = self.choice, answer
        steps = FIRST[:1] if before is None else before.scene.table.steps
        step = steps[min(max(self.player.step, 0), len(steps) - 1)]
        self.view.show_choice(answer, self.most_read)
        self.view.set_forks(self.tree, self.text_of)
        self.set_tracks([TraceTrack(answer.trace)], keep_position=before is not None)
        self.go_to(step)
        self._set_buttons()
        self.inspect()
        if self.begun is not None:
            if why := self._why_stop(answer):
                self.stop_writing(why)
            else:
                self.append()

    def clear(self) -> None:
        super().clear()
        self.choice = None
        self.stop_writing()
        self._set_buttons()

    # display

    def show_wait(self, reason: str) -> None:
        """While it writes, the picture stays bright: it shows the token before, as a film does."""
        if self.begun is None:
            super().show_wait(reason)
        else:
            self.view.body.set_waiting(reason)

    def _on_freshness(self) -> None:
        super()._on_freshness()
        self._set_buttons()

    def _set_buttons(self) -> None:
        at_end, writes = self.choice is not None and self.place is None, self.begun is not None
        at_end = at_end and not self.is_stale
        self.view.set_buttons(ready=at_end, writing=writes, written=bool(self.tree.past))

    def show_step(self, step: Any) -> None:
        if (choice := self.choice) is None:  # another text is being read
            return
        at, scene, place = self.player.step, choice.scene, choice.place
        told = self.why or text.headline(scene, scene.table.steps[at])
        self.set_headline(self.tell_length(told, place))
        if self.begun is None:  # numbers that change ten times a second are unreadable
            row = scene.row_at(at)
            said = f"{quoted_piece(scene.pieces[row])}: {scene.words[at][row]}"
            self.inspection.emit(inspection_of(step, scene.table.ids[row], said))
