"""The user's conversation and its settings. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

LONGEST = 20_000  # characters of a message
ROLES = ("user", "assistant")


@dataclass(frozen=True)
class ChatDraft:
    """A conversation so far, and the settings of the next answer."""

    system: str = field(
        "", label="System message", longest=LONGEST,
        help="Instructions for the model; if empty, the template may add its own",
    )  # fmt: skip
    turns: tuple[tuple[str, str], ...] = ()  # pairs of a user's message and the model's answer
    temperature: float = field(
        0.0, label="Temperature", least=0, most=2,
        help="Lower values favor likely tokens; at 0, the likeliest token is always chosen",
    )  # fmt: skip
    typed_specials: bool = field(
        False, label="Accept typed special tokens",
        help="Reads special tokens in a message like those of the template, as transformers does",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)

    def messages(self, typed: str = "") -> list[dict[str, str]]:
        """Returns all messages, with the typed text as the last one."""
        said = [one for turn in self.turns for one in zip(ROLES, turn, strict=True)]
        before = [("system", self.system)] if self.system else []
        typing = [(ROLES[0], typed)] if typed else []
        return [{"role": role, "content": words} for role, words in before + said + typing]
