"""Try: shows how a fine-tuned model and its base continue a text, at any strength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core import finetuning
from core.tokenization.telling import sentence
from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.finetuning.answers import compute, text
from explorer.panes.finetuning.answers.draft import TryDraft
from explorer.panes.finetuning.answers.view import NAME, TryView
from explorer.panes.finetuning.tuned_mode import TunedInputs, TunedMode
from explorer.panes.step_inspection import inspection_of
from explorer.runs.sources import BlendedSource, model_name
from explorer.state.actions import Action
from explorer.widgets import dialogs

if TYPE_CHECKING:
    from core.finetuning.mixture import NextTokens, Written


class TryMode(TunedMode):
    """Both models continue one text; the user selects a place in either continuation, and both
    models' candidates for it are shown.
    """

    id = "try"
    title = "Try"
    teaches = "How much of what a model learned should be used?"
    second_title = text.MENU["blend"]

    def __init__(self, desk: Any, parent: QObject) -> None:
        self.view = view = TryView()
        super().__init__(desk, parent, TunedInputs(NAME, text.READS, view.buttons["another"]))
        self.place: tuple[bool, int] | None = None  # (is tuned, index); None: prompt's end
        self.prompt_ids: list[int] = []
        self.written: dict[bool, Written] = {}  # by True for the tuned model, False for the base
        self._newest: dict[bool, Written] = {}  # likewise, while a drag delays them
        self.next: NextTokens | None = None
        self._curve: dict[float, np.ndarray] = {}  # by strength, each token's probability (V,)
        self.prompt = ""  # the text that both read
        self._encoded: tuple[str, int] | None = None  # the prompt and example of `prompt_ids`
        self._known: dict[object, object] = {}  # the request of each result shown
        self.asked: Any = None  # the source, or one whose model has both adapters
        self._blend: BlendedSource | None = None
        self.has_adapter = True  # False: there is nothing to merge
        self.is_all_or_nothing = False  # a soft prompt: no strengths between 0 and 1
        self.count = 0  # tokens of the prompt, of which the last ones are read
        self._writes = {tuned: Latest(self.engine, self) for tuned in (False, True)}
        self._nexts, self._curves, self._checks, self._files, self._blends = (
            Latest(self.engine, self) for _ in range(5)
        )
        for tuned, writes in self._writes.items():
            writes.progressed.connect(partial(self._on_written, tuned))
            writes.came.connect(partial(self._on_written_to_end, tuned))
        self._nexts.came.connect(self._on_next)
        self._curves.progressed.connect(self._on_curves)
        self._checks.came.connect(lambda told: view.verdict.set_text(text.verdict(*told)))
        self._files.came.connect(lambda path: self.statusRequested.emit(text.SAVED.format(path)))
        # A card reports why another adapter cannot be blended: the picture stays.
        self._blends.came.connect(lambda source: self._set_other(source.second))
        for told in (self._checks, self._files):
            told.failed.connect(lambda why: view.verdict.set_text(sentence(why)))
        for one in (*self._writes.values(), self._nexts, self._curves):
            one.failed.connect(self._on_failed)
        view.base.chosen.connect(lambda _, place: self.choose(False, place))
        view.tuned.chosen.connect(lambda _, place: self.choose(True, place))
        view.curves.clicked.connect(self._on_curve)
        deeds = {"another": self.take_another, "identity": partial(self.check, "identity"),
                 "merge": partial(self.check, "merge")}  # fmt: skip
        self.connect_buttons(text.BUTTONS, deeds)
        self._deeds: dict[str, Callable[[], object]] = {  # of the menu
            "blend": partial(self.ask_second, view.adapter),
            "alone": partial(self._set_other, ""),
            "save": partial(self._ask_target, "save", "adapter"),
            "export": partial(self._ask_target, "export", "merged"),
            "heads": self.open_heads,
        }
        self.view.adapter.menuOpening.connect(self._fill_menu)
        self.connect_draft(TryDraft)
        view.settings.released.connect(self.read)
        self.connect_line(self.inputs.line, "prompt", text.CHANGE_TEXT)
        self.begin()

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        return {name: getattr(self.view, name) for name in ("base", "tuned", "bars", "curves")}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "place": list(self.place) if self.place else None}

    def restore(self, state: dict[str, Any]) -> None:
        match state.get("place"):
            case [bool(tuned), int(place)] if place >= 0 and not isinstance(place, bool):
                self.choose(tuned, place)

    def cancel(self) -> bool:
        """Handles Esc: returns to the end of the prompt."""
        was_chosen, self.place = self.place is not None, None
        self._show_texts()
        self.read()
        return was_chosen

    def caption(self) -> str:
        return f"{getattr(self.source, 'name', '')}: {self.prompt}"

    # choices

    def choose(self, tuned: bool, place: int) -> None:
        """Selects a token of one text and shows both models' candidates for its place."""
        self.place = tuned, place
        self._show_texts()
        self.read()

    def _on_curve(self, strength: float) -> None:
        """Sets the strength of the clicked point."""
        values = self.view.settings.widgets["strength"].values
        self.set_settings(strength=min(values, key=lambda one: abs(one - strength)))
        self.draft.end_merge()

    def take_another(self) -> None:
        """Shows the next example that was held out of the training data."""
        example = self.draft.value.example + 1
        self.draft.change({"prompt": "", "example": example}, text.BUTTONS["another"][0])

    def check(self, name: str) -> None:
        """Tests a property of the adapter on this text."""
        if self.prompt_ids:
            self._checks.ask(partial(self._check, name), text.BUTTONS[name][0], is_told=False)

    async def _check(self, name: str) -> Any:
        mixture, about = compute.mixture_of(self.tried), text.BUTTONS[name][0]
        asked = finetuning.check_adapter, name, mixture, self.prompt_ids
        found = await self.asked.ask(*asked, key=f"{NAME}.check", name=about)
        return SUPERSEDED if found is SUPERSEDED else (name, found)

    # adapter

    def _fill_menu(self) -> None:
        menu, not_now = self.view.adapter.menu(), "blend" if self.draft.value.other else "alone"
        menu.clear()
        for name, deed in self._deeds.items():
            if name == not_now:
                continue
            if name == "blend":
                menu.addMenu(self.second_menu)
            else:
                menu.addAction(text.MENU[name], deed)

    def actions(self) -> list[Action]:
        more = (self.action(name, text.MENU[name], deed) for name, deed in self._deeds.items())
        return [*super().actions(), *more]

    def _ask_target(self, name: str, what: str) -> None:
        if self.source is not None:
            stem, then = f"{self.source.name}, {what}", partial(self.write, name)
            dialogs.ask_target(self.view, text.MENU[name], stem, then)

    def take_second(self, folder: str) -> None:
        """Adds a second adapter to the first, if it can be opened."""
        if self.source is not None:
            self._blends.ask(partial(self._both, folder), text.MENU["blend"], is_told=False)

    def _set_other(self, folder: str) -> None:
        self.draft.change({"other": folder}, text.MENU["blend" if folder else "alone"])
        self.spawn(self.warn_of_base(folder))

    def write(self, name: str, folder: str) -> None:
        """Saves the adapter ("save"), or the whole model ("export"), in a new folder."""
        asked = name, self.source.address, self.tried, folder
        self._files.ask(lambda: compute.write_steps(*asked), text.MENU[name])

    def open_heads(self) -> None:
        """Shows the head whose attention changed most, in Attention, on this text."""
        if self.prompt_ids:
            self.spawn(self.show_head(self.prompt))

    def on_draft(self, draft: TryDraft) -> None:
        """Updates to a draft; the verdict on the previous one is dropped."""
        self._drop_verdict()
        super().on_draft(draft)

    # model

    @property
    def tried(self) -> TryDraft:
        """The draft, limited to the strengths and the merging that the model supports."""
        draft, is_whole = self.draft.value, self.is_all_or_nothing
        strength = float(draft.strength > 0.5) if is_whole else draft.strength
        return replace(draft, strength=strength, merged=draft.merged and self.has_adapter)

    async def _both(self, other: str) -> Any:
        """Returns the tuned model; with a second adapter, a model of its own that has both."""
        held, address = self._blend, self.source.address
        if held is None or (held.address, held.second) != (address, other):
            blend = BlendedSource(self.engine, address, other, self) if other else None
            self._blend = blend and await blend.opened()
            if held is not None:
                held.close()
        return self._blend or self.source

    def forget(self) -> None:
        """Resets for another text or another model."""
        super().forget()
        self.place = None
        self._forget()

    def _forget(self) -> None:
        self._encoded, self.prompt_ids, self.next = None, [], None
        self.written.clear()
        self._known.clear()
        self._drop_verdict()

    def _drop_verdict(self) -> None:
        self._checks.stop()
        self._known.pop("merge", None)
        self.view.verdict.set_text("")

    def clear(self) -> None:
        for one in (*self._writes.values(), self._nexts, self._curves, self._checks):
            one.stop()
        self._forget()
        super().clear()

    def why_empty(self) -> str:
        prompt = self.draft.value.prompt
        return text.NO_TEXT if prompt and not prompt.strip() else ""

    async def answer(self) -> list[int]:
        draft = self.draft.value
        source = await self._both(draft.other)
        if source is not self.asked:
            asked = finetuning.soft_prompt_of, finetuning.adapters_of
            found = [bool(await source.ask(one, name=text.STRENGTH)) for one in asked]
            self.asked, (self.is_all_or_nothing, self.has_adapter) = source, found
            self._forget()
        if (asked := (draft.prompt, draft.example)) == self._encoded:
            return self.prompt_ids
        held_out = finetuning.held_out_prompt, draft.example
        self.prompt = draft.prompt or await source.ask(*held_out, name=text.BUTTONS["another"][0])
        ids = await self.engine.io(source.tokenizer.encode_ids, self.prompt)
        if self._encoded:  # otherwise a session may have restored this text's place
            self.place = None
        self._forget()
        self._encoded, self.count = asked, len(ids)
        return ids[-source.config.block_size :]

    def show_answer(self, answer: list[int]) -> None:
        """Shows the prompt and lets both models write."""
        self.prompt_ids, draft = answer, self.tried
        self.view.show_strengths(self.is_all_or_nothing)
        self.view.settings.widgets["merged"].setEnabled(self.has_adapter)
        self.view.settings.show(draft)
        self.inputs.line.set_prompt(self.prompt)
        self.view.share.setVisible(bool(draft.other))
        plain = replace(draft, strength=0.0, share=0.0, merged=False)
        for tuned, asked in ((False, plain), (True, draft)):
            if self._is_new(tuned, (answer, asked)):
                made = compute.written_steps, answer, asked, self._ends
                job = partial(self.asked.model_steps, *made)
                is_dragged = self.view.is_dragged
                self._writes[tuned].ask(job, text.READS, is_told=False, waits=is_dragged)
        if draft.merged and self._is_new("merge", (answer, draft)):
            self.check("merge")
        if not self._writes[True].running:  # otherwise after writing
            self._read_place()
            if not self._nexts.running:  # everything was known
                self._show_next()

    def _is_new(self, name: object, of: object) -> bool:
        """True if `of` differs from the last request of that name."""
        was, self._known[name] = self._known.get(name), of
        return was != of

    def _on_written(self, tuned: bool, items: list[Written]) -> None:
        self._newest[tuned] = items[-1]
        if not self.view.is_dragged:  # a drag shows only complete texts, to avoid flicker
            self.written[tuned] = items[-1]
            self._show_texts()

    def _on_written_to_end(self, tuned: bool, _: object) -> None:
        self.written[tuned] = self._newest[tuned]
        self._show_texts()
        self._read_place()

    # selected place

    @property
    def before(self) -> list[int]:
        """The tokens before the place, of its text."""
        if self.place is None or self.place[0] not in self.written:
            return self.prompt_ids
        tuned, place = self.place
        ids = self.written[tuned].ids
        return list(ids[: max(min(place, len(ids)), 1)])

    @property
    def read_ids(self) -> list[int]:
        """Those of `before` that fit into the model's context."""
        return self.before[-self.source.config.block_size :]

    def _read_place(self) -> None:
        """Requests the candidates for the place, unless they are known."""
        ids, draft = self.read_ids, self.tried
        where = not self.view.is_dragged
        of = ids, draft.strength, draft.share, draft.merged, where
        if self._is_new("next", of):
            asked = finetuning.next_tokens, compute.mixture_of(draft), ids, where
            ask = partial(self.asked.ask, *asked, key=f"{NAME}.next", name=text.BARS)
            self._nexts.ask(ask, text.BARS, is_told=False, waits=not where)
        elif not self._nexts.running:
            self._show_next()

    def _on_next(self, found: NextTokens) -> None:
        self.next = found
        self._show_next()
        self.inspect()
        ids, draft = self.read_ids, self.tried
        if self._is_new("curves", (ids, draft.share)):
            self._curve = {}
            asked = finetuning.strength_curve_steps, compute.mixture_of(draft), ids, self._strengths
            job = partial(self.asked.model_steps, *asked)
            self._curves.ask(job, text.CURVES, is_told=False)
        self._show_curves()

    def _on_curves(self, items: list[np.ndarray]) -> None:
        coming = self._strengths[len(self._curve) :]
        self._curve.update(zip(coming, items, strict=False))
        self._show_curves()

    def _show_curves(self) -> None:
        """Shows the token that is the likeliest at each known strength, and at the present one."""
        if self.next is None or not self._curve:
            return
        points = dict(self._curve)
        if not self.is_all_or_nothing:  # the cursor meets the lines where the bars end
            points[self.next.strength] = self.next.tuned
        tokens = finetuning.favorites([*points.values()])
        shares = np.stack([points[x][tokens] for x in sorted(points)])
        pieces = [self.piece(token) for token in tokens]
        self.view.show_curves(np.array(sorted(points)), pieces, shares)
        self.view.curves.set_cursor(self.next.strength)

    @property
    def _strengths(self) -> tuple[float, ...]:
        """The strengths of the curves, in the order in which they are computed."""
        return compute.STEP if self.is_all_or_nothing else compute.CURVE

    # display

    def inspect(self) -> None:
        """Inspects the line in which the strength is used."""
        if self.next is not None and self.next.where is not None:
            matrix, step, cell = self.next.where
            told = text.inspected(self.next.strength, matrix, step.name)
            self.inspection.emit(inspection_of(step, cell, told))

    def _show_texts(self) -> None:
        """Shows the parts of both texts written so far, and the selected place."""
        before, ids = self.before, {tuned: one.ids for tuned, one in self.written.items()}
        pairs = enumerate(zip(*ids.values(), strict=False))
        shared = next((at for at, pair in pairs if len(set(pair)) > 1), len(before))
        for tuned, written in self.written.items():
            is_chosen = self.place is None or self.place[0] == tuned
            place = min(len(before) if is_chosen else shared, len(before), len(written.ids) - 1)
            name = text.base(self.count, len(self.prompt_ids))
            if tuned:
                name = text.tuned(self.source.name, model_name(getattr(self.asked, "second", "")))
            words = text.wrote(name, self.said(tuned))
            self.view.show_text(tuned, written, place, words, self.piece)

    def _show_next(self) -> None:
        """Shows the candidates for the place, once they and both texts are known. The headline
        waits for the end of both texts, and names the strength that they were written with.
        """
        if self.next is None or len(self.written) < 2:
            return
        tuned = self.place is None or self.place[0]
        came = next(iter(self.written[tuned].ids[len(self.before) :]), None)
        self.view.show_next(self.next, came, self.piece)
        base, words = self.said(False), self.said(True)
        is_written = not any(one.running for one in self._writes.values())
        if is_written and base is not None and words is not None:
            self.set_headline(text.headline(self.written[True].strength, base, words))
        self.view.body.show_ready()

    def said(self, tuned: bool) -> str | None:
        """Returns the text that one of the models has written, or None before it starts."""
        ids = self.written[tuned].ids[len(self.prompt_ids) :]
        return None if not len(ids) else self.text_of(one for one in ids if one not in self._ends)

    @property
    def _ends(self) -> tuple[int, ...]:
        """The tokens that end a text."""
        return tuple(self.source.tokenizer.special_tokens.values())
