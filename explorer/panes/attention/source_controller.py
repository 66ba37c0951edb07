"""What is shown of a model source: the heads that read the text, or why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from explorer.panes.attention.expected import expected_of
from explorer.panes.attention.model import Heads, Prompt

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane
    from explorer.panes.attention.story import Likely


class SourceController(QObject):
    """Hears of text, models, heads and failures. Picture, steps and inspector are fresh, stale or
    empty together: nothing of an older model stays beside what came after it.
    """

    def __init__(self, pane: AttentionPane) -> None:
        super().__init__(pane)
        self._pane = pane
        self._typing = False
        self._is_typed = False  # the text whose heads are on their way, now or before an undo
        self._seen: tuple[Any, ...] = ()  # source and ids of the heads that came last

    # text and model

    def on_prompt_typed(self, text: str) -> None:
        """The query follows the end of what is typed, unless it is pinned."""
        self._typing = True
        try:
            self._pane.workspace.change("prompt", text, "Change prompt", merging="prompt")
        finally:
            self._typing = False

    def append(self, token: Likely | None = None) -> None:
        """This token comes after the text, or the one that the model expects."""
        pane = self._pane
        expected = pane.expected
        if expected is None:
            return
        if token is not None:
            expected = expected_of(token, pane.workspace.tokenizer)
        if expected.why_not:
            pane.statusRequested.emit(expected.why_not)
            return
        pane.choose(pinned=False)  # the query follows the end of the text
        self._typing = True
        try:
            text = pane.workspace.prompt + expected.text
            pane.workspace.change("prompt", text, f"Append {expected.name}")
        finally:
            self._typing = False

    def on_prompt(self, text: str) -> None:
        self._is_typed = self._typing or self._pane.workspace.is_moving
        self._pane.inputs.prompt.set_prompt(text)
        self._pane.looker.read(text)

    def on_model(self, source: Any) -> None:
        pane, config = self._pane, getattr(source, "config", None)
        if source is not pane.looker.source:
            # They open again on the new heads; those of a live model would stand in its way.
            steps = None if getattr(source, "is_live", False) else pane.open_steps
            self.forget()
            pane.head_selection.to_open = steps
            if source is not None and self._seen:
                pane.set_headline(f"Reading the heads of {source.name}")
        if config is not None:
            pane.view.panel.set_grid(config.n_layer, config.n_head)
        pane.looker.off = pane.head_switch.of(source)
        pane.looker.set_source(source)
        self.show_version()

    def on_prompt_read(self, prompt: Prompt) -> None:
        self._pane.view.set_prompt(prompt)
        if self._pane.looker.heads is None:
            self._pane.view.show_blank(prompt)

    # nothing to show

    def forget(self) -> None:
        """What was read holds no longer: the picture, its steps and the inspector go together."""
        pane = self._pane
        pane.preview = None
        pane.inspecting.clear()
        if pane.choices.mode == "steps":
            pane.set_mode(pane.mode_before)
        pane.looker.forget()
        pane.playback.clear()
        pane.comparison.forget()
        pane.view.forget()
        self.show_version()

    def on_emptied(self) -> None:
        self.forget()
        self._pane.view.set_prompt(None)
        self._pane.view.show_empty()
        self._pane.set_headline("There is no text to read yet")

    def on_failed(self, message: str) -> None:
        self.forget()
        self._pane.view.show_error(message)
        self._pane.set_headline("The heads could not be read")

    def on_unanswered(self, name: str, step: int) -> None:
        """A run has not given its first heads yet."""
        self._pane.view.show_unanswered(name, step)
        self._pane.set_headline(f"{name} has not shown its heads yet")

    # heads

    def on_heads(self, heads: Heads, pooled: np.ndarray) -> None:
        pane = self._pane
        panel, seen = pane.view.panel, (pane.workspace.model_source, heads.prompt.ids)
        panel.set_grid(*heads.shape)
        pane.comparison.on_mosaic(pooled)
        pane.view.set_prompt(heads.prompt)
        pane.show_choices()
        other_model, other_text = self._differs(seen)
        typed = other_text and self._is_typed
        self._is_typed = self._is_typed and not other_text
        self._seen = seen
        pane.head_selection.choose(
            heads, other_model=other_model, other_text=other_text, typed=typed
        )
        pane.view.show_ready()
        self.show_version()
        pane.show_chosen()
        if heads.off != pane.looker.off and pane.head_switch.is_possible:
            pane.looker.again()  # only now is it known that they can be switched off

    def _differs(self, seen: tuple[Any, ...]) -> tuple[bool, bool]:
        """Whether these heads are another model's than the last ones, and of another text."""
        if not self._seen:
            return False, False
        return seen[0] is not self._seen[0], seen[1] != self._seen[1]

    # a newer version

    def update_heads(self) -> None:
        """Looks at the model as it is now; steps that were under way end."""
        if self._pane.choices.mode == "steps":
            self._pane.set_mode(self._pane.mode_before)
        self._pane.looker.again()

    def show_version(self) -> None:
        """The heads of a run say which step they are from; steps stay with theirs."""
        looker = self._pane.looker
        heads, kept = looker.heads, getattr(looker.source, "kept", None)
        if heads is None:
            told, newer = "", None
        elif getattr(looker.source, "is_live", False):
            newer = looker.newer if not looker.live_allowed else None
            told = f"heads at step {heads.version:,}"
            told += f", now {newer:,}" if newer is not None else ""
        else:
            told, newer = recorded(heads, kept, self._pane.choices.mode), None
        self._pane.view.panel.set_version(told, newer is not None)


def recorded(heads: Heads, kept: int | None, mode: str) -> str:
    """Which step of a run is shown, where heads were recorded: the steps need queries, keys and
    values, which only its checkpoint of step `kept` gives, and so does another text.
    """
    if kept is None:
        return ""
    if heads.off:
        return f"heads of the checkpoint, step {kept:,}, with some off"
    if heads.vectors is None:
        return f"another text: heads of the checkpoint, step {kept:,}"
    if mode == "compare":
        return f"both texts: heads of the checkpoint, step {kept:,}"
    if mode == "steps":
        return f"steps of the nearest checkpoint, {kept:,}, not {heads.version:,}"
    return f"heads recorded at step {heads.version:,}"
