"""Chat: wires what is said to the text that the model reads, and its answer to both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.engine.latest import Latest
from explorer.panes.model_menu import GET_REAL
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import ModelMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.chat import compute, text
from explorer.panes.transformer.chat.draft import ChatDraft
from explorer.panes.transformer.chat.view import ChatHeader, ChatView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.bubbles import Bubble

MERGED = "chat.turn"  # a message and its answer are one change


def create(desk: Desk, parent: QObject) -> Mode:
    return ChatMode(desk, parent)


class ChatMode(ModelMode):
    """What is typed is shown as the model would read it; once it is sent, the model answers."""

    id = "chat"
    title = "Chat"
    teaches = "A conversation is one text to the model: its template, special tokens and all"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, ChatHeader())
        self.view = ChatView()
        self.draft = Draft(self.workspace, "transformer.chat", ChatDraft, self)
        self.prompt: Any = None  # a ChatPrompt
        self.shown_prompt: Any = None  # with what was written of the answer
        self.typed = text.FIRST
        self.written: list[int] = []  # tokens of the answer that is coming
        self._starts: list[int] = []  # of the tokens of the last answer, in its bytes
        self._traced: tuple[str, ...] = ()  # the turns whose last one the steps are of
        self._sent = False  # an answer is wanted once the prompt is there
        self.writes, self.traces, self.injects = (Latest(self.engine, self) for _ in range(3))
        view = self.view
        self.inputs.temperature.picked.connect(lambda value: self._set(temperature=value))
        self.inputs.specials.picked.connect(lambda value: self._set(typed_specials=value))
        view.systemEdited.connect(lambda typed: self._set(system=typed))
        view.settled.connect(self.draft.end_merge)
        view.typed.connect(self.type)
        view.sendRequested.connect(self.send_or_stop)
        view.anewRequested.connect(self.begin_anew)
        view.injectionRequested.connect(self.inject)
        view.bubbles.hovered.connect(self._mark)
        view.read.spanHovered.connect(lambda start, _: self._mark_at(start))
        view.read.tokenClicked.connect(lambda at: self._mark_at(int(view.read.tokens.starts[at])))
        view.body.actionRequested.connect(self.models.open_real)
        self.writes.progressed.connect(self._on_written)
        self.writes.came.connect(lambda _: self._finish())
        self.writes.failed.connect(self._on_failed)
        self.traces.came.connect(self._on_traced)
        self.injects.came.connect(self.type)
        self.injects.failed.connect(self.statusRequested)
        self.draft.changed.connect(self._on_draft)
        self.inputs.set_draft(self.draft.value)
        view.line.set_prompt(self.typed)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"conversation": self.view.bubbles, "chat": self.view.read}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "typed": self.typed}

    def restore(self, state: dict[str, Any]) -> None:
        if isinstance(typed := state.get("typed"), str):
            self.type(typed)

    def on_step(self, step: int) -> None:
        """A token of the answer is looked at: what was written may be cut otherwise when read."""
        prompt = self.shown_prompt
        place = prompt.place(len(self.draft.value.messages()) - 1) if prompt else None
        if self.tracks and place is not None and step < len(self._starts):
            self.view.read.set_selected(prompt.token_at(place[0] + self._starts[step]))
        super().on_step(step)

    def inspect(self) -> None:
        track = self.player.track
        if self.active and self.tracks and track is not None and self.player.step < track.length:
            self.inspection.emit(inspection_of(track.item(self.player.step)))

    def cancel(self) -> bool:
        """Esc: the model stops."""
        was_writing = self.writes.running
        self.stop()
        return was_writing

    # what a person does

    def _set(self, **changes: Any) -> None:
        if replace(self.draft.value, **changes) != self.draft.value:
            self.draft.change(changes, text.CHANGE, "".join(changes))

    def type(self, typed: str) -> None:
        """What stands in the line now."""
        self.typed = typed
        self.view.line.set_prompt(typed)
        if not self.writes.running:
            self.read()

    def begin_anew(self) -> None:
        """Nothing is said yet."""
        self.stop()
        self._set(turns=())

    def inject(self) -> None:
        """A message that pretends to be two."""
        if self._has_no_template:
            self.statusRequested.emit(text.CANNOT_SEND)
        else:
            asked = compute.injection, self.source, *text.INJECTION
            self.injects.call(*asked, name="writing an injection")

    def send_or_stop(self) -> None:
        """Says what was typed, and lets the model answer; a second time: stops it."""
        if self.writes.running:
            self.stop()
            return
        draft, typed = self.draft.value, self.view.line.prompt.strip()
        if not self.can_send:
            return
        self._sent = True
        if typed:
            self.typed = ""
            self.view.line.set_prompt("")
            self.draft.change({"turns": draft.with_said(typed)}, text.change(typed), MERGED)
        else:
            self.read()

    def stop(self) -> None:
        """What was written so far is the answer."""
        if self.writes.stop():
            self._finish()

    # what the model reads and writes

    @property
    def _has_no_template(self) -> bool:
        usage = getattr(self.source, "usage", None)
        return usage is None or usage.chat_template is None

    def forget(self) -> None:
        self.writes.stop()
        self.prompt = self.shown_prompt = None
        self.written, self._sent = [], False
        super().forget()

    def clear(self) -> None:
        self.prompt = self.shown_prompt = None
        self._show_talk()
        super().clear()

    def read(self) -> None:
        if self.source is not None and self._has_no_template:
            self.reads.stop()
            sentence = text.NO_TEMPLATE.format(self.source.name)
            self.clear()
            self.view.body.show_empty(sentence, f"{GET_REAL}: {self.models.real_title}")
            self.set_headline(text.NO_CHAT)
            return
        super().read()

    async def answer(self) -> Any:
        asked = compute.prompt, self.source, self.draft.value, self.typed
        return await self.engine.call(
            *asked, key="transformer.chat", name="filling in the template"
        )

    def show_answer(self, answer: Any) -> None:
        self.prompt = answer
        if self._sent:
            self._sent, self.written = False, []
            self.writes.ask(self._work, f"{self.source.name} answers")
        self._show()

    def _work(self) -> Any:
        ends = self.source.usage.end_ids
        asked = compute.answer_steps, self.prompt.ids, ends, self.draft.value
        return self.source.model_steps(*asked)

    def _on_written(self, items: list[Any]) -> None:
        self.written += [one for one in items if isinstance(one, int)]
        self._show()

    def _finish(self) -> None:
        """The answer is whole, or as whole as a person wants it."""
        turns, said = self.draft.value.turns, compute.said_by(self.source, self.written)
        asked = compute.trace, self.source.tokenizer, self.prompt.ids, self.written
        self._starts = compute.starts(self.source, self.written)
        self.written = []
        if said:
            self.draft.change({"turns": (*turns, said)}, text.change(turns[-1]), MERGED)
            self._traced = self.draft.value.turns
            ask, name = self.source.ask, "how likely each token was"
            self.traces.ask(lambda: ask(*asked, name=name), name)
        self.draft.end_merge()
        self._show()

    def _on_traced(self, trace: Any) -> None:
        if self.draft.value.turns == self._traced:
            self.set_tracks([TraceTrack(trace)])

    def _on_draft(self, draft: ChatDraft) -> None:
        if self.writes.stop():  # it was answering to something else
            self.written = []
        if draft.turns != self._traced:
            self.set_tracks([])
        self.inputs.set_draft(draft)
        self.view.system.set_prompt(draft.system)
        self.read()

    @property
    def can_send(self) -> bool:
        """Whether there is something to answer, and a model that can."""
        waits = len(self.draft.value.turns) % 2 == 1
        return self.prompt is not None and bool(waits or self.view.line.prompt.strip())

    def _show_talk(self) -> None:
        """The bubbles, and what the button does."""
        draft, writes = self.draft.value, self.writes.running
        said = draft.messages()
        if writes:
            coming = compute.said_by(self.source, self.written)
            said.append({"role": "assistant", "content": coming})
        self.view.bubbles.set_bubbles(
            [Bubble(text.NAMES[one["role"]], one["content"], one["role"] == "user") for one in said]
        )
        waits = len(draft.turns) % 2 == 1 and not self.typed
        self.view.set_writing(writes, self.can_send, waits)

    def _show(self) -> None:
        """All of it."""
        self._show_talk()
        if self.prompt is None:
            return
        draft, prompt = self.draft.value, self.prompt
        tokenizer, coming = self.source.tokenizer, len(draft.messages())
        self.shown_prompt = shown = prompt.with_answer(tokenizer, self.written, coming)
        self.view.set_prompt(shown, tokenizer)
        self._mark(self.view.bubbles.marked)
        self.inputs.show_specials(bool(prompt.typed))
        if self.writes.running:
            self.set_headline(text.WRITES)
        elif prompt.typed and draft.typed_specials:
            self.set_headline(text.ENDED)
        else:
            own = sum(one >= 0 for one in shown.origin)
            self.set_headline(text.headline(len(shown.ids), own))

    def _mark(self, message: int) -> None:
        """Lights a message in both pictures; -1: none."""
        self.view.bubbles.set_marked(message)
        place = self.shown_prompt.place(message) if self.shown_prompt and message >= 0 else None
        self.view.read.set_marked(*(place or (-1, -1)))

    def _mark_at(self, byte: int) -> None:
        """The message that the token there is of."""
        at = self.shown_prompt.token_at(byte) if self.shown_prompt else -1
        self._mark(self.shown_prompt.origin[at] if at >= 0 else -1)
