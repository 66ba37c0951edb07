"""A conversation, as a person has had it. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

LONGEST = 20_000  # characters of a message
ROLES = ("user", "assistant")


@dataclass(frozen=True)
class ChatDraft:
    """What was said before, and how it goes on."""

    system: str = field(
        "", label="System message", longest=LONGEST,
        help="Instructions for the model; if empty, the template may add its own",
    )  # fmt: skip
    turns: tuple[tuple[str, str], ...] = ()  # what was said, and what the model answered
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
        """All of them, with what is being typed as the last one."""
        said = [one for turn in self.turns for one in zip(ROLES, turn, strict=True)]
        before = [("system", self.system)] if self.system else []
        typing = [(ROLES[0], typed)] if typed else []
        return [{"role": role, "content": words} for role, words in before + said + typing]
