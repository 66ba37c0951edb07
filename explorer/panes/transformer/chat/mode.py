"""Chat: connects the conversation with the text that the model reads and its answers."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import shortened
from core.trace import Trace
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk
from explorer.panes.prompt_inputs import ModelInputs
from explorer.panes.prompt_mode import ModelMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.chat import compute, text
from explorer.panes.transformer.chat.draft import ChatDraft
from explorer.panes.transformer.chat.view import ChatView
from explorer.state.tracks import TraceTrack


class ChatMode(ModelMode):
    """Shows how the model would read the typed text; after Send, the model answers. The steps are
    the tokens of the answer, until another text is read.
    """

    id = "chat"
    title = "Chat"
    teaches = "How a template turns a conversation into the one text that the model reads"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, ModelInputs("transformer.chat"))
        self.view = view = ChatView()
        self.asked = ""  # the message that is being answered
        self.prompt: Any = None  # a ChatPrompt, with the answer so far
        self.trace = Trace()  # the tokens of the answer
        self.writes, self.injects = Latest(self.engine, self), Latest(self.engine, self)
        deeds = {"send": self.send_or_stop, "inject": self.inject,
                 "anew": lambda: self.draft.change({"turns": ()}, text.ANEW)}  # fmt: skip
        self.connect_buttons(text.BUTTONS, deeds)
        view.line.promptEdited.connect(self.type)
        view.line.returnPressed.connect(self.send_or_stop)
        view.bubbles.pointed.connect(self._frame)
        view.body.actionRequested.connect(self.models.open_real)
        self.writes.progressed.connect(self._on_written)
        self.writes.came.connect(lambda _: self._finish())
        self.writes.failed.connect(self._on_failed)
        self.injects.came.connect(self.type)
        self.injects.failed.connect(self.statusRequested)
        self.connect_draft(ChatDraft)
        view.line.set_prompt(text.FIRST)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"conversation": self.view.bubbles, "chat": self.view.read}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "typed": self.view.line.prompt or self.asked}

    def restore(self, state: dict[str, Any]) -> None:
        if isinstance(typed := state.get("typed"), str):
            self.type(typed)

    def show_step(self, step: Any) -> None:
        begins = len(self.prompt.ids) - len(self.trace)
        self.view.read.set_selected(begins + self.player.step)
        self.inspection.emit(inspection_of(step))

    def cancel(self) -> bool:
        """Handles Esc: stops the model; the text written so far becomes the answer."""
        if was_writing := self.writes.stop():
            self._finish()
        return was_writing

    # actions of the user

    def type(self, typed: str) -> None:
        """Replaces the typed text."""
        self.view.line.set_prompt(typed)
        if not self.asked:
            self.read()

    def inject(self) -> None:
        """Types a message that imitates two messages."""
        if self.prompt is None:
            self.statusRequested.emit(text.CANNOT_SEND)
        else:
            self.injects.call(compute.injection, self.source, name="writing an injection")

    def send_or_stop(self) -> None:
        """Sends the typed text and starts the answer; stops an answer in progress instead."""
        if self.cancel() or not self.can_send:
            return
        self.asked, self.trace = self.view.line.prompt.strip(), Trace()
        self.set_tracks([])
        self.view.line.set_prompt("")
        self.reads.stop()
        asked = compute.answer_steps, self.source, self.draft.value, self.asked
        self.writes.ask(lambda: self.source.model_steps(*asked), f"{self.source.name} answers")

    # reading and writing

    @property
    def can_send(self) -> bool:
        return self.prompt is not None and bool(self.view.line.prompt.strip())

    @property
    def said(self) -> str:
        """The answer so far."""
        return self.prompt.said(len(self.draft.value.messages(self.asked)))

    def read(self) -> None:
        self._take_back()  # the model was answering an earlier text
        super().read()

    def clear(self) -> None:
        super().clear()
        self.prompt = None
        self._take_back()
        self._show()

    def _take_back(self) -> None:
        """Returns an unanswered message to the input line."""
        self.writes.stop()
        if self.asked:
            lines = filter(None, (self.asked, self.view.line.prompt))
            self.view.line.set_prompt("\n".join(lines))
            self.asked = ""

    def why_empty(self) -> str:
        usage = getattr(self.source, "usage", None)
        lacks = usage is None or usage.chat_template is None
        return text.NO_TEMPLATE.format(self.source.name) if lacks else ""

    def offer(self) -> str:
        return self.models.real_offer

    async def answer(self) -> Any:
        asked = compute.prompt, self.source, self.draft.value, self.view.line.prompt
        return await self.engine.call(*asked, key=self.objectName(), name="filling in the template")

    def show_answer(self, answer: Any) -> None:
        self.prompt = answer
        self.set_tracks([])
        self._show()

    def _on_written(self, items: list[Any]) -> None:
        for self.prompt, step in items:
            if step is not None:
                self.trace.append(step)
        self._show()

    def _finish(self) -> None:
        """Ends the answer, complete or stopped, and adds the turn to the conversation."""
        if not (said := self.said):
            self.read()
            return
        turn, self.asked = (self.asked, said), ""
        self.draft.change(
            {"turns": (*self.draft.value.turns, turn)}, text.SAID.format(shortened(turn[0]))
        )
        if not self.view.line.prompt:
            self.reads.stop()  # keeps the answer split into tokens as they were written
            self._show()
            self.set_tracks([TraceTrack(self.trace.finish())])

    # display

    def _show(self) -> None:
        draft, prompt, writes = self.draft.value, self.prompt, bool(self.asked)
        answer = [{"role": "assistant", "content": self.said}] if writes else []
        self.view.set_talk([*draft.messages(self.asked), *answer], writes, self.can_send)
        if prompt is not None:
            self.view.set_prompt(prompt, self.source.tokenizer)
            self.set_headline(text.headline(prompt, writes, draft.typed_specials))

    def _frame(self, message: int) -> None:
        """Frames the tokens of a message; -1 frames none."""
        place = self.prompt.place(message) if self.prompt is not None and message >= 0 else None
        self.view.read.set_marked(*(place or (-1, -1)))
