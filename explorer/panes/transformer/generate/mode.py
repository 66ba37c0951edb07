"""Generate: wires the text, the model and the sliders to the bars and the player."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.inference.text_tree import Text, TextTree
from core.tokenization.telling import quoted_piece
from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.generate import compute, text
from explorer.panes.transformer.generate.compute import Choice
from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.scene import Scene, scene_of
from explorer.panes.transformer.generate.view import GenerateView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.cache_scene import CacheScene


def create(desk: Desk, parent: QObject) -> Mode:
    return GenerateMode(desk, parent)


KEYS = {"next": "Ctrl+Shift+Return"}
FIRST = "softmax"  # the step that is shown first
MOST_KEPT = 20  # forks that a session keeps


class GenerateMode(PromptMode):
    """What was written after the prompt stays until the prompt or the model is another; `place` is
    that in the text whose token is looked at, None: its end.
    """

    id = "generate"
    title = "Generate"
    no_text = text.NO_TEXT
    teaches = "How the next token is chosen: a distribution, what is cut from it, and a draw"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = GenerateView()
        self.draft = Draft(self.workspace, "transformer.generate", GenerateDraft, self)
        self.tree = TextTree()  # of what was written
        self.place: int | None = None
        self.writing = False
        self.choice: Choice | None = None
        self.scene: Scene | None = None
        deeds = {"next": self.append, "write": self.toggle_writing, "back": self.go_back,
                 "again": self.draw_again}  # fmt: skip
        view = self.view
        self.connect_buttons(text.BUTTONS, deeds, KEYS)
        view.bars.picked.connect(self._on_bar)
        view.text.chosen.connect(lambda _, place: self.look_at(place))
        view.forks.picked.connect(lambda row: self.go_on_from(self.tree.branches()[row].text))
        self.draft.changed.connect(self.read)
        self.connect_draft(text.words_of)
        self.begin()

    # what the pane asks

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        return {"next": view.bars, "text": view.text, "forks": view.forks, "cache": view.cache}

    def state(self) -> dict[str, Any]:
        forks = [list(one) for one in self.tree.texts[-MOST_KEPT:]]
        written = list(self.written)
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
        """Esc: stops writing, then goes back to the end of the text."""
        if self.writing:
            self.stop_writing()
        elif self.place is not None:
            self.look_at(len(self.ids))
        else:
            return False
        return True

    def on_position(self, position: float) -> None:
        self.view.bars.set_position(position)

    # choices

    @property
    def written(self) -> Text:
        """What was written after the prompt."""
        return self.tree.here

    @property
    def ids(self) -> list[int]:
        """The whole text."""
        return [*self.prompt_ids, *self.written]

    def draw_again(self) -> None:
        """Another seed: other numbers are drawn."""
        self.set_settings(seed=self.draft.value.seed + 1)

    def look_at(self, place: int) -> None:
        """How the token at a place of the text was chosen; after the last one: the next one."""
        is_end = place >= len(self.ids)
        self.place = None if is_end else max(place, 1)
        if not is_end:
            self.stop_writing()
        self.read()

    def append(self) -> None:
        """The token that is drawn comes."""
        if self.choice is not None and self.place is None:
            self.force(self.choice.token)

    def _on_bar(self, row: int) -> None:
        if self.choice is not None:  # else the bars are of another text or model
            self.force(self.choice.shown[row])

    def force(self, token: int) -> None:
        """This token comes, at the place that is looked at; what was written after it is a fork."""
        if self.choice is None or self.reads.running:
            return
        written = self.choice.place - len(self.prompt_ids)
        if written < 0:
            self.statusRequested.emit(text.OF_PROMPT)
            return
        self.go_on_from((*self.written[:written], token))

    def go_on_from(self, written: Text) -> None:
        """This is written after the prompt now."""
        self.tree.go(written)
        self.look_at(len(self.ids))

    def go_back(self) -> None:
        """As the text was before the last token came, or before the last fork."""
        self.tree.back()
        self.look_at(len(self.ids))

    def begin_anew(self) -> None:
        """Nothing is written yet."""
        self.tree = TextTree()
        self.look_at(len(self.ids))

    def toggle_writing(self) -> None:
        """Writes token after token from the end of the text on, or stops."""
        if self.writing or self.choice is None:
            self.stop_writing()
            return
        self.writing = True
        self.inspection.emit(None)
        self.look_at(len(self.ids))  # `show_answer` goes on
        self._set_buttons()

    def _write_next(self) -> None:
        """The next token, unless the text has ended or fills the context."""
        assert self.choice is not None
        ends = set(self.source.tokenizer.special_tokens.values())
        is_full = len(self.ids) >= self.most_read
        if is_full or ends & {self.choice.token, *self.written[-1:]}:
            self.stop_writing()
            self.statusRequested.emit(text.FULL if is_full else text.ENDED)
        else:
            self.append()

    def stop_writing(self) -> None:
        if self.writing:
            self.writing = False
            self._set_buttons()
            self.inspect()

    def go_to(self, step: str) -> None:
        """To a step by its name, where it is."""
        if self.scene is not None and step in self.scene.names:
            self.player.seek(self.scene.names.index(step))

    # text and model

    def forget(self) -> None:
        """What was written belongs to another text or model."""
        super().forget()
        self.stop_writing()
        self.tree, self.place, self.choice = TextTree(), None, None

    async def answer(self) -> Choice | Superseded:
        source, key = self.source, "transformer.generate"
        await self.encode()
        tokens = {token for one in self.tree.texts for token in one}
        if max(tokens, default=0) >= source.config.vocab_size:  # a session may hold anything
            self.tree = TextTree()
        ids, most = self.ids, self.most_read
        place = len(ids) if self.place is None else self.place
        last = self.choice if self.choice is not None and list(self.choice.ids) == ids else None
        told, read = (last.surprises, last.read) if last is not None else (None, None)
        if told is None and place < len(ids):
            if (whole := await source.read(ids[-most:], key=key)) is SUPERSEDED:
                return SUPERSEDED
            told = whole.surprises
        if last is None or last.place != place:
            read = await source.read(ids[max(0, place - most) : place], key=key)
        if read is SUPERSEDED:
            return SUPERSEDED
        told = read.surprises if told is None else told
        asked = self.draft.value, read, ids, told, place, max(place - len(self.prompt_ids), 0)
        key += ".choice"
        return await self.engine.call(compute.choice, *asked, key=key, name="choosing a token")

    def show_answer(self, answer: Choice) -> None:
        self._show(answer)
        if self.writing:
            self._write_next()

    def clear(self) -> None:
        super().clear()
        self.choice = self.scene = None
        self.stop_writing()
        self._set_buttons()

    # what is seen

    def _show(self, choice: Choice) -> None:
        before, self.choice = self.scene, choice
        self.scene = scene = scene_of(choice, self.piece)
        step = FIRST if before is None else before.names[before.step(self.player.step)]
        stays = before is not None and before.names == scene.names
        view, pieces, cache = self.view, list(map(self.piece, choice.ids)), choice.read.cache
        note = text.facts(choice, self.most_read)
        view.set_scene(scene)
        view.set_text(pieces, choice.surprises, choice.place, note)
        view.set_cache(CacheScene(choice.read.tokens, cache) if cache else None)
        view.set_forks(self.tree, self.text_of)
        self.set_tracks([TraceTrack(choice.trace)], keep_position=stays)
        if self.active and not stays:
            self.go_to(step if step in scene.names else FIRST)
        self._set_buttons()
        self.inspect()

    def _set_buttons(self) -> None:
        at_end = self.choice is not None and self.place is None
        self.view.set_buttons(ready=at_end, writing=self.writing, written=bool(self.tree.past))

    def inspect(self) -> None:
        step, choice, scene = self.step_shown, self.choice, self.scene
        if step is None or choice is None or scene is None:
            return
        at = self.player.step
        surprise = None if self.place is None else choice.surprises[self.place]
        told = text.headline(scene, scene.names[at], surprise)
        self.set_headline(self.tell_length(told, choice.place))
        if not self.writing:  # nobody reads numbers that change ten times a second
            shown = inspection_of(step, choice.token)
            told = f"{quoted_piece(scene.pieces[scene.came])}: {scene.words[at][scene.came]}"
            self.inspection.emit(replace(shown, rows=[*shown.rows, told]))
