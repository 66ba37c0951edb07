"""A conversation, as a person has had it. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

LONGEST = 20_000  # characters of a message
ROLES = ("user", "assistant")


@dataclass(frozen=True)
class ChatDraft:
    """system       what the model is told before; "" leaves it to the template
    turns           what was said, by the user first, then in turn
    typed_specials  whether special tokens in what was said are read as such
    """

    system: str = field("", longest=LONGEST)
    turns: tuple[str, ...] = ()
    temperature: float = field(0.0, least=0, most=2)
    typed_specials: bool = False

    def __post_init__(self) -> None:
        check(self)

    def messages(self, typed: str = "") -> list[dict[str, str]]:
        """All of them, with what is being typed as the last one."""
        turns = [*self.turns, *([typed] if typed else [])]
        said = [{"role": ROLES[at % 2], "content": turn} for at, turn in enumerate(turns)]
        system = [{"role": "system", "content": self.system}] if self.system else []
        return system + said

    def with_said(self, typed: str) -> tuple[str, ...]:
        """The turns after a person has spoken; what has no answer yet is gone on with."""
        if len(self.turns) % 2:
            return (*self.turns[:-1], f"{self.turns[-1]}\n{typed}")
        return (*self.turns, typed)
