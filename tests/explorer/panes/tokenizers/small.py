"""Small tokenizers, and modes small enough for a test of the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from core.tokenization import ByteLevelBPE, train_tokenizer
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.modes import Mode
from explorer.state.tracks import ListTrack

SIZES = {"bpe": 300, "wordpiece": 150, "sentencepiece-bpe": 150, "unigram": 120}
TEXTS = ("the cat sat on the mat, the rat sat on the hat", "a hat that the cat had had")


def small_bpe(pieces: int = 276) -> ByteLevelBPE:
    tokenizer: Any = train_tokenizer("bpe", TEXTS, vocab_size=pieces)
    return tokenizer


def saved_bpe(path: Path) -> Path:
    small_bpe().save(path)
    return path


class DemoMode(Mode):
    id, title, teaches = "demo", "Demo", "how a test works"
    steps = 3

    def __init__(self, desk: Any, parent: Any) -> None:
        super().__init__(desk, parent)
        self.label = QLabel(self.title)
        self.line = QLineEdit()
        self.heard: list[Any] = []
        self.wishes: list[Any] = []
        self.cancels = 1
        self.set_headline(f"This is {self.title}.")
        self.set_tracks([ListTrack([f"{self.id} {step}" for step in range(self.steps)])])

    def widget(self) -> QWidget:
        return self.label

    def input_strip(self) -> QWidget:
        return self.line

    def state(self) -> dict[str, Any]:
        return {"version": 1, "text": self.line.text()}

    def restore(self, state: dict[str, Any]) -> None:
        self.line.setText(state["text"])

    def take(self, wish: dict[str, Any]) -> None:
        self.wishes.append(wish)

    def pictures(self) -> dict[str, QWidget]:
        return {f"{self.id}-label": self.label}

    def views(self) -> dict[str, Any]:
        return {"start": self.player.start, "end": self.player.end}

    def shown(self) -> None:
        self.heard.append("shown")

    def left(self) -> None:
        self.heard.append("left")

    def on_step(self, step: int) -> None:
        self.heard.append(step)
        super().on_step(step)

    def inspect(self) -> None:
        self.inspection.emit(Inspection(title=f"{self.id} {self.player.step}"))

    def cancel(self) -> bool:
        self.cancels -= 1
        return self.cancels >= 0


class OtherMode(DemoMode):
    id, title, teaches = "other", "Other", "that modes do not mix"
    steps = 5


class BrokenMode(DemoMode):
    id, title, teaches = "broken", "Broken", "nothing"

    def widget(self) -> QWidget:
        raise ValueError("this mode cannot be; choose another")
